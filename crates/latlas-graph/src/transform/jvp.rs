//! Forward mode: tangents pushed from seeds to outputs.

use super::elimination::{Block, Elimination};
use super::slope;
use crate::ops::{Binary, Contraction, IndexMap};
use crate::{Axis, Builder, Error, Kind, Node, NodeId, Op, Result, Rows};

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
    jvp_in_order(b, seeds, outputs, &Elimination::default())
}

/// [`jvp`] with some parts of the graph multiplied as blocks: the same tangents, up to rounding.
///
/// # Errors
/// Those of [`jvp`]; the number of row axes is limited.
pub fn jvp_in_order(b: &mut Builder, seeds: &[(NodeId, NodeId)], outputs: &[NodeId], order: &Elimination) -> Result<Vec<Option<NodeId>>> {
    Forward { b, local: vec![] }.push(seeds, outputs, &order.blocks, None)
}

/// The arena, and the row axes that blocks share: depth, size and name.
struct Forward<'b> {
    b: &'b mut Builder,
    local: Vec<(usize, usize, Axis)>,
}

impl Forward<'_> {
    /// Pushes tangents; those of `block`'s beginning go only into its readers.
    fn push(
        &mut self,
        seeds: &[(NodeId, NodeId)],
        outputs: &[NodeId],
        blocks: &[Block],
        block: Option<(usize, &Block)>,
    ) -> Result<Vec<Option<NodeId>>> {
        let b = &mut *self.b;
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
        let start = seeds.iter().map(|s| s.0.index()).min().unwrap_or(0);
        for i in start..end {
            let id = NodeId(i as u32);
            if !needed[i] || tangents[i].is_some() {
                continue;
            }
            // What a block carries does not enter the node here.
            let enters = |o: NodeId| {
                let outside = block.is_some_and(|(_, block)| o == block.from && !block.into.contains(&id));
                !outside && !blocks.iter().any(|inner| inner.from == o && inner.into.contains(&id))
            };
            let node = &self.b.graph().nodes()[i];
            let data = &node.operands[..node.op.data_operands(node.operands.len())];
            let of_operands: Vec<Option<NodeId>> = data.iter().map(|&o| tangents[o.index()].filter(|_| enters(o))).collect();
            if of_operands.iter().any(Option::is_some) {
                let node = node.clone();
                check_axes(&node, brought)?;
                tangents[i] = push(self.b, id, &node, &of_operands);
            }
            for inner in blocks.iter().filter(|inner| inner.to == id) {
                let Some(entering) = tangents[inner.from.index()] else { continue };
                let part = self.through(entering, inner, block.map_or(0, |(depth, _)| depth + 1))?;
                tangents[i] = sum(self.b, tangents[i], part);
            }
        }
        Ok(outputs.iter().map(|o| tangents[o.index()]).collect())
    }

    /// Tangents that enter a block, times its Jacobian.
    fn through(&mut self, tangent: NodeId, block: &Block, depth: usize) -> Result<Option<NodeId>> {
        let shape = self.b.shape(block.from).to_vec();
        let size = shape.iter().product();
        let known = self.local.iter().find(|local| (local.0, local.1) == (depth, size)).map(|local| local.2);
        let axis = known.map_or_else(|| self.b.axis("block", size), Ok)?;
        if known.is_none() {
            self.local.push((depth, size, axis));
        }
        let seeds = self.b.unit_seeds(axis, &shape);
        let ends = self.push(&[(block.from, seeds)], &[block.to], &block.inside.blocks, Some((depth, block)))?;
        let Some(end) = ends[0] else { return Ok(None) };
        let end_shape = self.b.shape(end).to_vec();
        let flat = self.b.reshape(end, &[end_shape.iter().product()]);
        let jacobian = self.b.stack(flat, axis);
        let tangent = self.b.reshape(tangent, &[size]);
        let product = Contraction { a: vec![0], b: vec![0, 1], out: vec![1], sum_rows: Rows::NONE };
        let product = self.b.contract(tangent, jacobian, product);
        Ok(Some(self.b.reshape(product, &end_shape)))
    }
}

/// The sum of two tangents.
fn sum(b: &mut Builder, first: Option<NodeId>, second: Option<NodeId>) -> Option<NodeId> {
    match (first, second) {
        (Some(first), Some(second)) => Some(b.binary(Binary::Add, first, second)),
        (first, second) => first.or(second),
    }
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
    let mut all = None;
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
        all = sum(b, all, part);
    }
    all
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
