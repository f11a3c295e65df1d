//! Newton shooting: the velocity v with Exp_a(v) = b, from a good guess.
//!
//! v ← v + G (b − Exp_a(v)) with G = ∂v/∂b, which the Hessian of the discrete energy gives for the price of d band solves; so one shot a round
//! is enough, in any dimension. Where rounds gain little, G learns from them (Broyden, 1965). Early rounds, which miss anyway, are integrated
//! no more exactly than they miss.

use ndarray::{Array1, Array2, ArrayView2, Axis};

use super::energy::norm;
use super::exponential::{ExpOptions, Shot, exp_along};
use super::manifold::Manifold;
use super::status::Reason;
use crate::error::Result;

/// A guess.
pub(super) struct Aim {
    pub from: Array1<f64>,
    pub to: Array1<f64>,
    pub velocity: Array1<f64>,
    /// ∂v/∂b `[d, d]`.
    pub sensitivity: Array2<f64>,
}

/// What shooting found.
#[derive(Debug, Clone)]
pub(super) struct Hit {
    /// v.
    pub velocity: Array1<f64>,
    /// |v|_M.
    pub length: f64,
    /// |Exp_a(v) − b|.
    pub residual: f64,
    /// Exp_a(t v) at equal times `[SEGMENTS + 1, d]`.
    pub nodes: Array2<f64>,
}

/// Segments of a curve that was confirmed.
const SEGMENTS: usize = 128;
/// The tolerance of the first round.
const LOOSE: f64 = 1e-7;
/// Of the next round, in units of what the last one missed by.
const FINER: f64 = 1e-3;
/// How far an end may be off, in units of the tolerance.
const NOISE: f64 = 10.0;

/// One aim on its way.
struct Running {
    aim: Aim,
    /// The best so far: velocity, residual vector.
    best: Option<(Array1<f64>, Array1<f64>)>,
    /// b − Exp_a(v) of the last round, and the step from it.
    last: Option<Array1<f64>>,
    step: Array1<f64>,
    /// How well `last` is known.
    noise: f64,
    halvings: usize,
    done: Option<Result<Hit, Reason>>,
}

/// Rounds until the residual is below `residual` · max(1, |b|), at most `rounds` of them.
pub(super) fn shoot(
    manifold: &dyn Manifold,
    aims: Vec<Aim>,
    residual: f64,
    rounds: usize,
    options: &ExpOptions,
) -> Result<Vec<Result<Hit, Reason>>> {
    let finest = residual.max(1e-13);
    let mut tolerance = LOOSE.max(finest);
    let fresh = |aim: Aim| Running { step: Array1::zeros(aim.to.len()), aim, best: None, last: None, noise: 0.0, halvings: 0, done: None };
    let mut all: Vec<Running> = aims.into_iter().map(fresh).collect();
    for _ in 0..rounds {
        let active: Vec<usize> = (0..all.len()).filter(|i| all[*i].done.is_none()).collect();
        if active.is_empty() {
            break;
        }
        let rows = |of: &dyn Fn(&Running) -> Array1<f64>| {
            let rows: Vec<Array1<f64>> = active.iter().map(|i| of(&all[*i])).collect();
            let views: Vec<_> = rows.iter().map(|row| row.view()).collect();
            ndarray::stack(Axis(0), &views).unwrap_or_default()
        };
        let (from, velocity) = (rows(&|running| running.aim.from.clone()), rows(&|running| running.aim.velocity.clone()));
        let options = ExpOptions { tolerance, ..options.clone() };
        let last = tolerance <= finest;
        let (shots, [nodes, _]) = exp_along(manifold, from.view(), velocity.view(), &options, if last { SEGMENTS } else { 1 })?;
        let mut nearest = f64::INFINITY;
        for ((&i, shot), nodes) in active.iter().zip(shots).zip(nodes.outer_iter()) {
            let running = &mut all[i];
            let size = norm(&(&running.aim.to - &shot.end));
            if last && shot.status.is_converged() && size <= running.goal(residual) {
                let velocity = running.aim.velocity.clone();
                running.done = Some(Ok(Hit { velocity, length: shot.length, residual: size, nodes: nodes.to_owned() }));
            } else {
                running.turn(shot, tolerance);
                nearest = nearest.min(size);
            }
        }
        tolerance = (FINER * nearest).clamp(finest, tolerance);
    }
    Ok(all.into_iter().map(|running| running.done.unwrap_or(Err(Reason::ShootingDiverged))).collect())
}

impl Running {
    /// What counts as a hit.
    fn goal(&self, residual: f64) -> f64 {
        residual * norm(&self.aim.to).max(1.0)
    }

    /// Aims anew after a shot that was integrated to a tolerance: by how much it missed.
    fn turn(&mut self, shot: Shot, tolerance: f64) {
        let off = &self.aim.to - &shot.end;
        let size = norm(&off);
        let failed = shot.status.reason();
        // What an earlier, looser round found is known no better than this.
        let noise = std::mem::replace(&mut self.noise, NOISE * tolerance * norm(&self.aim.to).max(1.0));
        if failed.is_none() && self.best.as_ref().is_none_or(|(_, best)| size < norm(best) + noise) {
            if let Some(last) = &self.last
                && norm(last) > 10.0 * noise
            {
                learn(&mut self.aim.sensitivity, &self.step, &(last - &off));
            }
            self.best = Some((self.aim.velocity.clone(), off.clone()));
            self.step = self.aim.sensitivity.dot(&off);
            self.last = Some(off);
            self.halvings = 0;
            self.aim.velocity = &self.aim.velocity + &self.step;
            return;
        }
        // Back to the best, and half the way from there.
        self.halvings += 1;
        match &self.best {
            Some((best, _)) if self.halvings <= 6 => {
                self.step *= 0.5;
                self.aim.velocity = best + &self.step;
            }
            _ => self.done = Some(Err(failed.unwrap_or(Reason::ShootingDiverged))),
        }
    }
}

/// The least change of G with G Δy = Δv in Broyden's good form.
fn learn(sensitivity: &mut Array2<f64>, step: &Array1<f64>, moved: &Array1<f64>) {
    let predicted = sensitivity.dot(moved);
    let along = step.dot(&*sensitivity);
    let scale = step.dot(&predicted);
    if scale.abs() > 1e-3 * step.dot(step) {
        let correction = (step - &predicted) / scale;
        let outer: ArrayView2<'_, f64> = along.view().insert_axis(Axis(0));
        *sensitivity += &correction.view().insert_axis(Axis(1)).dot(&outer);
    }
}
