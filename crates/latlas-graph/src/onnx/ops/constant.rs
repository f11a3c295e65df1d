//! Operators that make tensors from nothing but attributes and shapes.

use super::super::call::Call;
use super::super::dtype::Dtype;
use super::super::value::Value;
use super::Entry;
use crate::{Kind, Result, Tensor};

/// The operators of this file.
pub const TABLE: &[Entry] = &[Entry::new("Constant", Some(Kind::Source), constant)];

fn constant(call: &mut Call<'_>) -> Result<Vec<Value>> {
    let list = |values: Vec<f64>| Tensor::new([values.len()], values);
    let (dtype, tensor) = if let Some(given) = call.tensor("value")? {
        given
    } else if let Some(x) = call.float_opt("value_float")? {
        (Dtype::F32, Tensor::scalar(x))
    } else if let Some(x) = call.int_opt("value_int")? {
        (Dtype::I64, Tensor::scalar(x as f64))
    } else if let Some(x) = call.floats_attribute("value_floats")? {
        (Dtype::F32, list(x))
    } else if let Some(x) = call.ints_attribute("value_ints")? {
        (Dtype::I64, list(x.into_iter().map(|x| x as f64).collect()))
    } else {
        return Err(call.unsupported("only constants of numbers are supported, not of text or sparse ones"));
    };
    Ok(vec![Value::known(dtype, tensor)])
}
