//! Sample efficiency of logistic regression: how much of its accuracy a hundred labels give.
//!
//! ```text
//! mean accuracy with 100 labels / mean accuracy with 10,000 labels
//! ```
//!
//! - The ladder of `logistic-ladder`; with fewer than 10,000 rows the denominator is the accuracy with all of them
//!   (`all_rows`). The numerator is the mean over ten draws; `spread_of_draws` is what a single draw scatters by.
//! - Shape: scalar. Unit: 1. Range: above 0, mostly below 1; undefined where nothing is ever right.
//! - Invariances: order of codes and values. Cost: none beside the ladder.
//! - Bias: with a harder task both accuracies fall, so a high ratio may mean that more labels do not help either.
//!
//! References: Locatello and others, Challenging Common Assumptions in the Unsupervised Learning of Disentangled
//! Representations (2019).

use super::{STUDY, testable};
use crate::codes::ladder::{Learner, efficiency};
use crate::codes::{CodeSet, Effort, Score, Scored};
use crate::error::Result;
use crate::estimators::{Better, Card, Need};

/// Accuracy at 100 labels relative to many.
pub struct LogisticEfficiency;

impl Score for LogisticEfficiency {
    const CARD: Card = Card {
        id: "logistic-efficiency",
        group: "representation",
        title: "Sample efficiency of logistic regression",
        unit: "1",
        range: "above 0",
        better: Better::Higher,
        needs: &[Need::Codes, Need::Factors],
        invariances: &["order of codes and values"],
        references: &[STUDY],
        source: include_str!("logistic_efficiency.rs"),
    };
    const EFFORT: Effort = Effort::Fits;
    const HAS_NULL: bool = false;

    fn score(set: &CodeSet) -> Result<Scored> {
        Ok(match testable(set) {
            Some(reason) => Scored::undefined(reason),
            None => efficiency(set, Learner::Logistic),
        })
    }
}
