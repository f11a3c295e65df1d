//! How unequally the decoder stretches its latent directions at a point.
//!
//! ```text
//! κ(J) = s₁/s_d,   s₁ ≥ … ≥ s_d the singular values of the frame A(z), M = AᵀA
//! ```
//!
//! 1 where all directions count alike. It is the square root of the condition number of the metric tensor, `metric-condition`; papers give
//! either, so both are named here.
//!
//! - Shape: one value a sample. Unit: 1. Range: ≥ 1; infinite where M loses rank (left out, counted). The distribution is skewed: the median is
//!   among the quantiles.
//! - Invariances: orthogonal maps of the data and of the latents, scaling of either as a whole.
//! - Cost: one Jacobian of the embedding in double precision and one QR a sample.
//! - Bias: none in the mean; infinite values are left out of it, so that it is one over points of full rank.
//!
//! References: Trefethen and Bau, Numerical Linear Algebra (1997). Odena et al., Is Generator Conditioning Causally Related to GAN
//! Performance? (2018).

use super::{Quantity, Rows, of_frame};
use crate::card::{Better, Card, Need};
use crate::context::Context;
use crate::error::Result;
use crate::probe::Probe;

/// Condition number of the Jacobian.
pub struct JacobianCondition;

impl Quantity for JacobianCondition {
    const CARD: Card = Card {
        id: "jacobian-condition",
        group: "geometry",
        title: "Condition number of the Jacobian",
        unit: "1",
        range: "≥ 1",
        better: Better::Lower,
        needs: &[Need::Manifold],
        invariances: &["orthogonal maps of the data", "orthogonal maps of the latents", "one scale for all latents"],
        references: &[
            "Trefethen, Bau: Numerical Linear Algebra (1997)",
            "Odena et al.: Is Generator Conditioning Causally Related to GAN Performance? (2018)",
        ],
        source: include_str!("jacobian_condition.rs"),
    };

    fn columns(_: &Context) -> Vec<String> {
        vec!["jacobian-condition".into()]
    }

    fn evaluate(probe: &Probe<'_>) -> Result<Rows> {
        of_frame(probe, true, crate::geometry::Factor::condition)
    }
}
