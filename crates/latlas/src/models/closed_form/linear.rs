//! A linear map x = Az.
//!
//! J = A everywhere: Hᵢ = h₀ + log ‖Aᵢ‖, log |J| = Σ log |R_kk| of A = QR. With the default A, whose rows are (2, 1) and
//! (0, 1), the total correlation is ½ log 2.

use latlas_graph::ops::Contraction;
use latlas_graph::{Builder, NodeId, Rows, Tensor};
use ndarray::{Array2, ArrayViewMut2};

use super::{Entry, Map, Parameter, Truth};
use crate::error::{Error, Result};
use crate::linalg;

pub(super) const ENTRY: Entry = Entry {
    id: "linear",
    title: "x = A z",
    parameters: &[Parameter { name: "a", default: "2,1/0,1", meaning: "the matrix, row by row, at least as many rows as columns" }],
    source: include_str!("linear.rs"),
    make: |values| {
        let matrix = values.matrix("a")?;
        Ok(Box::new(Linear::new(matrix).map_err(|_| values.wrong("a", "a matrix with at least as many rows as columns"))?))
    },
};

/// x = Az.
#[derive(Debug, Clone)]
pub struct Linear {
    /// Aᵀ: `[d, D]`.
    columns: Array2<f64>,
}

impl Linear {
    /// Of the matrix A `[D, d]`, 1 ≤ d ≤ D.
    ///
    /// # Errors
    /// [`Error::Shape`] when there are more columns than rows, or none.
    pub fn new(matrix: Array2<f64>) -> Result<Self> {
        let (rows, columns) = matrix.dim();
        if columns == 0 || columns > rows {
            let what = format!("expected a matrix with at least as many rows as columns, got {:?}", matrix.shape());
            return Err(Error::Shape { what, hint: None });
        }
        Ok(Self { columns: matrix.reversed_axes().as_standard_layout().into_owned() })
    }
}

impl Map for Linear {
    fn latent_dim(&self) -> usize {
        self.columns.nrows()
    }

    fn ambient_dim(&self) -> usize {
        self.columns.ncols()
    }

    fn point(&self, z: &[f64], x: &mut [f64], mut columns: ArrayViewMut2<'_, f64>) {
        for (z, column) in z.iter().zip(self.columns.outer_iter()) {
            x.iter_mut().zip(column).for_each(|(x, a)| *x += z * a);
        }
        columns.assign(&self.columns);
    }

    fn write(&self, b: &mut Builder, z: NodeId) -> Option<NodeId> {
        let columns: Vec<f64> = self.columns.iter().copied().collect();
        let matrix = b.constant(Tensor::new(self.columns.shape(), columns));
        Some(b.contract(matrix, z, Contraction { a: vec![0, 1], b: vec![0], out: vec![1], sum_rows: Rows::NONE }))
    }

    fn truth(&self) -> Truth {
        let log_norms = self.columns.outer_iter().map(|column| 0.5 * column.dot(&column).ln()).collect();
        Truth { log_norms, log_volume: linalg::log_volume(linalg::r_factor(self.columns.view()).view()) }
    }
}
