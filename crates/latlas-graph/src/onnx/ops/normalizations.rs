//! Normalisations in inference form.

use super::super::call::Call;
use super::super::dtype::Dtype;
use super::super::value::{BatchAxis, Value};
use super::Entry;
use crate::{NodeId, Result, lower};

/// The operators of this file.
pub const TABLE: &[Entry] = &[
    Entry::new("BatchNormalization", None, batch_norm),
    Entry::new("InstanceNormalization", None, instance_norm),
    Entry::new("GroupNormalization", None, group_norm),
    Entry::new("LayerNormalization", None, layer_norm),
    Entry::new("RMSNormalization", None, rms_norm),
    Entry::new("MeanVarianceNormalization", None, mean_variance),
    Entry::new("LRN", None, local_response),
    Entry::kinked("LpNormalization", None, lp_norm),
];

fn batch_norm(call: &mut Call<'_>) -> Result<Vec<Value>> {
    let old_training = call.opset < 7 && !call.flag("is_test", false)?;
    if old_training || call.flag("training_mode", false)? || (1..5).any(|i| call.wants(i)) {
        return Err(call.unsupported("in training mode it mixes the samples of a batch; export with `model.eval()`"));
    }
    channels(call)?;
    let epsilon = call.float("epsilon", f64::from(1e-5f32))?;
    if call.opset < 9 && !call.flag("spatial", true)? {
        return Err(call.unsupported("with statistics for each place, as before operator set 9"));
    }
    let batch = call.beside(0, &[1])?;
    let x = call.node(0)?;
    let parameters = [parameter(call, 1)?, parameter(call, 2)?, parameter(call, 3)?, parameter(call, 4)?];
    let y = lower::batch_norm(call.b, x, 1, parameters, epsilon)?;
    call.result(y, call.dtype(0)?, batch)
}

/// The shape of input 0, which has channels on axis 1.
fn channels(call: &Call<'_>) -> Result<Vec<usize>> {
    let shape = call.shape(0)?;
    if shape.len() < 2 {
        return Err(call.refuse(format!("its input must have channels on axis 1, it has shape {shape:?}"), None));
    }
    Ok(shape)
}

/// A parameter: data in which no axis may hold the batch.
fn parameter(call: &mut Call<'_>, i: usize) -> Result<NodeId> {
    let axes: Vec<usize> = (0..call.shape(i)?.len()).collect();
    call.beside(i, &axes)?;
    call.node(i)
}

fn instance_norm(call: &mut Call<'_>) -> Result<Vec<Value>> {
    let (shape, epsilon) = (channels(call)?, call.float("epsilon", f64::from(1e-5f32))?);
    let spatial: Vec<usize> = (2..shape.len()).collect();
    let batch = call.beside(0, &(1..shape.len()).collect::<Vec<_>>())?;
    let x = call.node(0)?;
    let y = lower::standardize(call.b, x, &spatial, epsilon)?;
    let (scale, bias) = (parameter(call, 1)?, parameter(call, 2)?);
    let scale = lower::along_channels(call.b, scale, shape.len())?;
    let bias = lower::along_channels(call.b, bias, shape.len())?;
    let y = lower::scale_and_shift(call.b, y, Some(scale), Some(bias))?;
    call.result(y, call.dtype(0)?, batch)
}

/// Scale and bias were one number a group before operator set 21; since then one a channel.
fn group_norm(call: &mut Call<'_>) -> Result<Vec<Value>> {
    let (shape, epsilon) = (channels(call)?, call.float("epsilon", f64::from(1e-5f32))?);
    let groups = usize::try_from(call.int("num_groups", 0)?).unwrap_or(0);
    let batch = call.beside(0, &(1..shape.len()).collect::<Vec<_>>())?;
    let x = call.node(0)?;
    let mut y = lower::group_standardize(call.b, x, groups, epsilon)?;
    let (scale, bias) = (parameter(call, 1)?, parameter(call, 2)?);
    let per_group = call.opset < 21;
    if per_group {
        let grouped: Vec<usize> = [shape[0], groups, shape[1] / groups.max(1)].into_iter().chain(shape[2..].iter().copied()).collect();
        y = call.b.reshape(y, &grouped);
    }
    let rank = call.b.shape(y).len();
    let scale = lower::along_channels(call.b, scale, rank)?;
    let bias = lower::along_channels(call.b, bias, rank)?;
    let y = lower::scale_and_shift(call.b, y, Some(scale), Some(bias))?;
    let y = call.b.reshape(y, &shape);
    call.result(y, call.dtype(0)?, batch)
}

