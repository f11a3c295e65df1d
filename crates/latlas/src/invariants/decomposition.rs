//! H(S ∪ T) = H(S) + H(T) − I(S, T) and the chain rule, by two ways each at a few samples: the information of two halves of the
//! latents from their volumes and from their principal angles, and the whole volume in two orders.

use super::Law;

pub(super) const LAW: Law = Law {
    id: "decomposition",
    of_jacobians: true,
    // Volumes and angles are exact to rounding times the condition number.
    tolerance: |context| 1e-8 * context.latent_dim as f64,
    check: |place| {
        let d = place.context.latent_dim;
        if d < 2 || d > place.context.ambient_dim || place.context.settings.sketch.is_some() {
            return Ok(None);
        }
        let mut worst = None;
        for factor in place.whole.factors()? {
            if !factor.log_volume.is_finite() {
                continue;
            }
            let latents: Vec<usize> = (0..d).collect();
            let (first, second) = latents.split_at(d / 2);
            let by_volumes = factor.log_volume_of(first) + factor.log_volume_of(second) - factor.log_volume;
            let by_angles: f64 = factor.principal_angles(first, second)?.iter().map(|theta| -theta.sin().ln()).sum();
            let backwards: Vec<usize> = latents.iter().rev().copied().collect();
            let chain = factor.pivots(&backwards).iter().sum::<f64>() - factor.log_volume;
            worst = Some((by_volumes - by_angles).abs().max(chain.abs()).max(worst.unwrap_or(0.0)));
        }
        Ok(worst)
    },
};
