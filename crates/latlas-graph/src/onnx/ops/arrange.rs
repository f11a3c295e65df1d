//! Operators that arrange elements along axes anew.

use super::super::call::Call;
use super::super::value::Value;
use super::Entry;
use crate::{Kind, Result};

/// The operators of this file.
pub const TABLE: &[Entry] = &[Entry::new("Transpose", Some(Kind::Linear), transpose)];

fn transpose(call: &mut Call<'_>) -> Result<Vec<Value>> {
    let rank = call.shape(0)?.len();
    let order = match call.ints_attribute("perm")? {
        Some(order) => call.wrap_axes(&order, rank)?,
        None => (0..rank).rev().collect(),
    };
    if order.len() != rank {
        return Err(call.refuse(format!("perm {order:?} does not name all {rank} axes"), None));
    }
    let x = call.node(0)?;
    let y = call.b.transpose(x, &order);
    let batch = call.batch(0)?.map(|b| b.moved(order.iter().position(|&a| a == b.axis).unwrap_or(b.axis)));
    call.result(y, call.dtype(0)?, batch)
}
