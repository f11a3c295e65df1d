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

/// Means of the entries of a vector, each with its own count: one number an entry, since counts mostly agree.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Means {
    /// Vectors seen.
    count: u64,
    /// How many values fewer than vectors each entry has seen; empty while no entry was missing.
    missing: Vec<u64>,
    mean: Vec<f64>,
}

impl Means {
    /// One more vector; NaN entries are missing.
    pub fn push<'a>(&mut self, row: impl IntoIterator<Item = &'a f64>) {
        self.push_with(row, |_, _, _| ());
    }

    /// As [`Means::push`]; of each entry that is there `note` takes its place and how far it lies from the mean before and after.
    fn push_with<'a>(&mut self, row: impl IntoIterator<Item = &'a f64>, mut note: impl FnMut(usize, f64, f64)) {
        let row = row.into_iter();
        let before = self.count;
        self.count = self.count.saturating_add(1);
        self.mean.reserve_exact(row.size_hint().0.saturating_sub(self.mean.len()));
        // Entries mostly have the same count: one division serves all.
        let (mut count, mut share) = (0, 0.0);
        let mut entries = 0;
        for (i, x) in row.enumerate() {
            entries = i + 1;
            if i == self.mean.len() {
                self.mean.push(0.0);
                if before > 0 {
                    self.miss(i, before);
                }
            }
            if x.is_nan() {
                self.miss(i, 1);
                continue;
            }
            let seen = self.count(i);
            if seen != count {
                (count, share) = (seen, 1.0 / seen as f64);
            }
            let mean = &mut self.mean[i];
            let delta = x - *mean;
            *mean += delta * share;
            note(i, delta, x - *mean);
        }
        (entries..self.mean.len()).for_each(|i| self.miss(i, 1));
    }

    /// All vectors that another has seen.
    pub fn merge(&mut self, other: &Self) {
        self.merge_with(other, |_, _, _, _| ());
    }

    /// As [`Means::merge`]; of each entry that both have, `note` takes its place, both counts and the difference of the means.
    fn merge_with(&mut self, other: &Self, mut note: impl FnMut(usize, f64, f64, f64)) {
        let vectors = self.count.saturating_add(other.count);
        for i in 0..self.mean.len().max(other.mean.len()) {
            let (seen, more) = (self.count(i), other.count(i));
            if i == self.mean.len() {
                self.mean.push(0.0);
            }
            if let Some(mean) = other.mean.get(i).filter(|_| more > 0) {
                let (a, b) = (seen as f64, more as f64);
                let delta = mean - self.mean[i];
                note(i, a, b, delta);
                self.mean[i] = if seen == 0 { *mean } else { self.mean[i] + delta * (b / (a + b)) };
            }
            let missing = vectors - seen.saturating_add(more).min(vectors);
            if missing > 0 || !self.missing.is_empty() {
                self.missing.resize(self.mean.len().max(self.missing.len()), 0);
                self.missing[i] = missing;
            }
        }
        self.count = vectors;
    }

    /// Values of entry i.
    pub fn count(&self, i: usize) -> u64 {
        let missing = self.missing.get(i).copied().unwrap_or(0);
        if i < self.mean.len() { self.count.saturating_sub(missing) } else { 0 }
    }

    fn miss(&mut self, i: usize, values: u64) {
        if self.missing.len() <= i {
            self.missing.resize(self.mean.len().max(i + 1), 0);
        }
        self.missing[i] = self.missing[i].saturating_add(values);
    }

    /// Of entry i; NaN when it was never seen.
    pub fn get(&self, i: usize) -> f64 {
        if self.count(i) == 0 { f64::NAN } else { self.mean[i] }
    }

    /// Entries.
    pub fn len(&self) -> usize {
        self.mean.len()
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.mean.is_empty()
    }
}

/// Moments of the entries of a vector, each with its own count.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Moments {
    means: Means,
    m2: Vec<f64>,
}

impl Moments {
    /// One more vector; NaN entries are missing.
    pub fn push<'a>(&mut self, row: impl IntoIterator<Item = &'a f64>) {
        let row = row.into_iter();
        let m2 = &mut self.m2;
        m2.reserve_exact(row.size_hint().0.saturating_sub(m2.len()));
        m2.resize(self.means.len().max(m2.len()), 0.0);
        self.means.push_with(row, |i, before, after| {
            if i >= m2.len() {
                m2.resize(i + 1, 0.0);
            }
            m2[i] += before * after;
        });
    }

    /// All vectors that another has seen.
    pub fn merge(&mut self, other: &Self) {
        let m2 = &mut self.m2;
        m2.resize(self.means.len().max(other.means.len()), 0.0);
        self.means.merge_with(&other.means, |i, a, b, delta| {
            let more = other.m2.get(i).copied().unwrap_or(0.0);
            m2[i] = if a == 0.0 { more } else { m2[i] + more + delta * delta * (a * b / (a + b)) };
        });
    }

    /// Of entry i; empty when it was never seen.
    pub fn get(&self, i: usize) -> Moment {
        let count = self.means.count(i);
        if count == 0 { Moment::default() } else { Moment { count, mean: self.means.mean[i], m2: self.m2.get(i).copied().unwrap_or(0.0) } }
    }

    /// Entries.
    pub fn len(&self) -> usize {
        self.means.len()
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.means.is_empty()
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

    /// Rows of moments keep what moments of each column keep, to the bit, whatever is missing.
    #[test]
    fn entries_are_moments_of_their_own() {
        let row = |k: u32| -> Vec<f64> {
            let width = if k < 4 { 2 } else { 5 };
            let entry = |i: u32| if (k * 7 + i * 3).is_multiple_of(5) { f64::NAN } else { f64::from(k * k + i).sin() };
            (0..width).map(entry).collect()
        };
        for holes in [false, true] {
            let rows: Vec<Vec<f64>> = (0..20).map(|k| if holes { row(k) } else { vec![f64::from(k).cos(), f64::from(k).sin()] }).collect();
            let (mut left, mut right, mut columns) = (Moments::default(), Moments::default(), vec![[Moment::default(); 2]; 5]);
            for (k, row) in rows.iter().enumerate() {
                if k < 9 { &mut left } else { &mut right }.push(row);
                row.iter().enumerate().for_each(|(i, x)| {
                    let (before, shares) = (columns[i][usize::from(k >= 9)], x - columns[i][usize::from(k >= 9)].mean);
                    columns[i][usize::from(k >= 9)].push(*x);
                    // One multiplication by 1/n in place of a division.
                    if !x.is_nan() {
                        let moment = &mut columns[i][usize::from(k >= 9)];
                        moment.mean = before.mean + shares * (1.0 / moment.count as f64);
                        moment.m2 = before.m2 + shares * (x - moment.mean);
                    }
                });
            }
            assert_eq!(left.means.missing.is_empty(), !holes);
            left.merge(&right);
            for (i, [mut first, second]) in columns.into_iter().enumerate() {
                first.merge(&second);
                let got = left.get(i);
                // The shared count takes part in another order of the same operations.
                let close = |a: f64, b: f64| (a - b).abs() <= 1e-14 * b.abs().max(1.0);
                assert!(got.count == first.count && close(got.mean, first.mean) && close(got.m2, first.m2), "entry {i}: {got:?} {first:?}");
                assert!(close(left.means.get(i), first.mean()) || first.count() == 0);
            }
        }
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
