//! One operator call during import: what a handler sees of its node, and the only door through which it takes data.

use std::borrow::Cow;
use std::rc::Rc;

use super::MAX_RANK;
use super::dtype::Dtype;
use super::external::Folder;
use super::proto::{AttributeProto, NodeProto, TensorProto};
use super::tensor::{decode, element_count};
use super::value::{BatchAxis, Content, Known, Mask, Mixing, Value};
use crate::{Builder, Error, NodeId, Op, Result, Rows, Tensor, UnsupportedOperator};

/// One operator with its inputs and attributes; see [`super::ops`] for how handlers use it.
pub struct Call<'a> {
    /// The graph that grows.
    pub b: &'a mut Builder,
    /// The version of the operator set.
    pub opset: i64,
    pub(super) proto: &'a NodeProto,
    pub(super) attributes: Vec<(&'a str, &'a AttributeProto)>,
    pub(super) inputs: Vec<Option<Value>>,
    pub(super) folder: &'a Folder,
    pub(super) max_elements: usize,
    /// Folding looks at both batch sizes itself: what depends on the number of samples is then not yet of no use.
    pub(super) folding: bool,
    pub(super) mixed: Option<Rc<Mixing>>,
    pub(super) mask: Option<Rc<Mask>>,
}

/// # Inputs
impl Call<'_> {
    /// The number of inputs, those left out at the end not counted.
    pub fn len(&self) -> usize {
        self.inputs.len()
    }

    /// Whether there are no inputs.
    pub fn is_empty(&self) -> bool {
        self.inputs.is_empty()
    }

    /// The number of outputs that the node names.
    pub fn outputs(&self) -> usize {
        self.proto.output.len()
    }

    /// Whether output `i` is named, so that somebody may use it.
    pub fn wants(&self, i: usize) -> bool {
        self.proto.output.get(i).is_some_and(|name| !name.is_empty())
    }

    /// Whether input `i` is given.
    pub fn has(&self, i: usize) -> bool {
        self.inputs.get(i).is_some_and(Option::is_some)
    }

    /// Input `i`: its type, shape and batch axis. Take its elements with [`Call::node`], [`Call::ints`] or [`Call::constant`].
    pub fn input(&self, i: usize) -> Result<&Value> {
        self.inputs.get(i).and_then(Option::as_ref).ok_or_else(|| self.refuse(format!("input {i} is missing"), None))
    }

    /// The element type of input `i`.
    pub fn dtype(&self, i: usize) -> Result<Dtype> {
        Ok(self.input(i)?.dtype)
    }

    /// The shape of input `i` at N = 1, a copy.
    pub fn shape(&self, i: usize) -> Result<Vec<usize>> {
        Ok(self.input(i)?.shape.clone())
    }

    /// Where the batch sits in input `i`.
    pub fn batch(&self, i: usize) -> Result<Option<BatchAxis>> {
        Ok(self.input(i)?.batch)
    }

    /// Input `i` as data: the node whose item has the input's shape. What makes it useless to one sample (its samples were
    /// mixed, or it depends on their number) passes on to the results.
    pub fn node(&mut self, i: usize) -> Result<NodeId> {
        let value = self.input(i)?.clone();
        self.node_of(&value)
    }

    /// As [`Call::node`], for any value.
    pub fn node_of(&mut self, value: &Value) -> Result<NodeId> {
        if let Some(mixed) = &value.mixed {
            // The first node that mixed is the one to be told of.
            self.mixed = Some(mixed.clone());
        }
        if let Some(mask) = &value.mask {
            match &self.mask {
                Some(other) if other != mask => {
                    return Err(self.refuse("works on elements chosen by two different conditions".into(), None));
                }
                _ => self.mask = Some(mask.clone()),
            }
        }
        match &value.content {
            Content::Node(node) => Ok(*node),
            Content::Known(known) => {
                if known.witness.is_some() && !self.folding {
                    self.mixes("its input depends on the number of samples");
                }
                let b = &mut *self.b;
                Ok(known.node_or(|| match &known.parameter {
                    Some(name) => b.input(name, Rows::NONE, &value.shape, &value.shape),
                    None => b.constant(known.one.clone()),
                }))
            }
        }
    }

    /// Input `i` as data, where it is given.
    pub fn optional_node(&mut self, i: usize) -> Result<Option<NodeId>> {
        if self.has(i) { self.node(i).map(Some) } else { Ok(None) }
    }

    /// The elements of input `i` where they are known at import and the same for any number of samples.
    pub fn constant_opt(&self, i: usize) -> Result<Option<Tensor>> {
        let value = self.input(i)?;
        Ok(match &value.content {
            Content::Known(Known { one, witness: None, .. }) => Some(one.clone()),
            Content::Known(_) => None,
            Content::Node(node) => match &self.b.graph().node(*node).op {
                Op::Constant(tensor) if value.mixed.is_none() && self.b.rows(*node).is_empty() => Some((**tensor).clone()),
                _ => None,
            },
        })
    }

    /// As [`Call::constant_opt`]; an error where they are not.
    pub fn constant(&self, i: usize) -> Result<Tensor> {
        self.constant_opt(i)?.ok_or_else(|| {
            let dependent = matches!(&self.input(i).map(|v| &v.content), Ok(Content::Known(_)));
            let why = if dependent { "depends on the number of samples" } else { "is computed from the model's inputs" };
            self.refuse(
                format!("input {i} must be a constant, but it {why}"),
                Some("shapes, axes, sizes and paddings must not depend on data; export with fixed sizes"),
            )
        })
    }

    /// The elements of input `i` as integers.
    pub fn ints(&self, i: usize) -> Result<Vec<i64>> {
        Ok(self.constant(i)?.to_f64().into_iter().map(|x| x as i64).collect())
    }

    /// The elements of input `i` as integers at N = 1 and at the witness: for shape arguments, which may contain N.
    pub fn ints_at_both(&self, i: usize) -> Result<(Vec<i64>, Vec<i64>)> {
        let ints = |t: &Tensor| t.to_f64().into_iter().map(|x| x as i64).collect::<Vec<_>>();
        if let Content::Known(Known { one, witness: Some(witness), .. }) = &self.input(i)?.content {
            return Ok((ints(one), ints(witness)));
        }
        let one = self.ints(i)?;
        Ok((one.clone(), one))
    }

    /// The single number that input `i` holds.
    pub fn scalar(&self, i: usize) -> Result<f64> {
        let tensor = self.constant(i)?;
        if tensor.len() != 1 {
            return Err(self.refuse(format!("input {i} must hold one number, it has shape {:?}", tensor.dims()), None));
        }
        Ok(tensor.at(0))
    }
}

