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
