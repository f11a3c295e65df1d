//! Graphs out: any graph, derivatives included, as standard ONNX (opset 17) for any runtime.
//!
//! Inputs and outputs are `[N, other rows.., shape..]`. What ONNX has no operator for is written with several, never with
//! a custom one.

mod bilinear;
mod scalar;
mod structural;
mod writer;

use std::collections::BTreeSet;

use prost::Message;

use super::proto::{
    DimensionProto, GraphProto, ModelProto, OperatorSetIdProto, TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto,
};
use crate::{Axis, Builder, Error, Graph, NodeId, Op, Port, Result, Rows};
use writer::{Writer, ints};

const OPSET: i64 = 17;
const IR_VERSION: i64 = 8;

/// How the axes of an output are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Layout {
    /// `[N, other rows.., shape..]`: as values lie in memory.
    #[default]
    RowsFirst,
    /// `[N, shape.., other rows..]`: a Jacobian as `[N, D.., d]`.
    ShapeFirst,
}

/// The bytes of an ONNX file for a graph, every output with its rows first.
///
/// Inputs that have a value of their own ([`Port::default`]) are stored as initialisers.
///
/// # Errors
/// [`Error::Graph`] where two ports have the same name, or the graph counts samples and no input has any; [`Error::Limit`]
/// where the file would pass what the format can hold (2 GiB).
pub fn save(graph: &Graph) -> Result<Vec<u8>> {
    save_with(graph, &[])
}

/// As [`save`], with a layout for each output; missing ones are [`Layout::RowsFirst`].
///
/// # Errors
/// Those of [`save`].
pub fn save_with(graph: &Graph, layouts: &[Layout]) -> Result<Vec<u8>> {
    write(graph, layouts, false)
}

/// As [`save`], with all numbers in double precision: no digit of a constant is lost.
///
/// # Errors
/// Those of [`save`].
pub fn save_double(graph: &Graph) -> Result<Vec<u8>> {
    write(graph, &[], true)
}

fn write(graph: &Graph, layouts: &[Layout], double: bool) -> Result<Vec<u8>> {
    let mut seen = BTreeSet::new();
    if let Some(port) = graph.inputs.iter().chain(&graph.outputs).find(|port| !seen.insert(&port.name)) {
        return Err(Error::Graph { what: format!("two inputs or outputs are named {:?}", port.name) });
    }
    let graph = &expressible(graph);
    let mut w = Writer::new(graph, double);
    let inputs = graph.inputs.iter().filter_map(|port| write_input(&mut w, port)).collect();
    let live = graph.live();
    for (i, _) in live.iter().enumerate().filter(|(_, live)| **live) {
        write_node(&mut w, NodeId(i as u32))?;
    }
    let layout = |i: usize| layouts.get(i).copied().unwrap_or_default();
    let output = graph.outputs.iter().enumerate().map(|(i, port)| write_output(&mut w, port, layout(i))).collect();
    let model = ModelProto {
        ir_version: IR_VERSION,
        opset_import: vec![OperatorSetIdProto { domain: String::new(), version: OPSET }],
        graph: Some(GraphProto {
            node: w.nodes,
            name: "latlas".into(),
            initializer: w.initializers,
            input: inputs,
            output,
            value_info: vec![],
        }),
        functions: vec![],
    };
    let length = model.encoded_len();
    if length > i32::MAX as usize {
        return Err(Error::Limit { what: "size of the model file in bytes".into(), got: length as u64, limit: i32::MAX as u64 });
    }
    Ok(model.encode_to_vec())
}

/// The same graph without the convolutions that ONNX cannot say: weight gradients, and weights that have rows.
fn expressible(graph: &Graph) -> Graph {
    let fits = |op: &Op, operands: &[NodeId]| match op {
        Op::Convolve(c, face, _) => bilinear::is_conv(c, *face) && graph.node(operands[1]).rows.is_empty(),
        _ => true,
    };
    if graph.nodes().iter().all(|node| fits(&node.op, &node.operands)) {
        return graph.clone();
    }
    let mut b = Builder::from_graph(graph.clone());
    let mut new_ids: Vec<NodeId> = Vec::with_capacity(graph.nodes().len());
    for (i, node) in graph.nodes().iter().enumerate() {
        let operands: Vec<NodeId> = node.operands.iter().map(|o| new_ids[o.index()]).collect();
        new_ids.push(match &node.op {
            Op::Input(_) => NodeId(i as u32),
            Op::Convolve(c, face, sum_rows) if !fits(&node.op, &node.operands) => {
                c.decompose(&mut b, *face, operands[0], operands[1], *sum_rows)
            }
            _ => b.again(node, &operands),
        });
    }
    let moved = |port: &Port| Port { node: new_ids[port.node.index()], ..port.clone() };
    b.finish(graph.outputs.iter().map(moved).collect())
}

/// Declares an input; one with a value of its own becomes an initialiser instead.
fn write_input(w: &mut Writer<'_>, port: &Port) -> Option<ValueInfoProto> {
    let node = w.graph.node(port.node);
    if let Some(value) = &port.default {
        let name = w.array(&node.shape, &value.to_f64());
        w.set(port.node, name);
        return None;
    }
    let same = port.shape == node.shape;
    let name = if same { port.name.clone() } else { w.reshaped(&port.name, node.rows, &node.shape) };
    w.set(port.node, name);
    Some(declaration(w, &port.name, &axes_of(node.rows), &port.shape, Layout::RowsFirst))
}

