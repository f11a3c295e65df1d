//! The orthogonal Jacobian penalty at a point, without sampling.
//!
//! ```text
//! Σ_{i<j} Gᵢⱼ² = ¼ Var_v ‖Jv‖²,   G = JᵀJ, v with independent random signs
//! ```
//!
//! The regulariser OroJaR, which is otherwise estimated from random v. Zero where all columns are orthogonal; it grows with the
//! fourth power of the columns' lengths, so it compares states of one model rather than models.
//!
//! - Shape: one value a sample. Unit: data units per latent unit, to the fourth power. Range: ≥ 0.
//! - Invariances: orthogonal maps of the data leave it; multiplying the data by c multiplies it by c⁴.
//! - Cost: one Jacobian, one QR and d² products a sample.
//!
//! References: Wei et al., Orthogonal Jacobian Regularization for Unsupervised Disentanglement in Image Generation (2021).

use super::{Quantity, Rows, of_pairs};
use crate::card::{Better, Card, Need};
use crate::context::Context;
use crate::error::Result;
use crate::probe::Probe;

/// Σ Gᵢⱼ².
pub struct OrthogonalJacobianPenalty;

impl Quantity for OrthogonalJacobianPenalty {
    const CARD: Card = Card {
        id: "orthogonal-jacobian-penalty",
        group: "entropy",
        title: "Orthogonal Jacobian penalty (OroJaR)",
        unit: "1",
        range: "≥ 0",
        better: Better::Lower,
        needs: &[Need::Decoder],
        invariances: &["orthogonal maps of the data"],
        references: &[
            "Wei, Shi, Liu, Ji, Gao, Wu, Zuo: Orthogonal Jacobian Regularization for Unsupervised Disentanglement in Image Generation (2021)",
        ],
        source: include_str!("orthogonal_jacobian_penalty.rs"),
    };

    fn check(context: &Context) -> Result<()> {
        context.require(&Self::CARD)?;
        context.require_jacobian(&Self::CARD)
    }

    fn columns(_: &Context) -> Vec<String> {
        vec!["orthogonal-jacobian-penalty".into()]
    }

    fn evaluate(probe: &Probe<'_>) -> Result<Rows> {
        of_pairs(probe, |lengths, squared_cosines| squared_cosines.map(|(i, j, squared)| squared * (lengths[i] * lengths[j]).powi(2)).sum())
    }
}
