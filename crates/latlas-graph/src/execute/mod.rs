//! Running a graph on the processor, in `f32` or `f64`.
//!
//! A [`Program`] cuts the `sample` axis into tiles whose intermediate values stay in a near cache, runs the whole graph over
//! one tile at a time and spreads the tiles over threads. What does not vary over `sample` is computed once. Sums over
//! `sample` are added up in the order of the tiles, so the number of threads never changes a bit of the result; memory is
//! bounded by tile and threads, not by the number of samples.
//!
//! ```
//! use latlas_graph::execute::{Options, Program};
//! use latlas_graph::{Builder, Port, Rows, ops::Unary};
//!
//! let mut b = Builder::new();
//! let z = b.input("z", Rows::SAMPLE, &[2], &[2]);
//! let x = b.unary(Unary::Tanh, z);
//! let graph = b.finish(vec![Port { name: "x".into(), node: x, shape: vec![2], default: None }]);
//!
//! let program = Program::<f64>::compile(&graph, &Options::default())?;
//! let mut outputs = vec![];
//! program.run(2, &[&[0.0, 1.0, -1.0, 0.5]], &mut outputs)?;
//! assert!((outputs[0][1] - 1f64.tanh()).abs() < 1e-15);
//! # Ok::<(), latlas_graph::Error>(())
//! ```

mod channels;
mod constants;
mod cost;
mod groups;
mod isa;
mod kernels;
mod phases;
mod pieces;
mod plan;
mod program;
mod rate;
mod real;
mod shared;
#[cfg(test)]
mod tests;
mod tile;
mod tiles;

pub(crate) use cost::product_operations;
pub use cost::{Cost, Work, cost, cost_of};
pub use isa::Isa;
pub use kernels::multiply_add_peak;
pub use program::Program;
pub use rate::Rate;
pub use real::Real;

/// Settings of a [`Program`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Samples a tile. It orders the sums over samples and so belongs to the settings of a result; `None` chooses by the
    /// sizes of the graph.
    pub tile: Option<usize>,
    /// Rows of a row axis (tangents, probes) that a tile of one sample computes at a time, where nothing joins them. It changes no bit
    /// of a result; `None` chooses by the sizes of the graph.
    pub piece: Option<usize>,
}
