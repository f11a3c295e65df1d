//! The order in which a Jacobian is accumulated: where forward mode starts afresh because that is cheaper.
//!
//! Plain forward mode pushes k tangents through everything. But the tangents that enter a part of the graph at a value u of
//! n elements and leave it at a value v of m can also be made as T_v = (∂v/∂u) T_u: with n fresh unit tangents through the
//! part, then one product of n × m by k. That pays where u or v is narrow: in an affine coupling of a flow, whose subnet sees
//! half of the variables, or in front of a bottleneck. A block is accumulated by the same rule, so that blocks nest: a product of
//! Jacobians in a cheap order, as the chain product of matrices, found by accepting blocks while they save operations.
//! The best order of all is NP-hard (Naumann, Optimal Jacobian accumulation is NP-complete, 2008).
//! See Griewank and Walther, Evaluating Derivatives (2008), chapter 10.

use std::collections::BTreeMap;

use super::flow::{Flow, State};
use crate::{Graph, NodeId};

/// In which order a Jacobian is accumulated; the empty one is plain forward mode.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Elimination {
    /// Parts of the graph that the tangents do not pass, in order of their ends.
    pub blocks: Vec<Block>,
}

/// A part of a graph whose Jacobian is formed first, ∂to/∂from along some of the paths between the two, and then multiplied
/// with the tangents of `from`.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// u: where the part begins.
    pub from: NodeId,
    /// The readers of u through which the part is entered; every path from them to an output passes v.
    pub into: Vec<NodeId>,
    /// v: where it ends.
    pub to: NodeId,
    /// How its own Jacobian is accumulated.
    pub inside: Elimination,
}

/// What a move of one number is taken to cost beside a multiplication and an addition of a matrix product.
pub(super) const MOVE: f64 = 8.0;
/// A block must cost less than this share of what it saves: counts of operations tell times only roughly.
const WORTH: f64 = 0.85;
/// Blocks that are looked at; with more to choose from the order found so far is kept.
const LOOKED_AT: usize = 20_000;
/// Row axes that a graph may have, less the two that a Gram matrix adds.
const AXES: usize = 62;

impl Elimination {
    /// A cheap order for the Jacobian of `outputs` with respect to the node `x`.
    pub fn choose(graph: &Graph, x: NodeId, outputs: &[NodeId]) -> Self {
        let flow = Flow::new(graph, x, outputs);
        let mut search = Search { flow, known: BTreeMap::new(), left: LOOKED_AT };
        let readers = search.flow.readers(x).to_vec();
        let (order, _) = search.accumulate(x, &readers, None);
        let mut sizes = vec![];
        order.local_axes(graph, 0, &mut sizes);
        if graph.axes().len() + sizes.len() > AXES { Self::default() } else { order }
    }

    /// How many blocks of each size there are, as (number, elements of u, elements of v), in order of their first.
    pub fn sizes(&self, graph: &Graph) -> Vec<(usize, usize, usize)> {
        let mut sizes: Vec<(usize, usize, usize)> = vec![];
        for block in &self.blocks {
            let (n, m) = (graph.node(block.from).item_len(), graph.node(block.to).item_len());
            match sizes.iter_mut().find(|size| (size.1, size.2) == (n, m)) {
                Some(size) => size.0 += 1,
                None => sizes.push((1, n, m)),
            }
        }
        sizes
    }

    /// Depth and size of each row axis that the blocks need.
    fn local_axes(&self, graph: &Graph, depth: usize, sizes: &mut Vec<(usize, usize)>) {
        for block in &self.blocks {
            let size = (depth, graph.node(block.from).item_len());
            if !sizes.contains(&size) {
                sizes.push(size);
            }
            block.inside.local_axes(graph, depth + 1, sizes);
        }
    }
}

struct Search<'g> {
    flow: Flow<'g>,
    /// Blocks by their ends, with what their own Jacobian costs.
    known: BTreeMap<(NodeId, NodeId), (Block, f64)>,
    left: usize,
}

