//! The adjoint for the weight: a matrix product with the matrix of patches.
//!
//! For one row and one group let X be the patches of x, a matrix [channels × taps, positions]. Then the adjoint is y Xᵀ, summed
//! over rows. Several rows stand side by side in X where one alone would make a narrow product.

use super::super::copy::transpose;
use super::super::gemm::{Matrix, gemm};
use super::super::nest::Nest;
use super::super::{Kernel, Layout, Scratch};
use super::{Side, grow};
use crate::Result;
use crate::execute::Real;
use crate::ops::Convolution;

/// Columns that a product should have before rows stop being put side by side …
const COLUMNS: usize = 256;
/// … unless the matrix of patches would have more elements than this.
const PATCHES: usize = 1 << 20;

/// Positions that one tap sees without a gap.
#[derive(Debug, Clone, Copy)]
struct Run {
    tap: usize,
    output: usize,
    input: usize,
    len: usize,
}

/// The geometry of one group.
struct Geometry {
    groups: usize,
    /// Channels of x, of y.
    channels: [usize; 2],
    /// Positions of x, of y.
    positions: [usize; 2],
    taps: usize,
    /// Step in x between neighbours of a run.
    step: usize,
    runs: Vec<Run>,
    /// Whether every tap sees an element of x at every position: no zeros to fill in.
    covered: bool,
}

impl Geometry {
    fn new(c: &Convolution) -> Self {
        let rank = c.output.len();
        let (outputs, taps): (usize, usize) = (c.output.iter().product(), c.kernel.iter().product());
        let mut runs = vec![];
        // A convolution without spatial axes is one along an axis of length one.
        let last = rank.saturating_sub(1);
        let of = |v: &[usize], missing: usize| v.last().copied().unwrap_or(missing);
        let (width, inner_taps) = (of(&c.output, 1), of(&c.kernel, 1));
        let (stride, dilation, pad, input) = (of(&c.strides, 1), of(&c.dilations, 1), of(&c.pads, 0), of(&c.input, 1));
        for outer_tap in 0..taps.checked_div(inner_taps).unwrap_or(0) {
            for outer in 0..outputs.checked_div(width).unwrap_or(0) {
                let Some(base) = outer_position(c, last, outer_tap, outer) else { continue };
                for inner in 0..inner_taps {
                    // Positions p with 0 ≤ stride · p + dilation · tap − pad < input.
                    let shift = dilation * inner;
                    let first = pad.saturating_sub(shift).div_ceil(stride.max(1));
                    let end = if input + pad > shift { (input + pad - shift).div_ceil(stride.max(1)).min(width) } else { 0 };
                    if first < end {
                        let at = base * input + stride * first + shift - pad;
                        runs.push(Run { tap: outer_tap * inner_taps + inner, output: outer * width + first, input: at, len: end - first });
                    }
                }
            }
        }
        runs.sort_by_key(|r| (r.tap, r.output));
        let covered = runs.iter().map(|r| r.len).sum::<usize>() == taps * outputs;
        Self {
            groups: c.groups,
            channels: [c.in_channels / c.groups, c.out_channels / c.groups],
            positions: [c.input.iter().product(), outputs],
            taps,
            step: stride,
            runs,
            covered,
        }
    }

    /// Rows of the matrix of patches.
    fn depth(&self) -> usize {
        self.channels[0] * self.taps
    }

    /// How many rows to put side by side.
    fn abreast(&self, rows: usize) -> usize {
        let enough = COLUMNS.div_ceil(self.positions[1].max(1));
        let most = PATCHES / (self.depth() * self.positions[1]).max(1);
        enough.min(most).clamp(1, rows.max(1))
    }

    /// Copies the patches of one row's group into columns `column..` of a matrix with `width` columns.
    fn gather<T: Real>(&self, x: &[T], patches: &mut [T], column: usize, width: usize) {
        for channel in 0..self.channels[0] {
            let x = &x[channel * self.positions[0]..][..self.positions[0]];
            let rows = &mut patches[channel * self.taps * width..][..self.taps * width];
            if !self.covered {
                (0..self.taps).for_each(|tap| rows[tap * width + column..][..self.positions[1]].fill(T::ZERO));
            }
            for run in &self.runs {
                let to = &mut rows[run.tap * width + column + run.output..][..run.len];
                if self.step == 1 {
                    to.copy_from_slice(&x[run.input..][..run.len]);
                } else {
                    let from = x[run.input..].iter().step_by(self.step.max(1));
                    to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
                }
            }
        }
    }
}

/// The flat position along all spatial axes but the last, if it lies inside.
fn outer_position(c: &Convolution, axes: usize, mut tap: usize, mut output: usize) -> Option<usize> {
    let (mut base, mut size) = (0, 1);
    for i in (0..axes).rev() {
        let (k, p) = (tap % c.kernel[i], output % c.output[i]);
        (tap, output) = (tap / c.kernel[i], output / c.output[i]);
        let at = (c.strides[i] * p + c.dilations[i] * k).checked_sub(c.pads[i]).filter(|&at| at < c.input[i])?;
        base += at * size;
        size *= c.input[i];
    }
    Some(base)
}

