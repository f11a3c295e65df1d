//! What chance gives: overlaps of columns whose directions are independent and uniform, in closed form.
//!
//! The squared volume that such columns lose to those before them is a product of independent Beta variables (Wilks'
//! lambda), so that mean and variance are sums of digamma and trigamma functions. Lengths of columns do not matter.

use serde_json::{Value as Json, json};

use super::summarize::number;
use crate::accumulators::Moment;
use crate::context::Context;
use crate::special_functions::{digamma, trigamma};

/// Mean and standard deviation of an overlap at one sample, in nats.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Null {
    /// Mean.
    pub mean: f64,
    /// Standard deviation from sample to sample.
    pub deviation: f64,
}

impl Null {
    /// Of two columns among D values.
    pub fn pair(ambient_dim: usize) -> Self {
        Self::blocks(ambient_dim, &[1, 1])
    }

    /// Of all d columns with each other.
    pub fn total(ambient_dim: usize, latent_dim: usize) -> Self {
        Self::blocks(ambient_dim, &vec![1; latent_dim])
    }

    /// Of blocks of columns of these sizes with each other; NaN where they are more than D together.
    pub fn blocks(ambient_dim: usize, sizes: &[usize]) -> Self {
        if sizes.iter().sum::<usize>() > ambient_dim {
            return Self { mean: f64::NAN, deviation: f64::NAN };
        }
        let half = |k: usize| (ambient_dim - k) as f64 / 2.0;
        let (mut mean, mut variance, mut before) = (0.0, 0.0, 0);
        for size in sizes {
            // Column i of a block would keep a Beta((D−i−before)/2, before/2) share of its square against those before.
            for i in (0..*size).filter(|_| before > 0) {
                mean += 0.5 * (digamma(half(i)) - digamma(half(i + before)));
                variance += 0.25 * (trigamma(half(i + before)) - trigamma(half(i)));
            }
            before += size;
        }
        Self { mean, deviation: variance.max(0.0).sqrt() }
    }

    /// Beside what was found: the null, how many times it the value is, and how many standard errors of the null away.
    pub fn beside(&self, found: &Moment, context: &Context) -> Json {
        // Under a sketch, what the null would scatter by is known only with the noise of the probes.
        let error = match context.settings.sketch {
            None => self.deviation / (found.count() as f64).sqrt(),
            Some(_) => found.standard_error().unwrap_or(f64::NAN),
        };
        json!({
            "value": number(self.mean), "standard_deviation": number(self.deviation),
            "ratio": number(found.mean() / self.mean), "z_score": number((found.mean() - self.mean) / error),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tabulated_sizes() {
        for (ambient, latent, mean, deviation) in [
            (2, 2, 2.0_f64.ln(), f64::NAN),
            (3, 3, 1.306_852_819_4, f64::NAN),
            (10, 10, 5.131_212_093_3, 1.4067),
            (784, 10, 0.028_852_539_3, f64::NAN),
            (784, 100, 3.304_025_225_9, 0.0664),
            (784, 784, 393.233_533_595_6, 2.0583),
        ] {
            let null = Null::total(ambient, latent);
            assert!((null.mean - mean).abs() < 1e-9 * mean.max(1.0), "{ambient} {latent}: {}", null.mean);
            assert!(deviation.is_nan() || (null.deviation - deviation).abs() < 5e-5, "{ambient} {latent}: {}", null.deviation);
        }
        for (ambient, mean) in [(2, 2.0_f64.ln()), (3, 0.306_852_819_4), (10, 0.058_623_371_0), (784, 0.000_638_977_37)] {
            assert!((Null::pair(ambient).mean - mean).abs() < 1e-10, "{ambient}");
        }
        assert!((Null::pair(784).deviation - 0.000_903_65).abs() < 5e-9);
        assert!((Null::blocks(12, &[3, 4]).mean - 0.770_634_920_6).abs() < 1e-10);
        assert_eq!(Null::blocks(12, &[3, 4]).mean.to_bits(), Null::blocks(12, &[3, 4]).mean.to_bits());
        assert!((Null::blocks(12, &[4, 3]).mean - 0.770_634_920_6).abs() < 1e-10);
        assert!(Null::blocks(3, &[2, 2]).mean.is_nan());
    }
}
