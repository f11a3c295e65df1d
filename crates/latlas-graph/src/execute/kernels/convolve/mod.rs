//! Convolutions: the three faces of one trilinear form, with all channels of a position side by side.
//!
//! Value and adjoint for the data are one loop in gather form ([`taps`]): a row of the product is an output position of one
//! item, its terms are the channels that its taps read where they lie, its columns are the channels of the output. Nothing is
//! copied together and nothing is spread out. The rows of one position in several items follow on each other, and so do
//! positions with the same taps inside, so that a tile of rows hardly multiplies with padding.
//!
//! A face with few output channels would leave most of a vector empty. There the columns are the taps with their channels, the
//! rows are the input positions, and each output then adds up what its taps made of theirs.
//!
//! The adjoint for the weight sums over positions and items: [`patches`].

mod columns;
mod patches;
mod taps;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use self::taps::{Class, NOWHERE};
use super::copy::transpose;
use super::nest::Nest;
use super::product::{Left, Packed, Packing, Right, Starts, Table, product};
use super::{Constant, Kernel, Layout, Scratch};
use crate::execute::Real;
use crate::ops::{Convolution, Face};
use crate::{Error, Result};

/// Rows of a product at a time: they meet all weights while they are in the second cache.
const ROWS: usize = 128;
/// Elements of input and output that the items of a block have at most …
const BLOCK: usize = 1 << 17;
/// … unless there are not even so many rows.
const FEWEST: usize = 64;
/// Numbers that a vector is taken to have where two forms are compared: a plan does not depend on the machine.
const LANES: usize = 16;

/// One of the two sides that have positions.
#[derive(Debug, Clone, Copy)]
struct Side {
    /// Of all groups.
    channels: usize,
    positions: usize,
    /// Whether all channels of a position lie together in memory.
    last: bool,
}

impl Side {
    fn new(channels: usize, positions: &[usize], layout: &Layout) -> Self {
        let positions = positions.iter().product();
        Self { channels, positions, last: layout.channels.is_some() || channels == 1 || positions == 1 }
    }

    fn len(self) -> usize {
        self.channels * self.positions
    }
}

/// How a face becomes a matrix product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// A row for each output position, a class of them at a time; the terms are taps × channels that are read.
    Gather,
    /// A row for each input position; the columns are channels that are written × taps.
    Columns,
}

struct Convolve<T> {
    form: Form,
    classes: Vec<Class>,
    groups: usize,
    /// Channels of a group that are read, that are written.
    depth: usize,
    width: usize,
    kernel: usize,
    face: Face,
    read: Side,
    written: Side,
    /// Steps of (read, weight, written).
    rows: Nest<3>,
    /// For each product in turn: for each class each group, or for each group.
    packings: Vec<Packing>,
    /// Constant weights, once for a program.
    constant: Vec<Arc<Packed<T>>>,
}

/// [`crate::Op::Convolve`].
pub fn kernel<T: Real>(
    c: &Convolution,
    face: Face,
    [a, b, out]: [&Layout; 3],
    weight: Option<Constant<'_, T>>,
) -> Result<Box<dyn Kernel<T>>> {
    check(c, face, [a, b, out])?;
    let mut axes: Vec<_> = a.rows.iter().chain(&b.rows).copied().collect();
    axes.sort_unstable();
    axes.dedup();
    let (kept, lost): (Vec<_>, Vec<_>) = axes.into_iter().partition(|r| out.rows.contains(r));
    let (rows, summed) = (Nest::new(Layout::row_loops(&kept, [a, b, out])), Nest::new(Layout::row_loops(&lost, [a, b, out])));
    if face == Face::Weight {
        return patches::kernel(c, rows, summed, [a, b, out]);
    }
    if summed.len() != 1 {
        return Err(Error::Graph { what: format!("a convolution ({face:?}) sums over rows; only its weight gradient may") });
    }
    let (x, y) = ((c.in_channels, &c.input), (c.out_channels, &c.output));
    let (from, to) = if face == Face::Data { (y, x) } else { (x, y) };
    let mut kernel = Convolve {
        form: Form::Gather,
        classes: Class::all(c, face),
        groups: c.groups,
        depth: from.0 / c.groups,
        width: to.0 / c.groups,
        kernel: c.kernel.iter().product(),
        face,
        read: Side::new(from.0, from.1, a),
        written: Side::new(to.0, to.1, out),
        rows,
        packings: vec![],
        constant: vec![],
    };
    kernel.choose_form();
    if let Some(constant) = weight.filter(|_| b.rows.is_empty() && b.item_len() > 0) {
        kernel.constant = (0..kernel.packings.len()).map(|i| constant.packed(&kernel.key(i), |w| kernel.packed(i, w))).collect();
    }
    Ok(Box::new(kernel))
}

