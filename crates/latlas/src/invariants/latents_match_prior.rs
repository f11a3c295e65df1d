//! Given or encoded latents have the mean, spread and correlations of the declared prior. The worst of |mean shift| in
//! standard deviations, |log of the ratio of standard deviations|, and |correlation|; what chance alone may give,
//! 5/√n, is allowed beside an effect of 0.1.

use crate::accumulators::Covariance;
use crate::context::Context;
use crate::estimate::Invariant;
use crate::samples::Prior;
use crate::settings::Sampling;

/// For latents that were not drawn from the prior; `None` where there is nothing to compare.
pub fn latents_match_prior(context: &Context, latents: &Covariance) -> Option<Invariant> {
    let empirical = matches!(context.prior, Prior::Empirical { .. });
    if context.sampling == Sampling::Prior || empirical || latents.count() < 2 {
        return None;
    }
    let mut worst = 0.0_f64;
    for i in 0..context.latent_dim {
        let (mean, std) = context.prior.mean_and_std(i);
        let spread = latents.covariance(i, i).sqrt();
        worst = worst.max(((latents.mean(i) - mean) / std).abs()).max((spread / std).ln().abs());
        if context.prior.is_factorised() {
            let correlations = (0..i).map(|j| (latents.covariance(i, j) / (spread * latents.covariance(j, j).sqrt())).abs());
            worst = correlations.fold(worst, f64::max);
        }
    }
    let tolerance = 0.1 + 5.0 / (latents.count() as f64).sqrt();
    Some(Invariant { id: "latents-match-prior".into(), holds: worst <= tolerance, worst, tolerance })
}
