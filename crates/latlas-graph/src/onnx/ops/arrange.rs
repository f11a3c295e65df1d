//! Operators that arrange elements along axes anew: transpose, slice, split, join, repeat, pad.

use super::super::call::Call;
use super::super::value::{BatchAxis, Value, WITNESS};
use super::walk::{flat, steps, walk};
use super::{Entry, masked};
use crate::ops::{IndexMap, contiguous};
use crate::{Kind, NodeId, Result};

/// The operators of this file.
pub const TABLE: &[Entry] = &[
    Entry::new("Transpose", Some(Kind::Linear), transpose),
    Entry::new("Expand", Some(Kind::Linear), expand),
    Entry::new("Tile", Some(Kind::Linear), tile),
    Entry::new("Concat", Some(Kind::Linear), concat),
    Entry::new("Split", Some(Kind::Linear), split),
    Entry::new("Slice", Some(Kind::Linear), slice),
    Entry::new("Pad", Some(Kind::Linear), pad),
    Entry::new("DepthToSpace", Some(Kind::Linear), depth_to_space),
    Entry::new("SpaceToDepth", Some(Kind::Linear), space_to_depth),
    Entry::new("Trilu", Some(Kind::Linear), trilu),
];

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

fn expand(call: &mut Call<'_>) -> Result<Vec<Value>> {
    let (old, dtype) = (call.shape(0)?, call.dtype(0)?);
    if let Some(chosen) = masked::counted(call, 1)? {
        return masked::fill(call, chosen);
    }
    let (one, witness) = call.ints_at_both(1)?;
    let sizes = |s: &[i64]| s.iter().map(|&d| usize::try_from(d).ok()).collect::<Option<Vec<usize>>>();
    let (Some(one), Some(witness)) = (sizes(&one), sizes(&witness)) else {
        return Err(call.refuse(format!("shape {one:?} has negative dimensions"), None));
    };
    let shape = call.common_shape(&[old.clone(), one.clone()])?;
    let lead = shape.len() - one.len();
    // What is repeated N times has an axis for the batch, but is the same for every sample.
    let grown = (0..one.len()).find(|&i| witness.get(i) != one.get(i)).map(|i| {
        let axis = i + lead;
        BatchAxis { axis, outer: 1, inner: shape[axis] }
    });
    let own = call.batch_at_rank(0, shape.len())?;
    let grown = grown.filter(|g| own.is_none_or(|o| o.axis != g.axis));
    let batch = call.join(&[own, grown]);
    let x = call.node(0)?;
    let y = call.b.expand(x, &shape);
    call.result(y, dtype, batch)
}

fn tile(call: &mut Call<'_>) -> Result<Vec<Value>> {
    let (one, witness) = call.ints_at_both(1)?;
    let (old, dtype) = (call.shape(0)?, call.dtype(0)?);
    let repeats: Option<Vec<usize>> = one.iter().map(|&r| usize::try_from(r).ok()).collect();
    let repeats = repeats.filter(|r| r.len() == old.len() && witness.len() == r.len());
    let repeats = repeats.ok_or_else(|| call.refuse(format!("repeats {one:?} do not fit shape {old:?}"), None))?;
    let shape: Vec<usize> = old.iter().zip(&repeats).map(|(&n, &r)| n.saturating_mul(r)).collect();
    call.elements(&shape)?;
    let mut batches = vec![];
    for axis in 0..old.len() {
        match call.batch(0)?.filter(|b| b.axis == axis) {
            Some(_) if one[axis] != witness[axis] => call.mixes("the batch is repeated as often as it is long"),
            // Repetitions stand in front of the batch.
            Some(b) => batches.push(Some(BatchAxis { outer: b.outer * repeats[axis], ..b })),
            None if one[axis] != witness[axis] => batches.push(Some(BatchAxis { axis, outer: 1, inner: shape[axis] })),
            None => {}
        }
    }
    let batch = call.join(&batches);
    let x = call.node(0)?;
    let y = repeat(call, x, &repeats);
    call.result(y, dtype, batch)
}

