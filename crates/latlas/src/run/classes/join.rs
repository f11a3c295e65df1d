//! The reports of classes as one: weighted means with the errors that belong to them.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::estimate::{Estimate, Invariant, Value};
use crate::estimators::number;
use crate::report::Report;
use crate::report::extra::number as read;
use crate::special_functions::student_quantile;

/// Name and weight of a class, and what it gave by itself.
pub type Part<'a> = (&'a str, f64, Report);

/// The report of all classes together; `None` without any.
pub fn reports(parts: &[Part<'_>], seed: u64) -> Option<Report> {
    let (_, _, first) = parts.first()?;
    let mut joined = first.clone();
    let samples: u64 = parts.iter().filter_map(|(_, _, report)| report.settings.get("samples")?.as_u64()).sum();
    joined.settings.insert("seed".into(), json!(seed));
    joined.settings.insert("samples".into(), json!(samples));
    joined.settings.insert("conditioning".into(), json!("per-class"));
    joined.settings.insert("classes".into(), parts.iter().map(|(name, weight, _)| json!({ "class": name, "weight": weight })).collect());
    let of = |id: &str| -> Option<Vec<_>> { parts.iter().map(|(name, w, report)| Some((*name, *w, report.estimate(id)?))).collect() };
    joined.estimates = first.estimates.iter().filter_map(|estimate| join(&of(&estimate.id)?)).collect();
    joined.invariants = Invariant::worst(parts.iter().flat_map(|(_, _, report)| &report.invariants));
    Some(joined)
}

/// What of `extra` is a mean over samples, like the value itself.
const MEANS: [&str; 10] =
    ["geometric", "prior_part", "per_dim", "coherence", "live_columns", "mean_decoded", "h_core", "h_detail", "native", "chain"];

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
        let error = format!("{key}_standard_error");
        if let Some(mean) = mean(&|e| Some(numbers(e.extra.get(&error)?)), 2) {
            extra.insert(error, to_json(&mean));
        }
    }
    // What all classes have in common holds for them together.
    for (key, json) in &first.extra {
        if !extra.contains_key(key) && parts.iter().all(|part| part.2.extra.get(key) == Some(json)) {
            extra.insert(key.clone(), json.clone());
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
