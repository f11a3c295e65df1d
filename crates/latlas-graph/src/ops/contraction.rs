//! Contraction of two items by labels: Gemm, MatMul, Einsum, Gram matrices and weight gradients.

use crate::Rows;

/// out(labels) = Σ a(labels) · b(labels), summed over every label that `out` lacks and over the row axes in `sum_rows`.
///
/// A trilinear form of (a, b, out): every label stands in at least two of the three, so each adjoint is again a
/// contraction with the roles exchanged. No label stands twice in one operand.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Contraction {
    /// Label of each item axis of the first operand.
    pub a: Vec<u8>,
    /// Label of each item axis of the second operand.
    pub b: Vec<u8>,
    /// Label of each item axis of the result.
    pub out: Vec<u8>,
    /// Row axes that are summed over as well; at least one operand varies over each.
    pub sum_rows: Rows,
}

impl Contraction {
    /// The same with the operands exchanged.
    #[must_use]
    pub fn turned(&self) -> Self {
        Self { a: self.b.clone(), b: self.a.clone(), ..self.clone() }
    }
}
