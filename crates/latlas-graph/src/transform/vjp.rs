//! Reverse mode: cotangents pulled from outputs to what they depend on.

use super::slope;
use crate::ops::{Binary, Contraction, Face, IndexMap, contiguous};
use crate::{Builder, Error, Node, NodeId, Op, Result, Rows};

/// For each node of `wrt` the sum over seeds of (∂output/∂node)ᵀ · cotangent; `None` where that is zero.
///
/// A cotangent has its output's item shape; its rows may add fresh axes (a bundle of probes) and lack axes of the output
/// (all samples weigh the same). Only nodes that depend on `wrt` are visited. A derivative is the total one: where one node
/// of `wrt` depends on another, the path through it counts.
///
/// Laws: an operand's adjoint is summed over the row axes that the operation runs over and the operand lacks, times the
/// size of an axis that the cotangent lacks too; cotangents are multiplied with 0 · anything = 0, so that a branch that was
/// not taken cannot poison one that was.
///
/// # Errors
/// [`Error::Shape`] for a cotangent of another item shape; [`Error::Graph`] for a cotangent that varies over an axis that
/// its output lacks and the primal uses: it could not be told from an axis to be summed.
pub fn vjp(b: &mut Builder, seeds: &[(NodeId, NodeId)], wrt: &[NodeId]) -> Result<Vec<Option<NodeId>>> {
    let outputs: Vec<NodeId> = seeds.iter().map(|s| s.0).collect();
    let end = outputs.iter().map(|o| o.index() + 1).max().unwrap_or(0);
    let active = active(b, end, &outputs, wrt);
    check_seeds(b, seeds, &active)?;

    let mut cotangents: Vec<Option<NodeId>> = vec![None; end];
    for &(output, cotangent) in seeds.iter().filter(|s| active[s.0.index()]) {
        add(b, &mut cotangents[output.index()], cotangent);
    }
    for i in (0..end).rev() {
        let Some(cotangent) = cotangents[i].filter(|_| active[i]) else { continue };
        let node = b.graph().nodes()[i].clone();
        let runs_over = node.operands.iter().fold(node.rows, |rows, &o| rows.union(b.rows(o)));
        for (position, &operand) in node.operands.iter().enumerate().take(node.op.data_operands(node.operands.len())) {
            if !active[operand.index()] {
                continue;
            }
            let lacking = match node.op {
                Op::Rename { .. } | Op::Stack(_) | Op::Unstack(_) => Rows::NONE,
                _ => runs_over.minus(b.rows(operand)),
            };
            if let Some(part) = pull(b, NodeId(i as u32), &node, position, cotangent, lacking) {
                add(b, &mut cotangents[operand.index()], part);
            }
        }
    }
    Ok(wrt.iter().map(|w| cotangents.get(w.index()).copied().flatten()).collect())
}

/// Which nodes depend on `wrt` through data operands and reach an output.
fn active(b: &Builder, end: usize, outputs: &[NodeId], wrt: &[NodeId]) -> Vec<bool> {
    let mut active = b.graph().reach(outputs);
    let mut depends = vec![false; end];
    wrt.iter().filter(|w| w.index() < end).for_each(|w| depends[w.index()] = true);
    for i in 0..end {
        let node = &b.graph().nodes()[i];
        let data = node.op.data_operands(node.operands.len());
        depends[i] |= node.operands[..data].iter().any(|o| depends[o.index()]);
        active[i] &= depends[i];
    }
    active
}

fn check_seeds(b: &Builder, seeds: &[(NodeId, NodeId)], active: &[bool]) -> Result<()> {
    let nodes = b.graph().nodes().iter().zip(active).filter(|(_, active)| **active);
    let used = nodes.fold(Rows::NONE, |rows, (node, _)| node.operands.iter().fold(rows.union(node.rows), |r, &o| r.union(b.rows(o))));
    for &(output, cotangent) in seeds {
        if b.shape(output) != b.shape(cotangent) {
            return Err(Error::Shape {
                what: "cotangent".into(),
                expected: format!("{:?}", b.shape(output)),
                got: format!("{:?}", b.shape(cotangent)),
            });
        }
        let clash = b.rows(cotangent).minus(b.rows(output)).intersection(used);
        if let Some(axis) = clash.iter().next() {
            let name = &b.graph().axes()[axis.index()].name;
            return Err(Error::Graph { what: format!("a cotangent varies over {name:?}, which the graph uses and the output lacks") });
        }
    }
    Ok(())
}

fn add(b: &mut Builder, slot: &mut Option<NodeId>, part: NodeId) {
    *slot = Some(slot.map_or(part, |sum| b.binary(Binary::Add, sum, part)));
}

/// What the cotangent `c` of a node gives to one of its operands, which lacks the row axes in `lacking`.
fn pull(b: &mut Builder, y: NodeId, node: &Node, position: usize, c: NodeId, lacking: Rows) -> Option<NodeId> {
    let operand = node.operands[position];
    let shape = b.shape(operand).to_vec();
    let part = match &node.op {
        Op::Map(map) => b.scatter(c, (**map).clone(), &shape),
        Op::Scatter(map) => b.map(c, (**map).clone()),
        Op::Concat(axis) => {
            let before: usize = node.operands[..position].iter().map(|&o| b.shape(o)[*axis]).sum();
            let steps = contiguous(&node.shape);
            b.map(c, IndexMap::strided(&shape, before * steps[*axis] as usize, &steps))
        }
        Op::Select => {
            let zero = b.filled(&node.shape, 0.0);
            let (yes, no) = if position == 0 { (c, zero) } else { (zero, c) };
            b.select(node.operands[2], yes, no)
        }
        Op::Take => b.put(c, node.operands[1], &shape),
        Op::Put => b.take(c, node.operands[1]),
        Op::RowSum(_) => c,
        Op::Rename { from, to } => b.rename(c, *to, *from),
        Op::Stack(axis) => b.unstack(c, *axis),
        Op::Unstack(axis) => b.stack(c, *axis),
        Op::Unary(_) | Op::Binary(_) => {
            let slope = slope(b, y, position)?;
            b.binary(Binary::MulAnnihilating, c, slope)
        }
        Op::Contract(k) => {
            let (own, other) = if position == 0 { (&k.a, &k.b) } else { (&k.b, &k.a) };
            let adjoint = Contraction { a: k.out.clone(), b: other.clone(), out: own.clone(), sum_rows: lacking };
            return Some(b.contract(c, node.operands[1 - position], adjoint));
        }
        Op::Convolve(convolution, face, _) => {
            let other = node.operands[1 - position];
            let (first, second, adjoint) = match (face, position) {
                (Face::Value, 0) => (c, other, Face::Data),
                (Face::Value, _) => (other, c, Face::Weight),
                (Face::Data, 0) => (c, other, Face::Value),
                (Face::Data, _) => (c, other, Face::Weight),
                (Face::Weight, 0) => (other, c, Face::Data),
                (Face::Weight, _) => (other, c, Face::Value),
            };
            let inside = if adjoint == Face::Weight { lacking } else { Rows::NONE };
            let part = b.convolve(first, second, convolution, adjoint, inside);
            return Some(lacking.minus(inside).iter().fold(part, |part, axis| b.row_sum(part, axis)));
        }
        Op::Input(_) | Op::Constant(_) | Op::Count(_) | Op::ArgExtreme { .. } | Op::Detach => return None,
    };
    Some(lacking.iter().fold(part, |part, axis| b.row_sum(part, axis)))
}
