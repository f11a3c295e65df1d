//! DCI disentanglement: whether each code matters for one factor only.
//!
//! ```text
//! R[l,k] = importance of code l in boosted trees that predict factor k, columns summing to 1
//! D = Σ_l w_l (1 − H_K(row l of R)),   w_l the share of row l
//! ```
//!
//! - Trees: 100 rounds of depth 3, rate 0.1 (`method.builder` names how they find their splits); importance is the impurity
//!   that a code's splits remove. Entropies in base K, every entry raised by 1e-11.
//! - Shape: scalar; `per_code` [L], `weights` [L], `matrix` [L, K]. Unit: 1. Range: 0 to 1.
//! - Invariances: order of rows, monotone maps of a code. Codes that repeat each other: the first takes all, which
//!   `merged_repeats` undoes.
//! - Cost: 100 trees a class, shared with `dci-completeness`, `dci-informativeness` and the boosted ladder.
//! - Bias: noise codes take a small share of importance. Histogram splits give a lower D where classes overlap and rows are
//!   few (by 0.03 at 6,000 rows), since exact ones single out rows. Standard error: refits on five thinned sets.
//!
//! References: Eastwood and Williams, A Framework for the Quantitative Evaluation of Disentangled Representations (2018).
//! Locatello and others, Challenging Common Assumptions in the Unsupervised Learning of Disentangled Representations (2019).

use serde_json::json;

use super::{EASTWOOD, STUDY, importances, testable, with_repeats};
use crate::codes::importance::{Aggregate, disentanglement};
use crate::codes::{CodeSet, Effort, Heat, Score, Scored};
use crate::error::Result;
use crate::estimators::{Better, Card, Need};

/// D.
pub struct DciDisentanglement;

impl Score for DciDisentanglement {
    const CARD: Card = Card {
        id: "dci-disentanglement",
        group: "representation",
        title: "DCI disentanglement",
        unit: "1",
        range: "0 to 1",
        better: Better::Higher,
        needs: &[Need::Codes, Need::Factors],
        invariances: &["order of rows and values", "monotone maps of a code"],
        references: &[EASTWOOD, STUDY],
        source: include_str!("dci_disentanglement.rs"),
    };
    const EFFORT: Effort = Effort::Fits;
    const BEST: Option<f64> = Some(1.0);

    fn score(set: &CodeSet) -> Result<Scored> {
        if let Some(reason) = testable(set) {
            return Ok(Scored::undefined(reason));
        }
        let matrix = importances(set);
        let Aggregate { value, parts, weights } = disentanglement(&matrix);
        let scored = Scored::value(value);
        if set.is_replicate {
            return Ok(scored);
        }
        let scored = with_repeats(scored, set, &matrix, |rows| disentanglement(rows).value);
        let scored = scored.per_code(set, &parts).with("weights", json!(weights));
        let whole = super::over_all_factors(set, &matrix);
        Ok(scored.matrix(set, &Heat { name: "importance", unit: "1", values: &whole }))
    }
}
