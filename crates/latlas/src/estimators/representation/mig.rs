//! Mutual information gap: how much more the best code knows of a factor than the second best.
//!
//! ```text
//! MIG = mean over k of (I(z_best; y_k) − I(z_second; y_k)) / H(y_k)
//! ```
//!
//! - Codes are cut into 20 bins of equal width; I and H from joint counts, corrected for bias (preset latlas) or plug-in
//!   (study-2019). The value of the other convention stands in `plug_in` or `corrected`.
//! - Shape: scalar; `per_factor` [K], `best_code` [K], `matrix` [L, K] of information. Unit: 1. Range: 0 to 1.
//! - Invariances: order of rows and codes, names of values, positive scaling of a code.
//! - Cost: one pass of counts, n·L·K.
//! - Bias: plug-in information is too large at small n, and more so for the second best code, which lowers the gap. Bins
//!   follow the extremes of a code: one outlier moves all of them.
//! - Standard error: delta method at fixed bins.
//! - Codes that repeat each other have a gap of 0; `merged_repeats` is the value without the repeats.
//!
//! References: Chen, Li, Grosse and Duvenaud, Isolating Sources of Disentanglement in Variational Autoencoders (2018).
//! Locatello and others, Challenging Common Assumptions in the Unsupervised Learning of Disentangled Representations (2019).

use serde_json::json;

use super::{CHEN, STUDY, dependence, usable};
use crate::codes::{BestTwo, CodeSet, Effort, Heat, Information, MISSING, Score, Scored};
use crate::error::Result;
use crate::estimators::{Better, Card, Need};

/// The gap.
pub struct Mig;

impl Score for Mig {
    const CARD: Card = Card {
        id: "mig",
        group: "representation",
        title: "Mutual information gap",
        unit: "1",
        range: "0 to 1",
        better: Better::Higher,
        needs: &[Need::Codes, Need::Factors],
        invariances: &["order of rows, codes and values", "positive scaling of a code"],
        references: &[CHEN, STUDY],
        source: include_str!("mig.rs"),
    };
    const EFFORT: Effort = Effort::Sums;
    const BEST: Option<f64> = Some(1.0);

    fn score(set: &CodeSet) -> Result<Scored> {
        if let Some(reason) = usable(set) {
            return Ok(Scored::undefined(reason));
        }
        let information = set.information();
        let factors = set.varying_factors();
        let gaps = gaps(&factors, |k| information.of_factor(k), |k| information.entropy(k));
        let mut scored = Scored::value(mean(&gaps, &factors));
        if set.is_replicate {
            return Ok(scored);
        }
        let plug_in = mean(&self::gaps(&factors, |k| column(&information.plug_in, k), |k| information.entropies[k]), &factors);
        let corrected =
            mean(&self::gaps(&factors, |k| column(&information.corrected, k), |k| information.corrected_entropies[k]), &factors);
        let distinct = set.distinct_codes();
        let merged = mean(
            &self::gaps(&factors, |k| distinct.iter().map(|l| information.matrix()[*l][k]).collect(), |k| information.entropy(k)),
            &factors,
        );
        scored.standard_error = Some(standard_error(set, information, &factors, &gaps));
        let best: Vec<usize> = (0..set.n_factors()).map(|k| set.code_ids[BestTwo::of(&information.of_factor(k)).best]).collect();
        let pairs = information.biased_pairs();
        if pairs > 0 {
            let message = format!("{pairs} pairs of a code and a factor, at {} rows", set.train.rows());
            scored = scored.with_caveat("biased-at-this-n", message);
        }
        scored.caveats.extend(dependence(set));
        let heat = Heat { name: "mutual information", unit: "nats", values: information.matrix() };
        let scored = scored.per_factor(set, &gaps).matrix(set, &heat);
        Ok(scored
            .with("best_code", json!(best))
            .with("plug_in", json!(plug_in))
            .with("corrected", json!(corrected))
            .with("merged_repeats", json!(merged)))
    }
}

fn column(matrix: &[Vec<f64>], k: usize) -> Vec<f64> {
    matrix.iter().map(|row| row[k]).collect()
}

/// The relative gap of every factor; NaN for those that do not vary.
fn gaps(factors: &[usize], of: impl Fn(usize) -> Vec<f64>, entropy: impl Fn(usize) -> f64) -> Vec<f64> {
    let last = factors.last().map_or(0, |k| k + 1);
    (0..last).map(|k| if factors.contains(&k) { BestTwo::of(&of(k)).gap() / entropy(k) } else { f64::NAN }).collect()
}

fn mean(gaps: &[f64], factors: &[usize]) -> f64 {
    factors.iter().map(|k| gaps[*k]).sum::<f64>() / factors.len() as f64
}

/// From the influence of every row on every gap: what it adds to both informations and to the entropy.
fn standard_error(set: &CodeSet, information: &Information, factors: &[usize], gaps: &[f64]) -> f64 {
    let n = set.train.rows();
    let mut influence = vec![0.0; n];
    for k in factors {
        let factor = &set.train.factors[*k];
        let two = BestTwo::of(&information.of_factor(*k));
        let entropy = information.entropy(*k);
        let labelled = factor.labelled();
        let share = n as f64 / labelled.len() as f64 / factors.len() as f64 / entropy;
        for i in labelled {
            let y = factor.index[i];
            debug_assert_ne!(y, MISSING);
            let part = |l: usize| {
                information.tables[l][*k].pointwise(usize::from(information.bins[l][i]), y as usize) - information.plug_in[l][*k]
            };
            let table = &information.tables[two.best][*k];
            let surprise = -(table.value_count(y as usize) / table.n()).ln() - information.entropies[*k];
            influence[i] += share * (part(two.best) - two.runner_up.map_or(0.0, part) - gaps[*k] * surprise);
        }
    }
    influence.iter().map(|x| x * x).sum::<f64>().sqrt() / n as f64
}
