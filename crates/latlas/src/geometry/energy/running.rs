//! One curve on its way down: where it is, what was proposed, and whether that is lower.

use ndarray::{Array2, Axis};

use super::{Descent, End, EnergyOptions, norm};

/// A curve on its way.
pub struct Running {
    pub owner: usize,
    pub nodes: Array2<f64>,
    /// `[N, m]`.
    pub steps: Array2<f64>,
    /// Σ |s|².
    pub sum: f64,
    pub candidate: Array2<f64>,
    /// Gradient times step: what the candidate should gain of ½ Σ |s|² at first order.
    slope: f64,
    count: usize,
    /// Accepted steps in a row that gained nothing to speak of.
    idle: usize,
    pub end: Option<End>,
}

impl Running {
    pub fn new((owner, nodes): (usize, Array2<f64>)) -> Self {
        let (candidate, steps) = (nodes.clone(), Array2::zeros((0, 0)));
        Self { owner, nodes, steps, sum: f64::NAN, candidate, slope: 0.0, count: 0, idle: 0, end: None }
    }

    pub fn is_going(&self) -> bool {
        self.end.is_none()
    }

    pub fn start(&mut self, steps: Array2<f64>) {
        self.sum = steps.iter().map(|x| x * x).sum();
        self.steps = steps;
        if !self.sum.is_finite() {
            self.end = Some(End::NonFinite);
        } else if self.sum == 0.0 {
            self.end = Some(End::Stationary);
        }
    }

    /// |b − a|, or the extent of a loop.
    pub fn extent(&self) -> f64 {
        let (first, n) = (self.nodes.row(0), self.nodes.nrows() - 1);
        let ends = norm(&(&self.nodes.row(n) - &first));
        if ends > 0.0 { ends } else { self.nodes.outer_iter().map(|row| norm(&(&row - &first))).fold(0.0, f64::max) }
    }

    /// Steps that were tried.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Whether the gradient of ½ Σ |s|² leaves something to do: max |∂E/∂c| · |b − a| / E.
    pub fn judge(&mut self, gradient: &[f64], options: &EnergyOptions) -> f64 {
        let steepest = gradient.iter().fold(0.0, |most: f64, g| if g.is_nan() { f64::NAN } else { most.max(g.abs()) });
        if !steepest.is_finite() {
            self.end = Some(End::NonFinite);
        } else if 2.0 * steepest * self.extent() <= options.tolerance * self.sum {
            self.end = Some(End::Stationary);
        } else if self.count >= options.max_steps {
            self.end = Some(End::MaxSteps);
        }
        2.0 * steepest * self.extent() / self.sum
    }

    /// The candidate at nodes − step, over the inner nodes.
    pub fn propose(&mut self, step: &[f64], gradient: &[f64]) {
        self.slope = step.iter().zip(gradient).map(|(p, g)| p * g).sum();
        self.candidate.assign(&self.nodes);
        let d = self.nodes.ncols();
        for (k, p) in step.iter().enumerate() {
            self.candidate[[1 + k / d, k % d]] -= p;
        }
    }

    /// Takes the candidate if it lowers the energy enough; gains below the share `little` of the energy count as none. The nodes that it
    /// leaves are then in its place.
    pub fn accept(&mut self, steps: Array2<f64>, little: f64) -> bool {
        self.count += 1;
        let sum: f64 = steps.iter().map(|x| x * x).sum();
        // Differences of F keep that many digits fewer than F itself.
        let rounding = 8.0 * f64::EPSILON * self.steps.nrows() as f64 * self.sum;
        if sum.is_nan() || sum > self.sum - 2e-4 * self.slope + rounding {
            return false;
        }
        self.idle = if self.sum - sum <= rounding.max(little * self.sum) { self.idle + 1 } else { 0 };
        std::mem::swap(&mut self.nodes, &mut self.candidate);
        (self.steps, self.sum) = (steps, sum);
        if self.idle >= 3 {
            self.end = Some(End::Flat);
        }
        true
    }

    /// Whether two curves are nowhere further apart than a hundredth of their extent.
    pub fn is_beside(&self, other: &Self) -> bool {
        let furthest = (&self.nodes - &other.nodes).map_axis(Axis(1), |row| row.dot(&row)).fold(0.0, |most: f64, x| most.max(*x));
        furthest.sqrt() <= 0.01 * self.extent()
    }

    pub fn finish(self) -> Descent {
        let energy = (self.nodes.nrows() - 1) as f64 * self.sum;
        let end = self.end.unwrap_or(End::MaxSteps);
        Descent { nodes: self.nodes, energy, is_fine: false, steps: self.count, end, index: 0, escape: None, sensitivity: None }
    }
}
