//! Operators that pick elements by index. Constant indices make index maps; computed ones make flat positions in the graph.

use super::super::call::Call;
use super::super::value::{BatchAxis, Value};
use super::walk::{flat, steps, walk, wrap};
use super::{Entry, masked};
use crate::ops::{Binary, IndexMap};
use crate::{Kind, NodeId, Result, Tensor};

/// The operators of this file.
pub const TABLE: &[Entry] = &[
    Entry::new("Gather", Some(Kind::Linear), gather),
    Entry::new("GatherElements", Some(Kind::Linear), gather_elements),
    Entry::new("GatherND", Some(Kind::Linear), gather_nd),
    Entry::new("Compress", Some(Kind::Linear), compress),
];

/// Computed indices with negative ones counted from the end of an axis of length n.
pub fn wrapped(call: &mut Call<'_>, index: NodeId, n: usize) -> NodeId {
    let shape = call.b.shape(index).to_vec();
    let zero = call.b.filled(&shape, 0.0);
    let negative = call.b.binary(Binary::Less, index, zero);
    let shifted = call.b.with_scalar(Binary::Add, index, n as f64);
    call.b.select(negative, shifted, index)
}

/// base + Σ index · step, as flat positions; `base` is listed over the shape of the indices.
pub fn positions(call: &mut Call<'_>, base: Vec<f64>, shape: &[usize], indices: &[(NodeId, usize)]) -> NodeId {
    let mut sum = call.b.constant(Tensor::new(shape, base));
    for &(index, step) in indices {
        let moved = call.b.with_scalar(Binary::Mul, index, step as f64);
        sum = call.b.binary(Binary::Add, sum, moved);
    }
    sum
}

/// An error for an index that is out of range.
pub fn out_of_range(call: &Call<'_>, index: f64, n: usize) -> crate::Error {
    call.refuse(format!("index {index} is out of range for an axis of length {n}"), None)
}

fn gather(call: &mut Call<'_>) -> Result<Vec<Value>> {
    let (data, indices, dtype) = (call.shape(0)?, call.shape(1)?, call.dtype(0)?);
    let axis = call.axis("axis", 0, data.len())?;
    let mask = call.input(1)?.mask.clone().filter(|mask| axis == 0 && mask.shape.len() == 1 && indices.len() == 1);
    if let Some(mask) = mask {
        return masked::choose(call, &mask);
    }
    let shape = [&data[..axis], &indices, &data[axis + 1..]].concat();
    let len = call.elements(&shape)?;
    let own = call.beside(0, &[axis])?.filter(|b| b.axis != axis);
    let own = own.map(|b| if b.axis > axis { b.moved(b.axis + indices.len() - 1) } else { b });
    let chosen = call.batch(1)?.map(|b| b.moved(b.axis + axis));
    let batch = call.join(&[own, chosen]);
    let (n, source, span) = (data[axis], steps(&data), axis..axis + indices.len());
    let rest = |at: &[usize]| flat(&at[..axis], &source[..axis]) + flat(&at[span.end..], &source[axis + 1..]);
    let x = call.node(0)?;
    let y = if let Some(index) = call.constant_opt(1)? {
        let (own, mut sources, mut bad) = (steps(&indices), Vec::with_capacity(len), None);
        walk(&shape, |at| {
            let i = index.at(flat(&at[span.clone()], &own));
            let position = wrap(i, n).map(|i| rest(at) + i * source[axis]);
            bad = bad.or(position.is_none().then_some(i));
            sources.push(position.unwrap_or(0) as u32);
        });
        if let Some(i) = bad {
            return Err(out_of_range(call, i, n));
        }
        call.b.map(x, IndexMap::table(&shape, sources))
    } else {
        let mut base = Vec::with_capacity(len);
        walk(&shape, |at| base.push(rest(at) as f64));
        let index = call.node(1)?;
        let index = wrapped(call, index, n);
        let ones = |count: usize| vec![1; count];
        let index = call.b.reshape(index, &[ones(axis), indices.clone(), ones(data.len() - axis - 1)].concat());
        let index = call.b.expand(index, &shape);
        let index = positions(call, base, &shape, &[(index, source[axis])]);
        call.b.take(x, index)
    };
    call.result(y, dtype, batch)
}

