//! Operators that make tensors from attributes, shapes and numbers.

use super::super::call::Call;
use super::super::dtype::Dtype;
use super::super::value::{BatchAxis, Content, Known, Value};
use super::Entry;
use super::walk::walk;
use crate::ops::Binary;
use crate::{Kind, Result, Tensor};

/// The operators of this file.
pub const TABLE: &[Entry] = &[
    Entry::new("Constant", Some(Kind::Source), constant),
    Entry::new("ConstantOfShape", Some(Kind::Source), constant_of_shape),
    Entry::new("Range", Some(Kind::Source), range),
    Entry::new("EyeLike", Some(Kind::Source), eye_like),
    Entry::kinked("OneHot", Some(Kind::Discrete), one_hot),
];

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
    } else if let Some((dtype, dense)) = call.sparse_tensor("sparse_value")? {
        (dtype, dense)
    } else {
        return Err(call.unsupported("constants of text are not supported"));
    };
    Ok(vec![Value::known(dtype, tensor)])
}

fn constant_of_shape(call: &mut Call<'_>) -> Result<Vec<Value>> {
    let (one, witness) = call.ints_at_both(0)?;
    let shape: Option<Vec<usize>> = one.iter().map(|&d| usize::try_from(d).ok()).collect();
    let shape = shape.ok_or_else(|| call.refuse(format!("shape {one:?} has negative dimensions"), None))?;
    call.elements(&shape)?;
    let (dtype, value) = call.tensor("value")?.unwrap_or((Dtype::F32, Tensor::scalar(0.0)));
    if value.len() != 1 {
        return Err(call.refuse(format!("its value has shape {:?}, it must hold one number", value.dims()), None));
    }
    let axis = (0..one.len()).find(|&i| witness.get(i) != one.get(i));
    let batch = axis.map(|axis| BatchAxis { axis, outer: 1, inner: shape[axis] });
    let y = call.b.filled(&shape, value.at(0));
    call.result(y, dtype, batch)
}

fn range(call: &mut Call<'_>) -> Result<Vec<Value>> {
    let dtype = call.dtype(0)?;
    let ends = |call: &Call<'_>, i: usize| match &call.input(i)?.content {
        Content::Known(Known { one, witness: Some(witness), .. }) if one.len() == 1 && witness.len() == 1 => Ok((one.at(0), witness.at(0))),
        _ => call.scalar(i).map(|x| (x, x)),
    };
    let (start, limit, delta) = (ends(call, 0)?, ends(call, 1)?, ends(call, 2)?);
    let series = |start: f64, limit: f64, delta: f64| -> Result<Tensor> {
        let count = ((limit - start) / delta).ceil().max(0.0);
        if !count.is_finite() {
            return Err(call.refuse(format!("the range from {start} to {limit} by {delta} does not end"), None));
        }
        let count = call.elements(&[count as usize])?;
        Ok(Tensor::new([count], (0..count).map(|i| start + i as f64 * delta).collect::<Vec<_>>()))
    };
    let one = series(start.0, limit.0, delta.0)?;
    let witness = series(start.1, limit.1, delta.1)?;
    Ok(vec![Value::folded(dtype, one, Some(witness), None)])
}

fn eye_like(call: &mut Call<'_>) -> Result<Vec<Value>> {
    let (shape, k) = (call.shape(0)?, call.int("k", 0)?);
    let dtype = match call.int_opt("dtype")? {
        Some(number) => Dtype::from_onnx(number, "the result of EyeLike")?,
        None => call.dtype(0)?,
    };
    let batch = call.beside(0, &[0, 1])?;
    if shape.len() != 2 {
        return Err(call.refuse(format!("{shape:?} is not a matrix"), None));
    }
    let mut eye = Vec::with_capacity(call.elements(&shape)?);
    walk(&shape, |at| eye.push(f64::from(u8::from((at[0] as i64).checked_add(k) == Some(at[1] as i64)))));
    let y = call.b.constant(Tensor::new(shape, eye));
    call.result(y, dtype, batch)
}

fn one_hot(call: &mut Call<'_>) -> Result<Vec<Value>> {
    let (indices, dtype) = (call.shape(0)?, call.dtype(2)?);
    let depth = call.scalar(1)?;
    if !(0.0..=1e9).contains(&depth) {
        return Err(call.refuse(format!("depth {depth} is not possible"), None));
    }
    let depth = depth as usize;
    let axis = call.axis("axis", -1, indices.len() + 1)?;
    let mut shape = indices.clone();
    shape.insert(axis, depth);
    call.elements(&shape)?;
    let mut column = vec![1; shape.len()];
    column[axis] = depth;
    let mut unit = indices;
    unit.insert(axis, 1);
    let index = call.node(0)?;
    let wrapped = super::gather::wrapped(call, index, depth);
    let wrapped = call.b.reshape(wrapped, &unit);
    let wrapped = call.b.expand(wrapped, &shape);
    let positions = call.b.constant(Tensor::new(column, (0..depth).map(|i| i as f64).collect::<Vec<_>>()));
    let positions = call.b.expand(positions, &shape);
    let mask = call.b.binary(Binary::Equal, wrapped, positions);
    let values = call.node(2)?;
    if call.b.shape(values) != [2] {
        return Err(call.refuse("its values are not the two numbers off and on".into(), None));
    }
    let mut pick = |i: isize| {
        let one = call.b.map(values, crate::ops::IndexMap::strided(&[], i as usize, &[]));
        call.b.expand(one, &shape)
    };
    let (off, on) = (pick(0), pick(1));
    let y = call.b.select(mask, on, off);
    let batch = call.batch(0)?.map(|b| if b.axis >= axis { b.moved(b.axis + 1) } else { b });
    call.result(y, dtype, batch)
}
