//! One test of the suite: a model, its inputs and what must come out.

use std::path::Path;

use latlas_graph::Tensor;
use latlas_graph::onnx::read_tensor;
use prost::Message;

use crate::proto::{ModelProto, TensorHeader, ValueInfoProto};

/// The suites that are run, in the order of the page.
pub const SUITES: [&str; 4] = ["node", "simple", "pytorch-operator", "pytorch-converted"];

/// One test.
pub struct Case {
    /// The suite it belongs to.
    pub suite: &'static str,
    /// Its name, without `test_`.
    pub name: String,
    /// The model file.
    pub model: Vec<u8>,
    /// The operators of its graph, each once, sorted.
    pub operators: Vec<String>,
    /// What goes in.
    pub inputs: Vec<Argument>,
    /// What must come out.
    pub outputs: Vec<Argument>,
}

/// An input or output of a test.
pub struct Argument {
    /// The tensor's name.
    pub name: String,
    /// Its ONNX element type; `None` for a sequence or an optional value.
    pub element: Option<i32>,
    /// Its elements, where they are numbers.
    pub value: Option<Tensor>,
}

impl Argument {
    /// Whether it holds floats.
    pub fn is_float(&self) -> bool {
        matches!(self.element, Some(1 | 10 | 11 | 16))
    }

    /// What it holds instead of numbers, if it does.
    pub fn strangeness(&self) -> Option<&'static str> {
        match self.element {
            None => Some("sequences and optional values are not tensors"),
            Some(8) => Some("tensors of text have no numbers"),
            Some(14 | 15) => Some("complex numbers are not supported"),
            Some(17..) => Some("numbers of 8 bits and less that stand for others are not supported"),
            _ => None,
        }
    }
}

/// All tests below a folder, sorted.
pub fn all(folder: &Path) -> Vec<Case> {
    let mut cases = Vec::new();
    for suite in SUITES {
        let mut tests: Vec<_> = std::fs::read_dir(folder.join(suite)).unwrap().map(|entry| entry.unwrap().path()).collect();
        tests.sort();
        cases.extend(tests.iter().filter(|test| test.join("model.onnx").is_file()).map(|test| read(suite, test)));
    }
    cases
}

fn from_bits(bits: &Tensor) -> Tensor {
    let values: Vec<f64> = bits.to_f64().into_iter().map(|b| half::bf16::from_bits(b as u16).to_f64()).collect();
    Tensor::new(bits.dims(), values)
}

fn read(suite: &'static str, folder: &Path) -> Case {
    let model = std::fs::read(folder.join("model.onnx")).unwrap();
    let proto = ModelProto::decode(&model[..]).unwrap();
    let graph = proto.graph.unwrap();
    let mut operators: Vec<String> = graph.node.iter().map(|n| n.op_type.clone()).collect();
    operators.sort();
    operators.dedup();
    let arguments = |infos: &[ValueInfoProto], kind: &str| {
        let argument = |(i, info): (usize, &ValueInfoProto)| {
            let element = info.r#type.as_ref().and_then(|t| t.tensor_type.as_ref()).map(|t| t.elem_type);
            let bytes = std::fs::read(folder.join(format!("test_data_set_0/{kind}_{i}.pb"))).ok()?;
            let stored = TensorHeader::decode(&bytes[..]).map_or(0, |t| t.data_type);
            let value = element.and_then(|_| read_tensor(bytes).ok()).map(|(_, tensor)| tensor);
            // The suite stores numbers in bfloat16 as their bits.
            let value = if (element, stored) == (Some(16), 4) { value.map(|bits| from_bits(&bits)) } else { value };
            Some(Argument { name: info.name.clone(), element, value })
        };
        infos.iter().enumerate().filter_map(argument).collect::<Vec<_>>()
    };
    let (inputs, outputs) = (arguments(&graph.input, "input"), arguments(&graph.output, "output"));
    let name = folder.file_name().unwrap().to_string_lossy().trim_start_matches("test_").to_owned();
    Case { suite, name, model, operators, inputs, outputs }
}
