//! Fischer's inequality at every sample: no core shares less than nothing with its detail, log |J_C| + log |J_D| ≥ log |J| for
//! every cut of the order in which cores grow.

use super::Law;

pub(super) const LAW: Law = Law {
    id: "fischer",
    of_jacobians: true,
    // Each of the d logarithms carries a few units of rounding.
    tolerance: |context| 1e-10 * context.latent_dim as f64,
    check: |place| {
        let context = place.context;
        // Without an order nobody has asked for cores, and of a sketch single terms may be negative.
        if context.order.latents.is_empty() || context.latent_dim > context.ambient_dim || context.settings.sketch.is_some() {
            return Ok(None);
        }
        let d = context.latent_dim;
        let sweeps = place.probe.sweeps()?.iter().filter(|sweep| sweep.core[d].is_finite());
        let excess = sweeps.flat_map(|sweep| (0..=d).map(|c| sweep.core[d] - sweep.core[c] - sweep.detail[c]));
        Ok(excess.reduce(f64::max).map(|worst| worst.max(0.0)))
    },
};
