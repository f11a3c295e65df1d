//! Interventional robustness: how little a code moves while a factor keeps its value.
//!
//! ```text
//! dev_l = max |z_l − mean|;   IRS[l,k] = 1 − mean over values u of Q₉₉ |z_l − mean(z_l | y_k = u)| / dev_l
//! IRS = Σ_l dev_l max_k IRS[l,k] / Σ_l dev_l
//! ```
//!
//! - Q₉₉ is the 99 % quantile; `maximum_form` takes the largest deviation instead, as the paper does. Factors with more than
//!   20 values are cut into 20 bins; codes are used as they are, constant ones left out.
//! - Shape: scalar; `per_code` [L], `matrix` [L, K]. Unit: 1. Range: below 1; noise gives about 0.36 at 10,000 rows, so read
//!   it beside its null.
//! - Invariances: order of rows, codes and values; scaling all codes together. Not scaling one code, since weights follow.
//! - Cost: n·L·K with a selection in each group. Standard error: 100 sets of resampled rows.
//! - Bias: large for noise and for few rows a group. Weights favour codes with outliers; it conditions on one factor only.
//!
//! References: Suter, Miladinovic, Schölkopf and Bauer, Robustly Disentangled Causal Mechanisms (2019).

use serde_json::json;

use super::STUDY;
use crate::codes::{BINS, BestTwo, CodeSet, Effort, Factor, Heat, MISSING, Score, Scored, Spread, equal_width};
use crate::error::Result;
use crate::estimators::{Better, Card, Need};

/// Robustness to interventions.
pub struct Irs;

/// Of the deviations within a group.
const QUANTILE: f64 = 0.99;

impl Score for Irs {
    const CARD: Card = Card {
        id: "irs",
        group: "representation",
        title: "Interventional robustness",
        unit: "1",
        range: "below 1",
        better: Better::Higher,
        needs: &[Need::Codes, Need::Factors],
        invariances: &["order of rows, codes and values", "scaling all codes together"],
        references: &["Suter, Miladinovic, Schölkopf, Bauer: Robustly Disentangled Causal Mechanisms (2019)", STUDY],
        source: include_str!("irs.rs"),
    };
    const EFFORT: Effort = Effort::Sums;
    const BEST: Option<f64> = Some(1.0);

    fn score(set: &CodeSet) -> Result<Scored> {
        if set.n_factors() == 0 || set.varying_factors().is_empty() {
            return Ok(Scored::undefined("no-usable-factor"));
        }
        let codes = set.varying_codes();
        if codes.is_empty() {
            return Ok(Scored::value(0.0));
        }
        let groups: Vec<Vec<Vec<usize>>> = set.train.factors.iter().map(groups).collect();
        let mut weights = Vec::new();
        let (mut quantile, mut maximum) = (Vec::new(), Vec::new());
        for l in &codes {
            let code = set.train.code(*l);
            let mean = Spread::of(&code).mean;
            let deviation = code.iter().map(|z| (z - mean).abs()).fold(0.0, f64::max);
            let of = |q: f64| groups.iter().map(|groups| 1.0 - spread(&code, groups, q) / deviation).collect::<Vec<f64>>();
            quantile.push(of(QUANTILE));
            maximum.push(if set.is_replicate { Vec::new() } else { of(1.0) });
            weights.push(deviation);
        }
        let total: f64 = weights.iter().sum();
        let weighted = |rows: &[Vec<f64>]| rows.iter().zip(&weights).map(|(row, w)| w * BestTwo::of(row).largest).sum::<f64>() / total;
        let scored = Scored::value(weighted(&quantile));
        if set.is_replicate {
            return Ok(scored);
        }
        let whole = |of: &dyn Fn(usize) -> Vec<f64>| -> Vec<Vec<f64>> {
            (0..set.n_codes()).map(|l| codes.iter().position(|c| *c == l).map_or_else(|| vec![f64::NAN; set.n_factors()], of)).collect()
        };
        let matrix = whole(&|place| quantile[place].clone());
        let per_code: Vec<f64> = matrix.iter().map(|row| if row[0].is_nan() { f64::NAN } else { BestTwo::of(row).largest }).collect();
        let scored = scored.per_code(set, &per_code).matrix(set, &Heat { name: "robustness", unit: "1", values: &matrix });
        Ok(scored.with("maximum_form", json!(weighted(&maximum))))
    }
}

/// Rows of each value, or of each of 20 bins where there are more values.
fn groups(factor: &Factor) -> Vec<Vec<usize>> {
    let rows = factor.labelled();
    let classes: Vec<usize> = if factor.classes > BINS {
        let raw: Vec<f64> = rows.iter().map(|i| factor.raw[*i]).collect();
        equal_width(&raw, BINS).into_iter().map(usize::from).collect()
    } else {
        rows.iter().map(|i| factor.index[*i]).filter(|y| *y != MISSING).map(|y| y as usize).collect()
    };
    let mut groups = vec![Vec::new(); factor.classes.clamp(1, BINS)];
    rows.iter().zip(classes).for_each(|(i, class)| groups[class].push(*i));
    groups.retain(|group| !group.is_empty());
    groups
}

/// The mean over groups of the quantile of |z − group mean|, linear between order statistics.
fn spread(code: &[f64], groups: &[Vec<usize>], q: f64) -> f64 {
    let of = |group: &Vec<usize>| {
        let mean = group.iter().map(|i| code[*i]).sum::<f64>() / group.len() as f64;
        let mut deviations: Vec<f64> = group.iter().map(|i| (code[*i] - mean).abs()).collect();
        let place = q * (group.len() - 1) as f64;
        let below = place.floor() as usize;
        let (_, low, above) = deviations.select_nth_unstable_by(below, f64::total_cmp);
        let low = *low;
        let high = above.iter().copied().fold(f64::INFINITY, f64::min);
        if place.fract() == 0.0 { low } else { low + place.fract() * (high - low) }
    };
    groups.iter().map(of).sum::<f64>() / groups.len() as f64
}
