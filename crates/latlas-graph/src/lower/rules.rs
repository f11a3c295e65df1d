//! Index maps given by a rule on positions.

use crate::ops::IndexMap;
use crate::{Error, Result};

/// The most entries that one table (an index map, a matrix of weights) may have; more comes from hostile files.
pub const MAX_TABLE: usize = 1 << 25;

/// The number of elements of a shape, within [`MAX_TABLE`].
pub fn checked_len(shape: &[usize]) -> Result<usize> {
    let len = shape.iter().try_fold(1usize, |n, &size| n.checked_mul(size));
    len.filter(|&n| n <= MAX_TABLE).ok_or_else(|| Error::Limit {
        what: format!("number of elements of an index table of shape {shape:?}"),
        got: len.map_or(u64::MAX, |n| n as u64),
        limit: MAX_TABLE as u64,
    })
}

/// The map of `shape` whose element at a position comes from `source(position)`, in row-major order.
pub fn index_map(shape: &[usize], mut source: impl FnMut(&[usize]) -> Option<usize>) -> Result<IndexMap> {
    let len = checked_len(shape)?;
    let mut table = Vec::with_capacity(len);
    let mut position = vec![0; shape.len()];
    for _ in 0..len {
        table.push(source(&position).map_or(IndexMap::NOWHERE, |i| i as u32));
        advance(&mut position, shape);
    }
    Ok(IndexMap::table(shape, table))
}

/// The next position in row-major order.
fn advance(position: &mut [usize], shape: &[usize]) {
    for (at, &size) in position.iter_mut().zip(shape).rev() {
        *at += 1;
        if *at < size {
            return;
        }
        *at = 0;
    }
}
