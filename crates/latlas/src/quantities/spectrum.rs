//! The singular values of the decoder's Jacobian at a point.
//!
//! ```text
//! J = U diag(σ₁ ≥ σ₂ ≥ …) Vᵀ
//! ```
//!
//! The lengths of the axes of the ellipsoid that a small latent ball becomes. Unlike column norms they do not depend on
//! the choice of latent axes: a rotation of the latents leaves them.
//!
//! - Shape: min(d, D) values a sample, descending. Unit: data units per latent unit. Range: ≥ 0.
//! - Invariance: orthogonal maps of the data and of the latents change nothing.
//! - Cost: one Jacobian, one QR, and a singular value decomposition of the d × d factor R.
//!
//! References: Humayun et al., What Secrets Do Your Manifolds Hold? (2024).

use super::{Quantity, Rows};
use crate::card::{Better, Card, Need};
use crate::context::Context;
use crate::error::Result;
use crate::probe::{Fault, Probe};

/// σₖ.
pub struct Spectrum;

impl Quantity for Spectrum {
    const CARD: Card = Card {
        id: "singular-values",
        group: "entropy",
        title: "Singular values of the Jacobian",
        unit: "1",
        range: "≥ 0",
        better: Better::Neither,
        needs: &[Need::Decoder],
        invariances: &["orthogonal maps of the data", "orthogonal maps of the latents"],
        references: &["Humayun et al.: What Secrets Do Your Manifolds Hold? (2024)"],
        source: include_str!("spectrum.rs"),
    };

    fn check(context: &Context) -> Result<()> {
        context.require(&Self::CARD)?;
        context.require_jacobian(&Self::CARD)
    }

    fn columns(context: &Context) -> Vec<String> {
        (0..context.latent_dim.min(context.ambient_dim)).map(|k| format!("singular-value-{k}")).collect()
    }

    fn evaluate(probe: &Probe<'_>) -> Result<Rows> {
        let faults = (0..probe.len()).map(|s| Ok((!probe.is_finite(s)?).then_some(Fault::NonFinite))).collect::<Result<_>>()?;
        Ok(Rows { values: probe.singular_values()?.clone(), faults })
    }
}
