//! Small dense linear algebra: the one door to the factorisations. All in `f64`, one thread, same bits every time.
//!
//! Volumes are sums of log |R_kk| of a Householder QR, whose error grows with the condition number of J; a determinant
//! of JᵀJ would square it.

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::linalg::qr::no_pivoting::factor as no_pivoting;
use faer::{Accum, Mat, MatMut, MatRef, Par, Side, Spec};
use ndarray::{Array1, Array2, ArrayView2, Axis, ShapeBuilder};

use crate::error::{Error, Result};

/// A thin QR factorisation A = QR of a `[D, d]` matrix with D ≥ d, columns in their own order (no pivoting).
#[derive(Debug, Clone)]
pub struct Qr {
    /// Orthonormal columns, stored as rows: `[d, D]`.
    pub q: Array2<f64>,
    /// Upper triangular `[d, d]`; diagonal entries may be negative.
    pub r: Array2<f64>,
}

/// The singular value decomposition A = U diag(s) Vᵀ of an `[m, n]` matrix, thin.
#[derive(Debug, Clone)]
pub struct Svd {
    /// `[m, k]`, k = min(m, n).
    pub u: Array2<f64>,
    /// Descending.
    pub singular_values: Vec<f64>,
    /// `[n, k]`.
    pub v: Array2<f64>,
}

/// R of the QR factorisation of the matrix whose columns are the rows of `columns [d, D]`: `[min(d, D), d]`.
pub fn r_factor(columns: ArrayView2<'_, f64>) -> Array2<f64> {
    let mut factored = factored_in_place(columns.as_standard_layout().into_owned());
    let rank = columns.ncols().min(columns.nrows());
    if columns.ncols() > rank {
        factored = factored.slice_axis(Axis(1), (..rank).into()).to_owned();
    }
    // Below the diagonal lie the reflections.
    factored.outer_iter_mut().enumerate().for_each(|(k, mut column)| column.iter_mut().skip(k + 1).for_each(|x| *x = 0.0));
    factored.reversed_axes()
}

/// The diagonal of [`r_factor`], in the memory of the matrix.
pub fn r_diagonal(columns: Array2<f64>) -> Vec<f64> {
    factored_in_place(columns).diag().to_vec()
}

/// Householder QR of the matrix whose columns are the rows of `columns`, in standard layout: each begins with its column of R.
fn factored_in_place(mut columns: Array2<f64>) -> Array2<f64> {
    let (d, big_d) = columns.dim();
    if let (Some(entries), false) = (columns.as_slice_mut(), d * big_d == 0) {
        let block = no_pivoting::recommended_block_size::<f64>(big_d, d);
        let mut reflections = Mat::<f64>::zeros(block, d.min(big_d));
        let need = no_pivoting::qr_in_place_scratch::<f64>(big_d, d, block, Par::Seq, Spec::default());
        let matrix = MatMut::from_column_major_slice_mut(entries, big_d, d);
        no_pivoting::qr_in_place(matrix, reflections.as_mut(), Par::Seq, MemStack::new(&mut MemBuffer::new(need)), Spec::default());
    }
    columns
}

/// Thin QR of the matrix whose columns are the rows of `columns [d, D]`, d ≤ D.
pub fn qr(columns: ArrayView2<'_, f64>) -> Qr {
    let columns = columns.as_standard_layout();
    let qr = column_matrix(&columns).qr();
    Qr { q: from_faer(qr.compute_thin_Q().transpose()), r: from_faer(qr.thin_R()) }
}

/// The Gram matrix AᵀA of the matrix whose columns are the rows of `columns [d, D]`: `[d, d]`, its strictly lower triangle
/// zero. With `triangular` the matrix is taken for upper triangular (an R), at a third of the work.
pub fn upper_gram(columns: ArrayView2<'_, f64>, triangular: bool) -> Array2<f64> {
    let columns = columns.as_standard_layout();
    let matrix = column_matrix(&columns);
    let d = columns.nrows();
    let mut gram = Array2::zeros((d, d));
    let (left, right) = if triangular {
        (BlockStructure::TriangularLower, BlockStructure::TriangularUpper)
    } else {
        (BlockStructure::Rectangular, BlockStructure::Rectangular)
    };
    if let Some(entries) = gram.as_slice_mut() {
        // A row-major upper triangle is a column-major lower one.
        let out = MatMut::from_column_major_slice_mut(entries, d, d);
        triangular::matmul(out, BlockStructure::TriangularLower, Accum::Replace, matrix.transpose(), left, matrix, right, 1.0, Par::Seq);
    }
    gram
}

