//! How far the decoder is from keeping all angles at a point.
//!
//! ```text
//! d tr(M²)/(tr M)² − 1
//! ```
//!
//! 0 exactly where M = c I, that is where the decoder is conformal; d − 1 where one direction does everything.
//!
//! - Shape: one value a sample. Unit: 1. Range: 0 to d − 1.
//! - Invariances: orthogonal maps of the data and of the latents, scaling of either as a whole.
//! - Cost: one Jacobian of the embedding in double precision and one QR a sample; shared with the other maps.
//!
//! References: Lee, Yoon, Son and Park, Regularized Autoencoders for Isometric Representation Learning (2022).

use super::{Quantity, Rows, of_frame};
use crate::card::{Better, Card, Need};
use crate::context::Context;
use crate::error::Result;
use crate::probe::Probe;

/// Distance of the decoder from a scaled isometry.
pub struct IsometryDefect;

impl Quantity for IsometryDefect {
    const CARD: Card = Card {
        id: "isometry-defect",
        group: "geometry",
        title: "Distance of the decoder from a scaled isometry",
        unit: "1",
        range: "0 to d − 1",
        better: Better::Lower,
        needs: &[Need::Manifold],
        invariances: &["orthogonal maps of the data", "orthogonal maps of the latents", "one scale for all latents"],
        references: &["Lee, Yoon, Son, Park: Regularized Autoencoders for Isometric Representation Learning (2022)"],
        source: include_str!("isometry_defect.rs"),
    };

    fn columns(_: &Context) -> Vec<String> {
        vec!["isometry-defect".into()]
    }

    fn evaluate(probe: &Probe<'_>) -> Result<Rows> {
        of_frame(probe, false, |factor| {
            let squares: Vec<f64> = factor.singular_values.iter().map(|s| (s / factor.singular_values[0]).powi(2)).collect();
            let mean = squares.iter().sum::<f64>() / squares.len() as f64;
            // The variance of the eigenvalues over their squared mean, which does not cancel near 0.
            squares.iter().map(|s| (s / mean - 1.0).powi(2)).sum::<f64>() / squares.len() as f64
        })
    }
}
