//! `latlas compare`: models on the same latents or data, or reports side by side.

use std::path::{Path, PathBuf};

use clap::Args;
use latlas::error::{Error, Result};
use latlas::report::{Atlas, Report, html, json};
use latlas::run::{self, Along, Comparison, Inputs, Sampling, Settings};

use crate::args::{LatentOptions, ModelOptions, RunOptions, SampleOptions, StatisticsOptions, Talk};
use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::gate;
use crate::inputs;
use crate::models::name_of;
use crate::present::{Presentation, present, save_page};
use crate::progress::Progress;
use crate::shelf::Shelf;

/// Compare models on the same latents or data, or reports that were saved as JSON: differences from the first
#[derive(Debug, Args)]
pub struct Arguments {
    /// Two or more models (ONNX files or builtin:NAME), or two or more reports (.json)
    #[arg(required = true, num_args = 2.., value_name = "A B…")]
    sides: Vec<String>,
    /// Estimators or groups to compare (repeatable) [default: entropy]
    #[arg(long, value_name = "ID")]
    estimator: Vec<String>,
    /// A number for each, such as beta=0.1,1,10: plots over models have it as their axis [default: the noises, if given]
    #[arg(long, value_name = "NAME=LIST")]
    along: Option<String>,
    /// Also write a page and JSON into this folder
    #[arg(long, short = 'o', value_name = "DIR", help_heading = "Output")]
    out: Option<PathBuf>,
    #[command(flatten)]
    model: ModelOptions,
    #[command(flatten)]
    samples: SampleOptions,
    #[command(flatten)]
    running: RunOptions,
    #[command(flatten)]
    statistics: StatisticsOptions,
    #[command(flatten)]
    latents: LatentOptions,
    #[command(flatten)]
    presentation: Presentation,
    #[command(flatten)]
    talk: Talk,
}

/// The verb.
pub fn run(arguments: &Arguments) -> Outcome {
    let console = Console::new(&arguments.talk);
    let is_report = |side: &String| Path::new(side).extension().is_some_and(|e| e.eq_ignore_ascii_case("json"));
    let names: Vec<String> = arguments.sides.iter().map(|side| name_of(side)).collect();
    let report = if arguments.sides.iter().all(is_report) {
        let reports = arguments.sides.iter().map(|side| read(Path::new(side))).collect::<Result<_>>()?;
        run::compare_reports(&names, reports, arguments.along()?.as_ref())?
    } else if arguments.sides.iter().any(is_report) {
        return Err(Failure::usage("a model and a report cannot be compared", "give models, or reports (.json)"));
    } else {
        arguments.running.threads.start()?;
        let asked = asked(arguments, &Shelf::default())?;
        console.notes(&asked.notes);
        let progress = Progress::new(console, "samples");
        let comparison = asked.measure(&names, &|done, all| progress.at(done, all))?;
        drop(progress);
        if let Some(reason) = comparison.left_out {
            console.note(&format!("the latents of the models were not matched: {reason}"));
        }
        comparison.report
    };
    if let Some(folder) = &arguments.out {
        let atlas = Atlas::of_report(report.clone(), names.join(" ↔ "), Some(super::report::command_line()));
        save_page(folder, &html::page(&atlas)?, &report)?;
        console.note(&format!("the page is {}", folder.join("report.html").display()));
    }
    present(&report, &arguments.presentation, console)?;
    gate::check(&arguments.statistics.gate, &report)
}

impl Arguments {
    /// What plots over models have as their axis.
    fn along(&self) -> Result<Option<Along>> {
        let noises = Some(&self.samples.noise).filter(|noises| !noises.is_empty());
        match &self.along {
            Some(text) => Along::parse(text).map(Some),
            None => Ok(noises.map(|noises| Along { name: "noise".into(), values: noises.clone() })),
        }
    }
}

/// Models that are to be compared, and in what.
#[derive(Clone)]
pub struct Compared {
    ids: Vec<String>,
    models: Vec<Inputs>,
    settings: Settings,
    along: Option<Along>,
    /// What was guessed on the way, for people.
    pub notes: Vec<String>,
}

impl Compared {
    /// Compares them; a name for each.
    ///
    /// # Errors
    /// Those of [`run::compare`].
    pub fn measure(&self, names: &[String], progress: &dyn Fn(usize, usize)) -> Result<Comparison> {
        run::compare(&self.ids, names, &self.models, &self.settings, self.along.as_ref(), progress)
    }
}

/// What the arguments ask for of models, read and checked.
pub fn asked(arguments: &Arguments, shelf: &Shelf) -> Outcome<Compared> {
    let mut samples = arguments.samples.clone();
    samples.other.splice(0..0, arguments.sides[1..].iter().cloned());
    let mut settings = arguments.statistics.settings(&arguments.running, &samples, &arguments.latents);
    if samples.data.is_some() && samples.latents.is_none() {
        settings.sampling = Sampling::Data;
    }
    let gathered = inputs::gather(Some(&arguments.sides[0]), &arguments.model, &samples, settings.dtype, shelf)?;
    let first = gathered.inputs;
    let others = first.others.iter().map(|other| Inputs {
        decoder: Some(other.decoder.clone()),
        encoder: other.encoder.clone(),
        records: Vec::new(),
        others: Vec::new(),
        ..first.clone()
    });
    let models = std::iter::once(first.clone()).chain(others).collect();
    let ids = if arguments.estimator.is_empty() { vec!["entropy".into()] } else { arguments.estimator.clone() };
    Ok(Compared { ids, models, settings, along: arguments.along()?, notes: gathered.notes })
}

/// A report and the files beside it.
fn read(path: &Path) -> Result<Report> {
    let io = |path: &Path| {
        let path = path.to_path_buf();
        move |source| Error::Io { action: "read", path, source }
    };
    let text = std::fs::read_to_string(path).map_err(io(path))?;
    let read = json::from_json(&text, &mut |name| {
        let beside = path.with_file_name(name);
        std::fs::read(&beside).map_err(io(&beside))
    });
    read.map_err(|error| match error {
        Error::State { what, hint } => Error::State { what: format!("{}: {what}", path.display()), hint },
        other => other,
    })
}
