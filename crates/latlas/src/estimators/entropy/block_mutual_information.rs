//! How much groups of latents overlap: the information that any two of them share.
//!
//! ```text
//! I(S, T) = E[ log |J_S| + log |J_T| − log |J_{S∪T}| ] = −E Σₖ log sin θₖ   (+ E[ log p_ST − log p_S − log p_T ])
//! ```
//!
//! θₖ are the principal angles between the spans of J_S and J_T. Zero where the groups move the data in orthogonal
//! subspaces, whatever the latents do within a group; for single latents it is the pairwise mutual information.
//!
//! - Groups: the blocks of a partition and the sets that were asked for. Shape: [groups, groups], symmetric, undefined on the
//!   diagonal and for groups that share latents. Unit: nats. Range: ≥ 0 (Fischer's inequality), +∞ if spans meet.
//! - `blocks`, pair by pair: the value with its error, `geometric` and `prior_part` apart, `overlap` = E Σ cos² θₖ / min(|S|, |T|)
//!   ∈ [0, 1], `principal_angles` (quantiles of a sample's angles in degrees, averaged over samples; the smallest says whether
//!   any direction is shared), and two nulls: `null` for independent random directions (closed form) and `permutation_null` for
//!   S and T taken from different samples.
//! - Invariances: any smooth reparametrisation within S or within T, scaling, and orthogonal maps of the data leave it.
//! - Samples where the spans meet within the resolution of the Jacobian are infinite: counted as `unresolved`, left out. Dead
//!   columns are left out of the volumes.
//! - Cost: volumes and angles of columns of R, O(d (|S| + |T|)²) a sample and pair. Needs d ≤ D.
//! - Bias: none; standard error s/√n and Student's interval.
//!
//! References: Galperin and Köthe, Analyzing Generative Models by Manifold Entropic Metrics (2024). Miao and Ben-Israel, On
//! Principal Angles between Subspaces in Rⁿ (1992).

use ndarray::{Array2, Axis};
use serde_json::{Value as Json, json};

use super::{declare_convention, insert};
use crate::accumulators::{Moment, Summary};
use crate::caveat::Caveat;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::estimate::Estimate;
use crate::estimators::null::Null;
use crate::estimators::summarize::{estimate_matrix, measured, number, numbers};
use crate::estimators::{Better, Card, Estimator, Need};
use crate::index_sets::said;
use crate::linalg;
use crate::probe::{Fault, Probe};

/// I(S, T) for every two groups.
pub struct BlockMutualInformation {
    groups: Vec<Vec<usize>>,
    /// Groups that share no latent.
    pairs: Vec<(usize, usize)>,
}

/// Of a sample's principal angles.
const QUANTILES: [f64; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];
/// Entries of a row for each pair: total, geometric, prior part, columns of different samples, overlap, quantiles.
const WIDTH: usize = 5 + QUANTILES.len();
/// Groups beyond this would make a long report and a slow run.
const MOST_GROUPS: usize = 64;

impl Estimator for BlockMutualInformation {
    const CARD: Card = Card {
        id: "block-mutual-information",
        group: "entropy",
        title: "Mutual information between groups of latents",
        unit: "nats",
        range: "≥ 0, +∞ if spans meet",
        better: Better::Lower,
        needs: &[Need::Decoder],
        invariances: &["orthogonal maps of the data", "linear maps of the latents within a group"],
        references: &[
            "Galperin, Köthe: Analyzing Generative Models by Manifold Entropic Metrics (2024)",
            "Miao, Ben-Israel: On Principal Angles between Subspaces in Rⁿ (1992)",
        ],
        source: include_str!("block_mutual_information.rs"),
    };
    /// Rows: [`WIDTH`] entries for each pair of groups; NaN where they are infinite, undefined, or not looked at.
    type State = Summary;

    fn new(context: &Context) -> Result<Self> {
        context.require(&Self::CARD)?;
        if context.latent_dim > context.ambient_dim {
            context.require_volume(&Self::CARD)?;
        }
        let groups = context.groups();
        let disjoint = |a: &[usize], b: &[usize]| a.iter().all(|i| !b.contains(i));
        let all = (0..groups.len()).flat_map(|a| (a + 1..groups.len()).map(move |b| (a, b)));
        // More columns together than there are rows always meet.
        let fits = |a: &[usize], b: &[usize]| a.len() + b.len() <= context.rows();
        let is_sound = |(a, b): &(usize, usize)| disjoint(&groups[*a], &groups[*b]) && fits(&groups[*a], &groups[*b]);
        let pairs: Vec<(usize, usize)> = all.filter(is_sound).collect();
        if pairs.is_empty() || groups.len() > MOST_GROUPS {
            let found = groups.len();
            return Err(Error::Input {
                what: format!("{} needs 2 to {MOST_GROUPS} groups of latents of which two share none, got {found}", Self::CARD.id),
                hint: Some("give a partition such as --partition \"0-3|rest\", or several --sets".into()),
            });
        }
        Ok(Self { groups, pairs })
    }