/// x repeated along each axis: `[n] → [1, n] → [r, n] → [r · n]`.
fn repeat(call: &mut Call<'_>, x: NodeId, repeats: &[usize]) -> NodeId {
    let old = call.b.shape(x).to_vec();
    let pairs = |first: &dyn Fn(usize) -> usize| (0..old.len()).flat_map(|i| [first(i), old[i]]).collect::<Vec<_>>();
    let apart = call.b.reshape(x, &pairs(&|_| 1));
    let grown = call.b.expand(apart, &pairs(&|i| repeats[i]));
    let shape: Vec<usize> = old.iter().zip(repeats).map(|(n, r)| n * r).collect();
    call.b.reshape(grown, &shape)
}

fn concat(call: &mut Call<'_>) -> Result<Vec<Value>> {
    let (first, dtype) = (call.shape(0)?, call.dtype(0)?);
    let axis = call.axis("axis", 0, first.len())?;
    let shapes = (0..call.len()).map(|i| call.shape(i)).collect::<Result<Vec<_>>>()?;
    let along = |s: &Vec<usize>| s.len() == first.len() && (0..s.len()).all(|i| i == axis || s[i] == first[i]);
    if !shapes.iter().all(along) {
        return Err(call.refuse(format!("shapes {shapes:?} cannot be joined along axis {axis}"), None));
    }
    let mut shape = first;
    shape[axis] = shapes.iter().fold(0, |sum, s| s[axis].saturating_add(sum));
    call.elements(&shape)?;
    let batches = (0..call.len()).map(|i| call.batch(i)).collect::<Result<Vec<_>>>()?;
    let batch = if batches.iter().flatten().any(|b| b.axis == axis) {
        // Whole batches behind each other: as many more stand in front of the batch index.
        let outer = batches.iter().flatten().map(|b| b.outer).sum();
        let inner = batches.iter().flatten().map(|b| b.inner).next().unwrap_or(1);
        if batches.iter().any(|b| b.is_none_or(|b| b.axis != axis || b.inner != inner)) {
            call.mixes("batches of different layouts are joined along the batch axis");
        }
        Some(BatchAxis { axis, outer, inner })
    } else {
        call.join(&batches)
    };
    let parts = (0..call.len()).map(|i| call.node(i)).collect::<Result<Vec<_>>>()?;
    let y = call.b.concat(&parts, axis);
    call.result(y, dtype, batch)
}

/// A range of positions along an axis: the first, how many, and the step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Range {
    start: usize,
    len: usize,
    step: i64,
}

/// Where the batch is after taking `one` (at N = 1) or `witness` of an axis: whole batches may be taken out of several.
fn batch_of_range(call: &mut Call<'_>, axis: usize, sizes: (usize, usize), one: Range, witness: Range) -> Result<Option<BatchAxis>> {
    let batch = call.batch(0)?;
    let Some(b) = batch.filter(|b| b.axis == axis) else {
        if one != witness {
            call.mixes(&format!("it takes a part of axis {axis} that depends on the number of samples"));
        }
        return Ok(batch);
    };
    let whole = |r: Range, n: usize| r == Range { start: 0, len: n, step: 1 };
    if whole(one, sizes.0) && whole(witness, sizes.1) {
        return Ok(batch);
    }
    let blocks = |positions: usize, n: usize| positions.checked_rem(n * b.inner).filter(|&r| r == 0).map(|_| positions / (n * b.inner));
    let first = (blocks(one.start, 1), blocks(witness.start, WITNESS));
    let count = (blocks(one.len, 1), blocks(witness.len, WITNESS));
    match count.0 {
        Some(outer) if one.step == 1 && first.0 == first.1 && count.0 == count.1 && first.0.is_some() => Ok(Some(BatchAxis { outer, ..b })),
        _ => {
            call.mixes(&format!("it takes some samples of the batch on axis {axis}, or reverses them"));
            Ok((witness.len != one.len).then_some(BatchAxis { axis, outer: 1, inner: one.len }))
        }
    }
}

