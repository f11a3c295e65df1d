//! Sums through index maps and over row axes.

use super::nest::Nest;
use super::{Kernel, Layout, Scratch, copy, lanes};
use crate::execute::Real;
use crate::ops::{Form, IndexMap};
use crate::{Axis, Result};

/// A loop nest of additions; steps are (source, result).
struct Strided {
    /// Sums of `fold.0` neighbouring stretches of `fold.1` elements that are taken first.
    fold: Option<(usize, usize)>,
    rows: Nest<2>,
    item: Nest<2>,
    start: [isize; 2],
}

/// Stretches that are summed one after the other; such sums are then summed in turn, which loses fewer digits.
const FOLDED: usize = 32;

impl<T: Real> Kernel<T> for Strided {
    fn run(&self, operands: &[&[T]], out: &mut [T], scratch: &mut Scratch<T>) {
        out.fill(T::ZERO);
        let Some((count, len)) = self.fold else {
            self.rows.each(self.start, |start| add(&self.item, start, operands[0], out));
            return;
        };
        let mut buffer = scratch.borrow(2 * len);
        let (sums, part) = buffer[..2 * len].split_at_mut(len);
        self.rows.each(self.start, |[source, result]| {
            let x = &operands[0][source as usize..][..count * len];
            sums.fill(T::ZERO);
            for stretches in x.chunks(FOLDED * len) {
                part.copy_from_slice(&stretches[..len]);
                stretches[len..].chunks_exact(len).for_each(|x| lanes::add_to(x, part));
                lanes::add_to(part, sums);
            }
            add(&self.item, [0, result], sums, out);
        });
        scratch.give_back(buffer);
    }
}

/// Adds through a nest.
fn add<T: Real>(nest: &Nest<2>, start: [isize; 2], x: &[T], out: &mut [T]) {
    let (len, [from, to]) = nest.inner();
    nest.each_run(start, |[source, result]| {
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
    if let Form::Strided { offset, strides } = map.form()
        && out.channels.is_none()
        && let Some(mut item) = copy::map_loops(map.shape(), strides, x)
    {
        item.iter_mut().for_each(|(_, steps)| steps.swap(0, 1));
        let (mut rows, mut fold) = (Layout::row_loops(&x.rows, [x, out]), None);
        if let Some(channels) = x.channels {
            // Loops over positions that lead to the same place are one sum over them all.
            let outer = item.iter().filter(|(_, [from, _])| *from >= channels as isize);
            if outer.clone().all(|(_, [_, to])| *to == 0) {
                fold = Some((outer.map(|l| l.0).product(), channels));
                item.retain(|(_, [from, _])| *from < channels as isize);
            }
        }
        if fold.is_none() {
            item.splice(0..0, rows.drain(..));
        }
        return Ok(Box::new(Strided { fold, rows: Nest::new(rows), item: Nest::new(item), start: [0, *offset as isize] }));
    }
    Ok(Box::new(Table { targets: copy::places(map, x, out), result: out.item_len() }))
}

/// [`crate::Op::RowSum`]: in the order of the rows.
pub fn row_sum<T: Real>(axis: Axis, x: &Layout, out: &Layout) -> Box<dyn Kernel<T>> {
    debug_assert!(out.rows.iter().all(|r| r.0 != axis));
    let item = Nest::new(Layout::row_loops(&x.rows, [x, out]).into_iter().chain([(x.item_len(), [1, 1])]));
    Box::new(Strided { fold: None, rows: Nest::new([]), item, start: [0, 0] })
}
