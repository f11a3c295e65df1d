//! Hadamard's inequality at every sample: Σᵢ log ‖Jᵢ‖ ≥ log |J|. A violation means that lengths and volume do not belong
//! to the same matrix.

use super::Law;

pub(super) const LAW: Law = Law {
    id: "hadamard",
    of_jacobians: true,
    // Each of the d logarithms carries a few units of rounding.
    tolerance: |context| 1e-10 * context.latent_dim as f64,
    check: |place| {
        let (probe, context) = (place.probe, place.context);
        // Of a sketch only the sums before their correction obey it, and a log-determinant knows nothing of its probes.
        if context.latent_dim > context.rows() || context.takes_log_det() {
            return Ok(None);
        }
        let (factors, log_norms) = (probe.factors()?, probe.log_norms()?);
        let excess = factors.iter().enumerate().filter(|(_, f)| f.log_volume.is_finite());
        let correction = |live: usize| context.volume_bias(live) - live as f64 * context.volume_bias(1);
        let excess = excess.map(|(s, f)| f.log_volume - f.live.iter().map(|i| log_norms[[s, *i]]).sum::<f64>() + correction(f.live.len()));
        Ok(excess.reduce(f64::max).map(|worst| worst.max(0.0)))
    },
};
