//! Which latent of one model does what a latent of another does.
//!
//! ```text
//! Iᵃᵇᵢⱼ = −½ E log(1 − cos²∠(Jᵃᵢ, Jᵇⱼ)) = −E log sin∠,   both Jacobians at the same x
//! ```
//!
//! Large where latent i of the first model moves the data along the same line as latent j of the other. Two good runs of one
//! architecture give a permutation: one large entry in every row and column. `mean_cos2` is the bounded companion, 1 for
//! columns that are parallel everywhere; it is what `dimension-matching` uses.
//!
//! - Shape: [d_a, d_b], other models side by side (`models` says where each begins). Unit: nats. Range: ≥ 0, +∞ for columns
//!   that are parallel everywhere (a model against itself).
//! - The same x: data through both encoders, or what the first model makes of its prior; a model without an encoder is
//!   inverted, and rows that it cannot reach are left out (`inversion-failed`).
//! - An angle below the resolution of the Jacobians is left out of the mean of I and counted (`unresolved-parallel`); mean
//!   and median of cos² include it.
//! - `subspace`: the same for all latents together, −E Σ log sin θₖ over the principal angles between both tangent spaces,
//!   and their overlap Σ cos² θₖ / min(d_a, d_b). Finite only if d_a + d_b ≤ D.
//! - `blocks`: the same for sets of latents, S of the first model and T of another one (`--sets`, `--partition`, and
//!   `--other-sets` where the other model's are not the same): value, `overlap`, and `null` for random subspaces. A linear map of
//!   the latents within a set changes nothing.
//! - Invariances: scaling of each latent of either model; orthogonal maps of the data, applied to both.
//! - Read beside `null`: independent random directions give ½[ψ(D/2) − ψ((D−1)/2)] and cos² = 1/D.
//! - Cost: one Jacobian of each model a sample and d_a d_b D operations. With a sketch both models get the same probes.
//! - Bias: none; standard error s/√n and Student's interval of each entry.
//!
//! References: Galperin and Köthe, Analyzing Generative Models by Manifold Entropic Metrics (2024). Björck and Golub,
//! Numerical Methods for Computing Angles between Linear Subspaces (1973).

use ndarray::{ArrayView2, Axis};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::insert;
use crate::accumulators::{Accumulator, Moment, Moments, Summary};
use crate::caveat::Caveat;
use crate::context::Context;
use crate::cross::{Cross, Shared};
use crate::error::{Error, Result};
use crate::estimate::{Estimate, Value};
use crate::estimators::null::Null;
use crate::estimators::summarize::{measured, number, numbers};
use crate::estimators::{Better, Card, Estimator, Need, estimate_matrix};
use crate::probe::{Fault, Probe};
use crate::special_functions::digamma;

/// Iᵃᵇ.
pub struct CrossMutualInformation {
    blocks: Vec<Block>,
}

/// A set of latents of the first model and one of another.
struct Block {
    other: usize,
    s: Vec<usize>,
    t: Vec<usize>,
}

/// Moments of the information and of cos² of every pair.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct State {
    /// Rows: information and overlap of the subspaces, other model by other model; the same of every [`Block`]; then cos² of
    /// every pair, where they are few.
    summary: Summary,
    /// NaN for pairs with an angle that is not resolved.
    information: Moments,
    squared_cosines: Moments,
}

/// Pairs whose cos² has a median.
const FEW_PAIRS: usize = 1024;
/// Pairs whose moments are kept at most.
const LARGEST: usize = 1 << 21;
/// Blocks at most; more would make a long report and a slow run.
const MOST_BLOCKS: usize = 4096;

impl Accumulator for State {
    fn merge(&mut self, later: &Self) {
        self.summary.merge(&later.summary);
        self.information.merge(&later.information);
        self.squared_cosines.merge(&later.squared_cosines);
    }

    fn count(&self) -> usize {
        self.summary.count()
    }
}

/// The latents of all other models together.
fn others_dim(context: &Context) -> usize {
    context.others.iter().sum()
}

