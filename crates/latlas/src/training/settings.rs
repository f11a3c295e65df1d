//! What decides a training, beside the data.

use serde::{Deserialize, Serialize};

use super::{Optimizer, Schedule};
use crate::error::{Error, Result};
use crate::models::zoo::Spec;

/// A model and how it is trained; a settings file in TOML holds the same names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// The model.
    pub model: Spec,
    /// Key of everything random.
    #[serde(default)]
    pub seed: u64,
    /// Passes over the data.
    #[serde(default = "epochs")]
    pub epochs: u64,
    /// Samples a step; what is left of an epoch is left out.
    #[serde(default = "batch")]
    pub batch: usize,
    /// Learning rate at the beginning.
    #[serde(default = "rate")]
    pub learning_rate: f64,
    /// How it changes.
    #[serde(default)]
    pub schedule: Schedule,
    /// What gradients do.
    #[serde(default)]
    pub optimizer: Optimizer,
    /// Largest norm of a gradient; longer ones are shortened to it. 0: any.
    #[serde(default)]
    pub clip: f64,
    /// Decay of the exponential moving average of the parameters that is saved in place of the last; 0: none.
    #[serde(default)]
    pub average: f64,
    /// Share of the rows that is held out, to tell how well the model does on others.
    #[serde(default = "held_out")]
    pub held_out: f64,
    /// When to stop before the last epoch; only with held-out rows.
    #[serde(default)]
    pub early_stopping: EarlyStopping,
    /// As many samples of every class in each batch, for labelled data.
    #[serde(default)]
    pub balanced: bool,
    /// Samples that a thread works on at a time; it orders sums and so belongs to the settings.
    #[serde(default = "tile")]
    pub tile: usize,
}

fn epochs() -> u64 {
    20
}
fn batch() -> usize {
    128
}
fn rate() -> f64 {
    1e-3
}
fn held_out() -> f64 {
    0.1
}
fn tile() -> usize {
    64
}

/// Stops when the loss of held-out rows has not fallen for some epochs, and keeps the best parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct EarlyStopping {
    /// Epochs without a lower loss; 0: never stop early.
    pub patience: u64,
}

impl Settings {
    /// The defaults for a model.
    pub fn new(model: Spec) -> Self {
        Self {
            model,
            seed: 0,
            epochs: epochs(),
            batch: batch(),
            learning_rate: rate(),
            schedule: Schedule::Constant,
            optimizer: Optimizer::default(),
            clip: 0.0,
            average: 0.0,
            held_out: held_out(),
            early_stopping: EarlyStopping::default(),
            balanced: false,
            tile: tile(),
        }
    }

    /// Whether every number is in its range.
    ///
    /// # Errors
    /// The first that is not.
    pub fn check(&self) -> Result<()> {
        let positive = |x: f64| x > 0.0 && x.is_finite();
        let share = |x: f64| (0.0..1.0).contains(&x);
        let rules = [
            (self.epochs > 0, "epochs", "at least 1", self.epochs as f64),
            (self.batch > 0, "batch", "at least 1", self.batch as f64),
            (self.tile > 0, "tile", "at least 1", self.tile as f64),
            (positive(self.learning_rate), "learning-rate", "a positive number", self.learning_rate),
            (self.clip >= 0.0 && self.clip.is_finite(), "clip", "a number that is not negative", self.clip),
            (share(self.average), "average", "a decay in [0, 1)", self.average),
            (share(self.held_out), "held-out", "a share in [0, 1)", self.held_out),
        ];
        if let Some((_, name, expected, got)) = rules.iter().find(|rule| !rule.0) {
            return Err(Error::Input { what: format!("{name} is {got}, expected {expected}"), hint: None });
        }
        if self.early_stopping.patience > 0 && self.held_out == 0.0 {
            let what = "early stopping needs held-out rows, and held-out is 0".into();
            return Err(Error::Input { what, hint: Some("hold out a share such as 0.1".into()) });
        }
        Ok(())
    }
}
