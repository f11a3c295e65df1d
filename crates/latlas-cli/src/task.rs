//! What a run or a report was asked for, read and checked, before anything is computed.

use latlas::caveat::Caveat;
use latlas::error::Result;
use latlas::report::{PageOptions, Report};
use latlas::run::{self, ClassWeights, Inputs, Settings, Shard};

/// What is to be computed from what.
#[derive(Clone)]
pub struct Task {
    /// Estimators or groups.
    pub ids: Vec<String>,
    /// From which.
    pub inputs: Inputs,
    /// How.
    pub settings: Settings,
    /// Whether classes are told apart, and what each counts.
    pub by_class: Option<ClassWeights>,
    /// Which part of the run.
    pub shard: Shard,
    /// What was guessed on the way, for people.
    pub notes: Vec<String>,
    /// Why there are fewer samples than usual, where nobody said how many there should be.
    pub fewer: Option<String>,
    /// What a page would show.
    pub page: PageOptions,
}

impl Task {
    /// Computes it, whole.
    ///
    /// # Errors
    /// Those of [`run::run`].
    pub fn measure(&self, progress: &dyn Fn(usize, usize)) -> Result<Report> {
        let Self { ids, inputs, settings, .. } = self;
        let mut report = match self.by_class {
            Some(weights) => run::run_by_class(ids, inputs, settings, weights, progress)?,
            None => run::run(ids, inputs, settings, progress)?,
        };
        self.mark(&mut report);
        Ok(report)
    }

    /// Says on the estimates what the task knows of them.
    pub fn mark(&self, report: &mut Report) {
        if let Some(message) = &self.fewer {
            for estimate in &mut report.estimates {
                estimate.caveats.push(Caveat::new("fewer-samples", message.clone()));
            }
        }
    }
}
