//! Logistic regression by L-BFGS.
//!
//! ```text
//! minimise ½‖W‖² + C Σᵢ lossᵢ,   the intercept free
//! ```
//!
//! Two classes have one logit; three or more are softmax with a penalised weight vector for each class. The objective is
//! divided by C n, as scikit-learn does, and its largest gradient entry is what the tolerance bounds.
//!
//! Steps are scaled by the inverse of the Hessian at equal probabilities, the same for each logit, so that features of
//! different scale, or features that go together, cost no iterations.
//!
//! Reference: Liu and Nocedal, On the Limited Memory BFGS Method for Large Scale Optimization (1989).

use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayView1, ArrayView2, ArrayViewMut2, Axis};
use rayon::prelude::*;

use super::exponential::exp;
use super::{accuracy, largest, present};
use crate::linalg::symmetric_eigen;

/// How hard to try.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// Iterations at most.
    pub iterations: usize,
    /// The largest gradient entry that counts as zero.
    pub tolerance: f64,
}

impl Effort {
    /// For the choice between penalties.
    pub const ROUGH: Self = Self { iterations: 100, tolerance: 1e-4 };
    /// For what is reported.
    pub const FULL: Self = Self { iterations: 500, tolerance: 1e-6 };
}

/// A fitted model.
#[derive(Debug, Clone)]
pub struct Logistic {
    classes: Vec<u32>,
    /// `[features + 1, logits]`, the intercept last.
    weights: Array2<f64>,
    /// Whether the tolerance was reached.
    pub converged: bool,
}

/// Rows whose sums are kept apart, so that any number of threads adds them in the same order.
const BLOCK: usize = 1024;
/// Pairs of steps and gradient changes that are remembered.
const MEMORY: usize = 10;

struct Problem<'a> {
    /// Features, and a 1 behind them: `[n, p + 1]`.
    x: Array2<f64>,
    places: &'a [u32],
    logits: usize,
    penalty: f64,
}

impl Logistic {
    /// From features `[n, p]` and the class of each row; `start` is a fit of the same rows to begin at.
    pub fn fit(x: ArrayView2<'_, f64>, labels: &[u32], c: f64, effort: Effort, start: Option<&Self>) -> Self {
        let (classes, places) = present(labels);
        let logits = match classes.len() {
            0 | 1 => 0,
            2 => 1,
            v => v,
        };
        let shape = (x.ncols() + 1, logits);
        let start = start.filter(|s| s.classes == classes && s.weights.dim() == shape);
        let mut weights = start.map_or_else(|| Array2::zeros(shape), |s| s.weights.clone());
        let mut converged = true;
        if logits > 0 {
            let problem = Problem { x: with_ones(x), places: &places, logits, penalty: 1.0 / (c * x.nrows() as f64) };
            let mut flat = weights.iter().copied().collect::<Vec<f64>>();
            converged = problem.minimise(&mut flat, effort);
            weights = Array2::from_shape_vec(shape, flat).unwrap_or(weights);
        }
        Self { classes, weights, converged }
    }

    fn logits(&self, x: ArrayView1<'_, f64>) -> Vec<f64> {
        let mut z = self.weights.row(x.len()).to_vec();
        for (x, weights) in x.iter().zip(self.weights.outer_iter()) {
            z.iter_mut().zip(weights).for_each(|(z, w)| *z += x * w);
        }
        z
    }

    /// Probabilities of the classes that training knew `[classes]`, for one row.
    pub fn probabilities(&self, x: ArrayView1<'_, f64>) -> Vec<f64> {
        let mut z = self.logits(x);
        match z[..] {
            [] => vec![1.0],
            [z] => vec![1.0 / (1.0 + z.exp()), 1.0 / (1.0 + (-z).exp())],
            _ => {
                softmax(&mut z);
                z
            }
        }
    }

    /// The classes that training knew.
    pub fn classes(&self) -> &[u32] {
        &self.classes
    }

    /// The most probable class of a row.
    pub fn predict(&self, x: ArrayView1<'_, f64>) -> u32 {
        let place = match self.logits(x)[..] {
            [z] => usize::from(z > 0.0),
            ref z => largest(z.iter().copied()),
        };
        self.classes.get(place).copied().unwrap_or(0)
    }

    /// The share of rows whose class is predicted.
    pub fn accuracy(&self, x: ArrayView2<'_, f64>, labels: &[u32]) -> f64 {
        accuracy(&x.outer_iter().map(|x| self.predict(x)).collect::<Vec<u32>>(), labels)
    }

    /// `[features + 1, logits]`, the intercept last.
    pub fn weights(&self) -> &Array2<f64> {
        &self.weights
    }
}

/// Features with a 1 behind them, whose weight is the intercept.
fn with_ones(x: ArrayView2<'_, f64>) -> Array2<f64> {
    let mut all = Array2::ones((x.nrows(), x.ncols() + 1));
    all.slice_axis_mut(Axis(1), (..x.ncols()).into()).assign(&x);
    all
}

/// Probabilities in place of logits, and log Σ exp of the logits.
fn softmax(z: &mut [f64]) -> f64 {
    let top = folded(z, f64::NEG_INFINITY, |a, b| if b > a { b } else { a });
    z.iter_mut().for_each(|z| *z = exp(*z - top));
    let sum = folded(z, 0.0, |a, b| a + b);
    let inverse = sum.recip();
    z.iter_mut().for_each(|z| *z *= inverse);
    top + sum.ln()
}

/// All numbers put together, in four strands that do not wait for each other.
fn folded(z: &[f64], start: f64, of: impl Fn(f64, f64) -> f64) -> f64 {
    let (chunks, rest) = z.as_chunks::<4>();
    let mut strands = [start; 4];
    for chunk in chunks {
        strands.iter_mut().zip(chunk).for_each(|(strand, z)| *strand = of(*strand, *z));
    }
    strands.iter().chain(rest).fold(start, |a, b| of(a, *b))
}