/// Takes ranges of all axes of a value.
fn take_ranges(call: &mut Call<'_>, x: NodeId, ranges: &[Range]) -> NodeId {
    let old = contiguous(call.b.shape(x));
    let offset: usize = ranges.iter().zip(&old).map(|(r, &s)| if r.len == 0 { 0 } else { r.start * s as usize }).sum();
    let strides: Vec<isize> = ranges.iter().zip(&old).map(|(r, &s)| if r.len <= 1 { 0 } else { r.step as isize * s }).collect();
    let shape: Vec<usize> = ranges.iter().map(|r| r.len).collect();
    call.b.map(x, IndexMap::strided(&shape, if shape.contains(&0) { 0 } else { offset }, &strides))
}

fn whole_ranges(shape: &[usize]) -> Vec<Range> {
    shape.iter().map(|&len| Range { start: 0, len, step: 1 }).collect()
}

fn split(call: &mut Call<'_>) -> Result<Vec<Value>> {
    let (shape, witness, dtype) = (call.shape(0)?, call.input(0)?.witness_shape(), call.dtype(0)?);
    let axis = call.axis("axis", 0, shape.len())?;
    let parts = call.outputs();
    let equal = |n: usize| -> Vec<i64> {
        let size = n.div_ceil(parts.max(1));
        (0..parts).map(|i| n.saturating_sub(i * size).min(size) as i64).collect()
    };
    let (one, other) = if call.has(1) {
        call.ints_at_both(1)?
    } else if let Some(sizes) = call.ints_attribute("split")? {
        (sizes.clone(), sizes)
    } else {
        if call.int_opt("num_outputs")?.is_some_and(|n| n != parts as i64) {
            return Err(call.refuse(format!("num_outputs is not the number of its outputs, {parts}"), None));
        }
        (equal(shape[axis]), equal(witness[axis]))
    };
    let fits = |sizes: &[i64], n: usize| {
        sizes.iter().all(|&s| s >= 0) && sizes.iter().fold(0i64, |sum, &s| sum.saturating_add(s)) == n as i64 && sizes.len() >= parts
    };
    if !fits(&one, shape[axis]) {
        return Err(call.refuse(format!("sizes {one:?} do not add up to axis {axis} of {shape:?}, or are too few"), None));
    }
    // Sizes that fit one sample only leave the batch whole in no part.
    let other = if fits(&other, witness[axis]) { other } else { one.clone() };
    let x = call.node(0)?;
    let (mut start, mut start_witness) = (0, 0);
    let mut results = Vec::new();
    for i in 0..parts {
        let range = |start: usize, len: i64| Range { start, len: len as usize, step: 1 };
        let (now, then) = (range(start, one[i]), range(start_witness, other[i]));
        let batch = batch_of_range(call, axis, (shape[axis], witness[axis]), now, then)?;
        let mut ranges = whole_ranges(&shape);
        ranges[axis] = now;
        let y = take_ranges(call, x, &ranges);
        results.push(call.value(y, dtype, batch));
        start += now.len;
        start_witness += then.len;
    }
    Ok(results)
}

fn slice(call: &mut Call<'_>) -> Result<Vec<Value>> {
    let (shape, witness, dtype) = (call.shape(0)?, call.input(0)?.witness_shape(), call.dtype(0)?);
    let (starts, ends) = (call.ints_or_attribute(1, "starts")?, call.ints_or_attribute(2, "ends")?);
    let axes = call.axes(3)?.unwrap_or_else(|| (0..starts.0.len() as i64).collect());
    let axes = call.wrap_axes(&axes, shape.len())?;
    let given = if call.has(4) { call.ints(4)? } else { vec![1; axes.len()] };
    if [starts.0.len(), starts.1.len(), ends.0.len(), ends.1.len(), given.len()].iter().any(|&n| n != axes.len()) {
        return Err(call.refuse("starts, ends, axes and steps differ in number".into(), None));
    }
    let mut ranges = whole_ranges(&shape);
    let mut batch = call.batch(0)?;
    for (i, &axis) in axes.iter().enumerate() {
        if given[i] == 0 || given[i] == i64::MIN {
            return Err(call.refuse(format!("step {} is not possible", given[i]), None));
        }
        let now = range_of(starts.0[i], ends.0[i], given[i], shape[axis]);
        let then = range_of(starts.1[i], ends.1[i], given[i], witness[axis]);
        let after = batch_of_range(call, axis, (shape[axis], witness[axis]), now, then)?;
        if batch.is_some_and(|b| b.axis == axis) {
            batch = after;
        }
        ranges[axis] = now;
    }
    let x = call.node(0)?;
    let y = take_ranges(call, x, &ranges);
    call.result(y, dtype, batch)
}

