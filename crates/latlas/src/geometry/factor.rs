//! The factorisation of one frame A(z) = QR, and what its singular values tell of the metric M = RᵀR.

use ndarray::{Array2, ArrayView1, ArrayView2};

use crate::error::Result;
use crate::linalg;

/// R of A(z) = QR, and the singular values of A, which are the square roots of the eigenvalues of M.
#[derive(Debug, Clone)]
pub struct Factor {
    /// Upper triangular `[d, d]` with M = RᵀR; fewer rows where the frame has fewer.
    pub r: Array2<f64>,
    /// s₁ ≥ … ≥ s_d, zeros included; NaN where the frame is not finite.
    pub singular_values: Vec<f64>,
}

impl Factor {
    /// Of an R.
    ///
    /// # Errors
    /// A decomposition that does not converge.
    pub fn new(r: Array2<f64>) -> Result<Self> {
        let d = r.ncols();
        let mut singular_values = if r.iter().all(|x| x.is_finite()) { singular_values(r.view())? } else { vec![f64::NAN; d] };
        singular_values.resize(d, 0.0);
        Ok(Self { r, singular_values })
    }

    /// Whether all values are finite.
    pub fn is_finite(&self) -> bool {
        self.singular_values.iter().all(|s| s.is_finite())
    }

    /// The number of singular values above `tolerance` · s₁.
    pub fn rank(&self, tolerance: f64) -> usize {
        let largest = self.singular_values.first().copied().unwrap_or(0.0);
        self.singular_values.iter().filter(|s| **s > tolerance * largest).count()
    }

    /// log √det M = Σ log sᵢ, in nats; −∞ without full rank.
    pub fn log_volume(&self) -> f64 {
        self.singular_values.iter().map(|s| s.ln()).sum()
    }

    /// κ(J) = s₁/s_d of the frame; ∞ without full rank. κ(M) is its square.
    pub fn condition(&self) -> f64 {
        match (self.singular_values.first(), self.singular_values.last()) {
            (Some(largest), Some(smallest)) => largest / smallest,
            _ => f64::NAN,
        }
    }

    /// v with R v = w, a vector of the orthonormal frame in coordinates: |v|_M = |w|.
    pub fn coordinates(&self, w: &[f64]) -> Vec<f64> {
        linalg::solve_upper(self.r.view(), w)
    }

    /// R v, a vector in the orthonormal frame: |R v| = |v|_M.
    pub fn orthonormal(&self, v: ArrayView1<'_, f64>) -> Vec<f64> {
        self.r.dot(&v).to_vec()
    }
}

/// In closed form for two columns, where a general routine is all overhead.
fn singular_values(r: ArrayView2<'_, f64>) -> Result<Vec<f64>> {
    if r.dim() != (2, 2) {
        return linalg::singular_values(r);
    }
    let (a, b, c) = (r[[0, 0]], r[[0, 1]], r[[1, 1]]);
    // s₁ ± s₂ = √((|a| ± |c|)² + b²) of an upper triangle; the smaller one from the product, which keeps its digits.
    let (sum, difference) = ((a.abs() + c.abs()).hypot(b), (a.abs() - c.abs()).hypot(b));
    let largest = 0.5 * (sum + difference);
    let smallest = if largest > 0.0 { a.abs() / largest * c.abs() } else { 0.0 };
    Ok(vec![largest, smallest])
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn two_columns_match_the_general_routine() {
        for r in [
            array![[2.0, 1.0], [0.0, 3.0]],
            array![[-1.0, 1e8], [0.0, 1e-4]],
            array![[0.0, 1.0], [0.0, 0.0]],
            array![[5.0, 0.0], [0.0, -5.0]],
        ] {
            let (closed, general) = (singular_values(r.view()).unwrap(), linalg::singular_values(r.view()).unwrap());
            assert!(closed.iter().zip(&general).all(|(a, b)| (a - b).abs() <= 1e-15 * general[0]), "{closed:?} {general:?}");
        }
        let factor = Factor::new(array![[-1.0, 1e8], [0.0, 1e-4]]).unwrap();
        assert!((factor.log_volume() - 1e-4_f64.ln()).abs() < 1e-14, "the product is exact: {}", factor.log_volume());
        assert_eq!(Factor::new(array![[3.0, 0.0, 1.0]]).unwrap().rank(1e-10), 1);
        assert!(!Factor::new(array![[f64::NAN]]).unwrap().is_finite());
    }
}
