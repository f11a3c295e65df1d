//! From a report to its JSON.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::{LARGEST_INLINE, SCHEMA, SideFile, npy};
use crate::estimate::{Estimate, Value};
use crate::report::extra::number;
use crate::report::{InputRecord, Report};

/// The JSON text, ending in a line break, and the files that belong beside it.
pub fn to_json(report: &Report) -> (String, Vec<SideFile>) {
    let mut files = Vec::new();
    let inputs = report.inputs.iter().map(|input| {
        let InputRecord { role, path, sha256, shape } = input;
        json!({ "role": role, "path": without_folder(path), "sha256": sha256, "shape": shape })
    });
    let invariants = report.invariants.iter().map(|law| {
        let mut object = Map::new();
        object.insert("id".into(), law.id.clone().into());
        object.insert("holds".into(), law.holds.into());
        put(&mut object, "worst", "worst_", &[law.worst], Shape::Scalar, "nothing was checked");
        put(&mut object, "tolerance", "tolerance_", &[law.tolerance], Shape::Scalar, "no tolerance");
        Json::Object(object)
    });
    let inputs: Vec<Json> = inputs.collect();
    let invariants: Vec<Json> = invariants.collect();
    let estimates: Vec<Json> = report.estimates.iter().map(|e| estimate_to_json(e, &mut files)).collect();
    let whole = json!({
        "schema": SCHEMA,
        "version": env!("CARGO_PKG_VERSION"),
        "inputs": inputs,
        "settings": report.settings,
        "estimates": estimates,
        "invariants": invariants,
        "citations": report.citations,
    });
    let text = serde_json::to_string_pretty(&sorted(whole)).unwrap_or_default();
    (text + "\n", files)
}

/// Keys in order whatever map serde_json was built with.
fn sorted(json: Json) -> Json {
    match json {
        Json::Object(map) => Json::Object(map.into_iter().map(|(k, v)| (k, sorted(v))).collect::<BTreeMap<_, _>>().into_iter().collect()),
        Json::Array(items) => Json::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}

fn without_folder(path: &str) -> &str {
    if path.starts_with("builtin:") { path } else { path.rsplit(['/', '\\']).next().unwrap_or(path) }
}

/// How the numbers of a value are arranged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Scalar,
    Vector,
    Matrix(usize),
}

fn flat(value: &Value) -> (Vec<f64>, Shape) {
    match value {
        Value::Scalar(x) => (vec![*x], Shape::Scalar),
        Value::Vector(x) => (x.clone(), Shape::Vector),
        Value::Matrix(rows) => (rows.concat(), Shape::Matrix(rows.first().map_or(0, Vec::len))),
    }
}

fn nested(entries: &[f64], shape: Shape) -> Json {
    let list = |entries: &[f64]| entries.iter().map(|x| json!(x)).collect::<Vec<_>>();
    match shape {
        Shape::Scalar => entries.first().map_or(Json::Null, |x| json!(x)),
        Shape::Vector => list(entries).into(),
        Shape::Matrix(width) => entries.chunks(width.max(1)).map(list).collect(),
    }
}

/// Numbers under `key`, and beside them what is not finite or undefined, under names that begin with `prefix`.
fn put(object: &mut Map<String, Json>, key: &str, prefix: &str, entries: &[f64], shape: Shape, reason: &str) {
    object.insert(key.into(), nested(entries, shape));
    let index = |i: usize| match shape {
        Shape::Matrix(width) => format!("{},{}", i / width.max(1), i % width.max(1)),
        _ => i.to_string(),
    };
    let word = |x: f64| if x > 0.0 { "inf" } else { "-inf" };
    let infinite: Vec<usize> = (0..entries.len()).filter(|i| entries[*i].is_infinite()).collect();
    let undefined: Vec<usize> = (0..entries.len()).filter(|i| entries[*i].is_nan()).collect();
    let note = |which: &[usize], say: &dyn Fn(usize) -> Json| {
        if shape == Shape::Scalar { say(0) } else { which.iter().map(|i| (index(*i), say(*i))).collect::<Map<_, _>>().into() }
    };
    if !infinite.is_empty() {
        object.insert(format!("{prefix}non_finite"), note(&infinite, &|i| word(entries[i]).into()));
    }
    if !undefined.is_empty() {
        object.insert(format!("{prefix}undefined"), note(&undefined, &|_| reason.into()));
    }
}

