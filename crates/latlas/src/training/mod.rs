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
mod gradients;
mod objective;
mod optimizer;
mod schedule;
mod settings;
mod trainer;

pub use batches::Batches;
pub use data::Data;
pub use fit::fit;
pub use folder::{Options, Outcome, PRIOR, compare_gradients, file_graph, train, write_files};
pub use gradients::{Comparison, Scatter, compare_estimators};
pub use objective::{Evaluation, Objective};
pub use optimizer::{Optimizer, State as OptimizerState};
pub use schedule::Schedule;
pub use settings::{EarlyStopping, Settings};
pub use trainer::{Progress, Step, Trainer};
