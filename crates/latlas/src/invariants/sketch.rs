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
    of_jacobians: true,
    tolerance: |_| 4.0,
    check: |place| {
        let (context, whole) = (place.context, place.whole);
        let (Some(m), Some(_)) = (context.settings.sketch, place.points()) else { return Ok(None) };
        let (n, d, big_d) = (whole.len(), context.latent_dim, context.ambient_dim);
        let repeats = PROBES.div_ceil(m);
        let probes = probes(context.settings.seed, Purpose::SketchCheck, whole.batch().start, (n, repeats * m, big_d));
        let sketched = columns(whole.linearization(), &probes)?;
        let has_volume = m >= d && d <= big_d;
        let mut worst: Option<f64> = None;
        for (s, (sketched, exact)) in sketched.outer_iter().zip(whole.log_norms()?.outer_iter()).enumerate() {
            let mut length = 0.0;
            for (columns, exact) in sketched.outer_iter().zip(exact) {
                for sketch in columns.to_vec().chunks_exact(m) {
                    let found = log_norm(sketch);
                    // A dead column is dead in both.
                    length += if found == *exact { 0.0 } else { found - exact - volume_bias(1, m) } / (d * repeats) as f64;
                }
            }
            let volume = if has_volume {
                let volume = |columns: ArrayView2<'_, f64>| log_volume(r_factor(columns).view());
                let sum: f64 = sketched.axis_chunks_iter(Axis(1), m).map(volume).sum();
                sum / repeats as f64 - volume_bias(d, m) - whole.factors()?[s].log_volume
            } else {
                0.0
            };
            // A dead column has no noise.
            let live = exact.iter().filter(|x| x.is_finite()).count() as f64;
            let pairs = whole.angles()?[s].squared_cosines.iter().filter(|square| square.is_finite()).sum::<f64>();
            let share = (live + 2.0 * pairs) / (d * d) as f64;
            let in_errors = |gap: f64, variance: f64| if gap == 0.0 { 0.0 } else { gap.abs() / (variance / repeats as f64).sqrt() };
            let length = in_errors(length, volume_variance(1, m) * share);
            let volume = if volume.is_finite() { in_errors(volume, volume_variance(d, m)) } else { 0.0 };
            worst = Some(worst.unwrap_or(0.0).max(length).max(volume));
        }
        Ok(worst)
    },
};
