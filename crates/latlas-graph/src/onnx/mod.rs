//! ONNX files in and out: a model becomes a [`Graph`] that describes one sample.
//!
//! Every shape is taken at N = 1; integer arithmetic is folded at a second N as a witness, and the axis that differs
//! carries the batch. Each operator proves that it acts beside that axis, which then is no part of the graph. Operators are
//! in [`ops`], one table entry and one handler each.

pub mod call;
pub mod dtype;
mod external;
mod file;
mod fold;
mod import;
pub mod ops;
mod ports;
mod proto;
mod save;
mod scan;
mod schedule;
mod scope;
mod summary;
mod tensor;
#[cfg(test)]
mod tests;
pub mod value;

pub use file::ModelFile;
pub use save::{Layout, save, save_double, save_with};

use std::collections::HashSet;
use std::path::Path;

use prost::Message;
use prost::bytes::Bytes;

use crate::{Error, Graph, Result, Tensor};
use external::Folder;
use import::Importer;
use ports::{Declared, declared, no_such_name, output, tensor_names};
use proto::{GraphProto, ModelProto, TensorProto};
use scope::Scope;
pub use summary::{Declaration, Summary, summarize};
use value::Value;

/// The oldest operator set that is read. Sets before 11 are read as far as their operators mean what they mean today or
/// say in an attribute what they mean; exporters have not written them for years.
pub const MIN_OPSET: i64 = 1;
/// The newest operator set that is read.
pub const MAX_OPSET: i64 = 23;
/// The most axes that a tensor may have.
pub(crate) const MAX_RANK: usize = 32;

/// What to take from a model file.
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    /// Tensors that become the inputs, instead of the model's own.
    pub from_tensors: Vec<String>,
    /// Tensors that become the outputs, instead of the model's own.
    pub to_tensors: Vec<String>,
    /// Inputs of the model that are given a value here and so are no inputs any more: a temperature, a shape.
    pub constants: Vec<(String, Tensor)>,
    /// Float weights become inputs too, with their values as [`crate::Port::default`]: to train them.
    pub parameters: bool,
    /// Bounds for untrusted files.
    pub limits: Limits,
}

/// Bounds for untrusted files. The defaults keep an import below 1 GB whatever the file contains.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of the model file; external data is mapped and not counted.
    pub max_bytes: u64,
    /// Elements of one array that the import makes: a value of one sample, an index table.
    pub max_elements: usize,
    /// Bytes of all that the import makes of the file: its structure, widened constants, index tables; for each kind.
    pub max_memory: u64,
    /// Nodes called, those of inlined functions and branches included.
    pub max_nodes: usize,
    /// Functions and branches inside each other.
    pub max_depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_bytes: 2 << 30, max_elements: 1 << 24, max_memory: 384 << 20, max_nodes: 100_000, max_depth: 32 }
    }
}

/// Loads a model file; external data is looked for in its folder.
pub fn load(path: &Path, options: &LoadOptions) -> Result<Graph> {
    ModelFile::open(path, &options.limits)?.graph(options)
}

/// Loads a model from memory; external data is refused unless its folder is given.
pub fn load_bytes(bytes: impl Into<Bytes>, folder: Option<&Path>, options: &LoadOptions) -> Result<Graph> {
    import(bytes.into(), &Folder::new(folder, options.limits.max_memory), options)
}

/// The messages of a file, within its limits.
fn decode(bytes: Bytes, options: &LoadOptions) -> Result<ModelProto> {
    options.limits.check_size(bytes.len() as u64)?;
    scan::check(&bytes, options.limits.max_memory)?;
    ModelProto::decode(bytes).map_err(|e| Error::Malformed { what: e.to_string() })
}

