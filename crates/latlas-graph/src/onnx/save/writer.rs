//! Writes named ONNX nodes and initialisers, and keeps track of which tensor holds which value.

use std::collections::{BTreeMap, BTreeSet};

use super::super::proto::{AttributeProto, NodeProto, TensorProto};
use crate::{Axis, Graph, NodeId, Op, Rows};

const FLOAT: i32 = 1;
const DOUBLE: i32 = 11;
pub(super) const INT64: i32 = 7;
pub(super) const BOOL: i32 = 9;
/// Uniform constants above this size are made by the runtime instead of being stored.
const STORED_UNIFORM: usize = 1_024;

/// A growing ONNX graph beside the graph that it is written from.
///
/// Every value is a tensor with exactly the value's rows as leading dimensions, in the order of the axes (so N is the first
/// or absent), then the item.
pub(super) struct Writer<'g> {
    pub graph: &'g Graph,
    /// The type of all numbers.
    pub float: i32,
    pub nodes: Vec<NodeProto>,
    pub initializers: Vec<TensorProto>,
    /// The float tensor of each value, once there is one.
    floats: Vec<Option<String>>,
    /// The same as truth values, where a comparison made it.
    masks: Vec<Option<String>>,
    taken: BTreeSet<String>,
    shared: BTreeMap<String, String>,
    /// A tensor whose first dimension is N.
    with_samples: Option<String>,
}

pub(super) fn int(name: &str, value: i64) -> AttributeProto {
    AttributeProto { name: name.into(), kind: 2, i: Some(value), ..AttributeProto::default() }
}

pub(super) fn ints(name: &str, values: &[i64]) -> AttributeProto {
    AttributeProto { name: name.into(), kind: 7, ints: values.to_vec(), ..AttributeProto::default() }
}

pub(super) fn text(name: &str, value: &str) -> AttributeProto {
    AttributeProto { name: name.into(), kind: 3, s: Some(value.as_bytes().to_vec().into()), ..AttributeProto::default() }
}

impl<'g> Writer<'g> {
    pub fn new(graph: &'g Graph, double: bool) -> Self {
        let ports = graph.inputs.iter().chain(&graph.outputs).map(|port| port.name.clone());
        Self {
            graph,
            float: if double { DOUBLE } else { FLOAT },
            nodes: vec![],
            initializers: vec![],
            floats: vec![None; graph.nodes().len()],
            masks: vec![None; graph.nodes().len()],
            taken: ports.collect(),
            shared: BTreeMap::new(),
            with_samples: None,
        }
    }

    /// A name that no port and no other tensor has.
    pub fn fresh(&mut self, hint: &str) -> String {
        let mut name = format!("{hint}_{}", self.nodes.len() + self.initializers.len());
        while !self.taken.insert(name.clone()) {
            name.push('_');
        }
        name
    }

    /// A node with one output; gives its name.
    pub fn node(&mut self, op: &str, inputs: &[&str], attributes: Vec<AttributeProto>) -> String {
        let output = self.fresh(&op.to_lowercase());
        self.node_named(op, inputs, attributes, &output);
        output
    }

    /// A node whose output has a given name.
    pub fn node_named(&mut self, op: &str, inputs: &[&str], attribute: Vec<AttributeProto>, output: &str) {
        let input = inputs.iter().map(|&i| i.into()).collect();
        self.nodes.push(NodeProto {
            input,
            output: vec![output.into()],
            name: output.into(),
            op_type: op.into(),
            attribute,
            ..NodeProto::default()
        });
    }

    /// A list of integers: a shape, axes, indices.
    pub fn ints(&mut self, values: &[i64]) -> String {
        self.indices(&[values.len()], values)
    }

    /// An array of integers.
    pub fn indices(&mut self, dims: &[usize], values: &[i64]) -> String {
        let small = values.len() <= 64;
        let key = format!("{dims:?}{values:?}");
        if let Some(name) = self.shared.get(&key).filter(|_| small) {
            return name.clone();
        }
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        let name = self.initializer(dims, INT64, bytes, "index");
        if small {
            self.shared.insert(key, name.clone());
        }
        name
    }

    /// A number, which broadcasts against everything.
    pub fn scalar(&mut self, value: f64) -> String {
        let key = format!("scalar {:x}", value.to_bits());
        if let Some(name) = self.shared.get(&key) {
            return name.clone();
        }
        let name = self.array(&[], &[value]);
        self.shared.insert(key, name.clone());
        name
    }

    /// An array of numbers.
    pub fn array(&mut self, dims: &[usize], values: &[f64]) -> String {
        let bytes = match self.float {
            DOUBLE => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
            _ => values.iter().flat_map(|&v| (v as f32).to_le_bytes()).collect(),
        };
        self.initializer(dims, self.float, bytes, "constant")
    }

    fn initializer(&mut self, dims: &[usize], data_type: i32, bytes: Vec<u8>, hint: &str) -> String {
        let name = self.fresh(hint);
        self.initializers.push(TensorProto {
            dims: dims.iter().map(|&d| d as i64).collect(),
            data_type,
            name: name.clone(),
            raw_data: Some(bytes.into()),
            ..TensorProto::default()
        });
        name
    }

