//! The state of a training as a safetensors file, written so that a kill at any moment leaves a whole one.

use std::collections::HashMap;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};

use super::optimizer::State;
use super::trainer::{Progress, Trainer};
use crate::data::write_whole;
use crate::error::{Error, Result};

/// Key of the metadata that says which training a state belongs to.
const TRAINING: &str = "latlas-training";

/// Bytes of f32 or f64 values, by name.
struct Arrays(Vec<(String, Dtype, Vec<u8>)>);

impl Arrays {
    fn f32(&mut self, name: String, values: &[f32]) {
        self.0.push((name, Dtype::F32, values.iter().flat_map(|x| x.to_le_bytes()).collect()));
    }

    fn f64(&mut self, name: &str, values: &[f64]) {
        self.0.push((name.into(), Dtype::F64, values.iter().flat_map(|x| x.to_le_bytes()).collect()));
    }
}

/// Writes the state of a training; `identity` names its settings and data, `log` is the length of its log.
pub fn save(path: &Path, trainer: &Trainer<'_>, identity: &str, log: u64) -> Result<()> {
    let progress = &trainer.progress;
    let mut arrays = Arrays(vec![]);
    for (i, parameter) in trainer.parameters.list().iter().enumerate() {
        let name = &parameter.name;
        arrays.f32(format!("parameter/{name}"), &parameter.values);
        arrays.f32(format!("first/{name}"), &progress.optimizer[i].first);
        arrays.f32(format!("second/{name}"), &progress.optimizer[i].second);
        if let Some(average) = progress.average.get(i) {
            arrays.f32(format!("average/{name}"), average);
        }
        if let Some((_, best)) = &progress.best {
            arrays.f32(format!("best/{name}"), &best[i]);
        }
    }
    // Counts below 2⁵³ are exact in a double.
    arrays.f64("counts", &[progress.step as f64, progress.since_best as f64, log as f64]);
    arrays.f64("epoch-sums", &progress.epoch_sums);
    if let Some((loss, _)) = &progress.best {
        arrays.f64("best-loss", &[*loss]);
    }
    let damaged = |e: safetensors::SafeTensorError| Error::State { what: format!("cannot write a checkpoint: {e}"), hint: None };
    let views = arrays.0.iter().map(|(name, dtype, bytes)| {
        let size = if *dtype == Dtype::F64 { 8 } else { 4 };
        Ok((name.as_str(), TensorView::new(*dtype, vec![bytes.len() / size], bytes)?))
    });
    let views: Vec<_> = views.collect::<std::result::Result<_, _>>().map_err(damaged)?;
    let metadata = HashMap::from([(TRAINING.to_string(), identity.to_string())]);
    write_whole(path, &serialize(views, Some(metadata)).map_err(damaged)?)
}

/// Brings a training to the state in a file; the length of its log then. `None` where there is no file.
pub fn load(path: &Path, trainer: &mut Trainer<'_>, identity: &str) -> Result<Option<u64>> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(Error::Io { action: "read", path: path.into(), source }),
    };
    let damaged = |what: String| Error::Format {
        path: path.into(),
        what,
        hint: Some("take another folder with -o, or begin again with --restart".into()),
    };
    let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|e| damaged(format!("not a checkpoint: {e}")))?;
    let known = header.metadata().as_ref().and_then(|m| m.get(TRAINING));
    if known.map(String::as_str) != Some(identity) {
        return Err(damaged("the checkpoint belongs to a training with other settings or other data".into()));
    }
    let file = SafeTensors::deserialize(&bytes).map_err(|e| damaged(format!("not a checkpoint: {e}")))?;
    let doubles = |name: &str| -> Option<Vec<f64>> {
        let tensor = file.tensor(name).ok().filter(|t| t.dtype() == Dtype::F64)?;
        Some(tensor.data().as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b)).collect())
    };
    let singles = |name: String| -> Option<Vec<f32>> {
        let tensor = file.tensor(&name).ok().filter(|t| t.dtype() == Dtype::F32)?;
        Some(tensor.data().as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect())
    };
    let missing = || damaged("the checkpoint lacks a part".into());
    let counts = doubles("counts").filter(|c| c.len() == 3).ok_or_else(missing)?;
    let mut progress = Progress { step: counts[0] as u64, since_best: counts[1] as u64, ..Progress::default() };
    progress.epoch_sums = doubles("epoch-sums").ok_or_else(missing)?;
    let (mut average, mut best) = (vec![], vec![]);
    for parameter in trainer.parameters.list_mut() {
        let (name, len) = (&parameter.name, parameter.values.len());
        let whole = |values: Option<Vec<f32>>| values.filter(|v| v.len() == len);
        parameter.values = whole(singles(format!("parameter/{name}"))).ok_or_else(missing)?;
        let moment = |kind: &str| singles(format!("{kind}/{name}")).filter(|v| v.len() == len || v.is_empty());
        progress.optimizer.push(State { first: moment("first").ok_or_else(missing)?, second: moment("second").ok_or_else(missing)? });
        average.extend(whole(singles(format!("average/{name}"))));
        best.extend(whole(singles(format!("best/{name}"))));
    }
    let n = progress.optimizer.len();
    if average.len() == n {
        progress.average = average;
    }
    if let Some(loss) = doubles("best-loss").filter(|_| best.len() == n) {
        progress.best = loss.first().map(|&loss| (loss, best));
    }
    trainer.progress = progress;
    Ok(Some(counts[2] as u64))
}
