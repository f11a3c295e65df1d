//! What a tensor of the model file is during import: a shape at one sample, where the batch sits in it, and its content.

use std::cell::Cell;
use std::rc::Rc;

use super::dtype::Dtype;
use crate::{NodeId, Tensor};

/// The second batch size at which shape arithmetic is folded: a prime that no real dimension contains by chance.
pub const WITNESS: usize = 1009;

/// Where the batch sits: axis `axis` of size outer · N · inner, in row-major order.
///
/// After `[N, heads, d] → [N · heads, d]`, the axis is 0, outer is 1 and inner is `heads`. At N = 1, at which all shapes
/// are taken, the size of the axis is outer · inner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchAxis {
    /// The axis of the tensor.
    pub axis: usize,
    /// What is merged in front of the batch.
    pub outer: usize,
    /// What is merged behind the batch.
    pub inner: usize,
}

impl BatchAxis {
    /// An axis that is the batch and nothing else.
    pub fn plain(axis: usize) -> Self {
        Self { axis, outer: 1, inner: 1 }
    }

    /// The same split, on another axis.
    #[must_use]
    pub fn moved(self, axis: usize) -> Self {
        Self { axis, ..self }
    }
}

/// Why the elements of a tensor are of no use to one sample. Its shape still is: exporters index the batch just to ask
/// for a shape, so this is an error only when it reaches an output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mixing {
    /// The node that mixed the samples.
    pub node: String,
    /// Its operator type.
    pub op: String,
    /// How.
    pub what: String,
}

/// A condition that picks elements (`x[mask]`): every element is kept instead, and the condition beside it.
///
/// The axis that would list the chosen elements lists all of them. It counts as a batch axis, since all that is done to
/// chosen elements must be done to each on its own; the choice is made where they are written back.
#[derive(Debug, PartialEq, Eq)]
pub struct Mask {
    /// 1 where an element is chosen.
    pub node: NodeId,
    /// The shape of the condition.
    pub shape: Vec<usize>,
    /// Where the batch sits in the condition.
    pub batch: Option<BatchAxis>,
}

/// The elements of a tensor.
#[derive(Debug, Clone)]
pub enum Content {
    /// A node of the graph, whose item has exactly the tensor's shape.
    Node(NodeId),
    /// Known at import.
    Known(Known),
}

/// Elements that are known at import: weights, indices, shape arithmetic.
#[derive(Debug, Clone)]
pub struct Known {
    /// The elements at N = 1.
    pub one: Tensor,
    /// The elements at N = [`WITNESS`], where these may differ. With `None` they are the same for every sample.
    pub witness: Option<Tensor>,
    /// The name of the weight that this is, if weights are inputs.
    pub parameter: Option<Rc<str>>,
    node: Rc<Cell<Option<NodeId>>>,
}

impl Known {
    /// Elements at one sample and, where they may differ, at the witness.
    pub fn new(one: Tensor, witness: Option<Tensor>) -> Self {
        let witness = witness.filter(|w| *w != one);
        Self { one, witness, parameter: None, node: Rc::default() }
    }

    /// The node of this constant, made at most once.
    pub(super) fn node_or(&self, make: impl FnOnce() -> NodeId) -> NodeId {
        let node = self.node.get().unwrap_or_else(make);
        self.node.set(Some(node));
        node
    }
}

/// A tensor of the model file during import.
#[derive(Debug, Clone)]
pub struct Value {
    /// The element type in the file.
    pub dtype: Dtype,
    /// The shape at N = 1, with the rank that it has in the file.
    pub shape: Vec<usize>,
    /// Where the batch sits, if anywhere.
    pub batch: Option<BatchAxis>,
    /// Why its elements are of no use, if they are not.
    pub mixed: Option<Rc<Mixing>>,
    /// The condition that its batch axis is chosen by, if it is.
    pub mask: Option<Rc<Mask>>,
    /// Its elements.
    pub content: Content,
}

impl Value {
    /// A constant that does not depend on the batch.
    pub fn known(dtype: Dtype, one: Tensor) -> Self {
        Self { shape: one.dims().to_vec(), ..Self::folded(dtype, one, None, None) }
    }

    /// A constant at N = 1 and at the witness.
    pub fn folded(dtype: Dtype, one: Tensor, witness: Option<Tensor>, batch: Option<BatchAxis>) -> Self {
        let shape = one.dims().to_vec();
        Self { dtype, shape, batch, mixed: None, mask: None, content: Content::Known(Known::new(one, witness)) }
    }

    /// The shape at N = [`WITNESS`].
    pub fn witness_shape(&self) -> Vec<usize> {
        let mut shape = self.shape.clone();
        match (&self.content, self.batch) {
            (Content::Known(Known { witness: Some(w), .. }), _) => return w.dims().to_vec(),
            (_, Some(batch)) => shape[batch.axis] = shape[batch.axis].saturating_mul(WITNESS),
            _ => {}
        }
        shape
    }
}
