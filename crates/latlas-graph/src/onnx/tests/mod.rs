//! Models written by hand, byte by byte as a file would hold them.

#![allow(clippy::unwrap_used)]

mod hostile;
mod values;

use prost::Message;

use super::proto::{
    AttributeProto, DimensionProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, TensorShapeProto, TensorTypeProto,
    TypeProto, ValueInfoProto,
};
use super::{LoadOptions, load_bytes};
use crate::{Error, Graph, Result};

/// A graph of nodes written as `op(inputs) -> outputs {attributes}`.
#[derive(Default)]
pub struct Model {
    pub proto: ModelProto,
}

impl Model {
    pub fn new(opset: i64) -> Self {
        let proto = ModelProto {
            ir_version: 8,
            graph: Some(GraphProto::default()),
            opset_import: vec![OperatorSetIdProto { domain: String::new(), version: opset }],
            functions: vec![],
        };
        Self { proto }
    }

    pub fn graph(&mut self) -> &mut GraphProto {
        self.proto.graph.as_mut().unwrap()
    }

    /// −1 stands for the batch symbol.
    pub fn input(mut self, name: &str, shape: &[i64]) -> Self {
        self.graph().input.push(info(name, shape));
        self
    }

    pub fn output(mut self, name: &str) -> Self {
        self.graph().output.push(ValueInfoProto { name: name.into(), r#type: None });
        self
    }

    pub fn floats(mut self, name: &str, dims: &[i64], data: &[f32]) -> Self {
        let t = TensorProto { name: name.into(), dims: dims.into(), data_type: 1, float_data: data.into(), ..Default::default() };
        self.graph().initializer.push(t);
        self
    }

    pub fn ints(mut self, name: &str, dims: &[i64], data: &[i64]) -> Self {
        let t = TensorProto { name: name.into(), dims: dims.into(), data_type: 7, int64_data: data.into(), ..Default::default() };
        self.graph().initializer.push(t);
        self
    }

    pub fn node(mut self, op: &str, inputs: &[&str], outputs: &[&str], attributes: &[AttributeProto]) -> Self {
        self.graph().node.push(node(op, inputs, outputs, attributes));
        self
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.proto.encode_to_vec()
    }

    pub fn load(&self) -> Result<Graph> {
        self.load_with(&LoadOptions::default())
    }

    pub fn load_with(&self, options: &LoadOptions) -> Result<Graph> {
        load_bytes(self.bytes(), None, options)
    }
}

pub fn node(op: &str, inputs: &[&str], outputs: &[&str], attributes: &[AttributeProto]) -> NodeProto {
    NodeProto {
        op_type: op.into(),
        input: inputs.iter().map(|&s| s.into()).collect(),
        output: outputs.iter().map(|&s| s.into()).collect(),
        attribute: attributes.into(),
        ..Default::default()
    }
}

pub fn info(name: &str, shape: &[i64]) -> ValueInfoProto {
    let dim = shape.iter().map(|&d| DimensionProto { dim_value: (d >= 0).then_some(d), dim_param: (d < 0).then(|| "N".into()) }).collect();
    let tensor_type = Some(TensorTypeProto { elem_type: 1, shape: Some(TensorShapeProto { dim }) });
    ValueInfoProto { name: name.into(), r#type: Some(TypeProto { tensor_type }) }
}

pub fn int(name: &str, i: i64) -> AttributeProto {
    AttributeProto { name: name.into(), i: Some(i), kind: 2, ..Default::default() }
}

pub fn list(name: &str, ints: &[i64]) -> AttributeProto {
    AttributeProto { name: name.into(), ints: ints.into(), kind: 7, ..Default::default() }
}

fn mlp() -> Model {
    Model::new(17)
        .input("z", &[-1, 2])
        .floats("w", &[3, 2], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
        .floats("b", &[3], &[0.5, 0.25, 0.125])
        .node("Gemm", &["z", "w", "b"], &["h"], &[int("transB", 1)])
        .node("Tanh", &["h"], &["x"], &[])
        .output("x")
}

#[test]
fn a_small_network_loads() {
    let graph = mlp().load().unwrap();
    assert_eq!(graph.inputs[0].shape, [2]);
    assert_eq!(graph.outputs[0].shape, [3]);
    assert_eq!(graph.node(graph.outputs[0].node).shape, [1, 3]);
    assert_eq!(graph.operators.iter().map(|o| o.op.as_str()).collect::<Vec<_>>(), ["Gemm", "Tanh"]);
}

#[test]
fn parameters_become_inputs_with_their_values() {
    let graph = mlp().load_with(&LoadOptions { parameters: true, ..Default::default() }).unwrap();
    assert_eq!(graph.inputs.iter().map(|p| p.name.as_str()).collect::<Vec<_>>(), ["z", "w", "b"]);
    assert_eq!(graph.inputs[2].default.as_ref().unwrap().to_f64(), [0.5, 0.25, 0.125]);
    assert!(graph.inputs[0].default.is_none());
}

#[test]
fn a_cut_makes_inputs_and_outputs() {
    let cut = |from: &str, to: &str| LoadOptions { from_tensors: vec![from.into()], to_tensors: vec![to.into()], ..Default::default() };
    let graph = mlp().load_with(&cut("h", "x")).unwrap();
    assert_eq!((graph.inputs[0].name.as_str(), &graph.inputs[0].shape[..]), ("h", &[3][..]));
    assert_eq!(graph.operators.len(), 1);
    let Error::NoSuchName { available, .. } = mlp().load_with(&cut("hh", "x")).unwrap_err() else { panic!() };
    assert_eq!(available[0], "h");
}

#[test]
fn unsupported_operators_come_all_at_once() {
    let model = mlp()
        .node("LSTM", &["x"], &["a"], &[])
        .node("Frobnicate", &["a"], &["b1"], &[])
        .node("Tanh", &["b1"], &["c"], &[])
        .node("LSTM", &["c"], &["d"], &[])
        .output("d");
    let Error::Unsupported { operators } = model.load().unwrap_err() else { panic!() };
    assert_eq!(operators.iter().map(|o| (o.op.as_str(), o.count)).collect::<Vec<_>>(), [("LSTM", 2), ("Frobnicate", 1)]);
    // Nodes that no output needs do not matter.
    let cut = LoadOptions { to_tensors: vec!["x".into()], ..Default::default() };
    model.load_with(&cut).unwrap();
}

#[test]
fn the_batch_is_followed_through_reshapes_and_transposes() {
    // [N, 8] → [N, 2, 4] → [2, N, 4] → [2N, 4]: the batch ends inside a merged axis.
    let model = Model::new(17)
        .input("z", &[-1, 8])
        .ints("split", &[3], &[-1, 2, 4])
        .ints("merge", &[2], &[-1, 4])
        .node("Reshape", &["z", "split"], &["a"], &[])
        .node("Transpose", &["a"], &["b"], &[list("perm", &[1, 0, 2])])
        .node("Reshape", &["b", "merge"], &["c"], &[])
        .output("c");
    assert_eq!(model.load().unwrap().outputs[0].shape, [2, 4]);
    // Then [2N, 4] → [N, 8] would put two samples' halves side by side.
    let mixed = model.ints("flat", &[2], &[-1, 8]).node("Reshape", &["c", "flat"], &["d"], &[]).output("d");
    let Error::MixesSamples { node, op, .. } = mixed.load().unwrap_err() else { panic!() };
    assert_eq!((node.as_str(), op.as_str()), ("d", "Reshape"));
}

#[test]
fn outer_products_over_the_batch_are_refused() {
    let model = Model::new(17)
        .input("z", &[-1, 3])
        .node("Transpose", &["z"], &["t"], &[])
        .node("Gemm", &["z", "t"], &["zz"], &[])
        .node("Gemm", &["zz", "z"], &["x"], &[])
        .output("x");
    let Error::MixesSamples { node, .. } = model.load().unwrap_err() else { panic!() };
    assert_eq!(node, "zz");
}

#[test]
fn broken_graphs_are_errors() {
    let cyclic = Model::new(17).input("z", &[-1, 2]).node("Add", &["z", "y"], &["x"], &[]).node("Tanh", &["x"], &["y"], &[]).output("x");
    assert!(matches!(cyclic.load().unwrap_err(), Error::Malformed { what } if what.contains("cycle")));
    let twice = mlp().node("Tanh", &["h"], &["x"], &[]);
    assert!(matches!(twice.load().unwrap_err(), Error::Malformed { what } if what.contains("twice")));
    let absent = mlp().output("nowhere");
    assert!(matches!(absent.load().unwrap_err(), Error::Malformed { .. }));
    let huge = Model::new(17).input("z", &[-1, 1 << 40, 1 << 40]).output("z");
    assert!(matches!(huge.load().unwrap_err(), Error::Node { .. }));
    let old = Model::new(0).input("z", &[-1, 2]).output("z");
    assert!(old.load().unwrap_err().to_string().contains("operator set 0"));
    let short = Model::new(17).input("z", &[-1, 2]).floats("w", &[5], &[1.0]).node("Add", &["z", "w"], &["x"], &[]).output("x");
    assert!(matches!(short.load().unwrap_err(), Error::Malformed { .. }));
}
