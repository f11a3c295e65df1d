//! Matrix products with arbitrary strides, through the `gemm` crate.

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
    fn fits(self, rows: usize, columns: usize, len: usize) -> bool {
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
}

/// Types that have a matrix product.
pub trait Product: Sized {
    /// out [m, n] = a [m, k] · b [k, n], added to what `out` holds if `add`.
    fn gemm(sizes: [usize; 3], a: (&[Self], Matrix), b: (&[Self], Matrix), out: (&mut [Self], Matrix), add: bool);
}

macro_rules! product {
    ($float:ident) => {
        impl Product for $float {
            fn gemm([m, n, k]: [usize; 3], a: (&[Self], Matrix), b: (&[Self], Matrix), out: (&mut [Self], Matrix), add: bool) {
                if m == 0 || n == 0 || (k == 0 && add) {
                    return;
                }
                let inside = a.1.fits(m, k, a.0.len()) && b.1.fits(k, n, b.0.len()) && out.1.fits(m, n, out.0.len());
                // A wrong plan must never become a wild pointer; the planner's tests see this.
                assert!(inside, "matrix product [{m}, {k}] x [{k}, {n}] reaches outside its operands");
                // SAFETY: all elements lie inside their slices, as just checked, and `out` is borrowed exclusively.
                unsafe {
                    gemm::gemm(
                        m,
                        n,
                        k,
                        out.0.as_mut_ptr().wrapping_add(out.1.start),
                        out.1.column,
                        out.1.row,
                        add,
                        a.0.as_ptr().wrapping_add(a.1.start),
                        a.1.column,
                        a.1.row,
                        b.0.as_ptr().wrapping_add(b.1.start),
                        b.1.column,
                        b.1.row,
                        1.0,
                        1.0,
                        false,
                        false,
                        false,
                        gemm::Parallelism::None,
                    );
                }
            }
        }
    };
}

product!(f32);
product!(f64);
