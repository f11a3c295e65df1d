//! How tangents flow through a graph: where they come from, what every path passes, and what pushing one costs.

use super::elimination::{Block, MOVE};
use crate::execute::product_operations;
use crate::ops::{Binary, Unary};
use crate::{Axis, Graph, Kind, Node, NodeId, Op};

/// What tangents vary over and look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    /// Unit vectors, moved about: known before any sample.
    Selection,
    /// The same for all samples.
    Constant,
    /// Of a sample.
    Sample,
}

/// The part of a graph through which tangents of an input reach the outputs.
pub(super) struct Flow<'g> {
    pub graph: &'g Graph,
    active: Vec<bool>,
    /// The active readers of each node, each once.
    readers: Vec<Vec<NodeId>>,
    /// The first node that every path from a node to an output passes; `None` for nodes without one.
    passes: Vec<Option<NodeId>>,
    /// The operations of each product, 0 for other nodes.
    products: Vec<f64>,
}

impl<'g> Flow<'g> {
    /// The flow from the node x to the outputs.
    pub fn new(graph: &'g Graph, x: NodeId, outputs: &[NodeId]) -> Self {
        let n = graph.nodes().len();
        let mut depends = vec![false; n];
        depends[x.index()] = true;
        for (i, node) in graph.nodes().iter().enumerate() {
            depends[i] |= data(node).iter().any(|o| depends[o.index()]);
        }
        let mut active = vec![false; n];
        outputs.iter().for_each(|o| active[o.index()] = depends[o.index()]);
        let mut readers = vec![vec![]; n];
        for i in (0..n).rev().filter(|&i| depends[i]) {
            if active[i] {
                for operand in data(&graph.nodes()[i]).iter().filter(|o| depends[o.index()]) {
                    active[operand.index()] = true;
                    let list: &mut Vec<NodeId> = &mut readers[operand.index()];
                    if list.last() != Some(&NodeId(i as u32)) {
                        list.push(NodeId(i as u32));
                    }
                }
            }
        }
        readers.iter_mut().for_each(|list| list.reverse());
        let products = graph.nodes().iter().map(|node| product_operations(graph, node).unwrap_or(0.0)).collect();
        let mut flow = Self { graph, active, readers, passes: vec![None; n], products };
        flow.find_passes(outputs);
        flow
    }

    /// Post-dominators: backwards, the meeting point of the paths of all readers.
    fn find_passes(&mut self, outputs: &[NodeId]) {
        // Distance from the end; the end itself, which all outputs flow into, has none.
        let mut depth = vec![0_usize; self.active.len()];
        for i in (0..self.active.len()).rev().filter(|&i| self.active[i]) {
            let mut meeting = if outputs.contains(&NodeId(i as u32)) { None } else { self.readers[i].first().copied() };
            for &reader in self.readers[i].iter().skip(1) {
                let mut other = Some(reader);
                while let (Some(a), Some(b)) = (meeting, other)
                    && a != b
                {
                    let (deep_a, deep_b) = (depth[a.index()], depth[b.index()]);
                    if deep_a >= deep_b {
                        meeting = self.passes[a.index()];
                    }
                    if deep_b >= deep_a {
                        other = self.passes[b.index()];
                    }
                }
                meeting = meeting.and(other);
            }
            self.passes[i] = meeting;
            depth[i] = 1 + meeting.map_or(0, |m| depth[m.index()]);
        }
    }

    /// The active readers of a node.
    pub fn readers(&self, node: NodeId) -> &[NodeId] {
        &self.readers[node.index()]
    }

    /// Where a block may begin: at what a product reads, since the first product of unit tangents is free.
    pub fn entries(&self, after: NodeId, to: Option<NodeId>) -> Vec<NodeId> {
        let end = to.map_or(self.active.len(), |v| v.index() + 1);
        let products = (after.index() + 1..end).filter(|&i| self.active[i] && is_product(&self.graph.nodes()[i].op));
        let mut entries: Vec<NodeId> = products.flat_map(|i| data(&self.graph.nodes()[i]).iter().copied()).collect();
        entries.retain(|u| *u > after && self.active[u.index()]);
        entries.sort_unstable();
        entries.dedup();
        entries
    }

    /// Where a block that begins at u may end, and the readers through which it is then entered.
    ///
    /// An end lies in front of a product or of a change of width, up to the first product that tangents from elsewhere
    /// reach as well: behind it nothing is saved.
    pub fn exits(&self, u: NodeId, to: Option<NodeId>) -> Vec<(NodeId, Vec<NodeId>)> {
        let mut exits: Vec<(NodeId, Vec<NodeId>)> = vec![];
        for &reader in self.readers(u).iter().filter(|r| is_product(&self.graph.node(**r).op)) {
            let mut at = Some(reader);
            while let Some(v) = at {
                let last = to.is_some_and(|to| v >= to);
                let next = self.passes[v.index()].filter(|_| !last);
                let turns = next
                    .is_none_or(|n| is_product(&self.graph.node(n).op) || self.graph.node(n).item_len() != self.graph.node(v).item_len());
                if turns && to.is_none_or(|to| v <= to) && !exits.iter().any(|e| e.0 == v) {
                    let through = self.readers(u).iter().copied().filter(|&r| self.passes_through(r, v));
                    exits.push((v, through.collect()));
                }
                let multiplies = |n: NodeId| (v.index() + 1..=n.index()).any(|i| self.active[i] && is_product(&self.graph.nodes()[i].op));
                at = next.filter(|&n| !(multiplies(n) && self.is_joined(u, v)));
            }
        }
        exits
    }

