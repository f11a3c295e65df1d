//! Elements chosen by a condition (`x[mask]`, as spline flows write it): computed everywhere, and chosen at the end.
//!
//! `NonZero(mask) → GatherND(x) → … → ScatterND(base)` has a shape that depends on data only in the middle. There every
//! element is kept, on an axis that counts as a batch axis (see [`Mask`]); `ScatterND` selects by the mask. Where the mask
//! bounds x itself, elements that are not chosen are replaced by one within the bounds, so that what is computed of them
//! stays finite.

use std::rc::Rc;

use super::super::call::Call;
use super::super::dtype::Dtype;
use super::super::value::{BatchAxis, Content, Known, Mask, Value};
use super::Entry;
use super::walk::walk;
use crate::ops::{Binary, Unary};
use crate::{Builder, Kind, NodeId, Op, Result, Tensor};

/// The operators of this file.
pub const TABLE: &[Entry] = &[Entry::new("NonZero", Some(Kind::Discrete), non_zero), Entry::kinked("Where", Some(Kind::Linear), choice)];

fn choice(call: &mut Call<'_>) -> Result<Vec<Value>> {
    let (nodes, batch) = call.broadcast(&[0, 1, 2])?;
    let y = call.b.select(nodes[0], nodes[1], nodes[2]);
    call.result(y, call.dtype(1)?, batch)
}

/// The coordinates of all positions, one row an axis: `[rank, positions]`.
fn coordinates(shape: &[usize], keep: impl Fn(usize) -> bool) -> Tensor {
    let mut rows = vec![Vec::new(); shape.len()];
    let mut position = 0;
    walk(shape, |at| {
        if keep(position) {
            rows.iter_mut().zip(at).for_each(|(row, &i)| row.push(i as f64));
        }
        position += 1;
    });
    Tensor::new([shape.len(), rows.first().map_or(0, Vec::len)], rows.concat())
}

fn non_zero(call: &mut Call<'_>) -> Result<Vec<Value>> {
    let (shape, batch) = (call.shape(0)?, call.batch(0)?);
    let shape = if shape.is_empty() { vec![1] } else { shape };
    let len = call.elements(&shape)?;
    call.elements(&[shape.len(), len])?;
    if let (None, Some(x)) = (batch, call.constant_opt(0)?) {
        return Ok(vec![Value::known(Dtype::I64, coordinates(&shape, |i| x.at(i) != 0.0))]);
    }
    let node = call.node(0)?;
    if call.mask.is_some() {
        return Err(call.unsupported("it chooses among elements that were chosen before"));
    }
    let spread = spread(&shape, batch, 1);
    let mask = Some(Rc::new(Mask { node, shape: shape.clone(), batch }));
    let content = Content::Known(Known::new(coordinates(&shape, |_| true), None));
    Ok(vec![Value { dtype: Dtype::I64, shape: vec![shape.len(), len], batch: Some(spread), mixed: None, mask, content }])
}

/// The axis that lists all positions of a condition; without a batch, all of them stand for one.
fn spread(shape: &[usize], batch: Option<BatchAxis>, axis: usize) -> BatchAxis {
    let count = |s: &[usize]| s.iter().product::<usize>();
    match batch {
        Some(b) => BatchAxis { axis, outer: count(&shape[..b.axis]) * b.outer, inner: count(&shape[b.axis + 1..]) * b.inner },
        None => BatchAxis { axis, outer: 1, inner: count(shape) },
    }
}

/// Whether input 1 lists all positions of the condition in order: `[positions, rank]`, or `[positions]` for rank 1.
fn lists_all(call: &Call<'_>, mask: &Mask) -> Result<bool> {
    let Some(index) = call.constant_opt(1)? else { return Ok(false) };
    let all = coordinates(&mask.shape, |_| true);
    let (rank, len) = (all.dims()[0], all.dims()[1]);
    let shaped = index.dims() == [len, rank] || (rank == 1 && index.dims() == [len]);
    Ok(shaped && (0..len).all(|p| (0..rank).all(|k| index.at(p * rank + k) == all.at(k * len + p))))
}

/// The refusal of other uses of a condition's positions.
fn unusual(call: &Call<'_>, mask: &Mask, data: &[usize]) -> crate::Error {
    call.refuse(
        format!("the shape of its result depends on data: a condition of shape {:?} chooses from {data:?}", mask.shape),
        Some("write `torch.where(mask, a, b)` instead of indexing with a mask, or index with exactly the mask's own axes"),
    )
}

/// x[mask]: all elements, one within the bounds where the condition does not hold.
pub fn choose(call: &mut Call<'_>, mask: &Rc<Mask>) -> Result<Vec<Value>> {
    let (data, dtype, rank) = (call.shape(0)?, call.dtype(0)?, mask.shape.len());
    if data.len() < rank || data[..rank] != mask.shape || !lists_all(call, mask)? {
        return Err(unusual(call, mask, &data));
    }
    let own = call.batch(0)?;
    if own.is_some_and(|b| b.axis >= rank) {
        call.mixes("the condition does not hold the batch that it chooses from");
    }
    call.join(&[own, mask.batch]);
    let mut x = call.node(0)?;
    if let Some(safe) = within(call.b, mask.node, x).filter(|_| data == mask.shape) {
        let fallback = call.b.filled(&data, safe);
        x = call.b.select(mask.node, x, fallback);
    }
    call.node(1)?;
    let len = mask.shape.iter().product();
    let y = call.b.reshape(x, &[&[len], &data[rank..]].concat());
    let batch = spread(&mask.shape, mask.batch, 0);
    call.result(y, dtype, Some(batch))
}

