//! Means and spreads in one pass, numerically safe: Welford (1962) for one more, Chan, Golub and LeVeque (1979) to merge.

use serde::{Deserialize, Serialize};

use crate::special_functions::student_quantile;

/// Count, mean and sum of squared deviations of one number.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Moment {
    count: u64,
    mean: f64,
    m2: f64,
}

impl Moment {
    /// One more value; NaN means missing and is not counted.
    pub fn push(&mut self, x: f64) {
        if x.is_nan() {
            return;
        }
        self.count = self.count.saturating_add(1);
        let delta = x - self.mean;
        self.mean += delta / self.count as f64;
        self.m2 += delta * (x - self.mean);
    }

    /// All values that another has seen.
    pub fn merge(&mut self, other: &Self) {
        if self.count == 0 {
            *self = *other;
        } else if other.count > 0 {
            let (a, b) = (self.count as f64, other.count as f64);
            let delta = other.mean - self.mean;
            self.count = self.count.saturating_add(other.count);
            self.mean += delta * (b / (a + b));
            self.m2 += other.m2 + delta * delta * (a * b / (a + b));
        }
    }

    /// Values seen.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// NaN when nothing was seen.
    pub fn mean(&self) -> f64 {
        if self.count == 0 { f64::NAN } else { self.mean }
    }

    /// s² with denominator n − 1; `None` below two values.
    pub fn variance(&self) -> Option<f64> {
        (self.count > 1).then(|| (self.m2 / (self.count - 1) as f64).max(0.0))
    }

    /// s; `None` below two values.
    pub fn standard_deviation(&self) -> Option<f64> {
        self.variance().map(f64::sqrt)
    }

    /// s/√n of the mean; `None` below two values.
    pub fn standard_error(&self) -> Option<f64> {
        self.variance().map(|v| (v / self.count as f64).sqrt())
    }

    /// Student's interval of the mean; `None` below two values.
    pub fn interval(&self, level: f64) -> Option<(f64, f64)> {
        let half = self.standard_error()? * student_quantile(0.5 + 0.5 * level, (self.count - 1) as f64);
        Some((self.mean - half, self.mean + half))
    }
}

/// Moments of the entries of a vector, each with its own count.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Moments(Vec<Moment>);

impl Moments {
    /// One more vector; NaN entries are missing.
    pub fn push<'a>(&mut self, row: impl IntoIterator<Item = &'a f64>) {
        // Entries mostly have the same count: one division serves all.
        let (mut count, mut share) = (0, 0.0);
        for (i, x) in row.into_iter().enumerate() {
            if i == self.0.len() {
                self.0.push(Moment::default());
            }
            let moment = &mut self.0[i];
            if !x.is_nan() {
                moment.count = moment.count.saturating_add(1);
                if moment.count != count {
                    (count, share) = (moment.count, 1.0 / moment.count as f64);
                }
                let delta = x - moment.mean;
                moment.mean += delta * share;
                moment.m2 += delta * (x - moment.mean);
            }
        }
    }

    /// All vectors that another has seen.
    pub fn merge(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), Moment::default());
        }
        self.0.iter_mut().zip(&other.0).for_each(|(a, b)| a.merge(b));
    }

    /// Of entry i; empty when it was never seen.
    pub fn get(&self, i: usize) -> Moment {
        self.0.get(i).copied().unwrap_or_default()
    }

    /// Entries.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Means and all second central moments of a vector.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Covariance {
    count: u64,
    mean: Vec<f64>,
    /// Σ (x − x̄)(x − x̄)ᵀ, lower triangle row by row.
    scatter: Vec<f64>,
}

impl Covariance {
    /// One more vector; one with an entry that is not finite is not counted.
    pub fn push(&mut self, x: &[f64]) {
        if x.iter().all(|x| x.is_finite()) {
            self.merge(&Self { count: 1, mean: x.to_vec(), scatter: vec![0.0; x.len() * (x.len() + 1) / 2] });
        }
    }

    /// All vectors that another has seen.
    pub fn merge(&mut self, other: &Self) {
        if self.count == 0 {
            *self = other.clone();
        } else if other.count > 0 {
            let (a, b) = (self.count as f64, other.count as f64);
            self.count = self.count.saturating_add(other.count);
            let delta: Vec<f64> = self.mean.iter().zip(&other.mean).map(|(a, b)| b - a).collect();
            let pairs = delta.iter().enumerate().flat_map(|(i, x)| delta[..=i].iter().map(move |y| x * y));
            self.scatter.iter_mut().zip(&other.scatter).zip(pairs).for_each(|((s, o), xy)| *s += o + xy * (a * b / (a + b)));
            self.mean.iter_mut().zip(&delta).for_each(|(m, delta)| *m += delta * (b / (a + b)));
        }
    }

    /// Vectors seen.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Of entry i; NaN when it was never seen.
    pub fn mean(&self, i: usize) -> f64 {
        self.mean.get(i).copied().unwrap_or(f64::NAN)
    }

    /// With denominator n − 1; NaN below two vectors.
    pub fn covariance(&self, i: usize, j: usize) -> f64 {
        let (i, j) = (i.max(j), i.min(j));
        let scatter = self.scatter.get(i * (i + 1) / 2 + j).copied().unwrap_or(f64::NAN);
        if self.count > 1 { scatter / (self.count - 1) as f64 } else { f64::NAN }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn values() -> Vec<f64> {
        (0..101).map(|i| 1e6 + (f64::from(i) * 1.7).sin()).collect()
    }

    #[test]
    fn moments_equal_the_two_pass_formula() {
        let x = values();
        let (mut left, mut right) = (Moment::default(), Moment::default());
        x[..30].iter().for_each(|x| left.push(*x));
        x[30..].iter().for_each(|x| right.push(*x));
        left.merge(&right);
        let mean = x.iter().sum::<f64>() / 101.0;
        let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 100.0;
        assert!((left.mean() - mean).abs() < 1e-9);
        assert!((left.variance().unwrap() / variance - 1.0).abs() < 1e-9);
    }

    #[test]
    fn one_value_has_no_spread_and_none_no_mean() {
        let mut one = Moment::default();
        assert!(one.mean().is_nan());
        one.push(f64::NAN);
        assert_eq!(one.count(), 0);
        one.push(3.0);
        assert_eq!((one.mean(), one.standard_error(), one.interval(0.95)), (3.0, None, None));
    }

    #[test]
    fn covariance_equals_the_two_pass_formula() {
        let rows: Vec<[f64; 2]> = (0..50).map(|i| [f64::from(i % 7), f64::from(i % 5) + 0.3 * f64::from(i % 7)]).collect();
        let (mut left, mut right) = (Covariance::default(), Covariance::default());
        rows[..20].iter().for_each(|r| left.push(r));
        rows[20..].iter().for_each(|r| right.push(r));
        left.merge(&right);
        let mean = |i: usize| rows.iter().map(|r| r[i]).sum::<f64>() / 50.0;
        for (i, j) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
            let expected = rows.iter().map(|r| (r[i] - mean(i)) * (r[j] - mean(j))).sum::<f64>() / 49.0;
            assert!((left.covariance(i, j) - expected).abs() < 1e-12);
        }
    }
}
