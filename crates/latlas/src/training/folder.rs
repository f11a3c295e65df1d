//! A training in a folder: settings, log, checkpoint and the model's files.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use latlas_graph::Graph;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::checkpoint::{load, save};
use super::{Comparison, Data, Evaluation, Settings, Trainer, compare_estimators};
use crate::data::write_whole;
use crate::error::{Error, Result};
use crate::models::zoo::{Model, Parameters, Parts};

/// Time between two checkpoints, if not told otherwise.
const BETWEEN: Duration = Duration::from_secs(10);

/// The prior of a model whose latents are not N(0, I), beside its decoder.
pub const PRIOR: &str = "prior.json";

/// How a training ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The files of the model.
    pub files: Vec<PathBuf>,
    /// Steps done.
    pub steps: u64,
    /// Whether it stopped before the last epoch.
    pub stopped_early: bool,
    /// The loss of what is saved on held-out rows, and its terms by name.
    pub held_out: Option<(f64, Vec<(&'static str, f64)>)>,
    /// The step at which it went on from a checkpoint.
    pub resumed_at: Option<u64>,
}

/// What happens on the way.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Forget a checkpoint that is there.
    pub restart: bool,
    /// Steps between checkpoints; 0: every ten seconds. It changes no bit of the result.
    pub checkpoint_every: u64,
}

/// Trains a model into a folder: `settings.toml`, `log.jsonl` (one line an epoch), `checkpoint.safetensors`, the model's ONNX
/// files, and [`PRIOR`] where a prior was fitted. If a checkpoint of the same training is there, it goes on from it.
///
/// `tell` is given the step, the number of steps and the loss.
///
/// # Errors
/// Settings out of range, data that do not fit, a training that diverges, a folder that holds another training, files that
/// cannot be written.
pub fn train(folder: &Path, settings: &Settings, data: &Data, options: Options, tell: &dyn Fn(u64, u64, f64)) -> Result<Outcome> {
    std::fs::create_dir_all(folder).map_err(|source| Error::Io { action: "create", path: folder.into(), source })?;
    let identity = identity(settings, data);
    let mut trainer = Trainer::new(settings, data)?;
    let (checkpoint, log_path) = (folder.join("checkpoint.safetensors"), folder.join("log.jsonl"));
    if options.restart {
        remove(&checkpoint)?;
    }
    let resumed = load(&checkpoint, &mut trainer, &identity)?;
    let text = toml::to_string(settings).map_err(|e| Error::State { what: format!("settings cannot be written: {e}"), hint: None })?;
    write_whole(&folder.join("settings.toml"), text.as_bytes())?;
    let mut log = Log::open(&log_path, resumed.unwrap_or(0))?;
    let resumed_at = resumed.map(|_| trainer.progress.step);

    let (steps, per_epoch) = (trainer.steps(), trainer.steps_per_epoch());
    let mut last = Instant::now();
    let mut stopped = trainer.has_stopped();
    while trainer.progress.step < steps && !stopped {
        let step = trainer.step()?;
        tell(step.step, steps, step.training.loss);
        trainer.progress.add(&step.training);
        if step.step.is_multiple_of(per_epoch) {
            let held_out = trainer.evaluate(&trainer.to_be_saved())?;
            stopped = trainer.end_epoch(held_out.as_ref());
            let names = trainer.terms();
            let mean = trainer.progress.take_mean(per_epoch);
            log.line(&json!({
                "epoch": step.step / per_epoch,
                "step": step.step,
                "learning-rate": step.rate,
                "training": line(&names, &mean),
                "held-out": held_out.as_ref().map(|e| line(&names, e)),
            }))?;
        }
        let due = if options.checkpoint_every > 0 { step.step.is_multiple_of(options.checkpoint_every) } else { last.elapsed() > BETWEEN };
        if due || stopped || step.step == steps {
            log.sync()?;
            save(&checkpoint, &trainer, &identity, log.length)?;
            last = Instant::now();
        }
    }
    let mut parameters = trainer.finished();
    let held_out = trainer.evaluate(&parameters)?;
    let names = trainer.terms();
    let mut files = write_files(folder, settings, &mut parameters, &data.shape)?;
    let prior_path = folder.join(PRIOR);
    if let Some(json) = trainer.prior(&mut parameters)?.and_then(|prior| prior.to_json()) {
        write_whole(&prior_path, json.as_bytes())?;
        files.push(prior_path);
    } else {
        // That of a training that was here before belongs to another model.
        remove(&prior_path)?;
    }
    Ok(Outcome {
        files,
        steps: trainer.progress.step,
        stopped_early: trainer.progress.step < steps,
        held_out: held_out.map(|e| (e.loss, names.into_iter().zip(e.terms).collect())),
        resumed_at,
    })
}

