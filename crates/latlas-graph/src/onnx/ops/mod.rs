//! The ONNX operators: a table entry and a handler each.
//!
//! # How to write a handler
//!
//! A handler turns one node of the file into nodes of the graph. It sees shapes at N = 1, with the rank that they have in
//! the file, so it is ordinary shape code:
//!
//! 1. **Take the inputs.** [`Call::node`] gives an input as data: a node whose item has exactly the input's shape.
//!    [`Call::broadcast`] gives several, expanded to their common shape. [`Call::ints`], [`Call::constant`] and
//!    [`Call::scalar`] give elements that must be known at import; attributes come from [`Call::int`], [`Call::float`] …
//! 2. **Prove that the samples stay apart.** [`Call::batch`] says where the batch sits ([`super::value::BatchAxis`]); the
//!    result's batch axis is the second thing a handler has to find. [`Call::beside`] is the proof for operators that work
//!    along some axes, [`Call::join`] for those that combine inputs. Where there is no proof, [`Call::mixes`] marks the
//!    results; this is no error, they may only be asked for their shape.
//! 3. **Write nodes** through [`Call::b`]. Composites live in `crate::lower`; handlers are thin.
//! 4. **Give back** one [`Value`] an output, made by [`Call::value`] or [`Call::result`]. The shape is taken from the node.
//!
//! Before a result or a table whose size the file decides is made, [`Call::elements`] checks the limit. What is wrong is
//! told by [`Call::refuse`] (with a hint where there is one), what may be valid but is not supported by
//! [`Call::unsupported`], which is reported together with all other such operators. Nothing may panic on any file.
//!
//! A handler knows nothing of folding: calls whose inputs are all known are run on constants by the importer.

mod activations;
mod arrange;
#[cfg(test)]
mod batch_tests;
mod cast;
mod constant;
mod elementwise;
mod gather;
mod linear;
mod masked;
mod normalizations;
mod reductions;
mod resize;
mod scatter;
mod shape;
mod spatial;
mod walk;

use super::call::Call;
use super::proto::{NodeProto, is_standard};
use super::value::Value;
use crate::{Kind, Result};

/// What turns a node of the file into nodes of the graph.
pub type Handler = fn(&mut Call<'_>) -> Result<Vec<Value>>;

/// One operator.
pub struct Entry {
    /// The operator type.
    pub op: &'static str,
    /// Its kind, or `None` for a composite that is lowered.
    pub kind: Option<Kind>,
    /// Whether its derivative jumps somewhere.
    pub kink: bool,
    /// The handler.
    pub handler: Handler,
}

impl Entry {
    /// An operator whose derivative does not jump.
    pub const fn new(op: &'static str, kind: Option<Kind>, handler: Handler) -> Self {
        Self { op, kind, kink: false, handler }
    }

    /// An operator whose derivative jumps somewhere.
    pub const fn kinked(op: &'static str, kind: Option<Kind>, handler: Handler) -> Self {
        Self { op, kind, kink: true, handler }
    }
}

/// The tables of all files of this folder.
const TABLES: &[&[Entry]] = &[
    activations::TABLE,
    arrange::TABLE,
    cast::TABLE,
    constant::TABLE,
    elementwise::TABLE,
    gather::TABLE,
    linear::TABLE,
    masked::TABLE,
    normalizations::TABLE,
    reductions::TABLE,
    resize::TABLE,
    scatter::TABLE,
    shape::TABLE,
    spatial::TABLE,
];

/// All operators, in the order of their files.
pub fn all() -> impl Iterator<Item = &'static Entry> {
    TABLES.iter().copied().flatten()
}

/// The entry of a node's operator.
pub(super) fn find(node: &NodeProto) -> Option<&'static Entry> {
    all().find(|e| is_standard(&node.domain) && e.op == node.op_type)
}

/// Why an operator is not supported, where there is more to say than that it is not known.
pub(super) fn reason(node: &NodeProto) -> Option<&'static str> {
    match node.op_type.as_str() {
        "RandomNormal" | "RandomNormalLike" | "RandomUniform" | "RandomUniformLike" | "Bernoulli" | "Multinomial" => {
            Some("it draws random numbers; a decoder must be a function of its inputs")
        }
        "Loop" | "Scan" | "RNN" | "GRU" | "LSTM" => Some("loops and recurrent operators are not supported yet"),
        "DequantizeLinear" | "QuantizeLinear" | "DynamicQuantizeLinear" | "MatMulInteger" | "ConvInteger" => Some("quantised"),
        name if name.starts_with("QLinear") => Some("quantised"),
        name if name.starts_with("Sequence") || name.starts_with("Optional") || name == "ConcatFromSequence" => {
            Some("sequences and optional values are not supported")
        }
        name if name.starts_with("String") || name == "TfIdfVectorizer" => Some("works on text"),
        _ if !is_standard(&node.domain) => Some("from a domain of its own, with no definition in the file"),
        _ => None,
    }
}
