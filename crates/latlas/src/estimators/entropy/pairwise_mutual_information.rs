//! Which latents are entangled with which: the overlap of any two latent directions.
//!
//! ```text
//! Iᵢⱼ = −½ E log(1 − cos² ∠(Jᵢ, Jⱼ)) = −E log sin ∠(Jᵢ, Jⱼ)
//! ```
//!
//! A non-linear counterpart of a correlation matrix, of mechanisms instead of values: zero where two latents move the data
//! in orthogonal directions at almost every point, large where they do the same.
//!
//! - Shape: [d, d], symmetric, the diagonal undefined. Unit: nats. Range: ≥ 0, +∞ if columns are parallel.
//! - `r2` = 1 − exp(−2 Iᵢⱼ) ∈ [0, 1] is the bounded companion, `mean_cos2` = E cos² and `median` (over some of the samples,
//!   `median_samples`; none above 181 latents) are robust ones. A pair that is parallel within the resolution of the Jacobian at a sample
//!   (`unresolved`, caveat `unresolved-parallel`) is infinite there: it is counted and left out of the mean, not of E cos².
//! - `mean`: over all pairs. `null`: what columns in independent random directions would give,
//!   ½[ψ(D/2) − ψ((D−1)/2)] a pair, about 1/(2D); `permutation_null`: what columns of different samples give.
//! - The pairwise values and the total correlation are not ordered: three columns may overlap much together and little in
//!   pairs. Read both.
//! - Prior: the geometric part alone; a prior that does not factorise adds E[log pᵢⱼ − log pᵢ − log pⱼ], which
//!   `block-mutual-information` gives for pairs that are asked for.
//! - Invariances: scaling of each latent and orthogonal maps of the data leave it; permuting latents permutes it.
//! - Dead columns: their pairs are missing at such samples, and counted.
//! - Cost: one Jacobian, one QR, d² products of length d and d²/2 logarithms a sample; d² sums are kept. Near-parallel
//!   pairs come from differences of unit columns, where 1 − cos² has no digits left.
//! - Bias: none; standard error s/√n and Student's interval of each entry.
//!
//! References: Galperin and Köthe, Analyzing Generative Models by Manifold Entropic Metrics (2024).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::insert;
use crate::accumulators::{Accumulator, Means, Moment, Moments, Reservoir, Summary};
use crate::caveat::Caveat;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::estimate::Estimate;
use crate::estimators::null::Null;
use crate::estimators::summarize::{estimate_matrix, measured, number};
use crate::estimators::{Better, Card, Estimator, Need};
use crate::probe::{Fault, Probe, first_of, pairs};

/// PMI.
pub struct PairwiseMutualInformation;

/// Sums over the samples, pair by pair.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct State {
    /// Rows: the mean over all resolved pairs, the largest pair, the mean over some pairs of columns of different samples.
    summary: Summary,
    /// −log sin of each pair, unresolved ones missing.
    information: Moments,
    /// cos² of each pair.
    squared_cosines: Means,
    /// How often a pair was parallel within the resolution.
    unresolved: BTreeMap<u64, u64>,
    /// Rows of −log sin of some samples.
    some: Reservoir,
}

/// Above this number of pairs too few samples could be kept for medians to mean something.
const MEDIAN_PAIRS: usize = 1 << 14;

/// Pairs that are named in the estimate.
const NAMED: usize = 10;

impl Accumulator for State {
    fn merge(&mut self, later: &Self) {
        self.summary.merge(&later.summary);
        self.information.merge(&later.information);
        self.squared_cosines.merge(&later.squared_cosines);
        for (pair, count) in &later.unresolved {
            let sum = self.unresolved.entry(*pair).or_default();
            *sum = sum.saturating_add(*count);
        }
        self.some.merge(&later.some);
    }

    fn count(&self) -> usize {
        self.summary.count()
    }
}

