//! What a run will cost, from the sizes of the graph alone.

use super::kernels::Layout;
use super::pieces::plan;
use super::plan::{Group, Phase, Plan, scalar_cost};
use super::{Options, Rate, Real};
use crate::{Axis, Graph, Node, NodeId, Op, Result};

/// Operations and memory of a graph.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cost {
    /// Floating point operations for each sample.
    pub flops_per_sample: f64,
    /// Floating point operations that do not depend on the number of samples.
    pub flops_once: f64,
    /// The same, by what they do: (name, for each sample, once).
    pub by_kind: Vec<(&'static str, f64, f64)>,
    /// Bytes of intermediate values for each sample of a tile.
    pub bytes_per_sample: usize,
    /// Samples a tile.
    pub tile: usize,
    /// Bytes of constants and of values computed from them, held by the program.
    pub bytes_kept: usize,
    /// Bytes of all outputs for each sample.
    pub output_bytes_per_sample: usize,
    /// What each step of a tile does for a sample, in order.
    pub steps: Vec<Work>,
}

/// What a step does for one sample.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Work {
    /// Floating point operations.
    pub flops: f64,
    /// Bytes read and written; those of what all samples share are divided by the samples of a tile.
    pub bytes: f64,
}

impl Cost {
    /// Bytes that all steps read and write for each sample.
    pub fn moved_bytes_per_sample(&self) -> f64 {
        self.steps.iter().map(|step| step.bytes).sum()
    }

    /// Seconds for each sample on one thread, and the share of them in which arithmetic is the limit and not memory: a step
    /// takes as long as the slower of the two (the roofline model; Williams, Waterman and Patterson 2009).
    pub fn expected(&self, rate: &Rate) -> (f64, f64) {
        let (mut all, mut arithmetic) = (0.0, 0.0);
        for step in &self.steps {
            let (compute, memory) = (step.flops / rate.flops_per_second, step.bytes / rate.bytes_per_second);
            all += compute.max(memory);
            arithmetic += if compute >= memory { compute } else { 0.0 };
        }
        (all, if all > 0.0 { arithmetic / all } else { 0.0 })
    }
}

/// The cost of a graph, with elements of eight bytes and the default tile.
pub fn cost(graph: &Graph) -> Result<Cost> {
    cost_of::<f64>(graph)
}

/// The cost of a graph that is run in a given type with the default tile.
pub fn cost_of<T: Real>(graph: &Graph) -> Result<Cost> {
    let (plan, tile) = plan(graph, &Options::default(), size_of::<T>())?;
    Ok(planned(graph, &plan, size_of::<T>(), tile))
}

/// The cost of a planned graph.
pub(super) fn planned(graph: &Graph, plan: &Plan, element: usize, tile: usize) -> Cost {
    let mut cost = Cost { bytes_per_sample: plan.live_elements().saturating_mul(element), tile, ..Cost::default() };
    for name in ["contraction", "convolution", "pointwise", "sum", "copy"] {
        cost.by_kind.push((name, 0.0, 0.0));
    }
    for group in &plan.groups {
        let in_tiles = plan.phase_of(group) == Phase::Tile;
        let (kind, flops) = group_cost(graph, group);
        let entry = &mut cost.by_kind[kind];
        if in_tiles {
            cost.steps.push(Work { flops, bytes: moved(graph, group, tile) * element as f64 });
            entry.1 += flops;
            cost.flops_per_sample += flops;
        } else {
            entry.2 += flops;
            cost.flops_once += flops;
        }
    }
    let elements = |id: NodeId| Layout::of(graph, graph.node(id), 1).len();
    let kept = (0..plan.places.len()).filter(|&i| plan.places[i] == super::plan::Place::Kept(i)).map(|i| elements(NodeId(i as u32)));
    cost.bytes_kept = kept.sum::<usize>() * element;
    let ports = graph.outputs.iter().filter(|p| graph.node(p.node).rows.contains(Axis::SAMPLE)).map(|p| elements(p.node));
    cost.output_bytes_per_sample = ports.sum::<usize>() * element;
    cost
}

/// Elements that a group reads and writes for a sample, in tiles of this many.
fn moved(graph: &Graph, group: &Group, tile: usize) -> f64 {
    let elements = |id: NodeId| {
        let node = graph.node(id);
        let len = Layout::of(graph, node, 1).len() as f64;
        if node.rows.contains(Axis::SAMPLE) { len } else { len / tile as f64 }
    };
    group.values().chain([group.result()]).map(elements).sum()
}

/// The position of a group's kind in [`Cost::by_kind`], and its operations for one sample.
fn group_cost(graph: &Graph, group: &Group) -> (usize, f64) {
    let node = graph.node(group.result());
    let layout = |id: NodeId| Layout::of(graph, graph.node(id), 1);
    let elements = layout(group.result()).len() as f64;
    match &node.op {
        Op::Contract(_) => (0, product_operations(graph, node).unwrap_or(0.0)),
        Op::Convolve(..) => (1, product_operations(graph, node).unwrap_or(0.0)),
        Op::Unary(_) | Op::Binary(_) | Op::Select => {
            (2, elements * group.steps.iter().map(|s| scalar_cost(&graph.node(s.node).op)).sum::<f64>())
        }
        Op::Scatter(_) | Op::RowSum(_) | Op::Put => (3, layout(node.operands[0]).len() as f64),
        _ => (4, 0.0),
    }
}

/// The additions and multiplications of a contraction or a convolution for one sample; `None` for other operations.
pub(crate) fn product_operations(graph: &Graph, node: &Node) -> Option<f64> {
    let products = match &node.op {
        Op::Contract(c) => {
            let mut sizes: Vec<(u8, usize)> = vec![];
            for (labels, id) in [(&c.a, node.operands[0]), (&c.b, node.operands[1])] {
                sizes.extend(labels.iter().copied().zip(graph.node(id).shape.iter().copied()));
            }
            sizes.sort_unstable();
            sizes.dedup();
            sizes.iter().map(|s| s.1 as f64).product::<f64>()
        }
        Op::Convolve(c, ..) => {
            let spatial = [&c.output, &c.kernel].iter().flat_map(|v| v.iter()).map(|&n| n as f64).product::<f64>();
            spatial * c.out_channels as f64 * (c.in_channels / c.groups.max(1)) as f64
        }
        _ => return None,
    };
    let rows = node.operands.iter().fold(node.rows, |rows, &o| rows.union(graph.node(o).rows));
    Some(2.0 * graph.row_count(rows, 1) as f64 * products)
}
