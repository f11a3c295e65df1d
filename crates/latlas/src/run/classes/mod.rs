//! Classes one by one: every class is a run of its own, and the report joins them.
//!
//! ```text
//! value = Σ_c w_c value_c,   standard error = √(Σ_c w_c² standard error_c²)
//! ```
//!
//! Classes are the distinct rows of the condition of a conditional decoder, the labels of the data, or the components of a
//! mixture prior, whichever comes first. Given its class everything is conditional on it: a component of a mixture is a
//! diagonal prior, with a prior term in closed form and no prior part. Weights are equal, or the shares of the classes.

mod join;
mod states;

use std::collections::BTreeMap;

use ndarray::{Array2, Axis};

pub use states::Run;

use super::{Inputs, Settings, run};
use crate::error::{Error, Result};
use crate::random::{Purpose, hash};
use crate::report::Report;
use crate::samples::Prior;
use crate::settings::Sampling;

/// How much each class counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClassWeights {
    /// 1/K.
    #[default]
    Equal,
    /// Its share of the rows or of the mixture.
    Frequency,
}

/// A class and what a run over it alone takes.
struct Class {
    name: String,
    share: f64,
    inputs: Inputs,
    settings: Settings,
}

/// Most classes of one run.
const MOST: usize = 1000;

/// Runs every class by itself and joins their reports.
///
/// # Errors
/// Inputs without classes, and those of [`run`].
pub fn run_by_class(
    ids: &[String],
    inputs: &Inputs,
    settings: &Settings,
    weights: ClassWeights,
    progress: &dyn Fn(usize, usize),
) -> Result<Report> {
    let classes = inputs.classes(settings)?;
    let (k, weights) = (classes.len(), self::weights(&classes, weights));
    let mut parts = Vec::new();
    for (c, (class, weight)) in classes.iter().zip(weights).enumerate() {
        let report = run(ids, &class.inputs, &class.settings, &|done, all| progress(c * all + done, k * all))?;
        parts.push((class.name.as_str(), weight, report));
    }
    join::reports(&parts, settings.seed).ok_or_else(no_classes)
}

/// What each class counts; they sum to 1.
fn weights(classes: &[Class], weights: ClassWeights) -> Vec<f64> {
    let total: f64 = classes.iter().map(|class| class.share).sum();
    let weight = |class: &Class| if weights == ClassWeights::Equal { 1.0 / classes.len() as f64 } else { class.share / total };
    classes.iter().map(weight).collect()
}

fn no_classes() -> Error {
    Error::Input {
        what: "there are no classes to tell apart".into(),
        hint: Some("give --condition with a row for each class, --labels with --sampling data, or a mixture as --prior".into()),
    }
}

impl Inputs {
    /// The classes of a run, each with its part of the inputs and of the samples, and random streams of its own.
    fn classes(&self, settings: &Settings) -> Result<Vec<Class>> {
        let mut classes = self.split(settings)?;
        let k = classes.len();
        if k > MOST {
            let what = format!("{k} classes, more than {MOST}: is every row a class of its own?");
            return Err(Error::Input { what, hint: Some("leave --conditioning out".into()) });
        }
        for (c, class) in classes.iter_mut().enumerate() {
            class.settings.seed = hash(settings.seed, Purpose::Classes, c as u64);
            class.settings.samples = settings.samples.div_ceil(k);
        }
        if classes.is_empty() { Err(no_classes()) } else { Ok(classes) }
    }

    fn split(&self, settings: &Settings) -> Result<Vec<Class>> {
        let by_data = settings.sampling == Sampling::Data;
        let conditional = self.decoder.as_ref().is_none_or(|decoder| decoder.condition_dim().is_some());
        if let Some(condition) = self.condition.as_ref().filter(|_| conditional) {
            let mut groups: BTreeMap<Vec<u64>, Vec<usize>> = BTreeMap::new();
            for (row, values) in condition.outer_iter().enumerate() {
                groups.entry(values.iter().map(|x| x.to_bits()).collect()).or_default().push(row);
            }
            // In the order in which they come first.
            let mut groups: Vec<Vec<usize>> = groups.into_values().collect();
            groups.sort_by_key(|rows| rows[0]);
            return groups.iter().enumerate().map(|(c, rows)| self.class(class_name(condition, rows[0], c), rows, settings)).collect();
        }
        if let (true, Some(labels)) = (by_data, &self.labels) {
            let mut groups: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
            labels.iter().enumerate().for_each(|(row, label)| groups.entry(*label).or_default().push(row));
            return groups.iter().map(|(label, rows)| self.class(label.to_string(), rows, settings)).collect();
        }
        match (&self.prior, &self.latents, &self.jacobians, by_data) {
            (Prior::Mixture { weights, means, stds }, None, None, false) => {
                let component = |k: usize| {
                    let prior = Prior::Diagonal { mean: means[k].clone(), std: stds[k].clone() };
                    let codes = super::CodeInputs { is_off: true, ..self.codes.clone() };
                    Class {
                        name: k.to_string(),
                        share: weights[k],
                        inputs: Self { prior, codes, ..self.clone() },
                        settings: settings.clone(),
                    }
                };
                Ok((0..weights.len()).filter(|k| weights[*k] > 0.0).map(component).collect())
            }
            _ => Err(no_classes()),
        }
    }

    /// One class: some rows of everything that has a row for each sample.
    fn class(&self, name: String, rows: &[usize], settings: &Settings) -> Result<Class> {
        let within = |n: usize| match rows.iter().max().map_or(0, |row| row + 1) {
            needed if needed > n => Err(Error::Shape { what: format!("{n} rows, and classes are told for {needed}"), hint: None }),
            _ => Ok(()),
        };
        let pick = |array: &Option<Array2<f64>>| -> Result<Option<Array2<f64>>> {
            let Some(array) = array else { return Ok(None) };
            within(array.nrows())?;
            Ok(Some(array.select(Axis(0), rows)))
        };
        let mut inputs = self.clone();
        // A class of its own leaves no factors to tell apart.
        inputs.codes.is_off = true;
        if self.latents.is_some() {
            inputs.latents = pick(&self.latents)?;
        }
        if let Some(given) = &self.jacobians {
            within(given.values.dim().0)?;
            inputs.jacobians = Some(given.select(rows));
        }
        if settings.sampling == Sampling::Data {
            inputs.data = pick(&self.data)?;
            inputs.labels = self.labels.as_ref().map(|labels| rows.iter().filter_map(|row| labels.get(*row)).copied().collect());
        }
        inputs.condition = match &self.condition {
            // All rows of a class have one condition.
            Some(condition) if condition.nrows() > 1 => Some(condition.select(Axis(0), &rows[..1])),
            other => other.clone(),
        };
        Ok(Class { name, share: rows.len() as f64, inputs, settings: settings.clone() })
    }
}

/// The place of the 1 in a one-hot row, a lone number, or the class's own number.
fn class_name(condition: &Array2<f64>, row: usize, number: usize) -> String {
    let values = condition.row(row);
    let ones: Vec<usize> = (0..values.len()).filter(|i| values[*i] == 1.0).collect();
    match (values.len(), &ones[..]) {
        (1, _) => values[0].to_string(),
        (_, [place]) if values.iter().filter(|x| **x != 0.0).count() == 1 => place.to_string(),
        _ => number.to_string(),
    }
}
