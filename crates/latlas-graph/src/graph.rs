//! The intermediate representation: a graph that describes one sample.
//!
//! Nodes stand in topological order; each makes one value. A value's type is the set of row axes that it varies over
//! ([`Rows`]) and the shape of its item. The batch axis of the model file never appears here.

use std::sync::Arc;

use crate::{Axis, Kind, Op, Rows, Tensor};

/// A position in [`Graph::nodes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub(crate) u32);

impl NodeId {
    /// As an index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// One operation and the type of its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What it does.
    pub op: Op,
    /// With which values.
    pub operands: Vec<NodeId>,
    /// What its value varies over.
    pub rows: Rows,
    /// The shape of one item of its value.
    pub shape: Vec<usize>,
}

impl Node {
    /// The number of elements of one item.
    pub fn item_len(&self) -> usize {
        self.shape.iter().product()
    }
}

/// A row axis of a graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AxisInfo {
    /// `sample`, `tangent`, `probe` …; for people, not unique.
    pub name: String,
    /// The size; `None` for the samples, which are counted at run time.
    pub size: Option<usize>,
}

/// An input or output of a graph.
#[derive(Debug, Clone, PartialEq)]
pub struct Port {
    /// The tensor's name in the model file, or the name a transformation gave it.
    pub name: String,
    /// The node that holds the value.
    pub node: NodeId,
    /// The shape of one sample as its user sees it: without the batch axis, unlike the node's item, which may keep a 1
    /// in its place. Same number of elements, same order.
    pub shape: Vec<usize>,
    /// For an input with a value of its own (an initialiser, a parameter in training): that value.
    pub default: Option<Arc<Tensor>>,
}

/// An operator of the model file that the graph was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedOperator {
    /// ONNX operator type.
    pub op: String,
    /// The node's name in the file, or that of its first output.
    pub name: String,
    /// Its kind: [`Kind`], or `None` for a composite that was lowered.
    pub kind: Option<Kind>,
    /// Whether its derivative jumps somewhere.
    pub kink: bool,
}

/// A differentiable graph.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Graph {
    pub(crate) nodes: Vec<Node>,
    pub(crate) axes: Vec<AxisInfo>,
    /// What goes in, in order.
    pub inputs: Vec<Port>,
    /// What comes out, in order.
    pub outputs: Vec<Port>,
    /// Where it came from; empty for graphs that were built by hand.
    pub operators: Vec<ImportedOperator>,
}

impl Graph {
    /// All nodes in topological order.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// One node.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.index()]
    }

    /// All row axes; the first is `sample`.
    pub fn axes(&self) -> &[AxisInfo] {
        &self.axes
    }

    /// The size of a row axis when there are `n_samples`.
    pub fn axis_size(&self, axis: Axis, n_samples: usize) -> usize {
        self.axes[axis.index()].size.unwrap_or(n_samples)
    }

    /// The number of items that a value with these rows has when there are `n_samples`.
    pub fn row_count(&self, rows: Rows, n_samples: usize) -> usize {
        rows.iter().map(|axis| self.axis_size(axis, n_samples)).product()
    }

    /// The input with this name.
    pub fn input(&self, name: &str) -> crate::Result<usize> {
        find(&self.inputs, "input", name)
    }

    /// The output with this name.
    pub fn output(&self, name: &str) -> crate::Result<usize> {
        find(&self.outputs, "output", name)
    }

    /// Which nodes reach an output; everything else is dead.
    pub fn live(&self) -> Vec<bool> {
        self.reach(&self.outputs.iter().map(|port| port.node).collect::<Vec<_>>())
    }

    /// Which nodes the given ones are made from, themselves included.
    pub fn reach(&self, from: &[NodeId]) -> Vec<bool> {
        let mut live = vec![false; self.nodes.len()];
        for id in from {
            live[id.index()] = true;
        }
        for i in (0..self.nodes.len()).rev() {
            if live[i] {
                self.nodes[i].operands.iter().for_each(|o| live[o.index()] = true);
            }
        }
        live
    }

    /// Whether the graph's derivative jumps somewhere (ReLU, absolute value, maximum …).
    pub fn has_kinks(&self) -> bool {
        self.operators.iter().any(|o| o.kink)
    }
}

fn find(ports: &[Port], kind: &'static str, name: &str) -> crate::Result<usize> {
    ports.iter().position(|p| p.name == name).ok_or_else(|| crate::Error::NoSuchName {
        kind,
        name: name.into(),
        available: ports.iter().map(|p| p.name.clone()).collect(),
    })
}
