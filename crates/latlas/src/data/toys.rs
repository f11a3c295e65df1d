//! Points in the plane whose law is known, drawn from a keyed stream: the same on every machine.

use crate::random::{Purpose, Stream};

/// Points of a built-in toy.
pub const POINTS: usize = 10_000;
/// Standard deviation of the noise around the moons.
pub const MOON_NOISE: f64 = 0.1;

/// Two moons: the upper one (cos t, sin t), the lower one (1 − cos t, ½ − sin t), t uniform on [0, π], in turn, each with normal noise.
/// Rows (x, y).
///
/// Their entropy is 1.0075848 nats: no model's mean negative log-likelihood of them is lower, but for the sampling error.
pub fn two_moons(n: usize, seed: u64) -> Vec<[f64; 2]> {
    let point = |i: usize| {
        let mut stream = Stream::new(seed, Purpose::Toys, i as u64, 3);
        let (sin, cos) = (std::f64::consts::PI * stream.uniform()).sin_cos();
        let (x, y) = if moon(i) == 0 { (cos, sin) } else { (1.0 - cos, 0.5 - sin) };
        [x + MOON_NOISE * stream.normal(), y + MOON_NOISE * stream.normal()]
    };
    (0..n).map(point).collect()
}

/// Which moon a point belongs to: 0 the upper, 1 the lower.
pub fn moon(i: usize) -> usize {
    i % 2
}

#[cfg(test)]
mod tests {
    use super::*;

    /// log p(x) of the moons by the midpoint rule along both arcs.
    fn log_density([x, y]: [f64; 2]) -> f64 {
        let steps = 400;
        let near = |t: f64| {
            let (sin, cos) = t.sin_cos();
            let square = |a: f64, b: f64| ((x - a).powi(2) + (y - b).powi(2)) / (2.0 * MOON_NOISE * MOON_NOISE);
            (-square(cos, sin)).exp() + (-square(1.0 - cos, 0.5 - sin)).exp()
        };
        let sum: f64 = (0..steps).map(|k| near(std::f64::consts::PI * (k as f64 + 0.5) / steps as f64)).sum();
        (sum / (2 * steps) as f64 / (2.0 * std::f64::consts::PI * MOON_NOISE * MOON_NOISE)).ln()
    }

    #[test]
    fn the_moons_have_their_entropy() {
        let n = 4000;
        let losses: Vec<f64> = two_moons(n, 0).into_iter().map(|point| -log_density(point)).collect();
        let mean = losses.iter().sum::<f64>() / n as f64;
        let variance = losses.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n as f64;
        let error = (variance / n as f64).sqrt();
        assert!((mean - 1.007_584_8).abs() < 3.5 * error, "{mean} ± {error}");
    }
}
