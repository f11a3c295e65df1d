//! Descent where a Hessian is too large to be factored: steps by L-BFGS (Nocedal, Updating quasi-Newton matrices with limited storage, 1980).
//!
//! On a flat manifold with metric M the Hessian of ½ Σ |s|² is K ⊗ M with K = tridiag(−1, 2, −1). With M at the middle of the curve that is where
//! the learning starts, so the first step is Newton's wherever the metric changes little, and later ones learn the difference from gradients:
//! one Jacobian a curve in all, and about four decodes a node and step.

use std::collections::VecDeque;

use ndarray::{Array2, ArrayView2, Axis};

use super::running::Running;
use super::terms::Energy;
use super::{Descent, End, EnergyOptions};
use crate::error::Result;
use crate::geometry::manifold::{Manifold, Steps};
use crate::linalg;

/// Pairs of steps and changes of the gradient that are remembered.
const MEMORY: usize = 12;
/// The share of M's mean eigenvalue that is added to all.
const RIDGE: f64 = 1e-6;
/// A step shorter than this share of the quasi-Newton step gains nothing.
const SHORTEST: f64 = 1e-6;
/// Gains below this share of the energy count as none, where the map is smooth and where it has kinks, at which gradients jump.
const LITTLE: [f64; 2] = [1e-9, 3e-4];
/// … and where curves are only compared.
const ROUGH: f64 = 1e-3;

/// A curve with what was learned on its way.
struct Learned {
    at: Running,
    gradient: Option<Vec<f64>>,
    /// L of M = LLᵀ.
    factor: Array2<f64>,
    /// Steps, changes of the gradient, and 1/⟨both⟩.
    pairs: VecDeque<(Vec<f64>, Vec<f64>, f64)>,
    /// The gradient before the last accepted step, and that step.
    last: Option<(Vec<f64>, Vec<f64>)>,
    direction: Vec<f64>,
    /// Of the direction that is tried.
    share: f64,
}

pub fn minimise(
    manifold: &dyn Manifold,
    energy: &Energy<'_>,
    starts: Vec<(usize, Array2<f64>)>,
    far: bool,
    options: &EnergyOptions,
) -> Result<Vec<Descent>> {
    let little = LITTLE[usize::from(!energy.exact)].max(if far { ROUGH } else { 0.0 });
    let mut curves = Vec::new();
    for (owner, nodes) in starts {
        let middle = nodes.row(nodes.nrows() / 2).insert_axis(Axis(0));
        let metric = match energy.steps {
            Steps::Image(f) => f.linearize(middle, None)?.gram()?,
            Steps::Midpoint(_) => manifold.metric_at(middle)?,
        };
        let factor = cholesky(metric.index_axis(Axis(0), 0), manifold.dim())?;
        let at = Running::new((owner, nodes));
        curves.push(Learned { at, gradient: None, factor, pairs: VecDeque::new(), last: None, direction: Vec::new(), share: 1.0 });
    }
    let steps = energy.steps(&curves.iter().map(|curve| &curve.at.nodes).collect::<Vec<_>>())?;
    curves.iter_mut().zip(steps).for_each(|(curve, steps)| curve.at.start(steps));
    while curves.iter().any(|curve| curve.at.is_going()) {
        let mut moved: Vec<&mut Learned> = curves.iter_mut().filter(|curve| curve.gradient.is_none() && curve.at.is_going()).collect();
        let gradients = energy.gradients(&moved.iter().map(|curve| &curve.at).collect::<Vec<_>>())?;
        moved.iter_mut().zip(gradients).for_each(|(curve, gradient)| curve.learn(gradient, options));
        let mut going: Vec<&mut Learned> = curves.iter_mut().filter(|curve| curve.at.is_going()).collect();
        going.iter_mut().for_each(|curve| curve.propose());
        let steps = energy.steps(&going.iter().map(|curve| &curve.at.candidate).collect::<Vec<_>>())?;
        going.into_iter().zip(steps).for_each(|(curve, steps)| curve.accept(steps, little));
    }
    Ok(curves.into_iter().map(|curve| curve.at.finish()).collect())
}

