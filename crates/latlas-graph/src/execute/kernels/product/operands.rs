//! What a product reads and where it writes.

use super::super::gemm::Matrix;
use crate::execute::isa::Isa;
use crate::execute::real::Real;

/// Vectors in the widest panel.
const WIDEST: usize = 3;
/// Bytes that the beginning of packed data is a multiple of: a vector never straddles two cache lines.
const ALIGNMENT: usize = 64;

/// How a right operand `[taps · depth, columns]` lies in panels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packing {
    pub(super) isa: Isa,
    lanes: usize,
    pub(super) terms: usize,
    pub(super) columns: usize,
}

impl Packing {
    /// For a sum of `terms` terms and this many columns.
    pub fn new<T: Real>(terms: usize, columns: usize) -> Self {
        Self::of::<T>(Isa::current(), terms, columns)
    }

    pub(super) fn of<T: Real>(isa: Isa, terms: usize, columns: usize) -> Self {
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
    pub(super) fn panels(&self) -> impl Iterator<Item = (usize, usize)> {
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
    pub(super) offsets: &'a [usize],
    pub(super) taps: usize,
    pub(super) depth: usize,
    /// Elements that the left operand must have.
    pub(super) reach: usize,
    pub(super) zeros: &'a [T],
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
