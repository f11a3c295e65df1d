//! Ordinary differential equations by the pair of Dormand and Prince of order 8, with error estimates of orders 5 and 3.
//!
//! A batch advances together: every sample has its own time and step, and each stage is one call of the right-hand side for all that
//! are not done. Coefficients, error norm and step control are those of Hairer, Nørsett and Wanner, *Solving Ordinary Differential
//! Equations I*, 1993, section II.10 and the code DOP853, as is the curve of order 7 between two steps.

mod between;
mod coefficients;

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};

use self::coefficients::{ERROR_3, ERROR_5, STAGES, WEIGHTS};
use crate::error::Result;

/// How to integrate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Control {
    /// Of the local error, relative and absolute.
    pub tolerance: f64,
    /// Accepted and rejected steps of one sample.
    pub max_steps: usize,
    /// y is told at t = 0, 1/segments, … 1.
    pub segments: usize,
}

/// Why a sample is no longer advanced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// At t = 1.
    Reached,
    /// The limit of steps.
    MaxSteps,
    /// A step below the resolution of t.
    StepTooSmall,
    /// Not finite at the start.
    NonFinite,
    /// What watches the steps asked for it.
    Stopped,
}

/// A sample of the batch.
#[derive(Debug, Clone)]
pub struct Track {
    /// y at `t`.
    pub y: Array1<f64>,
    /// Between 0 and 1.
    pub t: f64,
    /// Accepted and rejected.
    pub steps: usize,
    /// How it ended.
    pub end: End,
    /// y at equal times `[segments + 1, w]`, NaN where it did not come.
    pub points: Array2<f64>,
}

/// One sample on its way.
struct Running {
    track: Track,
    /// dy/dt at `track.y`.
    slope: Array1<f64>,
    step: f64,
    rejected: bool,
}

/// Integrates y' = f(y) over t from 0 to 1 for each row of `start [n, w]`.
///
/// `f` takes the indices of the samples and their rows. `accepted` is told every step and may stop the sample by giving
/// `false`.
///
/// # Errors
/// Those of `f`.
pub fn integrate(
    start: ArrayView2<'_, f64>,
    control: Control,
    mut f: impl FnMut(&[usize], ArrayView2<'_, f64>) -> Result<Array2<f64>>,
    mut accepted: impl FnMut(&Step<'_>) -> bool,
) -> Result<Vec<Track>> {
    let (n, w) = start.dim();
    let everyone: Vec<usize> = (0..n).collect();
    let slopes = f(&everyone, start)?;
    let lengths = first_steps(start, &slopes, control.tolerance, &mut f)?;
    let mut all: Vec<Running> = start
        .outer_iter()
        .zip(slopes.outer_iter())
        .zip(lengths)
        .map(|((y, slope), step)| {
            let end = if y.iter().chain(slope).all(|x| x.is_finite()) { End::Reached } else { End::NonFinite };
            let mut points = Array2::from_elem((control.segments + 1, w), f64::NAN);
            points.row_mut(0).assign(&y);
            let track = Track { y: y.to_owned(), t: 0.0, steps: 0, end, points };
            Running { step, track, slope: slope.to_owned(), rejected: false }
        })
        .collect();
    let mut active: Vec<usize> = everyone.into_iter().filter(|i| all[*i].track.end == End::Reached).collect();
    while !active.is_empty() {
        let m = active.len();
        let mut slopes: Vec<Array2<f64>> = Vec::with_capacity(STAGES.len() + 2);
        slopes.push(rows(&active, w, |i| &all[i].slope));
        let base = rows(&active, w, |i| &all[i].track.y);
        let steps: Array1<f64> = active.iter().map(|i| all[*i].step).collect();
        let steps = steps.insert_axis(Axis(1));
        let combined = |slopes: &[Array2<f64>], weights: &[(usize, f64)]| combined(slopes, weights) * &steps;
        for weights in STAGES {
            let y = &base + &combined(&slopes, weights);
            slopes.push(f(&active, y.view())?);
        }
        let ends = &base + &combined(&slopes, WEIGHTS);
        slopes.push(f(&active, ends.view())?);
        let (fifth, third) = (combined(&slopes, ERROR_5), combined(&slopes, ERROR_3));
        let (mut rest, mut passed) = (Vec::with_capacity(m), Vec::new());
        for (row, &i) in active.iter().enumerate() {
            let sample = &mut all[i];
            let (end, slope) = (ends.row(row), slopes[STAGES.len() + 1].row(row));
            let error = error_norm([fifth.row(row), third.row(row)], [sample.track.y.view(), end], control.tolerance);
            let usable = error.is_finite() && end.iter().chain(slope).all(|x| x.is_finite());
            sample.track.steps += 1;
            // Order 8: the step that would just meet the tolerance is step · error^(−1/8).
            let factor = if !usable {
                0.1
            } else if error > 0.0 {
                (0.9 * error.powf(-0.125)).clamp(0.2, 10.0)
            } else {
                10.0
            };
            if usable && error <= 1.0 {
                let t = if sample.track.t + sample.step >= 1.0 { 1.0 } else { sample.track.t + sample.step };
                let step = Step { sample: i, to: t, y: end, slope, error };
                let go_on = accepted(&step);
                passed.push(between::Passed { row, sample: i, from: sample.track.t, to: t });
                sample.track.t = t;
                sample.track.y.assign(&end);
                sample.slope.assign(&slope);
                sample.step *= if sample.rejected { factor.min(1.0) } else { factor };
                sample.rejected = false;
                if !go_on {
                    sample.track.end = End::Stopped;
                    continue;
                }
                if t >= 1.0 {
                    sample.track.points.row_mut(control.segments).assign(&end);
                    continue;
                }
            } else {
                sample.step *= factor.min(1.0);
                sample.rejected = true;
            }
            // A step that would leave almost nothing takes that too.
            let left = 1.0 - sample.track.t;
            sample.step = if sample.step > 0.999_999 * left { left } else { sample.step };
            if sample.step < 1e-14 {
                sample.track.end = End::StepTooSmall;
            } else if sample.track.steps >= control.max_steps {
                sample.track.end = End::MaxSteps;
            } else {
                rest.push(i);
            }
        }
        between::fill(&mut all, &base, &steps, slopes, &passed, &mut f)?;
        active = rest;
    }
    Ok(all.into_iter().map(|sample| sample.track).collect())
}

/// An accepted step.
pub struct Step<'a> {
    /// Of which sample.
    pub sample: usize,
    /// t after it.
    pub to: f64,
    /// y after it.
    pub y: ArrayView1<'a, f64>,
    /// dy/dt after it.
    pub slope: ArrayView1<'a, f64>,
    /// Its error estimate, in units of the tolerance.
    pub error: f64,
}

/// Σ weight · slope.
fn combined(slopes: &[Array2<f64>], weights: &[(usize, f64)]) -> Array2<f64> {
    let mut sum = Array2::<f64>::zeros(slopes[0].dim());
    weights.iter().for_each(|(stage, weight)| sum.scaled_add(*weight, &slopes[*stage]));
    sum
}

fn rows<'a>(active: &[usize], w: usize, of: impl Fn(usize) -> &'a Array1<f64>) -> Array2<f64> {
    let mut rows = Array2::zeros((active.len(), w));
    rows.outer_iter_mut().zip(active).for_each(|(mut row, i)| row.assign(of(*i)));
    rows
}

