//! DCI informativeness: how well boosted trees on all codes predict the factors.
//!
//! ```text
//! mean over factors of the test accuracy
//! ```
//!
//! - The trees of `dci-disentanglement`. This is an accuracy; the paper's own quantity is a normalised error. The accuracy
//!   on the training rows stands in `train` and must not be taken for it.
//! - Shape: scalar; `per_factor` [K], `majority` [K] (what guessing the most common value gives). Unit: accuracy.
//!   Range: 0 to 1.
//! - Invariances: order of rows and values, monotone maps of a code.
//! - Cost: none beside `dci-disentanglement`.
//! - Bias: few rows to learn from lower it. Standard error: five thinned sets, and the binomial part of the test rows.
//!
//! References: Eastwood and Williams, A Framework for the Quantitative Evaluation of Disentangled Representations (2018).

use serde_json::json;

use super::{EASTWOOD, STUDY, binomial_error, missing_classes, spread_factors, testable};
use crate::codes::{Boosted, CodeSet, Effort, Factor, Score, Scored};
use crate::error::Result;
use crate::estimators::{Better, Card, Need};

/// I.
pub struct DciInformativeness;

impl Score for DciInformativeness {
    const CARD: Card = Card {
        id: "dci-informativeness",
        group: "representation",
        title: "DCI informativeness",
        unit: "accuracy",
        range: "0 to 1",
        better: Better::Higher,
        needs: &[Need::Codes, Need::Factors],
        invariances: &["order of rows and values", "monotone maps of a code"],
        references: &[EASTWOOD, STUDY],
        source: include_str!("dci_informativeness.rs"),
    };
    const EFFORT: Effort = Effort::Fits;
    const BEST: Option<f64> = Some(1.0);

    fn score(set: &CodeSet) -> Result<Scored> {
        if let Some(reason) = testable(set) {
            return Ok(Scored::undefined(reason));
        }
        let fits: Vec<&Boosted> = set.boosted().iter().flatten().collect();
        let each = |of: fn(&Boosted) -> f64| fits.iter().map(|fit| of(fit)).collect::<Vec<f64>>();
        let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
        let (train, test) = (each(|fit| fit.train_accuracy), each(|fit| fit.test_accuracy));
        let mut scored = Scored::value(mean(&test));
        scored.test_error = binomial_error(set, &test);
        if set.is_replicate {
            return Ok(scored);
        }
        scored.caveats.extend(missing_classes(set));
        let majority: Vec<f64> = set.test.factors.iter().map(Factor::largest_share).collect();
        let parts = spread_factors(set, &test);
        Ok(scored.per_factor(set, &parts).with("train", json!(mean(&train))).with("majority", json!(majority)))
    }
}
