//! `latlas run`: the named estimators, as a table or as JSON.

use std::path::{Path, PathBuf};

use clap::Args;
use latlas::data::{Float, write_npz};
use latlas::estimators;
use latlas::report::PageOptions;
use latlas::run::{self, Run, SampleRows, Shard};
use ndarray::Array2;

use crate::args::{CodeOptions, Conditioning, LatentOptions, ModelOptions, RunOptions, SampleOptions, StatisticsOptions, Talk};
use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::gate;
use crate::geometry::GeometryOptions;
use crate::inputs;
use crate::models::names_a_model;
use crate::present::{Presentation, present};
use crate::progress::Progress;
use crate::shelf::Shelf;
use crate::task::Task;

/// Run the named estimators or groups
#[derive(Debug, Args)]
pub struct Arguments {
    /// Estimators or groups (`latlas list estimators`), then the model: an ONNX file or builtin:NAME
    #[arg(required = true, value_name = "ID… [MODEL.onnx]")]
    words: Vec<String>,
    #[command(flatten)]
    model: ModelOptions,
    #[command(flatten)]
    geometry: GeometryOptions,
    #[command(flatten)]
    samples: SampleOptions,
    #[command(flatten)]
    codes: CodeOptions,
    #[command(flatten)]
    running: RunOptions,
    #[command(flatten)]
    latents: LatentOptions,
    #[command(flatten)]
    statistics: StatisticsOptions,
    #[command(flatten)]
    sharding: Sharding,
    /// Also write the named quantities at every sample, and its latents, into this .npz file
    #[arg(long, value_name = "FILE.npz", help_heading = "Output", conflicts_with_all = ["shard", "conditioning"])]
    rows: Option<PathBuf>,
    #[command(flatten)]
    presentation: Presentation,
    #[command(flatten)]
    talk: Talk,
}

/// Running in parts.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Running")]
struct Sharding {
    /// Run only part I of N (from 1); `latlas merge` puts the states together
    #[arg(long, value_name = "I/N", requires = "state", value_parser = parse_shard)]
    shard: Option<Shard>,
    /// Keep what is done in this file
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Go on from the file of --state, where it exists
    #[arg(long, requires = "state")]
    resume: bool,
}

/// The verb.
pub fn run(arguments: &Arguments) -> Outcome {
    let console = Console::new(&arguments.talk);
    arguments.running.threads.start()?;
    let Task { ids, inputs, settings, by_class, notes, .. } = task(arguments, &Shelf::default())?;
    console.notes(&notes);
    let progress = Progress::new(console, "samples");
    let tell = |done, all| progress.at(done, all);
    let report = match (&arguments.sharding.state, by_class) {
        // Without a file to keep them in, classes need not be held all at once.
        (None, Some(weights)) => run::run_by_class(&ids, &inputs, &settings, weights, &tell)?,
        (None, None) => run::run(&ids, &inputs, &settings, &tell)?,
        (Some(file), _) => {
            let shard = arguments.sharding.shard.unwrap_or(Shard::WHOLE);
            let mut run = Run::begin(&ids, &inputs, &settings, by_class, shard)?;
            if arguments.sharding.resume && file.exists() {
                run = run.resume(Run::load(file)?)?;
            }
            run.advance(&inputs, &settings, &tell, Some(file))?;
            if run.shards() > 1 {
                run.save(file)?;
                drop(progress);
                console.note(&format!("the state of shard {} of {} is in {}", shard.index + 1, shard.of, file.display()));
                return Ok(());
            }
            run.finish()?
        }
    };
    if let Some(file) = &arguments.rows {
        write_rows(file, run::rows(&ids, &inputs, &settings, &tell)?, console)?;
    }
    drop(progress);
    present(&report, &arguments.presentation, console)?;
    gate::check(&arguments.statistics.gate, &report)
}

/// `z [n, d]` and each quantity `[n, columns]` under its id, f64.
fn write_rows(file: &Path, (latents, rows): (Option<Array2<f64>>, Vec<SampleRows>), console: Console) -> Outcome {
    let latents = latents.iter().map(|z| ("z", z.view().into_dyn()));
    let arrays: Vec<_> = latents.chain(rows.iter().map(|r| (r.id, r.values.view().into_dyn()))).collect();
    write_npz(file, &arrays, &[], Float::F64)?;
    for rows in &rows {
        console.note(&format!("{} in {}: {}", rows.id, file.display(), rows.columns.join(", ")));
        for (reason, n) in &rows.dropped {
            console.note(&format!("{}: {n} of {} samples have no value ({reason})", rows.id, rows.values.nrows()));
        }
    }
    Ok(())
}

/// What the arguments ask for, read and checked.
pub fn task(arguments: &Arguments, shelf: &Shelf) -> Outcome<Task> {
    let (ids, model) = split(&arguments.words);
    if ids.is_empty() {
        return Err(Failure::usage("no estimator was named", "`latlas list estimators` shows them; `entropy` runs a whole group"));
    }
    check_names(&ids)?;
    let settings = arguments.statistics.settings(&arguments.running, &arguments.samples, &arguments.latents);
    let settings = arguments.codes.onto(settings);
    let gathered = inputs::gather(model, &arguments.model, &arguments.samples, settings.dtype, shelf)?;
    let gathered = gathered.with_geometry(&arguments.geometry, shelf)?;
    let mut inputs = gathered.inputs;
    inputs::codes(&arguments.codes, &mut inputs, shelf)?;
    let by_class = (arguments.statistics.conditioning == Conditioning::PerClass).then(|| arguments.statistics.class_weights.into());
    let shard = arguments.sharding.shard.unwrap_or(Shard::WHOLE);
    Ok(Task { ids, inputs, settings, by_class, shard, notes: gathered.notes, fewer: None, page: PageOptions::default() })
}

/// Ids first, then perhaps a model: the last word, if it can be no id.
fn split(words: &[String]) -> (Vec<String>, Option<&str>) {
    let id = |word: &String| word.to_lowercase().replace('_', "-");
    match words.split_last() {
        Some((last, rest)) if names_a_model(last) => (rest.iter().map(id).collect(), Some(last)),
        _ => (words.iter().map(id).collect(), None),
    }
}

/// Tells of an unknown id before any file is read.
fn check_names(ids: &[String]) -> Outcome {
    let known = || estimators::all().map(|entry| entry.card.id).chain(estimators::GROUPS.iter().map(|(group, _)| *group));
    match ids.iter().find(|id| estimators::find(id).is_none() && !known().any(|name| name == id.as_str())) {
        None => Ok(()),
        Some(id) => {
            let hint = crate::suggest::hint(id, known(), "`latlas list estimators` shows all of them; a model file ends in .onnx");
            Err(Failure::usage(format!("no estimator or group is named `{id}`"), hint))
        }
    }
}

fn parse_shard(text: &str) -> Result<Shard, String> {
    let parts = text.split_once('/').and_then(|(index, of)| Some((index.parse::<usize>().ok()?, of.parse::<usize>().ok()?)));
    match parts {
        Some((index, of)) if (1..=of).contains(&index) => Ok(Shard { index: index - 1, of }),
        _ => Err("write I/N with 1 ≤ I ≤ N, such as 3/8".into()),
    }
}