fn check(c: &Convolution, face: Face, layouts: [&Layout; 3]) -> Result<()> {
    let rank = c.output.len();
    let fits = [&c.input, &c.kernel, &c.strides, &c.dilations, &c.pads].iter().all(|v| v.len() == rank);
    if !fits || c.groups == 0 || !c.in_channels.is_multiple_of(c.groups) || !c.out_channels.is_multiple_of(c.groups) {
        return Err(Error::Graph { what: format!("a convolution with inconsistent geometry: {c:?}") });
    }
    let [input, output, kernel] = [&c.input, &c.output, &c.kernel].map(|sizes| sizes.iter().product::<usize>());
    let [x, y, w] = [c.in_channels * input, c.out_channels * output, c.out_channels * (c.in_channels / c.groups) * kernel];
    let expected = match face {
        Face::Value => [x, w, y],
        Face::Data => [y, w, x],
        Face::Weight => [x, y, w],
    };
    if layouts.map(Layout::item_len) == expected {
        return Ok(());
    }
    let [a, b, out] = layouts.map(|l| &l.item);
    Err(Error::Shape {
        what: format!("items of a convolution ({face:?})"),
        expected: format!("{expected:?} elements"),
        got: format!("{a:?}, {b:?} and {out:?}"),
    })
}

impl<T: Real> Convolve<T> {
    /// The form with fewer multiplications, counting the empty places of vectors.
    fn choose_form(&mut self) {
        let vectors = |columns: usize| columns.div_ceil(LANES) * LANES;
        let inside = |class: &Class| -> usize {
            class.stretches.iter().map(|s| s.count * s.sources.iter().filter(|&&source| source != NOWHERE).count()).sum()
        };
        let inside: usize = self.classes.iter().map(inside).sum();
        let gather = inside * self.depth * vectors(self.width);
        let columns = self.read.positions * self.depth * vectors(self.kernel * self.width) + LANES * inside * self.width;
        if columns < gather {
            self.form = Form::Columns;
            self.packings = vec![Packing::new::<T>(self.depth, self.kernel * self.width); self.groups];
        } else {
            let packing = |class: &Class| vec![Packing::new::<T>(class.taps.len() * self.depth, self.width); self.groups];
            self.packings = self.classes.iter().flat_map(packing).collect();
        }
    }

    /// Identifies a packed weight among those of one node.
    fn key(&self, i: usize) -> Vec<usize> {
        let (group, class) = (i % self.groups, i / self.groups);
        let taps = if self.form == Form::Gather { &self.classes[class].taps[..] } else { &[] };
        let head = [self.form as usize, self.face as usize, group, self.groups, self.depth, self.width, self.kernel];
        [&head[..], taps].concat()
    }

    /// The weight of the i-th product.
    fn packed(&self, i: usize, w: &[T]) -> Packed<T> {
        let (group, class) = (i % self.groups, i / self.groups);
        let (depth, width, kernel) = (self.depth, self.width, self.kernel);
        let first = group * depth * width * kernel;
        // Steps of the weight from channel to channel, of those that are read, of those that are written.
        let (c_step, n_step) = if self.face == Face::Data { (width * kernel, kernel) } else { (kernel, depth * kernel) };
        let packing = self.packings[i].clone();
        match self.form {
            Form::Gather => {
                let taps = &self.classes[class].taps;
                Packed::new(packing, w, |term| first + taps[term / depth] + term % depth * c_step, n_step)
            }
            Form::Columns => {
                let columns = width * kernel;
                let mut matrix = Vec::with_capacity(depth * columns);
                for c in 0..depth {
                    for n in 0..width {
                        matrix.extend_from_slice(&w[first + c * c_step + n * n_step..][..kernel]);
                    }
                }
                Packed::new(packing, &matrix, |term| term * columns, 1)
            }
        }
    }

    /// How many items to work on at a time.
    fn abreast(&self) -> usize {
        let rows = match self.form {
            Form::Gather => self.classes.iter().map(Class::outputs).min().unwrap_or(1),
            Form::Columns => self.read.positions,
        };
        let few = FEWEST.div_ceil(rows.max(1));
        few.max(BLOCK / (self.read.len() + self.written.len()).max(1)).max(1)
    }
}

/// Buffers of one run.
struct Work<T> {
    /// Weights that change from run to run.
    weights: Vec<Packed<T>>,
    input: Vec<T>,
    output: Vec<T>,
    columns: Vec<T>,
    zeros: Vec<T>,
    offsets: Vec<usize>,
    starts: Vec<usize>,
}

/// Items that are worked on at a time: where the first lies, and the step to the next.
#[derive(Debug, Clone, Copy)]
struct Items {
    count: usize,
    start: usize,
    step: usize,
}

impl Items {
    fn each(self) -> impl Iterator<Item = usize> {
        (0..self.count).map(move |i| self.start + i * self.step)
    }
}