/// L of M with a ridge; of the unit matrix where M is not finite.
fn cholesky(metric: ArrayView2<'_, f64>, d: usize) -> Result<Array2<f64>> {
    let ridge = RIDGE * metric.diag().sum() / d as f64;
    if ridge > 0.0 && metric.iter().all(|x| x.is_finite()) {
        return linalg::cholesky((&metric + &(Array2::<f64>::eye(d) * ridge)).view());
    }
    Ok(Array2::eye(d))
}

impl Learned {
    /// Takes the gradient where it is now, and the direction that follows.
    fn learn(&mut self, gradient: Vec<f64>, options: &EnergyOptions) {
        self.at.judge(&gradient, options);
        if let Some((before, step)) = self.last.take() {
            let change: Vec<f64> = gradient.iter().zip(&before).map(|(now, before)| now - before).collect();
            let along = dot(&step, &change);
            // Without positive curvature along the step there is nothing to learn.
            if along > 1e-10 * (dot(&step, &step) * dot(&change, &change)).sqrt() {
                self.pairs.push_back((step, change, 1.0 / along));
                if self.pairs.len() > MEMORY {
                    self.pairs.pop_front();
                }
            }
        }
        self.direction = self.solve(&gradient);
        if dot(&self.direction, &gradient) <= 0.0 || self.direction.iter().any(|x| !x.is_finite()) {
            self.pairs.clear();
            self.direction = self.flat(gradient.clone());
        }
        // Where the last step had to be short, this one begins shorter.
        self.share = (2.0 * self.share).min(1.0);
        self.gradient = Some(gradient);
    }

    /// The inverse Hessian that was learned times a gradient, in two loops.
    fn solve(&self, gradient: &[f64]) -> Vec<f64> {
        let mut q = gradient.to_vec();
        let mut weights = Vec::with_capacity(self.pairs.len());
        for (step, change, scale) in self.pairs.iter().rev() {
            let weight = scale * dot(step, &q);
            q.iter_mut().zip(change).for_each(|(q, y)| *q -= weight * y);
            weights.push(weight);
        }
        let mut r = self.flat(q);
        for ((step, change, scale), weight) in self.pairs.iter().zip(weights.into_iter().rev()) {
            let rest = weight - scale * dot(change, &r);
            r.iter_mut().zip(step).for_each(|(r, s)| *r += rest * s);
        }
        r
    }

    /// (K ⊗ M)⁻¹ x: a solve with K for each latent, then one with M for each node.
    fn flat(&self, mut x: Vec<f64>) -> Vec<f64> {
        let d = self.factor.nrows();
        let inner = x.len() / d;
        // K = tridiag(−1, 2, −1) has the pivots (i + 2)/(i + 1).
        for i in 1..inner {
            let carry = i as f64 / (i + 1) as f64;
            (0..d).for_each(|j| x[i * d + j] += carry * x[(i - 1) * d + j]);
        }
        for i in (0..inner).rev() {
            let pivot = (i + 2) as f64 / (i + 1) as f64;
            (0..d).for_each(|j| x[i * d + j] = (x[i * d + j] + if i + 1 < inner { x[(i + 1) * d + j] } else { 0.0 }) / pivot);
        }
        let upper = self.factor.t();
        for node in x.chunks_mut(d) {
            let half = linalg::solve_upper_transposed(upper, node);
            node.copy_from_slice(&linalg::solve_upper(upper, &half));
        }
        x
    }

    fn propose(&mut self) {
        let step: Vec<f64> = self.direction.iter().map(|x| self.share * x).collect();
        if let Some(gradient) = &self.gradient {
            self.at.propose(&step, gradient);
        }
    }

    fn accept(&mut self, steps: Array2<f64>, little: f64) {
        let sum: f64 = steps.iter().map(|x| x * x).sum();
        if self.at.accept(steps, little) {
            let step = self.direction.iter().map(|x| -self.share * x).collect();
            self.last = self.gradient.take().map(|gradient| (gradient, step));
            return;
        }
        // On to the minimum of the parabola through what is known; no step is left where that is nothing.
        let slope = self.gradient.as_ref().map_or(0.0, |gradient| 2.0 * self.share * dot(&self.direction, gradient));
        let lowest = slope / (2.0 * (sum - self.at.sum + slope));
        self.share *= if lowest.is_finite() { lowest.clamp(0.1, 0.5) } else { 0.1 };
        if self.share < SHORTEST {
            self.at.end = Some(End::Flat);
        }
    }
}

fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| x * y).sum()
}
