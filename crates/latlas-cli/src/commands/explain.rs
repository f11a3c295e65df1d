//! `latlas explain`: the page of anything that has an id.

use clap::Args;

use crate::args::Talk;
use crate::catalogue::KINDS;
use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::suggest;

/// Explain an estimator, a caveat, a model, a data set or an operator
#[derive(Debug, Args)]
pub struct Arguments {
    /// Its id, as `latlas list` shows it
    id: String,
    #[command(flatten)]
    talk: Talk,
}

/// The verb.
pub fn run(arguments: &Arguments) -> Outcome {
    let console = Console::new(&arguments.talk);
    let wanted = arguments.id.replace('_', "-");
    let entries: Vec<_> = KINDS.iter().flat_map(|kind| (kind.entries)()).collect();
    // Operators are written in capitals, so an exact id comes first.
    let found = entries.iter().find(|e| e.id == arguments.id).or_else(|| entries.iter().find(|e| e.id.eq_ignore_ascii_case(&wanted)));
    let Some(entry) = found else {
        let known = entries.iter().map(|entry| entry.id.as_str());
        let hint = suggest::hint(&arguments.id, known, "`latlas list` shows all ids");
        return Err(Failure::usage(format!("nothing has the id `{}`", arguments.id), hint));
    };
    console.data(&format!("{}\n\n{}\n", console.bold(&entry.id), entry.page.trim_end()))
}
