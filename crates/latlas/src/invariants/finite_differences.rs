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
        let mut best = vec![f64::INFINITY; n];
        for h in STEPS {
            let at = |h: f64| precise.decode((&directions * h + latents).view(), condition);
            let difference = (at(h)? - at(-h)?) / (2.0 * h);
            for (s, best) in best.iter_mut().enumerate() {
                // `min` passes over a NaN from a step that left the decoder's domain.
                *best = best.min(relative_difference(exact.row(s), difference.row(s)));
            }
        }
        Ok(best.into_iter().reduce(f64::max))
    },
};