fn axes_of(rows: Rows) -> Vec<Axis> {
    rows.iter().collect()
}

fn declaration(w: &Writer<'_>, name: &str, rows: &[Axis], shape: &[usize], layout: Layout) -> ValueInfoProto {
    let fixed = |n: usize| DimensionProto { dim_value: Some(n as i64), dim_param: None };
    let of_axis = |axis: &Axis| match w.graph.axes()[axis.index()].size {
        Some(n) => fixed(n),
        None => DimensionProto { dim_value: None, dim_param: Some("N".into()) },
    };
    let (samples, others) = rows.split_at(usize::from(rows.first() == Some(&Axis::SAMPLE)));
    let (others, shape) = (others.iter().map(of_axis), shape.iter().map(|&n| fixed(n)));
    let rest: Vec<DimensionProto> = match layout {
        Layout::RowsFirst => others.chain(shape).collect(),
        Layout::ShapeFirst => shape.chain(others).collect(),
    };
    let dim = samples.iter().map(of_axis).chain(rest).collect();
    let tensor_type = Some(TensorTypeProto { elem_type: w.float, shape: Some(TensorShapeProto { dim }) });
    ValueInfoProto { name: name.into(), r#type: Some(TypeProto { tensor_type }) }
}

/// Gives a value the port's name, shape and layout; every output varies over samples for its user.
fn write_output(w: &mut Writer<'_>, port: &Port, layout: Layout) -> ValueInfoProto {
    let node = w.graph.node(port.node);
    let rows = node.rows.union(Rows::SAMPLE);
    let mut name = w.value(port.node);
    name = w.widened(name, node.rows, rows, &node.shape);
    if port.shape != node.shape {
        name = w.reshaped(&name, rows, &port.shape);
    }
    let axes = axes_of(rows);
    if layout == Layout::ShapeFirst && axes.len() > 1 && !port.shape.is_empty() {
        let rank = (axes.len() + port.shape.len()) as i64;
        let others = 1..axes.len() as i64;
        let order: Vec<i64> = std::iter::once(0).chain(axes.len() as i64..rank).chain(others).collect();
        w.node_named("Transpose", &[&name], vec![ints("perm", &order)], &port.name);
    } else {
        w.node_named("Identity", &[&name], vec![], &port.name);
    }
    declaration(w, &port.name, &axes, &port.shape, layout)
}

fn write_node(w: &mut Writer<'_>, id: NodeId) -> Result<()> {
    let graph = w.graph;
    let node = graph.node(id);
    let name = match (&node.op, &node.operands[..]) {
        // Constants are written where they are used: often a number does.
        (Op::Input(_) | Op::Constant(_), _) => return Ok(()),
        (Op::Count(_), _) => {
            if !w.has_samples() {
                return Err(Error::Graph { what: "the graph counts samples, but no input varies over them".into() });
            }
            let count = w.samples();
            let count = w.cast(&count, w.float);
            w.reshaped(&count, Rows::NONE, &[])
        }
        (Op::Map(map), &[x]) => structural::map(w, node, map, x),
        (Op::Scatter(map), &[x]) => structural::scatter(w, node, map, x),
        (Op::Concat(axis), parts) => structural::concat(w, node, *axis, parts),
        (Op::Select, &[yes, no, mask]) => {
            let truth = w.mask(mask);
            let truth = w.aligned(truth, graph.node(mask).rows, node.rows);
            let (yes, no) = (w.operand(yes, node.rows), w.operand(no, node.rows));
            w.node("Where", &[&truth, &yes, &no], vec![])
        }
        (Op::Take, &[x, index]) => structural::take(w, node, x, index),
        (Op::Put, &[y, index]) => structural::put(w, node, y, index),
        (Op::RowSum(axis), &[x]) => {
            let position = graph.node(x).rows.iter().position(|a| a == *axis).unwrap_or(0);
            let (x, axes) = (w.value(x), w.ints(&[position as i64]));
            w.node("ReduceSum", &[&x, &axes], vec![writer::int("keepdims", 0)])
        }
        (Op::Rename { from, to }, &[x]) => structural::rename(w, node, x, *from, *to),
        (Op::Stack(axis) | Op::Unstack(axis), &[x]) => structural::stack(w, node, x, *axis),
        (Op::Unary(f), &[x]) => match scalar::unary(w, *f, x) {
            scalar::Written::Float(name) => name,
            scalar::Written::Mask(name) => {
                w.set_mask(id, name);
                return Ok(());
            }
        },
        (Op::Binary(f), &[a, b]) => match scalar::binary(w, *f, a, b, node.rows) {
            scalar::Written::Float(name) => name,
            scalar::Written::Mask(name) => {
                w.set_mask(id, name);
                return Ok(());
            }
        },
        (Op::Contract(contraction), &[a, b]) => bilinear::contract(w, node, contraction, a, b)?,
        (Op::Convolve(c, face, _), &[x, weight]) => bilinear::convolve(w, node, c, *face, x, weight),
        (Op::ArgExtreme { windows, window, largest }, &[x]) => structural::arg_extreme(w, node, windows, *window, *largest, x),
        (Op::Detach, &[x]) => w.value(x),
        _ => return Err(Error::Graph { what: format!("a {:?} operation with {} operands", node.op.kind(), node.operands.len()) }),
    };
    w.set(id, name);
    Ok(())
}