    /// Says which tensor holds a value.
    pub fn set(&mut self, id: NodeId, name: String) {
        let rows = self.graph.node(id).rows;
        if rows.contains(Axis::SAMPLE) && self.with_samples.is_none() {
            self.with_samples = Some(name.clone());
        }
        self.floats[id.index()] = Some(name);
    }

    /// Says which tensor of truth values holds a mask.
    pub fn set_mask(&mut self, id: NodeId, name: String) {
        self.masks[id.index()] = Some(name);
    }

    /// The float tensor of a value.
    pub fn value(&mut self, id: NodeId) -> String {
        if let Some(name) = &self.floats[id.index()] {
            return name.clone();
        }
        let name = match (&self.graph.node(id).op, self.masks[id.index()].clone()) {
            (_, Some(mask)) => self.cast(&mask, self.float),
            (Op::Constant(tensor), None) => match tensor.uniform().filter(|_| tensor.len() > STORED_UNIFORM) {
                Some(value) => {
                    let number = self.scalar(value);
                    let shape = self.ints(&tensor.dims().iter().map(|&d| d as i64).collect::<Vec<_>>());
                    self.node("Expand", &[&number, &shape], vec![])
                }
                None => self.array(tensor.dims(), &tensor.to_f64()),
            },
            _ => String::new(),
        };
        self.floats[id.index()] = Some(name.clone());
        name
    }

    /// The truth values of a mask: where it is not zero.
    pub fn mask(&mut self, id: NodeId) -> String {
        if let Some(name) = &self.masks[id.index()] {
            return name.clone();
        }
        let value = self.value(id);
        let name = self.cast(&value, BOOL);
        self.masks[id.index()] = Some(name.clone());
        name
    }

    pub fn cast(&mut self, x: &str, to: i32) -> String {
        self.node("Cast", &[x], vec![int("to", i64::from(to))])
    }

    /// An operand of an elementwise operation over `rows`: a number where it is uniform, else with axes of length one where
    /// it lacks rows.
    pub fn operand(&mut self, id: NodeId, rows: Rows) -> String {
        let node = self.graph.node(id);
        if let Op::Constant(tensor) = &node.op
            && let Some(value) = tensor.uniform().filter(|_| node.rows.is_empty())
        {
            return self.scalar(value);
        }
        let name = self.value(id);
        self.aligned(name, node.rows, rows)
    }

    /// A tensor over `from` with axes of length one where `to` has more. (Leading ones are not needed.)
    pub fn aligned(&mut self, name: String, from: Rows, to: Rows) -> String {
        let missing: Vec<i64> = (0..).zip(to.iter()).filter(|(_, axis)| !from.contains(*axis)).map(|(i, _)| i).collect();
        if from.is_empty() || missing.is_empty() || missing.iter().copied().eq(0..missing.len() as i64) {
            return name;
        }
        let axes = self.ints(&missing);
        self.node("Unsqueeze", &[&name, &axes], vec![])
    }

    /// A tensor over `from`, repeated over `to`.
    pub fn widened(&mut self, name: String, from: Rows, to: Rows, item: &[usize]) -> String {
        if from == to {
            return name;
        }
        let name = self.aligned(name, from, to);
        let samples = to.contains(Axis::SAMPLE);
        let sizes = to.iter().filter(|axis| *axis != Axis::SAMPLE).map(|axis| self.graph.axis_size(axis, 1));
        let dims: Vec<i64> = sizes.chain(item.iter().copied()).map(|n| n as i64).collect();
        let mut shape = self.ints(&dims);
        if samples {
            let count = self.samples();
            shape = if dims.is_empty() { count } else { self.node("Concat", &[&count, &shape], vec![int("axis", 0)]) };
        }
        self.node("Expand", &[&name, &shape], vec![])
    }

    /// Whether some input varies over samples, so that N can be asked for.
    pub fn has_samples(&self) -> bool {
        self.with_samples.is_some()
    }

    /// N as a list of one integer.
    pub fn samples(&mut self) -> String {
        if let Some(name) = self.shared.get("samples") {
            return name.clone();
        }
        let name = match self.with_samples.clone() {
            Some(tensor) => self.node("Shape", &[&tensor], vec![int("start", 0), int("end", 1)]),
            // Without an input over samples there is one sample.
            None => self.ints(&[1]),
        };
        self.shared.insert("samples".into(), name.clone());
        name
    }

    /// A tensor with these rows and another item of the same number of elements.
    pub fn reshaped(&mut self, name: &str, rows: Rows, item: &[usize]) -> String {
        let shape = self.row_dims(rows, 0).into_iter().chain(item.iter().map(|&n| n as i64)).collect::<Vec<_>>();
        let shape = self.ints(&shape);
        self.node("Reshape", &[name, &shape], vec![])
    }

    /// The dimensions of rows, with `samples` in the place of N.
    pub fn row_dims(&self, rows: Rows, samples: i64) -> Vec<i64> {
        rows.iter().map(|axis| self.graph.axes()[axis.index()].size.map_or(samples, |n| n as i64)).collect()
    }
}
