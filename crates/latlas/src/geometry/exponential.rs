//! The exponential map: Exp_z(v) = c(1) of the geodesic c with c(0) = z and ċ(0) = v.
//!
//! c̈ = −J⁺ H[ċ, ċ] (see [`manifold`](super::manifold)) is integrated by the pair of Dormand and Prince of order 8 with adaptive steps, a batch
//! at a time with a step for each sample. The speed |ċ|_M of a geodesic is constant, and how far it drifts is checked.
//! Exp_z(v) need not exist: a manifold may end (the plane in disguise, z ↦ exp z, has no Exp₀(−1, 0)).

use ndarray::{Array1, Array2, Array3, ArrayView2, Axis, Slice, concatenate};

use super::dormand_prince::{Control, End, Step, integrate};
use super::factor::Factor;
use super::manifold::Manifold;
use super::status::{Reason, Status};
use crate::error::{Error, Result};
use crate::models::Smoothness;

/// How to shoot.
#[derive(Debug, Clone, PartialEq)]
pub struct ExpOptions {
    /// Of the end point, relative and absolute in z.
    pub tolerance: f64,
    /// The most steps of one sample.
    pub max_steps: usize,
    /// s_d/s₁ of the frame at which directions count as lost.
    pub rank_tolerance: f64,
    /// The box [low, high] in every latent that curves must stay in.
    pub domain: Option<(f64, f64)>,
}

impl Default for ExpOptions {
    fn default() -> Self {
        Self { tolerance: 1e-8, max_steps: 10_000, rank_tolerance: 1e-10, domain: None }
    }
}

/// A geodesic that was shot.
#[derive(Debug, Clone)]
pub struct Shot {
    /// c(t) `[d]` where the integration ended: Exp_z(v) if it converged, otherwise how far it came.
    pub end: Array1<f64>,
    /// ċ(t) `[d]`: v carried along its own geodesic.
    pub velocity: Array1<f64>,
    /// 1 if it converged, otherwise how far it came.
    pub t: f64,
    /// |v|_M, the length of the whole geodesic in units of F.
    pub length: f64,
    /// The estimated error of the end point in z.
    pub error: f64,
    /// The largest | |ċ|_M/|v|_M − 1 | on the way.
    pub drift: f64,
    /// Steps taken.
    pub steps: usize,
    /// Converged or why not.
    pub status: Status,
}

/// The local tolerance is this share of the one that is asked for at the end: local errors add up, but are told too large.
const LOCAL: f64 = 0.5;
/// Below this local errors are rounding, and no step is small enough.
const FINEST: f64 = 1e-14;
/// A drift or an error estimate of this many tolerances is not believed.
const MOST: f64 = 100.0;

/// Exp_z(v) for z and v `[n, d]`.
///
/// # Errors
/// Arrays that do not fit; an embedding without second derivatives.
pub fn exp(manifold: &dyn Manifold, z: ArrayView2<'_, f64>, v: ArrayView2<'_, f64>, options: &ExpOptions) -> Result<Vec<Shot>> {
    exp_along(manifold, z, v, options, 1).map(|(shots, _)| shots)
}

/// Exp_z(t v) at t = 0, 1/segments, … 1 as well: the shots and `[n, segments + 1, d]` points of each with their velocities; NaN where a
/// curve did not come.
///
/// # Errors
/// Those of [`exp`].
pub fn exp_along(
    manifold: &dyn Manifold,
    z: ArrayView2<'_, f64>,
    v: ArrayView2<'_, f64>,
    options: &ExpOptions,
    segments: usize,
) -> Result<(Vec<Shot>, [Array3<f64>; 2])> {
    let (n, d) = z.dim();
    if d != manifold.dim() || v.dim() != (n, d) {
        let what = format!("{} has {} latents, got points {:?} and vectors {:?}", manifold.name(), manifold.dim(), z.dim(), v.dim());
        return Err(Error::Shape { what, hint: Some("one vector for each point".into()) });
    }
    let segments = segments.max(1);
    if manifold.smoothness() == Smoothness::PiecewiseLinear {
        let mut along = [Array3::from_elem((n, segments + 1, d), f64::NAN), Array3::from_elem((n, segments + 1, d), f64::NAN)];
        along.iter_mut().zip([z, v]).for_each(|(along, start)| along.index_axis_mut(Axis(1), 0).assign(&start));
        return Ok(((0..n).map(|i| Shot::refused(z.row(i).to_owned(), v.row(i).to_owned())).collect(), along));
    }
    let flights = checked(manifold, z, v, options, segments)?;
    let along = [0, d].map(|from| Array3::from_shape_fn((n, segments + 1, d), |(i, k, j)| flights[i].1[[k, from + j]]));
    Ok((flights.into_iter().map(|(shot, _)| shot).collect(), along))
}

impl Shot {
    /// A decoder of linear pieces has no equation of geodesics.
    fn refused(end: Array1<f64>, velocity: Array1<f64>) -> Self {
        let status = Status::Failed(Reason::NonSmooth);
        Self { end, velocity, t: 0.0, length: 0.0, error: 0.0, drift: 0.0, steps: 0, status }
    }
}

/// A shot with its points at equal times `[segments + 1, 2d]`, positions and velocities.
type Flight = (Shot, Array2<f64>);

