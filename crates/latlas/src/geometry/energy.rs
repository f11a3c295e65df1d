//! The discrete energy of curves, and its minimisation.
//!
//! For nodes c₀ = a, c₁ … c_N = b and steps sᵢ = F(cᵢ₊₁) − F(cᵢ), or sᵢ = A(m) (cᵢ₊₁ − cᵢ) with m the midpoint for a form,
//!
//! ```text
//! E = N Σ |sᵢ|²,   ½ ∂/∂cᵢ Σ |s|² = Jᵢᵀ rᵢ,   rᵢ = 2 F(cᵢ) − F(cᵢ₋₁) − F(cᵢ₊₁)
//! Hessian of ½ Σ |s|²:  2 JᵢᵀJᵢ + Σₐ rᵢₐ D²Fₐ(cᵢ) on the diagonal, −JᵢᵀJᵢ₊₁ beside it
//! ```
//!
//! Newton's method with a damping λ of its own for each curve of a batch; curves share calls of the graph. Where a decoder has kinks
//! the term with D²F is left out (Gauss and Newton), which leaves the minimum where it is. The chords of a curve are too short, by a share
//! that falls like N⁻², so the energy of few nodes has minima that refinement removes (Hauberg, *Only Bayes should learn a manifold*, 2018,
//! has the first-order form).

use ndarray::{Array1, Array2, Array3, ArrayView2, Axis, Slice};
use rayon::prelude::*;

use super::banded::{Banded, Ldl};
use super::manifold::{Manifold, Steps, chunks};
use crate::error::Result;
use crate::models::{Decoder, Smoothness};

/// When to stop.
#[derive(Debug, Clone, PartialEq)]
pub struct EnergyOptions {
    /// The most Newton steps of one curve at one level, rejected ones included.
    pub max_steps: usize,
    /// Of max |∂E/∂c| · |b − a| / E.
    pub tolerance: f64,
}

impl Default for EnergyOptions {
    fn default() -> Self {
        Self { max_steps: 100, tolerance: 1e-9 }
    }
}

/// How a descent ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The gradient vanishes.
    Stationary,
    /// No step lowers the energy by more than rounding: what a minimum at kinks looks like.
    Flat,
    MaxSteps,
    NonFinite,
}

/// A curve of least energy, or as far as it came.
#[derive(Debug, Clone)]
pub(super) struct Descent {
    /// `[N+1, d]`.
    pub nodes: Array2<f64>,
    /// E = N Σ |s|².
    pub energy: f64,
    pub steps: usize,
    pub end: End,
    /// Negative eigenvalues of the Hessian: the Morse index.
    pub index: usize,
    /// A direction of negative curvature `[N+1, d]`, its largest entry 1, where there is one.
    pub escape: Option<Array2<f64>>,
    /// The derivative of ċ(0) with respect to b `[d, d]`; `None` where the Hessian is singular.
    pub sensitivity: Option<Array2<f64>>,
}

/// Pivots below this share of the mean diagonal count as zero.
const ZERO: f64 = 1e-9;
/// The first damping, as a share of the mean diagonal.
const DAMPING: f64 = 2.5e-4;
/// The last one: no step is left.
const STIFF: f64 = 1e12;

/// Curves of least energy from each start `[N+1, d]`, all with the same N.
pub(super) fn minimise(manifold: &dyn Manifold, starts: Vec<Array2<f64>>, options: &EnergyOptions) -> Result<Vec<Descent>> {
    let energy = Energy { steps: manifold.steps()?, exact: manifold.smoothness() == Smoothness::Smooth };
    let mut curves: Vec<Running> = starts.into_iter().map(Running::new).collect();
    let everyone: Vec<usize> = (0..curves.len()).collect();
    let steps = energy.steps(&curves.iter().map(|curve| &curve.nodes).collect::<Vec<_>>())?;
    curves.iter_mut().zip(steps).for_each(|(curve, steps)| curve.start(steps));
    let mut active: Vec<usize> = everyone.into_iter().filter(|i| curves[*i].end.is_none()).collect();
    while !active.is_empty() {
        derive(&energy, &mut curves, &active)?;
        for &i in &active {
            curves[i].judge(options);
        }
        active.retain(|i| curves[*i].end.is_none());
        let mut going: Vec<&mut Running> = curves.iter_mut().filter(|curve| curve.end.is_none()).collect();
        going.par_iter_mut().for_each(|curve| curve.propose());
        active.retain(|i| curves[*i].end.is_none());
        let steps = energy.steps(&active.iter().map(|i| &curves[*i].candidate).collect::<Vec<_>>())?;
        for (&i, steps) in active.iter().zip(steps) {
            curves[i].accept(steps, energy.exact);
        }
    }
    let last: Vec<usize> = (0..curves.len()).filter(|i| curves[*i].end != Some(End::NonFinite)).collect();
    derive(&energy, &mut curves, &last)?;
    Ok(curves.into_par_iter().map(Running::finish).collect())
}