fn gather_elements(call: &mut Call<'_>) -> Result<Vec<Value>> {
    let (data, shape, dtype) = (call.shape(0)?, call.shape(1)?, call.dtype(0)?);
    let axis = call.axis("axis", 0, data.len())?;
    if shape.len() != data.len() || (0..data.len()).any(|i| i != axis && shape[i] > data[i]) {
        return Err(call.refuse(format!("indices of shape {shape:?} do not fit data of shape {data:?} along axis {axis}"), None));
    }
    let batch = [call.beside(0, &[axis])?.filter(|b| b.axis != axis), call.beside(1, &[axis])?];
    let batch = call.join(&batch);
    let x = call.node(0)?;
    let y = along(call, x, axis, 1)?;
    call.result(y, dtype, batch)
}

/// x at its own positions, with those along `axis` replaced by input `i`.
fn along(call: &mut Call<'_>, x: NodeId, axis: usize, i: usize) -> Result<NodeId> {
    let data = call.b.shape(x).to_vec();
    Ok(match positions_along(call, &data, axis, i)? {
        Positions::Constant(map) => call.b.map(x, map),
        Positions::Computed(index) => call.b.take(x, index),
    })
}

/// Flat positions: known at import, or computed.
pub enum Positions {
    /// A table over the shape of the indices.
    Constant(IndexMap),
    /// A node of the shape of the indices.
    Computed(NodeId),
}

/// The flat positions in an array of shape `data` that input `i` names along one axis.
pub fn positions_along(call: &mut Call<'_>, data: &[usize], axis: usize, i: usize) -> Result<Positions> {
    let (shape, source) = (call.shape(i)?, steps(data));
    let len = call.elements(&shape)?;
    let rest = |at: &[usize]| flat(&at[..axis], &source[..axis]) + flat(&at[axis + 1..], &source[axis + 1..]);
    if let Some(index) = call.constant_opt(i)? {
        let (mut sources, mut bad) = (Vec::with_capacity(len), None);
        walk(&shape, |at| {
            let index = index.at(sources.len());
            let position = wrap(index, data[axis]).map(|p| rest(at) + p * source[axis]);
            bad = bad.or(position.is_none().then_some(index));
            sources.push(position.unwrap_or(0) as u32);
        });
        return match bad {
            Some(index) => Err(out_of_range(call, index, data[axis])),
            None => Ok(Positions::Constant(IndexMap::table(&shape, sources))),
        };
    }
    let mut base = Vec::with_capacity(len);
    walk(&shape, |at| base.push(rest(at) as f64));
    let index = call.node(i)?;
    let index = wrapped(call, index, data[axis]);
    Ok(Positions::Computed(positions(call, base, &shape, &[(index, source[axis])])))
}

fn gather_nd(call: &mut Call<'_>) -> Result<Vec<Value>> {
    let (data, indices, dtype) = (call.shape(0)?, call.shape(1)?, call.dtype(0)?);
    let shared = call.int("batch_dims", 0)?;
    let shared = usize::try_from(shared).ok().filter(|&s| s < indices.len() && s < data.len() && data[..s] == indices[..s]);
    let shared = shared.ok_or_else(|| call.refuse(format!("batch_dims does not fit shapes {data:?} and {indices:?}"), None))?;
    if let (Some(mask), 0) = (call.input(1)?.mask.clone(), shared) {
        return masked::choose(call, &mask);
    }
    let width = indices[indices.len() - 1];
    if width == 0 || shared + width > data.len() {
        return Err(call.refuse(format!("{width} indices each do not fit data of shape {data:?}"), None));
    }
    let (listed, rest) = (indices.len() - 1, shared + width);
    let shape = [&indices[..listed], &data[rest..]].concat();
    call.elements(&shape)?;
    let indexed: Vec<usize> = (shared..rest).collect();
    let own = call.beside(0, &indexed)?.filter(|b| !indexed.contains(&b.axis));
    let own = own.map(|b| if b.axis >= rest { b.moved(b.axis - rest + listed) } else { b });
    let chosen = call.beside(1, &[listed])?.filter(|b| b.axis != listed);
    let batch = call.join(&[own, chosen]);
    let x = call.node(0)?;
    let y = match tuple_positions(call, &data, shared, 1)? {
        Positions::Constant(map) => call.b.map(x, map),
        Positions::Computed(index) => call.b.take(x, index),
    };
    call.result(y, dtype, batch)
}