impl Estimator for CrossMutualInformation {
    const CARD: Card = Card {
        id: "cross-mutual-information",
        group: "entropy",
        title: "Mutual information between the latents of two models",
        unit: "nats",
        range: "≥ 0, +∞ if columns are parallel",
        better: Better::Higher,
        needs: &[Need::Decoder, Need::Other],
        invariances: &["scaling of each latent", "orthogonal maps of the data"],
        references: &[
            "Galperin, Köthe: Analyzing Generative Models by Manifold Entropic Metrics (2024)",
            "Björck, Golub: Numerical Methods for Computing Angles between Linear Subspaces (1973)",
        ],
        source: include_str!("cross_mutual_information.rs"),
    };
    type State = State;

    fn new(context: &Context) -> Result<Self> {
        context.require(&Self::CARD)?;
        context.require_probes(&Self::CARD, 3)?;
        let pairs = context.latent_dim.saturating_mul(others_dim(context));
        if pairs > LARGEST {
            let what = format!("cross-mutual-information keeps moments of {pairs} pairs of latents, more than the limit of {LARGEST}");
            return Err(Error::Shape { what, hint: None });
        }
        let groups = context.groups();
        let mut blocks = Vec::new();
        for (other, sets) in context.other_sets.iter().enumerate() {
            let all = groups.iter().flat_map(|s| sets.iter().map(move |t| Block { other, s: s.clone(), t: t.clone() }));
            // More columns together than there are rows always meet.
            blocks.extend(all.filter(|block| block.s.len() + block.t.len() <= context.rows()));
        }
        if blocks.len() > MOST_BLOCKS {
            let what = format!("{} pairs of sets of latents of two models, more than the limit of {MOST_BLOCKS}", blocks.len());
            return Err(Error::Input { what, hint: Some("give fewer --sets and --other-sets".into()) });
        }
        Ok(Self { blocks })
    }

    fn observe(&self, probe: &Probe<'_>, state: &mut State) -> Result<()> {
        let context = probe.context();
        let (d, pairs) = (context.latent_dim, context.latent_dim * others_dim(context));
        for s in 0..probe.len() {
            if let Some(fault) = fault_of_any(probe, s)? {
                state.summary.push(probe.key(s).into(), Err(fault.reason()));
                continue;
            }
            let a = probe.columns()?;
            let a = a.index_axis(Axis(0), s);
            let (mut row, mut information, mut squared) = (Vec::new(), vec![Vec::new(); d], vec![Vec::new(); d]);
            for other in probe.others() {
                let b = other.columns()?.index_axis(Axis(0), s);
                let cross = Cross::new(a, b, context);
                for i in 0..d {
                    information[i].extend(cross.information.row(i).iter().map(|x| if x.is_infinite() { f64::NAN } else { *x }));
                    squared[i].extend(cross.squared_cosines.row(i));
                }
                row.extend(shared(a, b, context));
            }
            for Block { other, s: first, t } in &self.blocks {
                let b = probe.others()[*other].columns()?.index_axis(Axis(0), s);
                row.extend(shared(a.select(Axis(0), first).view(), b.select(Axis(0), t).view(), context));
            }
            let squared = squared.concat();
            if pairs <= FEW_PAIRS {
                row.extend(&squared);
            }
            state.summary.push(probe.key(s).into(), Ok(&row));
            state.information.push(&information.concat());
            state.squared_cosines.push(&squared);
        }
        Ok(())
    }

