//! How far the decoder's metric is from diagonal at a point.
//!
//! ```text
//! Σ_{i≠j} |Gᵢⱼ| / Σᵢ Gᵢᵢ,   G = JᵀJ
//! ```
//!
//! The ratio that canonical manifold flows keep small. Zero where the latents move the data in orthogonal directions. Unlike
//! the total correlation it weighs directions by their lengths: what weak latents share hardly counts.
//!
//! - Shape: one value a sample. Unit: 1. Range: 0 … d − 1.
//! - Invariances: orthogonal maps of the data and its rescaling leave it; scaling single latents does not.
//! - Cost: one Jacobian, one QR and d² products a sample.
//!
//! References: Flouris and Konukoglu, Canonical Normalizing Flows for Manifold Learning (2023).

use super::{Quantity, Rows, of_pairs};
use crate::card::{Better, Card, Need};
use crate::context::Context;
use crate::error::Result;
use crate::probe::Probe;

/// Σ|Gᵢⱼ| / ΣGᵢᵢ.
pub struct OffDiagonalShare;

impl Quantity for OffDiagonalShare {
    const CARD: Card = Card {
        id: "metric-off-diagonal-share",
        group: "entropy",
        title: "Off-diagonal share of the metric",
        unit: "1",
        range: "0 … d − 1",
        better: Better::Lower,
        needs: &[Need::Decoder],
        invariances: &["orthogonal maps of the data"],
        references: &["Flouris, Konukoglu: Canonical Normalizing Flows for Manifold Learning (2023)"],
        source: include_str!("off_diagonal_share.rs"),
    };

    fn check(context: &Context) -> Result<()> {
        context.require(&Self::CARD)?;
        context.require_jacobian(&Self::CARD)
    }

    fn columns(_: &Context) -> Vec<String> {
        vec!["metric-off-diagonal-share".into()]
    }

    fn evaluate(probe: &Probe<'_>) -> Result<Rows> {
        of_pairs(probe, |lengths, squared_cosines| {
            // In units of the longest column, so that nothing overflows.
            let longest = lengths.iter().copied().fold(0.0, f64::max);
            let relative: Vec<f64> = lengths.iter().map(|x| x / longest).collect();
            let diagonal: f64 = relative.iter().map(|x| x * x).sum();
            2.0 * squared_cosines.map(|(i, j, squared)| squared.sqrt() * relative[i] * relative[j]).sum::<f64>() / diagonal
        })
    }
}
