//! Logistic regression by L-BFGS.
//!
//! ```text
//! minimise ½‖W‖² + C Σᵢ lossᵢ,   the intercept free
//! ```
//!
//! Two classes have one logit; three or more are softmax with a penalised weight vector for each class. The objective is
//! divided by C n, as scikit-learn does, and its largest gradient entry is what the tolerance bounds.
//!
//! Steps are scaled by the inverse of the Hessian of each logit alone where the fit begins, so that features of different
//! scale, features that go together and rare classes cost no iterations.
//!
//! Reference: Liu and Nocedal, On the Limited Memory BFGS Method for Large Scale Optimization (1989).

mod problem;

use ndarray::{Array2, ArrayView1, ArrayView2};

use super::{accuracy, largest, present};
use problem::{Problem, softmax, with_ones};

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
