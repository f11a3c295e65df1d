//! Latents that look unimportant by the spread of their codes and still move the data.
//!
//! ```text
//! σᵢ < cut   and   Hᵢ − 2 SE > median of H over the latents that σ keeps
//! ```
//!
//! Models with a learned spread of their latents (volume-preserving flows, VAEs) are often cut down to the latents of large
//! standard deviation σᵢ. Entropies say whether that is safe: a latent of small spread with a long Jacobian column is hidden.
//!
//! - Spread σᵢ: of a diagonal prior as declared, else of the codes of the data where there is an encoder, else over the latents
//!   that were given; with labels within the classes, averaged over them. The cut is given, or lies in the widest gap of log σ if that is at
//!   least half a nat; else there is none and nothing is flagged (`cut` is null).
//! - Value: the number of flagged latents. Unit: 1. Range: 0 … d. `hidden` lists them with σ and H, `std` and `entropy` hold
//!   all, `spearman` is the rank correlation of σ and H with its interval (Fisher's transformation).
//! - Interval: percentiles over 200 replicates of a Poisson bootstrap of the entropies.
//! - Not for latents of equal spread by declaration (a standard normal prior that they are drawn from).
//! - Invariances: orthogonal maps of the data and its rescaling leave it; scaling a latent moves σ and its column alike.
//! - Cost: one Jacobian and 200 d additions a sample.
//!
//! References: Galperin and Köthe, Analyzing Generative Models by Manifold Entropic Metrics (2024). Sorrenson, Rother and
//! Köthe, Disentanglement by Nonlinear ICA with General Incompressible-flow Networks (2020).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{declare_convention, insert};
use crate::accumulators::{Accumulator, Bootstrap, Moments, Summary};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::estimate::{Estimate, Value};
use crate::estimators::summarize::{frame, number, numbers};
use crate::estimators::{Better, Card, Estimator, Need};
use crate::probe::{Fault, Probe};
use crate::samples::Prior;
use crate::settings::Sampling;
use crate::special_functions::normal_quantile;

/// The number of hidden latents.
pub struct HiddenDimensions;

/// Entropies with their replicates, and latents class by class.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct State {
    /// Rows: Hᵢ `[d]`, NaN where dead.
    summary: Summary,
    bootstrap: Bootstrap,
    /// One class without labels.
    latents: BTreeMap<i64, Moments>,
}

/// A gap of log σ that separates latents.
const GAP: f64 = 0.5;
/// Labels beyond this many are not classes.
const MOST_CLASSES: usize = 1000;

impl Accumulator for State {
    fn merge(&mut self, later: &Self) {
        self.summary.merge(&later.summary);
        self.bootstrap.merge(&later.bootstrap);
        for (class, moments) in &later.latents {
            if self.latents.len() < MOST_CLASSES || self.latents.contains_key(class) {
                self.latents.entry(*class).or_default().merge(moments);
            }
        }
    }

    fn count(&self) -> usize {
        self.summary.count()
    }
}

impl Estimator for HiddenDimensions {
    const CARD: Card = Card {
        id: "hidden-dimensions",
        group: "entropy",
        title: "Hidden latents: small spread, large effect",
        unit: "1",
        range: "0 … d",
        better: Better::Lower,
        needs: &[Need::Decoder],
        invariances: &["orthogonal maps of the data", "permutations of the latents"],
        references: &[
            "Galperin, Köthe: Analyzing Generative Models by Manifold Entropic Metrics (2024)",
            "Sorrenson, Rother, Köthe: Disentanglement by Nonlinear ICA with General Incompressible-flow Networks (2020)",
        ],
        source: include_str!("hidden_dimensions.rs"),
    };
    const NEEDS_CODE_SPREAD: bool = true;
    type State = State;

    fn new(context: &Context) -> Result<Self> {
        context.require(&Self::CARD)?;
        let is_drawn = context.sampling == Sampling::Prior && matches!(context.prior, Prior::Normal | Prior::Uniform { .. });
        let has_codes = context.has_encoder && context.has_data;
        if (is_drawn || !context.has_latents) && !has_codes || context.latent_dim < 2 {
            return Err(Error::Input {
                what: format!("{} needs latents whose spreads may differ", Self::CARD.id),
                hint: Some("give --encoder and --data, or --latents, or declare a diagonal prior".into()),
            });
        }
        Ok(Self)
    }

