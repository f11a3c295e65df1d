//! `latlas list`: the tables of the library.

use clap::Args;
use serde_json::json;

use crate::args::Talk;
use crate::catalogue::{KINDS, Kind};
use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::suggest;
use crate::table::Table;

/// List what there is: estimators, operators, models, data, caveats
#[derive(Debug, Args)]
pub struct Arguments {
    /// One of the tables; all of them by default
    #[arg(value_name = "TABLE")]
    table: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    talk: Talk,
}

/// The verb.
pub fn run(arguments: &Arguments) -> Outcome {
    let console = Console::new(&arguments.talk);
    let kinds = match &arguments.table {
        None => KINDS,
        Some(name) => std::slice::from_ref(find(name)?),
    };
    if arguments.json {
        let table = |kind: &Kind| {
            let rows = (kind.entries)().into_iter().map(|entry| json!({"id": entry.id, "title": entry.title}));
            (kind.name.to_string(), rows.collect())
        };
        let tables: serde_json::Map<_, _> = kinds.iter().map(table).collect();
        return console.data(&(serde_json::Value::Object(tables).to_string() + "\n"));
    }
    let part = |kind: &Kind| {
        let mut table = Table::new(&["id", "title"]);
        for entry in (kind.entries)() {
            table.row([entry.id, entry.title]);
        }
        let table = table.render(console);
        if kinds.len() > 1 { format!("{}: {}\n\n{table}", console.bold(kind.name), kind.title) } else { table }
    };
    console.data(&kinds.iter().map(part).collect::<Vec<_>>().join("\n"))?;
    console.note("\n`latlas explain ID` shows a page.");
    Ok(())
}

fn find(name: &str) -> Outcome<&'static Kind> {
    let names = || KINDS.iter().map(|kind| kind.name);
    KINDS.iter().find(|kind| kind.name == name).ok_or_else(|| {
        let all = names().collect::<Vec<_>>().join(", ");
        Failure::usage(format!("no table `{name}`"), suggest::hint(name, names(), &format!("there is {all}")))
    })
}
