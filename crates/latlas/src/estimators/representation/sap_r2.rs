//! Separated attribute predictability, R² form: the gap between the two codes that say most of a factor linearly.
//!
//! ```text
//! SAP = mean over k of (largest − second largest over l of corr(z_l, y_k)²)
//! ```
//!
//! - R² of training rows; 0 for a code that does not vary. A factor enters by its values, so it suits ordinal and continuous
//!   ones; for names see `sap-svm`. The order of two models can flip between both forms.
//! - Shape: scalar; `per_factor` [K], `matrix` [L, K]. Unit: 1. Range: 0 to 1.
//! - Invariances: order of rows and codes, affine maps of a code or of a factor.
//! - Cost: n·L·K. Standard error: 100 sets of resampled rows.
//! - Bias: R² of independent columns is about 1/n. Links that are not linear are missed.
//!
//! References: Kumar, Sattigeri and Balakrishnan, Variational Inference of Disentangled Latent Concepts from Unlabeled
//! Observations (2018). Locatello and others, Challenging Common Assumptions in the Unsupervised Learning of Disentangled
//! Representations (2019).

use serde_json::json;

use super::{KUMAR, STUDY, usable};
use crate::codes::{BestTwo, CodeSet, Effort, Heat, Score, Scored};
use crate::error::Result;
use crate::estimators::{Better, Card, Need};
use crate::learners::ranks::squared_correlation;

/// The gap of R².
pub struct SapR2;

/// R² of every code and factor, `[l][k]`.
pub(super) fn correlations(set: &CodeSet) -> Vec<Vec<f64>> {
    let row = |l: usize| {
        let code = set.train.code(l);
        set.train.factors.iter().map(|factor| squared_correlation(&code, &factor.raw)).collect()
    };
    (0..set.n_codes()).map(row).collect()
}

impl Score for SapR2 {
    const CARD: Card = Card {
        id: "sap-r2",
        group: "representation",
        title: "Separated attribute predictability, R²",
        unit: "1",
        range: "0 to 1",
        better: Better::Higher,
        needs: &[Need::Codes, Need::Factors],
        invariances: &["order of rows and codes", "affine maps of a code or of a factor"],
        references: &[KUMAR, STUDY],
        source: include_str!("sap_r2.rs"),
    };
    const EFFORT: Effort = Effort::Sums;
    const BEST: Option<f64> = Some(1.0);

    fn score(set: &CodeSet) -> Result<Scored> {
        if let Some(reason) = usable(set) {
            return Ok(Scored::undefined(reason));
        }
        let matrix = correlations(set);
        let factors = set.varying_factors();
        let gap = |k: usize, codes: &[usize]| BestTwo::of(&codes.iter().map(|l| matrix[*l][k]).collect::<Vec<f64>>()).gap();
        let all: Vec<usize> = (0..set.n_codes()).collect();
        let mean = |codes: &[usize]| factors.iter().map(|k| gap(*k, codes)).sum::<f64>() / factors.len() as f64;
        let scored = Scored::value(mean(&all));
        if set.is_replicate {
            return Ok(scored);
        }
        let gaps: Vec<f64> = (0..set.n_factors()).map(|k| if factors.contains(&k) { gap(k, &all) } else { f64::NAN }).collect();
        let scored = scored.per_factor(set, &gaps).matrix(set, &Heat { name: "R²", unit: "1", values: &matrix });
        Ok(scored.with("merged_repeats", json!(mean(&set.distinct_codes()))))
    }
}
