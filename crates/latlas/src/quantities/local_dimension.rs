//! How many directions the data moves in around a point.
//!
//! ```text
//! exp( −Σₖ pₖ log pₖ ),   pₖ = σₖ² / Σσ²,   σ singular values of J
//! ```
//!
//! A local intrinsic dimension of the model's manifold: k if the decoder moves k directions equally far and the rest not at all,
//! in between where directions fade. It does not depend on the choice of latent axes.
//!
//! - Shape: one value a sample. Unit: 1. Range: 1 … min(d, D).
//! - Invariances: orthogonal maps of the data and of the latents, rescaling of the data.
//! - Cost: one Jacobian, one QR, one small decomposition a sample.
//!
//! References: Roy and Vetterli, The Effective Rank (2007). Humayun et al., What Secrets Do Your Manifolds Hold? (2024).

use ndarray::Array2;

use super::{Quantity, Rows};
use crate::card::{Better, Card, Need};
use crate::context::Context;
use crate::error::Result;
use crate::probe::{Fault, Probe};

/// The effective rank of J.
pub struct LocalDimension;

impl Quantity for LocalDimension {
    const CARD: Card = Card {
        id: "local-intrinsic-dimension",
        group: "entropy",
        title: "Local intrinsic dimension (effective rank)",
        unit: "1",
        range: "1 … min(d, D)",
        better: Better::Neither,
        needs: &[Need::Decoder],
        invariances: &["orthogonal maps of the data", "orthogonal maps of the latents"],
        references: &[
            "Roy, Vetterli: The Effective Rank: a Measure of Effective Dimensionality (2007)",
            "Humayun et al.: What Secrets Do Your Manifolds Hold? (2024)",
        ],
        source: include_str!("local_dimension.rs"),
    };

    fn check(context: &Context) -> Result<()> {
        context.require(&Self::CARD)?;
        context.require_jacobian(&Self::CARD)
    }

    fn columns(_: &Context) -> Vec<String> {
        vec!["local-intrinsic-dimension".into()]
    }

    fn evaluate(probe: &Probe<'_>) -> Result<Rows> {
        let spectra = probe.singular_values()?;
        let faults = (0..probe.len()).map(|s| Ok((!probe.is_finite(s)?).then_some(Fault::NonFinite))).collect::<Result<_>>()?;
        let value = |s: usize| effective_rank(&spectra.row(s).to_vec());
        Ok(Rows { values: Array2::from_shape_fn((probe.len(), 1), |(s, _)| value(s)), faults })
    }
}

/// exp of the entropy of σ²/Σσ²; NaN when all are zero.
pub fn effective_rank(sigma: &[f64]) -> f64 {
    let largest = sigma.iter().copied().fold(0.0, f64::max);
    let squares: Vec<f64> = sigma.iter().map(|s| (s / largest).powi(2)).collect();
    let total: f64 = squares.iter().sum();
    let entropy: f64 = squares.iter().map(|s| s / total).filter(|p| *p != 0.0).map(|p| -p * p.ln()).sum();
    entropy.exp()
}

#[cfg(test)]
mod tests {
    use super::effective_rank;

    #[test]
    fn effective_rank_counts_equal_values() {
        assert!((effective_rank(&[2.0, 2.0, 2.0]) - 3.0).abs() < 1e-14);
        assert!((effective_rank(&[5e200, 0.0]) - 1.0).abs() < 1e-14);
        assert!(effective_rank(&[0.0, 0.0]).is_nan());
    }
}
