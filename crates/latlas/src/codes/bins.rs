//! The discretiser: equal-width bins over the range of the rows.

/// Bins of a code in all scores that count.
pub const BINS: usize = 20;

/// A bin for each value, from 0, between the smallest and the largest.
///
/// Edge i is min + i·(max − min)/bins and belongs to the bin above it; the maximum falls in the last bin. A constant has one
/// bin. Edges follow the extremes: one outlier moves all of them.
pub fn equal_width(x: &[f64], bins: usize) -> Vec<u16> {
    let (low, high) = range(x);
    if low >= high {
        return vec![0; x.len()];
    }
    let edges: Vec<f64> = (1..bins).map(|i| low + i as f64 * (high - low) / bins as f64).collect();
    x.iter().map(|x| edges.partition_point(|edge| edge <= x) as u16).collect()
}

/// Smallest and largest value.
pub fn range(x: &[f64]) -> (f64, f64) {
    x.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(*x), high.max(*x)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_belong_to_the_bin_above() {
        assert_eq!(equal_width(&[0.0, 0.05, 0.1, 1.0], 20), [0, 1, 2, 19]);
        assert_eq!(equal_width(&[3.0, 3.0, 3.0], 20), [0, 0, 0]);
        assert!(equal_width(&[], 20).is_empty());
    }
}
