//! How much the metric tensor changes along a path.
//!
//! Along points zᵢ of a path with metrics Mᵢ = RᵢᵀRᵢ:
//!
//! ```text
//! total variation   Σ |Δ log √det M| / length
//! affine            Σ |log(Mᵢ^−½ Mᵢ₊₁ Mᵢ^−½)|_F / length,  the logarithms being 2 log of the singular values of Rᵢ₊₁ Rᵢ⁻¹
//! Lipschitz         max |log Mᵢ₊₁ − log Mᵢ|_F / |zᵢ₊₁ − zᵢ|
//! ```
//!
//! The first two are per unit of Riemannian length, the last per unit of the latents. Differences are those of Pennec, Fillard and Ayache
//! (A Riemannian framework for tensor computing, 2006) and Arsigny et al. (Log-Euclidean metrics, 2006).

use ndarray::{Array2, ArrayView1, ArrayView2, Axis, Slice};

use super::factor::Factor;
use super::manifold::Manifold;
use crate::error::Result;
use crate::linalg;

/// How much a metric changes along one path.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Roughness {
    /// Total variation of log √det M per unit length, in nats per unit of F.
    pub variation: f64,
    /// Affine-invariant variation of M per unit length, per unit of F.
    pub affine: f64,
    /// The steepest change of log M, per unit of the latents.
    pub lipschitz: f64,
    /// Riemannian length of the path, by the trapezoid rule.
    pub length: f64,
    /// The largest relative change of the three when every second point is left out.
    pub error: f64,
}

/// Of the straight paths from a to b `[n, d]` over `points` points each; `None` where a path meets a point without full rank or without
/// finite values, or has no length.
///
/// # Errors
/// Those of [`Manifold::factors`].
pub fn roughness(manifold: &dyn Manifold, a: ArrayView2<'_, f64>, b: ArrayView2<'_, f64>, points: usize) -> Result<Vec<Option<Roughness>>> {
    let (n, d) = a.dim();
    // An odd number, so that every second one keeps the ends.
    let points = points.max(3) | 1;
    let at = |i: usize, k: usize, j: usize| {
        let t = k as f64 / (points - 1) as f64;
        (1.0 - t) * a[[i, j]] + t * b[[i, j]]
    };
    let z = Array2::from_shape_fn((n * points, d), |(row, j)| at(row / points, row % points, j));
    let factors = manifold.factors(z.view())?;
    let each = factors.chunks(points).enumerate().map(|(i, path)| {
        let direction = &b.row(i) - &a.row(i);
        let fine = along(path, direction.view(), 1)?;
        let coarse = along(path, direction.view(), 2)?;
        Ok(fine.zip(coarse).map(|(fine, coarse)| {
            let change = |of: fn(&Roughness) -> f64| (of(&fine) - of(&coarse)).abs() / of(&fine).max(1e-12);
            let error = change(|r| r.variation).max(change(|r| r.affine)).max(change(|r| r.lipschitz));
            Roughness { error, ..fine }
        }))
    });
    each.collect()
}

/// Along every `stride`-th point of a straight path.
fn along(path: &[Factor], direction: ArrayView1<'_, f64>, stride: usize) -> Result<Option<Roughness>> {
    let path: Vec<&Factor> = path.iter().step_by(stride).collect();
    if path.iter().any(|factor| !factor.log_volume().is_finite()) {
        return Ok(None);
    }
    let (steps, size) = ((path.len() - 1) as f64, direction.dot(&direction).sqrt());
    let speeds: Vec<f64> = path.iter().map(|factor| factor.orthonormal(direction).iter().map(|x| x * x).sum::<f64>().sqrt()).collect();
    let length: f64 = speeds.windows(2).map(|pair| 0.5 * (pair[0] + pair[1]) / steps).sum();
    if length <= 0.0 || !length.is_finite() {
        return Ok(None);
    }
    let logarithms = path.iter().map(|factor| logarithm(factor)).collect::<Result<Vec<_>>>()?;
    let (mut variation, mut affine, mut lipschitz) = (0.0, 0.0, 0.0_f64);
    for (pair, logs) in path.windows(2).zip(logarithms.windows(2)) {
        variation += (pair[1].log_volume() - pair[0].log_volume()).abs();
        affine += ratio(pair[0], pair[1])?;
        let difference = &logs[1] - &logs[0];
        lipschitz = lipschitz.max(difference.iter().map(|x| x * x).sum::<f64>().sqrt() * steps / size);
    }
    Ok(Some(Roughness { variation: variation / length, affine: affine / length, lipschitz, length, error: 0.0 }))
}

/// log M of M = RᵀR, by R = U S Vᵀ: V log S² Vᵀ.
fn logarithm(factor: &Factor) -> Result<Array2<f64>> {
    let svd = linalg::svd(factor.r.view())?;
    let mut scaled = svd.v.clone();
    for (mut column, s) in scaled.axis_iter_mut(Axis(1)).zip(&svd.singular_values) {
        column *= 2.0 * s.ln();
    }
    Ok(scaled.dot(&svd.v.t()))
}

/// |log(M₁^−½ M₂ M₁^−½)|_F from the singular values of R₂ R₁⁻¹.
fn ratio(first: &Factor, second: &Factor) -> Result<f64> {
    let d = first.r.ncols();
    // Rows x of X with X R₁ = R₂, that is R₁ᵀ xᵀ = (row of R₂)ᵀ.
    let mut ratio = Array2::zeros((d, d));
    for (mut row, right) in ratio.outer_iter_mut().zip(second.r.slice_axis(Axis(0), Slice::from(..d)).outer_iter()) {
        row.assign(&ndarray::aview1(&linalg::solve_upper_transposed(first.r.view(), &right.to_vec())));
    }
    Ok(linalg::singular_values(ratio.view())?.iter().map(|s| (2.0 * s.ln()).powi(2)).sum::<f64>().sqrt())
}