/// sin of the angle between two vectors that may be nearly parallel: ½ ‖u − v‖ ‖u + v‖ on unit vectors, exact to rounding
/// where 1 − cos² has lost every digit. NaN for a zero vector.
pub fn sine_between(a: &[f64], b: &[f64]) -> f64 {
    let (scale_a, scale_b) = ((-log_norm(a)).exp(), (-log_norm(b)).exp());
    let (mut difference, mut sum) = ([0.0; 8], [0.0; 8]);
    let mut add = |lane: usize, a: f64, b: f64| {
        let (u, v) = (a * scale_a, b * scale_b);
        difference[lane] += (u - v) * (u - v);
        sum[lane] += (u + v) * (u + v);
    };
    let ((chunks_a, rest_a), (chunks_b, rest_b)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    for (a, b) in chunks_a.iter().zip(chunks_b) {
        (0..8).for_each(|lane| add(lane, a[lane], b[lane]));
    }
    rest_a.iter().zip(rest_b).for_each(|(a, b)| add(0, *a, *b));
    0.5 * (difference.iter().sum::<f64>() * sum.iter().sum::<f64>()).sqrt()
}

/// x with Rx = b for an upper triangular R with a diagonal that is not zero, by back substitution.
pub fn solve_upper(r: ArrayView2<'_, f64>, b: &[f64]) -> Vec<f64> {
    let mut x = b.to_vec();
    for i in (0..x.len()).rev() {
        let known: f64 = (i + 1..x.len()).map(|j| r[[i, j]] * x[j]).sum();
        x[i] = (x[i] - known) / r[[i, i]];
    }
    x
}

/// x with Rᵀx = b for an upper triangular R with a diagonal that is not zero, by forward substitution.
pub fn solve_upper_transposed(r: ArrayView2<'_, f64>, b: &[f64]) -> Vec<f64> {
    let mut x = b.to_vec();
    for i in 0..x.len() {
        let known: f64 = (0..i).map(|j| r[[j, i]] * x[j]).sum();
        x[i] = (x[i] - known) / r[[i, i]];
    }
    x
}

/// Σ log |R_kk|: the log-volume that the columns of a matrix with this R span; −∞ without full rank.
pub fn log_volume(r: ArrayView2<'_, f64>) -> f64 {
    r.diag().iter().map(|x| x.abs().ln()).sum()
}

/// Singular values of an `[m, n]` matrix, descending.
pub fn singular_values(matrix: ArrayView2<'_, f64>) -> Result<Vec<f64>> {
    if matrix.is_empty() {
        return Ok(Vec::new());
    }
    let (rows, columns) = matrix.dim();
    let reversed = matrix.t();
    let values = match (matrix.to_slice(), reversed.to_slice()) {
        (Some(entries), _) => MatRef::from_row_major_slice(entries, rows, columns).singular_values(),
        (_, Some(entries)) => MatRef::from_column_major_slice(entries, rows, columns).singular_values(),
        _ => to_faer(matrix).singular_values(),
    };
    let values = values.map_err(|_| no_convergence("singular values", matrix))?;
    // Backward error can leave a tiny negative zero.
    Ok(values.into_iter().map(f64::abs).collect())
}

/// The thin singular value decomposition of an `[m, n]` matrix.
pub fn svd(matrix: ArrayView2<'_, f64>) -> Result<Svd> {
    let svd = to_faer(matrix).thin_svd().map_err(|_| no_convergence("singular vectors", matrix))?;
    let singular_values = svd.S().column_vector().iter().copied().collect();
    Ok(Svd { u: from_faer(svd.U()), singular_values, v: from_faer(svd.V()) })
}

/// Eigenvalues (ascending) and eigenvectors (columns) of a symmetric matrix, of which the lower triangle is read.
pub fn symmetric_eigen(matrix: ArrayView2<'_, f64>) -> Result<(Array1<f64>, Array2<f64>)> {
    let eigen = to_faer(matrix).self_adjoint_eigen(Side::Lower).map_err(|_| no_convergence("eigenvectors", matrix))?;
    Ok((eigen.S().column_vector().iter().copied().collect(), from_faer(eigen.U())))
}

/// The lower triangular L with A = LLᵀ of a symmetric positive definite matrix.
pub fn cholesky(matrix: ArrayView2<'_, f64>) -> Result<Array2<f64>> {
    let llt = to_faer(matrix).llt(Side::Lower).map_err(|_| Error::Input {
        what: format!("a symmetric [{}, {}] matrix is not positive definite", matrix.nrows(), matrix.ncols()),
        hint: None,
    })?;
    Ok(from_faer(llt.L()))
}

/// log ‖x‖ without over- or underflow; −∞ for zero, NaN if an entry is NaN.
pub fn log_norm(x: &[f64]) -> f64 {
    let mut largest = 0.0_f64;
    for &v in x {
        if v.is_nan() {
            return f64::NAN;
        }
        largest = largest.max(v.abs());
    }
    if largest == 0.0 || largest.is_infinite() {
        return largest.ln();
    }
    if (1e-120..1e120).contains(&largest) {
        return 0.5 * sum_of_squares(x, 1.0).ln();
    }
    // Powers of two scale without rounding.
    let scale = (-largest.log2().floor().clamp(-1020.0, 1020.0)).exp2();
    0.5 * sum_of_squares(x, scale).ln() - scale.ln()
}

/// Eight running sums: fast, and the same order on every machine.
fn sum_of_squares(x: &[f64], scale: f64) -> f64 {
    let mut lanes = [0.0; 8];
    let (chunks, rest) = x.as_chunks::<8>();
    for chunk in chunks {
        for (lane, v) in lanes.iter_mut().zip(chunk) {
            *lane += (v * scale) * (v * scale);
        }
    }
    lanes.iter().sum::<f64>() + rest.iter().map(|v| (v * scale) * (v * scale)).sum::<f64>()
}

fn column_matrix<'a>(columns: &'a ndarray::CowArray<'_, f64, ndarray::Ix2>) -> MatRef<'a, f64> {
    let (d, big_d) = columns.dim();
    // In standard layout the rows of `[d, D]` are the contiguous columns of a column-major `[D, d]`.
    MatRef::from_column_major_slice(columns.as_slice().unwrap_or_default(), big_d, d)
}

fn to_faer(matrix: ArrayView2<'_, f64>) -> Mat<f64> {
    Mat::from_fn(matrix.nrows(), matrix.ncols(), |i, j| matrix[[i, j]])
}

/// In the layout that it has, column by column or row by row: large triangles are read in order.
fn from_faer(matrix: MatRef<'_, f64>) -> Array2<f64> {
    if matrix.row_stride() == 1 { by_columns(matrix) } else { by_columns(matrix.transpose()).reversed_axes() }
}

fn by_columns(matrix: MatRef<'_, f64>) -> Array2<f64> {
    let mut entries = Vec::with_capacity(matrix.nrows() * matrix.ncols());
    matrix.col_iter().for_each(|column| entries.extend(column.iter().copied()));
    Array2::from_shape_vec((matrix.nrows(), matrix.ncols()).f(), entries).unwrap_or_default()
}

fn no_convergence(what: &str, matrix: ArrayView2<'_, f64>) -> Error {
    Error::Input {
        what: format!("the {what} of a [{}, {}] matrix did not converge", matrix.nrows(), matrix.ncols()),
        hint: Some("the matrix holds values that are not finite, or of extreme size".into()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn volume_of_a_known_matrix() {
        // Columns (1,0,0,1), (1,1,0,0), (0,1,1,1): det JᵀJ = 7.
        let columns = array![[1., 0., 0., 1.], [1., 1., 0., 0.], [0., 1., 1., 1.]];
        let log_volume = log_volume(r_factor(columns.view()).view());
        assert!((log_volume - 0.5 * 7.0_f64.ln()).abs() < 1e-14);
    }

    #[test]
    fn qr_restores_the_matrix() {
        let columns = Array2::from_shape_fn((5, 300), |(i, j)| ((i * 311 + j * 17 + i * j * j % 7) as f64 * 0.618).sin());
        let Qr { q, r } = qr(columns.view());
        let back = r.t().dot(&q);
        let largest = |x: Array2<f64>| x.iter().fold(0.0, |m: f64, e| m.max(e.abs()));
        assert!(largest(&back - &columns) < 1e-13, "{}", largest(&back - &columns));
        assert!(largest(q.dot(&q.t()) - Array2::<f64>::eye(5)) < 1e-13);
        assert_eq!(r, r_factor(columns.view()));
    }

    #[test]
    fn decompositions_restore_the_matrix() {
        let a = array![[4., 1., 0.5], [1., 3., -1.], [0.5, -1., 2.]];
        let l = cholesky(a.view()).unwrap();
        assert!((l.dot(&l.t()) - &a).iter().all(|e| e.abs() < 1e-14));
        let (values, vectors) = symmetric_eigen(a.view()).unwrap();
        let back = vectors.dot(&Array2::from_diag(&values)).dot(&vectors.t());
        assert!((back - &a).iter().all(|e| e.abs() < 1e-14));
        let Svd { u, singular_values: s, v } = svd(a.view()).unwrap();
        let back = u.dot(&Array2::from_diag(&Array1::from(s.clone()))).dot(&v.t());
        assert!((back - &a).iter().all(|e| e.abs() < 1e-14));
        assert!(s.iter().zip(singular_values(a.view()).unwrap()).all(|(a, b)| (a - b).abs() < 1e-14));
        assert!(cholesky((-a).view()).is_err());
    }

    #[test]
    fn gram_matrices_by_both_ways() {
        let columns = Array2::from_shape_fn((37, 90), |(i, j)| ((i * 311 + j * 17 + i * j * j % 7) as f64 * 0.618).sin());
        let full = columns.dot(&columns.t());
        let r = r_factor(columns.view());
        for gram in [upper_gram(columns.view(), false), upper_gram(r.t(), true)] {
            for ((i, j), x) in gram.indexed_iter() {
                let expected = if j >= i { full[[i, j]] } else { 0.0 };
                assert!((x - expected).abs() < 1e-12, "{i} {j}: {x}, expected {expected}");
            }
        }
    }

    #[test]
    fn sines_of_small_angles() {
        let a: Vec<f64> = (0..784).map(|k| (f64::from(k) * 0.7).sin() + 0.1).collect();
        let mut normal: Vec<f64> = (0..784).map(|k| (f64::from(k) * 1.3).cos()).collect();
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let along = dot(&a, &normal) / dot(&a, &a);
        normal.iter_mut().zip(&a).for_each(|(n, a)| *n -= along * a);
        let ratio = (dot(&a, &a) / dot(&normal, &normal)).sqrt();
        for sine in [1e-2_f64, 1e-4, 1e-8] {
            let slope = (sine.asin().tan()) * ratio;
            let b: Vec<f64> = a.iter().zip(&normal).map(|(a, n)| -37.0 * (a + slope * n)).collect();
            assert!((sine_between(&a, &b) / sine - 1.0).abs() < 1e-16_f64.max(4e-16 / sine), "{sine}: {}", sine_between(&a, &b));
        }
        assert!(sine_between(&a, &vec![0.0; 784]).is_nan());
    }

    #[test]
    fn norms_do_not_overflow() {
        assert!((log_norm(&[3e200, 4e200]) - (5.0_f64.ln() + 200.0 * 10.0_f64.ln())).abs() < 1e-12);
        assert!((log_norm(&[3e-200, 4e-200]) - (5.0_f64.ln() - 200.0 * 10.0_f64.ln())).abs() < 1e-12);
        assert!((log_norm(&[3.0, 4.0]) - 5.0_f64.ln()).abs() < 1e-15);
        assert!((log_norm(&[5e-324]) - 5e-324_f64.ln()).abs() < 1e-12);
        assert_eq!(log_norm(&[0.0; 20]), f64::NEG_INFINITY);
        assert!(log_norm(&[f64::NAN]).is_nan());
        assert_eq!(log_norm(&[f64::INFINITY, 1.0]), f64::INFINITY);
    }

    #[test]
    fn a_wide_matrix_has_its_singular_values() {
        let wide = array![[3.0, 0.0, 4.0]];
        assert!((singular_values(wide.view()).unwrap()[0] - 5.0).abs() < 1e-15);
    }
}
