//! How much each latent direction matters: the entropy that the data has along it.
//!
//! ```text
//! Hᵢ = E[ −log pᵢ(zᵢ) + log ‖Jᵢ(z)‖ ],   Jᵢ = ∂g/∂zᵢ
//! ```
//!
//! With a standard normal prior this is h₀ + E log ‖Jᵢ‖, h₀ = ½ log(2πe) = 1.4189: a non-linear log standard deviation.
//! For a linear decoder that is rotated to its principal axes, exp(Hᵢ − h₀) are the standard deviations that PCA finds.
//! Sorted, the entropies are the model's spectrum: a steep fall means that few latents carry the data (alignment), a cliff
//! that the rest is switched off, as in a β-VAE.
//!
//! - Shape: [d]. Unit: nats. Range: any sign; −∞ for a latent that moves nothing at some samples (`dead-column`), with the
//!   dead share and the mean over live samples beside it. `order` lists the latents by falling entropy.
//! - `sets`: for sets of latents that were asked for, and the blocks of a partition, H_S = E[−log p_S + log |J_S|] over the
//!   live columns (needs d ≤ D).
//! - Invariances: an orthogonal map of the data changes nothing; scaling latent i by c adds log |c| to Hᵢ; multiplying the
//!   data by c adds log |c| to all. A rotation of the latents changes the Hᵢ: they belong to the axes that the model chose.
//! - Prior: in closed form where it factorises; the mean of −log pᵢ(zᵢ) for a mixture, or when latents are encoded data
//!   (then it is a cross-entropy). `geometric` is E log ‖Jᵢ‖ alone.
//! - Cost: d forward-mode tangents a sample (one Jacobian).
//! - Bias: none; a mean of independent rows, with standard error s/√n and Student's interval.
//!
//! References: Galperin and Köthe, Analyzing Generative Models by Manifold Entropic Metrics (2024). Cunningham et al.,
//! Principal Component Flows (2022).

use serde_json::json;

use super::{declare_convention, insert};
use crate::accumulators::Summary;
use crate::caveat::Caveat;
use crate::context::Context;
use crate::error::Result;
use crate::estimate::{Estimate, Value};
use crate::estimators::summarize::{measured, number, numbers};
use crate::estimators::{Better, Card, Columns, Estimator, Need, estimate};
use crate::probe::{Fault, Probe};

/// Hᵢ.
pub struct ManifoldEntropy;

impl Estimator for ManifoldEntropy {
    const CARD: Card = Card {
        id: "manifold-entropy",
        group: "entropy",
        title: "Manifold entropy of each latent",
        unit: "nats",
        range: "any sign, −∞ for a latent that moves nothing",
        better: Better::Neither,
        needs: &[Need::Decoder],
        invariances: &["orthogonal maps of the data"],
        references: &[
            "Galperin, Köthe: Analyzing Generative Models by Manifold Entropic Metrics (2024)",
            "Cunningham, Cobb, Jha: Principal Component Flows (2022)",
        ],
        source: include_str!("manifold_entropy.rs"),
    };
    /// Rows: −log pᵢ + log ‖Jᵢ‖ `[d]`, then log ‖Jᵢ‖ `[d]`, then −log p_S + log |J_S| for every set; NaN where the column is
    /// dead, or the columns dependent.
    type State = Summary;

    fn new(context: &Context) -> Result<Self> {
        context.require(&Self::CARD)?;
        Ok(Self)
    }

    fn observe(&self, probe: &Probe<'_>, state: &mut Summary) -> Result<()> {
        let sets = sets(probe.context());
        for (s, log_norms) in probe.log_norms()?.outer_iter().enumerate() {
            let mut row = probe.entropies(s)?;
            row.extend(log_norms.iter().map(|x| live(*x)));
            if !sets.is_empty() {
                let factor = &probe.factors()?[s];
                row.extend(sets.iter().map(|set| {
                    let moving: Vec<usize> = set.iter().copied().filter(|i| factor.live.binary_search(i).is_ok()).collect();
                    if moving.is_empty() { f64::NAN } else { probe.joint_surprisal(s, &moving) + live(factor.log_volume_of(&moving)) }
                }));
            }
            state.push_keeping(
                log_norms.len(),
                probe.key(s).into(),
                if probe.is_finite(s)? { Ok(&row) } else { Err(Fault::NonFinite.reason()) },
            );
        }
        Ok(())
    }

