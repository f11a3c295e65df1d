//! Conversions between element types. Numbers stay floats; what a conversion does to their values is written out.

use super::super::call::Call;
use super::super::dtype::Dtype;
use super::super::value::Value;
use super::Entry;
use crate::ops::{Binary, Unary};
use crate::{Kind, NodeId, Result};

/// The operators of this file.
pub const TABLE: &[Entry] = &[Entry::new("Cast", Some(Kind::Linear), cast), Entry::new("CastLike", Some(Kind::Linear), cast_like)];

fn cast(call: &mut Call<'_>) -> Result<Vec<Value>> {
    let to = call.int_opt("to")?.ok_or_else(|| call.refuse("does not say to which type".into(), None))?;
    if !matches!(to, 1..=7 | 9..=13 | 16) {
        return Err(call.unsupported("only casts between floats of 16 bits and more, integers and truth values are supported"));
    }
    let to = Dtype::from_onnx(to, "the result of Cast")?;
    convert(call, to)
}

fn cast_like(call: &mut Call<'_>) -> Result<Vec<Value>> {
    let to = call.dtype(1)?;
    convert(call, to)
}

fn convert(call: &mut Call<'_>, to: Dtype) -> Result<Vec<Value>> {
    let (from, batch) = (call.dtype(0)?, call.batch(0)?);
    if from == to || (to.is_float() && call.input(0)?.mask.is_none() && holds(from, to)) {
        return Ok(vec![Value { dtype: to, ..call.input(0)?.clone() }]);
    }
    let x = call.node(0)?;
    let y = match to {
        Dtype::Bool if from == Dtype::Bool => x,
        Dtype::Bool => {
            let shape = call.b.shape(x).to_vec();
            let zero = call.b.filled(&shape, 0.0);
            let is_zero = call.b.binary(Binary::Equal, x, zero);
            call.b.unary(Unary::Not, is_zero)
        }
        _ if to.is_int() && from.is_float() => call.b.unary(Unary::Trunc, x),
        _ if to.is_int() && from.is_int() && !holds(from, to) => wrap_integer(call, x, to),
        _ => x,
    };
    call.result(y, to, batch)
}

/// Whether every number of one type stays what it is in the other; float precision is the executor's own.
fn holds(from: Dtype, to: Dtype) -> bool {
    match (from, to) {
        (_, to) if to.is_float() => true,
        (Dtype::Bool, _) => true,
        (from, to) if from.is_unsigned() => from.bytes() < to.bytes() || (to.is_unsigned() && from.bytes() == to.bytes()),
        (from, to) => !to.is_unsigned() && from.bytes() <= to.bytes(),
    }
}

/// Integers modulo 2ⁿ, into the range of the type; wider than 32 bits nothing is done, such numbers are not exact.
fn wrap_integer(call: &mut Call<'_>, x: NodeId, to: Dtype) -> NodeId {
    if to.bytes() > 4 {
        return x;
    }
    let modulus = (8.0 * to.bytes() as f64).exp2();
    let low = if to.is_unsigned() { 0.0 } else { modulus / 2.0 };
    let shifted = call.b.with_scalar(Binary::Add, x, low);
    let turns = call.b.with_scalar(Binary::Div, shifted, modulus);
    let turns = call.b.unary(Unary::Floor, turns);
    let removed = call.b.with_scalar(Binary::Mul, turns, modulus);
    call.b.binary(Binary::Sub, x, removed)
}
