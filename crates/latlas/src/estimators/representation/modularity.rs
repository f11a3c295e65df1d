//! Modularity: whether each code shares information with one factor only.
//!
//! ```text
//! per code, m = max_k I²:   1 − (Σ_k I² − m)/(m (K − 1)),   0 where m = 0
//! ```
//!
//! - Preset study-2019: plug-in information, the mean over all codes. Preset latlas: corrected information, the mean over
//!   codes that know some factor significantly (G-test, p < 0.01/(L K)); in plug-in information bias alone fills the row of
//!   a noise code in proportion to the numbers of values, and such a code scores high.
//! - Shape: scalar; `per_code` [L], `significant_codes`. Unit: 1. Range: 0 to 1.
//! - Invariances: order of rows and codes, names of values, positive scaling of a code.
//! - Cost: the counts of `mig`. Standard error: 100 sets of resampled rows.
//! - Bias: see above. It does not see codes that repeat each other, and barely sees mixing. With one factor it is 1 where
//!   the code is significant.
//!
//! References: Ridgeway and Mozer, Learning Deep Disentangled Embeddings with the F-Statistic Loss (2018).
//! Locatello and others, Challenging Common Assumptions in the Unsupervised Learning of Disentangled Representations (2019).

use serde_json::json;

use super::{STUDY, usable};
use crate::codes::{BestTwo, CodeSet, Effort, Information, Score, Scored};
use crate::error::Result;
use crate::estimators::{Better, Card, Need};
use crate::special_functions::chi_square_tail;

/// Whether codes are modular.
pub struct Modularity;

/// Level of the test whether a code knows anything.
const LEVEL: f64 = 0.01;

impl Score for Modularity {
    const CARD: Card = Card {
        id: "modularity",
        group: "representation",
        title: "Modularity",
        unit: "1",
        range: "0 to 1",
        better: Better::Higher,
        needs: &[Need::Codes, Need::Factors],
        invariances: &["order of rows, codes and values", "positive scaling of a code"],
        references: &["Ridgeway, Mozer: Learning Deep Disentangled Embeddings with the F-Statistic Loss (2018)", STUDY],
        source: include_str!("modularity.rs"),
    };
    const EFFORT: Effort = Effort::Sums;
    const BEST: Option<f64> = Some(1.0);

    fn score(set: &CodeSet) -> Result<Scored> {
        if let Some(reason) = usable(set) {
            return Ok(Scored::undefined(reason));
        }
        let information = set.information();
        let significant: Vec<usize> = (0..set.n_codes()).filter(|l| is_significant(information, *l)).collect();
        let parts: Vec<f64> = (0..set.n_codes()).map(|l| of_code(&information.matrix()[l], significant.contains(&l))).collect();
        let counted: Vec<usize> = if set.is_study() { (0..set.n_codes()).collect() } else { significant.clone() };
        let value = counted.iter().map(|l| parts[*l]).sum::<f64>() / counted.len().max(1) as f64;
        let ids: Vec<usize> = significant.iter().map(|l| set.code_ids[*l]).collect();
        Ok(Scored::value(value).per_code(set, &parts).with("significant_codes", json!(ids)))
    }
}

fn of_code(row: &[f64], is_significant: bool) -> f64 {
    let squares: Vec<f64> = row.iter().map(|x| x * x).collect();
    let m = BestTwo::of(&squares).largest;
    if row.len() < 2 {
        return f64::from(u8::from(is_significant));
    }
    if m == 0.0 { 0.0 } else { 1.0 - (squares.iter().sum::<f64>() - m) / (m * (row.len() - 1) as f64) }
}

/// Whether a code knows some factor: 2n I is χ² under independence.
fn is_significant(information: &Information, l: usize) -> bool {
    let row = &information.tables[l];
    let level = LEVEL / (row.len() * information.tables.len()) as f64;
    row.iter().zip(&information.plug_in[l]).any(|(table, i)| chi_square_tail(2.0 * table.n() * i, table.freedom()) < level)
}
