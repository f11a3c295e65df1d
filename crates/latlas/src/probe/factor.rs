//! The factorisation of one sample's Jacobian, and the volumes of any of its columns, all from one small triangle.

use ndarray::{Array2, ArrayView1, ArrayView2, Axis};

use crate::context::Context;
use crate::error::Result;
use crate::linalg;
use crate::sketch::pivot_bias;

/// The factorisation of one sample's Jacobian, over its live columns (those that are not zero).
#[derive(Debug, Clone)]
pub struct Factor {
    /// Indices of the live columns.
    pub live: Vec<usize>,
    /// R of J's live columns in their order, `[live, live]`; of a sketch with fewer rows `[m, live]`.
    pub r: Array2<f64>,
    /// Σ log |R_kk|, or the model's own log-determinant; −∞ without full rank.
    pub log_volume: f64,
    is_finite: bool,
    /// Log lengths of the live columns as they stand in R.
    lengths: Vec<f64>,
    /// Below this sine to the span of the columns before it, a column counts as dependent.
    floor: f64,
    /// Rows of the sketch that the columns come from.
    sketch: Option<usize>,
}

/// Log-volumes of every core and every detail of an order π of the latents, dead ones left out.
#[derive(Debug, Clone, PartialEq)]
pub struct Sweep {
    /// log |J_{π(1..C)}| for C = 0 … d.
    pub core: Vec<f64>,
    /// log |J_{π(C+1..d)}| for C = 0 … d.
    pub detail: Vec<f64>,
}

impl Factor {
    /// From the columns `[d, D]` of one sample and their log lengths, d ≤ D.
    pub fn new(columns: ArrayView2<'_, f64>, log_norms: ArrayView1<'_, f64>, context: &Context) -> Self {
        Self::with(columns, log_norms, context.parallel_floor(), context.settings.sketch)
    }

    /// With the sine below which columns count as dependent, and the rows of a sketch.
    pub(super) fn with(columns: ArrayView2<'_, f64>, log_norms: ArrayView1<'_, f64>, floor: f64, sketch: Option<usize>) -> Self {
        if log_norms.iter().any(|x| x.is_nan()) {
            let (r, live, lengths) = (Array2::zeros((0, 0)), Vec::new(), Vec::new());
            return Self { live, r, log_volume: f64::NAN, is_finite: false, lengths, floor, sketch };
        }
        let live: Vec<usize> = (0..log_norms.len()).filter(|i| log_norms[*i] > f64::NEG_INFINITY).collect();
        let r =
            if live.len() == log_norms.len() { linalg::r_factor(columns) } else { linalg::r_factor(columns.select(Axis(0), &live).view()) };
        let correction = sketch.map_or(0.0, |rows| pivot_bias(0, rows));
        let lengths = live.iter().map(|i| log_norms[*i] + correction).collect();
        let mut factor = Self { live, r, log_volume: 0.0, is_finite: true, lengths, floor, sketch };
        let log_volume: f64 = factor.pivots(&factor.live).iter().sum();
        // More columns than a sketch has rows have no volume.
        factor.log_volume = if log_volume.is_nan() { f64::NEG_INFINITY } else { log_volume };
        factor
    }

    /// log |R_kk| of the columns of these latents, factored in this order: what each adds to the volume of those before it.
    /// 0 for a dead column, −∞ for one that depends on those before it; NaN for a sample that is not finite, and for columns
    /// beyond the rows of a sketch.
    pub fn pivots(&self, order: &[usize]) -> Vec<f64> {
        if !self.is_finite {
            return vec![f64::NAN; order.len()];
        }
        let places: Vec<Option<usize>> = order.iter().map(|i| self.live.binary_search(i).ok()).collect();
        let live: Vec<usize> = places.iter().flatten().copied().collect();
        let is_native = live.iter().enumerate().all(|(k, place)| k == *place);
        let diagonal: Vec<f64> = if is_native {
            // The leading columns of R are factored already.
            self.r.diag().iter().take(live.len()).copied().collect()
        } else {
            let rows = live.iter().max().map_or(0, |last| last + 1).min(self.r.nrows());
            let columns = Array2::from_shape_fn((live.len(), rows), |(k, row)| self.r[[row, live[k]]]);
            linalg::r_diagonal(columns)
        };
        let mut diagonal = diagonal.iter().zip(&live).enumerate().map(|(k, (r, place))| {
            let pivot = r.abs().ln();
            let bias = self.sketch.map_or(0.0, |rows| pivot_bias(k, rows));
            if pivot > self.lengths[*place] + self.floor.ln() { pivot - bias } else { f64::NEG_INFINITY }
        });
        places.iter().map(|place| if place.is_some() { diagonal.next().unwrap_or(f64::NAN) } else { 0.0 }).collect()
    }

    /// log |J_S|: the log-volume of the columns of these latents, dead ones left out; −∞ where they are dependent.
    pub fn log_volume_of(&self, latents: &[usize]) -> f64 {
        self.pivots(latents).iter().sum()
    }

