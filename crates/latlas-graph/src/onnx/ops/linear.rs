//! Products of matrices.

use super::super::call::Call;
use super::super::value::Value;
use super::Entry;
use crate::ops::{Binary, Contraction};
use crate::{Kind, Result, Rows};

/// The operators of this file.
pub const TABLE: &[Entry] = &[Entry::new("Gemm", Some(Kind::Bilinear), gemm)];

/// alpha · A' B' + beta · C.
fn gemm(call: &mut Call<'_>) -> Result<Vec<Value>> {
    let (alpha, beta) = (call.float("alpha", 1.0)?, call.float("beta", 1.0)?);
    let (ta, tb) = (call.flag("transA", false)?, call.flag("transB", false)?);
    let (shape_a, shape_b, dtype) = (call.shape(0)?, call.shape(1)?, call.dtype(0)?);
    if shape_a.len() != 2 || shape_b.len() != 2 || shape_a[usize::from(!ta)] != shape_b[usize::from(tb)] {
        return Err(call.refuse(format!("shapes {shape_a:?} and {shape_b:?} do not multiply (transA {ta}, transB {tb})"), None));
    }
    let rows = call.beside(0, &[usize::from(!ta)])?.map(|b| b.moved(0));
    let columns = call.beside(1, &[usize::from(tb)])?.map(|b| b.moved(1));
    let mut batches = vec![rows, columns];
    let (a, b) = (call.node(0)?, call.node(1)?);
    let labels = |transposed: bool, first, second| if transposed { vec![second, first] } else { vec![first, second] };
    let contraction = Contraction { a: labels(ta, b'm', b'k'), b: labels(tb, b'k', b'n'), out: vec![b'm', b'n'], sum_rows: Rows::NONE };
    let mut y = call.b.contract(a, b, contraction);
    if alpha != 1.0 {
        y = call.b.with_scalar(Binary::Mul, y, alpha);
    }
    if let Some(c) = call.optional_node(2)? {
        let shape = call.b.shape(y).to_vec();
        if call.common_shape(&[shape.clone(), call.shape(2)?])? != shape {
            return Err(call.refuse(format!("bias of shape {:?} does not expand to {shape:?}", call.shape(2)?), None));
        }
        let mut c = call.b.expand(c, &shape);
        if beta != 1.0 {
            c = call.b.with_scalar(Binary::Mul, c, beta);
        }
        y = call.b.binary(Binary::Add, y, c);
        batches.push(call.batch_at_rank(2, 2)?);
    }
    let batch = call.join(&batches);
    call.result(y, dtype, batch)
}