/// # Attributes
impl Call<'_> {
    fn attribute(&self, name: &str) -> Option<&AttributeProto> {
        self.attributes.iter().find(|(n, _)| *n == name).map(|(_, a)| *a)
    }

    /// Whether the attribute is given.
    pub fn has_attribute(&self, name: &str) -> bool {
        self.attribute(name).is_some()
    }

    fn typed<T>(&self, name: &str, kind: &str, get: impl Fn(&AttributeProto) -> Option<T>) -> Result<Option<T>> {
        let Some(attribute) = self.attribute(name) else { return Ok(None) };
        get(attribute).map(Some).ok_or_else(|| self.refuse(format!("attribute {name:?} is not {kind}"), None))
    }

    /// An integer attribute, where given.
    pub fn int_opt(&self, name: &str) -> Result<Option<i64>> {
        self.typed(name, "an integer", |a| a.i.or((a.kind == 2).then_some(0)))
    }

    /// An integer attribute.
    pub fn int(&self, name: &str, default: i64) -> Result<i64> {
        Ok(self.int_opt(name)?.unwrap_or(default))
    }

    /// A flag: an integer attribute that is not 0.
    pub fn flag(&self, name: &str, default: bool) -> Result<bool> {
        Ok(self.int(name, default.into())? != 0)
    }

    /// A float attribute, where given.
    pub fn float_opt(&self, name: &str) -> Result<Option<f64>> {
        self.typed(name, "a number", |a| a.f.or((a.kind == 1).then_some(0.0)).map(f64::from))
    }

    /// A float attribute.
    pub fn float(&self, name: &str, default: f64) -> Result<f64> {
        Ok(self.float_opt(name)?.unwrap_or(default))
    }

    /// A list of integers, where given.
    pub fn ints_attribute(&self, name: &str) -> Result<Option<Vec<i64>>> {
        self.typed(name, "a list of integers", |a| (a.i.is_none() && a.f.is_none()).then(|| a.ints.clone()))
    }

    /// A list of floats, where given.
    pub fn floats_attribute(&self, name: &str) -> Result<Option<Vec<f64>>> {
        let widen = |a: &AttributeProto| a.floats.iter().map(|&x| f64::from(x)).collect();
        self.typed(name, "a list of numbers", |a| (a.i.is_none() && a.f.is_none()).then(|| widen(a)))
    }

    /// A text attribute.
    pub fn string<'s>(&'s self, name: &str, default: &'s str) -> Result<Cow<'s, str>> {
        let Some(attribute) = self.attribute(name) else { return Ok(Cow::Borrowed(default)) };
        match &attribute.s {
            Some(bytes) => Ok(String::from_utf8_lossy(bytes)),
            None if attribute.kind == 3 => Ok(Cow::Borrowed("")),
            None => Err(self.refuse(format!("attribute {name:?} is not text"), None)),
        }
    }

    /// A tensor attribute, where given.
    pub fn tensor(&self, name: &str) -> Result<Option<(Dtype, Tensor)>> {
        let Some(attribute) = self.attribute(name) else { return Ok(None) };
        let tensor: &TensorProto =
            attribute.t.as_deref().ok_or_else(|| self.refuse(format!("attribute {name:?} is not a tensor"), None))?;
        decode(tensor, self.folder).map(Some)
    }

    /// A sparse tensor attribute, where given, as a dense one.
    pub fn sparse_tensor(&self, name: &str) -> Result<Option<(Dtype, Tensor)>> {
        let Some(sparse) = self.attribute(name).and_then(|a| a.sparse_tensor.as_deref()) else { return Ok(None) };
        let wrong = || self.refuse(format!("attribute {name:?} is not a well-formed sparse tensor"), None);
        let (Some(values), Some(indices)) = (&sparse.values, &sparse.indices) else { return Err(wrong()) };
        let ((dtype, values), (_, indices)) = (decode(values, self.folder)?, decode(indices, self.folder)?);
        let dims: Option<Vec<usize>> = sparse.dims.iter().map(|&d| usize::try_from(d).ok()).collect();
        let dims = dims.ok_or_else(wrong)?;
        let mut dense = vec![0.0; self.elements(&dims)?];
        // Positions are flat, or one row of coordinates each.
        let width = if indices.dims().len() == 2 { dims.len() } else { 1 };
        if values.len().checked_mul(width) != Some(indices.len()) {
            return Err(wrong());
        }
        for i in 0..values.len() {
            let coordinates = (0..width).map(|k| indices.at(i * width + k));
            let sizes = if width == 1 { &[dense.len()][..] } else { &dims };
            let at = coordinates.zip(sizes).try_fold(0usize, |at, (c, &n)| (c >= 0.0 && c < n as f64).then(|| at * n + c as usize));
            *at.and_then(|at| dense.get_mut(at)).ok_or_else(wrong)? = values.at(i);
        }
        Ok(Some((dtype, Tensor::new(dims, dense))))
    }

    /// An axis attribute of a tensor of this rank; negative ones count from the end.
    pub fn axis(&self, name: &str, default: i64, rank: usize) -> Result<usize> {
        self.wrap_axis(self.int(name, default)?, rank)
    }

    /// An axis as a position; negative ones count from the end.
    pub fn wrap_axis(&self, axis: i64, rank: usize) -> Result<usize> {
        let wrapped = if axis < 0 { axis.checked_add(rank as i64) } else { Some(axis) };
        wrapped
            .filter(|&a| a >= 0 && a < rank as i64)
            .map(|a| a as usize)
            .ok_or_else(|| self.refuse(format!("axis {axis} does not exist in a tensor of rank {rank}"), None))
    }

    /// Several axes of a tensor of this rank, each at most once, in the order given.
    pub fn wrap_axes(&self, axes: &[i64], rank: usize) -> Result<Vec<usize>> {
        let wrapped = axes.iter().map(|&a| self.wrap_axis(a, rank)).collect::<Result<Vec<_>>>()?;
        match (0..wrapped.len()).find(|&i| wrapped[..i].contains(&wrapped[i])) {
            Some(i) => Err(self.refuse(format!("axis {} is named twice in {axes:?}", axes[i]), None)),
            None => Ok(wrapped),
        }
    }

    /// Integers from input `i` or, in older operator sets, from the attribute `name`.
    pub fn ints_or_attribute(&self, i: usize, name: &str) -> Result<(Vec<i64>, Vec<i64>)> {
        match self.ints_attribute(name)? {
            Some(ints) if !self.has(i) => Ok((ints.clone(), ints)),
            _ => self.ints_at_both(i),
        }
    }

    /// Axes from the attribute `axes` or, in newer operator sets, from input `i`; `None` where neither is given.
    pub fn axes(&self, i: usize) -> Result<Option<Vec<i64>>> {
        if self.has(i) { self.ints(i).map(Some) } else { self.ints_attribute("axes") }
    }
}