    /// log |J_S| + log |J_T| − log |J_{S∪T}| ≥ 0, added up over the columns of T: what each loses to S. +∞ where the
    /// spans meet, NaN where S or T alone is dependent already.
    pub fn shared_volume(&self, first: &[usize], second: &[usize]) -> f64 {
        let both = self.pivots(&[first, second].concat());
        let alone = self.pivots(second);
        if both[..first.len()].iter().chain(&alone).any(|x| !x.is_finite()) {
            return f64::NAN;
        }
        alone.iter().zip(&both[first.len()..]).map(|(alone, after)| alone - after).sum()
    }

    /// Log-volumes of all cores and details of this order: two factorisations.
    pub fn sweep(&self, order: &[usize]) -> Sweep {
        let running = |pivots: Vec<f64>| {
            let mut sum = 0.0;
            std::iter::once(0.0)
                .chain(pivots.into_iter().map(|pivot| {
                    sum += pivot;
                    sum
                }))
                .collect::<Vec<f64>>()
        };
        let backwards: Vec<usize> = order.iter().rev().copied().collect();
        let mut detail = running(self.pivots(&backwards));
        detail.reverse();
        Sweep { core: running(self.pivots(order)), detail }
    }

    /// The principal angles between the spans of two groups of latents, ascending, in radians; dead columns left out. Small
    /// ones come from their sines, large ones from their cosines, so that all are exact to rounding.
    ///
    /// # Errors
    /// A decomposition that does not converge.
    pub fn principal_angles(&self, first: &[usize], second: &[usize]) -> Result<Vec<f64>> {
        let basis = |latents: &[usize]| {
            let live: Vec<usize> = latents.iter().filter_map(|i| self.live.binary_search(i).ok()).collect();
            linalg::qr(Array2::from_shape_fn((live.len(), self.r.nrows()), |(k, row)| self.r[[row, live[k]]]).view()).q
        };
        let (mut large, mut small) = (basis(first), basis(second));
        if large.nrows() < small.nrows() {
            std::mem::swap(&mut large, &mut small);
        }
        if small.is_empty() {
            return Ok(Vec::new());
        }
        let cross = small.dot(&large.t());
        let cosines = linalg::singular_values(cross.view())?;
        let mut sines = linalg::singular_values((&small - &cross.dot(&large)).view())?;
        sines.sort_by(f64::total_cmp);
        Ok(cosines.iter().zip(&sines).map(|(cosine, sine)| sine.min(1.0).atan2(cosine.min(1.0))).collect())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn random(rows: usize, columns: usize) -> Array2<f64> {
        let mut stream = crate::random::Stream::new(7, crate::random::Purpose::Directions, 0, 1);
        Array2::from_shape_simple_fn((rows, columns), || stream.normal())
    }

    fn factor(columns: &Array2<f64>) -> Factor {
        let norms = columns.outer_iter().map(|c| linalg::log_norm(&c.to_vec())).collect::<Vec<_>>();
        Factor::with(columns.view(), ArrayView1::from(&norms), 1e-13, None)
    }

    #[test]
    fn block_information_by_volumes_and_by_angles() {
        let factor = factor(&random(7, 20));
        let (s, t) = ([0, 1, 2], [3, 4, 5, 6]);
        let volumes = factor.log_volume_of(&s) + factor.log_volume_of(&t) - factor.log_volume;
        let angles = factor.principal_angles(&s, &t).unwrap();
        assert_eq!(angles.len(), 3);
        let by_angles: f64 = angles.iter().map(|theta| -theta.sin().ln()).sum();
        assert!((volumes - by_angles).abs() < 1e-13, "{volumes} {by_angles}");
        assert!((factor.shared_volume(&s, &t) - by_angles).abs() < 1e-13);
        assert!((factor.shared_volume(&t, &s) - by_angles).abs() < 1e-13);
    }

    #[test]
    fn sweeps_equal_volumes_of_subsets() {
        let mut columns = random(6, 9);
        columns.row_mut(4).fill(0.0);
        let factor = factor(&columns);
        let order = [3, 5, 4, 0, 2, 1];
        let sweep = factor.sweep(&order);
        for c in 0..=6 {
            assert!((sweep.core[c] - factor.log_volume_of(&order[..c])).abs() < 1e-13);
            assert!((sweep.detail[c] - factor.log_volume_of(&order[c..])).abs() < 1e-13);
        }
        assert!((sweep.core[6] - factor.log_volume).abs() < 1e-13 && factor.live.len() == 5);
        let [a, b] = [5, 0].map(|i| columns.row(i).to_owned());
        let area = 0.5 * (a.dot(&a) * b.dot(&b) - a.dot(&b).powi(2)).ln();
        assert!((factor.log_volume_of(&[5, 0]) - area).abs() < 1e-13);
    }

    #[test]
    fn dependent_columns_spoil_only_what_they_are_in() {
        let mut columns = random(4, 9);
        let double = &columns.row(0) * 2.0;
        columns.row_mut(2).assign(&double);
        let factor = factor(&columns);
        assert_eq!(factor.log_volume, f64::NEG_INFINITY);
        assert!(factor.log_volume_of(&[1, 2, 3]).is_finite());
        assert_eq!(factor.shared_volume(&[0], &[2, 3]), f64::INFINITY);
        assert!(factor.shared_volume(&[0, 1], &[3]).is_finite());
        assert!(factor.shared_volume(&[0, 2], &[3]).is_nan());
        assert!(factor.principal_angles(&[0], &[2]).unwrap()[0] < 1e-15);
    }
}