fn import(bytes: Bytes, folder: &Folder, options: &LoadOptions) -> Result<Graph> {
    let model = decode(bytes, options)?;
    let graph = model.graph.as_ref().ok_or_else(|| Error::Malformed { what: "it contains no graph".into() })?;
    let names = tensor_names(graph);
    let check = |name: &String| if names.contains(&name.as_str()) { Ok(()) } else { Err(no_such_name("tensor", name, &names)) };
    options.from_tensors.iter().chain(&options.to_tensors).try_for_each(check)?;

    let mut importer = Importer::new(&model.functions, folder, options);
    let mut scope = Scope::of_model(&model.opset_import)?;
    bind(graph, options, &mut importer, &mut scope)?;
    for name in &options.from_tensors {
        let value = cut(name, &model, graph, folder, options)?.input(name, &mut importer.builder);
        if scope.insert(name, value) {
            return Err(Error::Malformed { what: format!("tensor {name:?} is named twice as a place to cut") });
        }
    }
    let wanted: Vec<&str> = if options.to_tensors.is_empty() {
        graph.output.iter().map(|o| o.name.as_str()).collect()
    } else {
        options.to_tensors.iter().map(String::as_str).collect()
    };
    if wanted.is_empty() {
        return Err(Error::Malformed { what: "it has no outputs".into() });
    }
    importer.run(&graph.node, &graph.initializer, &wanted, &mut scope, 0)?;
    if !importer.unsupported.is_empty() {
        return Err(Error::Unsupported { operators: importer.unsupported });
    }
    let mut outputs = Vec::new();
    for name in wanted {
        let value = scope.value(name).cloned();
        let value = value.ok_or_else(|| Error::Malformed { what: format!("nothing makes output {name:?}") })?;
        outputs.push(output(name, &value, &mut importer.builder)?);
    }
    let mut finished = importer.builder.finish(outputs);
    finished.operators = importer.operators;
    for port in &mut finished.inputs {
        if let Some(tensor) = graph.initializer.iter().find(|t| t.name == port.name).filter(|_| options.parameters) {
            port.default = Some(tensor::decode(tensor, folder)?.1.into());
        }
    }
    Ok(finished)
}

/// Gives the model's inputs their values: constants that the caller chose, or inputs of the graph (unless it is cut).
fn bind(graph: &GraphProto, options: &LoadOptions, importer: &mut Importer<'_>, scope: &mut Scope<'_>) -> Result<()> {
    let initialized: HashSet<&str> = graph.initializer.iter().map(|t| t.name.as_str()).collect();
    let inputs = || graph.input.iter().filter(|i| !initialized.contains(i.name.as_str()));
    for (name, tensor) in &options.constants {
        let info = inputs().find(|i| i.name == *name);
        let info = info.ok_or_else(|| no_such_name("input", name, &inputs().map(|i| i.name.as_str()).collect::<Vec<_>>()))?;
        let value = Value::known(ports::element_type(info)?, tensor.clone());
        scope.insert(name, value);
    }
    if !options.from_tensors.is_empty() {
        return Ok(());
    }
    let mut seen = HashSet::new();
    for info in inputs() {
        if !seen.insert(info.name.as_str()) {
            return Err(Error::Malformed { what: format!("input {:?} stands twice", info.name) });
        }
        if scope.find(&info.name).is_none() {
            let value = declared(info, options.limits.max_elements)?.input(&info.name, &mut importer.builder);
            scope.insert(&info.name, value);
        }
    }
    Ok(())
}

/// Reads one tensor as ONNX stores it (a `TensorProto` of its own, as in the test data of the standard): name and value.
pub fn read_tensor(bytes: impl Into<Bytes>) -> Result<(String, Tensor)> {
    let proto = TensorProto::decode(bytes.into()).map_err(|e| Error::Malformed { what: e.to_string() })?;
    let tensor = tensor::decode(&proto, &Folder::new(None, Limits::default().max_memory))?.1;
    Ok((proto.name, tensor))
}

/// The type of a tensor inside the graph: as declared, or found by importing what makes it.
fn cut(name: &str, model: &ModelProto, graph: &GraphProto, folder: &Folder, options: &LoadOptions) -> Result<Declared> {
    let info = graph.input.iter().chain(&graph.value_info).chain(&graph.output).find(|i| i.name == name);
    if let Some(Ok(declared)) = info.map(|i| declared(i, options.limits.max_elements)) {
        return Ok(declared);
    }
    let upstream = LoadOptions { from_tensors: vec![], to_tensors: vec![], parameters: false, ..options.clone() };
    let mut importer = Importer::new(&model.functions, folder, &upstream);
    let mut scope = Scope::of_model(&model.opset_import)?;
    bind(graph, &upstream, &mut importer, &mut scope)?;
    importer.run(&graph.node, &graph.initializer, &[name], &mut scope, 0)?;
    scope.value(name).map(Declared::of).ok_or_else(|| Error::Node {
        node: name.into(),
        op: "cut".into(),
        what: "the shape of this tensor is not stated in the file, and operators before it are not supported".into(),
        hint: Some("let `onnx.shape_inference.infer_shapes` write the shapes into the file, or cut at a later tensor".into()),
    })
}
