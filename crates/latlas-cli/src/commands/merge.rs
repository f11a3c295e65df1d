//! `latlas merge`: states of shards into one, and the report when all are there.

use std::path::PathBuf;

use clap::Args;
use latlas::run::Run;

use crate::args::Talk;
use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::gate::{self, Gate};
use crate::present::{Presentation, present};

/// Merge the states of shards into one, and report when no shard is missing
#[derive(Debug, Args)]
pub struct Arguments {
    /// States that `latlas run --shard I/N --state FILE` wrote
    #[arg(required = true, value_name = "STATE")]
    states: Vec<PathBuf>,
    /// Write the merged state to this file
    #[arg(long, short = 'o', value_name = "FILE")]
    out: Option<PathBuf>,
    /// Report even when shards are missing; the report names them
    #[arg(long)]
    partial: bool,
    /// Exit with 4 unless this holds (repeatable; see `latlas run --help`)
    #[arg(long, value_name = "CONDITION")]
    gate: Vec<Gate>,
    #[command(flatten)]
    presentation: Presentation,
    #[command(flatten)]
    talk: Talk,
}

/// The verb.
pub fn run(arguments: &Arguments) -> Outcome {
    let console = Console::new(&arguments.talk);
    let mut merged: Option<Run> = None;
    for path in &arguments.states {
        let part = Run::load(path)?;
        match &mut merged {
            None => merged = Some(part),
            Some(merged) => merged.merge(part)?,
        }
    }
    let Some(merged) = merged else { return Err(Failure::usage("no states were given", "latlas merge STATE…")) };
    if let Some(path) = &arguments.out {
        merged.save(path)?;
    }
    let missing = merged.missing();
    if arguments.out.is_some() && !missing.is_empty() && !arguments.partial {
        let names = missing.iter().map(|shard| (shard + 1).to_string()).collect::<Vec<_>>().join(", ");
        console.note(&format!("no report yet: of {} shards these are missing: {names}", merged.shards()));
        return Ok(());
    }
    let report = if arguments.partial { merged.finish_partial() } else { merged.finish() }?;
    present(&report, &arguments.presentation, console)?;
    gate::check(&arguments.gate, &report)
}
