//! A bounded random sample of the rows: the k with the smallest hash of (seed, index). Merging is a set union, so the
//! same rows stay whatever the order.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Doubles that a reservoir may hold; together with the width of a row it gives its capacity.
const BUDGET: usize = 1 << 20;
const LARGEST: usize = 4096;
const SMALLEST: usize = 16;

/// What a reservoir chooses by: hash first, then the sample's index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Key {
    /// Hash of (seed, index).
    pub hash: u64,
    /// The sample's index in the run.
    pub index: u64,
}

impl From<(u64, u64)> for Key {
    fn from((hash, index): (u64, u64)) -> Self {
        Self { hash, index }
    }
}

/// Up to 4096 rows (fewer when they are long, at least 16). Up to that many rows, quantiles are exact; beyond it their
/// standard error in probability is √(q(1−q)/k).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Reservoir(BTreeMap<Key, Vec<f64>>);

impl Reservoir {
    /// Offers one row.
    pub fn push(&mut self, key: Key, row: &[f64]) {
        let full = self.0.len() >= capacity(row.len());
        if full && self.0.last_key_value().is_some_and(|(largest, _)| *largest < key) {
            return;
        }
        self.0.insert(key, row.to_vec());
        self.trim();
    }

    /// Offers all rows of another.
    pub fn merge(&mut self, other: &Self) {
        for (key, row) in &other.0 {
            self.push(*key, row);
        }
        self.trim();
    }

    /// The kept values of one column in order; missing ones (NaN) left out.
    pub fn sorted(&self, column: usize) -> Vec<f64> {
        let mut values: Vec<f64> = self.0.values().filter_map(|row| row.get(column)).copied().filter(|x| !x.is_nan()).collect();
        values.sort_by(f64::total_cmp);
        values
    }

    /// Quantiles of one column, linear between order statistics; NaN when there is nothing.
    pub fn quantiles(&self, column: usize, probabilities: &[f64]) -> Vec<f64> {
        let sorted = self.sorted(column);
        probabilities.iter().map(|p| quantile(&sorted, *p)).collect()
    }

    /// Counts in equal bins between the smallest and the largest finite value of a column: edges `[bins + 1]`, counts.
    pub fn histogram(&self, column: usize) -> Option<(Vec<f64>, Vec<u64>)> {
        let values: Vec<f64> = self.sorted(column).into_iter().filter(|x| x.is_finite()).collect();
        let (low, high) = (*values.first()?, *values.last()?);
        let width = high - low;
        if !(width.is_finite() && width > 0.0) {
            return None;
        }
        let bins = ((values.len() as f64).sqrt().ceil() as usize).clamp(5, 40);
        let mut counts = vec![0; bins];
        for x in &values {
            counts[(((x - low) / width * bins as f64) as usize).min(bins - 1)] += 1;
        }
        Some(((0..=bins).map(|i| low + width * i as f64 / bins as f64).collect(), counts))
    }

    /// Rows kept.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was kept.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Kept rows with their keys, by hash.
    pub fn rows(&self) -> impl Iterator<Item = (Key, &[f64])> {
        self.0.iter().map(|(key, row)| (*key, row.as_slice()))
    }

    fn trim(&mut self) {
        let width = self.0.first_key_value().map_or(0, |(_, row)| row.len());
        while self.0.len() > capacity(width) {
            self.0.pop_last();
        }
    }
}

fn capacity(width: usize) -> usize {
    (BUDGET / width.max(1)).clamp(SMALLEST, LARGEST)
}

fn quantile(sorted: &[f64], probability: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let position = probability.clamp(0.0, 1.0) * last as f64;
    let (below, part) = (position.floor() as usize, position.fract());
    // Equal neighbours may be infinite, and have no difference.
    if part == 0.0 || sorted[below] == sorted[below + 1] {
        sorted[below]
    } else {
        sorted[below] + part * (sorted[below + 1] - sorted[below])
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::random::{Purpose, hash};

    fn filled(range: std::ops::Range<u64>) -> Reservoir {
        let mut reservoir = Reservoir::default();
        for index in range {
            reservoir.push(Key { hash: hash(1, Purpose::Reservoir, index), index }, &[index as f64]);
        }
        reservoir
    }

    #[test]
    fn order_and_split_do_not_matter() {
        let all = filled(0..10_000);
        assert_eq!(all.len(), LARGEST);
        let mut parts = filled(7000..10_000);
        parts.merge(&filled(0..7000));
        assert_eq!(parts, all);
    }

    #[test]
    fn quantiles_are_exact_while_everything_fits_and_close_after() {
        assert_eq!(filled(0..101).quantiles(0, &[0.0, 0.25, 0.5, 1.0]), [0.0, 25.0, 50.0, 100.0]);
        let median = filled(0..100_000).quantiles(0, &[0.5])[0] / 100_000.0;
        assert!((median - 0.5).abs() < 4.0 * 0.5 / 64.0);
        assert!(Reservoir::default().quantiles(0, &[0.5])[0].is_nan());
    }

    #[test]
    fn histogram_counts_everything_once() {
        let (edges, counts) = filled(0..1000).histogram(0).unwrap();
        assert_eq!((edges.len(), counts.iter().sum::<u64>()), (counts.len() + 1, 1000));
        assert!(filled(0..1).histogram(0).is_none());
    }
}