/// The estimators of a VAE's gradient side by side where a training in a folder stands, or at its start: the step, and every block of
/// parameters. Nothing is trained or written.
///
/// # Errors
/// A folder that holds another training, and those of [`compare_estimators`].
pub fn compare_gradients(folder: &Path, settings: &Settings, data: &Data, draws: usize) -> Result<(u64, Vec<Comparison>)> {
    let mut trainer = Trainer::new(settings, data)?;
    load(&folder.join("checkpoint.safetensors"), &mut trainer, &identity(settings, data))?;
    let compared = compare_estimators(settings, data, &mut trainer.parameters, draws)?;
    Ok((trainer.progress.step, compared))
}

/// Removes a file that may be there.
fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(Error::Io { action: "remove", path: path.into(), source }),
        _ => Ok(()),
    }
}

/// The ONNX files of a model with these parameters.
pub fn write_files(folder: &Path, settings: &Settings, parameters: &mut Parameters, shape: &[usize]) -> Result<Vec<PathBuf>> {
    let model = settings.model.model();
    let mut files = vec![];
    for name in model.files() {
        let graph = file_graph(model, name, parameters, shape)?;
        let path = folder.join(format!("{name}.onnx"));
        write_whole(&path, &latlas_graph::onnx::save(&graph)?)?;
        files.push(path);
    }
    Ok(files)
}

/// One of the files of a model with these parameters, as a graph.
///
/// # Errors
/// Those of the model.
pub fn file_graph(model: &dyn Model, name: &str, parameters: &mut Parameters, shape: &[usize]) -> Result<Graph> {
    let mut p = Parts::file(parameters);
    let outputs = model.file(name, &mut p, shape)?;
    Ok(p.finish(outputs).0)
}

/// A digest of all that decides a training.
fn identity(settings: &Settings, data: &Data) -> String {
    let mut digest = Sha256::new();
    digest.update(serde_json::to_string(settings).unwrap_or_default());
    digest.update(format!("{:?}", data.shape));
    data.values.iter().for_each(|x| digest.update(x.to_le_bytes()));
    data.labels.iter().flatten().for_each(|&label| digest.update((label as u64).to_le_bytes()));
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn line(names: &[&'static str], evaluation: &Evaluation) -> Value {
    let mut map = Map::from_iter([("loss".to_string(), json!(evaluation.loss))]);
    map.extend(names.iter().zip(&evaluation.terms).map(|(name, &value)| ((*name).to_string(), json!(value))));
    Value::Object(map)
}

/// The log: JSON, a line at a time.
struct Log {
    path: PathBuf,
    file: File,
    length: u64,
}

impl Log {
    /// Opens a log and forgets what lies behind `length`: it was written after the checkpoint.
    fn open(path: &Path, length: u64) -> Result<Self> {
        let fail = |source| Error::Io { action: "write", path: path.into(), source };
        let file = OpenOptions::new().create(true).append(true).open(path).map_err(fail)?;
        let there = file.metadata().map_err(fail)?.len();
        let length = length.min(there);
        file.set_len(length).map_err(fail)?;
        Ok(Self { path: path.into(), file, length })
    }

    fn line(&mut self, value: &Value) -> Result<()> {
        let text = format!("{value}\n");
        self.file.write_all(text.as_bytes()).map_err(|source| Error::Io { action: "write", path: self.path.clone(), source })?;
        self.length += text.len() as u64;
        Ok(())
    }

    fn sync(&self) -> Result<()> {
        self.file.sync_data().map_err(|source| Error::Io { action: "write", path: self.path.clone(), source })
    }
}
