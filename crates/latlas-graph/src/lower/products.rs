//! Matrix products with NumPy's rules, and the affine map `gemm`.

use super::arithmetic::{broadcast_binary, times};
use super::mismatch;
use crate::ops::{Binary, Contraction};
use crate::{Builder, NodeId, Result, Rows};

/// a · b as `numpy.matmul`: `[.., i, k]` · `[.., k, j]` → `[.., i, j]`, leading axes broadcast; a vector on the left is a
/// row, on the right a column, and its axis is dropped from the result.
pub fn matmul(b: &mut Builder, left: NodeId, right: NodeId) -> Result<NodeId> {
    const I: u8 = 250;
    const K: u8 = 251;
    const J: u8 = 252;
    let (ls, rs) = (b.shape(left).to_vec(), b.shape(right).to_vec());
    let (Some(&lk), Some(rk)) = (ls.last(), rs.len().checked_sub(2).map_or(rs.first(), |at| rs.get(at))) else {
        return Err(mismatch("operands of a matrix product", "at least one axis each", (&ls, &rs)));
    };
    if lk != *rk {
        return Err(mismatch("inner axes of a matrix product", "equal lengths", (&ls, &rs)));
    }
    let (l_lead, r_lead) = (ls.len().saturating_sub(2), rs.len().saturating_sub(2));
    let lead = l_lead.max(r_lead);
    let l_labels: Vec<u8> = (lead - l_lead..lead).map(|i| i as u8).chain(if ls.len() > 1 { vec![I, K] } else { vec![K] }).collect();
    let r_labels: Vec<u8> = (lead - r_lead..lead).map(|i| i as u8).chain(if rs.len() > 1 { vec![K, J] } else { vec![K] }).collect();
    let out: Vec<u8> = (0..lead as u8).chain((ls.len() > 1).then_some(I)).chain((rs.len() > 1).then_some(J)).collect();
    contract_labelled(b, (left, l_labels), (right, r_labels), &out)
}

/// Contracts two labelled items. An axis of length one that meets a longer one of the same label is broadcast: it is
/// dropped from its operand.
pub(super) fn contract_labelled(
    b: &mut Builder,
    (left, mut l_labels): (NodeId, Vec<u8>),
    (right, mut r_labels): (NodeId, Vec<u8>),
    out: &[u8],
) -> Result<NodeId> {
    let (ls, rs) = (b.shape(left).to_vec(), b.shape(right).to_vec());
    let (mut l_keep, mut r_keep) = (vec![true; ls.len()], vec![true; rs.len()]);
    for (i, label) in l_labels.iter().enumerate() {
        let Some(j) = r_labels.iter().position(|l| l == label) else { continue };
        match (ls[i], rs[j]) {
            (m, n) if m == n => {}
            (1, _) => l_keep[i] = false,
            (_, 1) => r_keep[j] = false,
            _ => return Err(mismatch("axes of a product", "equal lengths, or one of them 1", (&ls, &rs))),
        }
    }
    let mut keep = |x: NodeId, keep: &[bool], labels: &mut Vec<u8>| {
        let shape: Vec<usize> = (0..keep.len()).filter(|&i| keep[i]).map(|i| b.shape(x)[i]).collect();
        *labels = (0..keep.len()).filter(|&i| keep[i]).map(|i| labels[i]).collect();
        b.reshape(x, &shape)
    };
    let (left, right) = (keep(left, &l_keep, &mut l_labels), keep(right, &r_keep, &mut r_labels));
    Ok(b.contract(left, right, Contraction { a: l_labels, b: r_labels, out: out.to_vec(), sum_rows: Rows::NONE }))
}

/// The settings of [`gemm()`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gemm {
    /// Factor of the product.
    pub alpha: f64,
    /// Factor of the addend.
    pub beta: f64,
    /// Whether the left matrix is given transposed.
    pub left_transposed: bool,
    /// Whether the right matrix is given transposed.
    pub right_transposed: bool,
}

