//! The builder: one arena in which a graph and its derivatives grow, sharing nodes.
//!
//! It infers types, folds constants, merges equal nodes and never writes a zero or a step that does nothing. Every
//! transformation writes through it, so there is no separate clean-up.

mod graft;
mod intern;
mod repeat;
mod simplify;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use std::sync::Arc;

use intern::Interned;

use crate::graph::{AxisInfo, Node};
use crate::ops::{Binary, Contraction, Convolution, Face, IndexMap, Unary};
use crate::{Axis, Error, Graph, NodeId, Op, Port, Result, Rows, Tensor};

/// Grows a [`Graph`].
#[derive(Debug, Clone)]
pub struct Builder {
    graph: Graph,
    interned: Interned,
    /// Operations that folding may still take.
    folding: usize,
}

/// Folding stops after so many operations in all: a model of nothing but constants is not worth more at load.
const FOLDING: usize = 1 << 30;

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

impl Builder {
    /// An empty graph with the `sample` axis.
    pub fn new() -> Self {
        let sample = AxisInfo { name: "sample".into(), size: None };
        Self { graph: Graph { axes: vec![sample], ..Graph::default() }, interned: Interned::default(), folding: FOLDING }
    }

    /// Continues a graph: its nodes keep their ids.
    pub fn from_graph(graph: Graph) -> Self {
        let mut interned = Interned::default();
        graph.nodes.iter().enumerate().for_each(|(i, node)| interned.insert(node, NodeId(i as u32)));
        Self { graph, interned, folding: FOLDING }
    }

    /// The graph so far.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The graph with these outputs. Nodes that reach none of them are dropped, except inputs; ids change.
    pub fn finish(mut self, outputs: Vec<Port>) -> Graph {
        self.graph.outputs = outputs;
        let live = self.graph.live();
        let mut new_ids = Vec::with_capacity(live.len());
        let mut nodes = Vec::with_capacity(live.len());
        for (mut node, live) in std::mem::take(&mut self.graph.nodes).into_iter().zip(live) {
            new_ids.push(NodeId(nodes.len() as u32));
            if live || matches!(node.op, Op::Input(_)) {
                node.operands.iter_mut().for_each(|o| *o = new_ids[o.index()]);
                nodes.push(node);
            }
        }
        self.graph.nodes = nodes;
        let ports = self.graph.inputs.iter_mut().chain(&mut self.graph.outputs);
        ports.for_each(|port| port.node = new_ids[port.node.index()]);
        self.graph
    }

    /// A fresh row axis.
    pub fn axis(&mut self, name: &str, size: usize) -> Result<Axis> {
        let index = self.graph.axes.len();
        if index >= 64 {
            return Err(Error::Limit { what: "number of row axes".into(), got: index as u64 + 1, limit: 64 });
        }
        self.graph.axes.push(AxisInfo { name: name.into(), size: Some(size) });
        Ok(Axis(index as u8))
    }

    /// A new input; `shape` is that of one sample as the user sees it, `item` that of the node.
    pub fn input(&mut self, name: &str, rows: Rows, shape: &[usize], item: &[usize]) -> NodeId {
        let node = self.push(Op::Input(self.graph.inputs.len()), vec![], rows, item.to_vec());
        self.graph.inputs.push(Port { name: name.into(), node, shape: shape.to_vec(), default: None });
        node
    }

    /// A constant without rows.
    pub fn constant(&mut self, value: Tensor) -> NodeId {
        let shape = value.dims().to_vec();
        self.push(Op::Constant(Arc::new(value)), vec![], Rows::NONE, shape)
    }

    /// A constant that varies over row axes: its dimensions are their sizes, then the item shape.
    pub fn constant_rows(&mut self, value: Tensor, rows: Rows) -> NodeId {
        let shape = value.dims()[rows.len()..].to_vec();
        self.push(Op::Constant(Arc::new(value)), vec![], rows, shape)
    }

    /// `shape` filled with one number.
    pub fn filled(&mut self, shape: &[usize], value: f64) -> NodeId {
        self.constant(Tensor::filled(shape, value))
    }

    /// The item shape of x filled with one number.
    pub fn filled_like(&mut self, x: NodeId, value: f64) -> NodeId {
        let shape = self.shape(x).to_vec();
        self.filled(&shape, value)
    }

    /// The value that all elements of a constant have, if x is one and they are equal.
    pub fn uniform(&self, x: NodeId) -> Option<f64> {
        if let Op::Constant(tensor) = &self.graph.node(x).op { tensor.uniform() } else { None }
    }

