//! How likely the model makes a point of its own manifold.
//!
//! ```text
//! log p(x) = log p(z) − ½ log det J(z)ᵀJ(z),   x = g(z)
//! ```
//!
//! The density of the model's distribution at a decoded point, with respect to volume on the manifold g(ℝᵈ) (injective or
//! rectangular flows); for a flow with d = D the usual log-likelihood. Minus its mean over draws from the prior is the total
//! entropy.
//!
//! - Shape: one value a sample. Unit: nats. Range: any sign.
//! - Invariances: orthogonal maps of the data leave it; multiplying the data by c subtracts d log |c|.
//! - Columns that are exactly zero are left out of the volume, and their latents out of log p.
//! - Cost: one Jacobian and one QR a sample. Needs d ≤ D, latents, and a prior with a density.
//!
//! References: Caterini et al., Rectangular Flows for Manifold Learning (2021).

use ndarray::Array2;

use super::{Quantity, Rows};
use crate::card::{Better, Card, Need};
use crate::context::{Context, PriorTerm};
use crate::error::{Error, Result};
use crate::probe::Probe;

/// log p(z) − log |J|.
pub struct LogLikelihood;

impl Quantity for LogLikelihood {
    const CARD: Card = Card {
        id: "on-manifold-log-likelihood",
        group: "entropy",
        title: "Log-likelihood on the manifold",
        unit: "nats",
        range: "any sign",
        better: Better::Higher,
        needs: &[Need::Decoder],
        invariances: &["orthogonal maps of the data", "permutations of the latents"],
        references: &["Caterini, Loaiza-Ganem, Pleiss, Cunningham: Rectangular Flows for Manifold Learning (2021)"],
        source: include_str!("log_likelihood.rs"),
    };

    fn check(context: &Context) -> Result<()> {
        context.require(&Self::CARD)?;
        context.require_volume(&Self::CARD)?;
        if context.has_latents && context.prior_term() != PriorTerm::None {
            return Ok(());
        }
        Err(Error::Input {
            what: format!("{} needs latents and a prior with a density", Self::CARD.id),
            hint: Some("give --latents, or declare a normal, uniform, diagonal or mixture --prior".into()),
        })
    }

    fn columns(_: &Context) -> Vec<String> {
        vec!["log-likelihood".into()]
    }

    fn evaluate(probe: &Probe<'_>) -> Result<Rows> {
        let factors = probe.factors()?;
        let faults = (0..probe.len()).map(|s| probe.volume_fault(s)).collect::<Result<_>>()?;
        let value = |s: usize| probe.log_prior(s, &factors[s].live) - factors[s].log_volume;
        Ok(Rows { values: Array2::from_shape_fn((probe.len(), 1), |(s, _)| value(s)), faults })
    }
}
