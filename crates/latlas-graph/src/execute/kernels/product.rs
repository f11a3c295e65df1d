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

use std::ops::Range;

use super::gemm::Matrix;
use super::vector::{Plain, Vector};
use crate::execute::isa::Isa;
use crate::execute::real::Real;

/// Vectors in the widest panel.
const WIDEST: usize = 3;
/// Terms of the sum before the next panel is taken: a panel and the rows stay in the second cache.
const TERMS: usize = 512;
/// Rows that meet all panels before the next rows: they stay in the second cache.
const ROWS: usize = 128;
/// Bytes that the beginning of packed data is a multiple of: a vector never straddles two cache lines.
const ALIGNMENT: usize = 64;

/// How a right operand `[taps · depth, columns]` lies in panels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packing {
    isa: Isa,
    lanes: usize,
    terms: usize,
    columns: usize,
}

impl Packing {
    /// For a sum of `terms` terms and this many columns.
    pub fn new<T: Real>(terms: usize, columns: usize) -> Self {
        Self::of::<T>(Isa::current(), terms, columns)
    }

    fn of<T: Real>(isa: Isa, terms: usize, columns: usize) -> Self {
        let bytes = match isa {
            Isa::Avx512 => 64,
            Isa::Avx2 => 32,
            Isa::Portable => 16,
        };
        Self { isa, lanes: bytes / size_of::<T>(), terms, columns }
    }

    /// Elements of packed data.
    pub fn len(&self) -> usize {
        self.columns.div_ceil(self.lanes) * self.lanes * self.terms
    }

    /// The first vector of each panel and its number of vectors: as equal as can be.
    fn panels(&self) -> impl Iterator<Item = (usize, usize)> {
        let vectors = self.columns.div_ceil(self.lanes);
        let panels = vectors.div_ceil(WIDEST);
        (0..panels).map(move |i| {
            let edge = |i: usize| i * vectors / panels;
            (edge(i), edge(i + 1) - edge(i))
        })
    }

    /// Packs an operand whose element (term, column) is `x[start(term) + column · step]`.
    pub fn pack<T: Real>(&self, x: &[T], start: impl Fn(usize) -> usize, step: usize, out: &mut [T]) {
        for (first, vectors) in self.panels() {
            let width = vectors * self.lanes;
            let from = first * self.lanes;
            let here = width.min(self.columns - from);
            let panel = &mut out[from * self.terms..][..width * self.terms];
            for (term, row) in panel.chunks_exact_mut(width).enumerate() {
                let start = start(term) + from * step;
                let (row, rest) = row.split_at_mut(here);
                rest.fill(T::ZERO);
                if step == 1 {
                    row.copy_from_slice(&x[start..start + here]);
                } else {
                    row.iter_mut().enumerate().for_each(|(i, y)| *y = x[start + i * step]);
                }
            }
        }
    }
}

/// Memory for packed data of `len` elements within a buffer, aligned for vectors.
pub fn aligned<T: Real>(buffer: &mut Vec<T>, len: usize) -> &mut [T] {
    let spare = ALIGNMENT / size_of::<T>();
    if buffer.len() < len + spare {
        buffer.resize(len + spare, T::ZERO);
    }
    let start = buffer.as_ptr().align_offset(ALIGNMENT).min(spare);
    &mut buffer[start..start + len]
}

/// A right operand that is packed once and kept.
#[derive(Debug)]
pub struct Packed<T> {
    packing: Packing,
    buffer: Vec<T>,
    start: usize,
}

impl<T: Real> Packed<T> {
    /// Packs; see [`Packing::pack`].
    pub fn new(packing: Packing, x: &[T], start: impl Fn(usize) -> usize, step: usize) -> Self {
        let mut buffer = vec![];
        let data = aligned(&mut buffer, packing.len());
        packing.pack(x, start, step, data);
        let start = buffer.as_ptr().align_offset(ALIGNMENT).min(ALIGNMENT / size_of::<T>());
        Self { packing, buffer, start }
    }

    /// To multiply with.
    pub fn right(&self) -> Right<'_, T> {
        Right { packing: &self.packing, data: &self.buffer[self.start..][..self.packing.len()] }
    }
}

/// A packed right operand.
#[derive(Clone, Copy)]
pub struct Right<'a, T> {
    /// How it lies.
    pub packing: &'a Packing,
    /// The panels.
    pub data: &'a [T],
}

/// Where each tap of each row begins in the left operand, for operands that are no plain matrix.
#[derive(Debug, Clone, Copy)]
pub struct Table<'a, T> {
    offsets: &'a [usize],
    taps: usize,
    depth: usize,
    /// Elements that the left operand must have.
    reach: usize,
    zeros: &'a [T],
}

/// A tap that reads zeros.
pub const NOWHERE: usize = usize::MAX;

impl<'a, T: Real> Table<'a, T> {
    /// `offsets [rows, taps]`, each the first of as many neighbouring elements as there are `zeros`, or [`NOWHERE`].
    pub fn new(offsets: &'a [usize], taps: usize, zeros: &'a [T]) -> Self {
        let (last, depth) = (offsets.iter().filter(|&&o| o != NOWHERE).max(), zeros.len());
        let reach = last.map_or(0, |last| last.saturating_add(depth));
        Self { offsets, taps, depth, reach, zeros }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.offsets.len() / self.taps.max(1)
    }
}

/// The left operand.
#[derive(Clone, Copy)]
pub enum Left<'a, T> {
    /// A matrix of so many rows.
    Matrix(&'a [T], Matrix, usize),
    /// Rows through a table.
    Table(&'a [T], Table<'a, T>),
}

/// Where the rows of the result begin; their elements lie together.
#[derive(Clone, Copy)]
pub enum Starts<'a> {
    /// First row, and the step from row to row.
    Even(usize, isize),
    /// One start for each row.
    Each(&'a [usize]),
}

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

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used)]
mod tests;
