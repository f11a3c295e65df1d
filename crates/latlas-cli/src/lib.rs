//! The `latlas` command as a library, for whatever else has its options: the terminal gives it words, other front ends words and
//! things in memory.

#![allow(rustdoc::broken_intra_doc_links)] // Comments on arguments are help texts, plain as they stand.
#![forbid(unsafe_code)]

mod args;
mod arrays;
mod catalogue;
mod commands;
mod console;
mod dump;
mod failure;
mod gate;
mod geometry;
mod inputs;
mod models;
mod present;
mod progress;
mod shelf;
mod suggest;
mod table;
mod task;

use std::ffi::OsString;
use std::process::ExitCode;

pub use args::{ModelOptions, command};
pub use catalogue::{Entry, KINDS, Kind};
pub use commands::{Compared, compared, geodesic_arrays, task};
pub use failure::{Failure, Outcome};
pub use geometry::{GeometryOptions, Space};
pub use models::{Model, decoder, model_file};
pub use shelf::Shelf;
pub use suggest::nearest;
pub use task::Task;

/// The command: does what the words say, the first of which is its own name, and gives the exit code.
pub fn main(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    ExitCode::from(exit_code(words))
}

/// As [`main`], with the exit code as a number.
pub fn exit_code(words: impl IntoIterator<Item = OsString>) -> u8 {
    let matches = match command().try_get_matches_from(words) {
        Ok(matches) => matches,
        Err(error) => return console::print_usage_error(&error),
    };
    match commands::dispatch(&matches) {
        Ok(()) => 0,
        Err(failure) => console::print_failure(&failure),
    }
}
