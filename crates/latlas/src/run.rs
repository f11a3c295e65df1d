//! The run: chunk → observe → merge → finish. The only loop.
//!
//! Samples are cut into chunks whose size follows from the settings and the model, never from the machine. Every chunk
//! makes a state of its own, and states merge in a tree over chunk numbers ([`crate::accumulators::Ordered`]), so any
//! number of threads or shards gives the same bits. No more chunks are in flight than there are threads.

mod classes;
mod codes;
mod compare;
mod file;
mod inputs;
mod principal;
mod rows;
mod state;
mod turned_likelihood;

pub use classes::{ClassWeights, Run, run_by_class};
pub use codes::CodeInputs;
pub use compare::{Along, Comparison, compare, compare_reports};
pub use inputs::{Inputs, Other};
pub use rows::{SampleRows, rows};
pub use state::{Shard, State};

use crate::error::Result;
use crate::report::Report;
pub use crate::settings::{Dtype, Sampling, Settings};

/// Runs the named estimators or groups over the inputs. `progress(done, all)` counts samples.
///
/// # Errors
/// Unknown names, inputs that do not fit each other, an estimator that was named and does not apply, too many unusable
/// samples, or a model that cannot be run.
pub fn run(ids: &[String], inputs: &Inputs, settings: &Settings, progress: &dyn Fn(usize, usize)) -> Result<Report> {
    run_shard(ids, inputs, settings, Shard::WHOLE, progress)?.finish()
}

/// One shard of a run; the states of all shards merge to what the whole run gives, to the bit.
///
/// # Errors
/// Those of [`run`].
pub fn run_shard(ids: &[String], inputs: &Inputs, settings: &Settings, shard: Shard, progress: &dyn Fn(usize, usize)) -> Result<State> {
    let mut state = State::begin(ids, inputs, settings, shard)?;
    state.advance(inputs, progress, &|_| Ok(()))?;
    Ok(state)
}
