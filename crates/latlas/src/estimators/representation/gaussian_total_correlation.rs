//! Total correlation of a Gaussian with the covariance of the codes.
//!
//! ```text
//! TC = ½ (Σ_l ln C_ll − ln det C)
//! ```
//!
//! - Shape: scalar; `independent_subset` is the value over a largest set of linearly independent codes (pivoted Cholesky,
//!   1e-10). Unit: nats. Range: ≥ 0, +∞ where a code is a linear function of others. No ridge is added.
//! - Invariances: order of rows and codes, affine maps of a code.
//! - Cost: n·L² + L³. Standard error: 100 sets of resampled rows.
//! - Bias: about L(L − 1)/4n upwards. It sees linear dependence only: codes a + b and a − b of two bits give 0. Codes that
//!   do not vary add nothing.
//!
//! References: Watanabe, Information Theoretical Analysis of Multivariate Correlation (1960). Locatello and others,
//! Challenging Common Assumptions in the Unsupervised Learning of Disentangled Representations (2019).

use ndarray::Array2;
use serde_json::json;

use super::STUDY;
use crate::codes::{CodeSet, Effort, Score, Scored, standardised};
use crate::error::Result;
use crate::estimators::{Better, Card, Need};

/// Linear dependence of the codes.
pub struct GaussianTotalCorrelation;

/// A code of which less than this is left beside the others is a linear function of them.
const SINGULAR: f64 = 1e-10;

impl Score for GaussianTotalCorrelation {
    const CARD: Card = Card {
        id: "gaussian-total-correlation",
        group: "representation",
        title: "Gaussian total correlation of codes",
        unit: "nats",
        range: "≥ 0, +∞ where codes are linearly dependent",
        better: Better::Lower,
        needs: &[Need::Codes],
        invariances: &["order of rows and codes", "affine maps of a code"],
        references: &["Watanabe: Information Theoretical Analysis of Multivariate Correlation (1960)", STUDY],
        source: include_str!("gaussian_total_correlation.rs"),
    };
    const EFFORT: Effort = Effort::Sums;

    fn score(set: &CodeSet) -> Result<Scored> {
        let codes = set.varying_codes();
        let scaled = standardised(&set.train.codes, &set.train.codes);
        let scaled = scaled.select(ndarray::Axis(1), &codes);
        let correlations = scaled.t().dot(&scaled) / set.train.rows() as f64;
        let (subset, log_det) = pivoted(&correlations);
        let independent = (-0.5 * log_det).max(0.0) + 0.0;
        if subset.len() < codes.len() {
            let left_out = codes.len() - subset.len();
            let ids: Vec<usize> = subset.iter().map(|l| set.code_ids[codes[*l]]).collect();
            let scored =
                Scored::value(f64::INFINITY).with_caveat("singular-covariance", format!("{left_out} codes are linear functions of others"));
            return Ok(scored.with("independent_subset", json!({ "value": independent, "codes": ids })));
        }
        Ok(Scored::value(independent))
    }
}

/// A largest set of independent columns and the logarithm of their determinant.
fn pivoted(correlations: &Array2<f64>) -> (Vec<usize>, f64) {
    let mut rest = correlations.clone();
    let (mut chosen, mut log_det) = (Vec::new(), 0.0);
    loop {
        let left = (0..rest.nrows()).filter(|l| !chosen.contains(l));
        let Some(pivot) = left.max_by(|a, b| rest[[*a, *a]].total_cmp(&rest[[*b, *b]]).then(b.cmp(a))) else { break };
        let variance = rest[[pivot, pivot]];
        if variance <= SINGULAR {
            break;
        }
        chosen.push(pivot);
        log_det += variance.ln();
        let column = rest.column(pivot).to_owned();
        for ((a, b), x) in rest.indexed_iter_mut() {
            *x -= column[a] * column[b] / variance;
        }
    }
    chosen.sort_unstable();
    (chosen, log_det)
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::pivoted;

    #[test]
    fn determinants() {
        assert!((-0.5 * pivoted(&array![[1.0, 0.6], [0.6, 1.0]]).1 - 0.223_144).abs() < 1e-6);
        let half = array![[1.0, 0.5, 0.5], [0.5, 1.0, 0.5], [0.5, 0.5, 1.0]];
        assert!((-0.5 * pivoted(&half).1 - 0.346_574).abs() < 1e-6);
        assert_eq!(pivoted(&array![[1.0, 1.0], [1.0, 1.0]]).0, [0]);
    }
}