    fn finish(&self, context: &Context, state: &Summary) -> Result<Estimate> {
        let d = context.latent_dim;
        let mut estimate = estimate(&Self::CARD, context, state, &Columns::Vector(0..d, "latent"))?;
        let live: Vec<f64> = (0..d).map(|i| state.moments.get(i).mean()).collect();
        let dead: Vec<u64> = (0..d).map(|i| state.used().saturating_sub(state.moments.get(i).count())).collect();
        let value: Vec<f64> = live.iter().zip(&dead).map(|(x, dead)| if *dead > 0 { f64::NEG_INFINITY } else { *x }).collect();

        let mut order: Vec<usize> = (0..d).collect();
        // A latent that is dead here and there stands where its live samples put it, one that is always dead comes last.
        let rank = |i: usize| if live[i].is_nan() { f64::NEG_INFINITY } else { live[i] };
        order.sort_by(|a, b| value[*b].total_cmp(&value[*a]).then(rank(*b).total_cmp(&rank(*a))));
        insert(&mut estimate, "order", json!(order));
        insert(&mut estimate, "geometric", numbers(&(d..2 * d).map(|i| state.moments.get(i).mean()).collect::<Vec<_>>()));
        let of_set = |(k, set): (usize, &&Vec<usize>)| {
            let mut said = measured(&state.moments.get(2 * d + k), context.settings.level);
            said["latents"] = json!(set);
            said
        };
        let sets = sets(context);
        if !sets.is_empty() {
            insert(&mut estimate, "sets", sets.iter().enumerate().map(of_set).collect());
        }
        if dead.iter().any(|n| *n > 0) {
            let share: Vec<f64> = dead.iter().map(|n| *n as f64 / state.used() as f64).collect();
            let which: Vec<String> = (0..d).filter(|i| dead[*i] > 0).map(|i| format!("{i} ({:.1} %)", 100.0 * share[i])).collect();
            let shown = which.iter().take(8).cloned().collect::<Vec<_>>().join(", ");
            let more = if which.len() > 8 { format!(" and {} more", which.len() - 8) } else { String::new() };
            estimate.caveats.push(Caveat::new("dead-column", format!("latents that move nothing at some samples: {shown}{more}")));
            insert(&mut estimate, "dead_share", numbers(&share));
            insert(&mut estimate, "live_mean", numbers(&live));
            let error = |i: usize| number(state.moments.get(i).standard_error().unwrap_or(f64::NAN));
            insert(&mut estimate, "live_standard_error", (0..d).map(error).collect());
            blank(&mut estimate, &dead);
        }
        estimate.value = Value::Vector(value);
        declare_convention(&mut estimate, context);
        Ok(estimate)
    }
}

/// The sets of latents whose joint entropy is wanted: those that were asked for, and the blocks of a partition.
fn sets(context: &Context) -> Vec<&Vec<usize>> {
    if context.latent_dim > context.ambient_dim { Vec::new() } else { context.sets.iter().chain(&context.partition).collect() }
}

/// NaN for −∞: a dead column is missing from a mean.
fn live(x: f64) -> f64 {
    if x == f64::NEG_INFINITY { f64::NAN } else { x }
}

/// An infinite value has neither standard error nor interval.
fn blank(estimate: &mut Estimate, dead: &[u64]) {
    let interval = estimate.interval.as_mut().map(|(low, high)| [low, high]);
    for value in estimate.standard_error.iter_mut().chain(interval.into_iter().flatten()) {
        if let Value::Vector(entries) = value {
            entries.iter_mut().zip(dead).filter(|(_, dead)| **dead > 0).for_each(|(x, _)| *x = f64::NAN);
        }
    }
}