    fn observe(&self, probe: &Probe<'_>, state: &mut State) -> Result<()> {
        let batch = probe.batch();
        for s in 0..probe.len() {
            let key = probe.key(s);
            if !probe.is_finite(s)? {
                state.summary.push(key.into(), Err(Fault::NonFinite.reason()));
                continue;
            }
            let row = probe.entropies(s)?;
            state.summary.push_keeping(0, key.into(), Ok(&row));
            state.bootstrap.push(probe.context().settings.seed, key.1, &row);
            if let Some(latents) = &batch.latents {
                let class = batch.labels.as_ref().map_or(0, |labels| labels[s]);
                if state.latents.len() < MOST_CLASSES || state.latents.contains_key(&class) {
                    state.latents.entry(class).or_default().push(latents.row(s));
                }
            }
        }
        Ok(())
    }

    fn finish(&self, context: &Context, state: &State) -> Result<Estimate> {
        let d = context.latent_dim;
        let mut estimate = frame(&Self::CARD, context, &state.summary)?;
        let moments = &state.summary.moments;
        let entropies: Vec<f64> = (0..d).map(|i| moving(moments.get(i).mean())).collect();
        let errors: Vec<f64> = (0..d).map(|i| moments.get(i).standard_error().unwrap_or(0.0)).collect();
        let spreads: Vec<f64> = (0..d).map(|i| spread(context, state, i)).collect();
        let cut = context.settings.spread_cut.or_else(|| widest_gap(&spreads));
        let hidden = flagged(&entropies, &errors, &spreads, cut);
        let counts: Vec<f64> = state
            .bootstrap
            .means()
            .filter(|row| row.len() == d)
            .map(|row| flagged(&row.into_iter().map(moving).collect::<Vec<_>>(), &errors, &spreads, cut).len() as f64)
            .collect();
        let count = hidden.len() as f64;
        estimate.value = Value::Scalar(count);
        if state.summary.used() > 1 {
            let mean = counts.iter().sum::<f64>() / counts.len() as f64;
            let variance = counts.iter().map(|c| (c - mean).powi(2)).sum::<f64>() / (counts.len() as f64 - 1.0);
            estimate.standard_error = Some(Value::Scalar(variance.sqrt()));
            let mut sorted = counts;
            sorted.sort_by(f64::total_cmp);
            let tail = (0.5 * (1.0 - context.settings.level) * sorted.len() as f64) as usize;
            let (low, high) = (sorted.get(tail).copied(), sorted.get(sorted.len().saturating_sub(1 + tail)).copied());
            estimate.interval = Some((Value::Scalar(low.unwrap_or(count).min(count)), Value::Scalar(high.unwrap_or(count).max(count))));
        }
        let named = hidden.iter().map(|i| json!({ "index": i, "std": number(spreads[*i]), "entropy": number(entropies[*i]) }));
        insert(&mut estimate, "hidden", named.collect());
        insert(&mut estimate, "cut", cut.map_or(json!(null), number));
        insert(&mut estimate, "std", numbers(&spreads));
        insert(&mut estimate, "entropy", numbers(&entropies));
        insert(&mut estimate, "entropy_standard_error", numbers(&errors));
        let correlation = spearman(&spreads, &entropies);
        // Fieller, Hartley and Pearson (1957).
        let (middle, half) = (correlation.atanh(), normal_quantile(0.5 + 0.5 * context.settings.level) * (1.06 / (d as f64 - 3.0)).sqrt());
        let ends = if d > 3 { [(middle - half).tanh(), (middle + half).tanh()] } else { [f64::NAN; 2] };
        insert(&mut estimate, "spearman", json!({ "value": number(correlation), "interval": numbers(&ends) }));
        declare_convention(&mut estimate, context);
        Ok(estimate)
    }
}