/// The positions that NumPy's `start:end:step` means on an axis of length n.
fn range_of(start: i64, end: i64, step: i64, n: usize) -> Range {
    let n = i64::try_from(n).unwrap_or(i64::MAX);
    let wrap = |i: i64| if i < 0 { i.saturating_add(n) } else { i };
    let (low, high) = if step > 0 { (0, n) } else { (-1, n - 1) };
    let (start, end) = (wrap(start).clamp(low.max(0).min(high.max(0)), high.max(0)), wrap(end).clamp(low, high));
    let span = if step > 0 { end - start } else { start - end };
    let len = if n == 0 || span <= 0 { 0 } else { (span - 1) / step.abs() + 1 };
    Range { start: if len == 0 { 0 } else { start as usize }, len: len as usize, step }
}

fn pad(call: &mut Call<'_>) -> Result<Vec<Value>> {
    let (shape, dtype) = (call.shape(0)?, call.dtype(0)?);
    let pads = match call.ints_attribute("pads")? {
        Some(pads) => pads,
        None => call.ints(1)?,
    };
    let axes = if call.has(3) { call.ints(3)? } else { (0..shape.len() as i64).collect() };
    let axes = call.wrap_axes(&axes, shape.len())?;
    if pads.len() != 2 * axes.len() {
        return Err(call.refuse(format!("{} paddings do not fit {} axes", pads.len(), axes.len()), None));
    }
    let mode = call.string("mode", "constant")?.into_owned();
    let mut around = vec![(0i64, 0i64); shape.len()];
    for (i, &axis) in axes.iter().enumerate() {
        around[axis] = (pads[i], pads[i + axes.len()]);
    }
    let mut new = Vec::new();
    for (&n, &(before, after)) in shape.iter().zip(&around) {
        let size = (n as i64).checked_add(before).and_then(|s| s.checked_add(after));
        let size = size.and_then(|s| usize::try_from(s).ok());
        new.push(size.ok_or_else(|| call.refuse(format!("paddings {pads:?} do not fit shape {shape:?}"), None))?);
    }
    let len = call.elements(&new)?;
    let padded: Vec<usize> = (0..shape.len()).filter(|&i| around[i] != (0, 0)).collect();
    let batch = call.beside(0, &padded)?;
    let mut lookup: Vec<Vec<u32>> = Vec::new();
    for (axis, &n) in shape.iter().enumerate() {
        let source = |i: usize| padded_position((i as i64).saturating_sub(around[axis].0), n as i64, &mode);
        let along: Option<Vec<_>> = (0..new[axis]).map(source).collect();
        lookup.push(along.ok_or_else(|| call.refuse(format!("mode {mode:?} is not possible on axis {axis} of {shape:?}"), None))?);
    }
    let (old, mut sources, mut inside) = (steps(&shape), Vec::with_capacity(len), Vec::with_capacity(len));
    walk(&new, |at| {
        let found = at.iter().zip(&lookup).zip(&old).try_fold(0, |sum, ((&i, along), step)| match along[i] {
            IndexMap::NOWHERE => None,
            p => Some(sum + p as usize * step),
        });
        sources.push(found.map_or(IndexMap::NOWHERE, |p| p as u32));
        inside.push(f64::from(u8::from(found.is_some())));
    });
    let x = call.node(0)?;
    let mut y = call.b.map(x, IndexMap::table(&new, sources));
    let value = match call.float_opt("value")? {
        Some(value) => Some(call.b.filled(&[], value)),
        None => call.optional_node(2)?,
    };
    if let Some(value) = value.filter(|&v| mode == "constant" && crate::lower::uniform_constant(call.b, v) != Some(0.0)) {
        if call.b.shape(value).iter().product::<usize>() != 1 {
            return Err(call.refuse("the padding value is not a single number".into(), None));
        }
        let (value, mask) = (call.b.reshape(value, &[]), call.b.constant(crate::Tensor::new(new.clone(), inside)));
        let value = call.b.expand(value, &new);
        y = call.b.select(mask, y, value);
    }
    call.result(y, dtype, batch)
}

