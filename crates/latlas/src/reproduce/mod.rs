//! Published experiments, done again: a model is trained for several seeds, measured, and set beside the published numbers.
//!
//! An [`Experiment`] is one file and one line of [`TABLE`]. What it found is a [`Reproduction`]: some [`Series`] over one axis
//! (losses, or a weight), each with a value for every seed, and [`Finding`]s, which say of every published claim whether it holds
//! here. Published numbers are read from figures where nothing else was printed, and are shown beside ours, never mixed in.

mod beta_vae_active;
mod figure;
mod page;
mod trainings;
mod two_moons;

use ndarray::Array2;
use serde::Serialize;

use crate::error::Result;
use crate::models::OnnxDecoder;
use crate::run::{Inputs, Settings as RunSettings, run};
use crate::special_functions::student_quantile;

pub use page::page;
use trainings::train_all;

/// How an experiment is done.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Trainings of each case, each with a seed of its own.
    pub seeds: usize,
    /// In seconds and not minutes: fewer cases, short trainings. It shows that the machine runs, not what was published.
    pub quick: bool,
    /// Rows to learn from, for an experiment that [takes some](Experiment::needs_data).
    pub data: Option<Array2<f64>>,
}

/// Does an experiment.
pub type Run = fn(&Setup, &dyn Fn(usize, usize)) -> Result<Reproduction>;

/// A published experiment.
#[derive(Clone, Copy)]
pub struct Experiment {
    /// Stable id.
    pub id: &'static str,
    /// In a few words.
    pub title: &'static str,
    /// Where it was published.
    pub source: &'static str,
    /// What is done here, and how it differs from what was published.
    pub about: &'static str,
    /// Whether it learns from rows that do not ship with the program.
    pub needs_data: bool,
    /// Does it; `tell` is given how much is done, of how much.
    pub run: Run,
}

/// All experiments.
pub const TABLE: &[Experiment] = &[two_moons::EXPERIMENT, beta_vae_active::EXPERIMENT];

/// What the cases of an experiment are told apart by.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Axis {
    /// By name.
    Words(Vec<String>),
    /// By a positive number, which has a name.
    Numbers(String, Vec<f64>),
}

impl Axis {
    /// Number of cases.
    pub fn len(&self) -> usize {
        match self {
            Self::Words(words) => words.len(),
            Self::Numbers(_, numbers) => numbers.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A case as it is written.
    pub fn word(&self, case: usize) -> String {
        match self {
            Self::Words(words) => words[case].clone(),
            Self::Numbers(name, numbers) => format!("{name} = {}", numbers[case]),
        }
    }
}

/// A quantity over the cases.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Series {
    /// What it is.
    pub name: &'static str,
    /// As published, for each case.
    pub published: Vec<Option<f64>>,
    /// What it would be without any error, where that is known.
    pub truth: Option<f64>,
    /// `[cases][seeds]`.
    pub values: Vec<Vec<f64>>,
}

impl Series {
    /// The mean over the seeds of a case, with its 95 % interval by Student's t; no interval for a single seed.
    pub fn mean(&self, case: usize) -> (f64, Option<(f64, f64)>) {
        let values = &self.values[case];
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        if values.len() < 2 {
            return (mean, None);
        }
        let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
        let half = student_quantile(0.975, n - 1.0) * (variance / n).sqrt();
        (mean, Some((mean - half, mean + half)))
    }

    /// The ends of that interval, or the mean twice.
    fn ends(&self, case: usize) -> (f64, f64) {
        let (mean, interval) = self.mean(case);
        interval.unwrap_or((mean, mean))
    }
}

/// A published claim, and whether it holds here.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// What was claimed.
    pub claim: &'static str,
    /// Whether it holds.
    pub holds: bool,
    /// The numbers that say so.
    pub because: String,
}

/// What an experiment found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reproduction {
    /// Of the experiment.
    pub id: &'static str,
    /// The cases.
    pub axis: Axis,
    /// What the series measure, with its unit.
    pub vertical: &'static str,
    /// The quantities.
    pub series: Vec<Series>,
    /// The claims.
    pub findings: Vec<Finding>,
    /// The settings of the first case and seed, as TOML.
    pub settings: String,
    /// Whether this was the quick form.
    pub quick: bool,
    /// Seconds that it took.
    pub seconds: f64,
}

/// How much is done, of how much.
type Tell<'a> = &'a dyn Fn(usize, usize);

/// Values of estimates of a trained decoder, in the order of their ids.
fn measured(decoder: OnnxDecoder, ids: &[&str], settings: &RunSettings) -> Result<Vec<Vec<f64>>> {
    let inputs = Inputs { decoder: Some(std::sync::Arc::new(decoder)), ..Inputs::default() };
    let names: Vec<String> = ids.iter().map(|id| (*id).to_string()).collect();
    let report = run(&names, &inputs, settings, &|_, _| ())?;
    Ok(ids.iter().map(|id| report.estimate(id).map_or(vec![f64::NAN], |estimate| estimate.value.entries())).collect())
}