    /// Whether every path from a node passes v.
    fn passes_through(&self, node: NodeId, v: NodeId) -> bool {
        let mut at = Some(node);
        while let Some(n) = at.filter(|&n| n < v) {
            at = self.passes[n.index()];
        }
        at == Some(v)
    }

    /// Whether v depends on something active that does not come through u.
    fn is_joined(&self, u: NodeId, v: NodeId) -> bool {
        let mut through = vec![false; v.index() + 1];
        through[u.index()] = true;
        for i in u.index() + 1..=v.index() {
            let operands = data(&self.graph.nodes()[i]).iter().filter(|o| self.active[o.index()]);
            through[i] = self.active[i] && operands.clone().all(|o| through[o.index()]) && operands.count() > 0;
        }
        !through[v.index()]
    }

    /// Pushes a unit tangent of `from` through `into`, to `to` or to the outputs, with some blocks left out: the state of every
    /// tangent, and the operations for one of them.
    pub fn push(&self, from: NodeId, into: &[NodeId], to: Option<NodeId>, blocks: &[(Block, f64)]) -> (States, f64) {
        let end = to.map_or(self.active.len(), |v| v.index() + 1);
        let mut states = States { first: from, states: vec![None; end - from.index()] };
        states.states[0] = Some(State::Selection);
        let mut total = 0.0;
        for i in (from.index() + 1..end).filter(|&i| self.active[i]) {
            let (id, node) = (NodeId(i as u32), &self.graph.nodes()[i]);
            let (mut state, mut present) = (None, 0);
            for (position, &operand) in data(node).iter().enumerate() {
                let outside = operand == from && !into.contains(&id);
                let cut = blocks.iter().any(|(block, _)| block.from == operand && block.into.contains(&id));
                if let Some(of_operand) = states.of(operand).filter(|_| !outside && !cut) {
                    state = state.max(Some(self.state(node, position, of_operand)));
                    present += 1;
                }
            }
            if blocks.iter().any(|(block, _)| block.to == id && states.of(block.from).is_some()) {
                state = Some(State::Sample);
            }
            if state == Some(State::Sample) && present > 0 {
                total += self.operations(i, present);
            }
            states.states[i - from.index()] = state;
        }
        (states, total)
    }

    /// What the tangent of one operand makes of a node's.
    fn state(&self, node: &Node, position: usize, of_operand: State) -> State {
        let varies = |id: &NodeId| self.graph.node(*id).rows.contains(Axis::SAMPLE);
        let factor_varies = match (&node.op, node.op.kind()) {
            (Op::Unary(Unary::Neg) | Op::Binary(Binary::Add | Binary::Sub), _) => false,
            (Op::Binary(Binary::Div), _) if position == 0 => varies(&node.operands[1]),
            (_, Kind::Bilinear) => varies(&node.operands[1 - position]),
            (Op::Unary(_) | Op::Binary(_), _) => node.rows.contains(Axis::SAMPLE),
            // A mask or an index.
            _ => node.operands[data(node).len()..].iter().any(varies),
        };
        match node.op {
            _ if factor_varies => State::Sample,
            Op::Map(_) | Op::Concat(_) | Op::Rename { .. } | Op::Stack(_) | Op::Unstack(_) => of_operand,
            _ => of_operand.max(State::Constant),
        }
    }

    /// Operations for a tangent of a node, `present` of whose operands have one.
    fn operations(&self, i: usize, present: usize) -> f64 {
        let node = &self.graph.nodes()[i];
        let elements = |id: &NodeId| self.graph.node(*id).item_len();
        let moves = match &node.op {
            Op::Map(map) if map.is_identity(elements(&node.operands[0])) => 0,
            Op::Rename { .. } | Op::Stack(_) | Op::Unstack(_) => 0,
            Op::Binary(Binary::Add | Binary::Sub) => node.item_len() * (present - 1),
            Op::Unary(_) | Op::Binary(_) => node.item_len() * present,
            Op::Contract(_) | Op::Convolve(..) => node.item_len(),
            _ => node.item_len().max(elements(&node.operands[0])),
        };
        self.products[i] * present as f64 + MOVE * self.graph.row_count(node.rows, 1) as f64 * moves as f64
    }
}

/// The states of the tangents from one node on.
pub(super) struct States {
    first: NodeId,
    states: Vec<Option<State>>,
}

impl States {
    /// That of a node; `None` where it has no tangent.
    pub fn of(&self, node: NodeId) -> Option<State> {
        let at = node.index().checked_sub(self.first.index())?;
        self.states.get(at).copied().flatten()
    }
}

/// The operands that may have a tangent.
fn data(node: &Node) -> &[NodeId] {
    &node.operands[..node.op.data_operands(node.operands.len())]
}

fn is_product(op: &Op) -> bool {
    matches!(op, Op::Contract(_) | Op::Convolve(..))
}
