//! `latlas train`: a model from data, as ONNX files in a folder.

use std::path::PathBuf;

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use latlas::data;
use latlas::error::Error;
use latlas::models::zoo::Spec;
use latlas::training::{self, Comparison, Data, Scatter, Settings};
use toml::Value;

use crate::args::{Talk, Threads};
use crate::console::{Console, plain};
use crate::failure::{Failure, Outcome};
use crate::inputs::classes;
use crate::progress::Progress;
use crate::table::Table;

/// Train a model and save it as ONNX; a run that was interrupted goes on where it was
#[derive(Debug, Args)]
pub struct Arguments {
    /// autoencoder, flow or vae; may be left out where --settings names it
    #[arg(value_name = "FAMILY")]
    family: Option<String>,
    /// Data, one sample a row: [n, D], or pictures [n, H, W] or [n, C, H, W]
    #[arg(long, value_name = "FILE", default_value = "builtin:digits")]
    data: String,
    /// Class of each row, for balanced batches
    #[arg(long, value_name = "FILE")]
    labels: Option<String>,
    /// Shape of one sample where rows are flat
    #[arg(long, value_name = "CxHxW")]
    shape: Option<String>,
    /// Folder for the model, its settings, the log and the checkpoint
    #[arg(long, short = 'o', value_name = "DIR", default_value = "latlas-model")]
    out: PathBuf,
    /// Settings in TOML, as a training writes them beside its model; options of the command line come on top
    #[arg(long, value_name = "FILE.toml")]
    settings: Option<PathBuf>,
    /// Forget a checkpoint that is there
    #[arg(long)]
    restart: bool,
    /// Steps between two checkpoints, in place of ten seconds; changes no bit of the model
    #[arg(long, value_name = "STEPS", default_value_t = 0)]
    checkpoint_every: u64,
    /// Train nothing: variances of a VAE's gradient by both estimators over so many draws, where the training in the folder stands
    #[arg(long, value_name = "DRAWS", conflicts_with_all = ["restart", "checkpoint_every"])]
    compare_gradients: Option<usize>,
    #[command(flatten)]
    choices: Choices,
    #[command(flatten)]
    threads: Threads,
    #[command(flatten)]
    talk: Talk,
}

/// An option that sets one entry of the settings.
struct Flag {
    name: &'static str,
    /// Where the entry is, by dots.
    path: &'static str,
    value: &'static str,
    help: &'static str,
}

const fn flag(name: &'static str, path: &'static str, value: &'static str, help: &'static str) -> Flag {
    Flag { name, path, value, help }
}

/// The options for which there is a short name; `--set` reaches all entries.
const FLAGS: &[Flag] = &[
    flag("latent", "model.latent", "N", "Number of latents"),
    flag("hidden", "model.networks.hidden", "N,N", "Widths of the hidden layers of the encoder; reversed in the decoder"),
    flag("channels", "model.networks.channels", "N,N", "Channels of convolutions that halve a picture each"),
    flag("activation", "model.networks.activation", "NAME", "relu, leaky-relu, tanh, elu, gelu, silu, softplus or sigmoid"),
    flag("likelihood", "model.likelihood", "NAME", "bernoulli, gaussian or gaussian-learned"),
    flag("std", "model.std", "X", "Standard deviation of the gaussian likelihood"),
    flag("beta", "model.beta", "X", "Weight of the rate in a VAE"),
    flag("warm-up", "model.warm-up", "STEPS", "Steps over which that weight rises from 0"),
    flag("penalty", "model.penalty", "NAME", "none, capacity, total-correlation, factor, dip-i or dip-ii"),
    flag("estimator", "model.estimator", "NAME", "reparametrised or score: how the gradient of a VAE goes from decoder to encoder"),
    flag("jacobian", "model.jacobian.penalty", "NAME", "none, orthogonal-columns, condition or isometry: asked of the decoder's Jacobian"),
    flag("jacobian-weight", "model.jacobian.weight", "X", "Weight of that penalty"),
    flag("epochs", "epochs", "N", "Passes over the data"),
    flag("batch", "batch", "N", "Samples a step"),
    flag("learning-rate", "learning-rate", "X", "Step size of the optimiser"),
    flag("clip", "clip", "X", "Largest norm of a gradient; 0: any"),
    flag("average", "average", "X", "Decay of a moving average of the parameters, which is saved then; 0: none"),
    flag("held-out", "held-out", "SHARE", "Share of the rows that is held out"),
    flag("patience", "early-stopping.patience", "EPOCHS", "Stop when the held-out loss has not fallen for so long; 0: never"),
    flag("seed", "seed", "N", "Key of everything random"),
];

