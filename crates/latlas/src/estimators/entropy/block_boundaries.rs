//! Where blocks of entangled latents end: cuts across which latents overlap less than beside them.
//!
//! ```text
//! score(b) = mean PMI within the two windows next to the cut b  /  mean PMI across it
//! ```
//!
//! Architectures that split their latents (wavelet flows, hierarchical decoders) leave blocks: neighbours within one
//! overlap, neighbours across a boundary do not. The score is about 1 where there is no structure.
//!
//! - Windows: w latents on either side of the cut, w = √d between 2 and 32 (`window`).
//! - A cut is a boundary if its score is the largest within w/2 latents, exceeds the median score of all cuts by four
//!   standard errors (jackknife over 20 fixed groups of samples), and exceeds every score of ten random orders of the same
//!   latents (`chance`, from some of the samples): single entangled pairs make peaks in any order.
//! - Value: the number of boundaries in the latents' own order. Unit: 1. Range: 0 … d − 1. `boundaries` lists them with score,
//!   error and, for d ≤ D, the information I(C) between all latents before and all after the cut; `score` holds all scores, for
//!   the cuts 1 … d − 1, and `sorted` the same in the order of entropy (`order`).
//! - Standard error: jackknife of the number of boundaries. A score without resolved overlap on both sides is undefined.
//! - Invariances: scaling of each latent, orthogonal maps of the data.
//! - Cost: one Jacobian, one QR and d w² additions a sample; 20 groups of O(d) sums are kept.
//! - Bias: a ratio of means; its bias is of order 1/n and far below the standard error.
//!
//! References: Galperin and Köthe, Analyzing Generative Models by Manifold Entropic Metrics (2024).

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::insert;
use crate::accumulators::{Accumulator, Groups, Jackknife, Means, Summary};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::estimate::{Estimate, Value};
use crate::estimators::summarize::{frame, measured, number, numbers};
use crate::estimators::{Better, Card, Estimator, Need};
use crate::probe::{Angles, Fault, Probe, first_of};
use crate::random::{Purpose, Stream};

/// The number of boundaries.
pub struct BlockBoundaries {
    window: usize,
    random: Vec<Vec<usize>>,
}

/// Overlaps beside and across every cut, in groups of samples.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct State {
    /// Rows: I(C) of the latents' own order for C = 1 … d − 1, for d ≤ D.
    summary: Summary,
    /// Rows: mean overlap within, mean overlap across, for each cut in the own order and then in the order of entropy.
    groups: Groups,
    /// The same rows for random orders, from some of the samples.
    random: Means,
}

/// Random orders that a boundary must exceed.
const ORDERS: u64 = 10;
/// Samples that they are looked at for, at most.
const SAMPLES: usize = 200;
/// A boundary exceeds the median score by this many standard errors.
const ERRORS: f64 = 4.0;
/// Windows.
const WIDTHS: (usize, usize) = (2, 32);

impl Accumulator for State {
    fn merge(&mut self, later: &Self) {
        self.summary.merge(&later.summary);
        self.groups.merge(&later.groups);
        self.random.merge(&later.random);
    }

    fn count(&self) -> usize {
        self.summary.count()
    }
}

impl Estimator for BlockBoundaries {
    const CARD: Card = Card {
        id: "block-boundaries",
        group: "entropy",
        title: "Boundaries between blocks of latents",
        unit: "1",
        range: "0 … d − 1",
        better: Better::Neither,
        needs: &[Need::Decoder],
        invariances: &["orthogonal maps of the data", "scaling of each latent"],
        references: &["Galperin, Köthe: Analyzing Generative Models by Manifold Entropic Metrics (2024)"],
        source: include_str!("block_boundaries.rs"),
    };
    const NEEDS_ORDER: bool = true;
    const NEEDS_PAIRS: bool = true;
    type State = State;