    /// The identity matrix as seeds: rows `{axis}`, items of `shape`; the axis has one row for each element.
    pub fn unit_seeds(&mut self, axis: Axis, shape: &[usize]) -> NodeId {
        let n: usize = shape.iter().product();
        let mut identity = vec![0.0; n * n];
        (0..n).for_each(|i| identity[i * n + i] = 1.0);
        let dims: Vec<usize> = std::iter::once(n).chain(shape.iter().copied()).collect();
        self.constant_rows(Tensor::new(dims, identity), Rows::of(axis))
    }

    /// The size of a row axis as a number.
    pub fn count(&mut self, axis: Axis) -> NodeId {
        match self.graph.axes[axis.index()].size {
            Some(size) => self.constant(Tensor::scalar(size as f64)),
            None => self.push(Op::Count(axis), vec![], Rows::NONE, vec![]),
        }
    }

    /// x through an index map; see [`Op::Map`].
    pub fn map(&mut self, x: NodeId, map: IndexMap) -> NodeId {
        let shape = map.shape().to_vec();
        self.push(Op::Map(Arc::new(map)), vec![x], self.rows(x), shape)
    }

    /// x added up through an index map into an item of `shape`; see [`Op::Scatter`].
    pub fn scatter(&mut self, x: NodeId, map: IndexMap, shape: &[usize]) -> NodeId {
        self.push(Op::Scatter(Arc::new(map)), vec![x], self.rows(x), shape.to_vec())
    }

    /// The same elements in another shape.
    pub fn reshape(&mut self, x: NodeId, shape: &[usize]) -> NodeId {
        if self.shape(x) == shape { x } else { self.map(x, IndexMap::reshape(shape)) }
    }

    /// Item axes in another order.
    pub fn transpose(&mut self, x: NodeId, order: &[usize]) -> NodeId {
        let (shape, steps) = (self.shape(x).to_vec(), crate::ops::contiguous(self.shape(x)));
        let new: Vec<usize> = order.iter().map(|&i| shape[i]).collect();
        let strides: Vec<isize> = order.iter().map(|&i| steps[i]).collect();
        self.map(x, IndexMap::strided(&new, 0, &strides))
    }

    /// Repeats along axes of length one, and along new leading axes, as NumPy does.
    pub fn expand(&mut self, x: NodeId, shape: &[usize]) -> NodeId {
        let (old, steps) = (self.shape(x).to_vec(), crate::ops::contiguous(self.shape(x)));
        let lead = shape.len() - old.len();
        let strides: Vec<isize> = (0..shape.len()).map(|i| if i < lead || old[i - lead] == 1 { 0 } else { steps[i - lead] }).collect();
        if old == shape { x } else { self.map(x, IndexMap::strided(shape, 0, &strides)) }
    }

    /// The sum over item axes, which stay with length one.
    pub fn sum(&mut self, x: NodeId, axes: &[usize]) -> NodeId {
        let shape = self.shape(x).to_vec();
        let kept: Vec<usize> = (0..shape.len()).map(|i| if axes.contains(&i) { 1 } else { shape[i] }).collect();
        let steps = crate::ops::contiguous(&kept);
        let strides: Vec<isize> = (0..shape.len()).map(|i| if axes.contains(&i) { 0 } else { steps[i] }).collect();
        self.scatter(x, IndexMap::strided(&shape, 0, &strides), &kept)
    }

    /// Values joined along an item axis.
    pub fn concat(&mut self, parts: &[NodeId], axis: usize) -> NodeId {
        let mut shape = self.shape(parts[0]).to_vec();
        shape[axis] = parts.iter().map(|&p| self.shape(p)[axis]).sum();
        let rows = self.union(parts);
        self.push(Op::Concat(axis), parts.to_vec(), rows, shape)
    }

    /// a where the mask is not zero, else b.
    pub fn select(&mut self, mask: NodeId, a: NodeId, b: NodeId) -> NodeId {
        self.same_shape(Op::Select, &[a, b, mask])
    }

    /// Elements of x at the flat positions in `index`.
    pub fn take(&mut self, x: NodeId, index: NodeId) -> NodeId {
        let (rows, shape) = (self.union(&[x, index]), self.shape(index).to_vec());
        self.push(Op::Take, vec![x, index], rows, shape)
    }

    /// Adds each y to the flat position that `index` names, in an item of `shape`.
    pub fn put(&mut self, y: NodeId, index: NodeId, shape: &[usize]) -> NodeId {
        let rows = self.union(&[y, index]);
        self.push(Op::Put, vec![y, index], rows, shape.to_vec())
    }

