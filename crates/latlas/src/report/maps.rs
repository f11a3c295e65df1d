//! Maps of the metric over the latent plane: volume, conditioning and curvature, and where there is no data to speak for them.

use ndarray::{Array2, ArrayView2};

use crate::error::Result;
use crate::geometry::{Manifold, gaussian_curvature};
use crate::models::Decoder;

/// Maps of one metric over the same grid.
#[derive(Debug, Clone)]
pub struct Maps {
    /// The embedding whose metric it is.
    pub embedding: String,
    /// Whether there are codes near a cell, `[rows, columns]`; `None` without codes.
    pub known: Option<Array2<bool>>,
    /// The maps.
    pub layers: Vec<Layer>,
}

/// One of them.
#[derive(Debug, Clone)]
pub struct Layer {
    /// What it shows, with its unit.
    pub title: &'static str,
    /// Row j at the j-th value of latent 1: `[rows, columns]`; NaN where there is no value.
    pub values: Array2<f64>,
    /// How its numbers become colours.
    pub scale: LayerScale,
}

/// How the numbers of a map become colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LayerScale {
    /// Evenly.
    Linear,
    /// By their logarithms.
    Logarithmic,
    /// Evenly to both sides of zero.
    Signed,
}

/// The maps at the points of a square grid, row by row.
///
/// # Errors
/// Those of the manifold.
pub fn maps(manifold: &dyn Manifold, points: ArrayView2<'_, f64>, codes: ArrayView2<'_, f64>) -> Result<Maps> {
    let side = (points.nrows() as f64).sqrt().round() as usize;
    let grid = |values: Vec<f64>| Array2::from_shape_vec((side, side), values).unwrap_or_default();
    let factors = manifold.factors(points)?;
    let finite = |x: f64| if x.is_finite() { x } else { f64::NAN };
    let mut layers = vec![
        Layer {
            title: "log √det M (nats)",
            values: grid(factors.iter().map(|f| finite(f.log_volume())).collect()),
            scale: LayerScale::Linear,
        },
        Layer {
            title: "condition κ(J)",
            values: grid(factors.iter().map(|f| finite(f.condition())).collect()),
            scale: LayerScale::Logarithmic,
        },
    ];
    if manifold.embedding().is_some_and(Decoder::has_second_derivatives) {
        let values = grid(gaussian_curvature(manifold, points)?.into_iter().map(finite).collect());
        layers.push(Layer { title: "Gaussian curvature K", values, scale: LayerScale::Signed });
    }
    let known = (codes.nrows() >= FEWEST).then(|| near_codes(points, codes, side));
    Ok(Maps { embedding: manifold.name().into(), known, layers })
}

/// Codes from which on their density is worth estimating.
const FEWEST: usize = 50;
/// Cells whose density is below that of this share of the codes have no data near them.
const QUANTILE: f64 = 0.01;

/// Whether the density of the codes at a cell reaches its 1 % quantile among the codes themselves.
///
/// The density is a sum of bells of Scott's bandwidth n^(−1/6) times the standard deviation in each latent (Scott, *Multivariate Density
/// Estimation*, 1992); a code does not count for itself.
fn near_codes(points: ArrayView2<'_, f64>, codes: ArrayView2<'_, f64>, side: usize) -> Array2<bool> {
    let n = codes.nrows() as f64;
    let widths: Vec<f64> = codes.columns().into_iter().map(|c| (c.std(1.0) * n.powf(-1.0 / 6.0)).max(f64::MIN_POSITIVE)).collect();
    let density = |z: ndarray::ArrayView1<'_, f64>| -> f64 {
        codes.outer_iter().map(|c| (-0.5 * (0..2).map(|i| ((z[i] - c[i]) / widths[i]).powi(2)).sum::<f64>()).exp()).sum()
    };
    let mut own: Vec<f64> = codes.outer_iter().map(|c| density(c) - 1.0).collect();
    own.sort_by(f64::total_cmp);
    let least = own[((own.len() - 1) as f64 * QUANTILE).round() as usize];
    let known = points.outer_iter().map(|z| density(z) >= least && density(z) > 0.0).collect();
    Array2::from_shape_vec((side, side), known).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn cells_without_codes_are_known_as_such() {
        let codes = Array2::from_shape_fn((400, 2), |(k, i)| (k as f64 * if i == 0 { 0.618_033_988_7 } else { 0.754_877_666_2 }).fract());
        let points = Array2::from_shape_fn((100, 2), |(p, i)| if i == 0 { (p % 10) as f64 - 4.5 } else { (p / 10) as f64 - 4.5 });
        let known = near_codes(points.view(), codes.view(), 10);
        assert!(known[[5, 5]], "the middle of the codes");
        assert_eq!(known.iter().filter(|k| **k).count(), 1, "and nothing a unit away: {known}");
    }
}
