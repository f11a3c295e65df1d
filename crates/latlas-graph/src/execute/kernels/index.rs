//! Positions as values: taking elements by index, putting them back, and finding the extreme ones.

use super::nest::Nest;
use super::{Kernel, Layout, Scratch, copy};
use crate::execute::Real;
use crate::ops::IndexMap;
use crate::{Error, Result};

/// A flat position that a number names, if it is one.
#[inline]
fn position<T: Real>(index: T, len: usize) -> Option<usize> {
    let at = index.to_f64();
    (at >= 0.0 && at < len as f64).then_some(at as usize)
}

fn check_exact<T: Real>(len: usize) -> Result<()> {
    if len <= T::LARGEST_INTEGER {
        return Ok(());
    }
    let what = format!("an item of {len} elements is indexed by numbers whose integers are exact up to {} only", T::LARGEST_INTEGER);
    Err(Error::Graph { what })
}

/// Rows of (data, index, result) and the lengths of their items.
struct Take {
    rows: Nest<3>,
    data: usize,
    index: usize,
}

impl<T: Real> Kernel<T> for Take {
    fn run(&self, operands: &[&[T]], out: &mut [T], _: &mut Scratch<T>) {
        self.rows.each([0; 3], |[x, index, y]| {
            let x = &operands[0][x as usize..][..self.data];
            let index = &operands[1][index as usize..][..self.index];
            for (y, &i) in out[y as usize..][..self.index].iter_mut().zip(index) {
                *y = position(i, x.len()).map_or(T::NAN, |i| x[i]);
            }
        });
    }
}

/// [`crate::Op::Take`].
pub fn take<T: Real>(x: &Layout, index: &Layout, out: &Layout) -> Result<Box<dyn Kernel<T>>> {
    check_exact::<T>(x.item_len())?;
    let rows = Nest::new(Layout::row_loops(&out.rows, [x, index, out]));
    Ok(Box::new(Take { rows, data: x.item_len(), index: index.item_len() }))
}

/// Rows of (data, index, result) and the lengths of their items.
struct Put {
    rows: Nest<3>,
    data: usize,
    result: usize,
}

impl<T: Real> Kernel<T> for Put {
    fn run(&self, operands: &[&[T]], out: &mut [T], _: &mut Scratch<T>) {
        out.fill(T::ZERO);
        self.rows.each([0; 3], |[y, index, x]| {
            let y = &operands[0][y as usize..][..self.data];
            let index = &operands[1][index as usize..][..self.data];
            let x = &mut out[x as usize..][..self.result];
            for (&y, &i) in y.iter().zip(index) {
                if let Some(i) = position(i, x.len()) {
                    x[i] += y;
                }
            }
        });
    }
}

/// [`crate::Op::Put`]; what the index puts outside is dropped.
pub fn put<T: Real>(y: &Layout, index: &Layout, out: &Layout) -> Result<Box<dyn Kernel<T>>> {
    check_exact::<T>(out.item_len())?;
    let rows = Nest::new(Layout::row_loops(&out.rows, [y, index, out]));
    Ok(Box::new(Put { rows, data: y.item_len(), result: out.item_len() }))
}

struct ArgExtreme {
    sources: Vec<u32>,
    window: usize,
    item: usize,
    largest: bool,
}

impl<T: Real> Kernel<T> for ArgExtreme {
    fn run(&self, operands: &[&[T]], out: &mut [T], _: &mut Scratch<T>) {
        let windows = self.sources.len() / self.window.max(1);
        for (x, y) in operands[0].chunks_exact(self.item.max(1)).zip(out.chunks_exact_mut(windows.max(1))) {
            for (y, window) in y.iter_mut().zip(self.sources.chunks_exact(self.window.max(1))) {
                *y = self.extreme(x, window);
            }
        }
    }
}

impl ArgExtreme {
    /// The first largest (smallest) entry; a NaN counts as more extreme than any number. −1 for an empty window.
    fn extreme<T: Real>(&self, x: &[T], window: &[u32]) -> T {
        let mut best: Option<(u32, T)> = None;
        for &at in window {
            let Some(&value) = x.get(at as usize) else { continue };
            let better = match best {
                None => true,
                Some((_, best)) if is_nan(best) => false,
                Some((_, best)) => is_nan(value) || if self.largest { value > best } else { value < best },
            };
            if better {
                best = Some((at, value));
            }
        }
        best.map_or(-T::ONE, |(at, _)| T::from_f64(f64::from(at)))
    }
}

#[allow(clippy::eq_op)]
fn is_nan<T: Real>(x: T) -> bool {
    x != x
}

/// [`crate::Op::ArgExtreme`].
pub fn arg_extreme<T: Real>(windows: &IndexMap, window: usize, largest: bool, x: &Layout) -> Result<Box<dyn Kernel<T>>> {
    check_exact::<T>(x.item_len())?;
    copy::check_sources(windows, x.item_len())?;
    Ok(Box::new(ArgExtreme { sources: windows.sources(), window, item: x.item_len(), largest }))
}
