//! Mean mutual information of code pairs.
//!
//! ```text
//! mean over l < m of I(z_l; z_m), each code in 20 bins of equal width
//! ```
//!
//! - Plug-in (preset study-2019) or without its expected bias (latlas); the other stands in `plug_in` or `corrected`.
//! - Shape: scalar; `pairs` [L, L]. Unit: nats. Range: ≥ 0; 0 with one code.
//! - Invariances: order of rows and codes, positive scaling of a code.
//! - Cost: n·L²/2 counts. Standard error: 100 sets of resampled rows.
//! - Bias: plug-in information of 20 × 20 bins is too large by about 180/n; with few rows the correction is too small.
//!   Pairs miss what three codes share: it is 0 for a, b and a xor b.
//!
//! References: Locatello and others, Challenging Common Assumptions in the Unsupervised Learning of Disentangled
//! Representations (2019).

use rayon::prelude::*;
use serde_json::json;

use super::STUDY;
use crate::codes::{BINS, CodeSet, Effort, JointCounts, Score, Scored};
use crate::error::Result;
use crate::estimators::{Better, Card, Need};

/// What pairs of codes share.
pub struct MeanMutualInformation;

impl Score for MeanMutualInformation {
    const CARD: Card = Card {
        id: "mean-mutual-information",
        group: "representation",
        title: "Mean mutual information of code pairs",
        unit: "nats",
        range: "≥ 0",
        better: Better::Lower,
        needs: &[Need::Codes],
        invariances: &["order of rows and codes", "positive scaling of a code"],
        references: &[STUDY],
        source: include_str!("mean_mutual_information.rs"),
    };
    const EFFORT: Effort = Effort::Sums;

    fn score(set: &CodeSet) -> Result<Scored> {
        let bins = &set.information().bins;
        let l = bins.len();
        let pairs: Vec<(usize, usize)> = (0..l).flat_map(|a| (a + 1..l).map(move |b| (a, b))).collect();
        let counts = |(a, b): &(usize, usize)| {
            let table = JointCounts::new(bins[*a].iter().zip(&bins[*b]).map(|(a, b)| (usize::from(*a), usize::from(*b))), (BINS, BINS));
            (table.information(), table.corrected())
        };
        let found: Vec<(f64, f64)> = pairs.par_iter().map(counts).collect();
        let mean = |of: fn(&(f64, f64)) -> f64| found.iter().map(of).sum::<f64>() / found.len().max(1) as f64;
        let (plug_in, corrected) = (mean(|x| x.0), mean(|x| x.1));
        let scored = Scored::value(if set.is_study() { plug_in } else { corrected });
        if set.is_replicate {
            return Ok(scored);
        }
        let mut matrix = vec![vec![serde_json::Value::Null; l]; l];
        for ((a, b), (plain, corrected)) in pairs.iter().zip(&found) {
            let value = json!(if set.is_study() { plain } else { corrected });
            (matrix[*a][*b], matrix[*b][*a]) = (value.clone(), value);
        }
        Ok(scored.with("pairs", json!(matrix)).with("plug_in", json!(plug_in)).with("corrected", json!(corrected)))
    }
}
