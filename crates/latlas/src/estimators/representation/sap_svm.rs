//! Separated attribute predictability, classifier form: the gap between the two codes from which a factor is told best.
//!
//! ```text
//! SAP = mean over k of (largest − second largest over l of the test accuracy of a linear machine on z_l alone)
//! ```
//!
//! - A linear support-vector machine with squared hinge loss and C = 0.01, one class against the rest, codes unscaled.
//! - Shape: scalar; `per_factor` [K], `matrix` [L, K] of accuracies. Unit: 1. Range: 0 to 1.
//! - Invariances: order of rows and codes, names of values. Not scaling: the loss is weak, and a narrow code scores lower.
//! - Cost: one sort of each code; Newton's method on sums over sorted rows.
//! - Bias: it cannot pick out middle classes. A noise-free code of unit variance scores 1.00, 0.80, 0.20, 0.05 for 3, 5, 10,
//!   40 ordered values.
//! - Standard error: five thinned sets, and the binomial part of the test rows.
//!
//! References: Kumar, Sattigeri and Balakrishnan, Variational Inference of Disentangled Latent Concepts from Unlabeled
//! Observations (2018). Locatello and others, Challenging Common Assumptions in the Unsupervised Learning of Disentangled
//! Representations (2019).

use serde_json::json;

use super::{KUMAR, STUDY, missing_classes, testable};
use crate::codes::{BestTwo, CodeSet, Effort, Heat, Score, Scored};
use crate::error::Result;
use crate::estimators::{Better, Card, Need};

/// The gap of accuracies.
pub struct SapSvm;

impl Score for SapSvm {
    const CARD: Card = Card {
        id: "sap-svm",
        group: "representation",
        title: "Separated attribute predictability, linear machine",
        unit: "1",
        range: "0 to 1",
        better: Better::Higher,
        needs: &[Need::Codes, Need::Factors],
        invariances: &["order of rows, codes and values"],
        references: &[KUMAR, STUDY],
        source: include_str!("sap_svm.rs"),
    };
    const EFFORT: Effort = Effort::Fits;
    const BEST: Option<f64> = Some(1.0);

    fn score(set: &CodeSet) -> Result<Scored> {
        if let Some(reason) = testable(set) {
            return Ok(Scored::undefined(reason));
        }
        let accuracies: Vec<Vec<f64>> =
            set.svm().iter().map(|row| row.iter().map(|accuracy| accuracy.unwrap_or(f64::NAN)).collect()).collect();
        let factors = set.varying_factors();
        let two = |k: usize, codes: &[usize]| {
            let mut column: Vec<f64> = codes.iter().map(|l| accuracies[*l][k]).collect();
            if column.len() == 1 {
                // Without a second code the second best guesses the most common value.
                column.push(set.test.factors[k].largest_share().min(column[0]));
            }
            BestTwo::of(&column)
        };
        let all: Vec<usize> = (0..set.n_codes()).collect();
        let mean = |codes: &[usize]| factors.iter().map(|k| two(*k, codes).gap()).sum::<f64>() / factors.len() as f64;
        let mut scored = Scored::value(mean(&all));
        let variance = |k: usize| {
            let (n, two) = (set.test.factors[k].labelled().len() as f64, two(k, &all));
            (two.largest * (1.0 - two.largest) + two.second * (1.0 - two.second)) / n
        };
        scored.test_error = factors.iter().map(|k| variance(*k)).sum::<f64>().sqrt() / factors.len() as f64;
        if set.is_replicate {
            return Ok(scored);
        }
        scored.caveats.extend(missing_classes(set));
        let gaps: Vec<f64> = (0..set.n_factors()).map(|k| if factors.contains(&k) { two(k, &all).gap() } else { f64::NAN }).collect();
        let scored = scored.per_factor(set, &gaps).matrix(set, &Heat { name: "accuracy of one code", unit: "1", values: &accuracies });
        Ok(scored.with("merged_repeats", json!(mean(&set.distinct_codes()))))
    }
}
