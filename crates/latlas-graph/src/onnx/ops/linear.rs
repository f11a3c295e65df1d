//! Products of matrices.

use super::super::call::Call;
use super::super::value::{BatchAxis, Value};
use super::Entry;
use crate::{Kind, Result, lower};

/// The operators of this file.
pub const TABLE: &[Entry] = &[
    Entry::new("Gemm", Some(Kind::Bilinear), gemm),
    Entry::new("MatMul", Some(Kind::Bilinear), matmul),
    Entry::new("Einsum", Some(Kind::Bilinear), einsum),
];

/// alpha · A' B' + beta · C.
fn gemm(call: &mut Call<'_>) -> Result<Vec<Value>> {
    let settings = lower::Gemm {
        alpha: call.float("alpha", 1.0)?,
        beta: call.float("beta", 1.0)?,
        left_transposed: call.flag("transA", false)?,
        right_transposed: call.flag("transB", false)?,
    };
    let (left, right) = (call.shape(0)?, call.shape(1)?);
    let (ta, tb) = (usize::from(settings.left_transposed), usize::from(settings.right_transposed));
    if left.len() != 2 || right.len() != 2 || left[1 - ta] != right[tb] {
        return Err(call.refuse(format!("shapes {left:?} and {right:?} do not multiply (transA {ta}, transB {tb})"), None));
    }
    call.elements(&[left[ta], right[1 - tb]])?;
    let rows = call.beside(0, &[1 - ta])?.map(|b| b.moved(0));
    let columns = call.beside(1, &[tb])?.map(|b| b.moved(1));
    let addend = if call.has(2) { call.batch_at_rank(2, 2)? } else { None };
    let batch = call.join(&[rows, columns, addend]);
    let (a, b, c) = (call.node(0)?, call.node(1)?, call.optional_node(2)?);
    let y = lower::gemm(call.b, a, b, c, settings)?;
    call.result(y, call.dtype(0)?, batch)
}

fn matmul(call: &mut Call<'_>) -> Result<Vec<Value>> {
    let (left, right) = (call.shape(0)?, call.shape(1)?);
    if left.is_empty() || right.is_empty() {
        return Err(call.refuse(format!("shapes {left:?} and {right:?} do not multiply"), None));
    }
    let lead = left.len().max(right.len()).saturating_sub(2);
    // Leading axes are aligned at the right; then come the rows of the left and the columns of the right matrix.
    let aligned = |b: BatchAxis, own_lead: usize, last: usize| b.moved(if b.axis < own_lead { b.axis + lead - own_lead } else { last });
    let inner = right.len().saturating_sub(2);
    let rows = call.beside(0, &[left.len() - 1])?.map(|b| aligned(b, left.len().saturating_sub(2), lead));
    let column = lead + usize::from(left.len() > 1);
    let columns = call.beside(1, &[inner])?.map(|b| aligned(b, right.len().saturating_sub(2), column));
    let batch = call.join(&[rows, columns]);
    let common = call.common_shape(&[left[..left.len().saturating_sub(2)].to_vec(), right[..inner].to_vec()])?;
    let (i, j) = (if left.len() > 1 { left[left.len() - 2] } else { 1 }, if right.len() > 1 { right[right.len() - 1] } else { 1 });
    call.elements(&[common.as_slice(), &[i, j]].concat())?;
    let (a, b) = (call.node(0)?, call.node(1)?);
    let y = lower::matmul(call.b, a, b)?;
    // A mixed product may have lost the axis that held the batch.
    let rank = call.b.shape(y).len();
    call.result(y, call.dtype(0)?, batch.filter(|b| b.axis < rank))
}

fn einsum(call: &mut Call<'_>) -> Result<Vec<Value>> {
    let shapes = (0..call.len()).map(|i| call.shape(i)).collect::<Result<Vec<_>>>()?;
    let ranks: Vec<usize> = shapes.iter().map(Vec::len).collect();
    let equation = lower::Equation::parse(&call.string("equation", "")?, &ranks)?;
    let mut batches = Vec::new();
    let mut sizes = vec![1; equation.out.len()];
    for (i, labels) in equation.terms.iter().enumerate() {
        for (axis, label) in labels.iter().enumerate() {
            if let Some(at) = equation.out.iter().position(|l| l == label) {
                sizes[at] = sizes[at].max(shapes[i][axis]);
            }
        }
        let Some(batch) = call.batch(i)? else { continue };
        // Axes whose letter is summed, or stands twice, must not hold the batch.
        let label = labels[batch.axis];
        let at = equation.out.iter().position(|&l| l == label);
        let once = labels.iter().filter(|&&l| l == label).take(2).count() == 1;
        match at {
            Some(at) if once => batches.push(Some(batch.moved(at))),
            _ => drop(call.beside(i, &[batch.axis])?),
        }
    }
    call.elements(&sizes)?;
    let batch = call.join(&batches);
    let nodes = (0..call.len()).map(|i| call.node(i)).collect::<Result<Vec<_>>>()?;
    let y = lower::einsum(call.b, &equation, &nodes)?;
    call.result(y, call.dtype(0)?, batch)
}
