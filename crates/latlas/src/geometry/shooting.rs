//! Newton shooting: the velocity v with Exp_a(v) = b, from a good guess.
//!
//! v ← v + G (b − Exp_a(v)) with G = ∂v/∂b, which the Hessian of the discrete energy gives for the price of d band solves; so one shot a round
//! is enough, in any dimension. Where rounds gain little, G learns from them (Broyden, 1965).

use ndarray::{Array1, Array2, ArrayView2, Axis};

use super::energy::norm;
use super::exponential::{ExpOptions, exp};
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
}

/// One aim on its way.
struct Running {
    aim: Aim,
    /// The best so far: velocity, residual vector.
    best: Option<(Array1<f64>, Array1<f64>)>,
    /// b − Exp_a(v) of the last round, and the step to it.
    last: Option<Array1<f64>>,
    step: Array1<f64>,
    halvings: usize,
    done: Option<Result<Hit, Reason>>,
}

/// Rounds until the residual is below `residual` · max(1, |b|), at most `rounds` of them.
pub(super) fn shoot(
    manifold: &dyn Manifold,
    aims: Vec<Aim>,
    [residual, tolerance]: [f64; 2],
    rounds: usize,
    options: &ExpOptions,
) -> Result<Vec<Result<Hit, Reason>>> {
    let fresh = |aim: Aim| Running { step: Array1::zeros(aim.to.len()), aim, best: None, last: None, halvings: 0, done: None };
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
        for (&i, shot) in active.iter().zip(exp(manifold, from.view(), velocity.view(), &options)?) {
            let running = &mut all[i];
            let reason = shot.status.reason();
            running.take(shot.end, shot.length, reason, residual);
        }
    }
    Ok(all.into_iter().map(|running| running.done.unwrap_or(Err(Reason::ShootingDiverged))).collect())
}

impl Running {
    fn take(&mut self, end: Array1<f64>, length: f64, failed: Option<Reason>, target: f64) {
        let off = &self.aim.to - &end;
        let size = norm(&off);
        if failed.is_none() && size <= target * norm(&self.aim.to).max(1.0) {
            self.done = Some(Ok(Hit { velocity: self.aim.velocity.clone(), length, residual: size }));
            return;
        }
        let better = failed.is_none() && self.best.as_ref().is_none_or(|(_, best)| size < norm(best));
        if better {
            if let Some(last) = &self.last
                && size > 0.1 * norm(last)
            {
                learn(&mut self.aim.sensitivity, &self.step, &(last - &off));
            }
            self.best = Some((self.aim.velocity.clone(), off.clone()));
            self.last = Some(off.clone());
            self.step = self.aim.sensitivity.dot(&off);
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
