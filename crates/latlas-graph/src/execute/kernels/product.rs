//! The matrix product: a register tile of rows × three vectors over packed columns.
//!
//! ```text
//! out[row, n] (+)= Σ_tap Σ_c  x[offset(row, tap) + c·step] · w[tap, c, n]
//! ```
//!
//! The right operand lies in panels of up to three vectors of columns, each panel a stream that the tile reads once from front
//! to back; weights are packed once for a program. The left operand is never copied: a tile keeps a pointer for each of its
//! rows, and for each tap takes them from a table. A plain matrix has one tap; in a convolution a tap is a position of the
//! kernel, and a row that looks into the padding there reads zeros. The sum of an element runs over taps and c in order, so
//! its value does not depend on the number of rows beside it.
// The body is compiled for the instruction set of the function that it is inlined into, so it must be.
#![allow(clippy::inline_always)]
// Loops over constant ranges become straight code on registers.
#![allow(clippy::needless_range_loop)]

mod operands;
#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used)]
mod tests;

use std::ops::Range;

pub use self::operands::{Left, NOWHERE, Packed, Packing, Right, Starts, Table, aligned};
use super::gemm::Matrix;
use super::vector::{Plain, Vector};
use crate::execute::isa::Isa;
use crate::execute::real::Real;

/// Terms of the sum before the next panel is taken: a panel and the rows stay in the second cache.
const TERMS: usize = 512;
/// Rows that meet all panels before the next rows: they stay in the second cache.
const ROWS: usize = 128;
/// out (+)= left · right; see the page of this module. With `add` the sum begins with what `out` holds.
///
/// Panics where an operand reaches outside its slice: a wrong plan must never become a wild pointer.
pub fn product<T: Real>(left: Left<'_, T>, right: Right<'_, T>, out: &mut [T], starts: Starts<'_>, add: bool) {
    let packing = right.packing;
    let (rows, taps, depth, step) = match left {
        Left::Matrix(x, matrix, rows) => {
            assert!(matrix.fits(rows, packing.terms, x.len()), "a left operand reaches outside its slice");
            (rows, 1, packing.terms, matrix.column)
        }
        Left::Table(x, table) => {
            assert!(table.reach <= x.len() && table.taps * table.depth == packing.terms, "a left operand reaches outside its slice");
            (table.rows(), table.taps, table.depth, 1)
        }
    };
    assert!(right.data.len() == packing.len(), "packed data of another size");
    if rows == 0 || packing.columns == 0 {
        return;
    }
    let inside = match starts {
        Starts::Even(start, step) => Matrix { start, row: step, column: 1 }.fits(rows, packing.columns, out.len()),
        Starts::Each(starts) => {
            let last = starts.iter().copied().max().unwrap_or(0);
            starts.len() == rows && last.saturating_add(packing.columns) <= out.len()
        }
    };
    assert!(inside, "a result reaches outside its slice");
    let job = Job { left, right, out: out.as_mut_ptr(), starts, rows, taps, depth, step, add };
    // SAFETY: all that the job reads and writes lies inside its slices, as just checked, `out` is borrowed exclusively, and the
    // packing's instruction set is one that the machine has.
    unsafe { T::run(&job) }
}

/// A checked product.
pub struct Job<'a, T> {
    left: Left<'a, T>,
    right: Right<'a, T>,
    out: *mut T,
    starts: Starts<'a>,
    rows: usize,
    taps: usize,
    depth: usize,
    step: isize,
    add: bool,
}

