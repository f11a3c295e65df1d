//! Whether two clouds of codes have one law: the energy distance of Székely and Rizzo (2004) with a permutation test.
//!
//! ```text
//! E = 2 E|X − Y| − E|X − X'| − E|Y − Y'|
//! ```

use ndarray::{Array2, ArrayView1};

use super::CodeSet;
use crate::random::{Purpose, Stream};

/// Rows of each cloud at most.
const ROWS: usize = 200;
/// Permutations of the test.
const PERMUTATIONS: u64 = 200;

/// Distance and p-value. The rows of one cloud are the even ones, those of the other the odd ones, so that they are
/// independent.
pub fn energy_test(first: &CodeSet, second: &CodeSet) -> (f64, f64) {
    let n = (first.train.rows() / 2).min(ROWS);
    if n < 2 {
        return (f64::NAN, f64::NAN);
    }
    let order = Stream::new(first.options.seed, Purpose::Permutation, 0, 1 << 24).order(first.train.rows());
    let point = |i: usize| if i < n { first.train.codes.row(order[2 * i]) } else { second.train.codes.row(order[2 * (i - n) + 1]) };
    let apart = |a: ArrayView1<'_, f64>, b: ArrayView1<'_, f64>| a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt();
    let distances = Array2::from_shape_fn((2 * n, 2 * n), |(i, j)| apart(point(i), point(j)));
    let own: Vec<usize> = (0..2 * n).collect();
    let found = energy(&distances, &own);
    let is_larger = |r: &u64| {
        let order = Stream::new(first.options.seed, Purpose::Permutation, r + 1, 1 << 24).order(2 * n);
        energy(&distances, &order) >= found
    };
    let larger = (0..PERMUTATIONS).filter(is_larger).count();
    (found, (larger + 1) as f64 / (PERMUTATIONS + 1) as f64)
}

/// The first half of the order against the second.
fn energy(distances: &Array2<f64>, order: &[usize]) -> f64 {
    let n = order.len() / 2;
    let mean = |a: &[usize], b: &[usize]| {
        let sum: f64 = a.iter().map(|i| b.iter().map(|j| distances[[*i, *j]]).sum::<f64>()).sum();
        sum / (a.len() * b.len()) as f64
    };
    let (first, second) = order.split_at(n);
    2.0 * mean(first, second) - mean(first, first) - mean(second, second)
}
