//! Whether several runs of a model learn the same latents, and which is which.
//!
//! ```text
//! M = max over permutations π of mean_i E cos²∠(Jᵃᵢ, Jᵇ_π(i)),   stability = (M − M₀)/(1 − M₀)
//! ```
//!
//! Latents of two models are matched one to one so that the mean of cos² is largest (Hungarian method; cos² is bounded,
//! where mutual information is not). M₀ is what the same procedure finds when the columns of one model are taken at another
//! sample: chance, including the freedom of choosing the best permutation. The stability is 0 at chance and 1 if both models
//! move the data along the same lines everywhere.
//!
//! - Shape: scalar; the mean over all pairs of models, `pairs` has each with its permutation. Unit: 1. Range: at most 1, about
//!   0 at chance. With d_a ≠ d_b the smaller number of latents is matched.
//! - `matched_share`: for each latent of the first model the share of the others in which its match lies above M₀.
//! - Uncertainty: jackknife over 20 fixed groups of samples; with three models or more the jackknife over models is added,
//!   so that the interval speaks of further runs.
//! - Bias: M and M₀ are maxima over permutations and both a little high at few samples.
//! - Invariances: scaling and permuting the latents of any model; orthogonal maps of the data, applied to all.
//! - Cost: one Jacobian of each model a sample, 40 d_a d_b numbers for each pair of models.
//!
//! References: Kuhn, The Hungarian Method for the Assignment Problem (1955). Galperin and Köthe, Analyzing Generative Models
//! by Manifold Entropic Metrics (2024). Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 11.

use ndarray::{Array2, ArrayView2, Axis};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::cross_mutual_information::fault_of_any;
use super::insert;
use crate::accumulators::{Accumulator, Summary};
use crate::assignment::largest_matching;
use crate::context::Context;
use crate::cross::Cross;
use crate::error::{Error, Result};
use crate::estimate::{Estimate, Value};
use crate::estimators::summarize::{number, numbers};
use crate::estimators::{Better, Card, Columns, Estimator, Need, estimate};
use crate::probe::Probe;
use crate::special_functions::student_quantile;

/// Matched latents.
pub struct DimensionMatching;

/// Groups of samples that the jackknife leaves out in turn.
const GROUPS: usize = 20;
/// Sums that are kept at most.
const LARGEST: usize = 1 << 23;

/// Sums of cos² of all pairs of latents of all pairs of models.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct State {
    /// Rows: 1.
    summary: Summary,
    /// By sample index modulo their number.
    groups: Vec<Group>,
}

/// Sums over the samples of one group.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Group {
    count: f64,
    same: Vec<f64>,
    /// Samples that had another one to be paired with.
    shuffled_count: f64,
    shuffled: Vec<f64>,
}

impl Group {
    fn merge(&mut self, later: &Self) {
        self.count += later.count;
        self.shuffled_count += later.shuffled_count;
        add(&mut self.same, &later.same);
        add(&mut self.shuffled, &later.shuffled);
    }
}

fn add(sums: &mut Vec<f64>, terms: &[f64]) {
    if sums.len() < terms.len() {
        sums.resize(terms.len(), 0.0);
    }
    sums.iter_mut().zip(terms).for_each(|(sum, term)| *sum += term);
}

impl Accumulator for State {
    fn merge(&mut self, later: &Self) {
        self.summary.merge(&later.summary);
        if self.groups.len() < later.groups.len() {
            self.groups.resize(later.groups.len(), Group::default());
        }
        self.groups.iter_mut().zip(&later.groups).for_each(|(group, later)| group.merge(later));
    }

    fn count(&self) -> usize {
        self.summary.count()
    }
}

/// The latents of every model, the first one first.
fn dims(context: &Context) -> Vec<usize> {
    std::iter::once(context.latent_dim).chain(context.others.iter().copied()).collect()
}

/// All pairs of models, and where the sums of each begin.
fn pairs(dims: &[usize]) -> Vec<(usize, usize, usize)> {
    let mut start = 0;
    let mut pairs = Vec::new();
    for p in 0..dims.len() {
        for q in p + 1..dims.len() {
            pairs.push((p, q, start));
            start += dims[p] * dims[q];
        }
    }
    pairs
}

