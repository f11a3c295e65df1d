//! Newton's method with a damping λ of its own for each curve of a batch.
//!
//! Where a decoder has kinks the term with D²F is left out (Gauss and Newton), which leaves the minimum where it is.

use ndarray::Array2;
use rayon::prelude::*;

use super::running::Running;
use super::terms::{Energy, Terms};
use super::{Descent, End, EnergyOptions};
use crate::error::Result;
use crate::geometry::banded::Ldl;

/// Pivots below this share of the mean diagonal count as zero.
const ZERO: f64 = 1e-9;
/// The first damping, as a share of the mean diagonal.
const DAMPING: f64 = 2.5e-4;
/// The last one: no step is left.
const STIFF: f64 = 1e12;

/// A curve with the derivatives where it is.
struct Newton {
    at: Running,
    terms: Option<Terms>,
    damping: f64,
}

pub fn minimise(energy: &Energy<'_>, starts: Vec<(usize, Array2<f64>)>, options: &EnergyOptions) -> Result<Vec<Descent>> {
    let mut curves: Vec<Newton> = starts.into_iter().map(|start| Newton { at: Running::new(start), terms: None, damping: 0.0 }).collect();
    let steps = energy.steps(&curves.iter().map(|curve| &curve.at.nodes).collect::<Vec<_>>())?;
    curves.iter_mut().zip(steps).for_each(|(curve, steps)| curve.at.start(steps));
    while curves.iter().any(|curve| curve.at.is_going()) {
        derive(energy, &mut curves, Running::is_going)?;
        let mut going: Vec<&mut Newton> = curves.iter_mut().filter(|curve| curve.at.is_going()).collect();
        going.par_iter_mut().for_each(|curve| curve.propose(options));
        going.retain(|curve| curve.at.is_going());
        let steps = energy.steps(&going.iter().map(|curve| &curve.at.candidate).collect::<Vec<_>>())?;
        going.into_iter().zip(steps).for_each(|(curve, steps)| curve.accept(steps, energy.exact));
        merge(&mut curves);
    }
    derive(energy, &mut curves, |at| !matches!(at.end, Some(End::NonFinite | End::Merged)))?;
    Ok(curves.into_par_iter().map(Newton::finish).collect())
}

/// Derivatives of those that have moved since.
fn derive(energy: &Energy<'_>, curves: &mut [Newton], wanted: impl Fn(&Running) -> bool) -> Result<()> {
    let mut moved: Vec<&mut Newton> = curves.iter_mut().filter(|curve| curve.terms.is_none() && wanted(&curve.at)).collect();
    let terms = energy.terms(&moved.iter().map(|curve| &curve.at).collect::<Vec<_>>())?;
    moved.iter_mut().zip(terms).for_each(|(curve, terms)| curve.terms = Some(terms));
    Ok(())
}

/// Ends curves beside a lower one of the same owner, where both are in reach of full Newton steps and so of one minimum.
fn merge(curves: &mut [Newton]) {
    for i in 0..curves.len() {
        let ends = curves[i].at.is_going()
            && curves[i].damping == 0.0
            && curves.iter().enumerate().any(|(j, other)| {
                let (at, mine) = (&other.at, &curves[i].at);
                let lives = at.is_going() || at.end == Some(End::Stationary);
                let lower = at.sum < mine.sum || (at.sum == mine.sum && j < i);
                at.owner == mine.owner && lives && lower && other.damping == 0.0 && mine.is_beside(at)
            });
        if ends {
            curves[i].at.end = Some(End::Merged);
        }
    }
}

impl Newton {
    /// The damped Newton step, unless there is nothing left to do.
    fn propose(&mut self, options: &EnergyOptions) {
        let Some(terms) = &self.terms else { return };
        self.at.judge(&terms.gradient, options);
        let scale = terms.hessian.scale();
        if !scale.is_finite() {
            self.at.end = Some(End::NonFinite);
        }
        let mut damping = self.damping;
        while self.at.is_going() {
            let factor = terms.hessian.factor(damping * scale);
            if factor.is_above(ZERO * scale) {
                let step = factor.solve(&terms.gradient);
                if step.iter().all(|x| x.is_finite()) {
                    self.at.propose(&step, &terms.gradient);
                    break;
                }
            }
            damping = stiffer(damping);
            if damping > STIFF {
                self.at.end = Some(End::Flat);
            }
        }
        self.damping = damping;
    }

    fn accept(&mut self, steps: Array2<f64>, exact: bool) {
        if self.at.accept(steps, if exact { 0.0 } else { 1e-8 }) {
            self.terms = None;
            self.damping = if self.damping < DAMPING { 0.0 } else { self.damping / 5.0 };
            return;
        }
        self.damping = stiffer(self.damping);
        if self.damping > STIFF {
            self.at.end = Some(End::Flat);
        }
    }

    fn finish(self) -> Descent {
        let mut descent = self.at.finish();
        let Some(terms) = self.terms else { return descent };
        let (n, d) = (descent.nodes.nrows() - 1, descent.nodes.ncols());
        let (factor, scale) = (terms.hessian.factor(0.0), terms.hessian.scale());
        descent.index = factor.pivots().filter(|pivot| *pivot < -ZERO * scale).count();
        if let Some(k) = factor.pivots().position(|pivot| pivot < -ZERO * scale) {
            let direction = factor.direction(k);
            let largest = direction.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
            descent.escape =
                Some(Array2::from_shape_fn((n + 1, d), |(i, j)| if i == 0 || i == n { 0.0 } else { direction[(i - 1) * d + j] / largest }));
        }
        if factor.pivots().all(|pivot| pivot.abs() > ZERO * scale) {
            descent.sensitivity = Some(sensitivity(&factor, &terms.end, n));
        }
        descent
    }
}

fn stiffer(damping: f64) -> f64 {
    (4.0 * damping).max(DAMPING)
}

/// ∂ċ(0)/∂b by δc = −H⁻¹ H_b δb and ċ(0) = N (2 c₁ − ½ c₂ − 3/2 a).
fn sensitivity(factor: &Ldl, end: &Array2<f64>, n: usize) -> Array2<f64> {
    let d = end.nrows();
    let mut sensitivity = Array2::zeros((d, d));
    for j in 0..d {
        let mut right = vec![0.0; (n - 1) * d];
        (0..d).for_each(|i| right[(n - 2) * d + i] = -end[[i, j]]);
        let moved = factor.solve(&right);
        (0..d).for_each(|i| sensitivity[[i, j]] = n as f64 * (2.0 * moved[i] - 0.5 * moved[d + i]));
    }
    sensitivity
}
