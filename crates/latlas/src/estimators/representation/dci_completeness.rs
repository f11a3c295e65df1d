//! DCI completeness: whether each factor is held by one code only.
//!
//! ```text
//! R[l,k] = importance of code l in boosted trees that predict factor k, columns summing to 1
//! C = Σ_k w_k (1 − H_L(column k of R)),   w_k the share of column k
//! ```
//!
//! - The trees of `dci-disentanglement`. Entropies in base L, every entry raised by 1e-11.
//! - Shape: scalar; `per_factor` [K]. Unit: 1. Range: 0 to 1.
//! - Invariances: order of rows, monotone maps of a code. Not adding unused codes: the base grows.
//! - Cost: none beside `dci-disentanglement`. Standard error: refits on five thinned sets.
//! - Bias: noise codes take a small share of importance.
//!
//! References: Eastwood and Williams, A Framework for the Quantitative Evaluation of Disentangled Representations (2018).

use super::{EASTWOOD, STUDY, importances, testable, with_repeats};
use crate::codes::importance::completeness;
use crate::codes::{CodeSet, Effort, Score, Scored};
use crate::error::Result;
use crate::estimators::{Better, Card, Need};

/// C.
pub struct DciCompleteness;

impl Score for DciCompleteness {
    const CARD: Card = Card {
        id: "dci-completeness",
        group: "representation",
        title: "DCI completeness",
        unit: "1",
        range: "0 to 1",
        better: Better::Higher,
        needs: &[Need::Codes, Need::Factors],
        invariances: &["order of rows and values", "monotone maps of a code"],
        references: &[EASTWOOD, STUDY],
        source: include_str!("dci_completeness.rs"),
    };
    const EFFORT: Effort = Effort::Fits;
    const BEST: Option<f64> = Some(1.0);

    fn score(set: &CodeSet) -> Result<Scored> {
        if let Some(reason) = testable(set) {
            return Ok(Scored::undefined(reason));
        }
        let matrix = importances(set);
        let found = completeness(&matrix);
        let scored = Scored::value(found.value);
        if set.is_replicate {
            return Ok(scored);
        }
        let scored = with_repeats(scored, set, &matrix, |rows| completeness(rows).value);
        let message = format!("{} codes: entropies are taken in that base", set.n_codes());
        let parts = super::spread_factors(set, &found.parts);
        Ok(scored.per_factor(set, &parts).with_caveat("not-comparable-across-l", message))
    }
}