/// The flat positions that the index tuples of input `i` name in an array of shape `data`, spread over the axes behind
/// the indexed ones: shape `[listed.., rest..]`.
pub fn tuple_positions(call: &mut Call<'_>, data: &[usize], shared: usize, i: usize) -> Result<Positions> {
    let (indices, source) = (call.shape(i)?, steps(data));
    let (listed, width) = (indices.len() - 1, indices[indices.len() - 1]);
    let shape = [&indices[..listed], &data[shared + width..]].concat();
    let len = call.elements(&shape)?;
    let rest = |at: &[usize]| flat(&at[..shared], &source[..shared]) + flat(&at[listed..], &source[shared + width..]);
    if let Some(index) = call.constant_opt(i)? {
        let (own, mut sources, mut bad) = (steps(&indices), Vec::with_capacity(len), None);
        walk(&shape, |at| {
            let first = flat(&at[..listed], &own[..listed]);
            let mut position = rest(at);
            for k in 0..width {
                let value = index.at(first + k);
                match wrap(value, data[shared + k]) {
                    Some(p) => position += p * source[shared + k],
                    None => bad = bad.or(Some((value, data[shared + k]))),
                }
            }
            sources.push(position as u32);
        });
        return match bad {
            Some((value, n)) => Err(out_of_range(call, value, n)),
            None => Ok(Positions::Constant(IndexMap::table(&shape, sources))),
        };
    }
    let mut base = Vec::with_capacity(len);
    walk(&shape, |at| base.push(rest(at) as f64));
    let index = call.node(i)?;
    let own: Vec<isize> = steps(&indices).into_iter().map(|s| s as isize).collect();
    let mut parts = Vec::new();
    for k in 0..width {
        let strides: Vec<isize> = (0..shape.len()).map(|a| if a < listed { own[a] } else { 0 }).collect();
        let part = call.b.map(index, IndexMap::strided(&shape, k, &strides));
        parts.push((wrapped(call, part, data[shared + k]), source[shared + k]));
    }
    Ok(Positions::Computed(positions(call, base, &shape, &parts)))
}

fn compress(call: &mut Call<'_>) -> Result<Vec<Value>> {
    let (mut data, dtype) = (call.shape(0)?, call.dtype(0)?);
    let Some(condition) = call.constant_opt(1)? else {
        return Err(call.unsupported("its condition is computed, so the shape of its result depends on data"));
    };
    let x = call.node(0)?;
    let (x, axis, batch) = if call.has_attribute("axis") {
        let axis = call.axis("axis", 0, data.len())?;
        (x, axis, call.beside(0, &[axis])?)
    } else {
        let all: Vec<usize> = (0..data.len()).collect();
        let batch = call.beside(0, &all)?;
        data = vec![data.iter().product()];
        (call.b.reshape(x, &data), 0, batch.map(|_| BatchAxis::plain(0)))
    };
    let kept: Vec<usize> = (0..condition.len()).filter(|&i| condition.at(i) != 0.0).collect();
    if let Some(&last) = kept.last().filter(|&&i| i >= data[axis]) {
        return Err(out_of_range(call, last as f64, data[axis]));
    }
    let (own, mut shape) = (steps(&data), data.clone());
    shape[axis] = kept.len();
    let mut sources = Vec::with_capacity(call.elements(&shape)?);
    walk(&shape, |at| {
        let position: usize = at.iter().enumerate().map(|(i, &p)| own[i] * if i == axis { kept[p] } else { p }).sum();
        sources.push(position as u32);
    });
    let y = call.b.map(x, IndexMap::table(&shape, sources));
    call.result(y, dtype, batch)
}
