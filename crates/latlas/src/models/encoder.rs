//! An encoder: what maps data to latents.

use ndarray::{Array2, ArrayView2};

use crate::error::Result;

/// A map from data to latents, with or without a spread: q(z|x) = N(mean, diag exp(logvar)).
pub trait Encoder: Send + Sync {
    /// D: values of one data row.
    fn data_dim(&self) -> usize;

    /// d.
    fn latent_dim(&self) -> usize;

    /// `data [n, D]` → posterior parameters, `[n, d]` each; `condition [n, c]` for conditional encoders.
    fn encode(&self, data: ArrayView2<'_, f64>, condition: Option<ArrayView2<'_, f64>>) -> Result<Posterior>;
}

/// What an encoder says of some rows of data.
#[derive(Debug, Clone, PartialEq)]
pub struct Posterior {
    /// `[n, d]`.
    pub mean: Array2<f64>,
    /// Log variances `[n, d]`, if the encoder has them.
    pub logvar: Option<Array2<f64>>,
}
