//! How far the latent directions are from orthogonal, all at once.
//!
//! ```text
//! MTC = Σᵢ Hᵢ − H = E[ Σᵢ log ‖Jᵢ‖ − log |J| ]   (+ E[ log p(z) − Σᵢ log pᵢ(zᵢ) ] for a prior that does not factorise)
//! ```
//!
//! Zero exactly if all Jacobian columns are orthogonal at almost every sample: every latent then moves the data in a way
//! of its own (disentanglement). The value is also known as the global contrast of independent mechanism analysis, and the
//! value at one sample as the local one.
//!
//! - Shape: scalar, the sum over latents; `per_dim` is divided by d. Unit: nats. Range: ≥ 0 (Hadamard's inequality, checked
//!   at every sample), +∞ if columns are parallel.
//! - Invariances: scaling or permuting latents, and orthogonal maps and rescaling of the data, leave it. A rotation of the
//!   latents changes it.
//! - Read beside `null`: what columns in independent random directions would give, ½[d ψ(D/2) − Σ ψ((D−i)/2)]. In high
//!   dimension chance alone is nearly orthogonal, so a small value with d ≪ D means little; for a square flow random
//!   directions give about half a nat per latent.
//! - `geometric` and `prior_part` are the two parts apart. Dead columns and samples that lose rank: as in `total-entropy`.
//! - Cost: one Jacobian and one QR a sample. Needs d ≤ D.
//! - Bias: none; standard error s/√n and Student's interval.
//!
//! References: Galperin and Köthe, Analyzing Generative Models by Manifold Entropic Metrics (2024). Gresele et al.,
//! Independent Mechanism Analysis, a New Concept? (2021). Ghosh et al., Independent Mechanism Analysis and the Manifold
//! Hypothesis (2023).

use serde_json::json;

use super::{declare_convention, insert};
use crate::accumulators::Summary;
use crate::caveat::Caveat;
use crate::context::Context;
use crate::error::Result;
use crate::estimate::Estimate;
use crate::estimators::summarize::number;
use crate::estimators::{Better, Card, Columns, Estimator, Need, estimate};
use crate::probe::Probe;
use crate::special_functions::{digamma, trigamma};

/// MTC.
pub struct TotalCorrelation;

impl Estimator for TotalCorrelation {
    const CARD: Card = Card {
        id: "total-correlation",
        group: "entropy",
        title: "Manifold total correlation",
        unit: "nats",
        range: "≥ 0, +∞ if columns are parallel",
        better: Better::Lower,
        needs: &[Need::Decoder],
        invariances: &["orthogonal maps of the data", "scaling of each latent", "permutations of the latents"],
        references: &[
            "Galperin, Köthe: Analyzing Generative Models by Manifold Entropic Metrics (2024)",
            "Gresele, von Kügelgen, Stimper, Schölkopf, Besserve: Independent Mechanism Analysis, a New Concept? (2021)",
            "Ghosh, Gresele, von Kügelgen, Besserve, Schölkopf: Independent Mechanism Analysis and the Manifold Hypothesis (2023)",
        ],
        source: include_str!("total_correlation.rs"),
    };
    /// Rows: the sum of both parts, the geometric part, the prior part, the number of live columns.
    type State = Summary;

    fn new(context: &Context) -> Result<Self> {
        context.require(&Self::CARD)?;
        context.require_volume(&Self::CARD)?;
        Ok(Self)
    }

    fn observe(&self, probe: &Probe<'_>, state: &mut Summary) -> Result<()> {
        let log_norms = probe.log_norms()?;
        for (s, factor) in probe.factors()?.iter().enumerate() {
            let geometric = factor.live.iter().map(|i| log_norms[[s, *i]]).sum::<f64>() - factor.log_volume;
            let prior_part = if probe.context().prior.is_factorised() {
                0.0
            } else {
                let marginals = probe.surprisals(s);
                factor.live.iter().map(|i| marginals[*i]).sum::<f64>() - probe.joint_surprisal(s, &factor.live)
            };
            let row = [geometric + prior_part, geometric, prior_part, factor.live.len() as f64];
            state.push(probe.key(s).into(), probe.volume_fault(s)?.map_or(Ok(&row[..]), |fault| Err(fault.reason())));
        }
        Ok(())
    }

    fn finish(&self, context: &Context, state: &Summary) -> Result<Estimate> {
        let mut estimate = estimate(&Self::CARD, context, state, &Columns::Scalar(0))?;
        let d = context.latent_dim as f64;
        let (total, geometric, prior, live) =
            (state.moments.get(0), state.moments.get(1), state.moments.get(2), state.moments.get(3).mean());
        let error = total.standard_error().unwrap_or(f64::NAN);
        insert(&mut estimate, "per_dim", number(total.mean() / d));
        insert(&mut estimate, "per_dim_standard_error", number(error / d));
        insert(&mut estimate, "geometric", number(geometric.mean()));
        insert(&mut estimate, "prior_part", number(prior.mean()));
        let null = Null::new(context.ambient_dim, context.latent_dim);
        // Under a sketch, what the null would scatter by is known only with the noise of the probes.
        let spread = match context.settings.sketch {
            None => null.deviation / (geometric.count() as f64).sqrt(),
            Some(_) => geometric.standard_error().unwrap_or(f64::NAN),
        };
        insert(
            &mut estimate,
            "null",
            json!({
                "value": number(null.mean), "per_dim": number(null.mean / d), "standard_deviation": number(null.deviation),
                "ratio": number(geometric.mean() / null.mean),
                "z_score": number((geometric.mean() - null.mean) / spread),
            }),
        );
        if live < d {
            insert(&mut estimate, "live_columns", number(live));
            let message = format!("over the live columns only, {live:.3} of {d} on average");
            estimate.caveats.push(Caveat::new("dead-column", message));
        }
        declare_convention(&mut estimate, context);
        Ok(estimate)
    }
}

/// MTC at one sample when the directions of the columns are independent and uniform.
struct Null {
    mean: f64,
    deviation: f64,
}

impl Null {
    fn new(ambient_dim: usize, latent_dim: usize) -> Self {
        let half = |k: usize| (ambient_dim - k) as f64 / 2.0;
        let mean = 0.5 * (0..latent_dim).map(|k| digamma(half(0)) - digamma(half(k))).sum::<f64>();
        let variance = 0.25 * (1..latent_dim).map(|k| trigamma(half(k)) - trigamma(half(0))).sum::<f64>();
        Self { mean, deviation: variance.max(0.0).sqrt() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_at_tabulated_sizes() {
        for (ambient, latent, mean, deviation) in [
            (2, 2, 2.0_f64.ln(), f64::NAN),
            (3, 3, 1.306_852_819_4, f64::NAN),
            (10, 10, 5.131_212_093_3, 1.4067),
            (784, 10, 0.028_852_539_3, f64::NAN),
            (784, 100, 3.304_025_225_9, 0.0664),
            (784, 784, 393.233_533_595_6, 2.0583),
        ] {
            let null = Null::new(ambient, latent);
            assert!((null.mean - mean).abs() < 1e-9 * mean.max(1.0), "{ambient} {latent}: {}", null.mean);
            assert!(deviation.is_nan() || (null.deviation - deviation).abs() < 5e-5, "{ambient} {latent}: {}", null.deviation);
        }
    }
}