/// Derivatives of those that have moved since.
fn derive(energy: &Energy<'_>, curves: &mut [Running], among: &[usize]) -> Result<()> {
    let moved: Vec<usize> = among.iter().copied().filter(|i| curves[*i].terms.is_none()).collect();
    let of: Vec<&Running> = moved.iter().map(|i| &curves[*i]).collect();
    let terms = energy.terms(&of)?;
    moved.into_iter().zip(terms).for_each(|(i, terms)| curves[i].terms = Some(terms));
    Ok(())
}

/// One curve on its way down.
struct Running {
    nodes: Array2<f64>,
    /// `[N, m]`.
    steps: Array2<f64>,
    /// Σ |s|².
    sum: f64,
    terms: Option<Terms>,
    candidate: Array2<f64>,
    /// Gradient times step: what the candidate should gain of ½ Σ |s|² at first order.
    slope: f64,
    damping: f64,
    count: usize,
    /// Accepted steps in a row that gained nothing to speak of.
    idle: usize,
    end: Option<End>,
}

/// Derivatives of ½ Σ |s|² with respect to the inner nodes.
struct Terms {
    gradient: Vec<f64>,
    hessian: Banded,
    /// Mixed derivative in the last inner node and b: `[d, d]`.
    end: Array2<f64>,
}

impl Running {
    fn new(nodes: Array2<f64>) -> Self {
        Self {
            candidate: nodes.clone(),
            nodes,
            steps: Array2::zeros((0, 0)),
            sum: f64::NAN,
            terms: None,
            slope: 0.0,
            damping: 0.0,
            count: 0,
            idle: 0,
            end: None,
        }
    }

    fn start(&mut self, steps: Array2<f64>) {
        self.sum = steps.iter().map(|x| x * x).sum();
        self.steps = steps;
        if !self.sum.is_finite() {
            self.end = Some(End::NonFinite);
        } else if self.sum == 0.0 {
            self.end = Some(End::Stationary);
        }
    }

    /// |b − a|, or the extent of a loop.
    fn extent(&self) -> f64 {
        let (first, n) = (self.nodes.row(0), self.nodes.nrows() - 1);
        let ends = norm(&(&self.nodes.row(n) - &first));
        if ends > 0.0 { ends } else { self.nodes.outer_iter().map(|row| norm(&(&row - &first))).fold(0.0, f64::max) }
    }

    fn judge(&mut self, options: &EnergyOptions) {
        let Some(terms) = &self.terms else { return };
        let steepest = terms.gradient.iter().fold(0.0, |most: f64, g| most.max(g.abs()));
        if !steepest.is_finite() || !terms.hessian.scale().is_finite() {
            self.end = Some(End::NonFinite);
        } else if 2.0 * steepest * self.extent() <= options.tolerance * self.sum {
            self.end = Some(End::Stationary);
        } else if self.count >= options.max_steps {
            self.end = Some(End::MaxSteps);
        }
    }

    /// The damped Newton step.
    fn propose(&mut self) {
        let Some(terms) = &self.terms else { return };
        let (scale, mut damping) = (terms.hessian.scale(), self.damping);
        let step = loop {
            let factor = terms.hessian.factor(damping * scale);
            if factor.is_above(ZERO * scale) {
                let step = factor.solve(&terms.gradient);
                if step.iter().all(|x| x.is_finite()) {
                    break step;
                }
            }
            damping = stiffer(damping);
            if damping > STIFF {
                self.end = Some(End::Flat);
                return;
            }
        };
        self.damping = damping;
        self.slope = step.iter().zip(&terms.gradient).map(|(p, g)| p * g).sum();
        self.candidate.assign(&self.nodes);
        let d = self.nodes.ncols();
        for (k, p) in step.iter().enumerate() {
            self.candidate[[1 + k / d, k % d]] -= p;
        }
    }

