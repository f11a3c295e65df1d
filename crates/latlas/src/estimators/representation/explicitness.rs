//! Explicitness: how well a linear classifier on all codes ranks each value of a factor.
//!
//! ```text
//! mean over factors of the mean over values of AUC(P(y_k = u | z)) on test rows
//! ```
//!
//! - One logistic regression (C = 1) for each factor, on codes standardised by the training rows; AUC of one value against
//!   the rest, ties counting ½.
//! - Shape: scalar; `per_factor` [K], `train`. Unit: 1. Range: 0.5 (chance) to 1.
//! - Invariances: order of rows, codes and values; affine maps of a code. Nearly unchanged by turns of the codes, which is
//!   why it stands beside modularity: one asks whether factors can be read, the other whether codes are pure.
//! - Cost: one L-BFGS fit a factor. Standard error: five thinned sets.
//! - Bias: few rows to learn from lower it.
//!
//! References: Ridgeway and Mozer, Learning Deep Disentangled Embeddings with the F-Statistic Loss (2018).

use serde_json::json;

use super::{STUDY, missing_classes, testable};
use crate::codes::{CodeSet, Effort, Score, Scored};
use crate::error::Result;
use crate::estimators::{Better, Card, Need};

/// Mean AUC.
pub struct Explicitness;

impl Score for Explicitness {
    const CARD: Card = Card {
        id: "explicitness",
        group: "representation",
        title: "Explicitness",
        unit: "1",
        range: "0.5 (chance) to 1",
        better: Better::Higher,
        needs: &[Need::Codes, Need::Factors],
        invariances: &["order of rows, codes and values", "affine maps of a code"],
        references: &["Ridgeway, Mozer: Learning Deep Disentangled Embeddings with the F-Statistic Loss (2018)", STUDY],
        source: include_str!("explicitness.rs"),
    };
    const EFFORT: Effort = Effort::Fits;
    const BEST: Option<f64> = Some(1.0);

    fn score(set: &CodeSet) -> Result<Scored> {
        if let Some(reason) = testable(set) {
            return Ok(Scored::undefined(reason));
        }
        let explicit = set.explicit();
        let known: Vec<_> = explicit.iter().flatten().filter(|e| e.test.is_finite()).collect();
        if known.is_empty() {
            return Ok(Scored::undefined("no-usable-factor"));
        }
        let mean = |of: fn(&crate::codes::Explicit) -> f64| known.iter().map(|e| of(e)).sum::<f64>() / known.len() as f64;
        let mut scored = Scored::value(mean(|e| e.test));
        if set.is_replicate {
            return Ok(scored);
        }
        scored.caveats.extend(missing_classes(set));
        if explicit.iter().flatten().any(|e| !e.converged) {
            scored = scored.with_caveat("not-converged", "some logistic regression stopped before its gradient fell below 1e-6");
        }
        let parts: Vec<f64> = explicit.iter().map(|e| e.as_ref().map_or(f64::NAN, |e| e.test)).collect();
        Ok(scored.per_factor(set, &parts).with("train", json!(mean(|e| e.train))))
    }
}
