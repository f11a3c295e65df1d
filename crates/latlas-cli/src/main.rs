//! `latlas`: an atlas of your generative model's latent space, on the command line.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    latlas_cli::main(std::env::args_os())
}
