//! `latlas report`: everything that applies, as a page and as JSON.

use std::path::{Path, PathBuf};

use clap::Args;
use latlas::error::Error;
use latlas::estimators;
use latlas::report::{PageOptions, atlas, html, maps};
use latlas::run::Shard;

use crate::args::{CodeOptions, Conditioning, LatentOptions, ModelOptions, RunOptions, SampleOptions, StatisticsOptions, Talk};
use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::geometry::GeometryOptions;
use crate::present::{save_all, save_page};
use crate::progress::Progress;
use crate::shelf::Shelf;
use crate::task::Task;
use crate::{gate, inputs};

/// Measure everything that applies, and write a page and JSON; without a model, of the built-in digits
#[derive(Debug, Args)]
pub struct Arguments {
    /// ONNX file of the decoder, or builtin:NAME
    #[arg(value_name = "MODEL.onnx")]
    decoder: Option<String>,
    /// Folder for report.html, report.json and the maps of the latent plane
    #[arg(long, short = 'o', value_name = "DIR", default_value = "latlas-out")]
    out: PathBuf,
    /// Shape of decoded pictures; guessed from the decoder otherwise
    #[arg(long, value_name = "HxWxC|none", help_heading = "Output")]
    image: Option<String>,
    /// With more than two latents: three rows of the data, of --latents, or numbers of draws, whose plane is mapped
    #[arg(long, value_name = "I,J,K", value_delimiter = ',', help_heading = "Output")]
    plane: Vec<usize>,
    /// The latent-plane.json of another report, whose colours the maps then share
    #[arg(long, value_name = "PLANE.json", help_heading = "Output")]
    map_ranges: Option<PathBuf>,
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
    talk: Talk,
}

/// Three of them, or none.
fn three(rows: &[usize]) -> Outcome<Option<[usize; 3]>> {
    match rows {
        [] => Ok(None),
        [i, j, k] => Ok(Some([*i, *j, *k])),
        _ => Err(Failure::usage(format!("--plane takes three rows, got {}", rows.len()), "such as --plane 0,17,42")),
    }
}

/// Operations that the Jacobians of a report may take when --samples does not say how many there are: a minute or less on
/// two cores.
const BUDGET: f64 = 2e12;
/// However dear a Jacobian is, this many are taken.
const FEWEST: usize = 64;

/// The verb.
pub fn run(arguments: &Arguments) -> Outcome {
    let console = Console::new(&arguments.talk);
    arguments.running.threads.start()?;
    let task = task(arguments, &Shelf::default())?;
    console.notes(&task.notes);
    let progress = Progress::new(console, "samples");
    let report = task.measure(&|done, all| progress.at(done, all))?;
    drop(progress);

    let page = PageOptions { command: Some(command_line()), ..task.page.clone() };
    let numbers = report.clone();
    let atlas = atlas::compose(&task.inputs, report, &page)?;
    save_page(&arguments.out, &html::page(&atlas)?, &numbers)?;
    let mut written = vec!["report.html", "report.json"];
    if let Some(plane) = &atlas.plane {
        save_all(&arguments.out, maps::files(plane)?.iter().map(|file| (file.name.as_str(), &file.bytes[..])))?;
        written.push(maps::NAME);
    }
    let path = |name: &str| crate::console::plain(&arguments.out.join(name).display().to_string()) + "\n";
    console.data(&written.into_iter().map(path).collect::<String>())?;
    gate::check(&arguments.statistics.gate, &numbers)
}