impl<T: Real> Kernel<T> for Convolve<T> {
    fn reads(&self, operand: usize) -> bool {
        self.constant.is_empty() || operand == 0
    }

    fn run(&self, operands: &[&[T]], out: &mut [T], scratch: &mut Scratch<T>) {
        let mut work = Work {
            weights: vec![],
            input: scratch.borrow(0),
            output: scratch.borrow(0),
            columns: scratch.borrow(0),
            zeros: vec![T::ZERO; self.depth],
            offsets: vec![],
            starts: vec![],
        };
        let (size, steps) = self.rows.inner();
        // Items share a product only if they share a weight.
        let abreast = if steps[1] == 0 { self.abreast().min(size.max(1)) } else { 1 };
        self.rows.each_run([0; 3], |start| {
            for first in (0..size).step_by(abreast) {
                let at = [0, 1, 2].map(|i| (start[i] + first as isize * steps[i]) as usize);
                if self.constant.is_empty() && (first == 0 || steps[1] != 0) {
                    let weight = &operands[1][at[1]..];
                    work.weights = (0..self.packings.len()).map(|i| self.packed(i, weight)).collect();
                }
                let count = abreast.min(size - first);
                let items = |i: usize| Items { count, start: at[i], step: steps[i] as usize };
                self.block(operands[0], items(0), out, items(2), &mut work);
            }
        });
        [work.input, work.output, work.columns].into_iter().for_each(|buffer| scratch.give_back(buffer));
    }
}

fn grow<T: Real>(buffer: &mut Vec<T>, len: usize) -> &mut [T] {
    if buffer.len() < len {
        buffer.resize(len, T::ZERO);
    }
    &mut buffer[..len]
}

impl<T: Real> Convolve<T> {
    /// Some items that share a weight.
    fn block(&self, x: &[T], from: Items, out: &mut [T], to: Items, work: &mut Work<T>) {
        let mut input = std::mem::take(&mut work.input);
        let (x, from) = if self.read.last {
            (x, from)
        } else {
            let len = self.read.len();
            let turned = grow(&mut input, from.count * len);
            for (at, turned) in from.each().zip(turned.chunks_exact_mut(len.max(1))) {
                transpose(&x[at..][..len], [self.read.channels, self.read.positions], turned);
            }
            (&*turned, Items { start: 0, step: len, ..from })
        };
        match self.form {
            Form::Columns => self.columns(x, from, out, to, work),
            Form::Gather if self.written.last => self.gather(x, from, out, to, work),
            Form::Gather => {
                let len = self.written.len();
                let mut output = std::mem::take(&mut work.output);
                let turned = grow(&mut output, to.count * len);
                self.gather(x, from, turned, Items { start: 0, step: len, ..to }, work);
                for (at, turned) in to.each().zip(turned.chunks_exact(len.max(1))) {
                    transpose(turned, [self.written.positions, self.written.channels], &mut out[at..][..len]);
                }
                work.output = output;
            }
        }
        work.input = input;
    }

    /// The weight of the i-th product.
    fn right<'a>(&'a self, i: usize, weights: &'a [Packed<T>]) -> Right<'a, T> {
        self.constant.get(i).map_or_else(|| weights[i].right(), |packed| packed.right())
    }

    fn gather(&self, x: &[T], from: Items, out: &mut [T], to: Items, work: &mut Work<T>) {
        for (i, class) in self.classes.iter().enumerate() {
            work.offsets.clear();
            work.starts.clear();
            for stretch in &class.stretches {
                for q in 0..stretch.count {
                    let output = (stretch.output + q * class.step) * self.written.channels;
                    for (from, to) in from.each().zip(to.each()) {
                        let source = |&source: &usize| {
                            if source == NOWHERE { NOWHERE } else { from + (source + q * class.pace) * self.read.channels }
                        };
                        work.offsets.extend(stretch.sources.iter().map(source));
                        work.starts.push(to + output);
                        if work.starts.len() == ROWS {
                            self.rows(i, class, x, out, work);
                        }
                    }
                }
            }
            self.rows(i, class, x, out, work);
        }
    }

    /// Some rows of one class.
    fn rows(&self, i: usize, class: &Class, x: &[T], out: &mut [T], work: &mut Work<T>) {
        if class.taps.len() * self.depth == 0 {
            work.starts.iter().for_each(|&start| out[start..][..self.written.channels].fill(T::ZERO));
        } else if !work.starts.is_empty() {
            let table = Table::new(&work.offsets, class.taps.len(), &work.zeros);
            for group in 0..self.groups {
                let (left, out) = (Left::Table(&x[group * self.depth..], table), &mut out[group * self.width..]);
                product(left, self.right(i * self.groups + group, &work.weights), out, Starts::Each(&work.starts), false);
            }
        }
        work.offsets.clear();
        work.starts.clear();
    }
}
