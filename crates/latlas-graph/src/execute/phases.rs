//! When each node of a graph is computed.

use crate::{Axis, Error, Graph, Node, NodeId, Op, Result};

/// When a node is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Depends on constants only.
    Once,
    /// Does not vary over `sample`, but changes from run to run.
    Before,
    /// In every tile; a sum over `sample` is finished only after the last one.
    Tile,
    /// Needs a finished sum over `sample`.
    After,
}

/// Whether a node sums over `sample`: its value is complete only after the last tile.
pub fn sums_samples(node: &Node) -> bool {
    match &node.op {
        Op::RowSum(axis) => *axis == Axis::SAMPLE,
        Op::Contract(c) => c.sum_rows.contains(Axis::SAMPLE),
        Op::Convolve(_, _, sum_rows) => sum_rows.contains(Axis::SAMPLE),
        _ => false,
    }
}

/// The phase of each node.
pub fn phases(graph: &Graph, live: &[bool]) -> Result<Vec<Phase>> {
    let mut phases: Vec<Phase> = Vec::with_capacity(live.len());
    for (i, node) in graph.nodes().iter().enumerate() {
        let fail = |what: &str| Err(Error::Graph { what: format!("node {i} ({:?}): {what}", node.op) });
        // When an operand is there: a sum over the samples is, only after them.
        let ready = |o: &NodeId| if sums_samples(graph.node(*o)) { Phase::After } else { phases[o.index()] };
        let operands = node.operands.iter().map(ready).max().unwrap_or(Phase::Once);
        let varies = node.rows.contains(Axis::SAMPLE);
        let phase = match &node.op {
            _ if !live[i] => Phase::Once,
            Op::Constant(_) if varies => return fail("a constant cannot vary over samples"),
            Op::Rename { from, to } if *from == Axis::SAMPLE || *to == Axis::SAMPLE => {
                return fail("the sample axis cannot be renamed, since a run holds only some samples at a time");
            }
            Op::Stack(axis) | Op::Unstack(axis) if *axis == Axis::SAMPLE => {
                return fail("the sample axis cannot be part of an item, since a run holds only some samples at a time");
            }
            Op::Input(_) => {
                if varies {
                    Phase::Tile
                } else {
                    Phase::Before
                }
            }
            Op::Count(axis) => {
                if *axis == Axis::SAMPLE {
                    Phase::Before
                } else {
                    Phase::Once
                }
            }
            _ if varies || sums_samples(node) => {
                if operands == Phase::After {
                    return fail("a value for each sample needs a finished sum over all samples; run the sum as a graph of its own");
                }
                Phase::Tile
            }
            _ => operands,
        };
        phases.push(phase);
    }
    Ok(phases)
}
