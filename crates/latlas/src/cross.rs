//! Two models at the same data: the angles between the columns of their Jacobians at one sample.
//!
//! Both Jacobians have their columns in the space of the data, so that a latent of one model can be compared with a latent
//! of the other: at the same x, cos² of the angle between them says how much of what one does the other does as well.

use ndarray::{Array2, ArrayView2, Axis};

use crate::context::Context;
use crate::linalg;
use crate::probe::{NEARLY_PARALLEL, sine};
use crate::sketch::squared_correlation;

/// The angles between all pairs of columns of two models at one sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Cross {
    /// cos²∠ `[d_a, d_b]`; NaN where a column is dead. From a sketch unbiased, and so not always within [0, 1].
    pub squared_cosines: Array2<f64>,
    /// −log sin∠ `[d_a, d_b]`, corrected for a sketch; +∞ where the angle cannot be told from zero, NaN where a column is dead.
    pub information: Array2<f64>,
}

impl Cross {
    /// Between columns `a [d_a, D]` and `b [d_b, D]`, or those of sketches with the same probes.
    pub fn new(a: ArrayView2<'_, f64>, b: ArrayView2<'_, f64>, context: &Context) -> Self {
        let (units_a, units_b) = (units(a), units(b));
        let mut squared_cosines = units_a.dot(&units_b.t());
        let (floor, bias) = (context.parallel_floor(), context.overlap_bias(1, 1));
        let mut information = Array2::zeros(squared_cosines.dim());
        for ((i, j), cosine) in squared_cosines.indexed_iter_mut() {
            let squared = *cosine * *cosine;
            // Rounding may pass 1; NaN stays, which `min` would lose.
            let bounded = if squared > 1.0 { 1.0 } else { squared };
            *cosine = match context.settings.sketch {
                None => bounded,
                Some(m) => squared_correlation(bounded, m),
            };
            information[[i, j]] = if squared < NEARLY_PARALLEL {
                -0.5 * (-squared).ln_1p() - bias
            } else {
                let sine = sine(units_a.row(i), units_b.row(j));
                if sine < floor { f64::INFINITY } else { -sine.min(1.0).ln() - bias }
            };
            if squared.is_nan() {
                information[[i, j]] = f64::NAN;
            }
        }
        Self { squared_cosines, information }
    }
}

/// What the spans of all columns of two models share at one sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shared {
    /// −Σ log sin θₖ over the principal angles; +∞ where the spans meet.
    pub information: f64,
    /// Σ cos² θₖ / min(d_a, d_b), between 0 and 1; NaN from a sketch.
    pub overlap: f64,
}

impl Shared {
    /// Of columns `a [d_a, D]` and `b [d_b, D]`, dead ones left out. `None` where the spans must meet (d_a + d_b > D), or one
    /// of them has dependent columns.
    pub fn new(a: ArrayView2<'_, f64>, b: ArrayView2<'_, f64>, context: &Context) -> Option<Self> {
        if a.nrows() + b.nrows() > context.rows() {
            return None;
        }
        let floor = context.parallel_floor();
        let basis = |columns: ArrayView2<'_, f64>| {
            let units = units(columns);
            let live: Vec<usize> = (0..units.nrows()).filter(|i| units[[*i, 0]].is_finite()).collect();
            let linalg::Qr { q, r } = linalg::qr(units.select(Axis(0), &live).view());
            r.diag().iter().all(|x| x.abs() > floor).then_some(q)
        };
        let (a, b) = (basis(a)?, basis(b)?);
        if a.is_empty() || b.is_empty() {
            return None;
        }
        let r = linalg::r_factor(ndarray::concatenate(Axis(0), &[a.view(), b.view()]).ok()?.view());
        let sines = r.diag().iter().skip(a.nrows()).map(|x| x.abs()).collect::<Vec<_>>();
        let met = sines.iter().any(|sine| *sine < floor);
        let information = if met { f64::INFINITY } else { -sines.iter().map(|sine| sine.ln()).sum::<f64>() };
        let overlap = a.dot(&b.t()).iter().map(|c| c * c).sum::<f64>() / a.nrows().min(b.nrows()) as f64;
        Some(Self {
            information: information - context.overlap_bias(a.nrows(), b.nrows()),
            overlap: if context.settings.sketch.is_some() { f64::NAN } else { overlap },
        })
    }
}