impl Estimator for PairwiseMutualInformation {
    const CARD: Card = Card {
        id: "pairwise-mutual-information",
        group: "entropy",
        title: "Pairwise manifold mutual information",
        unit: "nats",
        range: "≥ 0, +∞ if columns are parallel",
        better: Better::Lower,
        needs: &[Need::Decoder],
        invariances: &["orthogonal maps of the data", "scaling of each latent"],
        references: &["Galperin, Köthe: Analyzing Generative Models by Manifold Entropic Metrics (2024)"],
        source: include_str!("pairwise_mutual_information.rs"),
    };
    const NEEDS_PAIRS: bool = true;
    type State = State;

    fn new(context: &Context) -> Result<Self> {
        context.require(&Self::CARD)?;
        if context.latent_dim < 2 {
            return Err(Error::Shape { what: format!("{} needs two latents, the decoder has one", Self::CARD.id), hint: None });
        }
        if context.settings.sketch == Some(1) {
            return Err(Error::Input {
                what: format!("{} needs a sketch of at least 2 probes", Self::CARD.id),
                hint: Some("take --sketch 16, say".into()),
            });
        }
        Ok(Self)
    }

    fn observe(&self, probe: &Probe<'_>, state: &mut State) -> Result<()> {
        for (s, angles) in probe.angles()?.iter().enumerate() {
            if !probe.is_finite(s)? {
                state.summary.push(probe.key(s).into(), Err(Fault::NonFinite.reason()));
                continue;
            }
            let (mut sum, mut resolved, mut largest) = (0.0, 0_u32, f64::NAN);
            for (pair, x) in angles.information.iter().enumerate() {
                if *x == f64::INFINITY {
                    *state.unresolved.entry(pair as u64).or_default() += 1;
                } else if !x.is_nan() {
                    sum += x;
                    resolved += 1;
                    largest = x.max(largest);
                }
            }
            state.summary.push_keeping(0, probe.key(s).into(), Ok(&[sum / f64::from(resolved), largest, shuffled_overlap(probe, s)?]));
            state.information.push(angles.information.iter().map(|x| if *x == f64::INFINITY { &f64::NAN } else { x }));
            if probe.context().settings.sketch.is_none() {
                state.squared_cosines.push(&angles.squared_cosines);
            }
            if angles.information.len() <= MEDIAN_PAIRS {
                state.some.push(probe.key(s).into(), &angles.information);
            }
        }
        Ok(())
    }

    fn finish(&self, context: &Context, state: &State) -> Result<Estimate> {
        let d = context.latent_dim;
        let pair = |i: usize, j: usize| if i == j { None } else { Some(first_of(i.min(j), d) + i.abs_diff(j) - 1) };
        let moment = |i: usize, j: usize| pair(i, j).map_or_else(Moment::default, |pair| state.information.get(pair));
        let mut estimate = estimate_matrix(&Self::CARD, context, &state.summary, moment, (d, d), ["latent", "latent"])?;
        let matrix = |of: &dyn Fn(usize) -> f64| -> Json {
            let row = |i: usize| (0..d).map(|j| pair(i, j).map_or(Json::Null, |pair| number(of(pair)))).collect::<Json>();
            (0..d).map(row).collect()
        };
        insert(&mut estimate, "r2", matrix(&|pair| -(-2.0 * state.information.get(pair).mean()).exp_m1()));
        if context.settings.sketch.is_none() {
            // Of a sketch it is biased, and r2 above is not far from it.
            insert(&mut estimate, "mean_cos2", matrix(&|pair| state.squared_cosines.get(pair)));
        }
        if !state.some.is_empty() {
            insert(&mut estimate, "median", matrix(&|pair| state.some.quantiles(pair, &[0.5])[0]));
        }
        insert(&mut estimate, "median_samples", json!(state.some.len()));
        insert(&mut estimate, "undefined", json!("a latent with itself, or a pair that is dead or unresolved everywhere"));

        let null = Null::pair(context.ambient_dim);
        let mean = state.summary.moments.get(0);
        insert(&mut estimate, "mean", measured(&mean, context.settings.level));
        // The mean over pairs varies less than one pair, so that only the ratio to chance has a meaning for it.
        insert(
            &mut estimate,
            "null",
            json!({
                "value": number(null.mean), "standard_deviation": number(null.deviation), "ratio": number(mean.mean() / null.mean),
            }),
        );
        let shuffled = state.summary.moments.get(2);
        if shuffled.count() > 0 {
            insert(&mut estimate, "permutation_null", measured(&shuffled, context.settings.level));
        }
        let mut order: Vec<(usize, usize)> = (0..d).flat_map(|i| (i + 1..d).map(move |j| (i, j))).collect();
        let rank = |&(i, j): &(usize, usize)| Some(moment(i, j).mean()).filter(|x| !x.is_nan()).unwrap_or(f64::NEG_INFINITY);
        order.sort_by(|a, b| rank(b).total_cmp(&rank(a)));
        let named = order.iter().take(NAMED).filter(|pair| rank(pair).is_finite()).map(|(i, j)| {
            let found = moment(*i, *j);
            let mut said = measured(&found, context.settings.level);
            said["latents"] = json!([i, j]);
            said["null"] = null.beside(&found, context);
            said
        });
        insert(&mut estimate, "largest", named.collect());
        say_unresolved(&mut estimate, state, &order, &pair);
        let unresolved = |pair: usize| state.unresolved.get(&(pair as u64)).copied().unwrap_or(0);
        let resolved = |pair: usize| state.information.get(pair).count().saturating_add(unresolved(pair));
        let dead = (0..pairs(d)).filter(|pair| resolved(*pair) < state.summary.used()).count();
        if dead > 0 {
            let message = format!("{dead} of {} pairs have a column that is dead at some samples", pairs(d));
            estimate.caveats.push(Caveat::new("dead-column", message));
        }
        super::declare_convention(&mut estimate, context);
        Ok(estimate)
    }
}

