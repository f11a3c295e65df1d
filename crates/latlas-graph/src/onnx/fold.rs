//! Folding of what is known at import, by running the same handlers on constants, at one sample and at the witness.

use super::call::Call;
use super::ops::Handler;
use super::value::{BatchAxis, Content, Known, Value, WITNESS};
use crate::{Builder, NodeId, Op, Result, Tensor};

/// The most elements that are kept at the witness.
const WITNESS_ELEMENTS: usize = 1 << 16;

/// Runs a handler. Where all inputs are known, so are the results, unless the builder leaves them to the executor because
/// they are large.
pub fn call(call: &mut Call<'_>, handler: Handler) -> Result<Vec<Value>> {
    let Some(known) = call.inputs.iter().map(|v| v.as_ref().map_or(Some(None), |v| known(call.b, v).map(Some))).collect() else {
        return handler(call);
    };
    let known: Vec<Option<Known>> = known;
    call.folding = true;
    let results = handler(call)?;
    call.folding = false;
    let one: Vec<Option<Tensor>> = results.iter().map(|v| known_of(call.b, v)).collect();
    let depends = call
        .inputs
        .iter()
        .zip(&known)
        .any(|(v, k)| v.as_ref().is_some_and(|v| v.batch.is_some()) || k.as_ref().is_some_and(|k| k.witness.is_some()));
    if !depends {
        let keep = |(value, one): (Value, Option<Tensor>)| match one {
            Some(one) if matches!(value.content, Content::Node(_)) => Value { content: Content::Known(Known::new(one, None)), ..value },
            _ => value,
        };
        return Ok(results.into_iter().zip(one).map(keep).collect());
    }
    let folded = if call.mask.is_none() { at_witness(call, &known, handler) } else { None };
    let combined = folded.and_then(|folded| {
        let each = |((value, one), witness): ((&Value, &Option<Tensor>), Tensor)| Some(combine(value, one.clone()?, witness));
        (folded.len() == results.len()).then(|| results.iter().zip(&one).zip(folded).map(each).collect::<Option<Vec<_>>>())?
    });
    match combined {
        Some(values) => {
            call.mixed = None;
            Ok(values)
        }
        // Too large at the witness: what the handler proves of the batch must do.
        None => handler(call),
    }
}

/// The elements of an input that is known; a weight that is an input of the graph is not.
fn known(b: &Builder, value: &Value) -> Option<Known> {
    match &value.content {
        _ if value.mixed.is_some() => None,
        Content::Known(known) => known.parameter.is_none().then(|| known.clone()),
        Content::Node(node) => constant_of(b, *node).map(|one| Known::new(one, None)),
    }
}

fn known_of(b: &Builder, value: &Value) -> Option<Tensor> {
    match &value.content {
        Content::Known(known) => Some(known.one.clone()),
        Content::Node(node) => constant_of(b, *node),
    }
}

fn constant_of(b: &Builder, node: NodeId) -> Option<Tensor> {
    match &b.graph().node(node).op {
        Op::Constant(tensor) if b.rows(node).is_empty() => Some((**tensor).clone()),
        _ => None,
    }
}

/// The results at the witness, computed in a graph of their own.
fn at_witness(call: &Call<'_>, known: &[Option<Known>], handler: Handler) -> Option<Vec<Tensor>> {
    let mut inputs = Vec::new();
    for (value, known) in call.inputs.iter().zip(known) {
        let input = match (value, known) {
            (Some(value), Some(known)) => {
                let tensor = match (&known.witness, value.batch) {
                    (Some(witness), _) => witness.clone(),
                    (None, Some(batch)) => repeated(&known.one, batch)?,
                    (None, None) => known.one.clone(),
                };
                Some(Value::known(value.dtype, tensor))
            }
            _ => None,
        };
        inputs.push(input);
    }
    let mut scratch = Builder::new();
    let mut second = Call {
        b: &mut scratch,
        opset: call.opset,
        proto: call.proto,
        attributes: call.attributes.clone(),
        inputs,
        folder: call.folder,
        max_elements: call.max_elements.min(WITNESS_ELEMENTS),
        folding: true,
        mixed: None,
        mask: None,
    };
    let results = handler(&mut second).ok()?;
    let tensors = results.iter().map(|v| known_of(second.b, v).filter(|t| t.len() <= WITNESS_ELEMENTS));
    tensors.collect()
}

/// A tensor that is the same for every sample, at the witness.
fn repeated(one: &Tensor, batch: BatchAxis) -> Option<Tensor> {
    let mut dims = one.dims().to_vec();
    let (front, along) = (dims[..batch.axis].iter().product::<usize>() * batch.outer, dims[batch.axis]);
    let back = dims[batch.axis + 1..].iter().product::<usize>() * batch.inner;
    dims[batch.axis] = along.checked_mul(WITNESS)?;
    let len = one.len().checked_mul(WITNESS).filter(|&n| n <= WITNESS_ELEMENTS)?;
    let mut all = Vec::with_capacity(len);
    for i in 0..front {
        for _ in 0..WITNESS {
            all.extend((i * back..(i + 1) * back).map(|j| one.at(j)));
        }
    }
    Some(Tensor::new(dims, all))
}

/// One value from its elements at both batch sizes.
fn combine(value: &Value, one: Tensor, witness: Tensor) -> Value {
    let batch = value.batch.filter(|b| one.dims()[b.axis] != witness.dims()[b.axis]);
    let same = match batch {
        Some(batch) => repeated(&one, batch).is_some_and(|r| r == witness),
        None => one == witness,
    };
    Value::folded(value.dtype, one, (!same).then_some(witness), batch)
}