impl<T: Real> Job<'_, T> {
    /// Whether a row's tap reads zeros.
    #[inline(always)]
    fn lies_nowhere(&self, row: usize, tap: usize) -> bool {
        matches!(self.left, Left::Table(_, table) if table.offsets[row * self.taps + tap] == NOWHERE)
    }

    /// The first element of a row's tap from c on.
    #[inline(always)]
    fn source(&self, row: usize, tap: usize, c: usize) -> *const T {
        match self.left {
            Left::Matrix(x, matrix, _) => {
                x.as_ptr().wrapping_add(matrix.start).wrapping_offset(row as isize * matrix.row + c as isize * matrix.column)
            }
            Left::Table(x, table) => {
                let offset = table.offsets[row * self.taps + tap];
                let from = if offset == NOWHERE { table.zeros.as_ptr() } else { x.as_ptr().wrapping_add(offset) };
                from.wrapping_add(c)
            }
        }
    }

    /// The first element of a row of the result.
    #[inline(always)]
    fn target(&self, row: usize) -> *mut T {
        match self.starts {
            Starts::Even(start, step) => self.out.wrapping_add(start).wrapping_offset(row as isize * step),
            Starts::Each(starts) => self.out.wrapping_add(starts[row]),
        }
    }

    /// The whole product, with tiles of at most M rows.
    #[inline(always)]
    unsafe fn all<V: Vector<T>, const M: usize>(&self) {
        // A block of the sum: some c of one tap, or all of some taps.
        let (taps, depth) = if self.depth >= TERMS { (1, TERMS) } else { ((TERMS / self.depth.max(1)).max(1), self.depth) };
        // An empty sum is one block without terms.
        let mut block = Block { taps: 0..taps.min(self.taps), terms: 0..depth.min(self.depth), add: self.add };
        loop {
            for row in (0..self.rows).step_by(ROWS) {
                let rows = row..(row + ROWS).min(self.rows);
                for (first, vectors) in self.right.packing.panels() {
                    // SAFETY: the caller's promise.
                    unsafe {
                        match vectors {
                            1 => self.panel::<V, M, 1>(&block, rows.clone(), first),
                            2 => self.panel::<V, M, 2>(&block, rows.clone(), first),
                            _ => self.panel::<V, M, 3>(&block, rows.clone(), first),
                        }
                    }
                }
            }
            block.add = true;
            if block.terms.end < self.depth {
                block.terms = block.terms.end..(block.terms.end + depth).min(self.depth);
            } else if block.taps.end < self.taps {
                block.taps = block.taps.end..(block.taps.end + taps).min(self.taps);
                block.terms = 0..depth.min(self.depth);
            } else {
                return;
            }
        }
    }

    /// Some rows times one panel of N vectors that begins with vector `first`.
    #[inline(always)]
    unsafe fn panel<V: Vector<T>, const M: usize, const N: usize>(&self, block: &Block, rows: Range<usize>, first: usize) {
        let Range { start: mut row, end } = rows;
        // SAFETY: the caller's promise.
        unsafe {
            while end - row >= M {
                self.tile::<V, M, N>(block, row, first);
                row += M;
            }
            if M > 4 && end - row >= 4 {
                self.tile::<V, 4, N>(block, row, first);
                row += 4;
            }
            if M > 2 && end - row >= 2 {
                self.tile::<V, 2, N>(block, row, first);
                row += 2;
            }
            if end > row {
                self.tile::<V, 1, N>(block, row, first);
            }
        }
    }

    /// M rows × N vectors, all in registers.
    #[inline(always)]
    unsafe fn tile<V: Vector<T>, const M: usize, const N: usize>(&self, block: &Block, row: usize, first: usize) {
        let (column, terms) = (first * V::LANES, self.right.packing.terms);
        let whole = self.right.packing.columns - column >= N * V::LANES;
        let mut targets = [std::ptr::null_mut(); M];
        for i in 0..M {
            targets[i] = self.target(row + i).wrapping_add(column);
        }
        // SAFETY: pointers stay inside what `product` checked; the last panel of a narrow result goes through a buffer.
        unsafe {
            let mut sums = [[V::zero(); N]; M];
            if block.add {
                for i in 0..M {
                    if whole {
                        for j in 0..N {
                            sums[i][j] = V::load(targets[i].add(j * V::LANES));
                        }
                    } else {
                        let mut buffer = [T::ZERO; 64];
                        let here = self.right.packing.columns - column;
                        targets[i].copy_to_nonoverlapping(buffer.as_mut_ptr(), here);
                        for j in 0..N {
                            sums[i][j] = V::load(buffer.as_ptr().add(j * V::LANES));
                        }
                    }
                }
            }
            let skipped = block.taps.start * self.depth + block.terms.start;
            let mut w = self.right.data.as_ptr().add(column * terms + skipped * N * V::LANES);
            for tap in block.taps.clone() {
                let mut x = [std::ptr::null(); M];
                if (0..M).all(|i| self.lies_nowhere(row + i, tap)) {
                    w = w.add(block.terms.len() * N * V::LANES);
                    continue;
                }
                for i in 0..M {
                    x[i] = self.source(row + i, tap, block.terms.start);
                }
                let mut at = 0;
                for _ in block.terms.clone() {
                    let mut columns = [V::zero(); N];
                    for j in 0..N {
                        columns[j] = V::load(w.add(j * V::LANES));
                    }
                    for i in 0..M {
                        let x = V::splat(x[i].offset(at));
                        for j in 0..N {
                            sums[i][j] = x.fused(columns[j], sums[i][j]);
                        }
                    }
                    w = w.add(N * V::LANES);
                    at += self.step;
                }
            }
            for i in 0..M {
                if whole {
                    for j in 0..N {
                        sums[i][j].store(targets[i].add(j * V::LANES));
                    }
                } else {
                    let mut buffer = [T::ZERO; 64];
                    for j in 0..N {
                        sums[i][j].store(buffer.as_mut_ptr().add(j * V::LANES));
                    }
                    targets[i].copy_from_nonoverlapping(buffer.as_ptr(), self.right.packing.columns - column);
                }
            }
        }
    }
}

/// A part of the sum.
struct Block {
    taps: Range<usize>,
    terms: Range<usize>,
    /// Whether the result holds an earlier part.
    add: bool,
}

/// Numbers that have vectors, and with them a product.
pub trait Lanes: Sized {
    /// Runs a product on its instruction set.
    ///
    /// # Safety
    /// The job was checked, and the machine has the instruction set of its packing.
    unsafe fn run(job: &Job<'_, Self>);
}

macro_rules! lanes {
    ($float:ident, $portable:literal, $v3:ident, $v4:ident) => {
        impl Lanes for $float {
            unsafe fn run(job: &Job<'_, Self>) {
                #[cfg(target_arch = "x86_64")]
                {
                    use super::vector::x86::{$v3, $v4};
                    #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw,avx2,fma")]
                    unsafe fn v4(job: &Job<'_, $float>) {
                        // SAFETY: the caller's promise.
                        unsafe { job.all::<$v4, 8>() }
                    }
                    #[target_feature(enable = "avx2,fma")]
                    unsafe fn v3(job: &Job<'_, $float>) {
                        // SAFETY: the caller's promise.
                        unsafe { job.all::<$v3, 4>() }
                    }
                    // SAFETY: the machine has the instruction set of the packing.
                    unsafe {
                        match job.right.packing.isa {
                            Isa::Avx512 => return v4(job),
                            Isa::Avx2 => return v3(job),
                            Isa::Portable => {}
                        }
                    }
                }
                // SAFETY: needs nothing.
                unsafe { job.all::<Plain<$float, $portable>, 4>() }
            }
        }
    };
}

lanes!(f32, 4, __m256, __m512);
lanes!(f64, 2, __m256d, __m512d);