impl Estimator for DimensionMatching {
    const CARD: Card = Card {
        id: "dimension-matching",
        group: "entropy",
        title: "Stability of the latents over models",
        unit: "1",
        range: "≤ 1, about 0 at chance",
        better: Better::Higher,
        needs: &[Need::Decoder, Need::Other],
        invariances: &["scaling of each latent", "permutations of the latents", "orthogonal maps of the data"],
        references: &[
            "Kuhn: The Hungarian Method for the Assignment Problem (1955)",
            "Galperin, Köthe: Analyzing Generative Models by Manifold Entropic Metrics (2024)",
        ],
        source: include_str!("dimension_matching.rs"),
    };
    type State = State;

    fn new(context: &Context) -> Result<Self> {
        context.require(&Self::CARD)?;
        context.require_probes(&Self::CARD, 3)?;
        let dims = dims(context);
        let sums = pairs(&dims).iter().map(|(p, q, _)| dims[*p].saturating_mul(dims[*q])).fold(0, usize::saturating_add);
        if sums.saturating_mul(2 * GROUPS) > LARGEST {
            return Err(Error::Shape {
                what: format!("dimension-matching keeps {GROUPS} groups of 2 × {sums} sums, more than the limit of {LARGEST}"),
                hint: Some("cross-mutual-information has mean cos² of every pair".into()),
            });
        }
        Ok(Self)
    }

    fn observe(&self, probe: &Probe<'_>, state: &mut State) -> Result<()> {
        let context = probe.context();
        let models: Vec<&Probe<'_>> = std::iter::once(probe).chain(probe.others()).collect();
        let mut usable = Vec::new();
        for s in 0..probe.len() {
            let fault = fault_of_any(probe, s)?;
            state.summary.push(probe.key(s).into(), fault.map_or(Ok(&[1.0][..]), |fault| Err(fault.reason())));
            if fault.is_none() {
                usable.push(s);
            }
        }
        state.groups.resize(GROUPS, Group::default());
        for (place, s) in usable.iter().enumerate() {
            let group = &mut state.groups[(probe.key(*s).1 % GROUPS as u64) as usize];
            let partner = usable[(place + 1) % usable.len()];
            group.count += 1.0;
            add(&mut group.same, &squared_cosines(&models, *s, *s, context)?);
            if partner != *s {
                group.shuffled_count += 1.0;
                add(&mut group.shuffled, &squared_cosines(&models, *s, partner, context)?);
            }
        }
        Ok(())
    }

    fn finish(&self, context: &Context, state: &State) -> Result<Estimate> {
        let mut estimate = estimate(&Self::CARD, context, &state.summary, &Columns::Scalar(0))?;
        estimate.extra.clear();
        let dims = dims(context);
        let whole = Matchings::of(&dims, state.groups.iter());
        if whole.pairs.iter().any(|pair| pair.stability.is_nan()) {
            return Err(Error::TooFewSamples { estimator: Self::CARD.id.into(), needed: 2, got: state.summary.used() as usize });
        }
        let kept: Vec<usize> = (0..state.groups.len()).filter(|g| state.groups[*g].count > 0.0).collect();
        let without = |left_out: usize| Matchings::of(&dims, kept.iter().filter(|g| **g != left_out).map(|g| &state.groups[*g]));
        let replicates: Vec<Matchings> = if kept.len() > 1 { kept.iter().map(|g| without(*g)).collect() } else { Vec::new() };
        let over_samples = jackknife(&replicates.iter().map(Matchings::stability).collect::<Vec<_>>());
        let over_models =
            if dims.len() < 3 { None } else { jackknife(&(0..dims.len()).map(|model| whole.stability_without(model)).collect::<Vec<_>>()) };
        let error = over_samples.map(|samples| samples.hypot(over_models.unwrap_or(0.0)));
        let freedom = if over_models.is_some() { dims.len() - 1 } else { kept.len().max(2) - 1 };
        let half = student_quantile(0.5 + 0.5 * context.settings.level, freedom as f64);
        let value = whole.stability();
        estimate.value = Value::Scalar(value);
        estimate.standard_error = error.map(Value::Scalar);
        estimate.interval = error.map(|error| (Value::Scalar(value - half * error), Value::Scalar((value + half * error).min(1.0))));
        let listed = whole.pairs.iter().enumerate().map(|(k, pair)| {
            let of_pair: Vec<f64> = replicates.iter().map(|replicate| replicate.pairs[k].stability).collect();
            json!({
                "models": [pair.models.0, pair.models.1], "permutation": pair.permutation,
                "cos2": pair.permutation.iter().enumerate().map(|(i, j)| j.map_or(serde_json::Value::Null, |j| number(pair.mean[[i, j]]))).collect::<Vec<_>>(),
                "matched": number(pair.matched), "chance": number(pair.chance),
                "stability": number(pair.stability), "standard_error": number(jackknife(&of_pair).unwrap_or(f64::NAN)),
            })
        });
        insert(&mut estimate, "pairs", listed.collect());
        let share = |i: usize| {
            let of_first = whole.pairs.iter().filter(|pair| pair.models.0 == 0);
            let above = of_first.filter(|pair| pair.permutation[i].is_some_and(|j| pair.mean[[i, j]] > pair.chance));
            above.count() as f64 / (dims.len() - 1) as f64
        };
        insert(&mut estimate, "matched_share", numbers(&(0..context.latent_dim).map(share).collect::<Vec<_>>()));
        insert(&mut estimate, "standard_error_over_samples", number(over_samples.unwrap_or(f64::NAN)));
        insert(&mut estimate, "standard_error_over_models", number(over_models.unwrap_or(f64::NAN)));
        insert(&mut estimate, "method", context.method());
        Ok(estimate)
    }
}

