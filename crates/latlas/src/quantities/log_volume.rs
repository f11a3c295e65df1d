//! How much the decoder stretches volume at a point.
//!
//! ```text
//! log |J(z)| = ½ log det J(z)ᵀJ(z) = Σₖ log |R_kk|,   J = QR
//! ```
//!
//! The logarithm of the factor by which a small latent volume grows on its way to the data manifold; for a flow the
//! model's own log-determinant. Its mean is the total entropy without the prior's part; as a map over the latent space it
//! shows where the model packs its data (low) and where it spreads (high).
//!
//! - Shape: one value a sample. Unit: nats. Range: any sign, −∞ where J loses rank (left out, counted).
//! - Columns that are exactly zero (dead latents) are left out of the volume.
//! - Invariance: an orthogonal map of the data or of the latents changes nothing; scaling one latent by c adds log |c|.
//! - Cost: one Jacobian and one QR (2Dd² operations) a sample. Householder QR, never the determinant of JᵀJ, whose error
//!   grows with the square of the condition number.
//! - Needs d ≤ D.
//!
//! References: Caterini et al., Rectangular Flows for Manifold Learning (2021). Galperin and Köthe, Analyzing Generative
//! Models by Manifold Entropic Metrics (2024).

use ndarray::Array2;

use super::{Quantity, Rows};
use crate::card::{Better, Card, Need};
use crate::context::Context;
use crate::error::Result;
use crate::probe::Probe;

/// log |J|.
pub struct LogVolume;

impl Quantity for LogVolume {
    const CARD: Card = Card {
        id: "log-volume",
        group: "entropy",
        title: "Log-volume of the decoder",
        unit: "nats",
        range: "any sign",
        better: Better::Neither,
        needs: &[Need::Decoder],
        invariances: &["orthogonal maps of the data", "orthogonal maps of the latents"],
        references: &[
            "Caterini, Loaiza-Ganem, Pleiss, Cunningham: Rectangular Flows for Manifold Learning (2021)",
            "Galperin, Köthe: Analyzing Generative Models by Manifold Entropic Metrics (2024)",
        ],
        source: include_str!("log_volume.rs"),
    };

    fn check(context: &Context) -> Result<()> {
        context.require(&Self::CARD)?;
        context.require_volume(&Self::CARD)
    }

    fn columns(_: &Context) -> Vec<String> {
        vec!["log-volume".into()]
    }

    fn evaluate(probe: &Probe<'_>) -> Result<Rows> {
        let factors = probe.factors()?;
        let faults = (0..probe.len()).map(|s| probe.volume_fault(s)).collect::<Result<_>>()?;
        Ok(Rows { values: Array2::from_shape_fn((probe.len(), 1), |(s, _)| factors[s].log_volume), faults })
    }
}
