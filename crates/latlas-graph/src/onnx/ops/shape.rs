//! Operators that change or ask for a shape and leave the order of the elements alone.

use super::super::call::Call;
use super::super::dtype::Dtype;
use super::super::tensor::element_count;
use super::super::value::{BatchAxis, Value, WITNESS};
use super::Entry;
use crate::{Kind, Result, Tensor};

/// The operators of this file.
pub const TABLE: &[Entry] = &[
    Entry::new("Reshape", Some(Kind::Linear), reshape),
    Entry::new("Flatten", Some(Kind::Linear), flatten),
    Entry::new("Squeeze", Some(Kind::Linear), squeeze),
    Entry::new("Unsqueeze", Some(Kind::Linear), unsqueeze),
    Entry::new("Identity", Some(Kind::Linear), |c| Ok(vec![c.input(0)?.clone()])),
    Entry::new("Dropout", Some(Kind::Linear), dropout),
    Entry::new("Shape", Some(Kind::Discrete), shape),
    Entry::new("Size", Some(Kind::Discrete), size),
];

/// The same elements in another shape, given at N = 1 and at the witness.
fn regroup(call: &mut Call<'_>, one: &[usize], witness: &[usize]) -> Result<Vec<Value>> {
    let value = call.input(0)?.clone();
    if element_count(one) != element_count(&value.shape) {
        return Err(call.refuse(format!("{:?} cannot take the shape {one:?}", value.shape), None));
    }
    let batch = match value.batch {
        Some(batch) => regrouped_batch(call, &value.shape, batch, one, witness),
        None => None,
    };
    let x = call.node(0)?;
    let y = call.b.reshape(x, one);
    call.result(y, value.dtype, batch)
}

/// Row-major rule: what lies in front of the batch and what lies behind it keep their numbers of elements, and the new
/// axis must split them exactly.
fn regrouped_batch(call: &mut Call<'_>, old: &[usize], batch: BatchAxis, one: &[usize], witness: &[usize]) -> Option<BatchAxis> {
    let differs: Vec<usize> = (0..one.len()).filter(|&i| one[i] != witness[i]).collect();
    // A shape without N is right for a single sample only: from here on nothing needs to be tracked.
    let axis = *differs.first()?;
    let before = old[..batch.axis].iter().product::<usize>() * batch.outer;
    let after = old[batch.axis + 1..].iter().product::<usize>() * batch.inner;
    let (front, back) = (one[..axis].iter().product::<usize>(), one[axis + 1..].iter().product::<usize>());
    let split = |whole: usize, part: usize| (part > 0 && whole.is_multiple_of(part)).then(|| whole / part);
    let found = match (split(before, front), split(after, back)) {
        (Some(outer), Some(inner)) if differs.len() == 1 && outer.checked_mul(inner) == Some(one[axis]) => {
            Some(BatchAxis { axis, outer, inner })
        }
        _ => None,
    };
    found.or_else(|| {
        call.mixes(&format!("the batch of {old:?} (axis {}) is mixed with features in {one:?}", batch.axis));
        Some(BatchAxis { axis, outer: 1, inner: one[axis] })
    })
}

fn reshape(call: &mut Call<'_>) -> Result<Vec<Value>> {
    let allow_zero = call.flag("allowzero", false)?;
    let (old, old_witness) = (call.shape(0)?, call.input(0)?.witness_shape());
    let (one, witness) = call.ints_at_both(1)?;
    let resolve = |wanted: &[i64], old: &[usize]| resolve_shape(wanted, old, allow_zero);
    let one_shape = resolve(&one, &old)
        .ok_or_else(|| call.refuse(format!("{old:?} cannot take the shape {one:?}"), Some("the number of elements must stay")))?;
    // Where the shape does not fit at other batch sizes, the file is for one sample only.
    let witness_shape = resolve(&witness, &old_witness).filter(|w| w.len() == one_shape.len()).unwrap_or_else(|| one_shape.clone());
    regroup(call, &one_shape, &witness_shape)
}

/// A shape with its 0 (keep) and −1 (the rest) filled in.
fn resolve_shape(wanted: &[i64], old: &[usize], allow_zero: bool) -> Option<Vec<usize>> {
    if wanted.len() > super::super::MAX_RANK || wanted.iter().filter(|&&d| d == -1).count() > 1 {
        return None;
    }
    let keep = |(i, &d): (usize, &i64)| match d {
        0 if !allow_zero => old.get(i).copied(),
        -1 => Some(1),
        d => usize::try_from(d).ok(),
    };
    let mut shape = wanted.iter().enumerate().map(keep).collect::<Option<Vec<usize>>>()?;
    let (have, want) = (element_count(old)?, element_count(&shape)?);
    match wanted.iter().position(|&d| d == -1) {
        Some(rest) if want > 0 && have % want == 0 => shape[rest] = have / want,
        Some(_) => return None,
        None if have != want => return None,
        None => {}
    }
    Some(shape)
}

