//! Which values keep all channels of a position side by side in memory.
//!
//! A convolution reads and writes positions with all their channels. So the values that flow from one to the next through
//! pointwise functions and index maps lie transposed: an item, seen as a matrix [channels, positions], is stored as [positions,
//! channels], whatever shape it is read under. Inputs, outputs and what contractions and lookups read lie as ever; pointwise
//! chains and index maps read either order and so join the two worlds.
//!
//! A value takes the order that it is made in, or that a reader would like, unless a reader refuses.

use super::kernels::{Layout, repeated};
use super::plan::{Group, Operand, sums_samples};
use crate::ops::{Convolution, Face};
use crate::{Graph, NodeId, Op};

/// For each root the number of channels, if its items lie transposed.
pub fn channels(graph: &Graph, groups: &[Group], roots: &[NodeId]) -> Vec<Option<usize>> {
    let mut orders = Orders { graph, roots, wishes: vec![Wish::None; roots.len()] };
    graph.outputs.iter().for_each(|port| orders.refuse(port.node));
    // A view with other items would see several of them in one.
    let views = (0..roots.len()).filter(|&i| graph.nodes()[i].item_len() != graph.node(roots[i]).item_len());
    views.for_each(|i| orders.refuse(NodeId(i as u32)));
    // A wish only ever goes from none to some channels to refused, so this ends.
    loop {
        let before = orders.wishes.clone();
        groups.iter().for_each(|group| orders.forward(group));
        groups.iter().rev().for_each(|group| orders.backward(group));
        if orders.wishes == before {
            break;
        }
    }
    let input = |i: usize| matches!(graph.nodes()[i].op, Op::Input(_) | Op::Count(_));
    (0..roots.len()).map(|i| if input(i) { None } else { orders.of(NodeId(i as u32)) }).collect()
}

/// The channels of the operands of a face, where they have positions, and those of its value.
fn sides(c: &Convolution, face: Face) -> ([Option<usize>; 2], Option<usize>) {
    let (x, y) = (Some(c.in_channels), Some(c.out_channels));
    match face {
        Face::Value => ([x, None], y),
        Face::Data => ([y, None], x),
        Face::Weight => ([x, y], None),
    }
}

/// The values that a chain reads element by element.
fn whole(group: &Group) -> impl Iterator<Item = NodeId> {
    group.operands.iter().filter_map(|o| if let Operand::Value(id) = o { Some(*id) } else { None })
}

/// What is known of a value's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    None,
    Channels(usize),
    Refused,
}

struct Orders<'a> {
    graph: &'a Graph,
    roots: &'a [NodeId],
    wishes: Vec<Wish>,
}

impl Orders<'_> {
    /// What a group would like to make of what it reads.
    fn forward(&mut self, group: &Group) {
        let result = group.result();
        match &self.graph.node(result).op {
            Op::Convolve(c, face, _) => self.want_or_refuse(result, sides(c, *face).1),
            Op::Unary(_) | Op::Binary(_) | Op::Select if *self.wish(result) == Wish::None => {
                if let Some(channels) = whole(group).find_map(|id| self.of(id)) {
                    self.want(result, channels);
                }
            }
            _ => {}
        }
    }

    /// What a group would like to read for what it makes.
    fn backward(&mut self, group: &Group) {
        let result = group.result();
        let (node, own) = (self.graph.node(result), *self.wish(result));
        match (&node.op, own) {
            (Op::Unary(_) | Op::Binary(_) | Op::Select, Wish::Channels(channels)) => {
                whole(group).for_each(|id| self.want(id, channels));
                if !self.expands(group, channels) {
                    self.refuse(result);
                }
            }
            // Made for an output or a contraction; so its operands are, as a rule.
            (Op::Unary(_) | Op::Binary(_) | Op::Select, Wish::Refused) => group.values().for_each(|id| self.refuse(id)),
            (Op::Map(_), Wish::Channels(channels)) if *self.wish(node.operands[0]) == Wish::None => self.want(node.operands[0], channels),
            // Tables turn orders into each other.
            (Op::Unary(_) | Op::Binary(_) | Op::Select | Op::Map(_) | Op::Scatter(_), _) => {}
            (Op::Convolve(c, face, _), _) => {
                for (&operand, channels) in node.operands.iter().zip(sides(c, *face).0) {
                    self.want_or_refuse(operand, channels);
                }
            }
            _ => group.values().chain([result]).for_each(|id| self.refuse(id)),
        }
        for operand in &group.operands {
            if let Operand::Expanded { source, .. } = operand {
                self.refuse(*source);
            }
        }
        if sums_samples(node) {
            self.refuse(result);
        }
    }

    /// Whether what a chain repeats on the way in falls into so many channels and their positions.
    fn expands(&self, group: &Group, channels: usize) -> bool {
        group.operands.iter().all(|operand| {
            let Operand::Expanded { map, .. } = operand else { return true };
            let node = self.graph.node(*map);
            let Op::Map(map) = &node.op else { return false };
            repeated(map, &Layout { channels: Some(channels), ..Layout::of(self.graph, node, 1) }).is_some()
        })
    }

    fn wish(&mut self, id: NodeId) -> &mut Wish {
        &mut self.wishes[self.roots[id.index()].index()]
    }

    fn of(&self, id: NodeId) -> Option<usize> {
        if let Wish::Channels(channels) = self.wishes[self.roots[id.index()].index()] { Some(channels) } else { None }
    }

    fn refuse(&mut self, id: NodeId) {
        *self.wish(id) = Wish::Refused;
    }

    fn possible(&self, id: NodeId, channels: usize) -> bool {
        let len = self.graph.node(id).item_len();
        channels > 1 && channels < len && len.is_multiple_of(channels)
    }

    /// Wants so many channels; two that differ refuse each other.
    fn want(&mut self, id: NodeId, channels: usize) {
        let possible = self.possible(id, channels);
        let wish = self.wish(id);
        match *wish {
            Wish::None if possible => *wish = Wish::Channels(channels),
            Wish::Channels(other) if other != channels => *wish = Wish::Refused,
            _ => {}
        }
    }

    /// Wants so many channels, and no others.
    fn want_or_refuse(&mut self, id: NodeId, channels: Option<usize>) {
        match channels.filter(|&channels| self.possible(id, channels)) {
            Some(channels) => self.want(id, channels),
            None => self.refuse(id),
        }
    }
}