    /// Takes the candidate if it lowers the energy enough.
    fn accept(&mut self, steps: Array2<f64>, exact: bool) {
        self.count += 1;
        let sum: f64 = steps.iter().map(|x| x * x).sum();
        // Differences of F keep that many digits fewer than F itself.
        let rounding = 8.0 * f64::EPSILON * self.steps.nrows() as f64 * self.sum;
        let lower = sum <= self.sum - 2e-4 * self.slope + rounding;
        if !lower {
            self.damping = stiffer(self.damping);
            if self.damping > STIFF {
                self.end = Some(End::Flat);
            }
            return;
        }
        let little = if exact { rounding } else { 1e-8 * self.sum };
        self.idle = if self.sum - sum <= little { self.idle + 1 } else { 0 };
        std::mem::swap(&mut self.nodes, &mut self.candidate);
        (self.steps, self.sum, self.terms) = (steps, sum, None);
        self.damping = if self.damping < DAMPING { 0.0 } else { self.damping / 5.0 };
        if self.idle >= 3 {
            self.end = Some(End::Flat);
        }
    }

    fn finish(self) -> Descent {
        let (n, d) = (self.nodes.nrows() - 1, self.nodes.ncols());
        let energy = n as f64 * self.sum;
        let end = self.end.unwrap_or(End::MaxSteps);
        let mut descent = Descent { nodes: self.nodes, energy, steps: self.count, end, index: 0, escape: None, sensitivity: None };
        let Some(terms) = self.terms else { return descent };
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

/// The energy on a manifold.
struct Energy<'a> {
    steps: Steps<'a>,
    /// Whether second derivatives can be relied on.
    exact: bool,
}

impl Energy<'_> {
    /// s `[N, m]` of each curve.
    fn steps(&self, curves: &[&Array2<f64>]) -> Result<Vec<Array2<f64>>> {
        let Some(nodes) = curves.first().map(|curve| curve.nrows()) else { return Ok(Vec::new()) };
        let views: Vec<ArrayView2<'_, f64>> = curves.iter().map(|curve| curve.view()).collect();
        match &self.steps {
            Steps::Image(f) => {
                let images = decoded(*f, &stacked(&views))?;
                let difference = |c: usize| {
                    let of = |from: usize| rows(images.view(), c * nodes + from..(c + 1) * nodes + from - 1);
                    &of(1) - &of(0)
                };
                Ok((0..curves.len()).map(difference).collect())
            }
            Steps::Midpoint(step) => {
                let steps = decoded(*step, &segments(&views))?;
                Ok((0..curves.len()).map(|c| rows(steps.view(), c * (nodes - 1)..(c + 1) * (nodes - 1)).to_owned()).collect())
            }
        }
    }

    fn terms(&self, curves: &[&Running]) -> Result<Vec<Terms>> {
        let Some((n, d)) = curves.first().map(|curve| (curve.nodes.nrows() - 1, curve.nodes.ncols())) else { return Ok(Vec::new()) };
        let blank =
            || Terms { gradient: vec![0.0; (n - 1) * d], hessian: Banded::zeros((n - 1) * d, 2 * d - 1), end: Array2::zeros((d, d)) };
        let mut all: Vec<Terms> = curves.iter().map(|_| blank()).collect();
        let views: Vec<ArrayView2<'_, f64>> = curves.iter().map(|curve| curve.nodes.view()).collect();
        match &self.steps {
            Steps::Image(f) => {
                // Inner nodes and b, whose Jacobian the last mixed derivative needs.
                let inner: Vec<ArrayView2<'_, f64>> = views.iter().map(|nodes| rows(*nodes, 1..n + 1)).collect();
                let rest = |row: usize| {
                    let (steps, i) = (&curves[row / n].steps, row % n);
                    if i + 1 < n { &steps.row(i) - &steps.row(i + 1) } else { Array1::zeros(steps.ncols()) }
                };
                let mut previous = Array2::zeros((0, 0));
                self.each(*f, &stacked(&inner), rest, |row, columns, mut second, pull| {
                    let (terms, i) = (&mut all[row / n], row % n);
                    if i > 0 {
                        let mixed = -previous.dot(&columns.t());
                        terms.mixed(i, &mixed, n);
                    }
                    if i + 1 < n {
                        second.scaled_add(2.0, &columns.dot(&columns.t()));
                        terms.own(i, second.view(), &pull);
                    }
                    previous = columns;
                })?;
            }
            Steps::Midpoint(step) => {
                let own = |row: usize| curves[row / n].steps.row(row % n).to_owned();
                self.each(*step, &segments(&views), own, |row, columns, second, pull| {
                    let (terms, i) = (&mut all[row / n], row % n);
                    let block = columns.dot(&columns.t()) + second;
                    let part = |k: usize, l: usize| Array2::from_shape_fn((d, d), |(row, column)| block[[k * d + row, l * d + column]]);
                    let half = |k: usize| Array1::from_shape_fn(d, |row| pull[k * d + row]);
                    if i > 0 {
                        terms.own(i - 1, part(0, 0).view(), &half(0));
                        terms.mixed(i, &part(0, 1), n);
                    }
                    if i + 1 < n {
                        terms.own(i, part(1, 1).view(), &half(1));
                    }
                })?;
            }
        }
        Ok(all)
    }

