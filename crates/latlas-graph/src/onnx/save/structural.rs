//! Index maps and their kin: as Reshape, Slice, Transpose, Expand and ReduceSum where they are that, else as Gather.

use super::writer::{INT64, Writer, int, ints};
use crate::ops::{Form, IndexMap, contiguous};
use crate::{Axis, Node, NodeId, Rows};

/// A strided map as steps that ONNX names.
struct View {
    /// The shape that the source is taken in.
    source: Vec<usize>,
    /// For each of its axes: start, step and number of the positions read.
    reads: Vec<(usize, isize, usize)>,
    /// The axis of the source that each axis of the result runs along; `None` repeats.
    along: Vec<Option<usize>>,
}

/// Every axis of the result that moves runs along an axis of the source of its own, if there is a shape in which it does.
fn view(source: &[usize], map: &IndexMap) -> Option<View> {
    let Form::Strided { offset, strides } = map.form() else { return None };
    let along_axes = |source: Vec<usize>| {
        let steps = contiguous(&source);
        let mut reads: Vec<(usize, isize, usize)> =
            (0..source.len()).map(|j| (*offset / steps[j] as usize % source[j].max(1), 1, 1)).collect();
        let mut along = vec![None; strides.len()];
        for (k, &stride) in strides.iter().enumerate().filter(|(_, s)| **s != 0) {
            let j = (0..source.len()).find(|&j| source[j] > 1 && steps[j] <= stride.abs() && stride % steps[j] == 0)?;
            let (start, step, n) = (reads[j].0, stride / steps[j], map.shape()[k]);
            let last = start as isize + step * (n as isize - 1);
            if along.contains(&Some(j)) || last < 0 || last >= source[j] as isize {
                return None;
            }
            reads[j] = (start, step, n);
            along[k] = Some(j);
        }
        Some(View { source, reads, along })
    };
    along_axes(source.to_vec()).or_else(|| {
        // An axis that is split and permuted at once: the strides themselves tell the shape to take the source in.
        let mut moving: Vec<(isize, usize)> = strides.iter().zip(map.shape()).filter(|(s, _)| **s != 0).map(|(&s, &n)| (s, n)).collect();
        moving.sort_unstable_by_key(|&(stride, _)| std::cmp::Reverse(stride));
        let sizes: Vec<usize> = moving.iter().map(|m| m.1).collect();
        let nested = contiguous(&sizes).iter().zip(&moving).all(|(step, (stride, _))| step == stride);
        let whole = sizes.iter().product::<usize>() == source.iter().product();
        (nested && whole && *offset == 0).then(|| along_axes(sizes)).flatten()
    })
}

pub(super) fn map(w: &mut Writer<'_>, node: &Node, map: &IndexMap, x: NodeId) -> String {
    let operand = w.graph.node(x);
    let (rows, lead) = (operand.rows, operand.rows.len() as i64);
    let mut name = w.value(x);
    if map.is_identity(operand.item_len()) {
        return w.reshaped(&name, rows, &node.shape);
    }
    let Some(view) = view(&operand.shape, map) else {
        let flat = w.reshaped(&name, rows, &[operand.item_len()]);
        return gather(w, &flat, rows, operand.item_len(), map.shape(), &map.sources(), 0.0);
    };
    if view.source != operand.shape {
        name = w.reshaped(&name, rows, &view.source);
    }
    name = slice(w, name, lead, &view);
    // Axes of which one position is left go last and vanish in a reshape; repeats come back as ones.
    let moving: Vec<usize> = view.along.iter().flatten().copied().collect();
    let resting = (0..view.source.len()).filter(|j| !moving.contains(j));
    let order: Vec<i64> = (0..lead).chain(moving.iter().copied().chain(resting).map(|j| lead + j as i64)).collect();
    if !order.is_sorted() {
        name = w.node("Transpose", &[&name], vec![ints("perm", &order)]);
    }
    let ones: Vec<usize> = node.shape.iter().zip(&view.along).map(|(&n, along)| if along.is_some() { n } else { 1 }).collect();
    let permuted: Vec<usize> = order.iter().skip(lead as usize).map(|&j| view.reads[(j - lead) as usize].2).collect();
    if permuted != ones {
        name = w.reshaped(&name, rows, &ones);
    }
    if ones != node.shape {
        let shape: Vec<i64> = (0..lead).map(|_| 1).chain(node.shape.iter().map(|&n| n as i64)).collect();
        let shape = w.ints(&shape);
        name = w.node("Expand", &[&name, &shape], vec![]);
    }
    name
}

fn slice(w: &mut Writer<'_>, name: String, lead: i64, view: &View) -> String {
    let (mut starts, mut ends, mut axes, mut steps) = (vec![], vec![], vec![], vec![]);
    for (j, &(start, step, n)) in view.reads.iter().enumerate() {
        if n != view.source[j] || step != 1 {
            let end = start as i64 + step as i64 * n as i64;
            starts.push(start as i64);
            // A negative end would count from the back; the smallest one stands for "before the first".
            ends.push(if end < 0 { i64::MIN + 1 } else { end });
            axes.push(lead + j as i64);
            steps.push(step as i64);
        }
    }
    if starts.is_empty() {
        return name;
    }
    let [starts, ends, axes, steps] = [starts, ends, axes, steps].map(|list| w.ints(&list));
    w.node("Slice", &[&name, &starts, &ends, &axes, &steps], vec![])
}

