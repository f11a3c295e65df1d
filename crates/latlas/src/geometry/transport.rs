//! Parallel transport: vectors carried along a curve without turning.
//!
//! w stays parallel where ẇ + Γ(ċ, w) = 0. The symbols come from the equation of geodesics, a(v) = −Γ(v, v), by polarisation: Γ(ċ, w) =
//! ¼ (a(ċ − w) − a(ċ + w)). Between the nodes the curve is the cubic with the velocities there, and the equation is integrated with one
//! step of Runge and Kutta of order 4: the error falls like N⁻⁴ with the number of segments N.
//!
//! A decoder of linear pieces has no such symbols. There vectors are pushed to the data and projected back at the next node, w ← J⁺ₖ₊₁ Jₖ w,
//! which is of first order, needs no second derivative and bends at the kinks.
//!
//! Lengths |w|_M and angles are kept by parallel transport; the result is rescaled to the length that w had, and how much that took is told.
//! With the logarithm and the exponential it makes analogies: a is to b as c is to Exp_c(transport of Log_a b).

use ndarray::{Array2, ArrayView2, Axis};

use super::curve::Curves;
use super::factor::Factor;
use super::manifold::Manifold;
use crate::error::{Error, Result};
use crate::linalg;
use crate::models::Smoothness;

/// A vector at the end of a curve.
#[derive(Debug, Clone)]
pub struct Transported {
    /// `[m, d]`, of the length that it had; NaN where the curve meets a point without full rank.
    pub vectors: Array2<f64>,
    /// | |w|_M at the end / |w|_M at the start − 1 | before rescaling `[m]`: how exact it was.
    pub drift: Vec<f64>,
}

/// Carries w `[m, d]` from the beginning of each of m curves to its end.
///
/// # Errors
/// Arrays that do not fit.
pub fn transport(manifold: &dyn Manifold, curves: &Curves, w: ArrayView2<'_, f64>) -> Result<Transported> {
    let (m, nodes, d) = curves.nodes.dim();
    if w.dim() != (m, d) || d != manifold.dim() {
        let what = format!("{m} curves in {d} latents and vectors {:?} on a manifold of {}", w.dim(), manifold.dim());
        return Err(Error::Shape { what, hint: Some("one vector for each curve".into()) });
    }
    let (first, last) = (curves.nodes.index_axis(Axis(1), 0), curves.nodes.index_axis(Axis(1), nodes - 1));
    let before = manifold.speed(first, w)?;
    let mut vectors = if manifold.smoothness() == Smoothness::PiecewiseLinear {
        projected(manifold, curves, w)?
    } else {
        integrated(manifold, curves, w)?
    };
    let after = manifold.speed(last, vectors.view())?;
    let mut drift = Vec::with_capacity(m);
    for ((mut vector, before), after) in vectors.outer_iter_mut().zip(before).zip(after) {
        // A vector of length 0 stays one.
        let scale = if before == 0.0 { 0.0 } else { before / after };
        drift.push(if before == 0.0 { 0.0 } else { (after / before - 1.0).abs() });
        vector *= scale;
    }
    Ok(Transported { vectors, drift })
}

/// One step of order 4 a segment.
fn integrated(manifold: &dyn Manifold, curves: &Curves, w: ArrayView2<'_, f64>) -> Result<Array2<f64>> {
    let segments = curves.segments();
    let h = 1.0 / segments as f64;
    let slope = |t: f64, w: &Array2<f64>| -> Result<Array2<f64>> {
        let (z, velocity) = curves.at(t);
        // a(λ v) = λ² a(v): w takes the size of ċ, so that neither drowns the other.
        let size = |x: &Array2<f64>| x.map_axis(Axis(1), |row| row.dot(&row).sqrt());
        let scale = (size(&velocity) / size(w)).mapv(|s| if s.is_finite() && s > 0.0 { s } else { 1.0 }).insert_axis(Axis(1));
        let scaled = w * &scale;
        let (sum, difference) = (&velocity + &scaled, &velocity - &scaled);
        let plus = manifold.acceleration(z.view(), sum.view())?.values;
        let minus = manifold.acceleration(z.view(), difference.view())?.values;
        Ok((plus - minus) * 0.25 / &scale)
    };
    let mut w = w.to_owned();
    for k in 0..segments {
        let t = k as f64 * h;
        // Ends of a segment belong to it: at its own end the curve is asked just before the next begins.
        let (middle, end) = (t + 0.5 * h, (k + 1) as f64 * h);
        let k1 = slope(t, &w)?;
        let k2 = slope(middle, &(&w + &(&k1 * (0.5 * h))))?;
        let k3 = slope(middle, &(&w + &(&k2 * (0.5 * h))))?;
        let k4 = slope(end, &(&w + &(&k3 * h)))?;
        w = w + (k1 + k2 * 2.0 + k3 * 2.0 + k4) * (h / 6.0);
    }
    Ok(w)
}

/// w ← J⁺ₖ₊₁ Jₖ w at each node, rescaled at each.
fn projected(manifold: &dyn Manifold, curves: &Curves, w: ArrayView2<'_, f64>) -> Result<Array2<f64>> {
    let mut w = w.to_owned();
    for k in 0..curves.segments() {
        let pushed = manifold.push(curves.nodes.index_axis(Axis(1), k), w.view().insert_axis(Axis(1)))?;
        let frames = manifold.frames(curves.nodes.index_axis(Axis(1), k + 1))?;
        for (i, frame) in frames.outer_iter().enumerate() {
            let pushed = pushed.index_axis(Axis(0), i);
            let qr = linalg::qr(frame);
            let inside = qr.q.dot(&pushed.row(0));
            let scale = pushed.row(0).dot(&pushed.row(0)).sqrt() / inside.dot(&inside).sqrt();
            let back = Factor::new(qr.r)?.coordinates(&(inside * if scale.is_finite() { scale } else { 1.0 }).to_vec());
            w.row_mut(i).assign(&ndarray::aview1(&back));
        }
    }
    Ok(w)
}
