//! The run: chunk → observe → merge → finish. The only loop.

use serde::{Deserialize, Serialize};

/// The settings of a run; every value in a report follows from these and the inputs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Samples drawn from the prior when no latents are given.
    pub samples: usize,
    /// Key of all random streams.
    pub seed: u64,
    /// Samples a chunk; follows from the sizes of the model when not set. It orders sums, so it is a setting.
    pub chunk: Option<usize>,
    /// The largest accepted share of unusable samples.
    pub max_bad: f64,
    /// Type in which the decoder runs.
    pub dtype: Dtype,
    /// Level of confidence intervals.
    pub level: f64,
}

/// Type in which the decoder runs; sums, norms and factorisations are always `f64`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Dtype {
    F32,
    F64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { samples: 1000, seed: 0, chunk: None, max_bad: 0.05, dtype: Dtype::F32, level: 0.95 }
    }
}