/// Where a padded position comes from, which may be nowhere; `None` where the mode cannot say.
fn padded_position(i: i64, n: i64, mode: &str) -> Option<u32> {
    if (0..n).contains(&i) {
        return Some(i as u32);
    }
    match mode {
        "constant" => Some(IndexMap::NOWHERE),
        "edge" if n > 0 => Some(i.clamp(0, n - 1) as u32),
        "reflect" if n > 1 => {
            let period = 2 * (n - 1);
            let folded = i.rem_euclid(period);
            Some(folded.min(period - folded) as u32)
        }
        "reflect" if n == 1 => Some(0),
        "wrap" if n > 0 => Some(i.rem_euclid(n) as u32),
        _ => None,
    }
}

/// The block size of an image operator, after a check of its input's rank.
fn block_size(call: &Call<'_>) -> Result<(Vec<usize>, usize)> {
    let (shape, size) = (call.shape(0)?, call.int("blocksize", 0)?);
    match usize::try_from(size) {
        Ok(block) if shape.len() == 4 && block > 0 && block < 1 << 16 => Ok((shape, block)),
        _ => Err(call.refuse(format!("block size {size} does not fit shape {shape:?}"), None)),
    }
}

fn depth_to_space(call: &mut Call<'_>) -> Result<Vec<Value>> {
    let (shape, block) = block_size(call)?;
    let (n, c, h, w) = (shape[0], shape[1], shape[2], shape[3]);
    if c % (block * block) != 0 {
        return Err(call.refuse(format!("{c} channels do not split into blocks of {block} by {block}"), None));
    }
    let rest = c / (block * block);
    let batch = call.beside(0, &[1, 2, 3])?;
    let (apart, order) = if call.string("mode", "DCR")? == "CRD" {
        ([n, rest, block, block, h, w], [0, 1, 4, 2, 5, 3])
    } else {
        ([n, block, block, rest, h, w], [0, 3, 4, 1, 5, 2])
    };
    let x = call.node(0)?;
    let y = call.b.reshape(x, &apart);
    let y = call.b.transpose(y, &order);
    let y = call.b.reshape(y, &[n, rest, h * block, w * block]);
    call.result(y, call.dtype(0)?, batch)
}

fn space_to_depth(call: &mut Call<'_>) -> Result<Vec<Value>> {
    let (shape, block) = block_size(call)?;
    let (n, c, h, w) = (shape[0], shape[1], shape[2], shape[3]);
    if h % block != 0 || w % block != 0 {
        return Err(call.refuse(format!("an image of {h} by {w} does not split into blocks of {block}"), None));
    }
    let batch = call.beside(0, &[1, 2, 3])?;
    let x = call.node(0)?;
    let y = call.b.reshape(x, &[n, c, h / block, block, w / block, block]);
    let y = call.b.transpose(y, &[0, 3, 5, 1, 2, 4]);
    let y = call.b.reshape(y, &[n, c * block * block, h / block, w / block]);
    call.result(y, call.dtype(0)?, batch)
}

fn trilu(call: &mut Call<'_>) -> Result<Vec<Value>> {
    let (shape, upper) = (call.shape(0)?, call.flag("upper", true)?);
    let k = if call.has(1) { call.scalar(1)? } else { 0.0 };
    let rank = shape.len();
    if rank < 2 {
        return Err(call.refuse(format!("{shape:?} is not a matrix"), None));
    }
    let batch = call.beside(0, &[rank - 2, rank - 1])?;
    let (own, mut sources) = (steps(&shape), Vec::with_capacity(call.elements(&shape)?));
    walk(&shape, |at| {
        let above = at[rank - 1] as f64 - at[rank - 2] as f64;
        let kept = if upper { above >= k } else { above <= k };
        sources.push(if kept { flat(at, &own) as u32 } else { IndexMap::NOWHERE });
    });
    let x = call.node(0)?;
    let y = call.b.map(x, IndexMap::table(&shape, sources));
    call.result(y, call.dtype(0)?, batch)
}