/// First steps h with h⁸ max(|y'|, |y''|) of a hundredth of the tolerance, where y'' is from a step that changes y by a hundredth.
fn first_steps(
    start: ArrayView2<'_, f64>,
    slopes: &Array2<f64>,
    tolerance: f64,
    f: &mut impl FnMut(&[usize], ArrayView2<'_, f64>) -> Result<Array2<f64>>,
) -> Result<Vec<f64>> {
    let norm = |x: ArrayView1<'_, f64>, y: ArrayView1<'_, f64>| {
        x.iter().zip(y).map(|(x, y)| (x / (tolerance * (1.0 + y.abs()))).powi(2)).sum::<f64>().sqrt()
    };
    let trials = Array1::from_shape_fn(start.nrows(), |i| {
        let (size, speed) = (norm(start.row(i), start.row(i)), norm(slopes.row(i), start.row(i)));
        if size > 1e-5 && speed > 1e-5 && (size / speed).is_finite() { (0.01 * size / speed).clamp(1e-6, 0.1) } else { 0.01 }
    });
    let moved = &start + &(slopes * &trials.view().insert_axis(Axis(1)));
    let turned = f(&(0..start.nrows()).collect::<Vec<_>>(), moved.view())?;
    let step = |i: usize| {
        let trial = trials[i];
        let bend = norm((&turned.row(i) - &slopes.row(i)).view(), start.row(i)) / trial;
        let most = bend.max(norm(slopes.row(i), start.row(i)));
        let step = (0.01 / most).powf(0.125);
        if step.is_finite() { step.min(100.0 * trial).min(0.5) } else { trial }
    };
    Ok((0..start.nrows()).map(step).collect())
}

/// √(mean square) of the estimates over the tolerance, the fifth order damped by the third.
fn error_norm([fifth, third]: [ArrayView1<'_, f64>; 2], ends: [ArrayView1<'_, f64>; 2], tolerance: f64) -> f64 {
    let (mut five, mut three) = (0.0, 0.0);
    for (k, (a, b)) in fifth.iter().zip(third).enumerate() {
        let scale = tolerance * (1.0 + ends[0][k].abs().max(ends[1][k].abs()));
        five += (a / scale) * (a / scale);
        three += (b / scale) * (b / scale);
    }
    if five == 0.0 {
        return 0.0;
    }
    five / ((five + 0.01 * three) * fifth.len() as f64).sqrt()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
