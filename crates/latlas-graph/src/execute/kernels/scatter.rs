//! Sums through index maps and over row axes.

use super::nest::Nest;
use super::{Kernel, Layout, Scratch, copy, lanes};
use crate::execute::Real;
use crate::ops::{Form, IndexMap, contiguous};
use crate::{Axis, Result};

/// A loop nest of additions; steps are (source, result).
struct Strided {
    nest: Nest<2>,
    start: [isize; 2],
}

impl<T: Real> Kernel<T> for Strided {
    fn run(&self, operands: &[&[T]], out: &mut [T], _: &mut Scratch<T>) {
        out.fill(T::ZERO);
        let x = operands[0];
        let (len, [from, to]) = self.nest.inner();
        self.nest.each_run(self.start, |[source, result]| {
            let (source, result) = (source as usize, result as usize);
            match (from, to) {
                (1, 1) => lanes::add_to(&x[source..source + len], &mut out[result..result + len]),
                (1, 0) => out[result] += lanes::sum(&x[source..source + len]),
                _ => {
                    for i in 0..len as isize {
                        out[(result as isize + i * to) as usize] += x[(source as isize + i * from) as usize];
                    }
                }
            }
        });
    }
}

/// For each row: additions through a table.
struct Table {
    targets: Vec<u32>,
    result: usize,
}

impl<T: Real> Kernel<T> for Table {
    fn run(&self, operands: &[&[T]], out: &mut [T], _: &mut Scratch<T>) {
        out.fill(T::ZERO);
        for (x, y) in operands[0].chunks_exact(self.targets.len().max(1)).zip(out.chunks_exact_mut(self.result.max(1))) {
            for (&x, &target) in x.iter().zip(&self.targets) {
                if let Some(y) = y.get_mut(target as usize) {
                    *y += x;
                }
            }
        }
    }
}

/// [`crate::Op::Scatter`].
pub fn scatter<T: Real>(map: &IndexMap, x: &Layout, out: &Layout) -> Result<Box<dyn Kernel<T>>> {
    copy::check_sources(map, out.item_len())?;
    Ok(match map.form() {
        Form::Strided { offset, strides } => {
            let from = contiguous(map.shape());
            let item = map.shape().iter().zip(strides).zip(&from).map(|((&n, &to), &from)| (n, [from, to]));
            let nest = Nest::new(Layout::row_loops(&x.rows, [x, out]).into_iter().chain(item));
            Box::new(Strided { nest, start: [0, *offset as isize] })
        }
        Form::Table(targets) => Box::new(Table { targets: targets.to_vec(), result: out.item_len() }),
    })
}

/// [`crate::Op::RowSum`]: in the order of the rows.
pub fn row_sum<T: Real>(axis: Axis, x: &Layout, out: &Layout) -> Box<dyn Kernel<T>> {
    debug_assert!(out.rows.iter().all(|r| r.0 != axis));
    let nest = Nest::new(Layout::row_loops(&x.rows, [x, out]).into_iter().chain([(x.item_len(), [1, 1])]));
    Box::new(Strided { nest, start: [0, 0] })
}
