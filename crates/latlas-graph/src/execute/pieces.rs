//! How much of a graph runs at a time: samples a tile and, where even one sample's values leave the near cache, rows a piece.
//!
//! A row axis (tangents, probes) can be cut into pieces when nothing in a tile joins its rows: each step that varies over it does the
//! same to every row. Such steps come last in a tile, after all that they share, and run once for each piece. An element's sum has
//! the same terms in the same order whatever rows lie beside it, so pieces change no bit of a result. All sizes follow from the
//! graph, never from the machine.

use super::Options;
use super::cost::product_operations;
use super::kernels::Layout;
use super::plan::{Group, Phase, Plan, sums_samples};
use crate::{Axis, Graph, NodeId, Op, Result, Rows};

/// How the tiles of a plan are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pieces {
    /// The row axis.
    pub axis: Axis,
    /// Rows of it that are computed at a time.
    pub rows: usize,
}

impl Pieces {
    /// Whether a value is one of those that only some rows are computed of at a time.
    pub fn cut(self, graph: &Graph, id: NodeId) -> bool {
        graph.node(id).rows.contains(self.axis)
    }
}

/// The most bytes of intermediate values that a tile or a piece should have …
const NEAR_BYTES: usize = 1 << 20;
/// … or as a share of the weights of matrix products, if that is more: a tile passes through all of these, and where they do not
/// stay in a near cache either, that is what takes time.
const TILE_SHARE_OF_WEIGHTS: usize = 4;
/// The most samples.
const LARGEST_TILE: usize = 64;
/// Operations for each byte of what the pieces share, at least: then arithmetic and not memory sets their time.
const OPERATIONS_A_BYTE: f64 = 50.0;

/// Plans a graph for elements of so many bytes; gives the samples a tile too.
pub fn plan(graph: &Graph, options: &Options, element: usize) -> Result<(Plan, usize)> {
    let whole = Plan::new(graph, None)?;
    let tile = options.tile.unwrap_or_else(|| default_tile(graph, &whole, element)).max(1);
    let axis = if tile == 1 { axis(graph, &whole) } else { None };
    let Some(axis) = axis else { return Ok((whole, tile)) };
    let size = graph.axis_size(axis, 1);
    let in_pieces = |rows| Plan::new(graph, Some(Pieces { axis, rows }));
    if let Some(rows) = options.piece {
        return Ok((in_pieces(rows.clamp(1, size))?, tile));
    }
    let [one, all] = [in_pieces(1)?.live_elements(), in_pieces(size)?.live_elements()];
    let rows = default_rows(graph, &whole, axis, all.saturating_sub(one) / (size - 1), element);
    // What is hardly cut need not be.
    if rows > size / 2 {
        return Ok((whole, tile));
    }
    // Pieces of about equal size.
    let cut = in_pieces(size.div_ceil(size.div_ceil(rows)))?;
    let gains = cut.live_elements() < whole.live_elements();
    Ok((if gains { cut } else { whole }, tile))
}

/// The largest power of two of samples whose intermediate values fit a near cache, or are few beside the weights.
fn default_tile(graph: &Graph, plan: &Plan, element: usize) -> usize {
    let bytes_per_sample = plan.live_elements().saturating_mul(element);
    let weights = plan.groups.iter().filter(|group| plan.phase_of(group) == Phase::Tile).map(Group::result);
    let weights =
        weights.filter(|result| matches!(graph.node(*result).op, Op::Contract(_))).flat_map(|result| &graph.node(result).operands);
    let weights = weights.filter(|operand| plan.is_kept(**operand)).map(|operand| Layout::of(graph, graph.node(*operand), 1).len());
    let limit = NEAR_BYTES.max(weights.fold(0, usize::saturating_add).saturating_mul(element) / TILE_SHARE_OF_WEIGHTS);
    let mut tile = LARGEST_TILE;
    while tile > 1 && bytes_per_sample.saturating_mul(tile) > limit {
        tile /= 2;
    }
    tile
}

/// The rows of a piece: as many as fit a near cache, and enough work for each byte that all pieces read.
fn default_rows(graph: &Graph, plan: &Plan, axis: Axis, live_elements_a_row: usize, element: usize) -> usize {
    let by_cache = NEAR_BYTES / live_elements_a_row.saturating_mul(element).max(1);
    let varies = |id: NodeId| graph.node(id).rows.contains(axis);
    let cut = plan.groups.iter().filter(|group| plan.phase_of(group) == Phase::Tile && varies(group.result()));
    let (mut operations, mut shared) = (0.0, 0.0);
    for group in cut {
        operations += product_operations(graph, graph.node(group.result())).unwrap_or(0.0);
        let elements = |id| Layout::of(graph, graph.node(id), 1).len() as f64;
        shared += group.values().filter(|id| !varies(*id)).map(elements).sum::<f64>() * element as f64;
    }
    let operations_a_row = operations / graph.axis_size(axis, 1) as f64;
    let by_work = (OPERATIONS_A_BYTE * shared / operations_a_row.max(1.0)).ceil() as usize;
    by_cache.max(by_work).max(1)
}

/// The axis that can be cut, if there is one: of those, the longest.
fn axis(graph: &Graph, plan: &Plan) -> Option<Axis> {
    let sizes = graph.axes().iter().enumerate().skip(1).filter_map(|(i, info)| Some((info.size?, i)));
    let mut candidates: Vec<(usize, usize)> = sizes.filter(|(size, _)| *size > 1).collect();
    candidates.sort_unstable_by_key(|&(size, i)| (std::cmp::Reverse(size), i));
    let groups: Vec<&Group> = plan.groups.iter().filter(|group| plan.phase_of(group) == Phase::Tile).collect();
    candidates.into_iter().map(|(_, i)| Axis(i as u8)).find(|&axis| {
        groups.iter().any(|group| graph.node(group.result()).rows.contains(axis))
            && groups.iter().all(|group| keeps_rows_apart(graph, plan, group, axis))
    })
}

/// Whether a group of a tile does the same to each row of an axis, and finds these rows outermost in a sample; or has none.
fn keeps_rows_apart(graph: &Graph, plan: &Plan, group: &Group, axis: Axis) -> bool {
    let node = graph.node(group.result());
    let rows_of = |id: NodeId| graph.node(id).rows;
    let varies = node.rows.contains(axis);
    let moves = match &node.op {
        Op::Rename { from, to } => *from == axis || *to == axis,
        Op::Stack(moved) | Op::Unstack(moved) => *moved == axis,
        _ => false,
    };
    // What lies outside of the tiles is there as a whole. In a tile, a view may call the axis by another name, or have it in its item.
    let found = |id: NodeId| {
        let root = plan.root(id);
        plan.phases[root.index()] < Phase::Tile
            || (rows_of(id).contains(axis) == rows_of(root).contains(axis) && (varies || !rows_of(id).contains(axis)))
    };
    let outermost = |rows: Rows| !rows.contains(axis) || rows.iter().find(|other| *other != Axis::SAMPLE) == Some(axis);
    let apart = !moves && !sums_samples(node) && outermost(node.rows) && group.values().all(|id| outermost(rows_of(id)));
    group.values().all(found) && (!varies || apart)
}