fn estimate_to_json(estimate: &Estimate, files: &mut Vec<SideFile>) -> Json {
    let mut object = Map::new();
    // An estimator may say why an entry is undefined; else its first caveat does.
    let reason = estimate.extra.get("undefined").and_then(Json::as_str);
    let reason = reason.unwrap_or_else(|| estimate.caveats.first().map_or("no usable sample", |c| c.message.as_str()));
    let value = |object: &mut Map<String, Json>, key: &str, prefix: &str, value: &Value, files: &mut Vec<SideFile>| {
        let (entries, shape) = flat(value);
        if entries.len() > LARGEST_INLINE {
            let shape = match shape {
                Shape::Matrix(width) => vec![entries.len() / width.max(1), width],
                _ => vec![entries.len()],
            };
            object.insert(key.into(), side_file(&format!("{}.{key}", estimate.id), &shape, &entries, files));
        } else {
            put(object, key, prefix, &entries, shape, reason);
        }
    };
    value(&mut object, "value", "", &estimate.value, files);
    match &estimate.standard_error {
        Some(error) => value(&mut object, "standard_error", "standard_error_", error, files),
        None => _ = object.insert("standard_error".into(), Json::Null),
    }
    match &estimate.interval {
        Some((low, high)) => {
            let mut ends = Map::new();
            value(&mut ends, "interval_low", "interval_low_", low, files);
            value(&mut ends, "interval_high", "interval_high_", high, files);
            let pair = ["interval_low", "interval_high"].map(|end| ends.remove(end).unwrap_or(Json::Null));
            object.insert("interval".into(), Json::Array(pair.into()));
            object.extend(ends);
        }
        None => _ = object.insert("interval".into(), Json::Null),
    }
    let caveats = estimate.caveats.iter().map(|c| json!({ "id": c.id, "message": c.message }));
    let extra: Map<String, Json> =
        estimate.extra.iter().map(|(key, json)| (key.clone(), outsourced(json, &format!("{}.{key}", estimate.id), files))).collect();
    let rest = json!({
        "id": estimate.id, "title": estimate.title, "unit": estimate.unit, "level": estimate.level,
        "n_used": estimate.n_used, "n_seen": estimate.n_seen, "dropped": estimate.dropped,
        "caveats": caveats.collect::<Vec<_>>(), "axes": estimate.axes, "extra": extra,
    });
    if let Json::Object(rest) = rest {
        object.extend(rest);
    }
    Json::Object(object)
}

/// A further result with its large arrays of numbers moved to files.
fn outsourced(json: &Json, name: &str, files: &mut Vec<SideFile>) -> Json {
    match json {
        Json::Object(map) => map.iter().map(|(key, json)| (key.clone(), outsourced(json, &format!("{name}.{key}"), files))).collect(),
        Json::Array(items) => {
            let mut entries = Vec::new();
            let shape = rectangle(json, &mut entries);
            match shape.filter(|_| entries.len() > LARGEST_INLINE) {
                Some(shape) => side_file(name, &shape, &entries, files),
                None => items.iter().enumerate().map(|(i, json)| outsourced(json, &format!("{name}.{i}"), files)).collect(),
            }
        }
        other => other.clone(),
    }
}

/// The shape of a regular nested array of numbers, its entries collected row by row.
fn rectangle(json: &Json, entries: &mut Vec<f64>) -> Option<Vec<usize>> {
    match json {
        Json::Array(items) => {
            let mut inner = None;
            for item in items {
                let shape = rectangle(item, entries)?;
                if *inner.get_or_insert_with(|| shape.clone()) != shape {
                    return None;
                }
            }
            Some([vec![items.len()], inner.unwrap_or_default()].concat())
        }
        Json::Number(_) | Json::Null => {
            entries.push(number(json));
            Some(Vec::new())
        }
        Json::String(word) if word == "inf" || word == "-inf" => {
            entries.push(number(json));
            Some(Vec::new())
        }
        _ => None,
    }
}

fn side_file(name: &str, shape: &[usize], entries: &[f64], files: &mut Vec<SideFile>) -> Json {
    let safe: String = name.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect();
    let mut name = format!("{safe}.npy");
    // Two names may become one when their odd characters are replaced.
    let mut number = 2;
    while files.iter().any(|f| f.name == name) {
        name = format!("{safe}-{number}.npy");
        number += 1;
    }
    files.push(SideFile { name: name.clone(), bytes: npy(shape, entries.iter().copied()) });
    json!({ "file": name, "shape": shape })
}
