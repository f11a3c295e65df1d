//! The angles between the columns of one sample's Jacobian, accurate for nearly parallel ones.

use ndarray::{ArrayView1, ArrayView2};

use super::Factor;
use crate::context::Context;
use crate::linalg;

/// cos² and −log sin of the angle between any two columns, pair by pair: (0, 1), (0, 2), … (0, d−1), (1, 2) …
///
/// −log sin is the mutual information of the pair at this sample. It is +∞ for columns whose angle is below the resolution
/// of the Jacobian. Both are NaN for a pair with a dead column and for a sample that is not finite.
#[derive(Debug, Clone, PartialEq)]
pub struct Angles {
    /// cos², between 0 and 1.
    pub squared_cosines: Vec<f64>,
    /// −log sin ≥ 0.
    pub information: Vec<f64>,
}

/// Above this cos², 1 − cos² begins to lose digits, and the sine is computed from the columns themselves.
pub(crate) const NEARLY_PARALLEL: f64 = 0.9;

impl Angles {
    /// From the columns `[d, D]` of a sample, their log lengths and, where there is one, their factorisation. Under a sketch
    /// −log sin comes corrected (and may be negative), cos² as it is.
    pub fn new(columns: ArrayView2<'_, f64>, log_norms: ArrayView1<'_, f64>, factor: Option<&Factor>, context: &Context) -> Self {
        let raw = log_norms.mapv(|x| x + context.volume_bias(1));
        let mut angles = Self::with(columns, raw.view(), factor, context.parallel_floor());
        let bias = context.overlap_bias(1, 1);
        if bias != 0.0 {
            angles.information.iter_mut().for_each(|x| *x -= bias);
        }
        angles
    }

    fn with(columns: ArrayView2<'_, f64>, log_norms: ArrayView1<'_, f64>, factor: Option<&Factor>, floor: f64) -> Self {
        let d = log_norms.len();
        let mut angles = Self { squared_cosines: vec![f64::NAN; pairs(d)], information: vec![f64::NAN; pairs(d)] };
        if log_norms.iter().any(|x| x.is_nan()) {
            return angles;
        }
        let live: Vec<usize> = (0..d).filter(|i| log_norms[*i] > f64::NEG_INFINITY).collect();
        let mut units = match factor {
            Some(factor) => factor.r.t().as_standard_layout().into_owned(),
            None => columns.select(ndarray::Axis(0), &live),
        };
        for (mut unit, i) in units.outer_iter_mut().zip(&live) {
            // In two steps, since the factor itself may be beyond the range of numbers.
            let half = (-0.5 * log_norms[*i]).exp();
            unit.mapv_inplace(|x| x * half * half);
        }
        let mut squares = linalg::upper_gram(units.view(), factor.is_some());
        squares.mapv_inplace(|cosine| (cosine * cosine).min(1.0));
        let mut information = vec![0.0; live.len()];
        for (a, i) in live.iter().enumerate() {
            let (row, start) = (squares.row(a), first_of(*i, d));
            let row = &row.as_slice().unwrap_or_default()[a + 1..];
            overlaps(row, &mut information);
            for ((j, squared), found) in live[a + 1..].iter().zip(row).zip(&information) {
                let place = start + j - i - 1;
                angles.squared_cosines[place] = *squared;
                angles.information[place] = *found;
                if *squared >= NEARLY_PARALLEL {
                    let sine = sine(columns.row(*i), columns.row(*j));
                    angles.information[place] = if sine < floor { f64::INFINITY } else { -sine.min(1.0).ln() };
                }
            }
        }
        angles
    }
}

/// The number of pairs of d columns.
pub fn pairs(d: usize) -> usize {
    d * d.saturating_sub(1) / 2
}

/// Where the pairs (i, i+1), (i, i+2) … begin.
pub fn first_of(i: usize, d: usize) -> usize {
    i * d - i * (i + 1) / 2
}

/// −½ log(1 − x) for every x in [0, 1] that is not nearly 1, written to the front of `out`.
///
/// It is artanh t with t = x / (2 − x). Most pairs are nearly orthogonal, and there a power series without a branch is exact
/// to rounding and several times as fast as a logarithm.
fn overlaps(squares: &[f64], out: &mut [f64]) {
    /// From here on t²⁰/21 is not below rounding.
    const SMALL: f64 = 0.25;
    const ODD: [f64; 9] = [19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0];
    for (out, x) in out.iter_mut().zip(squares) {
        let t = x / (2.0 - x);
        let u = t * t;
        let series = ODD.iter().fold(1.0 / 21.0, |sum, odd| sum * u + 1.0 / odd);
        *out = t * (1.0 + u * series);
    }
    for (out, x) in out.iter_mut().zip(squares).filter(|(_, x)| **x > SMALL) {
        *out = -0.5 * (-x).ln_1p();
    }
}

