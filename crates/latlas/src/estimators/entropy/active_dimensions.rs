//! How many latents the model uses.
//!
//! ```text
//! sort H₍₁₎ ≥ H₍₂₎ ≥ …;   gap Δₖ = H₍ₖ₎ − H₍ₖ₊₁₎;   active = argmax Δₖ
//! ```
//!
//! A model that was trained to use few latents (a β-VAE) shows a cliff in its entropy spectrum: some latents move the data,
//! the rest hardly. The count is where the largest gap is, if it is at least half a nat and four standard errors of the
//! (paired) gap. `rule` says how the count came about:
//!
//! - `gap`: by the cliff. Latents that never move anything always lie beyond it.
//! - `threshold`: no cliff, but the scale τ of the data's noise was given: latents with Hᵢ − h₀ > log τ count.
//! - `collapsed`: τ was given, and no latent moves the data by more: the count is 0.
//! - `no-cliff`: neither; all latents that move anything count, and nothing separates them.
//!
//! - Shape: scalar. Unit: 1 (latents). Range: 0 … d. `count_by_gap`, `count_by_threshold`: by either rule alone; `gap_nats` with
//!   `gap_standard_error`, between the latents `gap_between`.
//! - Interval: percentiles of the count over 200 replicates of a Poisson bootstrap; the standard error is their spread.
//! - A latent that is dead at some samples has the mean over its live ones, with the caveat `dead-column`.
//! - Invariances: orthogonal maps of the data and its rescaling leave the count by gap.
//! - Cost: one Jacobian and 200 d additions a sample.
//! - Bias: near the end of the spectrum, few samples blur a cliff; the interval shows it.
//!
//! References: Galperin and Köthe, Analyzing Generative Models by Manifold Entropic Metrics (2024). Hanley and MacGibbon,
//! Creating Non-Parametric Bootstrap Samples Using Poisson Frequencies (2006).

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{declare_convention, insert};
use crate::accumulators::{Accumulator, Bootstrap, Moment, Summary};
use crate::caveat::Caveat;
use crate::context::{Context, PriorTerm};
use crate::error::Result;
use crate::estimate::{Estimate, Value};
use crate::estimators::summarize::{frame, number};
use crate::estimators::{Better, Card, Estimator, Need};
use crate::probe::{Fault, Probe};
use crate::special_functions::NORMAL_ENTROPY;

/// The number of latents in use.
pub struct ActiveDimensions;

/// Entropies and their replicates.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct State {
    /// Rows: Hᵢ `[d]`, NaN where dead.
    summary: Summary,
    bootstrap: Bootstrap,
}

/// A gap counts from this many nats and this many of its standard errors on.
const CLIFF: (f64, f64) = (0.5, 4.0);

impl Accumulator for State {
    fn merge(&mut self, later: &Self) {
        self.summary.merge(&later.summary);
        self.bootstrap.merge(&later.bootstrap);
    }

    fn count(&self) -> usize {
        self.summary.count()
    }
}

impl Estimator for ActiveDimensions {
    const CARD: Card = Card {
        id: "active-dimensions",
        group: "entropy",
        title: "Latents in use",
        unit: "1",
        range: "0 … d",
        better: Better::Neither,
        needs: &[Need::Decoder],
        invariances: &["orthogonal maps of the data", "permutations of the latents"],
        references: &[
            "Galperin, Köthe: Analyzing Generative Models by Manifold Entropic Metrics (2024)",
            "Hanley, MacGibbon: Creating Non-Parametric Bootstrap Samples Using Poisson Frequencies (2006)",
        ],
        source: include_str!("active_dimensions.rs"),
    };
    type State = State;

    fn new(context: &Context) -> Result<Self> {
        context.require(&Self::CARD)?;
        Ok(Self)
    }

    fn observe(&self, probe: &Probe<'_>, state: &mut State) -> Result<()> {
        for s in 0..probe.len() {
            let key = probe.key(s);
            if probe.is_finite(s)? {
                let row = probe.entropies(s)?;
                state.summary.push_keeping(0, key.into(), Ok(&row));
                state.bootstrap.push(probe.context().settings.seed, key.1, &row);
            } else {
                state.summary.push(key.into(), Err(Fault::NonFinite.reason()));
            }
        }
        Ok(())
    }

