//! How many latent directions move the data at a point, by the moments of the metric's eigenvalues.
//!
//! ```text
//! (Σ s²)²/Σ s⁴ = (tr M)²/tr M²
//! ```
//!
//! 1 where one direction does everything, d where all count alike. It weighs large eigenvalues more than `metric-effective-rank` does.
//!
//! - Shape: one value a sample. Unit: 1 (directions). Range: 1 to d.
//! - Invariances: orthogonal maps of the data and of the latents, scaling of either as a whole.
//! - Cost: one Jacobian of the embedding in double precision and one QR a sample; shared with the other maps.
//!
//! References: Bell and Dean, Atomic Vibrations in Vitreous Silica (1970). Gao et al., A theory of multineuronal dimensionality, dynamics
//! and measurement (2017).

use super::{Quantity, Rows, of_frame};
use crate::card::{Better, Card, Need};
use crate::context::Context;
use crate::error::Result;
use crate::probe::Probe;

/// Participation ratio of the metric tensor.
pub struct ParticipationRatio;

impl Quantity for ParticipationRatio {
    const CARD: Card = Card {
        id: "participation-ratio",
        group: "geometry",
        title: "Participation ratio of the metric tensor",
        unit: "1",
        range: "1 to d",
        better: Better::Neither,
        needs: &[Need::Manifold],
        invariances: &["orthogonal maps of the data", "orthogonal maps of the latents", "one scale for all latents"],
        references: &["Gao et al.: A theory of multineuronal dimensionality, dynamics and measurement (2017)"],
        source: include_str!("participation_ratio.rs"),
    };

    fn columns(_: &Context) -> Vec<String> {
        vec!["participation-ratio".into()]
    }

    fn evaluate(probe: &Probe<'_>) -> Result<Rows> {
        of_frame(probe, false, |factor| {
            let [second, fourth] =
                [2, 4].map(|power| factor.singular_values.iter().map(|s| (s / factor.singular_values[0]).powi(power)).sum::<f64>());
            second * second / fourth
        })
    }
}
