//! An estimate: a value, how sure one may be of it, and from what.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::caveat::Caveat;

/// The value of an estimate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// One number.
    Scalar(f64),
    /// One number for each entry of the only axis.
    Vector(Vec<f64>),
    /// Row by row.
    Matrix(Vec<Vec<f64>>),
}

impl Value {
    /// All numbers in order.
    pub fn entries(&self) -> Vec<f64> {
        match self {
            Self::Scalar(x) => vec![*x],
            Self::Vector(x) => x.clone(),
            Self::Matrix(rows) => rows.concat(),
        }
    }
}

/// What an estimator found.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// Estimator id, kebab-case.
    pub id: String,
    /// In words.
    pub title: String,
    /// `nats`, `1`, ….
    pub unit: String,
    /// The value; infinities are allowed, NaN means undefined and comes with a caveat.
    pub value: Value,
    /// Of the same shape as the value.
    pub standard_error: Option<Value>,
    /// A confidence interval at `level`: two values of the same shape as the value.
    pub interval: Option<(Value, Value)>,
    /// Level of the interval.
    pub level: f64,
    /// Samples that the value rests on.
    pub n_used: usize,
    /// Samples that were looked at.
    pub n_seen: usize,
    /// Left out, by reason.
    pub dropped: BTreeMap<String, usize>,
    /// What to know before trusting the value.
    pub caveats: Vec<Caveat>,
    /// The name of each axis of the value: `latent`, `singular-value` ….
    pub axes: Vec<String>,
    /// Further results by name.
    pub extra: BTreeMap<String, serde_json::Value>,
}

impl Estimate {
    /// Takes on what to know before trusting other estimates, each caveat once.
    pub fn adopt(&mut self, caveats: &[Caveat]) {
        for caveat in caveats {
            if !self.caveats.iter().any(|known| known.id == caveat.id) {
                self.caveats.push(caveat.clone());
            }
        }
    }
}

/// A law that must hold if the numbers are right, checked in every run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Invariant {
    /// Stable id: `hadamard`, `finite-differences`, `batch-independence`, `flow-log-det` ….
    pub id: String,
    /// Whether the worst value is within the tolerance.
    pub holds: bool,
    /// The worst value seen.
    pub worst: f64,
    /// What is accepted.
    pub tolerance: f64,
}

impl Invariant {
    /// The worst value over what is accepted; NaN, which no tolerance accepts, counts as the largest.
    fn share(&self) -> f64 {
        self.worst / self.tolerance
    }

    /// Of each law the worst of several checks, measured by what is accepted, in the order in which laws come first.
    pub fn worst<'a>(checks: impl IntoIterator<Item = &'a Self>) -> Vec<Self> {
        let mut worst: Vec<Self> = Vec::new();
        for law in checks {
            match worst.iter_mut().find(|known| known.id == law.id) {
                Some(known) if law.share().total_cmp(&known.share()).is_gt() => *known = law.clone(),
                Some(_) => {}
                None => worst.push(law.clone()),
            }
        }
        worst
    }
}
