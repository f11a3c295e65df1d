//! Operators that work element by element.

use super::super::call::Call;
use super::super::value::Value;
use super::Entry;
use crate::ops::{Binary, Unary};
use crate::{Kind, Result};

/// The operators of this file.
pub const TABLE: &[Entry] = &[
    Entry::new("Tanh", Some(Kind::Pointwise), |c| unary(c, Unary::Tanh)),
    Entry::new("Add", Some(Kind::Linear), |c| binary(c, Binary::Add)),
];

fn unary(call: &mut Call<'_>, f: Unary) -> Result<Vec<Value>> {
    let (x, dtype, batch) = (call.node(0)?, call.dtype(0)?, call.batch(0)?);
    let y = call.b.unary(f, x);
    call.result(y, dtype, batch)
}

fn binary(call: &mut Call<'_>, f: Binary) -> Result<Vec<Value>> {
    let (nodes, batch) = call.broadcast(&[0, 1])?;
    let y = call.b.binary(f, nodes[0], nodes[1]);
    call.result(y, call.dtype(0)?, batch)
}
