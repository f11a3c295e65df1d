//! `cargo dev …`: the workshop of the project.

#![forbid(unsafe_code)]
#![allow(clippy::print_stdout)] // This is a program for people at a terminal.

mod bench;
mod check;
mod data;
mod gallery;
mod generate;
mod machine;
mod memory;
mod peers;
mod process;
mod python;
mod test;

use std::process::ExitCode;

use anyhow::{Result, bail};

/// One verb of `cargo dev`.
struct Verb {
    name: &'static str,
    summary: &'static str,
    run: fn(&[String]) -> Result<()>,
}

const VERBS: &[Verb] = &[
    Verb { name: "check", summary: "format, lints, tests, documentation, licences, spelling, packages", run: check::run },
    Verb {
        name: "test",
        summary: "install what is missing, run every test, count [--peers: live comparisons too] [WORD: parts named so]",
        run: test::run,
    },
    Verb { name: "data", summary: "fetch what tests and benchmarks need into data/, check and unpack it", run: fetch_data },
    Verb {
        name: "bench",
        summary: "measure beside other programs: NAME [--quick] [--case NAME] [--write]; none lists them",
        run: bench::run,
    },
    Verb {
        name: "gallery",
        summary: "draw the report pages of real models, check them in a browser, keep their pictures",
        run: gallery::run,
    },
    Verb {
        name: "wheel",
        summary: "build the Python wheel for users into dist/, check its size, test it with NumPy alone",
        run: python::run,
    },
    Verb { name: "generate", summary: "write the generated pages and the schema anew", run: generate::run },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((name, rest)) = arguments.split_first().filter(|(name, _)| !matches!(name.as_str(), "help" | "-h" | "--help")) else {
        print_usage();
        return ExitCode::SUCCESS;
    };
    match dispatch(name, rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(name: &str, rest: &[String]) -> Result<()> {
    match VERBS.iter().find(|verb| verb.name == name) {
        Some(verb) => (verb.run)(rest),
        None => bail!("no verb {name:?}; there are {}", VERBS.iter().map(|verb| verb.name).collect::<Vec<_>>().join(", ")),
    }
}

fn fetch_data(arguments: &[String]) -> Result<()> {
    let [] = flags(arguments, [])?;
    data::data()
}

fn print_usage() {
    println!("cargo dev VERB\n");
    for verb in VERBS {
        println!("  {:<10} {}", verb.name, verb.summary);
    }
}

/// Fails on an argument that a verb does not know, and tells which of `known` were given.
fn flags<const N: usize>(arguments: &[String], known: [&str; N]) -> Result<[bool; N]> {
    if let Some(unknown) = arguments.iter().find(|a| !known.contains(&a.as_str())) {
        bail!("unknown argument {unknown:?}; there is {}", if N == 0 { "none".into() } else { known.join(", ") });
    }
    Ok(known.map(|flag| arguments.iter().any(|a| a == flag)))
}