impl Search<'_> {
    /// An order for unit tangents of `from` through `into`, to `to` or to the outputs, and its cost.
    fn accumulate(&mut self, from: NodeId, into: &[NodeId], to: Option<NodeId>) -> (Elimination, f64) {
        let k = self.flow.graph.node(from).item_len() as f64;
        let mut blocks: Vec<(Block, f64)> = vec![];
        let mut total = self.cost(from, into, to, &blocks);
        let mut found: Vec<(f64, Block, f64)> = vec![];
        let states = self.flow.push(from, into, to, &[]).0;
        for u in self.flow.entries(from, to).into_iter().filter(|&u| states.of(u).is_some()) {
            for (v, readers) in self.flow.exits(u, to) {
                // The product alone must not cost more than everything.
                let (n, m) = (self.flow.graph.node(u).item_len() as f64, self.flow.graph.node(v).item_len() as f64);
                let product = if states.of(u) == Some(State::Selection) { 0.0 } else { 2.0 * k * n * m };
                if product >= total || self.left == 0 {
                    continue;
                }
                self.left -= 1;
                // Nor would a block that saves nothing when its own Jacobian is free.
                let free = Block { from: u, into: readers.clone(), to: v, inside: Elimination::default() };
                if self.cost(from, into, to, &[(free, 0.0)]) >= total {
                    continue;
                }
                let (block, own) = self.block(u, &readers, v);
                let with = self.cost(from, into, to, &[(block.clone(), own)]);
                if with < total {
                    found.push((total - with, block, own));
                }
            }
        }
        // The largest gain first; a block within an accepted one then gains nothing any more.
        found.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| (a.1.from, a.1.to).cmp(&(b.1.from, b.1.to))));
        for (_, block, own) in found {
            blocks.push((block, own));
            let with = self.cost(from, into, to, &blocks);
            if with < total && self.is_worth(from, into, to, &blocks, total - with) {
                total = with;
            } else {
                blocks.pop();
            }
        }
        blocks.sort_by_key(|(block, _)| (block.to, block.from));
        (Elimination { blocks: blocks.into_iter().map(|b| b.0).collect() }, total)
    }

    /// A block with its own order, and what its Jacobian costs.
    fn block(&mut self, from: NodeId, into: &[NodeId], to: NodeId) -> (Block, f64) {
        if let Some(known) = self.known.get(&(from, to)) {
            return known.clone();
        }
        let (inside, cost) = self.accumulate(from, into, Some(to));
        let found = (Block { from, into: into.to_vec(), to, inside }, cost);
        self.known.insert((from, to), found.clone());
        found
    }

    /// What the last of some blocks costs is little enough beside what it saves.
    fn is_worth(&self, from: NodeId, into: &[NodeId], to: Option<NodeId>, blocks: &[(Block, f64)], gain: f64) -> bool {
        let Some((block, own)) = blocks.last() else { return false };
        let states = self.flow.push(from, into, to, blocks).0;
        let spent = own + self.product(from, block, states.of(block.from));
        spent < WORTH * (spent + gain)
    }

    /// The cost of pushing unit tangents of `from` with these blocks.
    fn cost(&self, from: NodeId, into: &[NodeId], to: Option<NodeId>, blocks: &[(Block, f64)]) -> f64 {
        let (states, each) = self.flow.push(from, into, to, blocks);
        let of_block = |(block, own): &(Block, f64)| match states.of(block.from) {
            Some(state) => own + self.product(from, block, Some(state)),
            None => 0.0,
        };
        self.flow.graph.node(from).item_len() as f64 * each + blocks.iter().map(of_block).sum::<f64>()
    }

    /// The cost of multiplying a block with the tangents that reach it.
    fn product(&self, from: NodeId, block: &Block, state: Option<State>) -> f64 {
        let size = |node: NodeId| self.flow.graph.node(node).item_len() as f64;
        let (k, n, m) = (size(from), size(block.from), size(block.to));
        // A selection of tangents picks rows of the block.
        let products = if state == Some(State::Selection) { 0.0 } else { 2.0 * n };
        k * m * (products + MOVE)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