    fn finish(&self, context: &Context, state: &State) -> Result<Estimate> {
        let (d, width) = (context.latent_dim, others_dim(context));
        let information = |i: usize, j: usize| state.information.get(i * width + j);
        let squared = |i: usize, j: usize| state.squared_cosines.get(i * width + j);
        let mut estimate = estimate_matrix(&Self::CARD, context, &state.summary, information, (d, width), ["latent", "other-latent"])?;
        let unresolved = |i: usize, j: usize| squared(i, j).count().saturating_sub(information(i, j).count());
        if let Value::Matrix(rows) = &mut estimate.value {
            for (i, row) in rows.iter_mut().enumerate() {
                let parallel = |j: usize| information(i, j).count() == 0 && unresolved(i, j) > 0;
                row.iter_mut().enumerate().filter(|(j, _)| parallel(*j)).for_each(|(_, x)| *x = f64::INFINITY);
            }
        }
        let matrix = |of: &dyn Fn(usize, usize) -> f64| {
            Json::Array((0..d).map(|i| numbers(&(0..width).map(|j| of(i, j)).collect::<Vec<_>>())).collect())
        };
        let error = |moment: Moment| moment.standard_error().unwrap_or(f64::NAN);
        insert(
            &mut estimate,
            "mean_cos2",
            json!({ "value": matrix(&|i, j| squared(i, j).mean()), "standard_error": matrix(&|i, j| error(squared(i, j))) }),
        );
        if d * width <= FEW_PAIRS {
            let first = 2 * (context.others.len() + self.blocks.len());
            let median = |i: usize, j: usize| state.summary.reservoir.quantiles(first + i * width + j, &[0.5])[0];
            insert(&mut estimate, "median_cos2", matrix(&median));
        }
        let all: u64 = (0..d).flat_map(|i| (0..width).map(move |j| unresolved(i, j))).sum();
        if all > 0 {
            insert(&mut estimate, "unresolved", Json::Array((0..d).map(|i| (0..width).map(|j| unresolved(i, j)).collect()).collect()));
            let message = format!("{all} angles of pairs at a sample are below the resolution of the Jacobians and left out of the means");
            estimate.caveats.push(Caveat::new("unresolved-parallel", message));
        }
        let mut start = 0;
        let mut models = Vec::new();
        for (k, dim) in context.others.iter().enumerate() {
            let part = |moment: Moment| json!({ "value": number(moment.mean()), "standard_error": number(error(moment)), "n_used": moment.count() });
            let (information, overlap) = (state.summary.moments.get(2 * k), state.summary.moments.get(2 * k + 1));
            models.push(json!({
                "latents": [start, start + dim],
                "subspace": { "information": part(information), "overlap": part(overlap), "met": overlap.count().saturating_sub(information.count()) },
            }));
            start += dim;
        }
        insert(&mut estimate, "models", Json::Array(models));
        let block = |(k, block): (usize, &Block)| {
            let of = |entry: usize| state.summary.moments.get(2 * (context.others.len() + k) + entry);
            let (Block { other, s, t }, level) = (block, context.settings.level);
            let mut said = measured(&of(0), level);
            said["other"] = json!(other);
            said["s"] = json!(s);
            said["t"] = json!(t);
            said["overlap"] = measured(&of(1), level);
            said["null"] = Null::blocks(context.ambient_dim, &[s.len(), t.len()]).beside(&of(0), context);
            said["unresolved"] = json!(state.summary.used().saturating_sub(of(0).count()));
            said
        };
        if !self.blocks.is_empty() {
            insert(&mut estimate, "blocks", self.blocks.iter().enumerate().map(block).collect());
        }
        let half = context.ambient_dim as f64 / 2.0;
        let null = if context.ambient_dim > 1 { 0.5 * (digamma(half) - digamma(half - 0.5)) } else { f64::INFINITY };
        insert(&mut estimate, "null", json!({ "information": number(null), "cos2": number(1.0 / context.ambient_dim as f64) }));
        insert(&mut estimate, "method", context.method());
        Ok(estimate)
    }
}

/// Information and overlap of the spans of columns `[p, D]` and `[q, D]`; NaN where it is infinite or there is none.
fn shared(a: ArrayView2<'_, f64>, b: ArrayView2<'_, f64>, context: &Context) -> [f64; 2] {
    let finite = |x: f64| if x.is_finite() { x } else { f64::NAN };
    Shared::new(a, b, context).map_or([f64::NAN; 2], |shared| [finite(shared.information), shared.overlap])
}

/// Why sample s is of no use in some model.
pub(super) fn fault_of_any(probe: &Probe<'_>, s: usize) -> Result<Option<Fault>> {
    for model in std::iter::once(probe).chain(probe.others()) {
        if !model.has_latent(s) {
            return Ok(Some(Fault::InversionFailed));
        }
        if !model.is_finite(s)? {
            return Ok(Some(Fault::NonFinite));
        }
    }
    Ok(None)
}
