//! Supremum of the information gap: how much more a code knows of its best factor than of its second best.
//!
//! ```text
//! MIG-sup = mean over l of the gap between the two largest I(z_l; y_k) / H(y_k) over k
//! ```
//!
//! The mutual information gap asks whether a factor sits in one code; this asks whether a code holds one factor.
//!
//! - Shape: scalar; `per_code` [L], `matrix` [L, K] of I/H. Unit: 1. Range: 0 to 1.
//! - Invariances: order of rows and codes, names of values, positive scaling of a code.
//! - Cost: the counts of `mig`. Standard error: 100 sets of resampled rows.
//! - Bias: as of `mig`. A constant code counts 0 (preset study-2019) or is left out (latlas).
//!
//! References: Li, Murphy, Sclaroff and others, Progressive Learning and Disentanglement of Hierarchical Representations (2020).

use super::usable;
use crate::codes::{BestTwo, CodeSet, Effort, Heat, Score, Scored};
use crate::error::Result;
use crate::estimators::{Better, Card, Need};

/// The gap of each code.
pub struct MigSup;

impl Score for MigSup {
    const CARD: Card = Card {
        id: "mig-sup",
        group: "representation",
        title: "Information gap of codes (MIG-sup)",
        unit: "1",
        range: "0 to 1",
        better: Better::Higher,
        needs: &[Need::Codes, Need::Factors],
        invariances: &["order of rows, codes and values", "positive scaling of a code"],
        references: &["Li, Murphy, Sclaroff and others: Progressive Learning and Disentanglement of Hierarchical Representations (2020)"],
        source: include_str!("mig_sup.rs"),
    };
    const EFFORT: Effort = Effort::Sums;
    const BEST: Option<f64> = Some(1.0);

    fn score(set: &CodeSet) -> Result<Scored> {
        if let Some(reason) = usable(set) {
            return Ok(Scored::undefined(reason));
        }
        let information = set.information();
        let factors = set.varying_factors();
        let share = |row: &Vec<f64>| factors.iter().map(|k| row[*k] / information.entropy(*k)).collect::<Vec<f64>>();
        let shares: Vec<Vec<f64>> = information.matrix().iter().map(share).collect();
        let gaps: Vec<f64> = shares.iter().map(|row| BestTwo::of(row).gap()).collect();
        let scored = Scored::value(gaps.iter().sum::<f64>() / gaps.len() as f64);
        if set.is_replicate {
            return Ok(scored);
        }
        let whole: Vec<Vec<f64>> =
            information.matrix().iter().map(|row| row.iter().enumerate().map(|(k, x)| x / information.entropy(k)).collect()).collect();
        Ok(scored.per_code(set, &gaps).matrix(set, &Heat { name: "information share", unit: "1", values: &whole }))
    }
}
