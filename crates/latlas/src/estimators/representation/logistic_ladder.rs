//! Downstream accuracy of logistic regression with few and many labels.
//!
//! ```text
//! accuracy(m) = mean over factors of the test accuracy of a fit to m labelled rows,   m = 10, 100, 1,000, 10,000
//! ```
//!
//! - The penalty is the best of ten (1e-4 to 1e4) over five contiguous folds; codes are not scaled. Small sets are drawn ten
//!   times (1,000 rows: three times) without replacement, and the value is the mean over draws.
//! - Shape: [4]; `minimum` [4] is the worst factor's, `majority` what guessing the most common value gives. Unit: accuracy.
//!   Range: 0 to 1. A size beyond the rows that are there is undefined; `all_rows` is the accuracy with all of them.
//! - Invariances: order of codes and values; turns of the codes leave it nearly unchanged.
//! - Cost: 51 L-BFGS fits for each factor, size and draw.
//! - Bias: none for the draws; 10,000 rows are one draw. Standard errors join the spread of draws and the binomial part of
//!   the test rows. Predicting the generating factors themselves is a contrived task.
//!
//! References: Locatello and others, Challenging Common Assumptions in the Unsupervised Learning of Disentangled
//! Representations (2019).

use super::{STUDY, testable};
use crate::codes::ladder::{Learner, ladder};
use crate::codes::{CodeSet, Effort, Score, Scored};
use crate::error::Result;
use crate::estimators::{Better, Card, Need};

/// Accuracy by number of labels.
pub struct LogisticLadder;

impl Score for LogisticLadder {
    const CARD: Card = Card {
        id: "logistic-ladder",
        group: "representation",
        title: "Downstream accuracy of logistic regression",
        unit: "accuracy",
        range: "0 to 1",
        better: Better::Higher,
        needs: &[Need::Codes, Need::Factors],
        invariances: &["order of codes and values"],
        references: &[STUDY],
        source: include_str!("logistic_ladder.rs"),
    };
    const EFFORT: Effort = Effort::Fits;
    const HAS_NULL: bool = false;

    fn score(set: &CodeSet) -> Result<Scored> {
        Ok(match testable(set) {
            Some(reason) => Scored::undefined(reason),
            None => ladder(set, Learner::Logistic),
        })
    }
}