    /// The sum over a row axis; *times its size* where x does not vary over it.
    pub fn row_sum(&mut self, x: NodeId, axis: Axis) -> NodeId {
        if self.rows(x).contains(axis) {
            let (rows, shape) = (self.rows(x).minus(Rows::of(axis)), self.shape(x).to_vec());
            return self.push(Op::RowSum(axis), vec![x], rows, shape);
        }
        let count = self.count(axis);
        let shape = self.shape(x).to_vec();
        let count = self.expand(count, &shape);
        self.binary(Binary::Mul, x, count)
    }

    /// The same value with one row axis under another name.
    pub fn rename(&mut self, x: NodeId, from: Axis, to: Axis) -> NodeId {
        if !self.rows(x).contains(from) || from == to {
            return x;
        }
        let (rows, shape) = (self.rows(x).minus(Rows::of(from)).union(Rows::of(to)), self.shape(x).to_vec());
        self.push(Op::Rename { from, to }, vec![x], rows, shape)
    }

    /// A row axis of fixed size as the first axis of the item; a value that lacks it is repeated along it.
    pub fn stack(&mut self, x: NodeId, axis: Axis) -> NodeId {
        let shape = [&[self.graph.axis_size(axis, 1)], self.shape(x)].concat();
        if self.rows(x).contains(axis) {
            return self.push(Op::Stack(axis), vec![x], self.rows(x).minus(Rows::of(axis)), shape);
        }
        self.expand(x, &shape)
    }

    /// The first axis of the item as a row axis, whose size it has and which x lacks.
    pub fn unstack(&mut self, x: NodeId, axis: Axis) -> NodeId {
        debug_assert!(!self.rows(x).contains(axis) && self.shape(x).first() == Some(&self.graph.axis_size(axis, 1)));
        let (rows, shape) = (self.rows(x).union(Rows::of(axis)), self.shape(x)[1..].to_vec());
        self.push(Op::Unstack(axis), vec![x], rows, shape)
    }

    /// A scalar function of each element.
    pub fn unary(&mut self, f: Unary, x: NodeId) -> NodeId {
        self.same_shape(Op::Unary(f), &[x])
    }

    /// A scalar function of each pair of elements; item shapes are equal (see [`Builder::broadcast`]).
    pub fn binary(&mut self, f: Binary, a: NodeId, b: NodeId) -> NodeId {
        self.same_shape(Op::Binary(f), &[a, b])
    }

    /// A scalar function of each element and one number.
    pub fn with_scalar(&mut self, f: Binary, a: NodeId, b: f64) -> NodeId {
        let b = self.filled_like(a, b);
        self.binary(f, a, b)
    }

    /// Expands items to their common shape, as NumPy does.
    pub fn broadcast(&mut self, parts: &[NodeId]) -> Result<Vec<NodeId>> {
        let rank = parts.iter().map(|&p| self.shape(p).len()).max().unwrap_or(0);
        let mut shape = vec![1; rank];
        for &p in parts {
            let item = self.shape(p);
            for (i, &n) in item.iter().enumerate() {
                let slot = &mut shape[rank - item.len() + i];
                if *slot == 1 {
                    *slot = n;
                } else if n != 1 && n != *slot {
                    let shapes: Vec<_> = parts.iter().map(|&p| self.shape(p)).collect();
                    return Err(Error::Shape {
                        what: "operands".into(),
                        expected: "shapes that broadcast".into(),
                        got: format!("{shapes:?}"),
                    });
                }
            }
        }
        Ok(parts.iter().map(|&p| self.expand(p, &shape)).collect())
    }

    /// Two items contracted by labels. A row axis that is summed over and that neither operand has counts *times its size*.
    pub fn contract(&mut self, a: NodeId, b: NodeId, mut contraction: Contraction) -> NodeId {
        let absent = contraction.sum_rows.minus(self.union(&[a, b]));
        contraction.sum_rows = contraction.sum_rows.minus(absent);
        let size = |label: &u8| {
            let find = |labels: &[u8], node: NodeId| labels.iter().position(|l| l == label).map(|i| self.shape(node)[i]);
            find(&contraction.a, a).or_else(|| find(&contraction.b, b)).unwrap_or(1)
        };
        let shape = contraction.out.iter().map(size).collect();
        let rows = self.union(&[a, b]).minus(contraction.sum_rows);
        let sum = self.push(Op::Contract(contraction), vec![a, b], rows, shape);
        absent.iter().fold(sum, |sum, axis| self.row_sum(sum, axis))
    }

