//! Forward mode: tangents pushed from seeds to outputs.

use super::slope;
use crate::ops::{Binary, IndexMap};
use crate::{Builder, Error, Kind, Node, NodeId, Op, Result, Rows};

/// Tangents of `outputs` when each seed's node moves along the seed's tangent; `None` is a tangent that is zero.
///
/// A tangent has its node's item shape. Its rows may add axes (a bundle of tangents) and lack axes along which it does not
/// vary. An axis that the primal already varies over gives the diagonal: `jvp` twice along the same axis is the second
/// derivative along each direction, along two axes it is every mixed one.
///
/// # Errors
/// [`Error::Shape`] for a tangent of another item shape; [`Error::Graph`] where the primal sums over, renames or moves an
/// axis that a seed brings, since the two would be taken for one another.
pub fn jvp(b: &mut Builder, seeds: &[(NodeId, NodeId)], outputs: &[NodeId]) -> Result<Vec<Option<NodeId>>> {
    let mut brought = Rows::NONE;
    for &(node, tangent) in seeds {
        if b.shape(node) != b.shape(tangent) {
            return Err(Error::Shape {
                what: "tangent".into(),
                expected: format!("{:?}", b.shape(node)),
                got: format!("{:?}", b.shape(tangent)),
            });
        }
        brought = brought.union(b.rows(tangent).minus(b.rows(node)));
    }
    let end = outputs.iter().map(|o| o.index() + 1).max().unwrap_or(0);
    let needed = b.graph().reach(outputs);
    let mut tangents: Vec<Option<NodeId>> = vec![None; end];
    for &(node, tangent) in seeds.iter().filter(|(node, _)| node.index() < end) {
        tangents[node.index()] = Some(tangent);
    }
    for i in 0..end {
        if !needed[i] || tangents[i].is_some() {
            continue;
        }
        let node = &b.graph().nodes()[i];
        let data = node.op.data_operands(node.operands.len());
        if node.operands[..data].iter().all(|o| tangents[o.index()].is_none()) {
            continue;
        }
        let node = node.clone();
        check_axes(&node, brought)?;
        let of_operands: Vec<Option<NodeId>> = node.operands[..data].iter().map(|o| tangents[o.index()]).collect();
        tangents[i] = push(b, NodeId(i as u32), &node, &of_operands);
    }
    Ok(outputs.iter().map(|o| tangents[o.index()]).collect())
}

/// A node that sums over an axis, renames or moves one, must not meet a seed that uses the same name for something else.
fn check_axes(node: &Node, brought: Rows) -> Result<()> {
    let touched = match node.op {
        Op::Rename { from, to } => Rows::of(from).union(Rows::of(to)),
        Op::Stack(axis) | Op::Unstack(axis) => Rows::of(axis),
        _ => node.op.sum_rows(),
    };
    if touched.intersection(brought).is_empty() {
        return Ok(());
    }
    Err(Error::Graph { what: format!("a seed brings a row axis that the graph itself sums over, renames or moves ({:?})", node.op.kind()) })
}

/// The tangent of one node, at least one of whose operands has one.
fn push(b: &mut Builder, y: NodeId, node: &Node, tangents: &[Option<NodeId>]) -> Option<NodeId> {
    match &node.op {
        Op::Concat(axis) => return Some(concat(b, node, *axis, tangents)),
        Op::Select => {
            let mut branch = |t: Option<NodeId>| t.unwrap_or_else(|| b.filled(&node.shape, 0.0));
            let (yes, no) = (branch(tangents[0]), branch(tangents[1]));
            return Some(b.select(node.operands[2], yes, no));
        }
        _ => {}
    }
    let mut sum = None;
    for (i, tangent) in tangents.iter().enumerate() {
        let Some(tangent) = *tangent else { continue };
        let part = match (&node.op, node.op.kind()) {
            (Op::Unary(_) | Op::Binary(_), _) => {
                let product = if node.op == Op::Binary(Binary::MulAnnihilating) { Binary::MulAnnihilating } else { Binary::Mul };
                slope(b, y, i).map(|slope| b.binary(product, tangent, slope))
            }
            (_, Kind::Linear | Kind::Bilinear) => {
                let mut operands = node.operands.clone();
                operands[i] = tangent;
                Some(b.again(node, &operands))
            }
            _ => None,
        };
        sum = match (sum, part) {
            (Some(sum), Some(part)) => Some(b.binary(Binary::Add, sum, part)),
            (sum, part) => sum.or(part),
        };
    }
    sum
}

/// Parts without a tangent are left out, and their places filled with zeros by an index map.
fn concat(b: &mut Builder, node: &Node, axis: usize, tangents: &[Option<NodeId>]) -> NodeId {
    let present: Vec<NodeId> = tangents.iter().flatten().copied().collect();
    let joined = b.concat(&present, axis);
    if present.len() == tangents.len() {
        return joined;
    }
    let inner: usize = node.shape[axis + 1..].iter().product();
    let width: usize = b.shape(joined)[axis] * inner;
    let outer: usize = node.shape[..axis].iter().product();
    let mut sources = Vec::with_capacity(node.item_len());
    for block in 0..outer {
        let mut next = block * width;
        for (part, tangent) in node.operands.iter().zip(tangents) {
            let run = b.shape(*part)[axis] * inner;
            if tangent.is_some() {
                sources.extend((next..next + run).map(|i| i as u32));
                next += run;
            } else {
                sources.extend(std::iter::repeat_n(IndexMap::NOWHERE, run));
            }
        }
    }
    b.map(joined, IndexMap::table(&node.shape, sources))
}
