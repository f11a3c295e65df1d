//! Expectations over normal latents, to the last digits.

use crate::special_functions::digamma;

/// E f(z), z ~ N(0, 1), by the trapezoid rule in t with z = `centre` + `width` sinh t.
///
/// f may have singularities in the complex plane, at a distance of at least `width` from the real line; `centre` is the
/// real part of the nearest. The substitution moves them to Im t = ±π/2, so that the rule converges like exp(−c/step)
/// however near they are (F. Stenger, *Numerical Methods Based on Sinc and Analytic Functions*, 1993).
pub(super) fn normal_mean(centre: f64, width: f64, f: impl Fn(f64) -> f64) -> f64 {
    // Beyond 12 standard deviations nothing is left: exp(−72) = 5e-32.
    const REACH: f64 = 12.0;
    const STEPS_PER_UNIT: f64 = 64.0;
    let centre = centre.clamp(-REACH, REACH);
    let step = |z: f64| ((z - centre) / width).asinh() * STEPS_PER_UNIT;
    let (first, last) = (step(-REACH).floor() as i64, step(REACH).ceil() as i64);
    let (mut sum, mut weights) = (0.0, 0.0);
    for k in first..=last {
        let t = k as f64 / STEPS_PER_UNIT;
        let z = centre + width * t.sinh();
        let weight = t.cosh() * (-0.5 * z * z).exp();
        sum += weight * f(z);
        weights += weight;
    }
    sum / weights
}

/// E f(q), q > 0 exponential with mean 1, by the double-exponential rule q = exp(t − exp(−t)) (Takahasi and Mori, 1974).
pub(super) fn exponential_mean(f: impl Fn(f64) -> f64) -> f64 {
    let (mut sum, mut weights) = (0.0, 0.0);
    for k in -320..=320 {
        let t = f64::from(k) / 64.0;
        let fall = (-t).exp();
        let q = (t - fall).exp();
        let weight = q * (1.0 + fall) * (-q).exp();
        if weight > 0.0 {
            sum += weight * f(q);
            weights += weight;
        }
    }
    sum / weights
}

/// E log |z + μ|², z ~ N(0, I) in `dim` dimensions, from |μ|²: log 2 + Σₖ Poisson(k; |μ|²/2) ψ(dim/2 + k).
///
/// |z + μ|² is a non-central χ², a Poisson mixture of central ones.
pub(super) fn mean_log_squared_norm(dim: usize, squared_shift: f64) -> f64 {
    let (rate, half) = (0.5 * squared_shift, 0.5 * dim as f64);
    let mode = rate.floor();
    let (mut sum, mut weights) = (0.0, 0.0);
    let mut add = |k: f64, weight: f64| {
        sum += weight * digamma(half + k);
        weights += weight;
        weight > 1e-20
    };
    // From the most likely k in both directions, relative to its probability.
    let (mut k, mut weight) = (mode, 1.0);
    while add(k, weight) {
        k += 1.0;
        weight *= rate / k;
    }
    (k, weight) = (mode, mode / rate);
    while k >= 1.0 && add(k - 1.0, weight) {
        k -= 1.0;
        weight *= k / rate;
    }
    std::f64::consts::LN_2 + sum / weights
}
