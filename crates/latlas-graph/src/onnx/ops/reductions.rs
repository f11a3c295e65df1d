//! Operators that reduce, normalise or run along axes: sums, extremes, softmax, running sums.

use super::super::call::Call;
use super::super::dtype::Dtype;
use super::super::value::Value;
use super::Entry;
use crate::ops::Unary;
use crate::{Builder, Kind, NodeId, Result, lower};

/// The operators of this file.
pub const TABLE: &[Entry] = &[
    Entry::new("ReduceSum", Some(Kind::Linear), |c| reduce(c, |b, x, axes| Ok(lower::sum(b, x, axes)))),
    Entry::new("ReduceMean", Some(Kind::Linear), |c| reduce(c, |b, x, axes| Ok(lower::mean(b, x, axes)))),
    Entry::new("ReduceProd", None, |c| reduce(c, |b, x, axes| Ok(lower::product(b, x, axes)))),
    Entry::kinked("ReduceMax", None, |c| extreme(c, lower::max)),
    Entry::kinked("ReduceMin", None, |c| extreme(c, lower::min)),
    Entry::kinked("ReduceL1", None, |c| reduce(c, |b, x, axes| Ok(lower::l1(b, x, axes)))),
    Entry::kinked("ReduceL2", None, |c| reduce(c, |b, x, axes| Ok(lower::l2(b, x, axes)))),
    Entry::new("ReduceLogSum", None, |c| reduce(c, |b, x, axes| Ok(lower::log_sum(b, x, axes)))),
    Entry::new("ReduceLogSumExp", None, |c| reduce(c, lower::log_sum_exp)),
    Entry::new("ReduceSumSquare", None, |c| reduce(c, |b, x, axes| Ok(lower::sum_square(b, x, axes)))),
    Entry::new("ArgMax", Some(Kind::Discrete), |c| arg_extreme(c, true)),
    Entry::new("ArgMin", Some(Kind::Discrete), |c| arg_extreme(c, false)),
    Entry::new("Softmax", None, |c| along(c, lower::softmax)),
    Entry::new("LogSoftmax", None, |c| along(c, lower::log_softmax)),
    Entry::new("Hardmax", Some(Kind::Discrete), |c| along(c, lower::hardmax)),
    Entry::new("CumSum", Some(Kind::Linear), cumulative_sum),
];

/// Axes are an attribute or an input; none of them means all, or nothing to do if the node says so.
fn reduce(call: &mut Call<'_>, f: impl FnOnce(&mut Builder, NodeId, &[usize]) -> Result<NodeId>) -> Result<Vec<Value>> {
    let (shape, dtype) = (call.shape(0)?, call.dtype(0)?);
    let keep = call.flag("keepdims", true)?;
    let given = call.axes(1)?.unwrap_or_default();
    let idle = given.is_empty() && call.flag("noop_with_empty_axes", false)?;
    let axes = if given.is_empty() && !idle { (0..shape.len()).collect() } else { call.wrap_axes(&given, shape.len())? };
    let batch = call.reduced_batch(0, &axes, keep)?;
    let x = call.node(0)?;
    let y = if idle { x } else { f(call.b, x, &axes)? };
    let y = if dtype.is_float() { y } else { call.b.unary(Unary::Trunc, y) };
    let y = if keep { y } else { squeeze(call, y, &axes) };
    call.result(y, dtype, batch)
}

/// The extreme of no numbers is infinite, which integers cannot be.
fn extreme(call: &mut Call<'_>, f: impl FnOnce(&mut Builder, NodeId, &[usize]) -> Result<NodeId>) -> Result<Vec<Value>> {
    if !call.dtype(0)?.is_float() && call.shape(0)?.contains(&0) {
        return Err(call.unsupported("the extreme of no integers"));
    }
    reduce(call, f)
}

fn squeeze(call: &mut Call<'_>, x: NodeId, axes: &[usize]) -> NodeId {
    let shape = call.b.shape(x);
    let kept: Vec<usize> = (0..shape.len()).filter(|a| !axes.contains(a)).map(|a| shape[a]).collect();
    call.b.reshape(x, &kept)
}

fn arg_extreme(call: &mut Call<'_>, largest: bool) -> Result<Vec<Value>> {
    let shape = call.shape(0)?;
    let axis = call.axis("axis", 0, shape.len())?;
    let (keep, last) = (call.flag("keepdims", true)?, call.flag("select_last_index", false)?);
    let batch = call.reduced_batch(0, &[axis], keep)?;
    let x = call.node(0)?;
    let y = lower::arg_extreme_along(call.b, x, axis, largest, last)?;
    let y = if keep { y } else { squeeze(call, y, &[axis]) };
    call.result(y, Dtype::I64, batch)
}

/// Softmax and its kin: over one axis, before operator set 13 over that axis and all after it.
fn along(call: &mut Call<'_>, f: impl FnOnce(&mut Builder, NodeId, &[usize]) -> Result<NodeId>) -> Result<Vec<Value>> {
    let shape = call.shape(0)?;
    let axes: Vec<usize> = if call.opset >= 13 {
        vec![call.axis("axis", -1, shape.len())?]
    } else {
        match call.int("axis", 1)? {
            axis if axis == shape.len() as i64 => vec![],
            axis => (call.wrap_axis(axis, shape.len())?..shape.len()).collect(),
        }
    };
    let batch = call.beside(0, &axes)?;
    let x = call.node(0)?;
    let y = f(call.b, x, &axes)?;
    call.result(y, call.dtype(0)?, batch)
}

fn cumulative_sum(call: &mut Call<'_>) -> Result<Vec<Value>> {
    let rank = call.shape(0)?.len();
    let axis = call.wrap_axis(call.scalar(1)? as i64, rank)?;
    let (exclusive, reverse) = (call.flag("exclusive", false)?, call.flag("reverse", false)?);
    let batch = call.beside(0, &[axis])?;
    let x = call.node(0)?;
    let y = lower::cumulative_sum(call.b, x, axis, exclusive, reverse)?;
    call.result(y, call.dtype(0)?, batch)
}
