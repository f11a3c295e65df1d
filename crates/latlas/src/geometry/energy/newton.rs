//! Newton's method with a damping λ of its own for each curve of a batch.
//!
//! Far from a minimum, and always where a decoder has kinks, the term with D²F is left out (Gauss and Newton): the matrix is then positive, costs
//! a third, and needs less damping; the minimum is where it is.

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
/// The share of max |∂E/∂c| · |b − a| / E below which a curve is near its minimum …
const NEAR: f64 = 0.1;
/// … or after so many steps.
const FAR: usize = 20;
/// The last one: no step is left.
const STIFF: f64 = 1e12;

/// A curve with the derivatives where it is.
struct Newton {
    at: Running,
    terms: Option<Terms>,
    damping: f64,
    /// Whether it is far from its minimum.
    far: bool,
}

pub fn minimise(energy: &Energy<'_>, starts: Vec<(usize, Array2<f64>)>, far: bool, options: &EnergyOptions) -> Result<Vec<Descent>> {
    let fresh = |start| Newton { at: Running::new(start), terms: None, damping: 0.0, far };
    let mut curves: Vec<Newton> = starts.into_iter().map(fresh).collect();
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
    for curve in &mut curves {
        curve.far = false;
        curve.terms = curve.terms.take().filter(|terms| terms.exact);
    }
    derive(energy, &mut curves, |at| !matches!(at.end, Some(End::NonFinite | End::Merged)))?;
    let (start, is_fine) = (energy.pieces.start(), energy.pieces.segments() > 1);
    Ok(curves.into_par_iter().map(|curve| Descent { is_fine, ..curve.finish(&start) }).collect())
}

/// Derivatives of those that have moved since.
fn derive(energy: &Energy<'_>, curves: &mut [Newton], wanted: impl Fn(&Running) -> bool) -> Result<()> {
    for far in [true, false] {
        let moved = |curve: &&mut Newton| curve.terms.is_none() && curve.far == far && wanted(&curve.at);
        let mut moved: Vec<&mut Newton> = curves.iter_mut().filter(moved).collect();
        let terms = energy.terms(&moved.iter().map(|curve| &curve.at).collect::<Vec<_>>(), !far)?;
        moved.iter_mut().zip(terms).for_each(|(curve, terms)| curve.terms = Some(terms));
    }
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
        let steepness = self.at.judge(&terms.gradient, options);
        if self.far && (steepness < NEAR || self.at.count() >= FAR) {
            (self.far, self.damping) = (false, 0.0);
        }
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

    /// `start` is what [`Pieces::start`](super::pieces::Pieces::start) tells.
    fn finish(self, start: &[f64]) -> Descent {
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
            descent.sensitivity = Some(sensitivity(&factor, &terms.end, start, (n, d)));
        }
        descent
    }
}

fn stiffer(damping: f64) -> f64 {
    (4.0 * damping).max(DAMPING)
}

/// ∂ċ(0)/∂b by δc = −H⁻¹ H_b δb, and ċ(0) of the polynomial through the first nodes.
fn sensitivity(factor: &Ldl, end: &[(usize, Array2<f64>)], start: &[f64], (n, d): (usize, usize)) -> Array2<f64> {
    let mut sensitivity = Array2::zeros((d, d));
    for j in 0..d {
        let mut right = vec![0.0; (n - 1) * d];
        for (k, block) in end {
            (0..d).for_each(|i| right[k * d + i] = -block[[i, j]]);
        }
        let moved = factor.solve(&right);
        let at = |i: usize| start.iter().enumerate().map(|(k, share)| share * moved[k * d + i]).sum::<f64>();
        (0..d).for_each(|i| sensitivity[[i, j]] = n as f64 * at(i));
    }
    sensitivity
}