/// Elements of a flat item `[rows.., len]`; what has no source reads a column of `missing` put behind it.
fn gather(w: &mut Writer<'_>, flat: &str, rows: Rows, len: usize, shape: &[usize], sources: &[u32], missing: f64) -> String {
    let padded = sources.contains(&IndexMap::NOWHERE);
    let flat = if padded { with_column(w, flat, rows, missing) } else { flat.into() };
    let index: Vec<i64> = sources.iter().map(|&s| if s == IndexMap::NOWHERE { len as i64 } else { i64::from(s) }).collect();
    let index = w.indices(shape, &index);
    w.node("Gather", &[&flat, &index], vec![int("axis", rows.len() as i64)])
}

/// A flat item with one more element.
fn with_column(w: &mut Writer<'_>, flat: &str, rows: Rows, value: f64) -> String {
    let rank = rows.len() + 1;
    let pads: Vec<i64> = (0..2 * rank).map(|i| i64::from(i + 1 == 2 * rank)).collect();
    let (pads, value) = (w.ints(&pads), w.scalar(value));
    w.node("Pad", &[flat, &pads, &value], vec![])
}

pub(super) fn scatter(w: &mut Writer<'_>, node: &Node, map: &IndexMap, x: NodeId) -> String {
    let operand = w.graph.node(x);
    let (rows, len) = (operand.rows, operand.item_len());
    let name = w.value(x);
    if let Some(axes) = summed_axes(map, node.item_len()) {
        let kept: Vec<usize> = (0..operand.shape.len()).filter(|i| !axes.contains(i)).map(|i| operand.shape[i]).collect();
        let axes: Vec<i64> = axes.iter().map(|&i| (rows.len() + i) as i64).collect();
        let axes = w.ints(&axes);
        let sum = w.node("ReduceSum", &[&name, &axes], vec![int("keepdims", 0)]);
        return if kept == node.shape { sum } else { w.reshaped(&sum, rows, &node.shape) };
    }
    let mut summands: Vec<Vec<u32>> = vec![vec![]; node.item_len()];
    for (source, target) in map.sources().into_iter().enumerate().filter(|(_, t)| *t != IndexMap::NOWHERE) {
        summands[target as usize].push(source as u32);
    }
    let most = summands.iter().map(Vec::len).max().unwrap_or(0).max(1);
    let mut sources = Vec::with_capacity(most * summands.len());
    for list in summands {
        sources.extend_from_slice(&list);
        sources.extend(std::iter::repeat_n(IndexMap::NOWHERE, most - list.len()));
    }
    let flat = w.reshaped(&name, rows, &[len]);
    let shape = [&node.shape[..], &[most]].concat();
    let gathered = gather(w, &flat, rows, len, &shape, &sources, 0.0);
    let last = w.ints(&[-1]);
    w.node("ReduceSum", &[&gathered, &last], vec![int("keepdims", 0)])
}

/// The item axes that a scatter sums over, where it does nothing else.
fn summed_axes(map: &IndexMap, target: usize) -> Option<Vec<usize>> {
    let Form::Strided { offset: 0, strides } = map.form() else { return None };
    let shape = map.shape();
    let axes: Vec<usize> = (0..shape.len()).filter(|&i| strides[i] == 0 && shape[i] != 1).collect();
    let kept: Vec<usize> = (0..shape.len()).filter(|i| !axes.contains(i)).collect();
    let sizes: Vec<usize> = kept.iter().map(|&i| shape[i]).collect();
    let steps = contiguous(&sizes);
    let plain = kept.iter().zip(&steps).all(|(&i, &step)| shape[i] == 1 || strides[i] == step);
    (plain && !axes.is_empty() && sizes.iter().product::<usize>() == target).then_some(axes)
}

