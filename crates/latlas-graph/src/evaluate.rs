//! What every operation means, written as slowly and obviously as possible: the oracle of the executor, and what folds
//! constants.

use crate::ops::{Contraction, Convolution, Face, IndexMap, contiguous, next};
use crate::{Axis, Error, Graph, Node, Op, Result, Rows, Tensor};

/// Runs a graph on `n` samples in double precision: inputs and outputs are `[rows.., item..]`, in the graph's order.
///
/// # Errors
/// [`Error::Shape`] where an input is missing or has another number of elements than its rows and item have.
pub fn evaluate(graph: &Graph, n: usize, inputs: &[Vec<f64>]) -> Result<Vec<Vec<f64>>> {
    let mismatch = |what: String, expected: usize, got: usize| Error::Shape {
        what,
        expected: format!("{expected} values"),
        got: format!("{got} values"),
    };
    if inputs.len() != graph.inputs.len() {
        return Err(mismatch("inputs".into(), graph.inputs.len(), inputs.len()));
    }
    for (port, values) in graph.inputs.iter().zip(inputs) {
        let node = graph.node(port.node);
        let expected = graph.row_count(node.rows, n) * node.item_len();
        if values.len() != expected {
            return Err(mismatch(format!("input {:?} for {n} samples", port.name), expected, values.len()));
        }
    }
    let sizes = |axis: Axis| graph.axis_size(axis, n);
    let live = graph.live();
    let mut values: Vec<Vec<f64>> = Vec::with_capacity(graph.nodes().len());
    for (i, node) in graph.nodes().iter().enumerate() {
        let value = match &node.op {
            _ if !live[i] => vec![],
            Op::Input(position) => inputs[*position].clone(),
            Op::Constant(tensor) => tensor.to_f64(),
            _ => {
                let operand = |o: &crate::NodeId| Value { node: graph.node(*o), data: &values[o.index()] };
                evaluate_node(node, &node.operands.iter().map(operand).collect::<Vec<_>>(), &sizes)
            }
        };
        values.push(value);
    }
    Ok(graph.outputs.iter().map(|port| values[port.node.index()].clone()).collect())
}

/// A value: its type is the type of its node.
#[derive(Clone, Copy)]
pub(crate) struct Value<'a> {
    pub node: &'a Node,
    pub data: &'a [f64],
}

/// The value of one node (not an input) from those of its operands.
pub(crate) fn evaluate_node(node: &Node, operands: &[Value<'_>], sizes: &dyn Fn(Axis) -> usize) -> Vec<f64> {
    match &node.op {
        Op::Constant(tensor) => return tensor.to_f64(),
        Op::Count(axis) => return vec![sizes(*axis) as f64],
        _ => {}
    }
    let count = |rows: Rows| rows.iter().map(sizes).product::<usize>();
    let runs_over = operands.iter().fold(node.rows, |rows, o| rows.union(o.node.rows));
    // A renamed axis is one axis under two names: the operand is looked up under the new one.
    let (runs_over, renamed) = match node.op {
        Op::Rename { from, to } => (node.rows, Some((from, to))),
        _ => (runs_over, None),
    };
    // An axis that moves between rows and item: the row tells which part of the longer item is meant.
    let moved = if let Op::Stack(axis) | Op::Unstack(axis) = node.op { Some(axis) } else { None };
    let mut out = vec![0.0; count(node.rows) * node.item_len()];
    let mut position = [0; 64];
    for row in 0..count(runs_over) {
        let mut rest = row;
        for axis in (0..64).rev().map(Axis).filter(|&axis| runs_over.contains(axis)) {
            position[axis.index()] = rest % sizes(axis);
            rest /= sizes(axis);
        }
        if let Some((from, to)) = renamed {
            position[from.index()] = position[to.index()];
        }
        let range_of = |node: &Node| {
            let (row, len) = (node.rows.iter().fold(0, |at, axis| at * sizes(axis) + position[axis.index()]), node.item_len());
            match moved {
                Some(axis) if !node.rows.contains(axis) => {
                    let part = len / sizes(axis);
                    let start = row * len + position[axis.index()] * part;
                    start..start + part
                }
                _ => row * len..(row + 1) * len,
            }
        };
        let items: Vec<Item<'_>> = operands.iter().map(|o| Item { shape: &o.node.shape, data: &o.data[range_of(o.node)] }).collect();
        evaluate_item(&node.op, &items, &node.shape, &mut out[range_of(node)]);
    }
    out
}

struct Item<'a> {
    shape: &'a [usize],
    data: &'a [f64],
}

