//! From the command line to what goes into a run: files are read, shapes checked, and what was guessed is told.

use std::path::Path;
use std::sync::Arc;

use clap::Args;
use latlas::data::{self, Table};
use latlas::error::Error;
use latlas::models::{Decoder, Encoder};
use latlas::report::InputRecord;
use latlas::run::{Inputs, Settings};
use latlas::samples::Prior;
use ndarray::{Array2, Ix3};

use crate::args::{ModelOptions, SampleOptions};
use crate::failure::{Failure, Outcome};
use crate::suggest;

/// What to measure when no model is given.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Model")]
pub struct Source {
    /// Jacobians [n, D, d] instead of a model
    #[arg(long, value_name = "FILE")]
    pub jacobians: Option<String>,
}

/// What was read.
pub struct Gathered {
    /// For the run.
    pub inputs: Inputs,
    /// What was guessed.
    pub notes: Vec<String>,
}

/// Whether a word of the command line can only be a model, not the id of an estimator.
pub fn names_a_model(word: &str) -> bool {
    word.starts_with("builtin:") || word.contains(['.', '/', '\\']) || Path::new(word).is_file()
}