    /// One face of a convolution; `sum_rows` is for [`Face::Weight`] and counts as in [`Builder::contract`].
    pub fn convolve(&mut self, a: NodeId, b: NodeId, convolution: &Arc<Convolution>, face: Face, sum_rows: Rows) -> NodeId {
        let c = convolution;
        let shape = match face {
            Face::Value => [&[c.out_channels], &c.output[..]].concat(),
            Face::Data => [&[c.in_channels], &c.input[..]].concat(),
            Face::Weight => [&[c.out_channels, c.in_channels / c.groups], &c.kernel[..]].concat(),
        };
        let (rows, absent) = (self.union(&[a, b]).minus(sum_rows), sum_rows.minus(self.union(&[a, b])));
        let sum = self.push(Op::Convolve(convolution.clone(), face, sum_rows.minus(absent)), vec![a, b], rows, shape);
        absent.iter().fold(sum, |sum, axis| self.row_sum(sum, axis))
    }

    /// The position of the largest (or smallest) element of each window; see [`Op::ArgExtreme`].
    pub fn arg_extreme(&mut self, x: NodeId, windows: IndexMap, largest: bool) -> NodeId {
        let (shape, window) = (windows.shape()[..windows.shape().len() - 1].to_vec(), windows.shape()[windows.shape().len() - 1]);
        let op = Op::ArgExtreme { windows: Arc::new(windows), window, largest };
        self.push(op, vec![x], self.rows(x), shape)
    }

    /// x without its tangent.
    pub fn detach(&mut self, x: NodeId) -> NodeId {
        self.same_shape(Op::Detach, &[x])
    }

    /// The item shape of a value.
    pub fn shape(&self, id: NodeId) -> &[usize] {
        &self.graph.node(id).shape
    }

    /// The row axes of a value.
    pub fn rows(&self, id: NodeId) -> Rows {
        self.graph.node(id).rows
    }

    fn union(&self, nodes: &[NodeId]) -> Rows {
        nodes.iter().fold(Rows::NONE, |rows, &n| rows.union(self.rows(n)))
    }

    fn same_shape(&mut self, op: Op, operands: &[NodeId]) -> NodeId {
        let shape = self.shape(operands[0]).to_vec();
        debug_assert!(operands.iter().all(|&o| self.shape(o) == shape), "{op:?} of unequal shapes");
        let rows = self.union(operands);
        self.push(op, operands.to_vec(), rows, shape)
    }

    /// The operation of `node` once more, with other operands of the same item shapes.
    pub fn again(&mut self, node: &Node, operands: &[NodeId]) -> NodeId {
        match (&node.op, operands) {
            (Op::Map(map), &[x]) => self.map(x, (**map).clone()),
            (Op::Scatter(map), &[x]) => self.scatter(x, (**map).clone(), &node.shape),
            (Op::RowSum(axis), &[x]) => self.row_sum(x, *axis),
            (Op::Rename { from, to }, &[x]) => self.rename(x, *from, *to),
            (Op::Stack(axis), &[x]) => self.stack(x, *axis),
            (Op::Unstack(axis), &[x]) => self.unstack(x, *axis),
            (Op::Contract(contraction), &[a, b]) => self.contract(a, b, contraction.clone()),
            (Op::Convolve(convolution, face, sum_rows), &[a, b]) => self.convolve(a, b, convolution, *face, *sum_rows),
            (Op::Input(_) | Op::Constant(_) | Op::Count(_), _) => self.push(node.op.clone(), vec![], node.rows, node.shape.clone()),
            _ => {
                let rows = self.union(operands);
                self.push(node.op.clone(), operands.to_vec(), rows, node.shape.clone())
            }
        }
    }

    /// Every node comes through here: an operation that does nothing, folds or exists already is not written again.
    fn push(&mut self, op: Op, operands: Vec<NodeId>, rows: Rows, shape: Vec<usize>) -> NodeId {
        let node = Node { op, operands, rows, shape };
        if let Some(known) = self.interned.find(&self.graph, &node) {
            return known;
        }
        if let Some(simpler) = self.simplify(&node) {
            debug_assert_eq!((self.rows(simpler), self.shape(simpler)), (node.rows, &node.shape[..]), "{:?}", node.op);
            return simpler;
        }
        let id = NodeId(self.graph.nodes.len() as u32);
        self.interned.insert(&node, id);
        self.graph.nodes.push(node);
        id
    }
}
