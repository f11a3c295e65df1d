//! What can go wrong between a model file and a row of numbers.

use std::path::PathBuf;

/// The result type of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a model cannot be loaded, transformed or run.
///
/// An error says what, where, what was expected and what was found; [`Error::hint`] says what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The bytes are not a well-formed ONNX model.
    #[error("not a valid ONNX model: {what}")]
    Malformed {
        /// What is wrong, and where.
        what: String,
    },
    /// A size or depth limit for untrusted files was passed.
    #[error("{what} is {got}, more than the limit of {limit}")]
    Limit {
        /// The measured thing.
        what: String,
        /// Its size.
        got: u64,
        /// The largest size accepted.
        limit: u64,
    },
    /// Operators that Latlas does not know, all of them at once.
    #[error("unsupported operators: {}", list_unsupported(.operators))]
    Unsupported {
        /// One entry an operator.
        operators: Vec<UnsupportedOperator>,
    },
    /// A node is understood, but what it asks for is refused.
    #[error("node {node:?} ({op}): {what}")]
    Node {
        /// The node's name, or that of its first output.
        node: String,
        /// The operator type.
        op: String,
        /// What is wrong: expected and got.
        what: String,
        /// What the user can do.
        hint: Option<String>,
    },
    /// Samples of a batch influence each other.
    #[error("node {node:?} ({op}) mixes the samples of a batch: {what}")]
    MixesSamples {
        /// The node's name, or that of its first output.
        node: String,
        /// The operator type.
        op: String,
        /// How it mixes them.
        what: String,
    },
    /// A named input, output or tensor does not exist.
    #[error("no {kind} named {name:?}; there is {}", quote_list(.available))]
    NoSuchName {
        /// `input`, `output` or `tensor`.
        kind: &'static str,
        /// The name asked for.
        name: String,
        /// What exists.
        available: Vec<String>,
    },
    /// A setting has a value that means nothing here.
    #[error("{name}: expected {expected}, got {got:?}")]
    Setting {
        /// The setting.
        name: String,
        /// What it may be.
        expected: String,
        /// What it is.
        got: String,
    },
    /// Arrays do not fit the graph.
    #[error("{what}: expected {expected}, got {got}")]
    Shape {
        /// Which array or operand.
        what: String,
        /// The shape needed.
        expected: String,
        /// The shape found.
        got: String,
    },
    /// The graph asks for something that the executor or a transformation cannot do.
    #[error("{what}")]
    Graph {
        /// What, and where.
        what: String,
    },
}

/// An operator that the loader does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsupportedOperator {
    /// Operator type, with its domain where that is not the standard one.
    pub op: String,
    /// How many nodes use it.
    pub count: usize,
    /// The first node that does.
    pub first_node: String,
    /// Why, where there is more to say than "not known" (random, quantised, recurrent).
    pub reason: Option<String>,
}

impl Error {
    /// What the user can do about it, where there is something to say.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Node { hint, .. } => hint.clone(),
            Self::MixesSamples { .. } => {
                Some("export the model in evaluation mode (`model.eval()`); a decoder must treat every sample on its own".into())
            }
            Self::Unsupported { .. } => Some(
                "cut the part you need out of the file with `--from-tensor` and `--to-tensor`, or give Jacobians with `--jacobians J.npy`"
                    .into(),
            ),
            Self::Malformed { .. } => Some("export the model again; a file cut off while it was copied looks like this".into()),
            _ => None,
        }
    }
}

fn list_unsupported(operators: &[UnsupportedOperator]) -> String {
    let one = |o: &UnsupportedOperator| {
        let reason = o.reason.as_ref().map(|r| format!(", {r}")).unwrap_or_default();
        format!("{} ({}×, first at node {:?}{reason})", o.op, o.count, o.first_node)
    };
    operators.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn quote_list(names: &[String]) -> String {
    if names.is_empty() { "none".into() } else { names.iter().map(|n| format!("{n:?}")).collect::<Vec<_>>().join(", ") }
}
