//! Composites: what is made of the few operations of the graph, as plain functions that write them.
//!
//! Every function takes a [`Builder`] and values and returns the value it wrote; axes are counted from the front of the
//! item, negative ones are the caller's affair. A branch that is not selected is kept finite where that is known how, and
//! a shift that cancels is detached. Nothing here knows of ONNX.

mod activations;
mod arithmetic;
mod convolutions;
mod einsum;
mod extremes;
mod normalizations;
mod pooling;
mod powers;
mod products;
mod reductions;
mod resizing;
mod rules;
mod scans;
mod sliding;
mod softmax;
#[cfg(test)]
mod trial;

pub use activations::*;
pub use arithmetic::*;
pub use convolutions::*;
pub use einsum::{Equation, einsum};
pub use extremes::*;
pub use normalizations::*;
pub use pooling::*;
pub use powers::*;
pub use products::*;
pub use reductions::*;
pub use resizing::*;
pub use rules::{MAX_TABLE, checked_len, index_map};
pub use scans::*;
pub use sliding::Sliding;
pub use softmax::*;

use crate::{Builder, Error, NodeId, Op};

/// The one number that a constant without rows holds throughout, if it is such a constant.
pub fn uniform_constant(b: &Builder, x: NodeId) -> Option<f64> {
    let node = b.graph().node(x);
    match &node.op {
        Op::Constant(value) if node.rows.is_empty() => value.uniform(),
        _ => None,
    }
}

fn mismatch(what: &str, expected: impl std::fmt::Display, got: impl std::fmt::Debug) -> Error {
    Error::Shape { what: what.into(), expected: expected.to_string(), got: format!("{got:?}") }
}