    fn observe(&self, probe: &Probe<'_>, state: &mut Summary) -> Result<()> {
        for (s, factor) in probe.factors()?.iter().enumerate() {
            if !probe.is_finite(s)? {
                state.push(probe.key(s).into(), Err(Fault::NonFinite.reason()));
                continue;
            }
            let mut row = Vec::with_capacity(WIDTH * self.pairs.len());
            for (a, b) in &self.pairs {
                let (first, second) = (&self.groups[*a], &self.groups[*b]);
                let geometric = Some(factor.shared_volume(first, second)).filter(|x| x.is_finite()).unwrap_or(f64::NAN);
                let prior = probe.shared_surprisal(s, first, second);
                // The angles of a sketch are those of random projections.
                let is_whole = probe.context().settings.sketch.is_none();
                let angles = if is_whole { factor.principal_angles(first, second)? } else { Vec::new() };
                let overlap = angles.iter().map(|theta| theta.cos().powi(2)).sum::<f64>() / angles.len() as f64;
                row.extend([geometric + prior, geometric, prior, shuffled(probe, s, first, second)?, overlap]);
                row.extend(QUANTILES.iter().map(|q| quantile(&angles, *q).to_degrees()));
            }
            state.push(probe.key(s).into(), Ok(&row));
        }
        Ok(())
    }

    fn finish(&self, context: &Context, state: &Summary) -> Result<Estimate> {
        let of = |k: usize, entry: usize| state.moments.get(k * WIDTH + entry);
        let pair = |i: usize, j: usize| self.pairs.iter().position(|pair| *pair == (i.min(j), i.max(j)));
        let moment = |i: usize, j: usize| pair(i, j).map_or_else(Moment::default, |k| of(k, 0));
        let n = self.groups.len();
        let mut estimate = estimate_matrix(&Self::CARD, context, state, moment, (n, n), ["group", "group"])?;
        insert(&mut estimate, "undefined", json!("groups that share latents, or that are dependent at every sample"));
        insert(&mut estimate, "groups", json!(self.groups));
        let mut unresolved = Vec::new();
        let block = |k: usize, (a, b): &(usize, usize)| -> Json {
            let (s, t) = (&self.groups[*a], &self.groups[*b]);
            let mut block = measured(&of(k, 0), context.settings.level);
            block["s"] = json!(s);
            block["t"] = json!(t);
            block["geometric"] = measured(&of(k, 1), context.settings.level);
            block["prior_part"] = number(of(k, 2).mean());
            block["null"] = Null::blocks(context.ambient_dim, &[s.len(), t.len()]).beside(&of(k, 1), context);
            if of(k, 3).count() > 0 {
                block["permutation_null"] = measured(&of(k, 3), context.settings.level);
            }
            block["overlap"] = measured(&of(k, 4), context.settings.level);
            let degrees: Vec<f64> = (0..QUANTILES.len()).map(|q| of(k, 5 + q).mean()).collect();
            block["principal_angles"] = json!({ "probabilities": QUANTILES, "degrees": numbers(&degrees) });
            block["unresolved"] = json!(state.used().saturating_sub(of(k, 1).count()));
            block
        };
        insert(&mut estimate, "blocks", self.pairs.iter().enumerate().map(|(k, pair)| block(k, pair)).collect());
        for (k, (a, b)) in self.pairs.iter().enumerate() {
            let lost = state.used().saturating_sub(of(k, 1).count());
            if lost > 0 {
                let (a, b) = (said(&self.groups[*a]), said(&self.groups[*b]));
                unresolved.push(format!("{{{a}}} and {{{b}}} at {lost} of {} samples", state.used()));
            }
        }
        if !unresolved.is_empty() {
            let message = format!("spans meet within the resolution of the Jacobian: {}", unresolved.join("; "));
            estimate.caveats.push(Caveat::new("unresolved-parallel", message));
        }
        declare_convention(&mut estimate, context);
        Ok(estimate)
    }
}

/// A quantile of ascending angles, linear between them.
fn quantile(angles: &[f64], probability: f64) -> f64 {
    let Some(last) = angles.len().checked_sub(1) else { return f64::NAN };
    let place = probability * last as f64;
    let (low, high) = (angles[place.floor() as usize], angles[place.ceil() as usize]);
    low + place.fract() * (high - low)
}

/// The geometric part between S at sample s and T at the next sample; NaN where it is not looked at.
fn shuffled(probe: &Probe<'_>, s: usize, first: &[usize], second: &[usize]) -> Result<f64> {
    if !probe.is_for_permutation(s) || first.len() + second.len() > probe.context().ambient_dim {
        return Ok(f64::NAN);
    }
    let (columns, factors, other) = (probe.columns()?, probe.factors()?, (s + 1) % probe.len());
    let sample = |s: usize, latents: &[usize]| -> Array2<f64> { columns.index_axis(Axis(0), s).select(Axis(0), latents) };
    let (left, right) = (sample(s, first), sample(other, second));
    let both = ndarray::concatenate(Axis(0), &[left.view(), right.view()]).unwrap_or_default();
    let shared =
        factors[s].log_volume_of(first) + factors[other].log_volume_of(second) - linalg::log_volume(linalg::r_factor(both.view()).view());
    Ok(if shared.is_finite() { shared } else { f64::NAN })
}
