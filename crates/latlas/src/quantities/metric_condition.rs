//! How unequal the eigenvalues of the metric tensor are at a point.
//!
//! ```text
//! κ(M) = λ₁/λ_d = κ(J)²,   λᵢ = sᵢ² the eigenvalues of M(z)
//! ```
//!
//! The square of `jacobian-condition`. What is solved with M⁻¹ loses this many digits, and solvers here use the frame instead, whose condition
//! number is the root.
//!
//! - Shape: one value a sample. Unit: 1. Range: ≥ 1; infinite where M loses rank (left out, counted).
//! - Invariances: orthogonal maps of the data and of the latents, scaling of either as a whole.
//! - Cost: one Jacobian of the embedding in double precision and one QR a sample; shared with the other maps.
//!
//! References: Trefethen and Bau, Numerical Linear Algebra (1997). Odena et al., Is Generator Conditioning Causally Related to GAN
//! Performance? (2018).

use super::{Quantity, Rows, of_frame};
use crate::card::{Better, Card, Need};
use crate::context::Context;
use crate::error::Result;
use crate::probe::Probe;

/// Condition number of the metric tensor.
pub struct MetricCondition;

impl Quantity for MetricCondition {
    const CARD: Card = Card {
        id: "metric-condition",
        group: "geometry",
        title: "Condition number of the metric tensor",
        unit: "1",
        range: "≥ 1",
        better: Better::Lower,
        needs: &[Need::Manifold],
        invariances: &["orthogonal maps of the data", "orthogonal maps of the latents", "one scale for all latents"],
        references: &[
            "Trefethen, Bau: Numerical Linear Algebra (1997)",
            "Odena et al.: Is Generator Conditioning Causally Related to GAN Performance? (2018)",
        ],
        source: include_str!("metric_condition.rs"),
    };

    fn columns(_: &Context) -> Vec<String> {
        vec!["metric-condition".into()]
    }

    fn evaluate(probe: &Probe<'_>) -> Result<Rows> {
        of_frame(probe, true, |factor| factor.condition().powi(2))
    }
}
