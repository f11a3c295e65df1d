//! Copies: index maps, joins, and rows in another order.

use super::nest::Nest;
use super::{Kernel, Layout, Scratch};
use crate::execute::Real;
use crate::ops::{Form, IndexMap, contiguous};
use crate::{Axis, Error, Result};

/// A loop nest of copies; steps are (source, result).
struct Strided {
    nest: Nest<2>,
    start: [isize; 2],
}

impl<T: Real> Kernel<T> for Strided {
    fn run(&self, operands: &[&[T]], out: &mut [T], _: &mut Scratch<T>) {
        copy_nest(&self.nest, self.start, operands[0], out);
    }
}

fn copy_nest<T: Real>(nest: &Nest<2>, start: [isize; 2], x: &[T], out: &mut [T]) {
    let (len, [from, to]) = nest.inner();
    nest.each_run(start, |[source, result]| {
        let (source, result) = (source as usize, result as usize);
        match (from, to) {
            (1, 1) => out[result..result + len].copy_from_slice(&x[source..source + len]),
            (0, 1) => out[result..result + len].fill(x[source]),
            _ => {
                for i in 0..len as isize {
                    out[(result as isize + i * to) as usize] = x[(source as isize + i * from) as usize];
                }
            }
        }
    });
}

/// For each row: elements through a table; what has no source is 0.
struct Table {
    sources: Vec<u32>,
    item: usize,
}

impl<T: Real> Kernel<T> for Table {
    fn run(&self, operands: &[&[T]], out: &mut [T], _: &mut Scratch<T>) {
        let rows = operands[0].chunks_exact(self.item.max(1));
        for (x, y) in rows.zip(out.chunks_exact_mut(self.sources.len().max(1))) {
            for (y, &source) in y.iter_mut().zip(&self.sources) {
                *y = x.get(source as usize).copied().unwrap_or(T::ZERO);
            }
        }
        if self.item == 0 {
            out.fill(T::ZERO);
        }
    }
}

/// For each row: runs of elements that lie together in source and result, zeros elsewhere.
struct Runs {
    /// (source or none, result, length)
    stretches: Vec<(Option<usize>, usize, usize)>,
    item: usize,
    result: usize,
}

impl<T: Real> Kernel<T> for Runs {
    fn run(&self, operands: &[&[T]], out: &mut [T], _: &mut Scratch<T>) {
        for (x, y) in operands[0].chunks_exact(self.item.max(1)).zip(out.chunks_exact_mut(self.result.max(1))) {
            for &(source, result, len) in &self.stretches {
                match source {
                    Some(source) => y[result..result + len].copy_from_slice(&x[source..source + len]),
                    None => y[result..result + len].fill(T::ZERO),
                }
            }
        }
    }
}

/// Elements of a square that is transposed at a time: its rows lie on few cache lines on either side.
const SQUARE: usize = 16;

/// A matrix [rows, columns] with rows and columns exchanged.
pub fn transpose<T: Real>(x: &[T], [rows, columns]: [usize; 2], out: &mut [T]) {
    for row in (0..rows).step_by(SQUARE) {
        let height = SQUARE.min(rows - row);
        for column in (0..columns).step_by(SQUARE) {
            for c in column..columns.min(column + SQUARE) {
                let y = &mut out[c * rows + row..][..height];
                y.iter_mut().enumerate().for_each(|(r, y)| *y = x[(row + r) * columns + c]);
            }
        }
    }
}

/// [`crate::Op::Map`].
pub fn map<T: Real>(map: &IndexMap, x: &Layout, out: &Layout) -> Result<Box<dyn Kernel<T>>> {
    check_sources(map, x.item_len())?;
    if let Form::Strided { offset, strides } = map.form()
        && x.channels.is_none()
        && let Some(item) = map_loops(map.shape(), strides, out)
    {
        let nest = Nest::new(Layout::row_loops(&x.rows, [x, out]).into_iter().chain(item));
        return Ok(Box::new(Strided { nest, start: [*offset as isize, 0] }));
    }
    let sources = places(map, out, x);
    let (stretches, item) = (stretches(&sources), x.item_len());
    Ok(if stretches.len() * 8 <= sources.len() && item > 0 {
        Box::new(Runs { stretches, item, result: sources.len() })
    } else {
        Box::new(Table { sources, item })
    })
}

/// Loops over the elements of a strided map with the steps of (mapped side, side with the map's shape), in the memory order of
/// the latter. `None` where its axes do not fall into channels and positions.
pub fn map_loops(shape: &[usize], strides: &[isize], layout: &Layout) -> Option<Vec<(usize, [isize; 2])>> {
    let positions = layout.positions();
    let mut loops = vec![];
    for ((&size, &stride), step) in shape.iter().zip(strides).zip(contiguous(shape)) {
        let step = step as usize;
        if step < positions && step * size > positions {
            let inner = positions / step;
            if !positions.is_multiple_of(step) || !size.is_multiple_of(inner) {
                return None;
            }
            loops.push((size / inner, [stride * inner as isize, layout.place(positions) as isize]));
            loops.push((inner, [stride, layout.place(step) as isize]));
        } else {
            loops.push((size, [stride, layout.place(step) as isize]));
        }
    }
    loops.sort_by_key(|l| std::cmp::Reverse(l.1[1]));
    Some(loops)
}

