//! The derivative is that of the decoder: Jv against (f(z + hv) − f(z − hv)) / 2h for a random direction v, relative, at the
//! best of a scan of steps. Large steps cross kinks and knots, small ones drown in rounding; a wrong derivative is wrong
//! at every step. Where the model has a double-precision twin, the differences are taken on it.

use ndarray::{Array2, Axis};

use super::{Law, by_dtype, relative_difference};
use crate::random::{Purpose, Stream};

/// In units of the latents.
const STEPS: [f64; 6] = [1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7];

pub(super) const LAW: Law = Law {
    id: "finite-differences",
    of_jacobians: false,
    tolerance: |context| by_dtype(context, 1e-2, 1e-5),
    check: |place| {
        let Some((decoder, latents, condition)) = place.points() else { return Ok(None) };
        let (n, d) = latents.dim();
        let mut stream = Stream::new(place.context.settings.seed, Purpose::Directions, place.probe.batch().start, d);
        let mut directions = Array2::from_shape_simple_fn((n, d), || stream.normal());
        directions.outer_iter_mut().for_each(|mut v| {
            let norm = v.iter().map(|x| x * x).sum::<f64>().sqrt();
            v /= norm;
        });
        let tangents = directions.view().insert_axis(Axis(1));
        let exact = place.probe.linearization().jvp(tangents)?.remove_axis(Axis(1));
        let precise = decoder.in_double_precision();
        let precise = precise.as_deref().unwrap_or(decoder);
        // All steps in one batch: every pass goes through all weights.
        let (rows, steps) = (2 * STEPS.len() * n, |row: usize| STEPS[row / (2 * n)] * if (row / n).is_multiple_of(2) { 1.0 } else { -1.0 });
        let points = Array2::from_shape_fn((rows, d), |(row, i)| latents[[row % n, i]] + steps(row) * directions[[row % n, i]]);
        let condition = condition.map(|c| c.select(Axis(0), &(0..rows).map(|row| row % n).collect::<Vec<_>>()));
        let decoded = precise.decode(points.view(), condition.as_ref().map(|c| c.view()))?;
        let best = |s: usize| {
            let at = |k: usize, side: usize| decoded.row((2 * k + side) * n + s);
            let differences = STEPS.iter().enumerate().map(|(k, h)| (&at(k, 0) - &at(k, 1)) / (2.0 * h));
            // `min` passes over a NaN from a step that left the decoder's domain.
            differences.map(|difference| relative_difference(exact.row(s), &difference)).fold(f64::INFINITY, f64::min)
        };
        Ok((0..n).map(best).reduce(f64::max))
    },
};