    fn finish(&self, context: &Context, state: &State) -> Result<Estimate> {
        let d = context.latent_dim;
        let mut estimate = frame(&Self::CARD, context, &state.summary)?;
        let entropies: Vec<f64> = (0..d).map(|i| moving(state.summary.moments.get(i).mean())).collect();
        let replicates = state.bootstrap.means().filter(|row| row.len() == d);
        let replicates: Vec<Vec<f64>> = replicates.map(|row| row.into_iter().map(moving).collect()).collect();
        let includes_h0 = context.prior_term() != PriorTerm::None;
        let bar = context.settings.noise_scale.map(|scale| scale.ln() + if includes_h0 { NORMAL_ENTROPY } else { 0.0 });

        let order = falling(&entropies);
        let gap = widest(&entropies, &order);
        let error = gap.map_or(f64::NAN, |(k, _)| deviation(replicates.iter().map(|r| r[order[k - 1]] - r[order[k]])));
        let (count, rule) = count(&entropies, gap, error, bar);
        let counts: Vec<f64> = replicates.iter().map(|r| self::count(r, widest(r, &falling(r)), error, bar).0 as f64).collect();
        estimate.value = Value::Scalar(count as f64);
        if state.summary.used() > 1 {
            estimate.standard_error = Some(Value::Scalar(deviation(counts.iter().copied())));
            let (low, high) = percentiles(counts, context.settings.level);
            estimate.interval = Some((Value::Scalar(low.min(count as f64)), Value::Scalar(high.max(count as f64))));
        }
        insert(&mut estimate, "rule", json!(rule));
        insert(&mut estimate, "order", json!(order));
        if let Some((k, height)) = gap {
            insert(&mut estimate, "gap_nats", number(height));
            insert(&mut estimate, "gap_standard_error", number(error));
            insert(&mut estimate, "gap_between", json!([order[k - 1], order[k]]));
            insert(&mut estimate, "count_by_gap", if is_cliff(height, error) { json!(k) } else { json!(null) });
        }
        if let (Some(bar), Some(scale)) = (bar, context.settings.noise_scale) {
            insert(&mut estimate, "noise_scale", number(scale));
            insert(&mut estimate, "count_by_threshold", json!(above(&entropies, bar)));
        }
        let sometimes = |i: &usize| {
            let live = state.summary.moments.get(*i).count();
            live > 0 && live < state.summary.used()
        };
        let dead = (0..d).filter(sometimes).count();
        if dead > 0 {
            let message = format!("{dead} latents are dead at some samples; they count by their live ones");
            estimate.caveats.push(Caveat::new("dead-column", message));
        }
        declare_convention(&mut estimate, context);
        Ok(estimate)
    }
}

/// −∞ for a latent without any live sample.
fn moving(entropy: f64) -> f64 {
    if entropy.is_nan() { f64::NEG_INFINITY } else { entropy }
}

fn falling(entropies: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..entropies.len()).collect();
    order.sort_by(|a, b| entropies[*b].total_cmp(&entropies[*a]));
    order
}

/// The number of latents above the widest gap, and its height.
fn widest(entropies: &[f64], order: &[usize]) -> Option<(usize, f64)> {
    let height = |k: usize| {
        let (above, below) = (entropies[order[k - 1]], entropies[order[k]]);
        if above == below { 0.0 } else { above - below }
    };
    (1..order.len()).map(|k| (k, height(k))).fold(
        None,
        |best: Option<(usize, f64)>, next| {
            if best.is_some_and(|best| best.1 >= next.1) { best } else { Some(next) }
        },
    )
}

fn is_cliff(height: f64, error: f64) -> bool {
    // An infinite gap has no error, and needs none.
    height >= CLIFF.0 && (height == f64::INFINITY || height >= CLIFF.1 * error)
}

fn above(entropies: &[f64], bar: f64) -> usize {
    entropies.iter().filter(|h| **h > bar).count()
}

/// The count and the rule that gave it.
fn count(entropies: &[f64], gap: Option<(usize, f64)>, error: f64, bar: Option<f64>) -> (usize, &'static str) {
    match (gap, bar.map(|bar| above(entropies, bar))) {
        (_, Some(0)) => (0, "collapsed"),
        (Some((k, height)), _) if is_cliff(height, error) => (k, "gap"),
        (_, Some(above)) => (above, "threshold"),
        _ => (above(entropies, f64::NEG_INFINITY), "no-cliff"),
    }
}

/// The standard deviation of replicates; 0 where all are equally infinite.
fn deviation(values: impl Iterator<Item = f64>) -> f64 {
    let mut moment = Moment::default();
    values.filter(|x| x.is_finite()).for_each(|x| moment.push(x));
    moment.standard_deviation().unwrap_or(f64::NAN)
}

fn percentiles(mut counts: Vec<f64>, level: f64) -> (f64, f64) {
    counts.sort_by(f64::total_cmp);
    let Some(last) = counts.len().checked_sub(1) else { return (f64::NAN, f64::NAN) };
    let tail = 0.5 * (1.0 - level) * last as f64;
    (counts[tail.floor() as usize], counts[last - tail.floor() as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(entropies: &[f64], error: f64, bar: Option<f64>) -> (usize, &'static str) {
        count(entropies, widest(entropies, &falling(entropies)), error, bar)
    }

    #[test]
    fn rules() {
        let none = f64::NEG_INFINITY;
        assert_eq!(rule(&[-1.0, 3.0, -1.1, 2.8], 0.1, None), (2, "gap"));
        assert_eq!(rule(&[-1.0, 3.0, -1.1, 2.8], 1.0, None), (4, "no-cliff"), "a gap within its errors");
        assert_eq!(rule(&[3.0, 2.6, 2.3, 1.9], 0.01, None), (4, "no-cliff"), "small steps");
        assert_eq!(rule(&[3.0, 2.6, 2.3, 1.9], 0.01, Some(2.5)), (2, "threshold"));
        assert_eq!(rule(&[-4.8, -4.8], 0.01, Some(-1.0)), (0, "collapsed"));
        assert_eq!(rule(&[2.0, none, 1.9, none], f64::NAN, None), (2, "gap"));
        assert_eq!(rule(&[none, none], f64::NAN, None), (0, "no-cliff"));
        assert_eq!(rule(&[2.0], f64::NAN, None), (1, "no-cliff"));
    }
}