/// # The batch
impl Call<'_> {
    /// Marks the results: samples influence each other. An error only where they reach an output.
    pub fn mixes(&mut self, what: &str) {
        let mixing = || Rc::new(Mixing { node: self.proto.label().into(), op: self.proto.operator(), what: what.into() });
        self.mixed.get_or_insert_with(mixing);
    }

    /// The operator works along these axes of input `i`: the batch must not be among them.
    pub fn beside(&mut self, i: usize, axes: &[usize]) -> Result<Option<BatchAxis>> {
        let batch = self.batch(i)?;
        if let Some(batch) = batch.filter(|b| axes.contains(&b.axis)) {
            self.mixes(&format!("it works along axis {} of input {i}, which holds the batch", batch.axis));
        }
        Ok(batch)
    }

    /// The batch axis that all these agree on; where they differ, every sample would meet every other.
    pub fn join(&mut self, batches: &[Option<BatchAxis>]) -> Option<BatchAxis> {
        let mut given = batches.iter().flatten();
        let first = *given.next()?;
        if let Some(other) = given.find(|&&b| b != first) {
            self.mixes(&if other.axis == first.axis {
                format!("the batch is merged differently into axis {} of its inputs", first.axis)
            } else {
                format!("the batch is on axis {} of one input and on axis {} of another", first.axis, other.axis)
            });
        }
        Some(first)
    }

    /// Where the batch of input `i` sits after the input was broadcast to `rank` axes.
    pub fn batch_at_rank(&self, i: usize, rank: usize) -> Result<Option<BatchAxis>> {
        let value = self.input(i)?;
        Ok(value.batch.map(|b| b.moved(b.axis + rank.saturating_sub(value.shape.len()))))
    }

    /// Inputs as data, expanded to their common shape, and where the batch sits in it.
    pub fn broadcast(&mut self, inputs: &[usize]) -> Result<(Vec<NodeId>, Option<BatchAxis>)> {
        let nodes = inputs.iter().map(|&i| self.node(i)).collect::<Result<Vec<_>>>()?;
        let shapes = inputs.iter().map(|&i| self.shape(i)).collect::<Result<Vec<_>>>()?;
        let shape = self.common_shape(&shapes)?;
        let batches = inputs.iter().map(|&i| self.batch_at_rank(i, shape.len())).collect::<Result<Vec<_>>>()?;
        let batch = self.join(&batches);
        Ok((nodes.into_iter().map(|n| self.b.expand(n, &shape)).collect(), batch))
    }

    /// The shape that these broadcast to, as in NumPy.
    pub fn common_shape(&self, shapes: &[Vec<usize>]) -> Result<Vec<usize>> {
        let rank = shapes.iter().map(Vec::len).max().unwrap_or(0);
        let mut common = vec![1; rank];
        for shape in shapes {
            for (slot, &n) in common[rank - shape.len()..].iter_mut().zip(shape) {
                match (*slot, n) {
                    (_, 1) => {}
                    (1, _) => *slot = n,
                    (have, n) if have == n => {}
                    _ => return Err(self.refuse(format!("shapes {shapes:?} do not broadcast"), None)),
                }
            }
        }
        self.elements(&common)?;
        Ok(common)
    }

    /// Where the batch of input `i` sits after these axes were reduced, which must leave it alone.
    pub fn reduced_batch(&mut self, i: usize, axes: &[usize], keep: bool) -> Result<Option<BatchAxis>> {
        let batch = self.beside(i, axes)?;
        let before = |b: BatchAxis| axes.iter().filter(|&&a| a < b.axis).count();
        Ok(batch.filter(|b| keep || !axes.contains(&b.axis)).map(|b| if keep { b } else { b.moved(b.axis - before(b)) }))
    }
}

