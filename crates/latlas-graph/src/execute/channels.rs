//! Which values keep all channels of a position side by side in memory.
//!
//! A convolution reads and writes positions with all their channels. So the values that flow from one to the next through
//! pointwise functions and index maps lie transposed: an item, seen as a matrix [channels, positions], is stored as [positions,
//! channels], whatever shape it is read under. Inputs, outputs and what contractions and lookups read lie as ever; pointwise
//! chains and index maps read either order and so join the two worlds.
//!
//! The order of a value is decided backwards, when all its readers are known: what it was made in, or what a reader would like,
//! unless a reader refuses.

use super::plan::{Group, sums_samples};
use crate::ops::{Convolution, Face};
use crate::{Graph, NodeId, Op};

/// For each root the number of channels, if its items lie transposed.
pub fn channels(graph: &Graph, groups: &[Group], roots: &[NodeId]) -> Vec<Option<usize>> {
    let mut orders = Orders { graph, roots, wanted: vec![Wish::None; roots.len()] };
    for group in groups {
        let wish = match &graph.node(group.result()).op {
            Op::Convolve(c, face, _) => sides(c, *face).1,
            Op::Unary(_) | Op::Binary(_) | Op::Select => group.values().find_map(|id| orders.of(id)),
            _ => None,
        };
        if let Some(channels) = wish {
            orders.want(group.result(), channels);
        }
    }
    graph.outputs.iter().for_each(|port| orders.refuse(port.node));
    // A view with other items would see several of them in one.
    let views = (0..roots.len()).filter(|&i| graph.nodes()[i].item_len() != graph.node(roots[i]).item_len());
    views.for_each(|i| orders.refuse(NodeId(i as u32)));
    for group in groups.iter().rev() {
        let node = graph.node(group.result());
        let own = orders.of(group.result());
        match (&node.op, own) {
            (Op::Unary(_) | Op::Binary(_) | Op::Select, Some(channels)) => group.values().for_each(|id| orders.want(id, channels)),
            (Op::Map(_), Some(channels)) if orders.possible(node.operands[0], channels) => orders.want(node.operands[0], channels),
            // Tables turn orders into each other.
            (Op::Map(_) | Op::Scatter(_), _) => {}
            (Op::Convolve(c, face, _), _) => {
                let (read, written) = sides(c, *face);
                for (&operand, channels) in node.operands.iter().zip(read) {
                    orders.want_or_refuse(operand, channels);
                }
                orders.want_or_refuse(group.result(), written);
            }
            _ => group.values().chain([group.result()]).for_each(|id| orders.refuse(id)),
        }
        if sums_samples(node) {
            orders.refuse(group.result());
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
    wanted: Vec<Wish>,
}

impl Orders<'_> {
    fn of(&self, id: NodeId) -> Option<usize> {
        if let Wish::Channels(channels) = self.wanted[self.roots[id.index()].index()] { Some(channels) } else { None }
    }

    fn refuse(&mut self, id: NodeId) {
        self.wanted[self.roots[id.index()].index()] = Wish::Refused;
    }

    fn possible(&self, id: NodeId, channels: usize) -> bool {
        let len = self.graph.node(id).item_len();
        channels > 1 && channels < len && len.is_multiple_of(channels)
    }

    /// Wants so many channels; two that differ refuse each other.
    fn want(&mut self, id: NodeId, channels: usize) {
        let possible = self.possible(id, channels);
        let wish = &mut self.wanted[self.roots[id.index()].index()];
        *wish = match *wish {
            Wish::None if possible => Wish::Channels(channels),
            Wish::Channels(other) if other == channels => *wish,
            Wish::None => Wish::None,
            _ => Wish::Refused,
        };
    }

    /// Wants so many channels, and no others.
    fn want_or_refuse(&mut self, id: NodeId, channels: Option<usize>) {
        match channels.filter(|&channels| self.possible(id, channels)) {
            Some(channels) => self.want(id, channels),
            None => self.refuse(id),
        }
    }
}
