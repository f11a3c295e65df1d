//! Principal components of the data: the linear baseline that a decoder is read beside.

use ndarray::{Array2, Axis};

use crate::context::Principal;
use crate::error::Result;
use crate::linalg;

/// Rows at most; beyond it they are taken evenly.
const MOST_ROWS: usize = 2000;
/// Operations that the smaller of both Gram matrices may take.
const OPERATIONS: f64 = 2e10;

/// The first d principal components of data `[n, D]`. `None` for fewer than two rows.
///
/// ```text
/// σₖ² = λₖ(X̃ᵀX̃)/(m − 1),   s.e.(log σₖ) = sd(score²) / (2 σₖ² √m)
/// ```
///
/// for m rows, centred. The standard error is the asymptotic one of a simple eigenvalue for any distribution (Davis 1977).
///
/// # Errors
/// A decomposition that does not converge.
pub fn principal(data: &Array2<f64>, d: usize) -> Result<Option<Principal>> {
    let most = MOST_ROWS.min((OPERATIONS / data.ncols() as f64).sqrt() as usize).max(2);
    let n = data.nrows();
    if n < 2 {
        return Ok(None);
    }
    let rows = n.min(most);
    let chosen: Vec<usize> = (0..rows).map(|k| k * n / rows).collect();
    let mut centred = data.select(Axis(0), &chosen);
    let mean = centred.sum_axis(Axis(0)) / rows as f64;
    centred -= &mean;
    let m = rows as f64;
    let (values, scores) = if rows <= data.ncols() {
        let (values, vectors) = linalg::symmetric_eigen(centred.dot(&centred.t()).view())?;
        let scores = Array2::from_shape_fn(vectors.dim(), |(s, k)| vectors[[s, k]] * values[k].max(0.0).sqrt());
        (values, scores)
    } else {
        let (values, vectors) = linalg::symmetric_eigen(centred.t().dot(&centred).view())?;
        (values, centred.dot(&vectors))
    };
    let total: f64 = centred.iter().map(|x| x * x).sum();
    let mut principal = Principal { rows, log_deviations: Vec::new(), standard_errors: Vec::new(), left_over: vec![total / m] };
    let mut explained = 0.0;
    for k in (0..values.len()).rev().take(d) {
        let variance = values[k].max(0.0) / (m - 1.0);
        let squares: Vec<f64> = scores.column(k).iter().map(|x| x * x).collect();
        let mean = squares.iter().sum::<f64>() / m;
        let spread = (squares.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (m - 1.0)).sqrt();
        explained += values[k].max(0.0);
        principal.log_deviations.push(0.5 * variance.ln());
        principal.standard_errors.push(0.5 * spread / (variance * m.sqrt()));
        principal.left_over.push((total - explained).max(0.0) / m);
    }
    principal.log_deviations.resize(d, f64::NEG_INFINITY);
    principal.standard_errors.resize(d, f64::NAN);
    let last = principal.left_over.last().copied().unwrap_or(0.0);
    principal.left_over.resize(d + 1, last);
    Ok(Some(principal))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Stream};

    #[test]
    fn components_of_a_turned_box_of_normals() {
        // Deviations 3, 1 and 0.2 along turned axes of the first three of D values.
        for width in [3, 4000] {
            let n = 1500;
            let mut data = Array2::zeros((n, width));
            let mut stream = Stream::new(5, Purpose::Directions, 0, 1);
            let (c, s) = (0.6, 0.8);
            for mut row in data.outer_iter_mut() {
                let [a, b, e] = [3.0, 1.0, 0.2].map(|sd| sd * stream.normal());
                (row[0], row[1], row[2]) = (c * a - s * b + 7.0, s * a + c * b, e);
            }
            let found = principal(&data, 3).unwrap().unwrap();
            for (k, sd) in [3.0_f64, 1.0, 0.2].into_iter().enumerate() {
                let error = found.standard_errors[k];
                assert!((found.log_deviations[k] - sd.ln()).abs() < 4.0 * error, "{k}: {found:?}");
                // For normal data it is 1/√(2m).
                assert!((error * (2.0 * found.rows as f64).sqrt() - 1.0).abs() < 0.2, "{k}: {found:?}");
            }
            assert!((found.left_over[0] / 10.04 - 1.0).abs() < 0.1 && found.left_over[3] < 1e-6, "{found:?}");
        }
    }

    #[test]
    fn directions_without_data_are_minus_infinity() {
        let data = Array2::from_shape_fn((2, 5), |(s, i)| if i == 0 { s as f64 } else { 1.0 });
        let found = principal(&data, 3).unwrap().unwrap();
        assert!((found.log_deviations[0] - 0.5 * 0.5_f64.ln()).abs() < 1e-12);
        assert!(found.log_deviations[2] < -15.0);
        assert_eq!(principal(&Array2::zeros((1, 5)), 2).unwrap(), None);
    }
}