    fn new(context: &Context) -> Result<Self> {
        context.require(&Self::CARD)?;
        let d = context.latent_dim;
        if d < 4 {
            return Err(Error::Shape { what: format!("{} needs at least 4 latents, the decoder has {d}", Self::CARD.id), hint: None });
        }
        if context.settings.sketch == Some(1) {
            context.require_jacobian(&Self::CARD)?;
        }
        let random = (0..ORDERS).map(|k| random_order(context.settings.seed, k, d)).collect();
        Ok(Self { window: ((d as f64).sqrt().round() as usize).clamp(WIDTHS.0, WIDTHS.1), random })
    }

    fn observe(&self, probe: &Probe<'_>, state: &mut State) -> Result<()> {
        let context = probe.context();
        let d = context.latent_dim;
        let native: Vec<usize> = (0..d).collect();
        let sweeps = if d <= context.ambient_dim && d <= context.rows() { Some(probe.native_sweeps()?) } else { None };
        for (s, angles) in probe.angles()?.iter().enumerate() {
            if !probe.is_finite(s)? {
                state.summary.push(probe.key(s).into(), Err(Fault::NonFinite.reason()));
                continue;
            }
            let shared = sweeps.map_or_else(Vec::new, |sweeps| {
                let sweep = &sweeps[s];
                let of = |c: usize| Some(sweep.core[c] + sweep.detail[c] - sweep.core[d]).filter(|x| x.is_finite()).unwrap_or(f64::NAN);
                (1..d).map(of).collect()
            });
            state.summary.push_keeping(0, probe.key(s).into(), Ok(&shared));
            let row = [self.overlaps(angles, &native), self.overlaps(angles, &context.order.latents)].concat();
            state.groups.push(probe.key(s).1, &row);
            if (probe.key(s).1 as usize).is_multiple_of(context.n_samples.div_ceil(SAMPLES).max(1)) {
                let rows = self.random.iter().map(|order| self.overlaps(angles, order));
                state.random.push(&rows.collect::<Vec<_>>().concat());
            }
        }
        Ok(())
    }

    fn finish(&self, context: &Context, state: &State) -> Result<Estimate> {
        let cuts = context.latent_dim - 1;
        let mut estimate = frame(&Self::CARD, context, &state.summary)?;
        // Overlaps below the square of the Jacobian's own error are rounding.
        let noise = context.parallel_floor().powi(2);
        let scores = |means: &[f64], part: usize| -> Vec<f64> {
            let score = |b: usize| {
                let (within, across) = (means[2 * (part * cuts + b)], means[2 * (part * cuts + b) + 1]);
                if across > noise { within / across } else { f64::NAN }
            };
            if means.len() < 4 * cuts { vec![f64::NAN; cuts] } else { (0..cuts).map(score).collect() }
        };
        let random: Vec<f64> = (0..state.random.len()).map(|i| state.random.get(i)).collect();
        let chance = random.chunks_exact(4 * cuts).flat_map(|two| [scores(two, 0), scores(two, 1)].concat());
        let chance = chance.filter(|score| !score.is_nan()).fold(1.0, f64::max);
        let native = state.groups.jackknife(|means| scores(means, 0));
        let sorted = state.groups.jackknife(|means| scores(means, 1));
        let found = self.boundaries(&native, chance);
        let count = state.groups.jackknife(|means| {
            let values = scores(means, 0);
            vec![self.boundaries(&Jackknife { values, ..native.clone() }, chance).len() as f64]
        });
        estimate.value = Value::Scalar(found.len() as f64);
        if count.groups > 1 {
            estimate.standard_error = Some(Value::Scalar(count.errors[0]));
            let (low, high) = count.interval(0, context.settings.level);
            estimate.interval = Some((Value::Scalar(low.max(0.0)), Value::Scalar(high.min(cuts as f64))));
        }
        let listed = |jackknife: &Jackknife, which: &[usize]| -> Json {
            let of =
                |b: &usize| json!({ "cut": b + 1, "score": number(jackknife.values[*b]), "standard_error": number(jackknife.errors[*b]) });
            which.iter().map(of).collect()
        };
        let mut boundaries = listed(&native, &found);
        for (place, b) in found.iter().enumerate() {
            let information = state.summary.moments.get(*b);
            if information.count() > 0 {
                boundaries[place]["mutual_information"] = measured(&information, context.settings.level);
            }
        }
        insert(&mut estimate, "boundaries", boundaries);
        insert(&mut estimate, "window", json!(self.window));
        insert(&mut estimate, "chance", number(chance));
        insert(&mut estimate, "score", numbers(&native.values));
        insert(&mut estimate, "score_standard_error", numbers(&native.errors));
        insert(&mut estimate, "order", json!(context.order.latents));
        insert(&mut estimate, "order_source", json!(context.order.source));
        insert(
            &mut estimate,
            "sorted",
            json!({
                "boundaries": listed(&sorted, &self.boundaries(&sorted, chance)), "score": numbers(&sorted.values),
                "score_standard_error": numbers(&sorted.errors),
            }),
        );
        Ok(estimate)
    }
}

