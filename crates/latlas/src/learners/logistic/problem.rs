//! The objective of a logistic regression, and its minimum by L-BFGS.

use std::ops::Range;

use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis};
use rayon::prelude::*;

use super::Effort;
use crate::learners::vectors::{exp, wide};
use crate::linalg::symmetric_eigen;

/// Rows whose sums are kept apart, so that any number of threads adds them in the same order.
const BLOCK: usize = 1024;
/// Features, with the intercept, up to which each logit has a scale of its own: it costs half as many passes over the rows.
const FEATURES: usize = 32;
/// Pairs of steps and gradient changes that are remembered.
const MEMORY: usize = 10;

/// What is minimised.
pub(super) struct Problem<'a> {
    /// Features, and a 1 behind them: `[n, p + 1]`.
    pub x: Array2<f64>,
    /// The class of each row.
    pub places: &'a [u32],
    /// One for two classes, otherwise one for each class.
    pub logits: usize,
    /// 1/(C n).
    pub penalty: f64,
}

/// Features with a 1 behind them, whose weight is the intercept.
pub(super) fn with_ones(x: ArrayView2<'_, f64>) -> Array2<f64> {
    let mut all = Array2::ones((x.nrows(), x.ncols() + 1));
    all.slice_axis_mut(Axis(1), (..x.ncols()).into()).assign(&x);
    all
}

/// Probabilities in place of logits, and log Σ exp of the logits.
#[inline(always)]
pub(super) fn softmax(z: &mut [f64]) -> f64 {
    let top = folded(z, f64::NEG_INFINITY, |a, b| if b > a { b } else { a });
    for z in z.iter_mut() {
        *z = exp(*z - top);
    }
    let sum = folded(z, 0.0, |a, b| a + b);
    let inverse = sum.recip();
    for z in z {
        *z *= inverse;
    }
    top + sum.ln()
}

/// All numbers put together, in four strands that do not wait for each other.
#[inline(always)]
fn folded(z: &[f64], start: f64, of: impl Fn(f64, f64) -> f64) -> f64 {
    let (chunks, rest) = z.as_chunks::<4>();
    let mut strands = [start; 4];
    for chunk in chunks {
        for (strand, z) in strands.iter_mut().zip(chunk) {
            *strand = of(*strand, *z);
        }
    }
    strands.iter().chain(rest).fold(start, |a, b| of(a, *b))
}

