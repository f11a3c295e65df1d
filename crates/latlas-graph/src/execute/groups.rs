//! Which nodes are views of others, and which run together as one kernel.

use super::phases::Phase;
use crate::ops::{Form, Unary};
use crate::{Axis, Graph, Node, NodeId, Op, Rows};

/// What a group reads.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Operand {
    /// A value, under the node that names its rows (its memory may be that of another node, see [`Plan::roots`]).
    Value(NodeId),
    /// One number for all elements.
    Uniform(f64),
    /// A value of fewer elements, repeated by a strided map on the way into a pointwise chain.
    Expanded {
        /// The node of the map, which makes no value of its own.
        map: NodeId,
        /// What it reads.
        source: NodeId,
    },
}

/// What a step of a pointwise chain reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Argument {
    /// An operand of the group.
    Operand(usize),
    /// The value of an earlier step.
    Step(usize),
}

/// A node within a group.
#[derive(Debug, Clone)]
pub struct Step {
    /// The node.
    pub node: NodeId,
    /// Where it finds its operands.
    pub arguments: Vec<Argument>,
}

/// Nodes that run as one kernel; the value of the last is the group's.
#[derive(Debug, Clone)]
pub struct Group {
    /// What it reads.
    pub operands: Vec<Operand>,
    /// Its nodes in order; there is at least one.
    pub steps: Vec<Step>,
}

impl Group {
    /// The node whose value the group makes.
    pub fn result(&self) -> NodeId {
        self.steps[self.steps.len() - 1].node
    }

    /// The values that it reads.
    pub fn values(&self) -> impl Iterator<Item = NodeId> {
        self.operands.iter().filter_map(|o| match o {
            Operand::Value(id) | Operand::Expanded { source: id, .. } => Some(*id),
            Operand::Uniform(_) => None,
        })
    }
}

/// Steps of a chain at most, so that its registers stay few.
const LONGEST_CHAIN: usize = 32;

/// Views are other nodes' memory.
pub fn roots(graph: &Graph) -> Vec<NodeId> {
    let mut roots: Vec<NodeId> = Vec::with_capacity(graph.nodes().len());
    for (i, node) in graph.nodes().iter().enumerate() {
        let view = match &node.op {
            Op::Detach => true,
            Op::Map(map) => map.is_identity(graph.node(node.operands[0]).item_len()),
            Op::Rename { from, to } => {
                let position = |rows: Rows, axis: &Axis| rows.iter().position(|a| a == *axis);
                position(graph.node(node.operands[0]).rows, from) == position(node.rows, to)
            }
            Op::Stack(axis) => graph.node(node.operands[0]).rows.iter().last() == Some(*axis),
            Op::Unstack(axis) => node.rows.iter().last() == Some(*axis),
            _ => false,
        };
        roots.push(if view { roots[node.operands[0].index()] } else { NodeId(i as u32) });
    }
    roots
}

fn pointwise(op: &Op) -> bool {
    matches!(op, Op::Unary(_) | Op::Binary(_) | Op::Select)
}

/// Every node that makes a value of its own, alone or with the pointwise nodes that only it reads.
pub fn groups(graph: &Graph, live: &[bool], phases: &[Phase], roots: &[NodeId]) -> Vec<Group> {
    let absorbed = absorbed(graph, live, roots);
    let makes = |i: usize| {
        live[i] && roots[i].index() == i && !absorbed[i] && !matches!(graph.nodes()[i].op, Op::Input(_) | Op::Constant(_) | Op::Count(_))
    };
    // The only reader of each root, if there is just one.
    let mut readers: Vec<Option<Option<usize>>> = vec![None; roots.len()];
    for i in (0..roots.len()).filter(|&i| makes(i)) {
        for operand in &graph.nodes()[i].operands {
            let reader = &mut readers[roots[operand.index()].index()];
            *reader = match *reader {
                None => Some(Some(i)),
                Some(Some(other)) if other == i => Some(Some(i)),
                _ => Some(None),
            };
        }
    }
    graph.outputs.iter().for_each(|port| readers[roots[port.node.index()].index()] = Some(None));
    // What an absorbed map repeats must exist.
    let repeated = (0..roots.len()).filter(|&i| absorbed[i]).map(|i| graph.nodes()[i].operands[0]);
    repeated.for_each(|source| readers[roots[source.index()].index()] = Some(None));

    // Backwards, so that a reader's group is known before what it reads.
    let mut head: Vec<usize> = (0..roots.len()).collect();
    let mut length = vec![1; roots.len()];
    for i in (0..roots.len()).rev().filter(|&i| makes(i) && pointwise(&graph.nodes()[i].op)) {
        let Some(Some(reader)) = readers[i] else { continue };
        let (this, other) = (&graph.nodes()[i], &graph.nodes()[reader]);
        // Read under another name or shape of its rows, its elements would not stand where the reader's do.
        let read_as_made = || other.operands.iter().filter(|o| roots[o.index()].index() == i).all(|&o| graph.node(o).rows == this.rows);
        let alike = pointwise(&other.op) && this.rows == other.rows && phases[i] == phases[reader] && read_as_made();
        if alike && length[head[reader]] < LONGEST_CHAIN {
            head[i] = head[reader];
            length[head[i]] += 1;
        }
    }
    let mut members: Vec<Vec<usize>> = vec![vec![]; roots.len()];
    (0..roots.len()).filter(|&i| makes(i)).for_each(|i| members[head[i]].push(i));
    let heads = (0..roots.len()).filter(|&i| makes(i) && head[i] == i);
    heads.map(|i| group(graph, &members[i], roots, &absorbed)).collect()
}

