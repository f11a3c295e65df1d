//! `latlas`: an atlas of your generative model's latent space, on the command line.

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
mod suggest;
mod table;

use std::process::ExitCode;

fn main() -> ExitCode {
    let matches = match args::command().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => return console::print_usage_error(&error),
    };
    match commands::dispatch(&matches) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => console::print_failure(&failure),
    }
}
