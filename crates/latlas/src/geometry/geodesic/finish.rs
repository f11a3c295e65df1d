//! What is told of a pair: lengths by quadrature beside those that are confirmed, the bracket and the status.

use ndarray::{Array1, Array2, ArrayView1, Axis, Slice};

use super::search::{Candidate, velocity};
use super::{Competing, Geodesic};
use crate::error::Result;
use crate::geometry::curve::{Curves, Measured};
use crate::geometry::energy::End;
use crate::geometry::manifold::Manifold;
use crate::geometry::status::{Reason, Status};

/// Segments of a smooth curve that is measured: more where fewer do not agree with what is confirmed.
const MEASURED: [usize; 3] = [16, 32, 64];
/// Two lengths of one geodesic agree to this share at least, and E/L² − 1 is below it.
const AGREEMENT: f64 = 1e-6;

/// From the candidates of a pair, the lowest first.
pub fn finish(
    manifold: &dyn Manifold,
    [a, b]: [ArrayView1<'_, f64>; 2],
    candidates: Vec<Candidate>,
    chord: f64,
    (smooth, share): (bool, f64),
) -> Result<Geodesic> {
    let mut candidates = candidates.into_iter();
    let Some(best) = candidates.next() else { return Ok(without_curve(a, b, chord)) };
    let known = best.length();
    let Candidate { descent, hit, missed, agreed, .. } = best;
    let nodes = hit.as_ref().map_or_else(|| descent.nodes.clone(), |hit| hit.nodes.clone());
    let share = share.max(AGREEMENT);
    let measured = measure(manifold, &nodes, known, share, smooth)?;
    let Measured { length: curve, length_error, energy, speed_variation } = measured;
    let length = known.unwrap_or(curve);
    let apart = (length - curve).abs().max(agreed.unwrap_or(0.0));
    let status = match (known, descent.end) {
        _ if !curve.is_finite() => Status::Failed(Reason::NonFinite),
        (Some(_), _) if agree(&measured, length, share) => Status::Converged,
        (Some(_), _) => Status::EnergyOnly(Reason::Unresolved),
        (None, End::MaxSteps) => Status::Failed(Reason::MaxIter),
        (None, _) if descent.index > 0 => Status::Saddle(descent.index),
        (None, _) if !smooth => Status::EnergyOnly(Reason::NonSmooth),
        (None, _) => Status::EnergyOnly(missed.unwrap_or(Reason::Unresolved)),
    };
    let mut upper = curve + length_error;
    let mut competing = Vec::new();
    for other in candidates {
        let known = other.length();
        let Candidate { descent, hit, .. } = other;
        let index = descent.index;
        competing.push(if let Some(length) = known {
            Competing { nodes: hit.map_or(descent.nodes, |hit| hit.nodes), length, index }
        } else {
            let measured = measure(manifold, &descent.nodes, None, share, smooth)?;
            // A curve that exists bounds the distance, whatever it is.
            upper = upper.min(measured.length + measured.length_error);
            Competing { nodes: descent.nodes, length: measured.length, index }
        });
    }
    competing.sort_by(|x, y| x.length.total_cmp(&y.length));
    Ok(Geodesic {
        velocity: hit.as_ref().map_or_else(|| velocity(manifold, &descent, smooth), |hit| Ok(hit.velocity.clone()))?,
        nodes,
        length,
        length_error: length_error + apart,
        energy,
        energy_excess: excess(&measured),
        speed_variation,
        lower: chord,
        upper,
        residual: hit.as_ref().map_or(f64::NAN, |hit| hit.residual),
        index: descent.index,
        steps: descent.steps,
        status,
        competing,
    })
}

/// E/L² − 1.
fn excess(measured: &Measured) -> f64 {
    (measured.energy / (measured.length * measured.length) - 1.0).max(0.0)
}

fn agree(measured: &Measured, length: f64, share: f64) -> bool {
    (measured.length - length).abs() <= share * length && excess(measured) < share
}

/// A curve by quadrature. The spline through some of the nodes of a smooth one is as good, and cheaper.
fn measure(manifold: &dyn Manifold, nodes: &Array2<f64>, known: Option<f64>, share: f64, smooth: bool) -> Result<Measured> {
    let n = nodes.nrows() - 1;
    let enough = if known.is_some() { 0 } else { MEASURED.len() - 1 };
    let thinned = MEASURED.iter().skip(enough).filter(|m| smooth && n > **m && n.is_multiple_of(**m)).map(|m| n / m);
    let mut measured = None;
    for every in thinned.chain([1]) {
        let some = nodes.slice_axis(Axis(0), Slice::new(0, None, every as isize));
        let found = Curves::through(some.insert_axis(Axis(0)))?.measure(manifold)?.swap_remove(0);
        let done = known.is_none_or(|length| agree(&found, length, share));
        measured = Some(found);
        if done {
            break;
        }
    }
    Ok(measured.unwrap_or(Measured { length: f64::NAN, length_error: f64::NAN, energy: f64::NAN, speed_variation: f64::NAN }))
}

/// The ends are one point, or no start has finite values.
fn without_curve(a: ArrayView1<'_, f64>, b: ArrayView1<'_, f64>, chord: f64) -> Geodesic {
    let known = a == b && chord.is_finite();
    let value = if known { 0.0 } else { f64::NAN };
    let last = MEASURED[MEASURED.len() - 1];
    let nodes = Array2::from_shape_fn((last + 1, a.len()), |(k, j)| match k {
        _ if known || k == 0 => a[j],
        k if k == last => b[j],
        _ => f64::NAN,
    });
    Geodesic {
        nodes,
        velocity: Array1::from_elem(a.len(), value),
        length: value,
        length_error: value,
        energy: value,
        energy_excess: value,
        speed_variation: value,
        lower: if chord.is_finite() { chord } else { 0.0 },
        upper: if known { 0.0 } else { f64::INFINITY },
        residual: value,
        index: 0,
        steps: 0,
        status: if known { Status::Converged } else { Status::Failed(Reason::NonFinite) },
        competing: Vec::new(),
    }
}
