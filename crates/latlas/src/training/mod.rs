//! Training: a loss is a graph, its reverse-mode derivative with respect to the parameters feeds an optimiser, and a trained
//! model is an ONNX file.
//!
//! [`Trainer`] drives a [`Model`](crate::models::zoo::Model) over the rows of a matrix. What it does follows from the
//! [`Settings`] and the data alone: batches, noise and starts are keyed by the seed and the step, so a run that was killed goes on
//! from its last checkpoint to the same bits, on any number of threads.

mod batches;
mod checkpoint;
mod data;
mod fit;
mod folder;
mod objective;
mod optimizer;
mod schedule;
mod settings;
mod trainer;

pub use batches::Batches;
pub use data::Data;
pub use fit::fit;
pub use folder::{Options, Outcome, PRIOR, file_graph, train, write_files};
pub use objective::{Evaluation, Objective};
pub use optimizer::{Optimizer, State as OptimizerState};
pub use schedule::Schedule;
pub use settings::{EarlyStopping, Settings};
pub use trainer::{Progress, Step, Trainer};