impl Problem<'_> {
    /// The objective, and its gradient.
    pub fn value(&self, w: &[f64], gradient: &mut [f64]) -> f64 {
        let (n, width) = (self.x.nrows(), self.logits);
        let blocks: Vec<usize> = (0..n).step_by(BLOCK).collect();
        let parts: Vec<(f64, Vec<f64>)> = blocks.into_par_iter().map(|start| self.block(w, start..(start + BLOCK).min(n))).collect();
        gradient.fill(0.0);
        let mut value = 0.0;
        for (loss, part) in &parts {
            value += loss;
            gradient.iter_mut().zip(part).for_each(|(g, p)| *g += p);
        }
        value /= n as f64;
        gradient.iter_mut().for_each(|g| *g /= n as f64);
        let penalised = w.len() - width;
        for (g, w) in gradient.iter_mut().zip(w).take(penalised) {
            value += 0.5 * self.penalty * w * w;
            *g += self.penalty * w;
        }
        value
    }

    /// Probabilities of some rows, a column for each logit, and the sum of their losses.
    fn probabilities(&self, w: ArrayView2<'_, f64>, rows: Range<usize>) -> (Array2<f64>, f64) {
        let mut z = self.x.slice_axis(Axis(0), rows.clone().into()).dot(&w);
        let all = z.as_slice_mut().unwrap_or_default();
        let loss = wide(
            #[inline(always)]
            || {
                let mut loss = 0.0;
                for (z, place) in all.chunks_exact_mut(self.logits).zip(&self.places[rows]) {
                    let place = *place as usize;
                    if self.logits == 1 {
                        let margin = if place == 1 { z[0] } else { -z[0] };
                        loss += if margin > 0.0 { (-margin).exp().ln_1p() } else { margin.exp().ln_1p() - margin };
                        z[0] = 1.0 / (1.0 + (-z[0]).exp());
                    } else {
                        let own = z[place];
                        loss += softmax(z) - own;
                    }
                }
                loss
            },
        );
        (z, loss)
    }

    fn block(&self, w: &[f64], rows: Range<usize>) -> (f64, Vec<f64>) {
        let shape = (self.x.ncols(), self.logits);
        let Ok(w) = ArrayView2::from_shape(shape, w) else { return (f64::NAN, w.to_vec()) };
        let (mut residuals, loss) = self.probabilities(w, rows.clone());
        for (mut row, place) in residuals.outer_iter_mut().zip(&self.places[rows.clone()]) {
            // A single logit is that of the second class.
            match (&mut row.as_slice_mut().unwrap_or_default()[..], *place) {
                ([only], place) => *only -= f64::from(place),
                (row, place) => row[place as usize] -= 1.0,
            }
        }
        let mut gradient = vec![0.0; w.len()];
        if let Ok(mut gradient) = ArrayViewMut2::from_shape(shape, &mut gradient) {
            general_mat_mul(1.0, &self.x.slice_axis(Axis(0), rows.into()).t(), &residuals, 0.0, &mut gradient);
        }
        (loss, gradient)
    }

    /// The inverse of E[p(1 − p) x xᵀ] + the penalty where the fit begins: of the Hessian of each logit alone. With many
    /// features one such matrix, of the mean over logits, serves all of them.
    fn scales(&self, w: &[f64]) -> Vec<Array2<f64>> {
        let (n, p) = self.x.dim();
        let Ok(w) = ArrayView2::from_shape((p, self.logits), w) else { return vec![Array2::eye(p)] };
        let alone = p <= FEATURES;
        let count = if alone { self.logits } else { 1 };
        let of_block = |start: usize| {
            let rows = start..(start + BLOCK).min(n);
            let (mut weights, _) = self.probabilities(w, rows.clone());
            weights.mapv_inplace(|p| p * (1.0 - p));
            if !alone {
                weights = weights.mean_axis(Axis(1)).unwrap_or_default().insert_axis(Axis(1));
            }
            let x = self.x.slice_axis(Axis(0), rows.into());
            weights.columns().into_iter().map(|q| x.t().dot(&(&x * &q.insert_axis(Axis(1))))).collect::<Vec<_>>()
        };
        let parts: Vec<Vec<Array2<f64>>> = (0..n).step_by(BLOCK).collect::<Vec<_>>().into_par_iter().map(of_block).collect();
        let inverse = |k: usize| {
            let mut hessian = Array2::zeros((p, p));
            parts.iter().for_each(|part| hessian += &part[k]);
            hessian /= n as f64;
            hessian.diag_mut().iter_mut().take(p - 1).for_each(|h| *h += self.penalty);
            let Ok((values, vectors)) = symmetric_eigen(hessian.view()) else { return Array2::eye(p) };
            let least = (values[p - 1] * f64::EPSILON).max(f64::MIN_POSITIVE);
            (&vectors / &values.mapv(|value| value.max(least))).dot(&vectors.t())
        };
        (0..count).map(inverse).collect()
    }

    /// Moves `w` to the minimum; whether the tolerance was reached.
    pub fn minimise(&self, w: &mut Vec<f64>, effort: Effort) -> bool {
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let mut gradient = vec![0.0; w.len()];
        let mut value = self.value(w, &mut gradient);
        let settled = |gradient: &[f64]| gradient.iter().all(|g| g.abs() <= effort.tolerance);
        // A start that is good enough, as the last penalty's often is, needs no scales.
        if settled(&gradient) {
            return true;
        }
        let scales = self.scales(w);
        let scaled = |x: &[f64]| {
            let Ok(x) = ArrayView2::from_shape((self.x.ncols(), self.logits), x) else { return x.to_vec() };
            let mut all = Array2::zeros(x.raw_dim());
            for (k, (x, mut scaled)) in x.columns().into_iter().zip(all.columns_mut()).enumerate() {
                scaled.assign(&scales[k % scales.len()].dot(&x));
            }
            all.iter().copied().collect()
        };
        let mut memory: Vec<(Vec<f64>, Vec<f64>, f64)> = Vec::new();
        let mut next_gradient = gradient.clone();
        for _ in 0..effort.iterations {
            let mut direction: Vec<f64> = gradient.iter().map(|g| -g).collect();
            let mut shares = Vec::new();
            for (s, y, curvature) in memory.iter().rev() {
                let share = dot(s, &direction) / curvature;
                direction.iter_mut().zip(y).for_each(|(d, y)| *d -= share * y);
                shares.push(share);
            }
            let scale = memory.last().map_or(1.0, |(_, y, curvature)| curvature / dot(y, &scaled(y)));
            direction = scaled(&direction);
            direction.iter_mut().for_each(|d| *d *= scale);
            for ((s, y, curvature), share) in memory.iter().zip(shares.iter().rev()) {
                let back = dot(y, &direction) / curvature;
                direction.iter_mut().zip(s).for_each(|(d, s)| *d += (share - back) * s);
            }
            let slope = dot(&direction, &gradient);
            if slope >= 0.0 {
                // Rounding has spoiled the memory: begin anew, and give up where that does not help either.
                if memory.is_empty() {
                    return false;
                }
                memory.clear();
                continue;
            }
            let mut step = 1.0;
            let mut moved: Vec<f64>;
            let mut next;
            loop {
                moved = w.iter().zip(&direction).map(|(w, d)| w + step * d).collect();
                next = self.value(&moved, &mut next_gradient);
                if next <= value + 1e-4 * step * slope || step < 1e-10 {
                    break;
                }
                // The minimum of the parabola through what is known, but not too near.
                let parabola = -slope * step * step / (2.0 * (next - value - slope * step));
                step = if parabola.is_finite() { parabola.clamp(0.1 * step, 0.5 * step) } else { 0.5 * step };
            }
            if next >= value {
                return gradient.iter().all(|g| g.abs() <= 10.0 * effort.tolerance);
            }
            let s: Vec<f64> = moved.iter().zip(w.iter()).map(|(a, b)| a - b).collect();
            let y: Vec<f64> = next_gradient.iter().zip(&gradient).map(|(a, b)| a - b).collect();
            let curvature = dot(&s, &y);
            if curvature > 1e-300 {
                if memory.len() == MEMORY {
                    memory.remove(0);
                }
                memory.push((s, y, curvature));
            }
            *w = moved;
            value = next;
            std::mem::swap(&mut gradient, &mut next_gradient);
            if settled(&gradient) {
                return true;
            }
        }
        false
    }
}
