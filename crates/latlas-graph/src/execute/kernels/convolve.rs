//! Convolutions: the three faces of one trilinear form, each a matrix product with the matrix of patches.
//!
//! For one row and one group let X be the patches of x, a matrix [channels × taps, positions]. Then the value is y = W X, the
//! adjoint for the data adds Wᵀ y back through the patches, and the adjoint for the weight is y Xᵀ. Several rows stand side by
//! side in X where one alone would make a narrow product.

use super::gemm::{Matrix, gemm};
use super::nest::Nest;
use super::{Kernel, Layout, Scratch};
use crate::execute::Real;
use crate::ops::{Convolution, Face};
use crate::{Error, Result};

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
    fn new(c: &Convolution) -> Result<Self> {
        let rank = c.output.len();
        let fits = [&c.input, &c.kernel, &c.strides, &c.dilations, &c.pads].iter().all(|v| v.len() == rank);
        if !fits || c.groups == 0 || !c.in_channels.is_multiple_of(c.groups) || !c.out_channels.is_multiple_of(c.groups) {
            return Err(Error::Graph { what: format!("a convolution with inconsistent geometry: {c:?}") });
        }
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
        Ok(Self {
            groups: c.groups,
            channels: [c.in_channels / c.groups, c.out_channels / c.groups],
            positions: [c.input.iter().product(), outputs],
            taps,
            step: stride,
            runs,
            covered,
        })
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

    /// Adds columns of such a matrix back to where they came from.
    fn scatter<T: Real>(&self, patches: &[T], column: usize, width: usize, x: &mut [T]) {
        for channel in 0..self.channels[0] {
            let x = &mut x[channel * self.positions[0]..][..self.positions[0]];
            let rows = &patches[channel * self.taps * width..][..self.taps * width];
            for run in &self.runs {
                let from = &rows[run.tap * width + column + run.output..][..run.len];
                if self.step == 1 {
                    x[run.input..][..run.len].iter_mut().zip(from).for_each(|(to, from)| *to += *from);
                } else {
                    let to = x[run.input..].iter_mut().step_by(self.step.max(1));
                    to.zip(from).for_each(|(to, from)| *to += *from);
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
    fn pack<'a, T: Real>(&self, x: &'a [T], start: usize, step: isize, buffer: &'a mut [T]) -> (&'a [T], Matrix) {
        if let Some(matrix) = self.in_place(start, step) {
            return (x, matrix);
        }
        let width = self.abreast * self.positions;
        for row in 0..self.abreast {
            let x = &x[start + row * step as usize..][..self.channels * self.positions];
            for (channel, x) in x.chunks_exact(self.positions).enumerate() {
                buffer[channel * width + row * self.positions..][..self.positions].copy_from_slice(x);
            }
        }
        (buffer, Matrix::row_major(0, width))
    }

    /// Copies a panel back to rows.
    fn unpack<T: Real>(&self, buffer: &[T], out: &mut [T], start: usize, step: isize) {
        let width = self.abreast * self.positions;
        for row in 0..self.abreast {
            let out = &mut out[start + row * step as usize..][..self.channels * self.positions];
            for (channel, out) in out.chunks_exact_mut(self.positions).enumerate() {
                out.copy_from_slice(&buffer[channel * width + row * self.positions..][..self.positions]);
            }
        }
    }

    /// One row, or rows of one position each, are a matrix where they lie.
    fn in_place(&self, start: usize, step: isize) -> Option<Matrix> {
        match (self.abreast, self.positions) {
            (1, positions) => Some(Matrix::row_major(start, positions)),
            (_, 1) => Some(Matrix { start, row: 1, column: step }),
            _ => None,
        }
    }

    fn len(&self) -> usize {
        self.channels * self.positions * self.abreast
    }
}

struct Convolve {
    geometry: Geometry,
    face: Face,
    /// Rows of the result; steps of (first, second, result).
    rows: Nest<3>,
    /// Rows that are summed.
    summed: Nest<3>,
    items: [usize; 3],
}

/// [`crate::Op::Convolve`].
pub fn kernel<T: Real>(c: &Convolution, face: Face, a: &Layout, b: &Layout, out: &Layout) -> Result<Box<dyn Kernel<T>>> {
    let geometry = Geometry::new(c)?;
    let [x, y, w] = [c.in_channels * geometry.positions[0], c.out_channels * geometry.positions[1], c.out_channels * geometry.depth()];
    let expected = match face {
        Face::Value => [x, w, y],
        Face::Data => [y, w, x],
        Face::Weight => [x, y, w],
    };
    let items = [a, b, out].map(Layout::item_len);
    if items != expected {
        return Err(Error::Shape {
            what: format!("items of a convolution ({face:?})"),
            expected: format!("{expected:?} elements"),
            got: format!("{:?}, {:?} and {:?}", a.item, b.item, out.item),
        });
    }
    let mut axes: Vec<_> = a.rows.iter().chain(&b.rows).copied().collect();
    axes.sort_unstable();
    axes.dedup();
    let (kept, lost): (Vec<_>, Vec<_>) = axes.into_iter().partition(|r| out.rows.contains(r));
    let (rows, summed) = (Nest::new(Layout::row_loops(&kept, [a, b, out])), Nest::new(Layout::row_loops(&lost, [a, b, out])));
    if face != Face::Weight && summed.len() != 1 {
        return Err(Error::Graph { what: format!("a convolution ({face:?}) sums over rows; only its weight gradient may") });
    }
    Ok(Box::new(Convolve { geometry, face, rows, summed, items }))
}

impl<T: Real> Kernel<T> for Convolve {
    fn run(&self, operands: &[&[T]], out: &mut [T], scratch: &mut Scratch<T>) {
        let (mut patches, mut panel) = (scratch.borrow(0), scratch.borrow(0));
        let mut work = Work { patches: &mut patches, panel: &mut panel, scratch };
        if self.face == Face::Weight {
            self.rows.each([0; 3], |start| self.weight(operands, out, start, &mut work));
        } else {
            let (size, steps) = self.rows.inner();
            // Rows can stand side by side only if they share a weight.
            let abreast = if steps[1] == 0 { self.geometry.abreast(size) } else { 1 };
            self.rows.each_run([0; 3], |start| {
                for first in (0..size).step_by(abreast) {
                    let at = [0, 1, 2].map(|i| (start[i] + first as isize * steps[i]) as usize);
                    let count = abreast.min(size - first);
                    if self.face == Face::Value {
                        self.value(operands, out, at, steps, count, &mut work);
                    } else {
                        self.data(operands, out, at, steps, count, &mut work);
                    }
                }
            });
        }
        scratch.give_back(patches);
        scratch.give_back(panel);
    }
}

struct Work<'a, T> {
    patches: &'a mut Vec<T>,
    panel: &'a mut Vec<T>,
    scratch: &'a mut Scratch<T>,
}

fn grow<T: Real>(buffer: &mut Vec<T>, len: usize) {
    if buffer.len() < len {
        buffer.resize(len, T::ZERO);
    }
}

impl Convolve {
    fn panel(&self, abreast: usize) -> Panel {
        Panel { channels: self.geometry.channels[1], positions: self.geometry.positions[1], abreast }
    }

    /// The patches of rows side by side.
    fn gather<T: Real>(&self, x: &[T], at: usize, step: isize, abreast: usize, group: usize, patches: &mut Vec<T>) {
        let g = &self.geometry;
        let (item, width) = (g.channels[0] * g.positions[0], abreast * g.positions[1]);
        grow(patches, g.depth() * width);
        for row in 0..abreast {
            g.gather(&x[at + row * step as usize + group * item..][..item], patches, row * g.positions[1], width);
        }
    }

    fn value<T: Real>(&self, operands: &[&[T]], out: &mut [T], at: [usize; 3], steps: [isize; 3], abreast: usize, work: &mut Work<'_, T>) {
        let (g, panel) = (&self.geometry, self.panel(abreast));
        let (width, depth) = (abreast * g.positions[1], g.depth());
        for group in 0..g.groups {
            self.gather(operands[0], at[0], steps[0], abreast, group, work.patches);
            let sizes = [g.channels[1], width, depth];
            let weight = (operands[1], Matrix::row_major(at[1] + group * g.channels[1] * depth, depth));
            let patches = (&work.patches[..], Matrix::row_major(0, width));
            let start = at[2] + group * g.channels[1] * g.positions[1];
            if let Some(matrix) = panel.in_place(start, steps[2]) {
                gemm(sizes, weight, patches, (out, matrix), false, work.scratch);
            } else {
                grow(work.panel, panel.len());
                gemm(sizes, weight, patches, (work.panel, Matrix::row_major(0, width)), false, work.scratch);
                panel.unpack(work.panel, out, start, steps[2]);
            }
        }
    }

    fn data<T: Real>(&self, operands: &[&[T]], out: &mut [T], at: [usize; 3], steps: [isize; 3], abreast: usize, work: &mut Work<'_, T>) {
        let (g, panel) = (&self.geometry, self.panel(abreast));
        let (width, depth, item) = (abreast * g.positions[1], g.depth(), g.channels[0] * g.positions[0]);
        (0..abreast).for_each(|row| out[at[2] + row * steps[2] as usize..][..self.items[2]].fill(T::ZERO));
        grow(work.patches, depth * width);
        grow(work.panel, panel.len());
        for group in 0..g.groups {
            let y = panel.pack(operands[0], at[0] + group * g.channels[1] * g.positions[1], steps[0], work.panel);
            let weight = (operands[1], Matrix::row_major(at[1] + group * g.channels[1] * depth, depth).transposed());
            gemm([depth, width, g.channels[1]], weight, y, (work.patches, Matrix::row_major(0, width)), false, work.scratch);
            for row in 0..abreast {
                let x = &mut out[at[2] + row * steps[2] as usize + group * item..][..item];
                g.scatter(work.patches, row * g.positions[1], width, x);
            }
        }
    }

    fn weight<T: Real>(&self, operands: &[&[T]], out: &mut [T], start: [isize; 3], work: &mut Work<'_, T>) {
        let g = &self.geometry;
        let (size, steps) = self.summed.inner();
        let (depth, chunk) = (g.depth(), g.abreast(size));
        let mut add = false;
        if self.summed.len() * g.positions[1] == 0 {
            out[start[2] as usize..][..self.items[2]].fill(T::ZERO);
            return;
        }
        self.summed.each_run(start, |start| {
            for first in (0..size).step_by(chunk) {
                let abreast = chunk.min(size - first);
                let at = [0, 1, 2].map(|i| (start[i] + first as isize * steps[i]) as usize);
                let (panel, width) = (self.panel(abreast), abreast * g.positions[1]);
                grow(work.panel, panel.len());
                for group in 0..g.groups {
                    self.gather(operands[0], at[0], steps[0], abreast, group, work.patches);
                    let y = panel.pack(operands[1], at[1] + group * g.channels[1] * g.positions[1], steps[1], work.panel);
                    let patches = (&work.patches[..], Matrix::row_major(0, width).transposed());
                    let target = Matrix::row_major(at[2] + group * g.channels[1] * depth, depth);
                    gemm([g.channels[1], depth, width], y, patches, (out, target), add, work.scratch);
                }
                add = true;
            }
        });
    }
}