    /// For each row of z in order: the columns of Df, the Hessian of ⟨w, f⟩ (0 where it is left out), and Dfᵀ w, for a weight w each.
    fn each(
        &self,
        f: &dyn Decoder,
        z: &Array2<f64>,
        weight: impl Fn(usize) -> Array1<f64>,
        mut done: impl FnMut(usize, Array2<f64>, Array2<f64>, Array1<f64>),
    ) -> Result<()> {
        let d = z.ncols();
        let mut row = 0;
        for (_, part) in chunks(z.view(), d * f.ambient_dim()) {
            let mut weights = Array2::zeros((part.nrows(), f.ambient_dim()));
            weights.outer_iter_mut().enumerate().for_each(|(i, mut w)| w.assign(&weight(row + i)));
            let at = f.linearize(part, None)?;
            let columns = at.columns()?;
            let second = if self.exact { at.hessian(weights.view())? } else { Array3::zeros((part.nrows(), d, d)) };
            for (i, columns) in columns.outer_iter().enumerate() {
                let pull = columns.dot(&weights.row(i));
                done(row + i, columns.to_owned(), second.index_axis(Axis(0), i).to_owned(), pull);
            }
            row += part.nrows();
        }
        Ok(())
    }
}

impl Terms {
    /// Adds what belongs to inner node i alone.
    fn own(&mut self, i: usize, block: ArrayView2<'_, f64>, gradient: &Array1<f64>) {
        let d = gradient.len();
        for row in 0..d {
            self.gradient[i * d + row] += gradient[row];
            (0..=row).for_each(|column| self.hessian.add(i * d + row, i * d + column, block[[row, column]]));
        }
    }

    /// Adds what belongs to inner nodes i − 1 and i `[d, d]`; the last of them is b.
    fn mixed(&mut self, i: usize, block: &Array2<f64>, n: usize) {
        if i + 1 == n {
            self.end.assign(block);
            return;
        }
        let d = block.nrows();
        for ((row, column), value) in block.indexed_iter() {
            self.hessian.add(i * d + column, (i - 1) * d + row, *value);
        }
    }
}

fn decoded(f: &dyn Decoder, z: &Array2<f64>) -> Result<Array2<f64>> {
    f.decode(z.view(), None)
}

fn stacked(parts: &[ArrayView2<'_, f64>]) -> Array2<f64> {
    ndarray::concatenate(Axis(0), parts).unwrap_or_default()
}

fn rows(mut of: ArrayView2<'_, f64>, range: std::ops::Range<usize>) -> ArrayView2<'_, f64> {
    of.slice_axis_inplace(Axis(0), Slice::from(range));
    of
}

/// (cᵢ, cᵢ₊₁) of all segments: `[m · N, 2d]`.
fn segments(curves: &[ArrayView2<'_, f64>]) -> Array2<f64> {
    let (from, to): (Vec<_>, Vec<_>) = curves.iter().map(|c| (rows(*c, 0..c.nrows() - 1), rows(*c, 1..c.nrows()))).unzip();
    ndarray::concatenate(Axis(1), &[stacked(&from).view(), stacked(&to).view()]).unwrap_or_default()
}

pub(super) fn norm(x: &Array1<f64>) -> f64 {
    x.dot(x).sqrt()
}
