//! Classes one by one: every class is a run of its own, and the report joins them.
//!
//! ```text
//! value = Σ_c w_c value_c,   standard error = √(Σ_c w_c² standard error_c²)
//! ```
//!
//! Classes are the distinct rows of the condition of a conditional decoder, the labels of the data, or the components of a
//! mixture prior, whichever comes first. Given its class everything is conditional on it: a component of a mixture is a
//! diagonal prior, with a prior term in closed form and no prior part. Weights are equal, or the shares of the classes.

use std::collections::BTreeMap;

use ndarray::{Array2, Axis};
use serde_json::{Value as Json, json};

use super::{Inputs, Settings, run};
use crate::error::{Error, Result};
use crate::estimate::{Estimate, Invariant, Value};
use crate::estimators::number;
use crate::random::{Purpose, hash};
use crate::report::Report;
use crate::report::extra::number as read;
use crate::samples::Prior;
use crate::settings::Sampling;
use crate::special_functions::student_quantile;

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
    let k = classes.len();
    if k > MOST {
        let what = format!("{k} classes, more than {MOST}: is every row a class of its own?");
        return Err(Error::Input { what, hint: Some("leave --conditioning out".into()) });
    }
    let total: f64 = classes.iter().map(|class| class.share).sum();
    let mut reports = Vec::new();
    for (c, class) in classes.iter().enumerate() {
        let settings =
            Settings { seed: hash(settings.seed, Purpose::Classes, c as u64), samples: settings.samples.div_ceil(k), ..settings.clone() };
        let report = run(ids, &class.inputs, &settings, &|done, all| progress(c * all + done, k * all))?;
        let weight = if weights == ClassWeights::Equal { 1.0 / k as f64 } else { class.share / total };
        reports.push((class.name.as_str(), weight, report));
    }
    let Some((_, _, first)) = reports.first() else { return Err(no_classes()) };
    let mut joined = first.clone();
    joined.settings.insert("seed".into(), json!(settings.seed));
    joined
        .settings
        .insert("samples".into(), json!(reports.iter().filter_map(|(_, _, r)| r.settings.get("samples")?.as_u64()).sum::<u64>()));
    joined.settings.insert("conditioning".into(), json!("per-class"));
    joined.settings.insert("classes".into(), reports.iter().map(|(name, weight, _)| json!({ "class": name, "weight": weight })).collect());
    joined.estimates = first
        .estimates
        .iter()
        .filter_map(|estimate| {
            let parts: Option<Vec<_>> = reports.iter().map(|(name, w, report)| Some((*name, *w, report.estimate(&estimate.id)?))).collect();
            join(&parts?)
        })
        .collect();
    joined.invariants = Invariant::worst(reports.iter().flat_map(|(_, _, report)| &report.invariants));
    Ok(joined)
}

fn no_classes() -> Error {
    Error::Input {
        what: "there are no classes to tell apart".into(),
        hint: Some("give --condition with a row for each class, --labels with --sampling data, or a mixture as --prior".into()),
    }
}

impl Inputs {
    /// The classes of a run, each with its part of the inputs.
    fn classes(&self, settings: &Settings) -> Result<Vec<Class>> {
        let by_data = settings.sampling == Sampling::Data;
        let conditional = self.decoder.as_ref().is_some_and(|decoder| decoder.condition_dim().is_some());
        if let Some(condition) = self.condition.as_ref().filter(|_| conditional) {
            let mut groups: BTreeMap<Vec<u64>, Vec<usize>> = BTreeMap::new();
            for (row, values) in condition.outer_iter().enumerate() {
                groups.entry(values.iter().map(|x| x.to_bits()).collect()).or_default().push(row);
            }
            // In the order in which they come first.
            let mut groups: Vec<Vec<usize>> = groups.into_values().collect();
            groups.sort_by_key(|rows| rows[0]);
            return groups.iter().enumerate().map(|(c, rows)| self.class(class_name(condition, rows[0], c), rows, by_data)).collect();
        }
        if let (true, Some(labels)) = (by_data, &self.labels) {
            let mut groups: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
            labels.iter().enumerate().for_each(|(row, label)| groups.entry(*label).or_default().push(row));
            return groups.iter().map(|(label, rows)| self.class(label.to_string(), rows, true)).collect();
        }
        match (&self.prior, &self.latents, &self.jacobians, by_data) {
            (Prior::Mixture { weights, means, stds }, None, None, false) => {
                let component = |k: usize| {
                    let prior = Prior::Diagonal { mean: means[k].clone(), std: stds[k].clone() };
                    let codes = super::CodeInputs { is_off: true, ..self.codes.clone() };
                    Class { name: k.to_string(), share: weights[k], inputs: Self { prior, codes, ..self.clone() } }
                };
                Ok((0..weights.len()).filter(|k| weights[*k] > 0.0).map(component).collect())
            }
            _ => Err(no_classes()),
        }
    }