/// cos² of all pairs of latents of all pairs of models, the later model of a pair at sample t; a dead column matches nothing.
fn squared_cosines(models: &[&Probe<'_>], s: usize, t: usize, context: &Context) -> Result<Vec<f64>> {
    let mut all = Vec::new();
    for (p, first) in models.iter().enumerate() {
        for later in &models[p + 1..] {
            let (a, b): (ArrayView2<'_, f64>, ArrayView2<'_, f64>) =
                (first.columns()?.index_axis(Axis(0), s), later.columns()?.index_axis(Axis(0), t));
            all.extend(Cross::new(a, b, context).squared_cosines.iter().map(|x| if x.is_nan() { 0.0 } else { *x }));
        }
    }
    Ok(all)
}

/// The best matching of every pair of models.
struct Matchings {
    pairs: Vec<Matching>,
}

struct Matching {
    models: (usize, usize),
    /// E cos² `[d_p, d_q]`.
    mean: Array2<f64>,
    permutation: Vec<Option<usize>>,
    matched: f64,
    chance: f64,
    stability: f64,
}

impl Matchings {
    fn of<'g>(dims: &[usize], groups: impl Iterator<Item = &'g Group>) -> Self {
        let mut sum = Group::default();
        groups.for_each(|group| sum.merge(group));
        let matching = |(p, q, start): (usize, usize, usize)| {
            let shape = (dims[p], dims[q]);
            let mean = |sums: &[f64], count: f64| {
                Array2::from_shape_fn(shape, |(i, j)| sums.get(start + i * shape.1 + j).copied().unwrap_or(f64::NAN) / count)
            };
            let (same, shuffled) = (mean(&sum.same, sum.count), mean(&sum.shuffled, sum.shuffled_count));
            let entries = |mean: &Array2<f64>| {
                let permutation = largest_matching(mean.view());
                let matched: Vec<f64> = permutation.iter().enumerate().filter_map(|(i, j)| j.map(|j| mean[[i, j]])).collect();
                (permutation, matched)
            };
            let average = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
            let ((permutation, by_match), (_, by_chance)) = (entries(&same), entries(&shuffled));
            let (matched, chance) = (average(&by_match), average(&by_chance));
            // Models whose columns never turn are matched at other samples as well: perfectly stable, or not at all.
            let stability =
                if chance >= 1.0 - 1e-9 { f64::from(u8::from(matched >= 1.0 - 1e-9)) } else { (matched - chance) / (1.0 - chance) };
            let stability = if chance.is_nan() { f64::NAN } else { stability };
            Matching { models: (p, q), mean: same, permutation, matched, chance, stability }
        };
        Self { pairs: pairs(dims).into_iter().map(matching).collect() }
    }

    fn stability(&self) -> f64 {
        self.pairs.iter().map(|pair| pair.stability).sum::<f64>() / self.pairs.len() as f64
    }

    fn stability_without(&self, model: usize) -> f64 {
        let left: Vec<f64> =
            self.pairs.iter().filter(|pair| pair.models.0 != model && pair.models.1 != model).map(|pair| pair.stability).collect();
        left.iter().sum::<f64>() / left.len() as f64
    }
}

/// The standard error from values that leave out one group each; `None` for fewer than two.
fn jackknife(replicates: &[f64]) -> Option<f64> {
    let n = replicates.len() as f64;
    let mean = replicates.iter().sum::<f64>() / n;
    let squares: f64 = replicates.iter().map(|x| (x - mean).powi(2)).sum();
    (replicates.len() > 1).then(|| ((n - 1.0) / n * squares).sqrt())
}
