//! The kernels: one loop for each operation, behind one door.
//!
//! [`kernel`] is that door. It is given a group of neighbouring nodes that the planner would like to run as one, with the
//! layouts of what goes in and out, and answers with something that runs. The only `unsafe` code of the executor lives here:
//! the tile of the matrix product, and calls into code compiled for wider vectors than the build's target.
#![allow(unsafe_code)]

mod chain;
mod contract;
mod convolve;
mod copy;
mod gemm;
mod index;
pub mod lanes;
mod math;
mod nest;
mod peak;
pub(super) mod product;
mod scatter;
mod vector;

pub use peak::multiply_add_peak;

use std::sync::Arc;

pub use self::copy::{repeated, transpose};
use self::product::Packed;
use super::Real;
use super::constants::Constants;
use super::plan::{Group, Operand, Plan};
use crate::ops::contiguous;
use crate::{Axis, Error, Graph, Node, NodeId, Op, Result};

/// The type of a value with all its sizes known: row axes in memory order, then the item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Row axes with their sizes.
    pub rows: Vec<(Axis, usize)>,
    /// The item's shape.
    pub item: Vec<usize>,
    /// The step in memory along each axis of the item.
    pub steps: Vec<isize>,
    /// Where the item, seen as a matrix [channels, positions], lies transposed in memory: the number of channels.
    pub channels: Option<usize>,
}

impl Layout {
    /// The layout of a node's value when the sample axis has this many rows.
    pub fn of(graph: &Graph, node: &Node, samples: usize) -> Self {
        let rows = node.rows.iter().map(|a| (a, graph.axis_size(a, samples))).collect();
        Self { rows, item: node.shape.clone(), steps: contiguous(&node.shape), channels: None }
    }

    /// The layout that a plan gives to a node's value.
    pub fn planned(graph: &Graph, plan: &Plan, id: NodeId, samples: usize) -> Self {
        Self { channels: plan.channels[plan.root(id).index()], ..Self::of(graph, graph.node(id), samples) }
    }

    /// Where in an item's memory a flat position lies; likewise for a step that stays among channels or among positions.
    pub fn place(&self, flat: usize) -> usize {
        let Some(channels) = self.channels else { return flat };
        let positions = self.positions();
        flat % positions * channels + flat / positions
    }

    /// Positions that have channels side by side; one element if the item is not transposed.
    fn positions(&self) -> usize {
        self.channels.map_or(1, |channels| (self.item_len() / channels).max(1))
    }

    /// Loops over the items of N layouts of the same elements, in the memory order of the first.
    ///
    /// `None` where their orders have no loops in common.
    pub fn item_loops<const N: usize>(layouts: [&Self; N]) -> Option<Vec<(usize, [isize; N])>> {
        if layouts[0].item_len() == 0 {
            return Some(vec![(0, [0; N])]);
        }
        let mut cuts = layouts.map(Self::positions).to_vec();
        cuts.extend([1, layouts[0].item_len()]);
        cuts.sort_unstable();
        let mut loops = vec![];
        for cut in cuts.windows(2) {
            if !cut[1].is_multiple_of(cut[0]) {
                return None;
            }
            loops.push((cut[1] / cut[0], layouts.map(|l| l.place(cut[0]) as isize)));
        }
        loops.sort_by_key(|l| std::cmp::Reverse(l.1[0]));
        Some(loops)
    }

    /// Elements of one item.
    pub fn item_len(&self) -> usize {
        self.item.iter().product()
    }

    /// Number of items.
    pub fn row_count(&self) -> usize {
        self.rows.iter().map(|r| r.1).product()
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.row_count() * self.item_len()
    }

    /// The step between rows along an axis; 0 along an axis that the value lacks.
    pub fn step(&self, axis: Axis) -> isize {
        let Some(at) = self.rows.iter().position(|r| r.0 == axis) else { return 0 };
        (self.rows[at + 1..].iter().map(|r| r.1).product::<usize>() * self.item_len()) as isize
    }

    /// Loops over these row axes with the steps of N values.
    pub fn row_loops<const N: usize>(rows: &[(Axis, usize)], values: [&Self; N]) -> Vec<(usize, [isize; N])> {
        rows.iter().map(|&(axis, size)| (size, values.map(|v| v.step(axis)))).collect()
    }
}

