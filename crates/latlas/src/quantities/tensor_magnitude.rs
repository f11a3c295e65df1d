//! How large the metric tensor is at a point: the logarithm of its determinant.
//!
//! ```text
//! log det M(z) = 2 Σᵢ log sᵢ,   sᵢ the singular values of the frame A(z), M = AᵀA
//! ```
//!
//! Twice the log-volume, under the embedding of the run: for a decoder with a spread both heads count. As a map over the latent space
//! it is high along borders between classes and low inside them, and grows where a spread grows away from the data.
//!
//! - Shape: one value a sample. Unit: nats. Range: any sign; −∞ where M loses rank (left out, counted).
//! - Invariances: orthogonal maps of the data and of the latents; scaling a latent by c adds 2 log |c|.
//! - Cost: one Jacobian of the embedding in double precision and one QR a sample. Singular values, never a determinant, which over- or
//!   underflows from about ten latents on.
//!
//! References: Bishop, Svensén and Williams, Magnification Factors for the GTM Algorithm (1997). Arvanitidis, Hansen and Hauberg, Latent
//! Space Oddity (2018).

use super::{Quantity, Rows, of_frame};
use crate::card::{Better, Card, Need};
use crate::context::Context;
use crate::error::Result;
use crate::probe::Probe;

/// Magnitude of the metric tensor.
pub struct TensorMagnitude;

impl Quantity for TensorMagnitude {
    const CARD: Card = Card {
        id: "tensor-magnitude",
        group: "geometry",
        title: "Magnitude of the metric tensor",
        unit: "nats",
        range: "any sign",
        better: Better::Neither,
        needs: &[Need::Manifold],
        invariances: &["orthogonal maps of the data", "orthogonal maps of the latents"],
        references: &[
            "Bishop, Svensén, Williams: Magnification Factors for the GTM Algorithm (1997)",
            "Arvanitidis, Hansen, Hauberg: Latent Space Oddity (2018)",
        ],
        source: include_str!("tensor_magnitude.rs"),
    };

    fn columns(_: &Context) -> Vec<String> {
        vec!["tensor-magnitude".into()]
    }

    fn evaluate(probe: &Probe<'_>) -> Result<Rows> {
        of_frame(probe, true, |factor| 2.0 * factor.log_volume())
    }
}