/// The axes from `axis` to the last, none of which may hold the batch.
fn trailing(call: &mut Call<'_>) -> Result<(Vec<usize>, Option<BatchAxis>)> {
    let rank = call.shape(0)?.len();
    let axes: Vec<usize> = (call.axis("axis", -1, rank)?..rank).collect();
    let batch = call.beside(0, &axes)?;
    Ok((axes, batch))
}

fn layer_norm(call: &mut Call<'_>) -> Result<Vec<Value>> {
    let epsilon = call.float("epsilon", f64::from(1e-5f32))?;
    let ((axes, batch), dtype) = (trailing(call)?, call.dtype(0)?);
    let x = call.node(0)?;
    let [y, mean, scale] = lower::standardize_with_statistics(call.b, x, &axes, epsilon)?;
    let weight = parameter(call, 1)?;
    let bias = if call.has(2) { Some(parameter(call, 2)?) } else { None };
    let y = lower::scale_and_shift(call.b, y, Some(weight), bias)?;
    Ok(vec![call.value(y, dtype, batch), call.value(mean, Dtype::F32, batch), call.value(scale, Dtype::F32, batch)])
}

fn rms_norm(call: &mut Call<'_>) -> Result<Vec<Value>> {
    let epsilon = call.float("epsilon", f64::from(1e-5f32))?;
    let (axes, batch) = trailing(call)?;
    let x = call.node(0)?;
    let y = lower::rms_normalize(call.b, x, &axes, epsilon)?;
    let weight = parameter(call, 1)?;
    let y = lower::scale_and_shift(call.b, y, Some(weight), None)?;
    call.result(y, call.dtype(0)?, batch)
}

/// (x − mean) / (deviation + 1e-9); axes 0, 2 and 3 unless others are named.
fn mean_variance(call: &mut Call<'_>) -> Result<Vec<Value>> {
    let axes = call.ints_attribute("axes")?.unwrap_or_else(|| vec![0, 2, 3]);
    let axes = call.wrap_axes(&axes, call.shape(0)?.len())?;
    let batch = call.beside(0, &axes)?;
    let x = call.node(0)?;
    // The square of the standard's guard against a division by zero, here under the root.
    let y = lower::standardize(call.b, x, &axes, 1e-18)?;
    call.result(y, call.dtype(0)?, batch)
}

fn local_response(call: &mut Call<'_>) -> Result<Vec<Value>> {
    let size = usize::try_from(call.int("size", 0)?).unwrap_or(0);
    let (alpha, beta, bias) = (call.float("alpha", 1e-4)?, call.float("beta", 0.75)?, call.float("bias", 1.0)?);
    let shape = channels(call)?;
    call.elements(&[shape.iter().product(), size])?;
    let batch = call.beside(0, &[1])?;
    let x = call.node(0)?;
    let y = lower::local_response_norm(call.b, x, size, alpha, beta, bias)?;
    call.result(y, call.dtype(0)?, batch)
}

fn lp_norm(call: &mut Call<'_>) -> Result<Vec<Value>> {
    let axis = call.axis("axis", -1, call.shape(0)?.len())?;
    let p = call.int("p", 2)? as f64;
    if p < 1.0 {
        return Err(call.refuse(format!("p is {p}, it must be 1 or more"), None));
    }
    let batch = call.beside(0, &[axis])?;
    let x = call.node(0)?;
    let y = lower::lp_normalize(call.b, x, &[axis], p)?;
    call.result(y, call.dtype(0)?, batch)
}