/// Entries of the settings given on the command line: path and value as written.
#[derive(Debug, Clone, Default)]
struct Choices(Vec<(String, String)>);

impl Args for Choices {
    fn augment_args(command: Command) -> Command {
        let command = command.next_help_heading("Settings");
        let command = FLAGS.iter().fold(command, |command, flag| {
            command.arg(Arg::new(flag.name).long(flag.name).value_name(flag.value).help(flag.help).allow_hyphen_values(true))
        });
        let set = Arg::new("set").long("set").value_name("KEY=VALUE").action(clap::ArgAction::Append);
        command.arg(set.help("Any entry of the settings, such as optimizer.kind=sgd (repeatable)"))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Choices {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut choices = Self::default();
        choices.update_from_arg_matches(matches)?;
        Ok(choices)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        for flag in FLAGS {
            self.0.extend(matches.get_one::<String>(flag.name).map(|value| (flag.path.to_string(), value.clone())));
        }
        for entry in matches.get_many::<String>("set").into_iter().flatten() {
            let (path, value) = entry.split_once('=').ok_or_else(|| {
                let what = format!("--set {entry}: expected KEY=VALUE, such as optimizer.kind=sgd\n");
                clap::Error::raw(clap::error::ErrorKind::ValueValidation, what)
            })?;
            self.0.push((path.into(), value.into()));
        }
        Ok(())
    }
}

/// The verb.
pub fn run(arguments: &Arguments) -> Outcome {
    let console = Console::new(&arguments.talk);
    arguments.threads.start()?;
    let settings = settings(arguments)?;
    let data = read(arguments, &settings)?;
    console.note(&format!("{} rows of shape {:?}", data.rows(), data.shape));
    if let Some(draws) = arguments.compare_gradients {
        return compare(arguments, &settings, &data, draws, console);
    }
    let progress = Progress::new(console, "steps");
    let tell = |step: u64, steps: u64, loss: f64| {
        progress.at(step as usize, steps as usize);
        progress.say(&format!("loss {loss:.4}"));
    };
    let options = training::Options { restart: arguments.restart, checkpoint_every: arguments.checkpoint_every };
    let outcome = training::train(&arguments.out, &settings, &data, options, &tell)?;
    drop(progress);
    if let Some(step) = outcome.resumed_at {
        console.note(&format!("went on from the checkpoint at step {step}"));
    }
    if outcome.stopped_early {
        console.note(&format!("stopped after {} steps: the held-out loss did not fall any more", outcome.steps));
    }
    if let Some((loss, terms)) = &outcome.held_out {
        let terms: Vec<String> = terms.iter().map(|(name, value)| format!("{name} {value:.4}")).collect();
        console.note(&format!("held-out loss {loss:.4} ({})", terms.join(", ")));
    }
    let files: Vec<String> = outcome.files.iter().map(|path| plain(&path.display().to_string())).collect();
    console.data(&(files.join("\n") + "\n"))
}

/// The estimators of a gradient side by side.
fn compare(arguments: &Arguments, settings: &Settings, data: &Data, draws: usize, console: Console) -> Outcome {
    let (step, blocks) = training::compare_gradients(&arguments.out, settings, data, draws)?;
    console.note(&format!("one batch of {} at step {step}, {draws} draws", settings.batch));
    let heading = ["parameters", "‖mean‖", "variance", "± s.e.", "‖mean‖, score", "variance, score", "± s.e.", "ratio"];
    let mut table = Table::new(&heading);
    for Comparison { block, reparametrised, score } in &blocks {
        let of = |scatter: &Scatter| [scatter.norm(), scatter.variance, scatter.error].map(|x| format!("{x:.3e}"));
        let ([norm, variance, error], [score_norm, score_variance, score_error]) = (of(reparametrised), of(score));
        let ratio = format!("{:.1}", score.variance / reparametrised.variance);
        table.row([block.clone(), norm, variance, error, score_norm, score_variance, score_error, ratio]);
    }
    console.data(&table.render(console))
}

/// The settings: those of the file, and what the command line puts on top.
fn settings(arguments: &Arguments) -> Outcome<Settings> {
    let mut table = match &arguments.settings {
        None => toml::Table::new(),
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|source| Error::Io { action: "read", path: path.clone(), source })?;
            text.parse().map_err(|e| Failure::usage(format!("{}: {e}", path.display()), "settings are TOML, as a training writes them"))?
        }
    };
    if let Some(family) = &arguments.family {
        set(&mut table, "model.family", Value::String(family.clone()))?;
    }
    for (path, text) in &arguments.choices.0 {
        set(&mut table, path, value(path, text))?;
    }
    if table.get("model").and_then(|model| model.get("family")).is_none() {
        return Err(Failure::usage("no model was named", format!("say which: latlas train {}", Spec::FAMILIES.join("|"))));
    }
    let settings = Value::Table(table).try_into::<Settings>();
    settings.map_err(|e| {
        Failure::usage(format!("settings: {}", e.message()), "latlas train --help lists options, docs/training.md all entries")
    })
}

