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
//! - `permutation_null`: the same with every column taken from another sample, which keeps what the columns have in common
//!   wherever they are (the mean picture, say) and breaks what ties them at a point. From some of the samples; only where
//!   at least d Jacobians fit into 32 MB.
//! - `partition`, where one was asked for: the same between its blocks, Σ_S log |J_S| − log |J|.
//! - `geometric` and `prior_part` are the two parts apart. Dead columns and samples that lose rank: as in `total-entropy`.
//! - Cost: one Jacobian and one QR a sample. Needs d ≤ D.
//! - Bias: none; standard error s/√n and Student's interval.
//!
//! References: Galperin and Köthe, Analyzing Generative Models by Manifold Entropic Metrics (2024). Gresele et al.,
//! Independent Mechanism Analysis, a New Concept? (2021). Ghosh et al., Independent Mechanism Analysis and the Manifold
//! Hypothesis (2023).

use ndarray::Array2;
use serde_json::json;

use super::{declare_convention, insert};
use crate::accumulators::Summary;
use crate::caveat::Caveat;
use crate::context::Context;
use crate::error::Result;
use crate::estimate::Estimate;
use crate::estimators::null::Null;
use crate::estimators::summarize::{measured, number};
use crate::estimators::{Better, Card, Columns, Estimator, Need, estimate};
use crate::linalg;
use crate::probe::Probe;

/// Places in the rows.
const SHUFFLED: usize = 4;
const BLOCKS: usize = 5;

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
    /// Rows: the sum of both parts, the geometric part, the prior part, the number of live columns, the geometric part with
    /// columns from different samples (NaN where it was not looked at), and for a partition the sum of both parts between its
    /// blocks and the geometric one.
    type State = Summary;

    fn new(context: &Context) -> Result<Self> {
        context.require(&Self::CARD)?;
        context.require_volume(&Self::CARD)?;
        Ok(Self)
    }

    fn observe(&self, probe: &Probe<'_>, state: &mut Summary) -> Result<()> {
        let log_norms = probe.log_norms()?;
        let shuffled = shuffled_overlaps(probe)?;
        for (s, factor) in probe.factors()?.iter().enumerate() {
            let geometric = factor.live.iter().map(|i| log_norms[[s, *i]]).sum::<f64>() - factor.log_volume;
            let prior_part = if probe.context().prior.is_factorised() {
                0.0
            } else {
                let marginals = probe.surprisals(s);
                factor.live.iter().map(|i| marginals[*i]).sum::<f64>() - probe.joint_surprisal(s, &factor.live)
            };
            let mut row = vec![geometric + prior_part, geometric, prior_part, factor.live.len() as f64, shuffled[s]];
            let partition = &probe.context().partition;
            if !partition.is_empty() {
                let alone: f64 = partition.iter().map(|block| factor.log_volume_of(block)).sum();
                let surprisals: f64 = partition.iter().map(|block| probe.joint_surprisal(s, block)).sum();
                let between = alone - factor.log_volume;
                let prior =
                    if probe.context().prior.is_factorised() { 0.0 } else { surprisals - probe.joint_surprisal(s, &partition.concat()) };
                row.extend([between + prior, between]);
            }
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
        let null = Null::total(context.ambient_dim, context.latent_dim);
        let mut beside = null.beside(&geometric, context);
        beside["per_dim"] = number(null.mean / d);
        insert(&mut estimate, "null", beside);
        insert(&mut estimate, "also_known_as", json!(["ima-contrast"]));
        let shuffled = state.moments.get(SHUFFLED);
        if shuffled.count() > 0 {
            insert(&mut estimate, "permutation_null", measured(&shuffled, context.settings.level));
        }
        if !context.partition.is_empty() {
            let sizes: Vec<usize> = context.partition.iter().map(Vec::len).collect();
            let (all, geometric) = (state.moments.get(BLOCKS), state.moments.get(BLOCKS + 1));
            let mut partition = measured(&all, context.settings.level);
            partition["blocks"] = json!(context.partition);
            partition["geometric"] = number(geometric.mean());
            partition["prior_part"] = number(all.mean() - geometric.mean());
            partition["null"] = Null::blocks(context.ambient_dim, &sizes).beside(&geometric, context);
            insert(&mut estimate, "partition", partition);
        }
        if live < d {
            insert(&mut estimate, "live_columns", number(live));
            let message = format!("over the live columns only, {live:.3} of {d} on average");
            estimate.caveats.push(Caveat::new("dead-column", message));
        }
        declare_convention(&mut estimate, context);
        Ok(estimate)
    }
}

/// The geometric part with column i taken from the sample i places on, so that no two columns belong to one point. Only for
/// some samples, and only where a batch has as many samples as there are columns; NaN elsewhere.
fn shuffled_overlaps(probe: &Probe<'_>) -> Result<Vec<f64>> {
    let (n, d) = (probe.len(), probe.context().latent_dim);
    let (columns, log_norms) = (probe.columns()?, probe.log_norms()?);
    let of = |s: usize| {
        if n < d || d < 2 || !probe.is_for_permutation(s) {
            return f64::NAN;
        }
        let from = |i: usize| (s + i) % n;
        let mixed = Array2::from_shape_fn((d, probe.context().ambient_dim), |(i, j)| columns[[from(i), i, j]]);
        let lengths: f64 = (0..d).map(|i| log_norms[[from(i), i]]).sum();
        let overlap = lengths - linalg::log_volume(linalg::r_factor(mixed.view()).view());
        if overlap.is_finite() { overlap } else { f64::NAN }
    };
    Ok((0..n).map(of).collect())
}