/// Items of `abreast` rows side by side, as a matrix [channels, rows × positions].
struct Panel {
    channels: usize,
    positions: usize,
    abreast: usize,
}

impl Panel {
    /// Copies rows that start `step` apart into a panel, unless they are one already.
    fn pack<'a, T: Real>(&self, x: &'a [T], start: usize, step: isize, buffer: &'a mut Vec<T>) -> (&'a [T], Matrix) {
        match (self.abreast, self.positions) {
            (1, positions) => return (x, Matrix::row_major(start, positions)),
            (_, 1) => return (x, Matrix { start, row: 1, column: step }),
            _ => {}
        }
        let width = self.abreast * self.positions;
        let buffer = grow(buffer, self.channels * width);
        for row in 0..self.abreast {
            let x = &x[start + row * step as usize..][..self.channels * self.positions];
            for (channel, x) in x.chunks_exact(self.positions).enumerate() {
                buffer[channel * width + row * self.positions..][..self.positions].copy_from_slice(x);
            }
        }
        (buffer, Matrix::row_major(0, width))
    }
}

struct Weight {
    geometry: Geometry,
    /// Of x, of y.
    sides: [Side; 2],
    /// Rows of the result; steps of (x, y, result).
    rows: Nest<3>,
    /// Rows that are summed.
    summed: Nest<3>,
    len: usize,
}

/// [`crate::ops::Face::Weight`].
pub fn kernel<T: Real>(c: &Convolution, rows: Nest<3>, summed: Nest<3>, [x, y, w]: [&Layout; 3]) -> Result<Box<dyn Kernel<T>>> {
    let sides = [Side::new(c.in_channels, &c.input, x), Side::new(c.out_channels, &c.output, y)];
    Ok(Box::new(Weight { geometry: Geometry::new(c), sides, rows, summed, len: w.item_len() }))
}

#[derive(Default)]
struct Work<T> {
    patches: Vec<T>,
    panel: Vec<T>,
    turned: [Vec<T>; 2],
}

impl<T: Real> Kernel<T> for Weight {
    fn run(&self, operands: &[&[T]], out: &mut [T], scratch: &mut Scratch<T>) {
        let mut borrow = || scratch.borrow(0);
        let mut work = Work { patches: borrow(), panel: borrow(), turned: [borrow(), borrow()] };
        self.rows.each([0; 3], |start| self.weight(operands, out, start, &mut work, scratch));
        let [x, y] = work.turned;
        [work.patches, work.panel, x, y].into_iter().for_each(|buffer| scratch.give_back(buffer));
    }
}

impl Weight {
    fn weight<T: Real>(&self, operands: &[&[T]], out: &mut [T], start: [isize; 3], work: &mut Work<T>, scratch: &mut Scratch<T>) {
        let g = &self.geometry;
        let (size, steps) = self.summed.inner();
        let (depth, chunk) = (g.depth(), g.abreast(size));
        let mut add = false;
        if self.summed.len() * g.positions[1] == 0 {
            out[start[2] as usize..][..self.len].fill(T::ZERO);
            return;
        }
        let Work { patches, panel, turned } = work;
        self.summed.each_run(start, |start| {
            for first in (0..size).step_by(chunk) {
                let abreast = chunk.min(size - first);
                let at = [0, 1, 2].map(|i| (start[i] + first as isize * steps[i]) as usize);
                let [a, b] = turned;
                let x = channels_first(self.sides[0], operands[0], [at[0], steps[0] as usize, abreast], a);
                let y = channels_first(self.sides[1], operands[1], [at[1], steps[1] as usize, abreast], b);
                let width = abreast * g.positions[1];
                let rows = Panel { channels: g.channels[1], positions: g.positions[1], abreast };
                for group in 0..g.groups {
                    let item = g.channels[0] * g.positions[0];
                    grow(patches, depth * width);
                    for row in 0..abreast {
                        let x = &x.0[x.1 + row * x.2 + group * item..][..item];
                        g.gather(x, patches, row * g.positions[1], width);
                    }
                    let y = rows.pack(y.0, y.1 + group * g.channels[1] * g.positions[1], y.2 as isize, panel);
                    let columns = (&patches[..], Matrix::row_major(0, width).transposed());
                    let target = Matrix::row_major(at[2] + group * g.channels[1] * depth, depth);
                    gemm([g.channels[1], depth, width], y, columns, (out, target), add, scratch);
                }
                add = true;
            }
        });
    }
}

/// Items with each channel in one piece: values, first item and step.
fn channels_first<'a, T: Real>(
    side: Side,
    x: &'a [T],
    [start, step, count]: [usize; 3],
    buffer: &'a mut Vec<T>,
) -> (&'a [T], usize, usize) {
    if !side.last || side.channels == 1 || side.positions == 1 {
        return (x, start, step);
    }
    let turned = grow(buffer, count * side.len());
    for (i, turned) in turned.chunks_exact_mut(side.len().max(1)).enumerate() {
        transpose(&x[start + i * step..][..side.len()], [side.positions, side.channels], turned);
    }
    (turned, 0, side.len())
}
