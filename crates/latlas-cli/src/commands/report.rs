//! `latlas report`: everything that applies, as a page and as JSON.

use std::path::PathBuf;

use clap::Args;
use latlas::caveat::Caveat;
use latlas::estimators;
use latlas::report::{PageOptions, atlas, html};
use latlas::run;

use crate::args::{CodeOptions, Conditioning, LatentOptions, ModelOptions, RunOptions, SampleOptions, StatisticsOptions, Talk};
use crate::console::Console;
use crate::failure::Outcome;
use crate::geometry::GeometryOptions;
use crate::present::save_page;
use crate::progress::Progress;
use crate::{gate, inputs};

/// Measure everything that applies, and write a page and JSON; without a model, of the built-in digits
#[derive(Debug, Args)]
pub struct Arguments {
    /// ONNX file of the decoder, or builtin:NAME
    #[arg(value_name = "MODEL.onnx")]
    decoder: Option<String>,
    /// Folder for report.html and report.json
    #[arg(long, short = 'o', value_name = "DIR", default_value = "latlas-out")]
    out: PathBuf,
    /// Shape of decoded pictures; guessed from the decoder otherwise
    #[arg(long, value_name = "HxWxC|none", help_heading = "Output")]
    image: Option<String>,
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

/// Operations that the Jacobians of a report may take when --samples does not say how many there are: a minute or less on
/// two cores.
const BUDGET: f64 = 2e12;
/// However dear a Jacobian is, this many are taken.
const FEWEST: usize = 64;

/// The verb.
pub fn run(arguments: &Arguments) -> Outcome {
    let console = Console::new(&arguments.talk);
    arguments.running.threads.start()?;
    let mut samples = arguments.samples.clone();
    let mut model = arguments.decoder.clone();
    let has_codes =
        arguments.codes.codes.is_some() || arguments.codes.code_table.is_some() || (samples.encoder.is_some() && samples.data.is_some());
    if model.is_none() && samples.jacobians.is_none() && !has_codes {
        console.note("no model was given: this is the built-in digits model and its data");
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
    let gathered = inputs::gather(model.as_deref(), &arguments.model, &samples, settings.dtype)?.with_geometry(&arguments.geometry)?;
    console.notes(&gathered.notes);
    let mut inputs = gathered.inputs;
    inputs::codes(&arguments.codes, &mut inputs)?;

    let wished = settings.samples;
    if let Some(decoder) = inputs.decoder.as_ref().filter(|_| samples.samples.is_none()) {
        settings.samples = affordable(wished, decoder.cost().jacobian);
    }
    let is_lowered = settings.samples < wished && !by_class && inputs.context(&settings)?.n_samples == settings.samples;
    let groups: Vec<String> = estimators::GROUPS.iter().map(|(group, _)| (*group).to_string()).collect();
    let progress = Progress::new(console, "samples");
    let tell = |done, all| progress.at(done, all);
    let mut report = if by_class {
        run::run_by_class(&groups, &inputs, &settings, arguments.statistics.class_weights.into(), &tell)?
    } else {
        run::run(&groups, &inputs, &settings, &tell)?
    };
    drop(progress);
    if is_lowered {
        let message = format!("{} instead of {wished}; --samples decides otherwise", settings.samples);
        console.note(&format!("samples: {message}"));
        for estimate in &mut report.estimates {
            estimate.caveats.push(Caveat::new("fewer-samples", message.clone()));
        }
    }

    let options = PageOptions { image: arguments.image.clone(), command: Some(command_line()), ..PageOptions::default() };
    let gates = &arguments.statistics.gate;
    let numbers = report.clone();
    let page = html::page(&atlas::compose(&inputs, report, &options)?)?;
    save_page(&arguments.out, &page, &numbers)?;
    let path = |name: &str| crate::console::plain(&arguments.out.join(name).display().to_string());
    console.data(&format!("{}\n{}\n", path("report.html"), path("report.json")))?;
    gate::check(gates, &numbers)
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
        let is_absolute = std::path::Path::new(&word).is_absolute();
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