/// base[mask] = updates (or += updates).
pub fn write_back(call: &mut Call<'_>, mask: &Rc<Mask>, add: bool) -> Result<Vec<Value>> {
    let (data, dtype, rank) = (call.shape(0)?, call.dtype(0)?, mask.shape.len());
    if data.len() < rank || data[..rank] != mask.shape || !lists_all(call, mask)? {
        return Err(unusual(call, mask, &data));
    }
    let written = call.batch(2)?.map(|b| if b == spread(&mask.shape, mask.batch, 0) { None } else { Some(b) });
    if written.flatten().is_some() {
        call.mixes("its updates are not listed as the condition's elements are");
    }
    let own = call.batch(0)?;
    let batch = call.join(&[own, mask.batch]);
    let (base, updates) = (call.node(0)?, call.node(2)?);
    call.node(1)?;
    // All is in its place again: what follows is not chosen any more.
    call.mask = None;
    let updates = call.b.reshape(updates, &data);
    let rest = vec![1; data.len() - rank];
    let chosen = call.b.reshape(mask.node, &[&mask.shape[..], &rest].concat());
    let chosen = call.b.expand(chosen, &data);
    let written = if add { call.b.binary(Binary::Add, base, updates) } else { updates };
    let y = call.b.select(chosen, written, base);
    call.result(y, dtype, batch)
}

/// Whether input `i` is how many elements a condition chose (the sum of all its truth values): how many there are at all.
pub fn counted(call: &Call<'_>, i: usize) -> Result<Option<usize>> {
    let Content::Node(mut id) = call.input(i)?.content else { return Ok(None) };
    if call.b.shape(id).iter().product::<usize>() != 1 {
        return Ok(None);
    }
    loop {
        let node = call.b.graph().node(id);
        let inner = match node.op {
            Op::Unary(Unary::Trunc) | Op::Map(_) | Op::Scatter(_) => node.operands[0],
            _ => return Ok((node.op.kind() == Kind::Discrete).then(|| node.item_len())),
        };
        let keeps = call.b.graph().node(inner).item_len() == node.item_len();
        if !keeps && !matches!(node.op, Op::Scatter(_)) {
            return Ok(None);
        }
        id = inner;
    }
}

/// x expanded to as many elements as a condition chose, which are listed among all.
pub fn fill(call: &mut Call<'_>, all: usize) -> Result<Vec<Value>> {
    let (shape, dtype, batch) = (call.shape(0)?, call.dtype(0)?, call.batch(0)?);
    let x = call.node(0)?;
    if shape == [all] {
        return call.result(x, dtype, batch);
    }
    if shape.iter().product::<usize>() != 1 || shape.len() > 1 {
        return Err(call.refuse(format!("the shape of its result depends on data: {shape:?} to the number of chosen elements"), None));
    }
    let y = call.b.expand(x, &[all]);
    call.result(y, dtype, batch)
}

/// A number for which the condition holds, if it bounds x itself by constants.
fn within(b: &Builder, mask: NodeId, x: NodeId) -> Option<f64> {
    match bounds(b, mask, x, 0)? {
        (low, high) if low > high => None,
        (low, high) if low.is_finite() && high.is_finite() => Some(low + (high - low) / 2.0),
        (low, _) if low.is_finite() => Some(low + 1.0),
        (_, high) if high.is_finite() => Some(high - 1.0),
        _ => None,
    }
}

/// The interval in which x must lie for the condition to hold.
fn bounds(b: &Builder, condition: NodeId, x: NodeId, depth: usize) -> Option<(f64, f64)> {
    const DEEPEST: usize = 16;
    let node = b.graph().node(condition);
    let number = |id: NodeId| uniform(b, id, 0);
    let size = |id: NodeId| {
        let node = b.graph().node(id);
        matches!(node.op, Op::Unary(Unary::Abs)) && node.operands[0] == x
    };
    if depth > DEEPEST {
        return None;
    }
    match (&node.op, &node.operands[..]) {
        (Op::Binary(Binary::And), &[p, q]) => match (bounds(b, p, x, depth + 1), bounds(b, q, x, depth + 1)) {
            (Some((a, c)), Some((d, e))) => Some((a.max(d), c.min(e))),
            (one, other) => one.or(other),
        },
        (Op::Binary(Binary::Less | Binary::LessOrEqual), &[p, q]) if p == x => number(q).map(|c| (f64::NEG_INFINITY, c)),
        (Op::Binary(Binary::Less | Binary::LessOrEqual), &[p, q]) if q == x => number(p).map(|c| (c, f64::INFINITY)),
        (Op::Binary(Binary::Less | Binary::LessOrEqual), &[p, q]) if size(p) => number(q).map(|c| (-c, c)),
        (Op::Unary(Unary::Not), &[p]) => {
            let node = b.graph().node(p);
            match (&node.op, &node.operands[..]) {
                (Op::Binary(Binary::Less | Binary::LessOrEqual), &[p, q]) if p == x => number(q).map(|c| (c, f64::INFINITY)),
                (Op::Binary(Binary::Less | Binary::LessOrEqual), &[p, q]) if q == x => number(p).map(|c| (f64::NEG_INFINITY, c)),
                _ => None,
            }
        }
        _ => None,
    }
}

/// The number that all elements of a constant have.
fn uniform(b: &Builder, id: NodeId, depth: usize) -> Option<f64> {
    let node = b.graph().node(id);
    match &node.op {
        Op::Constant(tensor) => tensor.uniform(),
        Op::Map(_) if depth < 8 => uniform(b, node.operands[0], depth + 1),
        _ => None,
    }
}
