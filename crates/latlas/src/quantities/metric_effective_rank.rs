//! How many latent directions move the data at a point, by the entropy of the metric's eigenvalues.
//!
//! ```text
//! exp(−Σᵢ pᵢ log pᵢ),   pᵢ = sᵢ²/Σ s²
//! ```
//!
//! 1 where one direction does everything, d where all count alike. A smooth count that needs no threshold.
//!
//! - Shape: one value a sample. Unit: 1 (directions). Range: 1 to d.
//! - Invariances: orthogonal maps of the data and of the latents, scaling of either as a whole.
//! - Cost: one Jacobian of the embedding in double precision and one QR a sample; shared with the other maps.
//! - Where M loses rank it stays defined: lost directions count nothing.
//!
//! References: Roy and Vetterli, The Effective Rank (2007).

use super::{Quantity, Rows, of_frame};
use crate::card::{Better, Card, Need};
use crate::context::Context;
use crate::error::Result;
use crate::probe::Probe;

/// Effective rank of the metric tensor.
pub struct MetricEffectiveRank;

impl Quantity for MetricEffectiveRank {
    const CARD: Card = Card {
        id: "metric-effective-rank",
        group: "geometry",
        title: "Effective rank of the metric tensor",
        unit: "1",
        range: "1 to d",
        better: Better::Neither,
        needs: &[Need::Manifold],
        invariances: &["orthogonal maps of the data", "orthogonal maps of the latents", "one scale for all latents"],
        references: &["Roy, Vetterli: The Effective Rank (2007)"],
        source: include_str!("metric_effective_rank.rs"),
    };

    fn columns(_: &Context) -> Vec<String> {
        vec!["metric-effective-rank".into()]
    }

    fn evaluate(probe: &Probe<'_>) -> Result<Rows> {
        of_frame(probe, false, |factor| crate::quantities::effective_rank(&factor.singular_values))
    }
}
