//! What a model file says of itself, read without importing it; so it also works for models that are refused.

use std::collections::{BTreeMap, HashSet};

use prost::bytes::Bytes;

use super::dtype::Dtype;
use super::proto::ValueInfoProto;
use super::{LoadOptions, decode};
use crate::{Error, Result};

/// What a model file says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Version of the file format.
    pub ir_version: i64,
    /// Operator sets by domain; the standard one is called `ai.onnx`.
    pub opsets: BTreeMap<String, i64>,
    /// Declared inputs, without those that have a stored value.
    pub inputs: Vec<Declaration>,
    /// Declared outputs.
    pub outputs: Vec<Declaration>,
    /// Nodes by operator type, of the main graph.
    pub operators: BTreeMap<String, usize>,
    /// Elements of all stored floating-point tensors of the main graph: weights, and the running means of normalisations.
    pub parameters: u64,
    /// Whether some of them lie in files of their own.
    pub has_external_data: bool,
}

/// A declared tensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declaration {
    /// Its name.
    pub name: String,
    /// Its element type, where it is known to Latlas.
    pub dtype: Option<Dtype>,
    /// Its dimensions: a number, a symbol, or `?`; nothing when the file states no shape.
    pub shape: Option<Vec<String>>,
}

/// Reads what a file says of itself.
///
/// # Errors
/// [`Error::Limit`] for a file that is too large, [`Error::Malformed`] for bytes that are no model.
pub fn summarize(bytes: impl Into<Bytes>, options: &LoadOptions) -> Result<Summary> {
    let model = decode(bytes.into(), options)?;
    let graph = model.graph.ok_or_else(|| Error::Malformed { what: "it contains no graph".into() })?;
    let stored: HashSet<&str> = graph.initializer.iter().map(|tensor| tensor.name.as_str()).collect();
    let mut operators = BTreeMap::new();
    graph.node.iter().for_each(|node| *operators.entry(node.operator()).or_insert(0) += 1);
    let constants = graph.node.iter().filter(|node| node.operator() == "Constant").flat_map(|node| &node.attribute);
    let tensors = || graph.initializer.iter().chain(constants.clone().filter_map(|attribute| attribute.t.as_deref()));
    let is_float = |number: i32| Dtype::from_onnx(number.into(), "").is_ok_and(Dtype::is_float);
    // Sizes come from the file: a lie saturates instead of overflowing.
    let elements = |dims: &[i64]| dims.iter().fold(1u64, |product, &dim| product.saturating_mul(u64::try_from(dim).unwrap_or(0)));
    let parameters = tensors().filter(|tensor| is_float(tensor.data_type)).map(|tensor| elements(&tensor.dims));
    let domain = |name: &str| if name.is_empty() { "ai.onnx".into() } else { name.into() };
    Ok(Summary {
        ir_version: model.ir_version,
        opsets: model.opset_import.iter().map(|opset| (domain(&opset.domain), opset.version)).collect(),
        inputs: graph.input.iter().filter(|info| !stored.contains(info.name.as_str())).map(declaration).collect(),
        outputs: graph.output.iter().map(declaration).collect(),
        operators,
        parameters: parameters.fold(0, u64::saturating_add),
        has_external_data: tensors().any(|tensor| tensor.data_location == super::proto::EXTERNAL),
    })
}

fn declaration(info: &ValueInfoProto) -> Declaration {
    let tensor = info.r#type.as_ref().and_then(|t| t.tensor_type.as_ref());
    let shape = tensor.and_then(|t| t.shape.as_ref()).map(|shape| {
        let dims = shape.dim.iter().map(|dim| match (&dim.dim_value, &dim.dim_param) {
            (Some(size), _) => size.to_string(),
            (None, Some(symbol)) if !symbol.is_empty() => symbol.clone(),
            _ => "?".into(),
        });
        dims.collect()
    });
    let dtype = tensor.and_then(|t| Dtype::from_onnx(t.elem_type.into(), "").ok());
    Declaration { name: info.name.clone(), dtype, shape }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use prost::Message;

    use super::*;
    use crate::onnx::tests::Model;

    #[test]
    fn a_file_is_described_without_import() {
        let mut model = Model::new(17).input("z", &[-1, 2]).output("x").floats("w", &[2, 3], &[0.0; 6]).ints("shape", &[1], &[3]);
        model = model.node("MatMul", &["z", "w"], &["h"], &[]).node("Unheard", &["h"], &["x"], &[]);
        let summary = summarize(model.proto.encode_to_vec(), &LoadOptions::default()).unwrap();
        assert_eq!((summary.ir_version, summary.opsets["ai.onnx"], summary.parameters), (8, 17, 6));
        assert_eq!(summary.operators.keys().collect::<Vec<_>>(), ["MatMul", "Unheard"]);
        let shape = summary.inputs[0].shape.as_ref().unwrap();
        assert_eq!((summary.inputs[0].name.as_str(), shape.len(), shape[1].as_str()), ("z", 2, "2"));
        assert!(!summary.has_external_data);
    }

    #[test]
    fn absurd_sizes_do_not_overflow() {
        let model = Model::new(17).floats("w", &[i64::MAX, i64::MAX], &[]).floats("v", &[i64::MAX, 3], &[]);
        let summary = summarize(model.proto.encode_to_vec(), &LoadOptions::default()).unwrap();
        assert_eq!(summary.parameters, u64::MAX);
        assert!(matches!(summarize(&b"\xff\xff\xff"[..], &LoadOptions::default()), Err(Error::Malformed { .. })));
    }
}