/// Shots whose speed is constant and whose error is small, others once more with a smaller tolerance.
fn checked(
    manifold: &dyn Manifold,
    z: ArrayView2<'_, f64>,
    v: ArrayView2<'_, f64>,
    options: &ExpOptions,
    segments: usize,
) -> Result<Vec<Flight>> {
    let mut flights = shoot(manifold, z, v, options, LOCAL, segments)?;
    let most = MOST * options.tolerance;
    let drifts = |shot: &Shot| shot.status.is_converged() && (shot.drift > most || shot.error > most);
    let again: Vec<usize> = (0..flights.len()).filter(|i| drifts(&flights[*i].0)).collect();
    if !again.is_empty() {
        let (z, v) = (z.select(Axis(0), &again), v.select(Axis(0), &again));
        let finer = shoot(manifold, z.view(), v.view(), options, 1e-3 * LOCAL, segments)?;
        for (i, (mut shot, points)) in again.into_iter().zip(finer) {
            shot.steps += flights[i].0.steps;
            if drifts(&shot) {
                shot.status = Status::Failed(Reason::Unresolved);
            }
            flights[i] = (shot, points);
        }
    }
    Ok(flights)
}

/// What is watched of a sample on its way.
#[derive(Clone)]
struct Watch {
    /// |v|_M at the start.
    speed: f64,
    drift: f64,
    /// Local errors as shifts in time: what they displace an end by is the velocity there times their sum.
    delay: f64,
    fault: Option<Reason>,
}

fn shoot(
    manifold: &dyn Manifold,
    z: ArrayView2<'_, f64>,
    v: ArrayView2<'_, f64>,
    options: &ExpOptions,
    local: f64,
    segments: usize,
) -> Result<Vec<Flight>> {
    let (n, d) = z.dim();
    let start = concatenate(Axis(1), &[z, v]).map_err(|error| Error::Shape { what: error.to_string(), hint: None })?;
    let part = |y: ArrayView2<'_, f64>, from: usize| y.slice_axis(Axis(1), Slice::from(from..from + d)).to_owned();
    // Triangles of the last call, by sample: at an accepted end it is the call at that end.
    let triangles: std::cell::RefCell<Vec<Array2<f64>>> = std::cell::RefCell::new(vec![Array2::zeros((0, 0)); n]);
    let right = |who: &[usize], y: ArrayView2<'_, f64>| {
        let (z, v) = (part(y, 0), part(y, d));
        let acceleration = manifold.acceleration(z.view(), v.view())?;
        let mut kept = triangles.borrow_mut();
        who.iter().zip(acceleration.triangles).for_each(|(i, r)| kept[*i] = r);
        concatenate(Axis(1), &[v.view(), acceleration.values.view()]).map_err(|error| Error::Shape { what: error.to_string(), hint: None })
    };
    let mut watched = Vec::with_capacity(n);
    let initial = manifold.factors(z)?;
    for (factor, v) in initial.iter().zip(v.outer_iter()) {
        let speed = norm(&factor.orthonormal(v));
        watched.push(Watch { speed, drift: 0.0, delay: 0.0, fault: fault(factor, options) });
    }
    let watch = |step: &Step<'_>| {
        let watch = &mut watched[step.sample];
        let (position, velocity) = (step.y.slice_axis(Axis(0), Slice::from(..d)), step.y.slice_axis(Axis(0), Slice::from(d..)));
        let Ok(factor) = Factor::new(triangles.borrow()[step.sample].clone()) else {
            watch.fault = Some(Reason::NonFinite);
            return false;
        };
        if watch.speed > 0.0 {
            watch.drift = watch.drift.max((norm(&factor.orthonormal(velocity)) / watch.speed - 1.0).abs());
        }
        let size = |x: ndarray::ArrayView1<'_, f64>| x.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
        let pace = size(velocity);
        if pace > 0.0 {
            watch.delay += step.error * (1.0 + size(position)) / pace;
        }
        let outside = options.domain.is_some_and(|(low, high)| position.iter().any(|x| !(low..=high).contains(x)));
        watch.fault = if outside { Some(Reason::LeftDomain) } else { fault(&factor, options) };
        watch.fault.is_none()
    };
    let control = Control { tolerance: (options.tolerance * local).max(FINEST), max_steps: options.max_steps, segments };
    let tracks = integrate(start.view(), control, right, watch)?;
    let shot = |(track, watch): (super::dormand_prince::Track, Watch)| {
        let status = match (track.end, watch.fault) {
            (_, Some(reason)) => Status::Failed(reason),
            (End::Reached, None) => Status::Converged,
            (End::MaxSteps, None) => Status::Failed(Reason::MaxIter),
            (End::StepTooSmall, None) => Status::Failed(Reason::StepTooSmall),
            (End::NonFinite | End::Stopped, None) => Status::Failed(Reason::NonFinite),
        };
        let end = track.y.slice_axis(Axis(0), Slice::from(..d)).to_owned();
        let velocity = track.y.slice_axis(Axis(0), Slice::from(d..)).to_owned();
        let pace = velocity.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
        let shot = Shot {
            velocity,
            t: track.t,
            length: watch.speed,
            error: watch.delay * control.tolerance * pace,
            drift: watch.drift,
            steps: track.steps,
            end,
            status,
        };
        (shot, track.points)
    };
    Ok(tracks.into_iter().zip(watched).map(shot).collect())
}

fn fault(factor: &Factor, options: &ExpOptions) -> Option<Reason> {
    match () {
        () if !factor.is_finite() => Some(Reason::NonFinite),
        () if factor.rank(options.rank_tolerance) < factor.singular_values.len() => Some(Reason::RankLoss),
        () => None,
    }
}

fn norm(x: &[f64]) -> f64 {
    x.iter().map(|x| x * x).sum::<f64>().sqrt()
}
