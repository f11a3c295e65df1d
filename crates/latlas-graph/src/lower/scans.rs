//! Running sums along an item axis: products with a triangular constant.

use super::rules::checked_len;
use crate::ops::Contraction;
use crate::{Builder, NodeId, Result, Rows, Tensor};

/// y(i) = Σ x(j) over j ≤ i along `axis`; over j < i if `exclusive`; from the end if `reverse`.
pub fn cumulative_sum(b: &mut Builder, x: NodeId, axis: usize, exclusive: bool, reverse: bool) -> Result<NodeId> {
    let n = b.shape(x)[axis];
    checked_len(&[n, n])?;
    let counts = |i: usize, j: usize| (if reverse { j > i } else { j < i }) || (!exclusive && i == j);
    let triangle = (0..n * n).map(|at| f64::from(u8::from(counts(at / n, at % n)))).collect::<Vec<_>>();
    let triangle = b.constant(Tensor::new([n, n], triangle));
    Ok(along_axis(b, x, axis, triangle))
}

/// The matrix `[m, n]` applied along an axis of length n.
pub fn along_axis(b: &mut Builder, x: NodeId, axis: usize, matrix: NodeId) -> NodeId {
    let labels: Vec<u8> = (0..b.shape(x).len() as u8).collect();
    let new = labels.len() as u8;
    let out = labels.iter().map(|&l| if l as usize == axis { new } else { l }).collect();
    let contraction = Contraction { a: labels, b: vec![new, axis as u8], out, sum_rows: Rows::NONE };
    b.contract(x, matrix, contraction)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::trial::run;
    use super::*;

    #[test]
    fn running_sums() {
        let x = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let at = |axis, exclusive, reverse| run(&x, &[2, 3], |b, x| cumulative_sum(b, x, axis, exclusive, reverse));
        assert_eq!(at(1, false, false), [1.0, 3.0, 6.0, 4.0, 9.0, 15.0]);
        assert_eq!(at(1, true, false), [0.0, 1.0, 3.0, 0.0, 4.0, 9.0]);
        assert_eq!(at(1, false, true), [6.0, 5.0, 3.0, 15.0, 11.0, 6.0]);
        assert_eq!(at(1, true, true), [5.0, 3.0, 0.0, 11.0, 6.0, 0.0]);
        assert_eq!(at(0, false, false), [1.0, 2.0, 3.0, 5.0, 7.0, 9.0]);
    }
}