impl Problem<'_> {
    /// The objective, and its gradient.
    fn value(&self, w: &[f64], gradient: &mut [f64]) -> f64 {
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

    fn block(&self, w: &[f64], rows: std::ops::Range<usize>) -> (f64, Vec<f64>) {
        let shape = (self.x.ncols(), self.logits);
        let Ok(w) = ArrayView2::from_shape(shape, w) else { return (f64::NAN, w.to_vec()) };
        let x = self.x.slice_axis(Axis(0), rows.clone().into());
        let mut z = x.dot(&w);
        let mut loss = 0.0;
        for (mut z, place) in z.outer_iter_mut().zip(&self.places[rows]) {
            let (z, place) = (z.as_slice_mut().unwrap_or_default(), *place as usize);
            if self.logits == 1 {
                let sign = if place == 1 { 1.0 } else { -1.0 };
                let margin = sign * z[0];
                loss += if margin > 0.0 { (-margin).exp().ln_1p() } else { margin.exp().ln_1p() - margin };
                z[0] = -sign / (1.0 + margin.exp());
            } else {
                let own = z[place];
                loss += softmax(z) - own;
                z[place] -= 1.0;
            }
        }
        let mut gradient = vec![0.0; w.len()];
        if let Ok(mut gradient) = ArrayViewMut2::from_shape(shape, &mut gradient) {
            general_mat_mul(1.0, &x.t(), &z, 0.0, &mut gradient);
        }
        (loss, gradient)
    }

    /// The inverse of h E[x xᵀ] + the penalty: of the Hessian of each logit where all are equal, h = (1 − 1/v)/v.
    fn scale(&self) -> Array2<f64> {
        let p = self.x.ncols() - 1;
        let share = 1.0 / self.logits.max(2) as f64;
        let mut hessian = self.x.t().dot(&self.x) * (share * (1.0 - share) / self.x.nrows() as f64);
        hessian.diag_mut().iter_mut().take(p).for_each(|h| *h += self.penalty);
        let Ok((values, vectors)) = symmetric_eigen(hessian.view()) else { return Array2::eye(p + 1) };
        let least = values[p] * f64::EPSILON;
        (&vectors / &values.mapv(|value| value.max(least))).dot(&vectors.t())
    }

    /// Moves `w` to the minimum; whether the tolerance was reached.
    fn minimise(&self, w: &mut Vec<f64>, effort: Effort) -> bool {
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let inverse = self.scale();
        let scaled = |x: &[f64]| {
            ArrayView2::from_shape((self.x.ncols(), self.logits), x)
                .map_or_else(|_| x.to_vec(), |x| inverse.dot(&x).iter().copied().collect())
        };
        let mut gradient = vec![0.0; w.len()];
        let mut value = self.value(w, &mut gradient);
        let mut memory: Vec<(Vec<f64>, Vec<f64>, f64)> = Vec::new();
        let mut next_gradient = gradient.clone();
        for _ in 0..effort.iterations {
            if gradient.iter().all(|g| g.abs() <= effort.tolerance) {
                return true;
            }
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
        }
        gradient.iter().all(|g| g.abs() <= effort.tolerance)
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn one_row_on_each_side() {
        // w(1 + e^w) = 2.
        let exact = Effort { iterations: 500, tolerance: 1e-7 };
        let fit = Logistic::fit(array![[-1.0], [1.0]].view(), &[0, 1], 1.0, exact, None);
        assert!((fit.weights()[[0, 0]] - 0.674_832).abs() < 1e-6, "{:?}", fit.weights());
        assert!(fit.weights()[[1, 0]].abs() < 1e-6 && fit.converged, "{:?} {}", fit.weights(), fit.converged);
    }

    #[test]
    fn zeros_give_the_shares_of_the_classes() {
        let x = Array2::zeros((10, 2));
        let labels = [0, 0, 0, 0, 0, 0, 4, 4, 4, 7];
        let fit = Logistic::fit(x.view(), &labels, 1.0, Effort::FULL, None);
        assert_eq!(fit.classes(), [0, 4, 7]);
        for (p, expected) in fit.probabilities(x.row(0)).iter().zip([0.6, 0.3, 0.1]) {
            assert!((p - expected).abs() < 1e-5);
        }
        let alone = Logistic::fit(x.view(), &[3; 10], 1.0, Effort::FULL, None);
        assert_eq!((alone.predict(x.row(0)), alone.probabilities(x.row(0))), (3, vec![1.0]));
    }

    #[test]
    fn gradients_equal_finite_differences() {
        let x = Array2::from_shape_fn((40, 3), |(i, j)| ((i * 7 + j * 5) % 11) as f64 / 5.0 - 1.0);
        for classes in [2, 4] {
            let places: Vec<u32> = (0..40).map(|i| (i * i % 7) as u32 % classes).collect();
            let logits = if classes == 2 { 1 } else { classes as usize };
            let problem = Problem { x: with_ones(x.view()), places: &places, logits, penalty: 0.02 };
            let w: Vec<f64> = (0..4 * logits).map(|i| (i as f64 * 0.7).sin()).collect();
            let mut gradient = vec![0.0; w.len()];
            problem.value(&w, &mut gradient);
            for (i, g) in gradient.iter().enumerate() {
                let at = |step: f64| {
                    let mut w = w.clone();
                    w[i] += step;
                    problem.value(&w, &mut vec![0.0; w.len()])
                };
                let found = (at(1e-5) - at(-1e-5)) / 2e-5;
                assert!((found - g).abs() < 1e-8, "{i}: {found} {g}");
            }
        }
    }
}
