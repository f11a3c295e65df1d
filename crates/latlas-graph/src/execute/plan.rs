//! The plan of a run: phases, views, pointwise chains and the memory that values share.
//!
//! A plan follows from the graph alone, never from the machine. Its parts:
//! - a *phase* for each node: what depends on constants only is computed once for a program, what does not vary over `sample`
//!   once before the tiles, what does in every tile, what needs a finished sum over `sample` after the tiles;
//! - a *root* for each node: reshapes, detached values, most renames and stacks are views of another node's memory;
//! - *groups* of nodes that run as one kernel;
//! - a *place* for each group's value: a slot of the arena, an output, or a buffer of the whole run.

use super::channels::channels;
use crate::ops::{Form, Unary};
use crate::{Axis, Error, Graph, Node, NodeId, Op, Result, Rows};

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
}

/// Steps of a chain at most, so that its registers stay few.
const LONGEST_CHAIN: usize = 32;

impl Plan {
    /// Plans a graph.
    pub fn new(graph: &Graph) -> Result<Self> {
        let live = graph.live();
        let phases = phases(graph, &live)?;
        let roots = roots(graph);
        let groups = groups(graph, &live, &phases, &roots);
        let sums: Vec<NodeId> = groups.iter().map(Group::result).filter(|&r| sums_samples(graph.node(r))).collect();
        let channels = channels(graph, &groups, &roots);
        let places = vec![Place::Nowhere; roots.len()];
        let mut plan = Self { phases, places, roots, groups, slots: vec![], globals: vec![], sums, channels };
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

    /// Elements a sample that a tile's arena holds.
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
            group.values().for_each(|id| last_reader[self.root(id).index()] = i);
        }
        let mut free: Vec<usize> = vec![];
        for (i, group) in groups.iter().enumerate().filter(|(_, g)| self.phases[g.result().index()] == Phase::Tile) {
            let at = group.result().index();
            if self.places[at] == Place::Nowhere {
                let node = graph.node(group.result());
                let need = graph.row_count(node.rows, 1).saturating_mul(node.item_len());
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

/// Whether a node sums over `sample`: its value is complete only after the last tile.
pub fn sums_samples(node: &Node) -> bool {
    match &node.op {
        Op::RowSum(axis) => *axis == Axis::SAMPLE,
        Op::Contract(c) => c.sum_rows.contains(Axis::SAMPLE),
        Op::Convolve(_, _, sum_rows) => sum_rows.contains(Axis::SAMPLE),
        _ => false,
    }
}

fn phases(graph: &Graph, live: &[bool]) -> Result<Vec<Phase>> {
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

/// Views are other nodes' memory.
fn roots(graph: &Graph) -> Vec<NodeId> {
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
fn groups(graph: &Graph, live: &[bool], phases: &[Phase], roots: &[NodeId]) -> Vec<Group> {
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