/// The pairs that were parallel at some samples, most often first.
fn say_unresolved(estimate: &mut Estimate, state: &State, order: &[(usize, usize)], pair: &dyn Fn(usize, usize) -> Option<usize>) {
    let count = |i: usize, j: usize| pair(i, j).and_then(|pair| state.unresolved.get(&(pair as u64))).copied().unwrap_or(0);
    let mut parallel: Vec<(u64, (usize, usize))> =
        order.iter().map(|(i, j)| (count(*i, *j), (*i, *j))).filter(|(count, _)| *count > 0).collect();
    let total: u64 = parallel.iter().fold(0, |sum, (count, _)| sum.saturating_add(*count));
    insert(estimate, "unresolved", json!({ "pairs": parallel.len(), "count": total }));
    if parallel.is_empty() {
        return;
    }
    parallel.sort_by_key(|(count, latents)| (std::cmp::Reverse(*count), *latents));
    let shown: Vec<String> =
        parallel.iter().take(4).map(|(count, (i, j))| format!("{i} and {j} at {count} of {} samples", state.summary.used())).collect();
    let more = if parallel.len() > 4 { format!(" and {} more pairs", parallel.len() - 4) } else { String::new() };
    let message = format!("latents are parallel within the resolution of the Jacobian: {}{more}", shown.join(", "));
    estimate.caveats.push(Caveat::new("unresolved-parallel", message));
    let listed = parallel.iter().take(100).map(|(count, (i, j))| json!({ "latents": [i, j], "count": count }));
    estimate.extra.insert("unresolved_pairs".into(), listed.collect());
}

/// The mean −log sin over d pairs of one column of sample s and another of the next sample; NaN where it is not looked at.
fn shuffled_overlap(probe: &Probe<'_>, s: usize) -> Result<f64> {
    let (n, d) = (probe.len(), probe.context().latent_dim);
    if !probe.is_for_permutation(s) {
        return Ok(f64::NAN);
    }
    let (columns, log_norms, other) = (probe.columns()?, probe.log_norms()?, (s + 1) % n);
    let offset = 1 + probe.key(s).1 as usize % (d - 1);
    let mut mean = Moment::default();
    for i in 0..d {
        let j = (i + offset) % d;
        let dot = columns.index_axis(ndarray::Axis(0), s).row(i).dot(&columns.index_axis(ndarray::Axis(0), other).row(j));
        let cosine = dot * (-log_norms[[s, i]]).exp() * (-log_norms[[other, j]]).exp();
        let information = -0.5 * (-(cosine * cosine).min(1.0)).ln_1p();
        mean.push(if information.is_finite() { information } else { f64::NAN });
    }
    Ok(mean.mean())
}
