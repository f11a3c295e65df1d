//! By what factor the decoder magnifies volume at a point.
//!
//! ```text
//! |J(z)| = (det J(z)ᵀJ(z))^½
//! ```
//!
//! The magnification factor of a generative map, known from the generative topographic mapping: high along borders between
//! clusters, low inside them. With many latents it varies over many orders of magnitude, and `log-volume` is the better
//! number; where it is beyond the range of numbers it is infinite, and the mean says so.
//!
//! - Shape: one value a sample. Unit: data units per latent unit, to the power d. Range: ≥ 0; 0 where J loses rank.
//! - Invariances: orthogonal maps of the data and of the latents.
//! - Cost: one Jacobian and one QR a sample. Needs d ≤ D.
//!
//! References: Bishop, Svensén and Williams, Magnification Factors for the GTM Algorithm (1997).

use ndarray::Array2;

use super::{Quantity, Rows};
use crate::card::{Better, Card, Need};
use crate::context::Context;
use crate::error::Result;
use crate::probe::{Fault, Probe};

/// |J|.
pub struct Magnification;

impl Quantity for Magnification {
    const CARD: Card = Card {
        id: "magnification",
        group: "entropy",
        title: "Magnification of volume",
        unit: "1",
        range: "≥ 0",
        better: Better::Neither,
        needs: &[Need::Decoder],
        invariances: &["orthogonal maps of the data", "orthogonal maps of the latents"],
        references: &["Bishop, Svensén, Williams: Magnification Factors for the GTM Algorithm (1997)"],
        source: include_str!("magnification.rs"),
    };

    fn check(context: &Context) -> Result<()> {
        context.require(&Self::CARD)?;
        context.require_volume(&Self::CARD)?;
        context.require_jacobian(&Self::CARD)
    }

    fn columns(_: &Context) -> Vec<String> {
        vec!["magnification".into()]
    }

    fn evaluate(probe: &Probe<'_>) -> Result<Rows> {
        let factors = probe.factors()?;
        let faults = (0..probe.len()).map(|s| Ok((!probe.is_finite(s)?).then_some(Fault::NonFinite))).collect::<Result<_>>()?;
        Ok(Rows { values: Array2::from_shape_fn((probe.len(), 1), |(s, _)| factors[s].log_volume.exp()), faults })
    }
}