/// # Results
impl Call<'_> {
    /// A result: its shape is the node's item.
    pub fn value(&self, node: NodeId, dtype: Dtype, batch: Option<BatchAxis>) -> Value {
        let shape = self.b.shape(node).to_vec();
        Value { dtype, shape, batch, mixed: None, mask: None, content: Content::Node(node) }
    }

    /// The only result.
    pub fn result(&self, node: NodeId, dtype: Dtype, batch: Option<BatchAxis>) -> Result<Vec<Value>> {
        Ok(vec![self.value(node, dtype, batch)])
    }

    /// The number of elements of an array that is about to be made (a result, an index table), within the limit for
    /// untrusted files. Call it before allocating anything whose size the file decides.
    pub fn elements(&self, shape: &[usize]) -> Result<usize> {
        // An axis of length 0 must not hide how long the others are.
        let filled: Vec<usize> = shape.iter().map(|&n| n.max(1)).collect();
        let elements = element_count(&filled).filter(|_| shape.len() <= MAX_RANK).unwrap_or(usize::MAX);
        if elements > self.max_elements {
            return Err(Error::Limit {
                what: format!("number of elements of {shape:?} at node {:?} ({})", self.proto.label(), self.proto.operator()),
                got: elements as u64,
                limit: self.max_elements as u64,
            });
        }
        Ok(if shape.contains(&0) { 0 } else { elements })
    }

    /// Refuses what this node asks for.
    pub fn refuse(&self, what: String, hint: Option<&str>) -> Error {
        let (node, op) = (self.proto.label().into(), self.proto.operator());
        Error::Node { node, op, what, hint: hint.map(Into::into) }
    }

    /// The operator is not supported in this form; reported with all others of the file.
    pub fn unsupported(&self, reason: &str) -> Error {
        let (op, first_node) = (self.proto.operator(), self.proto.label().into());
        Error::Unsupported { operators: vec![UnsupportedOperator { op, count: 1, first_node, reason: Some(reason.into()) }] }
    }
}