/// [`linalg::sine_between`] of rows that may not lie together.
pub(crate) fn sine(a: ArrayView1<'_, f64>, b: ArrayView1<'_, f64>) -> f64 {
    match (a.as_slice(), b.as_slice()) {
        (Some(a), Some(b)) => linalg::sine_between(a, b),
        _ => linalg::sine_between(&a.to_vec(), &b.to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};

    fn angles(columns: &Array2<f64>) -> Angles {
        let norms = columns.outer_iter().map(|c| linalg::log_norm(&c.to_vec())).collect::<Vec<_>>();
        let norms = ArrayView1::from(&norms);
        let with = Angles::with(columns.view(), norms, Some(&Factor::with(columns.view(), norms, 1e-13, None)), 1e-13);
        let without = Angles::with(columns.view(), norms, None, 1e-13);
        for (a, b) in with.information.iter().zip(&without.information) {
            assert!((a - b).abs() < 1e-13 || a == b || (a.is_nan() && b.is_nan()), "{a} {b}");
        }
        with
    }

    #[test]
    fn pairs_are_in_order() {
        assert_eq!((first_of(0, 4), first_of(1, 4), first_of(2, 4), pairs(4)), (0, 3, 5, 6));
        assert_eq!((pairs(0), pairs(1)), (0, 0));
    }

    #[test]
    fn the_series_is_exact_to_rounding() {
        let squares: Vec<f64> = (0..=890).map(|k| f64::from(k) / 1000.0).chain([1e-300, 1e-12, 1e-5]).collect();
        let mut found = vec![0.0; squares.len()];
        overlaps(&squares, &mut found);
        for (x, found) in squares.iter().zip(found) {
            let expected = -0.5 * (-x).ln_1p();
            assert!((found - expected).abs() <= 4e-16 * expected, "{x}: {found} {expected}");
        }
    }

    #[test]
    fn known_angles() {
        let found = angles(&array![[1., 1., 0., 0.], [0., 2., 0., 0.], [0., 0., 1e-200, 0.], [-3., -3., 0., 0.], [0.; 4]]);
        let half_log_2 = 0.5 * 2.0_f64.ln();
        let expected = [half_log_2, 0., f64::INFINITY, f64::NAN, 0., half_log_2, f64::NAN, 0., f64::NAN, f64::NAN];
        for (found, expected) in found.information.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-15 || *found == expected || expected.is_nan() && found.is_nan(), "{found} {expected}");
        }
        assert!((found.squared_cosines[2] - 1.0).abs() < 1e-15);
    }

    /// Two columns at a small angle in 784 dimensions, of unequal length: the error in nats that is promised.
    #[test]
    fn nearly_parallel_columns() {
        let mut stream = crate::random::Stream::new(3, crate::random::Purpose::Directions, 0, 1);
        let mut normal = || (0..784).map(|_| stream.normal()).collect::<Vec<f64>>();
        let (a, mut b) = (normal(), normal());
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        for _ in 0..2 {
            let along = dot(&a, &b) / dot(&a, &a);
            b.iter_mut().zip(&a).for_each(|(b, a)| *b -= along * a);
        }
        let ratio = (dot(&a, &a) / dot(&b, &b)).sqrt();
        for (sine, in_double, in_single) in [(1e-2, 1e-13, 1e-6), (1e-3, 1e-13, 1e-6), (1e-4, 2e-13, 1e-5), (1e-5, 2e-12, 2e-4)] {
            let slope = ratio * f64::tan(f64::asin(sine));
            let c: Vec<f64> = a.iter().zip(&b).map(|(a, b)| 12.5 * (a + slope * b)).collect();
            let expected = -f64::ln(sine);
            let of =
                |a: Vec<f64>, c: Vec<f64>| angles(&Array2::from_shape_vec((2, 784), [a, c].concat()).unwrap_or_default()).information[0];
            let error = (of(a.clone(), c.clone()) - expected).abs();
            assert!(error < in_double, "{sine}: {error}");
            let single = |x: &[f64]| x.iter().map(|x| f64::from(*x as f32)).collect::<Vec<_>>();
            let error = (of(single(&a), single(&c)) - expected).abs();
            assert!(error < in_single, "{sine} in single precision: {error}");
        }
    }
}
