//! The Gaussian sketch: a few random probes of each sample in place of its whole Jacobian, corrected exactly.
//!
//! ```text
//! V ∈ ℝᵐˣᴰ, entries N(0, 1);   W = (VJ)ᵀ(VJ) ~ Wishart_d(JᵀJ, m)
//! E ½ log det W_S = ½ log det G_S + c(p, m),   c(p, m) = ½ Σ_{k<p} [ψ((m−k)/2) + log 2],   p = |S| ≤ m
//! ```
//!
//! The sketch VJ is a Jacobian with m rows in place of D. It takes m reverse passes a sample where J takes d forward ones,
//! and every log length, log volume and angle that is computed from it has a bias that depends on the number of columns
//! alone (Bartlett's decomposition of the Wishart distribution), so it is subtracted. What is left is noise of mean zero:
//! single values may be negative where the exact one is not, and must not be clamped.
//!
//! References: Bartlett, On the Theory of Statistical Regression (1933). Goodman, The Distribution of the Determinant of a
//! Complex Wishart Distributed Matrix (1963).

use ndarray::{Array3, Axis};
use rayon::prelude::*;

use crate::error::Result;
use crate::models::Linearization;
use crate::random::{Purpose, Stream};
use crate::special_functions::{digamma, trigamma};

/// c(p, m): how far ½ log det W_S lies above ½ log det G_S on average, |S| = p. NaN for p > m, where there is no volume.
pub fn volume_bias(p: usize, m: usize) -> f64 {
    if p > m {
        return f64::NAN;
    }
    (0..p).map(|k| pivot_bias(k, m)).sum()
}

/// c(k + 1, m) − c(k, m): how far log |R_kk| of a sketch lies above that of J on average, k from 0. NaN for k ≥ m.
pub fn pivot_bias(k: usize, m: usize) -> f64 {
    if k < m { 0.5 * (digamma((m - k) as f64 / 2.0) + std::f64::consts::LN_2) } else { f64::NAN }
}

/// The variance of ½ log det W_S, |S| = p: ¼ Σ_{k<p} ψ₁((m−k)/2), whatever G is. NaN for p > m.
pub fn volume_variance(p: usize, m: usize) -> f64 {
    if p > m {
        return f64::NAN;
    }
    (0..p).map(|k| 0.25 * trigamma((m - k) as f64 / 2.0)).sum()
}

/// Probes V `[n, m, D]` for samples `start .. start + n`. Those of a sample depend on the seed and its index only, so two
/// models that are asked at the same data get the same ones.
pub fn probes(seed: u64, purpose: Purpose, start: u64, (n, m, big_d): (usize, usize, usize)) -> Array3<f64> {
    let mut probes = Array3::zeros((n, m, big_d));
    let samples: Vec<_> = probes.axis_iter_mut(Axis(0)).enumerate().collect();
    samples.into_par_iter().for_each(|(s, mut sample)| {
        let mut stream = Stream::new(seed, purpose, start + s as u64, m * big_d);
        sample.map_inplace(|v| *v = stream.normal());
    });
    probes
}

/// VJ column by column `[n, d, m]`, for V `[n, m, D]`.
///
/// # Errors
/// Those of the model.
pub fn columns(at: &dyn Linearization, probes: &Array3<f64>) -> Result<Array3<f64>> {
    Ok(at.vjp(probes.view())?.permuted_axes([0, 2, 1]).as_standard_layout().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn biases_at_tabulated_sizes() {
        for (m, length, pair, deviation) in [
            (1, -0.6352, f64::NAN, 1.111),
            (2, -0.2886, 0.6931, 0.641),
            (4, -0.1352, 0.1931, 0.402),
            (8, -0.0651, 0.0765, 0.266),
            (16, -0.0319, 0.0344, 0.182),
            (64, -0.00785, 0.0080, 0.089),
        ] {
            assert!((volume_bias(1, m) - 0.5 * (m as f64).ln() - length).abs() < 6e-5, "{m}");
            let overlap = 2.0 * volume_bias(1, m) - volume_bias(2, m);
            assert!((overlap - pair).abs() < 6e-5 || (pair.is_nan() && overlap.is_nan()), "{m}: {overlap}");
            assert!((volume_variance(1, m).sqrt() - deviation).abs() < 6e-4, "{m}");
        }
    }

    #[test]
    fn probes_belong_to_the_sample() {
        let all = probes(3, Purpose::Sketch, 0, (8, 2, 5));
        assert_eq!(probes(3, Purpose::Sketch, 5, (3, 2, 5)), all.slice_axis(Axis(0), ndarray::Slice::from(5..8)));
        assert!(probes(4, Purpose::Sketch, 0, (8, 2, 5)) != all);
    }
}
