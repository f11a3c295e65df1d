//! Largest and smallest elements over item axes, and where they stand.

use super::mismatch;
use super::rules::checked_len;
use crate::ops::{Binary, IndexMap, contiguous};
use crate::{Builder, NodeId, Result, Tensor};

/// The largest element over `axes`, which stay with length one; −∞ where there is none.
pub fn max(b: &mut Builder, x: NodeId, axes: &[usize]) -> Result<NodeId> {
    extreme(b, x, axes, true)
}

/// The smallest element over `axes`, which stay with length one; ∞ where there is none.
pub fn min(b: &mut Builder, x: NodeId, axes: &[usize]) -> Result<NodeId> {
    extreme(b, x, axes, false)
}

fn extreme(b: &mut Builder, x: NodeId, axes: &[usize], largest: bool) -> Result<NodeId> {
    if axes.is_empty() {
        return Ok(x);
    }
    let shape = b.shape(x);
    if axes.iter().any(|&a| shape[a] == 0) {
        let kept: Vec<usize> = (0..shape.len()).map(|a| if axes.contains(&a) { 1 } else { shape[a] }).collect();
        return Ok(b.filled(&kept, if largest { f64::NEG_INFINITY } else { f64::INFINITY }));
    }
    let position = extreme_position(b, x, axes, largest, false)?;
    Ok(b.take(x, position))
}

/// The flat position in x of the largest (or smallest) element over `axes`, which stay with length one; the first, or the
/// last, of equal ones.
pub fn extreme_position(b: &mut Builder, x: NodeId, axes: &[usize], largest: bool, last: bool) -> Result<NodeId> {
    let shape = b.shape(x).to_vec();
    let size: usize = axes.iter().map(|&a| shape[a]).product();
    if size == 0 {
        return Err(mismatch("the axes of a maximum or minimum", "at least one element", &shape));
    }
    checked_len(&shape)?;
    // Windows list the reduced axes fastest; walking them backwards makes the last of equal elements the first met.
    let steps = contiguous(&shape);
    let kept: Vec<usize> = (0..shape.len()).map(|a| if axes.contains(&a) { 1 } else { shape[a] }).collect();
    let sizes: Vec<usize> = kept.iter().copied().chain(axes.iter().map(|&a| shape[a])).collect();
    let sign = if last { -1 } else { 1 };
    let strides: Vec<isize> = steps.iter().copied().chain(axes.iter().map(|&a| sign * steps[a])).collect();
    let offset = if last { axes.iter().map(|&a| (shape[a] - 1) * steps[a] as usize).sum() } else { 0 };
    let listed = IndexMap::strided(&sizes, offset, &strides);
    let windows = if axes.len() == 1 {
        listed
    } else {
        let merged: Vec<usize> = kept.iter().copied().chain([size]).collect();
        IndexMap::table(&merged, listed.sources())
    };
    Ok(b.arg_extreme(x, windows, largest))
}

/// The index along `axis` of the largest (or smallest) element; the axis stays with length one.
pub fn arg_extreme_along(b: &mut Builder, x: NodeId, axis: usize, largest: bool, last: bool) -> Result<NodeId> {
    let position = extreme_position(b, x, &[axis], largest, last)?;
    let (kept, steps) = (b.shape(position).to_vec(), contiguous(b.shape(x)));
    // position = base + index · step, with the base of each window known.
    let bases = IndexMap::strided(&kept, 0, &steps).sources();
    let base = b.constant(Tensor::new(kept, bases.into_iter().map(f64::from).collect::<Vec<_>>()));
    let offset = b.binary(Binary::Sub, position, base);
    Ok(b.with_scalar(Binary::Div, offset, steps[axis] as f64))
}

/// 1 at the first largest element over `axes`, 0 elsewhere.
pub fn hardmax(b: &mut Builder, x: NodeId, axes: &[usize]) -> Result<NodeId> {
    let position = extreme_position(b, x, axes, true, false)?;
    let shape = b.shape(x).to_vec();
    let position = b.expand(position, &shape);
    let here: Vec<f64> = (0..shape.iter().product::<usize>()).map(|i| i as f64).collect();
    let here = b.constant(Tensor::new(shape, here));
    Ok(b.binary(Binary::Equal, position, here))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::trial::run;
    use super::*;

    // Rows: 3 1 3 | 0 5 2
    const X: [f64; 6] = [3.0, 1.0, 3.0, 0.0, 5.0, 2.0];

    #[test]
    fn extremes_and_their_places() {
        assert_eq!(run(&X, &[2, 3], |b, x| max(b, x, &[1])), [3.0, 5.0]);
        assert_eq!(run(&X, &[2, 3], |b, x| min(b, x, &[0])), [0.0, 1.0, 2.0]);
        assert_eq!(run(&X, &[2, 3], |b, x| max(b, x, &[0, 1])), [5.0]);
        assert_eq!(run(&X, &[1, 2, 3], |b, x| max(b, x, &[0, 2])), [3.0, 5.0]);
        assert_eq!(run(&X, &[2, 3], |b, x| arg_extreme_along(b, x, 1, true, false)), [0.0, 1.0]);
        assert_eq!(run(&X, &[2, 3], |b, x| arg_extreme_along(b, x, 1, true, true)), [2.0, 1.0]);
        assert_eq!(run(&X, &[2, 3], |b, x| arg_extreme_along(b, x, 0, false, false)), [1.0, 0.0, 1.0]);
        assert_eq!(run(&X, &[2, 3], |b, x| hardmax(b, x, &[1])), [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
    }

    #[test]
    fn nothing_has_no_place_of_its_maximum() {
        let mut b = Builder::new();
        let x = b.filled(&[2, 0], 0.0);
        assert!(arg_extreme_along(&mut b, x, 1, true, false).is_err());
        let largest = max(&mut b, x, &[1]).unwrap();
        assert_eq!((b.shape(largest), super::super::uniform_constant(&b, largest)), (&[2, 1][..], Some(f64::NEG_INFINITY)));
    }
}
