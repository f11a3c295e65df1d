//! Walking over the positions of an array in row-major order.

use crate::ops::contiguous;

/// Calls `visit` with every multi-index of an array of `shape`, in row-major order.
pub fn walk(shape: &[usize], mut visit: impl FnMut(&[usize])) {
    if shape.contains(&0) {
        return;
    }
    let mut at = vec![0; shape.len()];
    loop {
        visit(&at);
        let Some(axis) = (0..shape.len()).rev().find(|&i| at[i] + 1 < shape[i]) else { return };
        at[axis] += 1;
        at[axis + 1..].fill(0);
    }
}

/// Row-major steps of a shape, as positions.
pub fn steps(shape: &[usize]) -> Vec<usize> {
    contiguous(shape).into_iter().map(|s| s as usize).collect()
}

/// The flat position of a multi-index.
pub fn flat(at: &[usize], steps: &[usize]) -> usize {
    at.iter().zip(steps).map(|(i, s)| i * s).sum()
}

/// An index as a position below `n`; negative ones count from the end.
pub fn wrap(index: f64, n: usize) -> Option<usize> {
    let wrapped = if index < 0.0 { index + n as f64 } else { index };
    (wrapped >= 0.0 && wrapped < n as f64).then_some(wrapped as usize)
}