/// What the arguments ask for, read and checked: every estimator that applies.
pub fn task(arguments: &Arguments, shelf: &Shelf) -> Outcome<Task> {
    let mut notes = Vec::new();
    let mut samples = arguments.samples.clone();
    let mut model = arguments.decoder.clone();
    let has_codes =
        arguments.codes.codes.is_some() || arguments.codes.code_table.is_some() || (samples.encoder.is_some() && samples.data.is_some());
    if model.is_none() && samples.jacobians.is_none() && !has_codes {
        notes.push("no model was given: this is the built-in digits model and its data".into());
        model = Some("builtin:digits-vae".into());
        let unless_given = |given: &mut Option<String>, builtin: &str| _ = given.get_or_insert_with(|| builtin.into());
        unless_given(&mut samples.encoder, "builtin:digits-encoder");
        if samples.data.is_none() {
            unless_given(&mut samples.labels, "builtin:digits:labels");
        }
        unless_given(&mut samples.data, "builtin:digits");
    }
    let by_class = arguments.statistics.conditioning == Conditioning::PerClass;
    let settings = arguments.statistics.settings(&arguments.running, &samples, &arguments.latents);
    let mut settings = arguments.codes.onto(settings);
    let gathered = inputs::gather(model.as_deref(), &arguments.model, &samples, settings.dtype, shelf)?;
    let gathered = gathered.with_geometry(&arguments.geometry, shelf)?;
    notes.extend(gathered.notes);
    let mut inputs = gathered.inputs;
    inputs::codes(&arguments.codes, &mut inputs, shelf)?;

    if !arguments.plane.is_empty() && inputs.decoder.as_ref().is_none_or(|decoder| decoder.latent_dim() <= 2) {
        return Err(Failure::usage("--plane has an effect on a decoder of more than two latents only", "leave it out"));
    }
    let map_ranges = arguments.map_ranges.as_deref().map(ranges).transpose()?.unwrap_or_default();
    let wished = settings.samples;
    if let Some(decoder) = inputs.decoder.as_ref().filter(|_| samples.samples.is_none()) {
        settings.samples = affordable(wished, decoder.cost().jacobian);
    }
    let is_lowered = settings.samples < wished && !by_class && inputs.context(&settings)?.n_samples == settings.samples;
    let fewer = is_lowered.then(|| format!("{} instead of {wished}; --samples decides otherwise", settings.samples));
    notes.extend(fewer.iter().map(|message| format!("samples: {message}")));
    Ok(Task {
        ids: estimators::GROUPS.iter().map(|(group, _)| (*group).to_string()).collect(),
        by_class: by_class.then(|| arguments.statistics.class_weights.into()),
        shard: Shard::WHOLE,
        page: PageOptions { image: arguments.image.clone(), plane: three(&arguments.plane)?, map_ranges, ..PageOptions::default() },
        inputs,
        settings,
        notes,
        fewer,
    })
}

fn ranges(path: &Path) -> Result<maps::Ranges, Failure> {
    let text = std::fs::read_to_string(path).map_err(|source| Error::Io { action: "read", path: path.into(), source })?;
    Ok(maps::ranges_of(&text)?)
}

/// As many samples as were wished for, or fewer where their Jacobians would go beyond the budget. It follows from the model
/// alone, never from a clock, so the same command gives the same numbers everywhere.
fn affordable(wished: usize, operations: f64) -> usize {
    let most = (BUDGET / operations.max(1.0)) as usize;
    wished.min(most.max(FEWEST))
}

/// The command as it was typed, without the folders of files: a page must not tell where it was made.
pub fn command_line() -> String {
    let without_folder = |word: String| {
        let is_absolute = Path::new(&word).is_absolute();
        if is_absolute { word.rsplit(['/', '\\']).next().unwrap_or_default().to_string() } else { word }
    };
    let quoted = |word: String| {
        let is_plain = word.chars().all(|c| c.is_alphanumeric() || "-_./:=,+".contains(c)) && !word.is_empty();
        if is_plain { word } else { format!("'{}'", word.replace('\'', "'\\''")) }
    };
    let words = std::env::args_os().skip(1).map(|word| quoted(without_folder(word.to_string_lossy().into_owned())));
    std::iter::once("latlas".to_string()).chain(words).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::affordable;

    #[test]
    fn the_number_of_samples_follows_from_the_operations() {
        assert_eq!(affordable(1000, 1e6), 1000);
        assert_eq!(affordable(1000, 1e10), 200);
        assert_eq!(affordable(1000, 1e13), 64);
        assert_eq!(affordable(10, 1e13), 10);
    }
}