/// A value as it was written: TOML where it reads as that, a list for what is one, else text.
fn value(path: &str, text: &str) -> Value {
    let parse = |text: &str| format!("x = {text}").parse::<toml::Table>().ok().and_then(|mut table| table.remove("x"));
    let is_list = ["hidden", "channels", "discriminator"].iter().any(|list| path.ends_with(list));
    if is_list && !text.starts_with('[') {
        let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
        return Value::Array(items.map(|item| parse(item).unwrap_or_else(|| Value::String(item.into()))).collect());
    }
    // Whole numbers are numbers where a fraction is expected too.
    parse(text).unwrap_or_else(|| Value::String(text.into()))
}

/// Sets an entry by its path.
fn set(table: &mut toml::Table, path: &str, value: Value) -> Outcome {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    match rest {
        None => _ = table.insert(first.into(), value),
        Some(rest) => {
            let entry = table.entry(first).or_insert_with(|| Value::Table(toml::Table::new()));
            let Value::Table(inner) = entry else {
                return Err(Failure::usage(
                    format!("{path}: {first:?} is a value and has no entries"),
                    "docs/training.md lists all entries",
                ));
            };
            set(inner, rest, value)?;
        }
    }
    Ok(())
}

/// Reads the data in the shape that the model sees.
fn read(arguments: &Arguments, settings: &Settings) -> Outcome<Data> {
    let table = data::read(&arguments.data)?;
    let dims = table.values.shape().to_vec();
    let [n, item @ ..] = &dims[..] else {
        return Err(Failure::usage("the data is a single number", "give rows [n, D]"));
    };
    let mut shape = item.to_vec();
    if let Some(text) = &arguments.shape {
        let parsed: Option<Vec<usize>> = text.split(['x', '×']).map(|side| side.parse().ok()).collect();
        shape = parsed.ok_or_else(|| Failure::usage(format!("--shape {text}: expected numbers such as 1x28x28"), "channels come first"))?;
    } else if shape.is_empty() {
        shape = vec![1];
    }
    if settings.model.model().takes_pictures() && shape.len() == 2 {
        shape.insert(0, 1);
    }
    if shape.iter().product::<usize>() != item.iter().product::<usize>() {
        return Err(Failure::usage(
            format!(
                "--shape {shape:?} has {} values, a sample of the data {}",
                shape.iter().product::<usize>(),
                item.iter().product::<usize>()
            ),
            "channels come first: CxHxW",
        ));
    }
    let rows = data::finite_rows(&table, "the model learns from", None)?;
    let values = rows.iter().map(|&x| x as f32).collect();
    let labels = arguments.labels.as_ref().map(|spec| labels(spec, *n)).transpose()?;
    Ok(Data { values, shape, labels })
}

fn labels(spec: &str, n: usize) -> Outcome<Vec<usize>> {
    let table = data::read(spec)?;
    if table.values.len() != n {
        return Err(Failure::usage(format!("{n} rows of data, {} labels", table.values.len()), "give one label for each row"));
    }
    let classes: Option<Vec<usize>> =
        classes(&table)?.into_iter().map(|class| usize::try_from(class).ok().filter(|k| *k < 65_536)).collect();
    classes.ok_or_else(|| Failure::usage(format!("{spec}: labels must be whole numbers from 0 on"), "number the classes 0, 1, 2 …"))
}