/// A compiled group of operations.
pub trait Kernel<T>: Send + Sync {
    /// Computes the group's value from its operands; writes every element of `out`.
    fn run(&self, operands: &[&[T]], out: &mut [T], scratch: &mut Scratch<T>);

    /// Whether it reads the i-th operand, and does not hold a packed form of it instead.
    fn reads(&self, _operand: usize) -> bool {
        true
    }
}

/// Buffers that kernels borrow and give back, kept by each thread between runs.
#[derive(Debug, Default)]
pub struct Scratch<T>(Vec<Vec<T>>);

impl<T: Real> Scratch<T> {
    /// A buffer with at least `len` elements of any content.
    pub fn borrow(&mut self, len: usize) -> Vec<T> {
        let mut buffer = self.0.pop().unwrap_or_default();
        if buffer.len() < len {
            buffer.resize(len, T::ZERO);
        }
        buffer
    }

    /// Gives a buffer back.
    pub fn give_back(&mut self, buffer: Vec<T>) {
        self.0.push(buffer);
    }
}

/// An operand that never changes, and where its packed forms are kept.
pub struct Constant<'a, T> {
    /// The node whose memory it is.
    pub root: usize,
    /// What the program keeps.
    pub constants: &'a Constants<T>,
}

impl<T: Real> Constant<'_, T> {
    /// It packed in the way that `key` describes; `pack` runs if that was not asked for before.
    pub fn packed(&self, key: &[usize], pack: impl FnOnce(&[T]) -> Packed<T>) -> Arc<Packed<T>> {
        self.constants.packed(self.root, key, pack)
    }
}

/// The kernel for a group of nodes on type T, when the sample axis has this many rows.
pub fn kernel<T: Real>(graph: &Graph, plan: &Plan, group: &Group, samples: usize, constants: &Constants<T>) -> Result<Box<dyn Kernel<T>>> {
    let node = graph.node(group.result());
    let out = Layout::planned(graph, plan, group.result(), samples);
    let operand = |i: usize| match group.operands.get(i) {
        Some(Operand::Value(id)) => Ok(Layout::planned(graph, plan, *id, samples)),
        _ => Err(Error::Graph { what: format!("node {} ({:?}) lacks operand {i}", group.result().index(), node.op) }),
    };
    // A piece has other rows of an operand that is cut than the next.
    let stays = |id: NodeId| plan.is_kept(id) && !(plan.is_cut(graph, id) && plan.is_cut(graph, group.result()));
    let constant = |i: usize| match group.operands.get(i) {
        Some(Operand::Value(id)) if stays(*id) => Some(Constant { root: plan.root(*id).index(), constants }),
        _ => None,
    };
    Ok(match &node.op {
        Op::Unary(_) | Op::Binary(_) | Op::Select => chain::kernel::<T>(graph, plan, group, samples)?,
        Op::Map(map) => copy::map(map, &operand(0)?, &out)?,
        Op::Rename { from, to } => copy::rename(*from, *to, &operand(0)?, &out),
        Op::Stack(axis) | Op::Unstack(axis) => copy::stack(*axis, &operand(0)?, &out),
        Op::Concat(axis) => {
            let parts = (0..group.operands.len()).map(operand).collect::<Result<Vec<_>>>()?;
            copy::concat(*axis, &parts, &out)
        }
        Op::Scatter(map) => scatter::scatter(map, &operand(0)?, &out)?,
        Op::RowSum(axis) => scatter::row_sum(*axis, &operand(0)?, &out),
        Op::Take => index::take::<T>(&operand(0)?, &operand(1)?, &out)?,
        Op::Put => index::put::<T>(&operand(0)?, &operand(1)?, &out)?,
        Op::ArgExtreme { windows, window, largest } => index::arg_extreme::<T>(windows, *window, *largest, &operand(0)?)?,
        Op::Contract(c) => contract::kernel(c, [&operand(0)?, &operand(1)?, &out], [constant(0), constant(1)])?,
        Op::Convolve(c, face, _) => convolve::kernel(c, *face, [&operand(0)?, &operand(1)?, &out], constant(1))?,
        Op::Input(_) | Op::Constant(_) | Op::Count(_) | Op::Detach => {
            return Err(Error::Graph { what: format!("{:?} is a source or a view and has no kernel", node.op) });
        }
    })
}
