//! Repeated elements: work on them is done before they are repeated.
//!
//! A map that only repeats (an expanded bias, a nearest upsampling) commutes with every scalar function. A convolution of a
//! nearest upsampling reads the same element through several taps, so it is a transposed convolution of what was upsampled,
//! with those taps added up: for a factor s and a kernel of k taps it has (k + s − 1) / s taps an axis instead of k.

use std::sync::Arc;

use super::Builder;
use crate::graph::Node;
use crate::ops::{Convolution, Face, IndexMap, contiguous};
use crate::{NodeId, Op, Rows};

impl Builder {
    /// f(repeat x, repeat y …) as repeat f(x, y …), where all operands are repeated in one way (or are one number).
    pub(super) fn before_repeating(&mut self, node: &Node) -> Option<NodeId> {
        let repeated = |id: NodeId| match &self.graph.node(id).op {
            Op::Map(map) => Some((map.clone(), self.graph.node(id).operands[0])),
            _ => None,
        };
        let (map, first) = node.operands.iter().find_map(|&o| repeated(o))?;
        let shape = self.shape(first).to_vec();
        let elements = self.graph.node(first).item_len();
        if map.len() <= elements || map.has_nowhere() {
            return None;
        }
        let mut operands = Vec::with_capacity(node.operands.len());
        for &operand in &node.operands {
            operands.push(match (self.uniform(operand), repeated(operand)) {
                (Some(value), _) if self.rows(operand).is_empty() => Err(value),
                (_, Some((same, x))) if same == map && self.shape(x) == shape => Ok(x),
                _ => return None,
            });
        }
        let operands: Vec<NodeId> = operands.into_iter().map(|o| o.unwrap_or_else(|value| self.filled(&shape, value))).collect();
        let y = self.push(node.op.clone(), operands, node.rows, shape);
        Some(self.map(y, (*map).clone()))
    }

    /// The value of a convolution of a nearest upsampling, from what was upsampled.
    pub(super) fn convolve_upsampled(&mut self, c: &Convolution, x: NodeId, w: NodeId) -> Option<NodeId> {
        let (map, source) = self.through_reshape(x)?;
        let factors = upsampling(c, &map, self.graph.node(source).item_len())?;
        let axes = c.kernel.len();
        let extent: Vec<usize> = (0..axes).map(|i| c.dilations[i] * (c.kernel[i] - 1)).collect();
        let kernel: Vec<usize> = (0..axes).map(|i| extent[i] + factors[i]).collect();
        let pads = (0..axes).map(|i| extent[i].checked_sub(c.pads[i])).collect::<Option<Vec<_>>>()?;
        let taps = |kernel: &[usize], factors: &[usize]| kernel.iter().zip(factors).map(|(&k, &s)| k.div_ceil(s)).product::<usize>();
        if c.groups != 1 || c.strides.iter().any(|&s| s != 1) || taps(&kernel, &factors) >= c.kernel.iter().product() {
            return None;
        }
        let low: Vec<usize> = c.input.iter().zip(&factors).map(|(&n, &s)| n / s).collect();
        // Tap t of w reads what lies e of s places within an upsampled element through tap extent − d·t + e.
        let summed = [&[c.in_channels, c.out_channels], &kernel[..]].concat();
        let (mut copies, mut into) = (vec![], vec![]);
        let from = [&[c.out_channels, c.in_channels], &c.kernel[..]].concat();
        let (steps, places) = (contiguous(&from), contiguous(&summed));
        walk(&[&factors[..], &from].concat(), |at| {
            let (e, w) = at.split_at(axes);
            copies.push((0..w.len()).map(|i| w[i] * steps[i] as usize).sum::<usize>() as u32);
            let tap = (0..axes).map(|i| (extent[i] - c.dilations[i] * w[2 + i] + e[i]) * places[2 + i] as usize).sum::<usize>();
            into.push((w[1] * places[0] as usize + w[0] * places[1] as usize + tap) as u32);
        });
        let shape = [&factors[..], &from].concat();
        let copies = self.map(w, IndexMap::table(&shape, copies));
        let weight = self.scatter(copies, IndexMap::table(&shape, into), &summed);
        let x = self.reshape(source, &[&[c.in_channels], &low[..]].concat());
        let form = Convolution {
            in_channels: c.out_channels,
            out_channels: c.in_channels,
            groups: 1,
            input: c.output.clone(),
            output: low,
            kernel,
            strides: factors,
            dilations: vec![1; axes],
            pads,
        };
        Some(self.convolve(x, weight, &Arc::new(form), Face::Data, Rows::NONE))
    }

    /// The map that makes x, with a reshape after it included, and what it reads.
    fn through_reshape(&self, x: NodeId) -> Option<(IndexMap, NodeId)> {
        let node = self.graph.node(x);
        let Op::Map(map) = &node.op else { return None };
        let inner = self.graph.node(node.operands[0]);
        match &inner.op {
            Op::Map(before) if map.is_identity(inner.item_len()) => Some((map.after(before), inner.operands[0])),
            _ => Some(((**map).clone(), node.operands[0])),
        }
    }
}

/// The factors by which a map enlarges images to the input of a convolution, each element repeated, if that is what it does.
fn upsampling(c: &Convolution, map: &IndexMap, elements: usize) -> Option<Vec<usize>> {
    if map.len() <= elements || map.has_nowhere() || map.len() > IndexMap::MAX_ELEMENTS {
        return None;
    }
    let sources = map.sources();
    let steps = contiguous(&[&[c.in_channels], &c.input[..]].concat());
    let factor = |axis: usize| {
        let size = c.input[axis];
        (1..size).find(|&i| sources[i * steps[axis + 1] as usize] != sources[0]).unwrap_or(size).max(1)
    };
    let factors: Vec<usize> = (0..c.input.len()).map(factor).collect();
    let low: Vec<usize> = c.input.iter().zip(&factors).map(|(&n, &s)| n / s).collect();
    let whole = c.input.iter().zip(&factors).all(|(n, s)| n.is_multiple_of(*s));
    if !whole || c.in_channels * low.iter().product::<usize>() != elements {
        return None;
    }
    let from = contiguous(&[&[c.in_channels], &low[..]].concat());
    let (mut next, mut same) = (sources.iter(), true);
    walk(&[&[c.in_channels], &c.input[..]].concat(), |at| {
        let source: usize = (0..at.len()).map(|i| if i == 0 { at[0] } else { at[i] / factors[i - 1] } * from[i] as usize).sum();
        same &= next.next() == Some(&(source as u32));
    });
    same.then_some(factors)
}

/// Calls `visit` with every position of an array in row-major order.
fn walk(shape: &[usize], mut visit: impl FnMut(&[usize])) {
    let mut at = vec![0; shape.len()];
    for _ in 0..shape.iter().product() {
        visit(&at);
        crate::ops::next(&mut at, shape);
    }
}