fn moving(entropy: f64) -> f64 {
    if entropy.is_nan() { f64::NEG_INFINITY } else { entropy }
}

/// σᵢ: as declared, or within the classes.
fn spread(context: &Context, state: &State, i: usize) -> f64 {
    if let Prior::Diagonal { std, .. } = &context.prior {
        return std[i];
    }
    if let Some(spread) = context.code_spread.get(i) {
        return *spread;
    }
    let classes: Vec<f64> = state.latents.values().filter_map(|moments| moments.get(i).variance()).collect();
    (classes.iter().sum::<f64>() / classes.len() as f64).sqrt()
}

/// Between the two spreads with the widest gap of their logarithms, if it is wide enough.
fn widest_gap(spreads: &[f64]) -> Option<f64> {
    let mut sorted: Vec<f64> = spreads.iter().map(|s| s.ln()).filter(|s| s.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let (low, high) = sorted.windows(2).map(|w| (w[0], w[1])).max_by(|a, b| (a.1 - a.0).total_cmp(&(b.1 - b.0)))?;
    (high - low >= GAP).then(|| f64::midpoint(low, high).exp())
}

/// Latents below the cut whose entropy is above the median of those that are kept.
fn flagged(entropies: &[f64], errors: &[f64], spreads: &[f64], cut: Option<f64>) -> Vec<usize> {
    let Some(cut) = cut else { return Vec::new() };
    let mut kept: Vec<f64> = (0..spreads.len()).filter(|i| spreads[*i] >= cut).map(|i| entropies[i]).collect();
    kept.sort_by(f64::total_cmp);
    let Some(last) = kept.len().checked_sub(1) else { return Vec::new() };
    let median = f64::midpoint(kept[last / 2], kept[last.div_ceil(2)]);
    (0..spreads.len()).filter(|i| spreads[*i] < cut && entropies[*i] - 2.0 * errors[*i] > median).collect()
}

/// The correlation of ranks, equal values sharing theirs.
fn spearman(a: &[f64], b: &[f64]) -> f64 {
    let ranks = |x: &[f64]| -> Vec<f64> {
        x.iter()
            .map(|v| {
                x.iter()
                    .map(|w| {
                        if w < v {
                            1.0
                        } else if w == v {
                            0.5
                        } else {
                            0.0
                        }
                    })
                    .sum::<f64>()
            })
            .collect()
    };
    let (a, b) = (ranks(a), ranks(b));
    let centred = |x: &[f64]| -> Vec<f64> { x.iter().map(|v| v - x.iter().sum::<f64>() / x.len() as f64).collect() };
    let (a, b) = (centred(&a), centred(&b));
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    dot(&a, &b) / (dot(&a, &a) * dot(&b, &b)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latents_of_small_spread_and_large_effect_are_flagged() {
        let spreads = [0.55, 0.5, 0.4, 0.02, 0.01, 0.015];
        let entropies = [2.0, 1.5, 1.0, 1.9, -3.0, 1.55];
        let cut = widest_gap(&spreads);
        assert!(cut.is_some_and(|cut| (0.02..0.4).contains(&cut)));
        assert_eq!(flagged(&entropies, &[0.01; 6], &spreads, cut), [3, 5]);
        assert_eq!(flagged(&entropies, &[0.1; 6], &spreads, cut), [3], "within two standard errors of the median");
        assert_eq!(widest_gap(&[1.0, 1.1, 0.9]), None);
        assert!(flagged(&entropies, &[0.0; 6], &spreads, None).is_empty());
    }

    #[test]
    fn rank_correlations() {
        assert!((spearman(&[1., 2., 3., 4.], &[1., 8., 27., 64.]) - 1.0).abs() < 1e-15);
        assert!((spearman(&[1., 2., 3.], &[3., 2., 1.]) + 1.0).abs() < 1e-15);
        assert!((spearman(&[1., 2., 3., 4., 5.], &[2., 1., 4., 3., 5.]) - 0.8).abs() < 1e-15);
        assert!(spearman(&[1., 1.], &[1., 2.]).is_nan());
    }
}
