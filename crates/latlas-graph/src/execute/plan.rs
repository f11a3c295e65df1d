//! The plan of a run: phases, views, pointwise chains and the memory that values share.
//!
//! A plan follows from the graph alone, never from the machine. Its parts:
//! - a *phase* for each node: what depends on constants only is computed once for a program, what does not vary over `sample`
//!   once before the tiles, what does in every tile, what needs a finished sum over `sample` after the tiles;
//! - a *root* for each node: reshapes, detached values, most renames and stacks are views of another node's memory;
//! - *groups* of nodes that run as one kernel;
//! - a *place* for each group's value: a slot of the arena, an output, or a buffer of the whole run.

use super::channels::channels;
pub use super::groups::{Argument, Group, Operand, scalar_cost};
use super::groups::{groups, roots};
use super::phases::phases;
pub use super::phases::{Phase, sums_samples};
use super::pieces::Pieces;
use crate::{Graph, NodeId, Op, Result};

/// Where a value lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// It is never read as a value.
    Nowhere,
    /// In an input of the graph.
    Input(usize),
    /// Kept by the program, by node.
    Kept(usize),
    /// In a buffer of the whole run.
    Global(usize),
    /// In the tile's arena.
    Slot(usize),
    /// In the tile's part of an output.
    Output(usize),
}

/// How a graph is run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// When each node is computed.
    pub phases: Vec<Phase>,
    /// The node whose memory each node's value is.
    pub roots: Vec<NodeId>,
    /// Groups in order of computation, of all phases.
    pub groups: Vec<Group>,
    /// Where each root lies.
    pub places: Vec<Place>,
    /// Elements a sample of each slot of a tile's arena.
    pub slots: Vec<usize>,
    /// Roots with a buffer of the whole run, in order of [`Place::Global`].
    pub globals: Vec<NodeId>,
    /// Roots that are sums over `sample`: each tile makes a part.
    pub sums: Vec<NodeId>,
    /// For each root the number of channels, if its items lie transposed: see [`super::channels`].
    pub channels: Vec<Option<usize>>,
    /// How tiles of one sample are cut, if they are.
    pub pieces: Option<Pieces>,
}

impl Plan {
    /// Plans a graph; with `pieces` for tiles of one sample, in which what varies over their axis comes last.
    pub fn new(graph: &Graph, pieces: Option<Pieces>) -> Result<Self> {
        let live = graph.live();
        let phases = phases(graph, &live)?;
        let roots = roots(graph);
        let mut groups = groups(graph, &live, &phases, &roots);
        if let Some(pieces) = pieces {
            // Both parts keep their order.
            groups.sort_by_key(|group| phases[group.result().index()] == Phase::Tile && pieces.cut(graph, group.result()));
        }
        let sums: Vec<NodeId> = groups.iter().map(Group::result).filter(|&r| sums_samples(graph.node(r))).collect();
        let channels = channels(graph, &groups, &roots);
        let places = vec![Place::Nowhere; roots.len()];
        let mut plan = Self { phases, places, roots, groups, slots: vec![], globals: vec![], sums, channels, pieces };
        plan.place(graph);
        Ok(plan)
    }

    /// The memory of a node's value.
    pub fn root(&self, node: NodeId) -> NodeId {
        self.roots[node.index()]
    }

    /// Whether a node's value is a constant, or computed from constants only.
    pub fn is_kept(&self, node: NodeId) -> bool {
        self.phases[self.root(node).index()] == Phase::Once
    }

    /// Whether a node's value is one of those that a piece has only some rows of.
    pub fn is_cut(&self, graph: &Graph, node: NodeId) -> bool {
        self.pieces.is_some_and(|pieces| pieces.cut(graph, node))
    }

    /// Where a node's value lies.
    pub fn place_of(&self, node: NodeId) -> Place {
        self.places[self.root(node).index()]
    }

    /// What an operand reads, and where that lies; `None` if it is one number.
    pub fn find(&self, operand: &Operand) -> Option<(NodeId, Place)> {
        match operand {
            Operand::Value(id) | Operand::Expanded { source: id, .. } => Some((*id, self.place_of(*id))),
            Operand::Uniform(_) => None,
        }
    }

    /// The phase of a group.
    pub fn phase_of(&self, group: &Group) -> Phase {
        self.phases[group.result().index()]
    }

    /// Elements a sample that a tile's arena holds at a time.
    pub fn live_elements(&self) -> usize {
        self.slots.iter().fold(0, |sum, &slot| sum.saturating_add(slot))
    }

    fn place(&mut self, graph: &Graph) {
        let groups = std::mem::take(&mut self.groups);
        let read = groups.iter().flat_map(Group::values).chain(graph.outputs.iter().map(|p| p.node));
        let read: Vec<NodeId> = read.map(|id| self.root(id)).collect();
        for root in read {
            let (at, node) = (root.index(), graph.node(root));
            let global = match (&node.op, self.phases[at]) {
                (Op::Input(i), _) => {
                    self.places[at] = Place::Input(*i);
                    false
                }
                (_, Phase::Once) => {
                    self.places[at] = Place::Kept(at);
                    false
                }
                (_, Phase::Tile) => sums_samples(node),
                (_, Phase::Before | Phase::After) => true,
            };
            if global && self.places[at] == Place::Nowhere {
                self.places[at] = Place::Global(self.globals.len());
                self.globals.push(root);
            }
        }
        for (i, port) in graph.outputs.iter().enumerate() {
            let at = self.root(port.node).index();
            if self.phases[at] == Phase::Tile && self.places[at] == Place::Nowhere {
                self.places[at] = Place::Output(i);
            }
        }
        self.share_slots(graph, &groups);
        self.groups = groups;
    }

    /// Gives the values of a tile places in few slots: a slot is free again after the last reader of its value.
    fn share_slots(&mut self, graph: &Graph, groups: &[Group]) {
        let mut last_reader = vec![0; self.roots.len()];
        for (i, group) in groups.iter().enumerate() {
            // What the pieces share is read again by the next one.
            let shared = |id: NodeId| self.is_cut(graph, group.result()) && !self.is_cut(graph, id);
            group.values().for_each(|id| last_reader[self.root(id).index()] = if shared(id) { usize::MAX } else { i });
        }
        let mut free: Vec<usize> = vec![];
        for (i, group) in groups.iter().enumerate().filter(|(_, g)| self.phases[g.result().index()] == Phase::Tile) {
            let at = group.result().index();
            if self.places[at] == Place::Nowhere {
                let node = graph.node(group.result());
                let mut need = graph.row_count(node.rows, 1).saturating_mul(node.item_len());
                if let Some(Pieces { axis, rows }) = self.pieces.filter(|pieces| pieces.cut(graph, group.result())) {
                    need = need / graph.axis_size(axis, 1).max(1) * rows;
                }
                // The smallest that is large enough, or else the largest, which grows.
                let fit = (0..free.len()).min_by_key(|&f| {
                    let size = self.slots[free[f]];
                    if size >= need { (false, size) } else { (true, usize::MAX - size) }
                });
                let slot = fit.map_or_else(
                    || {
                        self.slots.push(0);
                        self.slots.len() - 1
                    },
                    |f| free.swap_remove(f),
                );
                self.slots[slot] = self.slots[slot].max(need);
                self.places[at] = Place::Slot(slot);
            }
            let mut done: Vec<usize> = group.values().map(|id| self.root(id).index()).filter(|&r| last_reader[r] == i).collect();
            done.sort_unstable();
            done.dedup();
            free.extend(done.iter().filter_map(|&r| if let Place::Slot(slot) = self.places[r] { Some(slot) } else { None }));
        }
    }
}