/// α · A · B + β · C of matrices; C broadcasts to the product.
pub fn gemm(b: &mut Builder, left: NodeId, right: NodeId, addend: Option<NodeId>, settings: Gemm) -> Result<NodeId> {
    let (ls, rs) = (b.shape(left).to_vec(), b.shape(right).to_vec());
    if ls.len() != 2 || rs.len() != 2 {
        return Err(mismatch("operands of a matrix product", "two axes each", (&ls, &rs)));
    }
    let order = |transposed, labels: [u8; 2]| if transposed { vec![labels[1], labels[0]] } else { labels.to_vec() };
    let (l, r) = (order(settings.left_transposed, [0, 1]), order(settings.right_transposed, [1, 2]));
    if ls[usize::from(!settings.left_transposed)] != rs[usize::from(settings.right_transposed)] {
        return Err(mismatch("inner axes of a matrix product", "equal lengths", (&ls, &rs)));
    }
    let product = b.contract(left, right, Contraction { a: l, b: r, out: vec![0, 2], sum_rows: Rows::NONE });
    let product = times(b, product, settings.alpha);
    match addend {
        Some(addend) if settings.beta != 0.0 => {
            let addend = times(b, addend, settings.beta);
            let sum = broadcast_binary(b, Binary::Add, product, addend)?;
            if b.shape(sum) == b.shape(product) {
                Ok(sum)
            } else {
                Err(mismatch("addend of a matrix product", format!("a shape that broadcasts to {:?}", b.shape(product)), b.shape(addend)))
            }
        }
        _ => Ok(product),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::trial::{assert_close, run};
    use super::*;
    use crate::Tensor;

    fn numbers(n: usize) -> Vec<f64> {
        (0..n).map(|i| (i as f64 * 0.7).sin()).collect()
    }

    fn product(left: &[usize], right: &[usize]) -> Vec<f64> {
        run(&numbers(left.iter().product()), left, |b, x| {
            let y = b.constant(Tensor::new(right, numbers(right.iter().product())));
            matmul(b, x, y)
        })
    }

    /// `[i, k] · [k, j]` by loops, matrices starting at the given elements.
    fn looped(a: &[f64], b: &[f64], (i, k, j): (usize, usize, usize)) -> Vec<f64> {
        (0..i * j).map(|at| (0..k).map(|c| a[at / j * k + c] * b[c * j + at % j]).sum()).collect()
    }

    #[test]
    fn matmul_follows_numpy() {
        let (a, b) = (numbers(24), numbers(60));
        assert_close(&product(&[2, 3], &[3, 4]), &looped(&a, &b, (2, 3, 4)), 1e-15);
        assert_close(&product(&[3], &[3, 4]), &looped(&a, &b, (1, 3, 4)), 1e-15);
        assert_close(&product(&[2, 3], &[3]), &looped(&a, &b, (2, 3, 1)), 1e-15);
        assert_close(&product(&[3], &[3]), &looped(&a, &b, (1, 3, 1)), 1e-15);
        // Leading axes [2, 1] and [5] broadcast to [2, 5].
        let expected: Vec<f64> = (0..10).flat_map(|at| looped(&a[at / 5 * 6..], &b[at % 5 * 12..], (2, 3, 4))).collect();
        assert_close(&product(&[2, 1, 2, 3], &[5, 3, 4]), &expected, 1e-15);
        let expected: Vec<f64> = (0..2).flat_map(|at| looped(&a, &b[at * 12..], (1, 3, 4))).collect();
        assert_close(&product(&[3], &[2, 3, 4]), &expected, 1e-15);
    }

    #[test]
    fn matmul_refuses_what_does_not_fit() {
        let mut b = Builder::new();
        let (x, y, z) = (b.filled(&[2, 3], 0.0), b.filled(&[4, 2], 0.0), b.filled(&[], 0.0));
        assert!(matmul(&mut b, x, y).is_err());
        assert!(matmul(&mut b, x, z).is_err());
        let (x, y) = (b.filled(&[2, 2, 3], 0.0), b.filled(&[3, 3, 2], 0.0));
        assert!(matmul(&mut b, x, y).is_err());
    }

    #[test]
    fn gemm_transposes_scales_and_adds() {
        let (a, w) = (numbers(6), numbers(12));
        let expected: Vec<f64> = looped(&a, &w, (2, 3, 4)).iter().enumerate().map(|(i, v)| 0.5 * v + 2.0 * (i % 4) as f64).collect();
        for (left_transposed, right_transposed) in [(false, false), (true, false), (false, true), (true, true)] {
            let got = run(&a, &[2, 3], |b, x| {
                let mut w = b.constant(Tensor::new([3, 4], w.clone()));
                let x = if left_transposed { b.transpose(x, &[1, 0]) } else { x };
                w = if right_transposed { b.transpose(w, &[1, 0]) } else { w };
                let c = b.constant(Tensor::new([4], [0.0, 1.0, 2.0, 3.0]));
                gemm(b, x, w, Some(c), Gemm { alpha: 0.5, beta: 2.0, left_transposed, right_transposed })
            });
            assert_close(&got, &expected, 1e-14);
        }
    }
}