fn flatten(call: &mut Call<'_>) -> Result<Vec<Value>> {
    let (one, witness) = (call.shape(0)?, call.input(0)?.witness_shape());
    // The axis may be the rank itself: everything in front.
    let axis = match call.int("axis", 1)? {
        a if a == one.len() as i64 => one.len(),
        a => call.wrap_axis(a, one.len())?,
    };
    let merged = |s: &[usize]| Some(vec![element_count(&s[..axis])?, element_count(&s[axis..])?]);
    match (merged(&one), merged(&witness)) {
        (Some(one), Some(witness)) => regroup(call, &one, &witness),
        _ => Err(call.refuse(format!("{one:?} has too many elements"), None)),
    }
}

fn squeeze(call: &mut Call<'_>) -> Result<Vec<Value>> {
    let (one, witness) = (call.shape(0)?, call.input(0)?.witness_shape());
    let axes = match call.axes(1)? {
        Some(axes) => call.wrap_axes(&axes, one.len())?,
        None => (0..one.len()).filter(|&i| one[i] == 1 && witness[i] == 1).collect(),
    };
    if let Some(&axis) = axes.iter().find(|&&a| one[a] != 1) {
        return Err(call.refuse(format!("axis {axis} of {one:?} does not have length 1"), None));
    }
    let drop = |s: &[usize]| (0..s.len()).filter(|i| !axes.contains(i)).map(|i| s[i]).collect::<Vec<_>>();
    regroup(call, &drop(&one), &drop(&witness))
}

fn unsqueeze(call: &mut Call<'_>) -> Result<Vec<Value>> {
    let (one, witness) = (call.shape(0)?, call.input(0)?.witness_shape());
    let axes = call.axes(1)?.ok_or_else(|| call.refuse("has no axes".into(), None))?;
    let rank = one.len() + axes.len();
    if rank > super::super::MAX_RANK {
        return Err(call.refuse(format!("rank {rank} is too large"), None));
    }
    let axes = call.wrap_axes(&axes, rank)?;
    let grow = |s: &[usize]| {
        let mut rest = s.iter();
        (0..rank).map(|i| if axes.contains(&i) { 1 } else { rest.next().copied().unwrap_or(1) }).collect::<Vec<_>>()
    };
    regroup(call, &grow(&one), &grow(&witness))
}

fn dropout(call: &mut Call<'_>) -> Result<Vec<Value>> {
    if call.has(2) && call.constant_opt(2)?.is_none_or(|t| t.len() != 1 || t.at(0) != 0.0) {
        return Err(call.unsupported("in training mode it draws random numbers; export with `model.eval()`"));
    }
    let x = call.input(0)?.clone();
    if !call.wants(1) {
        return Ok(vec![x]);
    }
    call.elements(&x.shape)?;
    let kept = call.b.filled(&x.shape, 1.0);
    let mask = call.value(kept, Dtype::Bool, x.batch);
    Ok(vec![x, mask])
}

fn shape(call: &mut Call<'_>) -> Result<Vec<Value>> {
    let (one, witness) = (call.shape(0)?, call.input(0)?.witness_shape());
    let rank = one.len() as i64;
    let clamp = |i: i64| (if i < 0 { i.saturating_add(rank) } else { i }).clamp(0, rank) as usize;
    let (start, end) = (clamp(call.int("start", 0)?), clamp(call.int("end", rank)?));
    let part = |s: &[usize]| s[start..end.max(start)].iter().map(|&d| d as f64).collect::<Vec<_>>();
    let tensor = |s: &[usize]| Tensor::new([end.max(start) - start], part(s));
    Ok(vec![Value::folded(Dtype::I64, tensor(&one), Some(tensor(&witness)), None)])
}

fn size(call: &mut Call<'_>) -> Result<Vec<Value>> {
    let value = call.input(0)?;
    let one = value.shape.iter().product::<usize>() as f64;
    let witness = if value.witness_shape() == value.shape { one } else { one * WITNESS as f64 };
    Ok(vec![Value::folded(Dtype::I64, Tensor::scalar(one), Some(Tensor::scalar(witness)), None)])
}
