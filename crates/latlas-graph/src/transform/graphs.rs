//! Whole graphs of derivatives, with named ports.

use super::elimination::Elimination;
use super::jvp::jvp_in_order;
use super::{jvp, vjp};
use crate::ops::Contraction;
use crate::{Axis, Builder, Graph, NodeId, Port, Result, Rows, Tensor};

/// The name that an axis of tangents has.
pub const TANGENT: &str = "tangent";

impl Graph {
    /// The chosen outputs, then for each of them a port `NAME.jacobian`: its derivative along every element of an input.
    ///
    /// Rows {sample, tangent}, or {tangent} alone where the Jacobian is the same for all samples; items are the output's. Row t is the column of the
    /// Jacobian for element t of the input. It is accumulated in the order of [`Graph::elimination`].
    ///
    /// # Errors
    /// Those of [`jvp`]; the number of row axes is limited.
    pub fn jacobian(&self, input: usize, outputs: &[usize]) -> Result<Self> {
        self.jacobian_in_order(input, outputs, &self.elimination(input, outputs))
    }

    /// A cheap order in which to accumulate the Jacobian of the chosen outputs.
    pub fn elimination(&self, input: usize, outputs: &[usize]) -> Elimination {
        Elimination::choose(self, self.inputs[input].node, &self.nodes_of(outputs))
    }

    /// As [`Graph::jacobian`], in a given order; the default one is plain forward mode.
    ///
    /// # Errors
    /// Those of [`Graph::jacobian`].
    pub fn jacobian_in_order(&self, input: usize, outputs: &[usize], order: &Elimination) -> Result<Self> {
        let mut b = Builder::from_graph(self.clone());
        let (_, columns) = columns(&mut b, self, input, outputs, order)?;
        Ok(b.finish(self.ports_with(outputs, "jacobian", &columns, |port| port.shape.clone())))
    }

    /// The chosen outputs, then for each of them a port `NAME.jvp`: its derivatives along the `k` tangents of a further
    /// input `tangents`, rows {sample, tangent}.
    ///
    /// # Errors
    /// Those of [`jvp`]; the number of row axes is limited.
    pub fn jvp_graph(&self, input: usize, outputs: &[usize], k: usize) -> Result<Self> {
        let mut b = Builder::from_graph(self.clone());
        let port = &self.inputs[input];
        let axis = b.axis(TANGENT, k)?;
        let tangents = b.input("tangents", Rows::SAMPLE.union(Rows::of(axis)), &port.shape, &self.node(port.node).shape);
        let primal = self.nodes_of(outputs);
        let pushed = jvp(&mut b, &[(port.node, tangents)], &primal)?;
        let pushed = or_zero(&mut b, &primal, &pushed, axis);
        Ok(b.finish(self.ports_with(outputs, "jvp", &pushed, |port| port.shape.clone())))
    }

    /// The chosen output, then a port `INPUT.cotangent`: the `k` cotangents of a further input `cotangents`, rows
    /// {sample, probe}, pulled back to an input.
    ///
    /// # Errors
    /// Those of [`vjp`]; the number of row axes is limited.
    pub fn vjp_graph(&self, input: usize, output: usize, k: usize) -> Result<Self> {
        let mut b = Builder::from_graph(self.clone());
        let (from, to) = (&self.inputs[input], &self.outputs[output]);
        let axis = b.axis("probe", k)?;
        let cotangents = b.input("cotangents", Rows::SAMPLE.union(Rows::of(axis)), &to.shape, &self.node(to.node).shape);
        let pulled = vjp(&mut b, &[(to.node, cotangents)], &[from.node])?;
        let pulled = or_zero(&mut b, &[from.node], &pulled, axis);
        let name = format!("{}.cotangent", from.name);
        let cotangent = Port { name, node: pulled[0], shape: from.shape.clone(), default: None };
        Ok(b.finish(vec![to.clone(), cotangent]))
    }

    /// The chosen outputs, then for each of them a port `NAME.gram`: JᵀJ of its Jacobian J, rows {sample, tangent,
    /// tangent'} and a scalar item.
    ///
    /// # Errors
    /// Those of [`jvp`]; the number of row axes is limited.
    pub fn gram(&self, input: usize, outputs: &[usize]) -> Result<Self> {
        let mut b = Builder::from_graph(self.clone());
        let (tangent, columns) = columns(&mut b, self, input, outputs, &self.elimination(input, outputs))?;
        let size = self.node(self.inputs[input].node).item_len();
        let primed = b.axis("tangent'", size)?;
        let mut grams = Vec::with_capacity(columns.len());
        for column in columns {
            let len = b.graph().node(column).item_len();
            let flat = b.reshape(column, &[len]);
            let other = b.rename(flat, tangent, primed);
            grams.push(b.contract(flat, other, Contraction { a: vec![0], b: vec![0], out: vec![], sum_rows: Rows::NONE }));
        }
        Ok(b.finish(self.ports_with(outputs, "gram", &grams, |_| vec![])))
    }

    fn nodes_of(&self, outputs: &[usize]) -> Vec<NodeId> {
        outputs.iter().map(|&o| self.outputs[o].node).collect()
    }

    /// The chosen outputs and one derived port for each.
    fn ports_with(&self, outputs: &[usize], suffix: &str, derived: &[NodeId], shape: fn(&Port) -> Vec<usize>) -> Vec<Port> {
        let primal = outputs.iter().map(|&o| self.outputs[o].clone());
        let derived = outputs.iter().zip(derived).map(|(&o, &node)| {
            let port = &self.outputs[o];
            Port { name: format!("{}.{suffix}", port.name), node, shape: shape(port), default: None }
        });
        primal.chain(derived).collect()
    }
}

/// The Jacobians of outputs, as tangents along a fresh axis.
fn columns(b: &mut Builder, graph: &Graph, input: usize, outputs: &[usize], order: &Elimination) -> Result<(Axis, Vec<NodeId>)> {
    let x = graph.inputs[input].node;
    let shape = graph.node(x).shape.clone();
    let axis = b.axis(TANGENT, graph.node(x).item_len())?;
    let seeds = b.unit_seeds(axis, &shape);
    let primal = graph.nodes_of(outputs);
    let tangents = jvp_in_order(b, &[(x, seeds)], &primal, order)?;
    Ok((axis, or_zero(b, &primal, &tangents, axis)))
}

/// Derivatives that are zero, written out after all: a port needs a value, with the axis that its user expects.
pub(super) fn or_zero(b: &mut Builder, primal: &[NodeId], derived: &[Option<NodeId>], axis: Axis) -> Vec<NodeId> {
    let mut zero = |p: NodeId| {
        let size = b.graph().axis_size(axis, 1);
        let dims: Vec<usize> = std::iter::once(size).chain(b.shape(p).iter().copied()).collect();
        b.constant_rows(Tensor::filled(&dims, 0.0), Rows::of(axis))
    };
    primal.iter().zip(derived).map(|(&p, d)| d.unwrap_or_else(|| zero(p))).collect()
}
