//! Reductions over item axes. Reduced axes stay with length one; no axes at all means each element on its own.

use super::arithmetic::times;
use super::extremes::max;
use super::powers::square;
use crate::ops::{Binary, IndexMap, Unary, contiguous};
use crate::{Builder, NodeId, Result};

/// Σ x.
pub fn sum(b: &mut Builder, x: NodeId, axes: &[usize]) -> NodeId {
    if axes.iter().all(|&a| b.shape(x)[a] == 1) { x } else { b.sum(x, axes) }
}

/// Σ x / n.
pub fn mean(b: &mut Builder, x: NodeId, axes: &[usize]) -> NodeId {
    let count: usize = axes.iter().map(|&a| b.shape(x)[a]).product();
    let sum = sum(b, x, axes);
    times(b, sum, 1.0 / count as f64)
}

/// Σ x².
pub fn sum_square(b: &mut Builder, x: NodeId, axes: &[usize]) -> NodeId {
    let squares = square(b, x);
    sum(b, squares, axes)
}

/// Σ |x|.
pub fn l1(b: &mut Builder, x: NodeId, axes: &[usize]) -> NodeId {
    let sizes = b.unary(Unary::Abs, x);
    sum(b, sizes, axes)
}

/// √(Σ x²).
pub fn l2(b: &mut Builder, x: NodeId, axes: &[usize]) -> NodeId {
    let squares = sum_square(b, x, axes);
    b.unary(Unary::Sqrt, squares)
}

/// log Σ x.
pub fn log_sum(b: &mut Builder, x: NodeId, axes: &[usize]) -> NodeId {
    let sum = sum(b, x, axes);
    b.unary(Unary::Log, sum)
}

/// log Σ eˣ, shifted by the largest x where that is finite. The shift cancels and carries no tangent.
pub fn log_sum_exp(b: &mut Builder, x: NodeId, axes: &[usize]) -> Result<NodeId> {
    let largest = max(b, x, axes)?;
    let (up, down) = (b.unary(Unary::IsPosInf, largest), b.unary(Unary::IsNegInf, largest));
    let infinite = b.binary(Binary::Or, up, down);
    let (reduced, shape) = (b.shape(largest).to_vec(), b.shape(x).to_vec());
    let zero = b.filled(&reduced, 0.0);
    let finite = b.select(infinite, zero, largest);
    let shift = b.detach(finite);
    let wide = b.expand(shift, &shape);
    let lowered = b.binary(Binary::Sub, x, wide);
    let powers = b.unary(Unary::Exp, lowered);
    let log = log_sum(b, powers, axes);
    Ok(b.binary(Binary::Add, log, shift))
}

/// Π x, as a tree of halves: no division, so zeros are no trouble for its derivatives.
pub fn product(b: &mut Builder, x: NodeId, axes: &[usize]) -> NodeId {
    let shape = b.shape(x).to_vec();
    let kept: Vec<usize> = (0..shape.len()).filter(|a| !axes.contains(a)).collect();
    let order: Vec<usize> = kept.iter().chain(axes).copied().collect();
    let (mut n, outer) = (axes.iter().map(|&a| shape[a]).product::<usize>(), kept.iter().map(|&a| shape[a]).product::<usize>());
    let reduced: Vec<usize> = (0..shape.len()).map(|a| if axes.contains(&a) { 1 } else { shape[a] }).collect();
    if n == 0 {
        return b.filled(&reduced, 1.0);
    }
    let mut y = b.transpose(x, &order);
    y = b.reshape(y, &[outer, n]);
    while n > 1 {
        let half = n / 2;
        let (left, right) = (columns(b, y, 0, half), columns(b, y, half, half));
        let pairs = b.binary(Binary::Mul, left, right);
        y = if n % 2 == 1 {
            let last = columns(b, y, n - 1, 1);
            b.concat(&[pairs, last], 1)
        } else {
            pairs
        };
        n = half + n % 2;
    }
    b.reshape(y, &reduced)
}

/// `count` columns of a matrix from `start` on.
fn columns(b: &mut Builder, x: NodeId, start: usize, count: usize) -> NodeId {
    let shape = b.shape(x).to_vec();
    b.map(x, IndexMap::strided(&[shape[0], count], start, &contiguous(&shape)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::trial::{assert_close, run};
    use super::*;

    /// x[i, j, k] with i < 2, j < 3, k < 5, reduced over (0, 2) by a loop.
    fn looped(x: &[f64], start: f64, f: impl Fn(f64, f64) -> f64) -> Vec<f64> {
        (0..3).map(|j| (0..30).filter(|i| i / 5 % 3 == j).fold(start, |sum, i| f(sum, x[i]))).collect()
    }

    #[test]
    fn reductions_are_loops() {
        let x: Vec<f64> = (0..30).map(|i| (f64::from(i) * 1.7).sin() * 2.0).collect();
        let at = |f: fn(&mut Builder, NodeId, &[usize]) -> NodeId| run(&x, &[2, 3, 5], |b, x| Ok(f(b, x, &[0, 2])));
        assert_close(&at(sum), &looped(&x, 0.0, |s, v| s + v), 1e-15);
        assert_close(&at(mean), &looped(&x, 0.0, |s, v| s + v / 10.0), 1e-14);
        assert_close(&at(product), &looped(&x, 1.0, |s, v| s * v), 1e-14);
        assert_close(&at(l1), &looped(&x, 0.0, |s, v| s + v.abs()), 1e-14);
        assert_close(&at(sum_square), &looped(&x, 0.0, |s, v| s + v * v), 1e-14);
        let roots: Vec<f64> = looped(&x, 0.0, |s, v| s + v * v).iter().map(|v| v.sqrt()).collect();
        assert_close(&at(l2), &roots, 1e-14);
        let logs: Vec<f64> = looped(&x, 0.0, |s, v| s + v.exp()).iter().map(|v| v.ln()).collect();
        assert_close(&run(&x, &[2, 3, 5], |b, x| log_sum_exp(b, x, &[0, 2])), &logs, 1e-14);
    }

    #[test]
    fn log_sum_exp_stands_large_and_infinite_arguments() {
        let at = |x: [f64; 2]| run(&x, &[2], |b, x| log_sum_exp(b, x, &[0]))[0];
        assert!((at([1000.0, 1000.0]) - 1000.0 - 2f64.ln()).abs() < 1e-12);
        assert_eq!(at([f64::NEG_INFINITY; 2]), f64::NEG_INFINITY);
        assert_eq!(at([f64::INFINITY, 0.0]), f64::INFINITY);
    }

    #[test]
    fn empty_axes_leave_elements_alone() {
        assert_eq!(run(&[-2.0, 3.0], &[2], |b, x| Ok(l1(b, x, &[]))), [2.0, 3.0]);
        assert_eq!(run(&[-2.0, 3.0], &[2], |b, x| Ok(product(b, x, &[]))), [-2.0, 3.0]);
    }
}
