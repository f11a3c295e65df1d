//! Wasserstein correlation: how far a Gaussian with the covariance of the codes is from one with independent codes.
//!
//! ```text
//! W = 2 tr C − 2 tr (D^½ C D^½)^½,   D = diag C
//! ```
//!
//! - The squared 2-Wasserstein distance of both Gaussians; `per_trace` is W/tr C. The root is the symmetric one, which stays
//!   real.
//! - Shape: scalar. Unit: squared units of the codes. Range: ≥ 0, finite for codes that repeat each other.
//! - Invariances: order of rows and codes, shifts. Scaling all codes by c multiplies it by c²; `per_trace` stays.
//! - Cost: n·L² + L³. Standard error: 100 sets of resampled rows.
//! - Bias: upwards by order 1/n. It sees linear dependence only.
//!
//! References: Dowson and Landau, The Fréchet Distance between Multivariate Normal Distributions (1982). Locatello and others,
//! Challenging Common Assumptions in the Unsupervised Learning of Disentangled Representations (2019).

use ndarray::Array2;
use serde_json::json;

use super::STUDY;
use crate::codes::{CodeSet, Effort, Score, Scored};
use crate::error::Result;
use crate::estimators::{Better, Card, Need};
use crate::linalg::symmetric_eigen;

/// Distance from independence.
pub struct GaussianWasserstein;

impl Score for GaussianWasserstein {
    const CARD: Card = Card {
        id: "gaussian-wasserstein",
        group: "representation",
        title: "Gaussian Wasserstein correlation of codes",
        unit: "squared units of the codes",
        range: "≥ 0",
        better: Better::Lower,
        needs: &[Need::Codes],
        invariances: &["order of rows and codes", "shifts of a code"],
        references: &["Dowson, Landau: The Fréchet Distance between Multivariate Normal Distributions (1982)", STUDY],
        source: include_str!("gaussian_wasserstein.rs"),
    };
    const EFFORT: Effort = Effort::Sums;

    fn score(set: &CodeSet) -> Result<Scored> {
        let (n, l) = set.train.codes.dim();
        let mean = set.train.codes.sum_axis(ndarray::Axis(0)) / n as f64;
        let centred = &*set.train.codes - &mean;
        let covariance: Array2<f64> = centred.t().dot(&centred) / (n.max(2) - 1) as f64;
        let (value, trace) = distance(&covariance, l)?;
        Ok(Scored::value(value).with("per_trace", json!(if trace > 0.0 { value / trace } else { 0.0 })))
    }
}

fn distance(covariance: &Array2<f64>, l: usize) -> Result<(f64, f64)> {
    let trace: f64 = (0..l).map(|i| covariance[[i, i]]).sum();
    if trace <= 0.0 {
        return Ok((0.0, 0.0));
    }
    let deviation = |i: usize| covariance[[i, i]].max(0.0).sqrt();
    let scaled = Array2::from_shape_fn((l, l), |(i, j)| covariance[[i, j]] * deviation(i) * deviation(j));
    let (values, _) = symmetric_eigen(scaled.view())?;
    let roots: f64 = values.iter().map(|x| x.max(0.0).sqrt()).sum();
    Ok((2.0 * trace - 2.0 * roots, trace))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use ndarray::array;

    use super::distance;

    #[test]
    fn known_covariances() {
        for (covariance, w, per_trace) in
            [(array![[1.0, 0.6], [0.6, 1.0]], 0.205_267, 0.102_633), (array![[4.0, 1.2], [1.2, 1.0]], 0.325_291, 0.065_058)]
        {
            let (value, trace) = distance(&covariance, 2).unwrap();
            assert!((value - w).abs() < 1e-6 && (value / trace - per_trace).abs() < 1e-6, "{value}");
        }
        let half = array![[1.0, 0.5, 0.5], [0.5, 1.0, 0.5], [0.5, 0.5, 1.0]];
        assert!((distance(&half, 3).unwrap().0 - 0.343_146).abs() < 1e-6);
    }
}
