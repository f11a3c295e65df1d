//! Matrix products with arbitrary strides, both of whose operands are known only when they run.

use super::Scratch;
use super::product::{Left, Packing, Right, Starts, aligned, product};
use crate::execute::Real;

/// Where a matrix begins in a slice, and its steps from row to row and from column to column.
#[derive(Debug, Clone, Copy)]
pub struct Matrix {
    /// First element.
    pub start: usize,
    /// Step to the next row.
    pub row: isize,
    /// Step to the next column.
    pub column: isize,
}

impl Matrix {
    /// Row-major with rows of `columns` elements.
    pub fn row_major(start: usize, columns: usize) -> Self {
        Self { start, row: columns as isize, column: 1 }
    }

    /// The same elements with rows and columns exchanged.
    #[must_use]
    pub fn transposed(self) -> Self {
        Self { start: self.start, row: self.column, column: self.row }
    }

    /// Whether every element of a matrix with these sizes lies inside a slice of `len`.
    pub(super) fn fits(self, rows: usize, columns: usize, len: usize) -> bool {
        if rows == 0 || columns == 0 {
            return true;
        }
        let reach = |n: usize, step: isize| step.checked_mul(n as isize - 1);
        let (Some(a), Some(b)) = (reach(rows, self.row), reach(columns, self.column)) else { return false };
        let ends = [a.min(0).checked_add(b.min(0)), a.max(0).checked_add(b.max(0))];
        let inside =
            |at: Option<isize>| at.and_then(|at| (self.start as isize).checked_add(at)).is_some_and(|at| at >= 0 && (at as usize) < len);
        ends.into_iter().all(inside)
    }

    /// The position of an element.
    fn at(self, row: usize, column: usize) -> usize {
        self.start.wrapping_add_signed(row as isize * self.row + column as isize * self.column)
    }
}

/// out [m, n] = a [m, k] · b [k, n], added to what `out` holds if `add`. The right operand is packed on the way.
pub fn gemm<T: Real>(
    [m, n, k]: [usize; 3],
    a: (&[T], Matrix),
    b: (&[T], Matrix),
    out: (&mut [T], Matrix),
    add: bool,
    scratch: &mut Scratch<T>,
) {
    if out.1.column != 1 && n > 1 {
        if out.1.row == 1 || m == 1 {
            let (a, b) = ((a.0, a.1.transposed()), (b.0, b.1.transposed()));
            return gemm([n, m, k], b, a, (out.0, out.1.transposed()), add, scratch);
        }
        let mut dense = scratch.borrow(m * n);
        gemm([m, n, k], a, b, (&mut dense, Matrix::row_major(0, n)), false, scratch);
        for (row, values) in dense[..m * n].chunks_exact(n).enumerate() {
            for (column, &value) in values.iter().enumerate() {
                let y = &mut out.0[out.1.at(row, column)];
                *y = if add { *y + value } else { value };
            }
        }
        scratch.give_back(dense);
        return;
    }
    // A wrong plan must never become a wild pointer; the planner's tests see this.
    assert!(b.1.fits(k, n, b.0.len()), "the right operand of a product [{m}, {k}] x [{k}, {n}] reaches outside its slice");
    let packing = Packing::new::<T>(k, n);
    let mut buffer = scratch.borrow(0);
    let data = aligned(&mut buffer, packing.len());
    packing.pack(b.0, |row| b.1.at(row, 0), b.1.column as usize, data);
    product(Left::Matrix(a.0, a.1, m), Right { packing: &packing, data }, out.0, Starts::Even(out.1.start, out.1.row), add);
    scratch.give_back(buffer);
}
