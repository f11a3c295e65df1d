//! How far the data moves per unit of each latent, at a point.
//!
//! ```text
//! log ‖Jᵢ(z)‖,   Jᵢ = ∂g/∂zᵢ
//! ```
//!
//! The logarithm of the length of each column of the Jacobian: the local, non-linear counterpart of a principal
//! component's standard deviation. Its mean is the manifold entropy of the latent without the prior's part.
//!
//! - Shape: d values a sample. Unit: nats. Range: any sign, −∞ for a latent that moves nothing.
//! - Invariance: orthogonal maps of the data change nothing; scaling latent i by c adds log |c| to its entry.
//! - Cost: one Jacobian a sample. Sums of squares are scaled against over- and underflow.
//!
//! References: Galperin and Köthe, Analyzing Generative Models by Manifold Entropic Metrics (2024).

use super::{Quantity, Rows};
use crate::card::{Better, Card, Need};
use crate::context::Context;
use crate::error::Result;
use crate::probe::{Fault, Probe};

/// log ‖Jᵢ‖.
pub struct ColumnNorms;

impl Quantity for ColumnNorms {
    const CARD: Card = Card {
        id: "column-norms",
        group: "entropy",
        title: "Log length of each Jacobian column",
        unit: "nats",
        range: "any sign, −∞ for a latent that moves nothing",
        better: Better::Neither,
        needs: &[Need::Decoder],
        invariances: &["orthogonal maps of the data"],
        references: &["Galperin, Köthe: Analyzing Generative Models by Manifold Entropic Metrics (2024)"],
        source: include_str!("column_norms.rs"),
    };

    fn columns(context: &Context) -> Vec<String> {
        (0..context.latent_dim).map(|i| format!("log-column-norm-{i}")).collect()
    }

    fn evaluate(probe: &Probe<'_>) -> Result<Rows> {
        let faults = (0..probe.len()).map(|s| Ok((!probe.is_finite(s)?).then_some(Fault::NonFinite))).collect::<Result<_>>()?;
        Ok(Rows { values: probe.log_norms()?.clone(), faults })
    }
}
