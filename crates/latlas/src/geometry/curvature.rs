//! The Gaussian curvature of a latent plane.
//!
//! By the equation of Gauss K = (⟨n₁₁, n₂₂⟩ − |n₁₂|²)/det M, where nⱼₖ is the part of the second derivative ∂ⱼ∂ₖF that is normal to the surface
//! (do Carmo, *Riemannian Geometry*, 1992, chapter 6). No third derivative enters.

use ndarray::{Array3, ArrayView1, ArrayView2, Axis};
use rayon::prelude::*;

use super::manifold::{Manifold, chunks};
use crate::error::{Error, Result};
use crate::linalg;

/// K at z `[n, 2]`, in inverse squared units of F; NaN where the metric loses rank.
///
/// # Errors
/// Other than two latents, or a metric without an embedding.
pub fn gaussian_curvature(manifold: &dyn Manifold, z: ArrayView2<'_, f64>) -> Result<Vec<f64>> {
    let embedding = match manifold.embedding() {
        Some(embedding) if manifold.dim() == 2 => embedding,
        Some(_) => {
            let what = format!("Gaussian curvature belongs to surfaces, the decoder has {} latents", manifold.dim());
            return Err(Error::Input { what, hint: None });
        }
        None => {
            let what = format!("the curvature of {} is not that of a surface in flat space", manifold.name());
            return Err(Error::Input { what, hint: Some("take an embedding, such as --embedding gaussian".into()) });
        }
    };
    let mut curvatures = Vec::with_capacity(z.nrows());
    for (_, part) in chunks(z, 8 * manifold.frame_dim()) {
        let at = embedding.linearize(part, None)?;
        let directions = Array3::from_shape_fn((part.nrows(), 3, 2), |(_, k, i)| f64::from(u8::from(k == 2 || k == i)));
        let (columns, [_, second]) = (at.columns()?, at.second(directions.view())?);
        let of = |s: usize| curvature(columns.index_axis(Axis(0), s), second.index_axis(Axis(0), s));
        curvatures.extend((0..part.nrows()).into_par_iter().map(of).collect::<Vec<_>>());
    }
    Ok(curvatures)
}

/// From the columns `[2, D]` and the second derivatives along e₁, e₂ and e₁ + e₂ `[3, D]`.
fn curvature(columns: ArrayView2<'_, f64>, second: ArrayView2<'_, f64>) -> f64 {
    if columns.ncols() < 2 {
        return f64::NAN;
    }
    let qr = linalg::qr(columns);
    let normal = |x: ArrayView1<'_, f64>| {
        // Twice, so that what is left is normal to rounding.
        let once = &x - &qr.q.t().dot(&qr.q.dot(&x));
        &once - &qr.q.t().dot(&qr.q.dot(&once))
    };
    let (first, other) = (normal(second.row(0)), normal(second.row(1)));
    let mixed = (normal(second.row(2)) - &first - &other) * 0.5;
    let sizes = [qr.r[[0, 0]].abs(), qr.r[[0, 1]].hypot(qr.r[[1, 1]])];
    if qr.r[[1, 1]].abs() <= 1e-10 * sizes[0].max(sizes[1]) || sizes[0] <= 1e-10 * sizes[1] {
        return f64::NAN;
    }
    let volume = qr.r[[0, 0]] * qr.r[[1, 1]];
    (first.dot(&other) - mixed.dot(&mixed)) / (volume * volume)
}