    /// One class: some rows of everything that has a row for each sample.
    fn class(&self, name: String, rows: &[usize], by_data: bool) -> Result<Class> {
        let pick = |array: &Option<Array2<f64>>| -> Result<Option<Array2<f64>>> {
            let Some(array) = array else { return Ok(None) };
            if rows.iter().any(|row| *row >= array.nrows()) {
                let (n, needed) = (array.nrows(), rows.iter().max().map_or(0, |row| row + 1));
                return Err(Error::Shape { what: format!("{n} rows, and classes are told for {needed}"), hint: None });
            }
            Ok(Some(array.select(Axis(0), rows)))
        };
        let mut inputs = self.clone();
        // A class of its own leaves no factors to tell apart.
        inputs.codes.is_off = true;
        if self.latents.is_some() {
            inputs.latents = pick(&self.latents)?;
        }
        if by_data {
            inputs.data = pick(&self.data)?;
            inputs.labels = self.labels.as_ref().map(|labels| rows.iter().filter_map(|row| labels.get(*row)).copied().collect());
        }
        inputs.condition = match &self.condition {
            // All rows of a class have one condition.
            Some(condition) if condition.nrows() > 1 => Some(condition.select(Axis(0), &rows[..1])),
            other => other.clone(),
        };
        Ok(Class { name, share: rows.len() as f64, inputs })
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

/// What of `extra` is a mean over samples, like the value itself.
const MEANS: [&str; 5] = ["geometric", "prior_part", "per_dim", "coherence", "live_columns"];

/// The weighted mean of one estimate over classes; `None` where their shapes differ.
fn join(parts: &[(&str, f64, &Estimate)]) -> Option<Estimate> {
    let (_, _, first) = parts.first()?;
    let mean = |of: &dyn Fn(&Estimate) -> Option<Value>, power: i32| -> Option<Value> {
        let values: Vec<(f64, Value)> = parts.iter().map(|(_, w, e)| Some((w.powi(power), of(e)?))).collect::<Option<_>>()?;
        let (weight, start) = values.first()?;
        let square = power == 2;
        let term = |x: f64, w: f64| w * if square { x * x } else { x };
        let mut sum = map(start, &|x| term(x, *weight));
        for (weight, value) in &values[1..] {
            sum = zip(&sum, value, &|a, b| a + term(b, *weight))?;
        }
        Some(if square { map(&sum, &f64::sqrt) } else { sum })
    };
    let value = mean(&|e| Some(e.value.clone()), 1)?;
    let standard_error = mean(&|e| e.standard_error.clone(), 2);
    // Welch and Satterthwaite, with equal shares of the variance for all entries.
    let variance = |(_, w, e): &(&str, f64, &Estimate)| w * w / e.n_used.max(1) as f64;
    let total: f64 = parts.iter().map(variance).sum();
    let freedom = total * total / parts.iter().map(|part| variance(part).powi(2) / (part.2.n_used.max(2) - 1) as f64).sum::<f64>();
    let half = student_quantile(0.5 + 0.5 * first.level, freedom.max(1.0));
    let interval = standard_error
        .as_ref()
        .and_then(|error| Some((zip(&value, error, &|x, e| x - half * e)?, zip(&value, error, &|x, e| x + half * e)?)));
    let mut extra = BTreeMap::new();
    for key in MEANS {
        if let Some(mean) = mean(&|e| Some(numbers(e.extra.get(key)?)), 1) {
            extra.insert(key.to_string(), to_json(&mean));
        }
    }
    for key in ["method", "convention", "columns"] {
        if let Some(json) = first.extra.get(key) {
            extra.insert(key.to_string(), json.clone());
        }
    }
    if let Some(Json::Object(convention)) = extra.get_mut("convention") {
        convention.insert("conditioning".into(), json!("per-class"));
    }
    if let Some(null) = first.extra.get("null").and_then(Json::as_object) {
        let kept: serde_json::Map<String, Json> =
            null.iter().filter(|(key, _)| ["value", "per_dim"].contains(&key.as_str())).map(|(k, v)| (k.clone(), v.clone())).collect();
        extra.insert("null".into(), Json::Object(kept));
    }
    if let (Some(_), Value::Vector(values)) = (first.extra.get("order"), &value) {
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.sort_by(|a, b| values[*b].total_cmp(&values[*a]));
        extra.insert("order".into(), json!(order));
    }
    let of_class = |(name, weight, estimate): &(&str, f64, &Estimate)| {
        let mut object = json!({
            "class": name, "weight": weight, "n_used": estimate.n_used, "value": to_json(&estimate.value),
            "standard_error": estimate.standard_error.as_ref().map(to_json),
        });
        for key in MEANS {
            if let (Some(json), Some(object)) = (estimate.extra.get(key), object.as_object_mut()) {
                object.insert(key.into(), json.clone());
            }
        }
        object
    };
    extra.insert("classes".into(), parts.iter().map(of_class).collect());
    let mut joined = (*first).clone();
    (joined.value, joined.standard_error, joined.interval, joined.extra) = (value, standard_error, interval, extra);
    (joined.n_used, joined.n_seen) = (parts.iter().map(|p| p.2.n_used).sum(), parts.iter().map(|p| p.2.n_seen).sum());
    for (_, _, estimate) in &parts[1..] {
        for (reason, n) in &estimate.dropped {
            *joined.dropped.entry(reason.clone()).or_default() += n;
        }
        joined.adopt(&estimate.caveats);
    }
    Some(joined)
}

fn map(value: &Value, of: &dyn Fn(f64) -> f64) -> Value {
    match value {
        Value::Scalar(x) => Value::Scalar(of(*x)),
        Value::Vector(x) => Value::Vector(x.iter().map(|x| of(*x)).collect()),
        Value::Matrix(rows) => Value::Matrix(rows.iter().map(|row| row.iter().map(|x| of(*x)).collect()).collect()),
    }
}

fn zip(a: &Value, b: &Value, of: &dyn Fn(f64, f64) -> f64) -> Option<Value> {
    let rows = |a: &[f64], b: &[f64]| (a.len() == b.len()).then(|| a.iter().zip(b).map(|(a, b)| of(*a, *b)).collect::<Vec<f64>>());
    Some(match (a, b) {
        (Value::Scalar(a), Value::Scalar(b)) => Value::Scalar(of(*a, *b)),
        (Value::Vector(a), Value::Vector(b)) => Value::Vector(rows(a, b)?),
        (Value::Matrix(a), Value::Matrix(b)) if a.len() == b.len() => {
            Value::Matrix(a.iter().zip(b).map(|(a, b)| rows(a, b)).collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

fn to_json(value: &Value) -> Json {
    let list = |x: &[f64]| Json::Array(x.iter().map(|x| number(*x)).collect());
    match value {
        Value::Scalar(x) => number(*x),
        Value::Vector(x) => list(x),
        Value::Matrix(rows) => Json::Array(rows.iter().map(|row| list(row)).collect()),
    }
}

/// A number or a list of numbers of `extra`.
fn numbers(json: &Json) -> Value {
    match json {
        Json::Array(items) => Value::Vector(items.iter().map(read).collect()),
        other => Value::Scalar(read(other)),
    }
}