/// Columns of length 1, also where their squares are beyond the range of numbers; NaN for dead ones.
fn units(columns: ArrayView2<'_, f64>) -> Array2<f64> {
    let mut units = columns.to_owned();
    for mut unit in units.outer_iter_mut() {
        let half = (-0.5 * linalg::log_norm(&unit.to_vec())).exp();
        unit.mapv_inplace(|x| x * half * half);
        // What rounding of the exponential left over.
        let length = unit.dot(&unit).sqrt();
        unit /= length;
    }
    units
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::{Dtype, Inputs, Settings};
    use ndarray::{Array3, array};

    fn context(rows: usize) -> Context {
        let inputs = Inputs { jacobians: Some(Array3::zeros((1, rows, 1)).into()), ..Inputs::default() };
        inputs.context(&Settings { dtype: Dtype::F64, ..Settings::default() }).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn a_model_against_itself() {
        let a = array![[1.0, 2.0, 0.5, 0.0], [0.0, 1e-200, 0.0, 1e-200], [0.0; 4]];
        let cross = Cross::new(a.view(), a.view(), &context(4));
        assert!((cross.squared_cosines[[0, 0]] - 1.0).abs() < 1e-15 && (cross.squared_cosines[[1, 1]] - 1.0).abs() < 1e-15);
        assert_eq!(cross.information[[0, 0]], f64::INFINITY);
        assert!(cross.squared_cosines[[2, 0]].is_nan() && cross.information[[0, 2]].is_nan());
        let expected = 4.0 / (5.25 * 2.0);
        assert!((cross.squared_cosines[[0, 1]] - expected).abs() < 1e-15);
        assert!((cross.information[[0, 1]] + 0.5 * (1.0 - expected).ln()).abs() < 1e-15);
    }

    #[test]
    fn small_angles_keep_their_digits() {
        for sine in [1e-3_f64, 1e-6, 1e-9] {
            let (a, b) = (array![[1.0, 0.0, 0.0]], array![[-7.0 * (1.0 - sine * sine).sqrt(), 7.0 * sine, 0.0]]);
            let cross = Cross::new(a.view(), b.view(), &context(3));
            assert!((cross.information[[0, 0]] + sine.ln()).abs() < 1e-6, "{sine}");
        }
    }

    #[test]
    fn spans_share_what_their_principal_angles_say() {
        let context = context(5);
        let a = array![[1.0, 0.0, 0.0, 0.0, 0.0], [1.0, 1.0, 0.0, 0.0, 0.0]];
        let (angle, other): (f64, f64) = (0.7, 1.1);
        let b = array![[angle.cos(), 0.0, angle.sin(), 0.0, 0.0], [0.0, 3.0 * other.cos(), 0.0, 3.0 * other.sin(), 0.0]];
        let shared = Shared::new(a.view(), b.view(), &context);
        let expected = (-(angle.sin() * other.sin()).ln(), 0.5 * (angle.cos().powi(2) + other.cos().powi(2)));
        assert!(shared.is_some_and(|s| (s.information - expected.0).abs() < 1e-13 && (s.overlap - expected.1).abs() < 1e-13));
        assert!(
            Shared::new(a.view(), a.view(), &context).is_some_and(|s| s.information == f64::INFINITY && (s.overlap - 1.0).abs() < 1e-13)
        );
        let wide = Array2::<f64>::eye(5);
        assert_eq!(Shared::new(a.view(), wide.view(), &context), None);
    }
}