impl BlockBoundaries {
    /// Mean resolved overlap within the windows beside each cut and across it, in this order of the latents; NaN without any.
    fn overlaps(&self, angles: &Angles, order: &[usize]) -> Vec<f64> {
        let (d, w) = (order.len(), self.window);
        let overlap = |a: usize, b: usize| {
            let (i, j) = (order[a].min(order[b]), order[a].max(order[b]));
            angles.information[first_of(i, d) + j - i - 1]
        };
        let mean = |pairs: &mut dyn Iterator<Item = (usize, usize)>| {
            let (mut sum, mut count) = (0.0, 0.0);
            for x in pairs.map(|(a, b)| overlap(a, b)).filter(|x| x.is_finite()) {
                sum += x;
                count += 1.0;
            }
            sum / count
        };
        let mut row = Vec::with_capacity(2 * (d - 1));
        for cut in 1..d {
            let (start, end) = (cut.saturating_sub(w), (cut + w).min(d));
            let side = |from: usize, to: usize| (from..to).flat_map(move |a| (a + 1..to).map(move |b| (a, b)));
            row.push(mean(&mut side(start, cut).chain(side(cut, end))));
            row.push(mean(&mut (start..cut).flat_map(|a| (cut..end).map(move |b| (a, b)))));
        }
        row
    }

    /// Cuts (from 0) that are peaks above the median and above chance.
    fn boundaries(&self, scores: &Jackknife, chance: f64) -> Vec<usize> {
        let mut sorted: Vec<f64> = scores.values.iter().copied().filter(|x| !x.is_nan()).collect();
        sorted.sort_by(f64::total_cmp);
        let Some(median) = sorted.get(sorted.len() / 2).copied() else { return Vec::new() };
        let reach = (self.window / 2).max(1);
        let is_peak = |b: usize| {
            let near = b.saturating_sub(reach)..(b + reach + 1).min(scores.values.len());
            // Of equal neighbours the first is the peak.
            near.clone().all(|c| {
                c == b || scores.values[c].is_nan() || scores.values[c] < scores.values[b] || scores.values[c] == scores.values[b] && c > b
            })
        };
        let exceeds = |b: usize| scores.values[b] > chance && scores.values[b] - ERRORS * scores.errors[b] > median;
        (0..scores.values.len()).filter(|b| exceeds(*b) && is_peak(*b)).collect()
    }
}

/// A uniform random order of d latents (Fisher and Yates 1938).
fn random_order(seed: u64, number: u64, d: usize) -> Vec<usize> {
    let mut stream = Stream::new(seed, Purpose::Orders, number, d);
    let mut order: Vec<usize> = (0..d).collect();
    for last in (1..d).rev() {
        order.swap(last, (stream.uniform() * (last + 1) as f64) as usize);
    }
    order
}