pub(super) fn concat(w: &mut Writer<'_>, node: &Node, axis: usize, parts: &[NodeId]) -> String {
    let mut names = Vec::with_capacity(parts.len());
    for &part in parts {
        let (rows, shape) = (w.graph.node(part).rows, w.graph.node(part).shape.clone());
        let name = w.value(part);
        names.push(w.widened(name, rows, node.rows, &shape));
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    w.node("Concat", &names, vec![int("axis", (node.rows.len() + axis) as i64)])
}

/// An index as integers over `rows`, flat; one that is out of range becomes `len`.
fn flat_index(w: &mut Writer<'_>, index: NodeId, rows: Rows, len: usize) -> String {
    let node = w.graph.node(index);
    let name = w.value(index);
    let (zero, end) = (w.scalar(0.0), w.scalar(len as f64));
    let (above, below) = (w.node("LessOrEqual", &[&zero, &name], vec![]), w.node("Less", &[&name, &end], vec![]));
    let inside = w.node("And", &[&above, &below], vec![]);
    let safe = w.node("Where", &[&inside, &name, &end], vec![]);
    let flat = w.reshaped(&safe, node.rows, &[node.item_len()]);
    let flat = w.cast(&flat, INT64);
    w.widened(flat, node.rows, rows, &[node.item_len()])
}

pub(super) fn take(w: &mut Writer<'_>, node: &Node, x: NodeId, index: NodeId) -> String {
    let operand = w.graph.node(x);
    let (rows, len) = (operand.rows, operand.item_len());
    let name = w.value(x);
    let flat = w.reshaped(&name, rows, &[len]);
    let flat = with_column(w, &flat, rows, f64::NAN);
    let taken = if rows.is_empty() {
        let index_rows = w.graph.node(index).rows;
        let index = flat_index(w, index, index_rows, len);
        w.node("Gather", &[&flat, &index], vec![int("axis", 0)])
    } else {
        let flat = w.widened(flat, rows, node.rows, &[len + 1]);
        let index = flat_index(w, index, node.rows, len);
        w.node("GatherElements", &[&flat, &index], vec![int("axis", node.rows.len() as i64)])
    };
    w.reshaped(&taken, node.rows, &node.shape)
}

pub(super) fn put(w: &mut Writer<'_>, node: &Node, y: NodeId, index: NodeId) -> String {
    let (operand, len, axis) = (w.graph.node(y), node.item_len(), node.rows.len() as i64);
    let name = w.value(y);
    let flat = w.reshaped(&name, operand.rows, &[operand.item_len()]);
    let flat = w.widened(flat, operand.rows, node.rows, &[operand.item_len()]);
    let index = flat_index(w, index, node.rows, len);
    // One place more, for what is out of range.
    let zeros = w.array(&[len + 1], &vec![0.0; len + 1]);
    let zeros = w.widened(zeros, Rows::NONE, node.rows, &[len + 1]);
    let sum = w.node("ScatterElements", &[&zeros, &index, &flat], vec![int("axis", axis), super::writer::text("reduction", "add")]);
    let [start, end, axes] = [0, len as i64, axis].map(|i| w.ints(&[i]));
    let inside = w.node("Slice", &[&sum, &start, &end, &axes], vec![]);
    w.reshaped(&inside, node.rows, &node.shape)
}

pub(super) fn rename(w: &mut Writer<'_>, node: &Node, x: NodeId, from: Axis, to: Axis) -> String {
    let name = w.value(x);
    let old: Vec<Axis> = w.graph.node(x).rows.iter().map(|axis| if axis == from { to } else { axis }).collect();
    let lead = old.len() as i64;
    let of_rows = node.rows.iter().map(|axis| old.iter().position(|&a| a == axis).unwrap_or(0) as i64);
    let order: Vec<i64> = of_rows.chain(lead..lead + node.shape.len() as i64).collect();
    if order.is_sorted() { name } else { w.node("Transpose", &[&name], vec![ints("perm", &order)]) }
}

/// An axis from the rows to the front of the item, or back.
pub(super) fn stack(w: &mut Writer<'_>, node: &Node, x: NodeId, axis: Axis) -> String {
    let name = w.value(x);
    // Rows, then the axis if it is in the item, as the dimensions of the tensor name them.
    let dims = |rows: Rows| {
        let inside = (!rows.contains(axis)).then_some(axis);
        rows.iter().chain(inside).collect::<Vec<_>>()
    };
    let (old, new) = (dims(w.graph.node(x).rows), dims(node.rows));
    let lead = old.len() as i64;
    let rest = w.graph.node(x).shape.len().min(node.shape.len()) as i64;
    let moved = new.iter().map(|axis| old.iter().position(|a| a == axis).unwrap_or(0) as i64);
    let order: Vec<i64> = moved.chain(lead..lead + rest).collect();
    if order.is_sorted() { name } else { w.node("Transpose", &[&name], vec![ints("perm", &order)]) }
}

pub(super) fn arg_extreme(w: &mut Writer<'_>, node: &Node, windows: &IndexMap, window: usize, largest: bool, x: NodeId) -> String {
    let (rows, len) = (node.rows, w.graph.node(x).item_len());
    let name = w.value(x);
    let flat = w.reshaped(&name, rows, &[len]);
    let sources = windows.sources();
    let worst = if largest { f64::NEG_INFINITY } else { f64::INFINITY };
    let entries = gather(w, &flat, rows, len, windows.shape(), &sources, worst);
    let op = if largest { "ArgMax" } else { "ArgMin" };
    let best = w.node(op, &[&entries], vec![int("axis", -1), int("keepdims", 0)]);
    // From the place within each window to the place in x.
    let starts: Vec<i64> = (0..node.item_len()).map(|i| (i * window) as i64).collect();
    let starts = w.indices(&node.shape, &starts);
    let place = w.node("Add", &[&best, &starts], vec![]);
    let positions: Vec<f64> = sources.iter().map(|&s| if s == IndexMap::NOWHERE { -1.0 } else { f64::from(s) }).collect();
    let positions = w.array(&[positions.len()], &positions);
    w.node("Gather", &[&positions, &place], vec![int("axis", 0)])
}
