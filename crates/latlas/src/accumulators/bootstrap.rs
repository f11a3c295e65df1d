//! The Poisson bootstrap (Hanley and MacGibbon 2006): every sample enters every replicate with a weight of its own, Poisson
//! with mean 1 and keyed by (seed, index). So replicates are the same for any chunks and shards, and merge by adding.

use serde::{Deserialize, Serialize};

use crate::random::{Purpose, Stream};

/// Weighted sums of rows in [`Bootstrap::REPLICATES`] replicates; NaN entries are missing.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Bootstrap {
    width: usize,
    /// `[replicates, width]`.
    sums: Vec<f64>,
    /// `[replicates]`.
    weights: Vec<f64>,
    /// What the weight of an entry lacks where it was missing, `[replicates, width]`; empty while no entry was missing.
    missing: Vec<f64>,
}

impl Bootstrap {
    /// How many replicates there are.
    pub const REPLICATES: usize = 200;

    /// One more sample.
    pub fn push(&mut self, seed: u64, index: u64, row: &[f64]) {
        if self.sums.is_empty() {
            self.width = row.len();
            self.sums = vec![0.0; Self::REPLICATES * row.len()];
            self.weights = vec![0.0; Self::REPLICATES];
        }
        if row.len() != self.width || self.width == 0 {
            return;
        }
        let missing: Vec<usize> = (0..row.len()).filter(|i| row[*i].is_nan()).collect();
        if !missing.is_empty() {
            self.missing.resize(self.sums.len(), 0.0);
        }
        let mut stream = Stream::new(seed, Purpose::Bootstrap, index, Self::REPLICATES);
        for (k, (sums, total)) in self.sums.chunks_exact_mut(self.width).zip(&mut self.weights).enumerate() {
            let weight = poisson(stream.uniform());
            if weight > 0.0 {
                *total += weight;
                for (sum, x) in sums.iter_mut().zip(row).filter(|(_, x)| !x.is_nan()) {
                    *sum += weight * x;
                }
                missing.iter().for_each(|i| self.missing[k * self.width + i] += weight);
            }
        }
    }

    /// All samples of another.
    pub fn merge(&mut self, other: &Self) {
        if self.sums.is_empty() {
            *self = other.clone();
        } else if other.width == self.width {
            let add = |a: &mut Vec<f64>, b: &[f64]| a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
            add(&mut self.sums, &other.sums);
            add(&mut self.weights, &other.weights);
            if !other.missing.is_empty() {
                self.missing.resize(self.sums.len(), 0.0);
                add(&mut self.missing, &other.missing);
            }
        }
    }

    /// The means of each replicate; NaN where no sample had weight.
    pub fn means(&self) -> impl Iterator<Item = Vec<f64>> {
        let width = self.width.max(1);
        let rows = self.sums.chunks_exact(width).zip(&self.weights).enumerate();
        rows.take(Self::REPLICATES).map(move |(k, (sums, weight))| {
            let missing = |i: usize| self.missing.get(k * width + i).copied().unwrap_or(0.0);
            sums.iter().enumerate().map(|(i, sum)| sum / (weight - missing(i))).collect()
        })
    }
}

/// The Poisson quantile with mean 1.
fn poisson(uniform: f64) -> f64 {
    let (mut count, mut probability) = (0.0, (-1.0_f64).exp());
    let mut below = probability;
    while uniform > below && count < 20.0 {
        count += 1.0;
        probability /= count;
        below += probability;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(range: std::ops::Range<u64>) -> Bootstrap {
        let mut bootstrap = Bootstrap::default();
        range.for_each(|i| bootstrap.push(3, i, &[(i as f64 * 0.7).sin(), if i % 3 == 0 { f64::NAN } else { 2.0 }]));
        bootstrap
    }

    #[test]
    fn replicates_spread_like_the_mean() {
        let means: Vec<f64> = filled(0..2000).means().map(|row| row[0]).collect();
        let mean = means.iter().sum::<f64>() / 200.0;
        let deviation = (means.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 199.0).sqrt();
        let expected = 0.5_f64.sqrt() / 2000.0_f64.sqrt();
        assert!((deviation / expected - 1.0).abs() < 0.2, "{deviation} {expected}");
        assert!(filled(0..2000).means().all(|row| row[1] == 2.0), "missing entries have no weight");
    }

    #[test]
    fn parts_add_up() {
        let mut parts = filled(0..70);
        parts.merge(&filled(70..200));
        let close = |(a, b): (Vec<f64>, Vec<f64>)| a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-12);
        assert!(parts.means().zip(filled(0..200).means()).all(close));
        assert_eq!(Bootstrap::default().means().count(), 0);
    }

    #[test]
    fn weights_are_poisson() {
        assert_eq!([0.1, 0.36, 0.37, 0.73, 0.74, 0.93, 0.98].map(poisson), [0., 0., 1., 1., 2., 3., 3.]);
        let mean = (0..1000).map(|k| poisson((f64::from(k) + 0.5) / 1000.0)).sum::<f64>() / 1000.0;
        assert!((mean - 1.0).abs() < 1e-2);
    }
}