/// Maps that repeat what they read, for pointwise nodes only: these can read it as it is.
fn absorbed(graph: &Graph, live: &[bool], roots: &[NodeId]) -> Vec<bool> {
    let repeats = |node: &Node| match &node.op {
        Op::Map(map) => {
            let strided = matches!(map.form(), Form::Strided { strides, .. } if strides.iter().all(|&s| s >= 0));
            strided && node.item_len() > graph.node(node.operands[0]).item_len()
        }
        _ => false,
    };
    let mut absorbed: Vec<bool> = (0..roots.len()).map(|i| live[i] && roots[i].index() == i && repeats(&graph.nodes()[i])).collect();
    graph.outputs.iter().for_each(|port| absorbed[roots[port.node.index()].index()] = false);
    for (i, node) in graph.nodes().iter().enumerate().filter(|(i, _)| live[*i]) {
        for root in node.operands.iter().map(|o| roots[o.index()].index()) {
            let same = node.item_len() == graph.nodes()[root].item_len();
            // A view under other names of rows is read under these.
            let view = roots[i].index() != i && node.rows == graph.nodes()[root].rows;
            absorbed[root] &= same && (view || pointwise(&node.op));
        }
    }
    absorbed
}

fn group(graph: &Graph, members: &[usize], roots: &[NodeId], absorbed: &[bool]) -> Group {
    let mut group = Group { operands: vec![], steps: vec![] };
    for &i in members {
        let node = &graph.nodes()[i];
        let mut arguments = vec![];
        for &operand in &node.operands {
            let root = roots[operand.index()];
            if let Some(step) = group.steps.iter().position(|s| s.node == root) {
                arguments.push(Argument::Step(step));
                continue;
            }
            let uniform = match &graph.node(root).op {
                Op::Constant(value) if pointwise(&node.op) => value.uniform(),
                _ => None,
            };
            let operand = match uniform {
                Some(value) => Operand::Uniform(value),
                None if absorbed[root.index()] => Operand::Expanded { map: root, source: graph.node(root).operands[0] },
                None => Operand::Value(operand),
            };
            // Only chains look operands up by value; elsewhere the position tells their role.
            let known = if pointwise(&node.op) { group.operands.iter().position(|o| *o == operand) } else { None };
            arguments.push(Argument::Operand(known.unwrap_or(group.operands.len())));
            if known.is_none() {
                group.operands.push(operand);
            }
        }
        group.steps.push(Step { node: NodeId(i as u32), arguments });
    }
    group
}

/// Roughly how many additions and multiplications a scalar function costs.
pub fn scalar_cost(op: &Op) -> f64 {
    match op {
        Op::Unary(
            Unary::Neg
            | Unary::Abs
            | Unary::Floor
            | Unary::Ceil
            | Unary::RoundEven
            | Unary::Trunc
            | Unary::Sign
            | Unary::Not
            | Unary::IsNan
            | Unary::IsPosInf
            | Unary::IsNegInf,
        ) => 1.0,
        Op::Unary(_) | Op::Binary(crate::ops::Binary::Pow) => 20.0,
        _ => 1.0,
    }
}
