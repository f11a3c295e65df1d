//! Equal nodes are one node: an index from what a node computes to where it stands.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::graph::Node;
use crate::ops::{Form, IndexMap};
use crate::{Graph, NodeId, Op, Tensor};

/// The nodes of a builder, by hash. It is only ever searched, so that no order of a hash map reaches a result.
#[derive(Debug, Clone, Default)]
pub(super) struct Interned(HashMap<u64, Vec<NodeId>>);

impl Interned {
    /// The node that computes the same.
    pub fn find(&self, graph: &Graph, node: &Node) -> Option<NodeId> {
        let candidates = self.0.get(&hash(node))?;
        candidates.iter().copied().find(|&id| same(graph.node(id), node))
    }

    /// Remembers a node.
    pub fn insert(&mut self, node: &Node, id: NodeId) {
        self.0.entry(hash(node)).or_default().push(id);
    }
}

fn same(a: &Node, b: &Node) -> bool {
    let operands = a.operands == b.operands
        || matches!((&a.operands[..], &b.operands[..]), ([p, q], [r, s]) if p == s && q == r && is_commutative(&a.op));
    operands && a.rows == b.rows && a.shape == b.shape && a.op == b.op
}

fn is_commutative(op: &Op) -> bool {
    matches!(op, Op::Binary(f) if f.is_commutative())
}

fn hash(node: &Node) -> u64 {
    let h = &mut DefaultHasher::new();
    (std::mem::discriminant(&node.op), node.rows, &node.shape).hash(h);
    match &node.operands[..] {
        [a, b] if is_commutative(&node.op) => [a.min(b), a.max(b)].hash(h),
        operands => operands.hash(h),
    }
    match &node.op {
        Op::Input(position) | Op::Concat(position) => position.hash(h),
        Op::Constant(tensor) => hash_tensor(tensor, h),
        Op::Count(axis) | Op::RowSum(axis) | Op::Stack(axis) | Op::Unstack(axis) => axis.hash(h),
        Op::Map(map) | Op::Scatter(map) => hash_map(map, h),
        Op::ArgExtreme { windows, window, largest } => {
            hash_map(windows, h);
            (window, largest).hash(h);
        }
        Op::Rename { from, to } => (from, to).hash(h),
        Op::Unary(f) => f.hash(h),
        Op::Binary(f) => f.hash(h),
        Op::Contract(contraction) => contraction.hash(h),
        Op::Convolve(convolution, face, rows) => (convolution, face, rows).hash(h),
        Op::Select | Op::Take | Op::Put | Op::Detach => {}
    }
    h.finish()
}

/// Large contents are hashed by a few elements only; equality looks at all of them.
fn sampled(len: usize) -> impl Iterator<Item = usize> {
    (0..len).step_by(len.div_ceil(64).max(1))
}

fn hash_map(map: &IndexMap, h: &mut impl Hasher) {
    map.shape().hash(h);
    match map.form() {
        Form::Strided { offset, strides } => (offset, strides).hash(h),
        Form::Table(table) => sampled(table.len()).for_each(|i| table[i].hash(h)),
    }
}

fn hash_tensor(tensor: &Tensor, h: &mut impl Hasher) {
    tensor.dims().hash(h);
    sampled(tensor.len()).for_each(|i| tensor.at(i).to_bits().hash(h));
}
