//! How far the data moves, squared and summed over all latent directions.
//!
//! ```text
//! ‖J‖²_F = tr M = Σᵢ sᵢ²
//! ```
//!
//! Its mean over the samples is the Dirichlet energy of the decoder, what contractive and gradient penalties hold down.
//!
//! - Shape: one value a sample. Unit: squared unit of the embedding over squared unit of the latents. Range: ≥ 0.
//! - Invariances: orthogonal maps of the data and of the latents.
//! - Cost: one Jacobian of the embedding in double precision and one QR a sample; shared with the other maps.
//!
//! References: Rifai et al., Contractive Auto-Encoders (2011).

use super::{Quantity, Rows, of_frame};
use crate::card::{Better, Card, Need};
use crate::context::Context;
use crate::error::Result;
use crate::probe::Probe;

/// Energy of the Jacobian.
pub struct JacobianEnergy;

impl Quantity for JacobianEnergy {
    const CARD: Card = Card {
        id: "jacobian-energy",
        group: "geometry",
        title: "Energy of the Jacobian",
        unit: "1",
        range: "≥ 0",
        better: Better::Neither,
        needs: &[Need::Manifold],
        invariances: &["orthogonal maps of the data", "orthogonal maps of the latents"],
        references: &["Rifai et al.: Contractive Auto-Encoders (2011)"],
        source: include_str!("jacobian_energy.rs"),
    };

    fn columns(_: &Context) -> Vec<String> {
        vec!["jacobian-energy".into()]
    }

    fn evaluate(probe: &Probe<'_>) -> Result<Rows> {
        of_frame(probe, false, |factor| factor.singular_values.iter().map(|s| s * s).sum())
    }
}
