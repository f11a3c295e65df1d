//! The verbs: one file and one line of the table each.

mod compare;
mod decode;
mod distance;
mod exp;
mod explain;
mod export;
mod geodesic;
mod inspect;
mod jacobian;
mod list;
mod log;
mod merge;
mod metric;
mod report;
mod reproduce;
mod run;
mod train;

pub use compare::Compared;
pub use geodesic::geodesic_arrays;

use clap::{ArgMatches, Args, Command, FromArgMatches};

use crate::failure::{Failure, Outcome};
use crate::shelf::Shelf;
use crate::task::Task;

/// A verb of the command.
pub struct Verb {
    /// What the user types.
    pub name: &'static str,
    /// Its part of the command line.
    pub command: fn(&'static str) -> Command,
    /// Does it.
    pub run: fn(&ArgMatches) -> Outcome,
}

/// All verbs, in the order of `latlas --help`.
pub const VERBS: &[Verb] = &[
    Verb { name: "report", command: line::<report::Arguments>, run: |matches| with(matches, report::run) },
    Verb { name: "run", command: line::<run::Arguments>, run: |matches| with(matches, run::run) },
    Verb { name: "inspect", command: line::<inspect::Arguments>, run: |matches| with(matches, inspect::run) },
    Verb { name: "decode", command: line::<decode::Arguments>, run: |matches| with(matches, decode::run) },
    Verb { name: "jacobian", command: line::<jacobian::Arguments>, run: |matches| with(matches, jacobian::run) },
    Verb { name: "metric", command: line::<metric::Arguments>, run: |matches| with(matches, metric::run) },
    Verb { name: "exp", command: line::<exp::Arguments>, run: |matches| with(matches, exp::run) },
    Verb { name: "log", command: line::<log::Arguments>, run: |matches| with(matches, log::run) },
    Verb { name: "geodesic", command: line::<geodesic::Arguments>, run: |matches| with(matches, geodesic::run) },
    Verb { name: "distance", command: line::<distance::Arguments>, run: |matches| with(matches, distance::run) },
    Verb { name: "export", command: line::<export::Arguments>, run: |matches| with(matches, export::run) },
    Verb { name: "train", command: line::<train::Arguments>, run: |matches| with(matches, train::run) },
    Verb { name: "reproduce", command: line::<reproduce::Arguments>, run: |matches| with(matches, reproduce::run) },
    Verb { name: "merge", command: line::<merge::Arguments>, run: |matches| with(matches, merge::run) },
    Verb { name: "list", command: line::<list::Arguments>, run: |matches| with(matches, list::run) },
    Verb { name: "compare", command: line::<compare::Arguments>, run: |matches| with(matches, compare::run) },
    Verb { name: "explain", command: line::<explain::Arguments>, run: |matches| with(matches, explain::run) },
];

/// Runs the verb that the user chose.
pub fn dispatch(matches: &ArgMatches) -> Outcome {
    let chosen = matches.subcommand().and_then(|(name, rest)| Some((VERBS.iter().find(|verb| verb.name == name)?, rest)));
    chosen.map_or(Ok(()), |(verb, rest)| (verb.run)(rest))
}

/// What the words of `latlas run` or `latlas report` ask for, beside the things on a shelf.
///
/// # Errors
/// Words that the command line does not know, files that cannot be read, inputs that do not go together.
pub fn task(words: &[String], shelf: &Shelf) -> Outcome<Task> {
    match parsed(words)?.subcommand() {
        Some(("run", rest)) => run::task(&run::Arguments::from_arg_matches(rest).map_err(|error| usage(&error))?, shelf),
        Some(("report", rest)) => report::task(&report::Arguments::from_arg_matches(rest).map_err(|error| usage(&error))?, shelf),
        _ => Err(Failure::usage("this verb computes no report", "take run or report")),
    }
}

/// What the words of `latlas compare` ask for of models, beside the things on a shelf.
///
/// # Errors
/// Those of [`task`].
pub fn compared(words: &[String], shelf: &Shelf) -> Outcome<Compared> {
    match parsed(words)?.subcommand() {
        Some(("compare", rest)) => compare::asked(&compare::Arguments::from_arg_matches(rest).map_err(|error| usage(&error))?, shelf),
        _ => Err(Failure::usage("this verb compares nothing", "take compare")),
    }
}

fn parsed(words: &[String]) -> Outcome<ArgMatches> {
    crate::args::command().try_get_matches_from(words).map_err(|error| usage(&error))
}

fn usage(error: &clap::Error) -> Failure {
    Failure::Usage { what: error.to_string().trim_start_matches("error: ").trim_end().into(), hint: None }
}

/// The command line of a verb from its arguments; the documentation of the type is its help.
fn line<A: Args>(name: &'static str) -> Command {
    A::augment_args(Command::new(name))
}

/// Reads the arguments of a verb and runs it.
fn with<A: FromArgMatches>(matches: &ArgMatches, run: fn(&A) -> Outcome) -> Outcome {
    // The command line was parsed with the same declarations, so this cannot miss anything.
    let arguments = A::from_arg_matches(matches).unwrap_or_else(|error| error.exit());
    run(&arguments)
}
