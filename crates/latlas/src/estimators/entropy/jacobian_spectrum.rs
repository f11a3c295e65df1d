//! How the decoder stretches in its strongest, second strongest … direction, whatever the latent axes are.
//!
//! ```text
//! J(z) = U diag(σ₁ ≥ … ≥ σₖ) Vᵀ,   value: E σ₁ … E σₖ,  k = min(d, D)
//! ```
//!
//! - `log_singular_values`: E log σₖ with standard errors; their sum is the mean log-volume.
//! - `condition_number` σ₁/σₖ: how unequal the stretching is. Beyond about 10⁶ single-precision decoders leave few digits.
//! - `effective_rank` exp(−Σ pₖ log pₖ), pₖ = σₖ²/Σσ²: how many directions share the motion, between 1 and k.
//! - `singular_vectors` are not reported: they turn from point to point.
//!
//! - Shape: [min(d, D)], descending. Unit: data units per latent unit. Range: ≥ 0.
//! - Invariances: orthogonal maps of the data and of the latents leave it.
//! - A singular value of zero (rank lost) counts in E σ; its logarithm and the condition number are missing there, with count.
//! - Cost: one Jacobian, one QR, one small decomposition a sample.
//! - Bias: none; standard error s/√n and Student's interval, quantiles exact up to 4096 samples (fewer for long spectra).
//!
//! References: Humayun et al., What Secrets Do Your Manifolds Hold? (2024). Roy and Vetterli, The Effective Rank (2007).

use serde_json::json;

use super::insert;
use crate::accumulators::Summary;
use crate::context::Context;
use crate::error::Result;
use crate::estimate::Estimate;
use crate::estimators::summarize::{PROBABILITIES, number, numbers};
use crate::estimators::{Better, Card, Columns, Estimator, Need, estimate};
use crate::probe::{Fault, Probe};
use crate::quantities::effective_rank;

/// E σₖ and what follows from the spectrum.
pub struct JacobianSpectrum;

impl Estimator for JacobianSpectrum {
    const CARD: Card = Card {
        id: "jacobian-spectrum",
        group: "entropy",
        title: "Singular values of the decoder's Jacobian",
        unit: "1",
        range: "≥ 0",
        better: Better::Neither,
        needs: &[Need::Decoder],
        invariances: &["orthogonal maps of the data", "orthogonal maps of the latents"],
        references: &[
            "Humayun, Amara, Vasconcelos, Ramachandran, Schumann, He, Heller, Farnadi, Rostamzadeh, Havaei: What Secrets Do Your Manifolds Hold? Understanding the Local Geometry of Generative Models (2024)",
            "Roy, Vetterli: The Effective Rank: a Measure of Effective Dimensionality (2007)",
        ],
        source: include_str!("jacobian_spectrum.rs"),
    };
    /// Rows: σ `[k]`, log of the condition number, effective rank, log σ `[k]` (NaN for 0).
    type State = Summary;

    fn new(context: &Context) -> Result<Self> {
        context.require(&Self::CARD)?;
        context.require_jacobian(&Self::CARD)?;
        Ok(Self)
    }

    fn observe(&self, probe: &Probe<'_>, state: &mut Summary) -> Result<()> {
        for (s, sigma) in probe.singular_values()?.outer_iter().enumerate() {
            let sigma = sigma.to_vec();
            let log = sigma.iter().map(|x| if *x > 0.0 { x.ln() } else { f64::NAN });
            let log_condition = match sigma[..] {
                [largest, .., smallest] if smallest > 0.0 => largest.ln() - smallest.ln(),
                [one] if one > 0.0 => 0.0,
                _ => f64::NAN,
            };
            let row: Vec<f64> = sigma.iter().copied().chain([log_condition, effective_rank(&sigma)]).chain(log).collect();
            state.push_keeping(
                sigma.len() + 2,
                probe.key(s).into(),
                if probe.is_finite(s)? { Ok(&row) } else { Err(Fault::NonFinite.reason()) },
            );
        }
        Ok(())
    }

    fn finish(&self, context: &Context, state: &Summary) -> Result<Estimate> {
        let k = context.latent_dim.min(context.ambient_dim);
        let mut estimate = estimate(&Self::CARD, context, state, &Columns::Vector(0..k, "singular-value"))?;
        let means = |range: std::ops::Range<usize>| numbers(&range.map(|i| state.moments.get(i).mean()).collect::<Vec<_>>());
        let errors = |range: std::ops::Range<usize>| {
            numbers(&range.map(|i| state.moments.get(i).standard_error().unwrap_or(f64::NAN)).collect::<Vec<_>>())
        };
        insert(
            &mut estimate,
            "log_singular_values",
            json!({ "value": means(k + 2..2 * k + 2), "standard_error": errors(k + 2..2 * k + 2) }),
        );
        let condition: Vec<f64> = state.reservoir.quantiles(k, &PROBABILITIES).iter().map(|x| x.exp()).collect();
        let log_condition = state.moments.get(k);
        let histogram = state.reservoir.histogram(k).map(|(edges, counts)| json!({ "log_edges": edges, "counts": counts }));
        insert(
            &mut estimate,
            "condition_number",
            json!({
                "median": number(condition[3]), "quantiles": { "probabilities": PROBABILITIES, "values": numbers(&condition) },
                "geometric_mean": number(log_condition.mean().exp()), "infinite": state.used().saturating_sub(log_condition.count()),
                "histogram": histogram,
            }),
        );
        let rank = state.moments.get(k + 1);
        insert(
            &mut estimate,
            "effective_rank",
            json!({
                "value": number(rank.mean()), "standard_error": number(rank.standard_error().unwrap_or(f64::NAN)),
                "quantiles": { "probabilities": PROBABILITIES, "values": numbers(&state.reservoir.quantiles(k + 1, &PROBABILITIES)) },
            }),
        );
        Ok(estimate)
    }
}
