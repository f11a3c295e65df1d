//! A sketch finds what the whole Jacobian has: at a few samples, log lengths from fresh probes against exact ones, in
//! standard errors.
//!
//! The mean over the d latents of ½ log W_ii − c(1, m) − log ‖Jᵢ‖ has expectation zero. Since log W_ii and log W_jj are
//! even functions of Gaussian vectors with correlation ρ, their correlation is at most ρ² = cos²∠(Jᵢ, Jⱼ) (Lancaster 1957),
//! which bounds its variance. Where the probes suffice for it, so does the log-volume, whose variance is known exactly.

use ndarray::{ArrayView2, Axis};

use super::Law;
use crate::linalg::{log_norm, log_volume, r_factor};
use crate::random::Purpose;
use crate::sketch::{columns, probes, volume_bias, volume_variance};

/// Probes a spot, in as many sketches as that takes: the logarithms of single probes are far from normal.
const PROBES: usize = 32;

pub(super) const LAW: Law = Law {
    id: "sketch",
    tolerance: |_| 4.0,
    check: |place| {
        let context = place.probe.context();
        let (Some(m), Some((decoder, latents, condition))) = (context.settings.sketch, place.points()) else { return Ok(None) };
        let exact = place.spot_columns()?;
        let at = decoder.linearize(latents.view(), condition.as_ref().map(|c| c.view()))?;
        let (n, d, big_d) = exact.dim();
        let repeats = PROBES.div_ceil(m);
        let start = place.probe.batch().start + place.spots[0] as u64;
        let probes = probes(context.settings.seed, Purpose::SketchCheck, start, (n, repeats * m, big_d));
        let sketched = columns(&*at, &probes)?;
        let mut worst: Option<f64> = None;
        let (mut lengths, mut volumes) = (vec![0.0; n], vec![0.0; n]);
        for (s, (sketched, exact)) in sketched.outer_iter().zip(exact.outer_iter()).enumerate() {
            let volume = |columns: ArrayView2<'_, f64>| log_volume(r_factor(columns).view());
            for sketch in sketched.axis_chunks_iter(Axis(1), m) {
                for (a, b) in sketch.outer_iter().zip(exact.outer_iter()) {
                    let (a, b) = (log_norm(&a.to_vec()), log_norm(&b.to_vec()));
                    // A dead column is dead in both.
                    lengths[s] += if a == b { 0.0 } else { a - b - volume_bias(1, m) } / (d * repeats) as f64;
                }
                if m >= d && d <= big_d {
                    volumes[s] += (volume(sketch) - volume_bias(d, m) - volume(exact)) / repeats as f64;
                }
            }
        }
        for s in 0..n {
            let exact = exact.index_axis(Axis(0), s);
            let gram = exact.dot(&exact.t());
            let squares = gram.indexed_iter().map(|((i, j), g)| g * g / (gram[[i, i]] * gram[[j, j]]));
            // A dead column has no noise.
            let share = squares.filter(|square| square.is_finite()).sum::<f64>() / (d * d) as f64;
            let in_errors = |gap: f64, variance: f64| if gap == 0.0 { 0.0 } else { gap.abs() / (variance / repeats as f64).sqrt() };
            let length = in_errors(lengths[s], volume_variance(1, m) * share);
            let volume = if m >= d && d <= big_d && volumes[s].is_finite() { in_errors(volumes[s], volume_variance(d, m)) } else { 0.0 };
            worst = Some(worst.unwrap_or(0.0).max(length).max(volume));
        }
        Ok(worst)
    },
};