/// One item. What sums (over items or rows) adds to `out`, which starts as zero; everything else sets it.
fn evaluate_item(op: &Op, operands: &[Item<'_>], shape: &[usize], out: &mut [f64]) {
    let x = |i: usize| operands[i].data;
    match op {
        Op::Input(_) | Op::Constant(_) | Op::Count(_) => {}
        Op::Map(map) => {
            for (y, source) in out.iter_mut().zip(map.sources()) {
                *y = if source == IndexMap::NOWHERE { 0.0 } else { x(0)[source as usize] };
            }
        }
        Op::Scatter(map) => {
            for (&x, target) in x(0).iter().zip(map.sources()) {
                if target != IndexMap::NOWHERE {
                    out[target as usize] += x;
                }
            }
        }
        Op::Concat(axis) => concat(*axis, operands, shape, out),
        Op::Select => (0..out.len()).for_each(|i| out[i] = if x(2)[i] == 0.0 { x(1)[i] } else { x(0)[i] }),
        Op::Take => {
            for (y, &index) in out.iter_mut().zip(x(1)) {
                *y = flat(index, x(0).len()).map_or(f64::NAN, |i| x(0)[i]);
            }
        }
        Op::Put => {
            for (&y, &index) in x(0).iter().zip(x(1)) {
                if let Some(i) = flat(index, out.len()) {
                    out[i] += y;
                }
            }
        }
        Op::RowSum(_) => (0..out.len()).for_each(|i| out[i] += x(0)[i]),
        Op::Rename { .. } | Op::Stack(_) | Op::Unstack(_) | Op::Detach => out.copy_from_slice(x(0)),
        Op::Unary(f) => (0..out.len()).for_each(|i| out[i] = f.apply(x(0)[i])),
        Op::Binary(f) => (0..out.len()).for_each(|i| out[i] = f.apply(x(0)[i], x(1)[i])),
        Op::Contract(contraction) => contract(contraction, &operands[0], &operands[1], out),
        Op::Convolve(convolution, face, _) => convolve(convolution, *face, x(0), x(1), out),
        Op::ArgExtreme { windows, window, largest } => {
            let sources = windows.sources();
            for (y, entries) in out.iter_mut().zip(sources.chunks((*window).max(1))) {
                *y = arg_extreme(x(0), entries, *largest);
            }
        }
    }
}

/// An index as a position in `len` elements.
fn flat(index: f64, len: usize) -> Option<usize> {
    (index >= 0.0 && index < len as f64).then_some(index as usize)
}

/// The first position that no later one beats, NaN beating all numbers; −1 where there is none.
fn arg_extreme(x: &[f64], entries: &[u32], largest: bool) -> f64 {
    let mut best = None;
    for &i in entries.iter().filter(|&&i| i != IndexMap::NOWHERE) {
        let better = |b: u32| {
            let (new, old) = (x[i as usize], x[b as usize]);
            (new.is_nan() && !old.is_nan()) || if largest { new > old } else { new < old }
        };
        if best.is_none_or(better) {
            best = Some(i);
        }
    }
    best.map_or(-1.0, f64::from)
}

fn concat(axis: usize, parts: &[Item<'_>], shape: &[usize], out: &mut [f64]) {
    let inner: usize = shape[axis + 1..].iter().product();
    let mut before = 0;
    for part in parts {
        let run = part.shape[axis] * inner;
        for (i, &x) in part.data.iter().enumerate() {
            out[i / run * shape[axis] * inner + before * inner + i % run] = x;
        }
        before += part.shape[axis];
    }
}

/// Steps through every value of every label.
fn contract(c: &Contraction, a: &Item<'_>, b: &Item<'_>, out: &mut [f64]) {
    let mut labels: Vec<u8> = c.a.iter().chain(&c.b).copied().collect();
    labels.sort_unstable();
    labels.dedup();
    let axis_of = |label: u8| {
        let in_a = c.a.iter().position(|&l| l == label).map(|i| a.shape[i]);
        in_a.or_else(|| c.b.iter().position(|&l| l == label).map(|i| b.shape[i])).unwrap_or(1)
    };
    let sizes: Vec<usize> = labels.iter().map(|&l| axis_of(l)).collect();
    let strides = |of: &[u8]| {
        let steps = contiguous(&of.iter().map(|&l| axis_of(l)).collect::<Vec<_>>());
        let step = |&l: &u8| of.iter().position(|&m| m == l).map_or(0, |i| steps[i] as usize);
        labels.iter().map(step).collect::<Vec<_>>()
    };
    let (in_a, in_b, in_out) = (strides(&c.a), strides(&c.b), strides(&c.out));
    let mut at = vec![0; labels.len()];
    for _ in 0..sizes.iter().product::<usize>() {
        let flat = |steps: &[usize]| at.iter().zip(steps).map(|(i, s)| i * s).sum::<usize>();
        out[flat(&in_out)] += a.data[flat(&in_a)] * b.data[flat(&in_b)];
        next(&mut at, &sizes);
    }
}

/// Every term of T(x, w, y) = Σ y[o, p] · w[o, c, k] · x[c, stride·p + dilation·k − pad], with one of the three left out.
fn convolve(c: &Convolution, face: Face, first: &[f64], second: &[f64], out: &mut [f64]) {
    let len = |sizes: &[usize]| sizes.iter().product::<usize>();
    let (positions, taps, pixels) = (len(&c.output), len(&c.kernel), len(&c.input));
    let (per_group_in, per_group_out) = (c.in_channels / c.groups, c.out_channels / c.groups);
    let (mut p, mut k) = (vec![0; c.output.len()], vec![0; c.kernel.len()]);
    for position in 0..positions {
        for tap in 0..taps {
            if let Some(pixel) = c.pixel(&p, &k) {
                for o in 0..c.out_channels {
                    for i in 0..per_group_in {
                        let channel = o / per_group_out * per_group_in + i;
                        let x = channel * pixels + pixel;
                        let w = (o * per_group_in + i) * taps + tap;
                        let y = o * positions + position;
                        match face {
                            Face::Value => out[y] += first[x] * second[w],
                            Face::Data => out[x] += first[y] * second[w],
                            Face::Weight => out[w] += first[x] * second[y],
                        }
                    }
                }
            }
            next(&mut k, &c.kernel);
        }
        next(&mut p, &c.output);
    }
}

/// About how many multiplications or moves [`fold`] takes; `None` where that overflows.
pub(crate) fn operations(node: &Node, operands: &[(&Node, &Tensor)], sizes: &dyn Fn(Axis) -> usize) -> Option<usize> {
    let rows = operands.iter().fold(node.rows, |rows, (o, _)| rows.union(o.rows)).iter().map(sizes).collect::<Vec<_>>();
    let item = match &node.op {
        Op::Contract(c) => {
            let only_b = (0..c.b.len()).filter(|&i| !c.a.contains(&c.b[i])).map(|i| operands[1].0.shape[i]);
            operands[0].0.shape.iter().copied().chain(only_b).try_fold(1, usize::checked_mul)?
        }
        Op::Convolve(c, ..) => {
            let sizes = [c.out_channels, c.in_channels / c.groups.max(1)];
            sizes.iter().chain(&c.output).chain(&c.kernel).try_fold(1, |product: usize, &n| product.checked_mul(n))?
        }
        _ => operands.iter().map(|(o, _)| o.item_len()).try_fold(node.item_len(), usize::checked_add)?,
    };
    rows.into_iter().try_fold(item, usize::checked_mul)
}

/// The value of a node whose operands are constants, as a constant; rows have sizes of their own.
pub(crate) fn fold(node: &Node, operands: &[(&Node, &Tensor)], sizes: &dyn Fn(Axis) -> usize) -> Tensor {
    let data: Vec<Vec<f64>> = operands.iter().map(|(_, t)| t.to_f64()).collect();
    let values: Vec<Value<'_>> = operands.iter().zip(&data).map(|((node, _), data)| Value { node, data }).collect();
    let dims: Vec<usize> = node.rows.iter().map(sizes).chain(node.shape.iter().copied()).collect();
    Tensor::new(dims, evaluate_node(node, &values, sizes))
}