/// A loop: its size, and its step in the source.
type Loop = (usize, [isize; 1]);

/// Loops with the steps of what a strided map reads, in the memory order of a layout of its elements, and where they start.
/// `None` for other maps, and where their axes do not fall into channels and positions.
pub fn repeated(map: &IndexMap, layout: &Layout) -> Option<(usize, Vec<Loop>)> {
    let Form::Strided { offset, strides } = map.form() else { return None };
    let loops = map_loops(map.shape(), strides, layout)?;
    Some((*offset, loops.into_iter().map(|(size, [source, _])| (size, [source])).collect()))
}

/// The table of a map between places in memory: `of` lies as the map's shape, `to` is where it leads.
pub fn places(map: &IndexMap, of: &Layout, to: &Layout) -> Vec<u32> {
    let sources = map.sources();
    if of.channels.is_none() && to.channels.is_none() {
        return sources;
    }
    let mut placed = vec![IndexMap::NOWHERE; sources.len()];
    for (flat, &source) in sources.iter().enumerate().filter(|(_, source)| **source != IndexMap::NOWHERE) {
        placed[of.place(flat)] = to.place(source as usize) as u32;
    }
    placed
}

/// Stretches of a table that are copied or zero as a whole.
fn stretches(sources: &[u32]) -> Vec<(Option<usize>, usize, usize)> {
    let mut runs: Vec<(Option<usize>, usize, usize)> = vec![];
    for (at, &source) in sources.iter().enumerate() {
        let source = (source != IndexMap::NOWHERE).then_some(source as usize);
        match runs.last_mut() {
            Some((None, _, len)) if source.is_none() => *len += 1,
            Some((Some(first), _, len)) if source == Some(*first + *len) => *len += 1,
            _ => runs.push((source, at, 1)),
        }
    }
    runs
}

/// Refuses a map that reads outside an item.
pub fn check_sources(map: &IndexMap, item: usize) -> Result<()> {
    let highest = match map.form() {
        _ if map.is_empty() => return Ok(()),
        Form::Table(sources) => sources.iter().filter(|&&s| s != IndexMap::NOWHERE).max().map_or(-1, |&s| i128::from(s)),
        Form::Strided { offset, strides } => {
            let reach = |step: fn(i128) -> bool| {
                let ends = map.shape().iter().zip(strides).map(|(&n, &s)| (n as i128 - 1) * s as i128);
                *offset as i128 + ends.filter(|&e| step(e)).sum::<i128>()
            };
            if reach(|e| e < 0) < 0 { i128::MAX } else { reach(|e| e > 0) }
        }
    };
    if highest < item as i128 {
        return Ok(());
    }
    Err(Error::Graph { what: format!("an index map of shape {:?} reaches outside its item of {item} elements", map.shape()) })
}

/// [`crate::Op::Rename`] where the new name changes the order of the rows.
pub fn rename<T: Real>(from: Axis, to: Axis, x: &Layout, out: &Layout) -> Box<dyn Kernel<T>> {
    let loops = out.rows.iter().map(|&(axis, size)| (size, [x.step(if axis == to { from } else { axis }), out.step(axis)]));
    Box::new(Strided { nest: Nest::new(loops.chain([(out.item_len(), [1, 1])])), start: [0, 0] })
}

/// [`crate::Op::Stack`] and [`crate::Op::Unstack`] where the axis has others behind it in memory.
pub fn stack<T: Real>(axis: Axis, x: &Layout, out: &Layout) -> Box<dyn Kernel<T>> {
    let unit = x.item_len().min(out.item_len());
    let rows = x.rows.iter().chain(&out.rows).find(|row| row.0 == axis);
    let step = |side: &Layout| if side.rows.iter().any(|row| row.0 == axis) { side.step(axis) } else { unit as isize };
    let others = out.rows.iter().filter(|row| row.0 != axis).map(|&(other, size)| (size, [x.step(other), out.step(other)]));
    let moved = rows.map(|row| (row.1, [step(x), step(out)]));
    Box::new(Strided { nest: Nest::new(others.chain(moved).chain([(unit, [1, 1])])), start: [0, 0] })
}

/// One copy for each part.
struct Concat(Vec<Strided>);

impl<T: Real> Kernel<T> for Concat {
    fn run(&self, operands: &[&[T]], out: &mut [T], _: &mut Scratch<T>) {
        for (part, x) in self.0.iter().zip(operands) {
            copy_nest(&part.nest, part.start, x, out);
        }
    }
}

/// [`crate::Op::Concat`].
pub fn concat<T: Real>(axis: usize, parts: &[Layout], out: &Layout) -> Box<dyn Kernel<T>> {
    let inside: usize = out.item[axis + 1..].iter().product();
    let outside: usize = out.item[..axis].iter().product();
    let stretch = out.item[axis] * inside;
    let mut start = 0;
    let copies = parts.iter().map(|part| {
        let run = part.item[axis] * inside;
        let item = [(outside, [run as isize, stretch as isize]), (run, [1, 1])];
        let nest = Nest::new(Layout::row_loops(&out.rows, [part, out]).into_iter().chain(item));
        start += run;
        Strided { nest, start: [0, (start - run) as isize] }
    });
    Box::new(Concat(copies.collect()))
}
