//! A run that is done in parts and kept in files: one state over everything, or one for each class.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Class, ClassWeights, join, no_classes, weights};
use crate::data::write_whole;
use crate::error::{Error, Result};
use crate::report::Report;
use crate::run::file::{Sealed, damaged, read};
use crate::run::{Inputs, Settings, Shard, State};

/// A run that can be cut into shards, kept, resumed and merged.
pub struct Run {
    /// One over everything, or one for each class.
    states: Vec<State>,
    classes: Option<Classes>,
}

/// What is told apart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Classes {
    /// Of the whole run; each class has one of its own.
    seed: u64,
    /// Name and weight.
    labels: Vec<(String, f64)>,
}

#[derive(Serialize, Deserialize)]
struct Payload {
    classes: Classes,
    states: Vec<Vec<u8>>,
}

/// The form of a file with a state for each class.
const SEALED: Sealed = Sealed { magic: *b"LATLASCL", schema: 1 };

impl Run {
    /// A shard before its first sample; with weights, class by class.
    ///
    /// # Errors
    /// Those of [`State::begin`]; inputs without classes where they are to be told apart.
    pub fn begin(ids: &[String], inputs: &Inputs, settings: &Settings, by_class: Option<ClassWeights>, shard: Shard) -> Result<Self> {
        let Some(by_class) = by_class else {
            return Ok(Self { states: vec![State::begin(ids, inputs, settings, shard)?], classes: None });
        };
        let classes = inputs.classes(settings)?;
        let states = classes.iter().map(|class| State::begin(ids, &class.inputs, &class.settings, shard)).collect::<Result<_>>()?;
        let labels = classes.iter().map(|class| class.name.clone()).zip(weights(&classes, by_class)).collect();
        Ok(Self { states, classes: Some(Classes { seed: settings.seed, labels }) })
    }

    /// Does what is left of its shards, and keeps it in `file` now and then; classes are kept one by one.
    ///
    /// # Errors
    /// Other inputs or settings than it began with; what goes wrong in the model or with the file.
    pub fn advance(&mut self, inputs: &Inputs, settings: &Settings, progress: &dyn Fn(usize, usize), file: Option<&Path>) -> Result<()> {
        if self.classes.is_none() {
            let checkpoint = |state: &State| file.map_or(Ok(()), |path| state.save(path));
            return self.states.iter_mut().try_for_each(|state| state.advance(inputs, progress, &checkpoint));
        }
        let classes: Vec<Class> = inputs.classes(settings)?;
        let k = classes.len();
        for (c, class) in classes.iter().enumerate().take(self.states.len()) {
            self.states[c].advance(&class.inputs, &|done, all| progress(c * all + done, k * all), &|_| Ok(()))?;
            if let Some(path) = file {
                self.save(path)?;
            }
        }
        Ok(())
    }

    /// The saved run in place of this one, which has only begun, to go on with.
    ///
    /// # Errors
    /// Another model, setting, version, shard or other classes.
    pub fn resume(self, saved: Self) -> Result<Self> {
        self.check_same_classes(&saved)?;
        let states = self.states.into_iter().zip(saved.states).map(|(state, saved)| state.resume(saved)).collect::<Result<_>>()?;
        Ok(Self { states, classes: self.classes })
    }

    /// Adds other shards of the same run.
    ///
    /// # Errors
    /// Another model, setting or version, other classes, or a shard that is there already.
    pub fn merge(&mut self, other: Self) -> Result<()> {
        self.check_same_classes(&other)?;
        self.states.iter_mut().zip(other.states).try_for_each(|(state, other)| state.merge(other))
    }

    fn check_same_classes(&self, other: &Self) -> Result<()> {
        if self.classes == other.classes && self.states.len() == other.states.len() {
            return Ok(());
        }
        Err(Error::State {
            what: "the states belong to different runs: the classes or their weights differ".into(),
            hint: Some("run all shards with the same command but for --shard and --state".into()),
        })
    }

    /// The shards that are missing or not finished, from 0.
    pub fn missing(&self) -> Vec<usize> {
        let missing: Vec<Vec<usize>> = self.states.iter().map(State::missing).collect();
        (0..self.shards()).filter(|shard| missing.iter().any(|of_class| of_class.contains(shard))).collect()
    }

    /// The number of shards of the run.
    pub fn shards(&self) -> usize {
        self.states.first().map_or(0, State::shards)
    }

    /// The report of the whole run.
    ///
    /// # Errors
    /// Missing shards, or what [`super::super::run`] says of the samples.
    pub fn finish(self) -> Result<Report> {
        self.report(State::finish)
    }

    /// The report of the shards that are there.
    ///
    /// # Errors
    /// What [`super::super::run`] says of the samples.
    pub fn finish_partial(self) -> Result<Report> {
        self.report(State::finish_partial)
    }

    fn report(self, finish: fn(State) -> Result<Report>) -> Result<Report> {
        let mut reports = self.states.into_iter().map(finish);
        let Some(Classes { seed, labels }) = self.classes else { return reports.next().ok_or_else(no_classes)? };
        let parts =
            reports.zip(&labels).map(|(report, (name, weight))| Ok((name.as_str(), *weight, report?))).collect::<Result<Vec<_>>>()?;
        join::reports(&parts, seed).ok_or_else(no_classes)
    }

    /// Writes it to a file; the file appears whole or not at all.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        write_whole(path, &self.to_bytes()?)
    }

    /// Reads it from a file.
    ///
    /// # Errors
    /// A file that cannot be read, is too large, damaged, or of another version.
    pub fn load(path: &Path) -> Result<Self> {
        read(path, Self::from_bytes)
    }

    /// As bytes: those of the state itself where no classes are told apart.
    ///
    /// # Errors
    /// A state that cannot be written down.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let states = self.states.iter().map(State::to_bytes).collect::<Result<Vec<_>>>()?;
        match (&self.classes, &states[..]) {
            (Some(classes), _) => SEALED.close(&Payload { classes: classes.clone(), states }),
            (None, _) => Ok(states.concat()),
        }
    }

    /// From bytes, which are not trusted.
    ///
    /// # Errors
    /// Bytes that are too many, damaged, or of another version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        if !SEALED.is_of(bytes) {
            return Ok(Self { states: vec![State::from_bytes(bytes)?], classes: None });
        }
        let Payload { classes, states } = SEALED.open(bytes)?;
        let weights: f64 = classes.labels.iter().map(|(_, weight)| weight).sum();
        let sound = classes.labels.iter().all(|(_, weight)| (0.0..=1.0).contains(weight)) && (weights - 1.0).abs() < 1e-9;
        if states.len() != classes.labels.len() || !sound {
            return Err(damaged("its classes are out of range"));
        }
        let states = states.iter().map(|state| State::from_bytes(state)).collect::<Result<Vec<_>>>()?;
        if states.iter().any(|state| state.shards() != states[0].shards()) {
            return Err(damaged("its classes are cut into different shards"));
        }
        Ok(Self { states, classes: Some(classes) })
    }
}
