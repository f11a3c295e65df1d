//! Differentiable computation graphs for trained decoders.
//!
//! An ONNX file becomes a [`Graph`] that describes one sample; its derivatives are graphs again; one executor runs them
//! all, over tiles of samples, in `f32` or `f64`.

#![deny(unsafe_code)]

mod build;
mod error;
pub mod evaluate;
pub mod execute;
mod graph;
pub mod lower;
pub mod onnx;
pub mod ops;
mod rows;
mod tensor;
pub mod transform;

pub use build::Builder;
pub use error::{Error, Result, UnsupportedOperator};
pub use graph::{AxisInfo, Graph, ImportedOperator, Node, NodeId, Port};
pub use ops::{Kind, Op};
pub use rows::{Axis, Rows};
pub use tensor::{Data, Tensor};
