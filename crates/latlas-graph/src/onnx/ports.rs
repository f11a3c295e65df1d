//! Inputs and outputs of the imported graph, and the cut between named tensors.

use super::dtype::Dtype;
use super::proto::{GraphProto, ValueInfoProto};
use super::tensor::element_count;
use super::value::{BatchAxis, Content, Value};
use crate::{Builder, Error, Port, Result, Rows};

/// What an input is: its type, its shape at N = 1 and where the batch sits.
#[derive(Debug, Clone)]
pub struct Declared {
    dtype: Dtype,
    shape: Vec<usize>,
    batch: Option<BatchAxis>,
}

/// The declared element type of an input.
pub fn element_type(info: &ValueInfoProto) -> Result<Dtype> {
    let tensor = info.r#type.as_ref().and_then(|t| t.tensor_type.as_ref());
    Dtype::from_onnx(tensor.map_or(0, |t| t.elem_type).into(), &format!("input {:?}", info.name))
}

/// Reads a declared type. The batch is the first dimension that is a symbol; any other symbol must be the same one.
pub fn declared(info: &ValueInfoProto, max_elements: usize) -> Result<Declared> {
    let refuse = |what: String| Error::Node {
        node: info.name.clone(),
        op: "input".into(),
        what,
        hint: Some("export the model with fixed sizes for all dimensions but the batch".into()),
    };
    let tensor = info.r#type.as_ref().and_then(|t| t.tensor_type.as_ref()).ok_or_else(|| refuse("it is not a tensor".into()))?;
    let dtype = element_type(info)?;
    let dims = &tensor.shape.as_ref().ok_or_else(|| refuse("its shape is not stated".into()))?.dim;
    let (mut shape, mut batch) = (Vec::new(), None);
    for (axis, dim) in dims.iter().enumerate() {
        match dim.dim_value {
            Some(n) if n >= 0 => shape.push(usize::try_from(n).unwrap_or(usize::MAX)),
            _ if batch.is_none() => {
                batch = Some(BatchAxis::plain(axis));
                shape.push(1);
            }
            _ => {
                let name = dim.dim_param.as_deref().unwrap_or("?");
                return Err(refuse(format!(
                    "dimension {axis} ({name:?}) has no fixed size, and dimension {:?} is the batch",
                    batch.map(|b| b.axis)
                )));
            }
        }
    }
    let filled: Vec<usize> = shape.iter().map(|&n| n.max(1)).collect();
    match element_count(&filled) {
        Some(n) if n <= max_elements && shape.len() <= super::MAX_RANK => Ok(Declared { dtype, shape, batch }),
        _ => Err(refuse(format!("its shape {shape:?} is too large"))),
    }
}

impl Declared {
    /// The type of a tensor that was imported.
    pub fn of(value: &Value) -> Self {
        Self { dtype: value.dtype, shape: value.shape.clone(), batch: value.batch }
    }

    /// Makes it an input of the graph.
    pub fn input(self, name: &str, b: &mut Builder) -> Value {
        let node = b.input(name, Rows::SAMPLE, &sample_shape(&self.shape, self.batch, false), &self.shape);
        Value { dtype: self.dtype, shape: self.shape, batch: self.batch, mixed: None, mask: None, content: Content::Node(node) }
    }
}

/// The shape of one sample as its user sees it: the batch is not there, nor is a 1 in front that stands for it. An array of
/// one number is a latent of dimension one, unless it is known that a batch `leads`.
fn sample_shape(shape: &[usize], batch: Option<BatchAxis>, leads: bool) -> Vec<usize> {
    let stands_for_batch = match batch {
        Some(b) if b.outer * b.inner == 1 => Some(b.axis),
        None if shape.first() == Some(&1) && (shape.len() > 1 || leads) => Some(0),
        _ => None,
    };
    shape.iter().enumerate().filter(|(i, _)| Some(*i) != stands_for_batch).map(|(_, &n)| n).collect()
}

/// Turns a computed tensor into an output.
pub fn output(name: &str, value: &Value, b: &mut Builder) -> Result<Port> {
    let mixed = |node: &str, op: &str, what: &str| Error::MixesSamples { node: node.into(), op: op.into(), what: what.into() };
    if let Some(m) = &value.mixed {
        return Err(mixed(&m.node, &m.op, &m.what));
    }
    if value.mask.is_some() {
        return Err(Error::Node {
            node: name.into(),
            op: "output".into(),
            what: "its size depends on the data: it lists the elements that a condition chose".into(),
            hint: Some("cut the graph where the chosen elements were written back, with `--to-tensor`".into()),
        });
    }
    let node = match &value.content {
        Content::Node(node) => *node,
        Content::Known(known) if known.witness.is_some() => return Err(mixed(name, "output", "it depends on the number of samples")),
        Content::Known(known) => known.node_or(|| match &known.parameter {
            Some(name) => b.input(name, Rows::NONE, &value.shape, &value.shape),
            None => b.constant(known.one.clone()),
        }),
    };
    let leads = b.graph().inputs.iter().any(|port| port.shape.len() < b.shape(port.node).len());
    Ok(Port { name: name.into(), node, shape: sample_shape(&value.shape, value.batch, leads), default: None })
}

/// The names of all tensors of a graph that can be cut at.
pub fn tensor_names(graph: &GraphProto) -> Vec<&str> {
    let inputs = graph.input.iter().map(|i| i.name.as_str());
    let made = graph.node.iter().flat_map(|n| &n.output).map(String::as_str).filter(|n| !n.is_empty());
    inputs.chain(made).chain(graph.initializer.iter().map(|t| t.name.as_str())).collect()
}

/// An error that lists the names nearest to the one asked for.
pub fn no_such_name(kind: &'static str, name: &str, all: &[&str]) -> Error {
    const SHOWN: usize = 12;
    let mut ranked: Vec<(usize, &str)> = all.iter().map(|other| (edit_distance(name, other), *other)).collect();
    ranked.sort_unstable();
    ranked.dedup();
    Error::NoSuchName { kind, name: name.into(), available: ranked.into_iter().take(SHOWN).map(|(_, n)| n.to_owned()).collect() }
}

/// Levenshtein distance over the first characters of two names.
fn edit_distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(64).collect(), b.chars().take(64).collect());
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
