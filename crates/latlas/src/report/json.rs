//! A report as JSON (`latlas/1`), and back.
//!
//! The same report gives the same bytes: keys are sorted, floats stand in their shortest form that reads back to the same
//! bits, and neither times nor folders are written. A value that is not finite is `null`, and `non_finite` beside it says
//! `"inf"` or `"-inf"` (for arrays: a map from index to it); a value that is undefined is `null`, and `undefined` gives the
//! reason. For other keys the notes carry the key's name in front (`standard_error_non_finite`). Arrays of more than
//! 10,000 entries become `{"file": NAME, "shape": […]}`, where NAME is a `.npy` file beside the JSON.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::report::{InputRecord, Report};
use crate::caveat::Caveat;
use crate::error::{Error, Result};
use crate::estimate::{Estimate, Invariant, Value};

/// The name of this form of JSON; another number would mean that old readers fail.
pub const SCHEMA: &str = "latlas/1";

/// Arrays with more entries go to files of their own.
pub const LARGEST_INLINE: usize = 10_000;

/// Largest text that is read, in bytes; a report without its side files is far smaller.
const LARGEST_TEXT: usize = 64 << 20;
/// Most entries that an array in a side file may have.
const LARGEST_ARRAY: usize = 1 << 27;

/// A file that goes beside the JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SideFile {
    /// Without a folder; letters, digits, `-`, `_` and `.` only.
    pub name: String,
    /// A `.npy` file of f64.
    pub bytes: Vec<u8>,
}

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
            entries.push(super::extra::number(json));
            Some(Vec::new())
        }
        Json::String(word) if word == "inf" || word == "-inf" => {
            entries.push(super::extra::number(json));
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
    let mut bytes = npy_header(shape);
    bytes.extend(entries.iter().flat_map(|x| x.to_le_bytes()));
    files.push(SideFile { name: name.clone(), bytes });
    json!({ "file": name, "shape": shape })
}

/// The header of a `.npy` file, version 1.0, little-endian f64 in C order.
pub(super) fn npy_header(shape: &[usize]) -> Vec<u8> {
    let sizes: String = shape.iter().map(|n| format!("{n}, ")).collect();
    let sizes = if shape.len() == 1 { sizes.trim_end() } else { sizes.trim_end_matches(", ") };
    let mut dictionary = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({sizes}), }}");
    while !(10 + dictionary.len() + 1).is_multiple_of(64) {
        dictionary.push(' ');
    }
    dictionary.push('\n');
    let length = (dictionary.len() as u16).to_le_bytes();
    [b"\x93NUMPY\x01\x00".as_slice(), &length, dictionary.as_bytes()].concat()
}

/// A report from its JSON. `open` gives the bytes of a file beside it, by a name that has no folder in it.
///
/// # Errors
/// Text that is too large, not JSON, not of this schema, or does not say what a report must say; a side file that is
/// missing or does not have the shape that the JSON states.
pub fn from_json(text: &str, open: &mut dyn FnMut(&str) -> Result<Vec<u8>>) -> Result<Report> {
    if text.len() > LARGEST_TEXT {
        return Err(damaged(format!("the report has {} bytes, more than the {LARGEST_TEXT} that are read", text.len())));
    }
    // serde_json refuses values nested deeper than 128 levels by itself.
    let json: Json = serde_json::from_str(text).map_err(|error| damaged(format!("not JSON: {error}")))?;
    match json.get("schema").and_then(Json::as_str) {
        Some(SCHEMA) => {}
        Some(other) => return Err(damaged(format!("schema {other:?}, expected {SCHEMA:?}"))),
        None => return Err(damaged(format!("no \"schema\"; expected {SCHEMA:?}"))),
    }
    let inputs = list(&json, "inputs")?
        .iter()
        .map(|input| serde_json::from_value(input.clone()).map_err(|error| damaged(format!("inputs: {error}"))));
    let invariants = list(&json, "invariants")?.iter().map(|law| {
        let holds = law.get("holds").and_then(Json::as_bool).ok_or_else(|| damaged("invariants: no \"holds\"".into()))?;
        let number = |key: &str| -> Result<f64> { scalar(get(law, "worst", key, &format!("{key}_"), open_nothing)?) };
        Ok(Invariant { id: text_of(law, "id")?, holds, worst: number("worst")?, tolerance: number("tolerance")? })
    });
    let settings = match json.get("settings") {
        Some(Json::Object(map)) => map.iter().map(|(k, v)| (k.clone(), v.clone())).collect(),
        _ => return Err(damaged("no \"settings\"".into())),
    };
    let citations =
        list(&json, "citations")?.iter().map(|c| c.as_str().map(String::from).ok_or_else(|| damaged("citations: no text".into())));
    let (inputs, invariants, citations) =
        (inputs.collect::<Result<_>>()?, invariants.collect::<Result<_>>()?, citations.collect::<Result<_>>()?);
    let estimates = list(&json, "estimates")?.iter().map(|e| estimate_from_json(e, open)).collect::<Result<_>>()?;
    Ok(Report { inputs, settings, estimates, invariants, citations })
}

fn estimate_from_json(json: &Json, open: &mut dyn FnMut(&str) -> Result<Vec<u8>>) -> Result<Estimate> {
    let id = text_of(json, "id")?;
    let count = |key: &str| {
        let count = json.get(key).and_then(Json::as_u64).and_then(|n| usize::try_from(n).ok());
        count.ok_or_else(|| damaged(format!("{id}: no count {key:?}")))
    };
    let caveats = list(json, "caveats")?.iter().map(|c| Ok(Caveat { id: text_of(c, "id")?, message: text_of(c, "message")? }));
    let axes = list(json, "axes")?.iter().map(|a| a.as_str().map(String::from).ok_or_else(|| damaged(format!("{id}: axes: no text"))));
    let dropped = json.get("dropped").cloned().unwrap_or(Json::Null);
    let extra = match json.get("extra") {
        Some(Json::Object(map)) => map.iter().map(|(k, v)| Ok((k.clone(), brought_back(v, open)?))).collect::<Result<_>>()?,
        _ => return Err(damaged(format!("{id}: no \"extra\""))),
    };
    let standard_error = match json.get("standard_error") {
        None => None,
        // A null with a note beside it is a number that has no JSON form, without one it is absent.
        Some(Json::Null) if json.get("standard_error_non_finite").or(json.get("standard_error_undefined")).is_none() => None,
        Some(_) => Some(get(json, &id, "standard_error", "standard_error_", &mut *open)?),
    };
    let interval = match json.get("interval") {
        Some(Json::Array(ends)) if ends.len() == 2 => {
            let mut object = json.as_object().cloned().unwrap_or_default();
            object.insert("interval_low".into(), ends[0].clone());
            object.insert("interval_high".into(), ends[1].clone());
            let object = Json::Object(object);
            let low = get(&object, &id, "interval_low", "interval_low_", &mut *open)?;
            Some((low, get(&object, &id, "interval_high", "interval_high_", &mut *open)?))
        }
        _ => None,
    };
    Ok(Estimate {
        title: text_of(json, "title")?,
        unit: text_of(json, "unit")?,
        value: get(json, &id, "value", "", &mut *open)?,
        standard_error,
        interval,
        level: json.get("level").and_then(Json::as_f64).ok_or_else(|| damaged(format!("{id}: no \"level\"")))?,
        n_used: count("n_used")?,
        n_seen: count("n_seen")?,
        dropped: serde_json::from_value(dropped).map_err(|error| damaged(format!("{id}: dropped: {error}")))?,
        caveats: caveats.collect::<Result<_>>()?,
        axes: axes.collect::<Result<_>>()?,
        extra,
        id,
    })
}

/// Further results with the arrays of side files back in their places.
fn brought_back(json: &Json, open: &mut dyn FnMut(&str) -> Result<Vec<u8>>) -> Result<Json> {
    if let Some((name, shape)) = reference(json) {
        let entries = read_side_file(&name, &shape, open)?;
        // From the innermost axis outwards.
        let mut level: Vec<Json> = entries.iter().map(|x| non_finite_word(*x).map_or_else(|| json!(x), Into::into)).collect();
        for width in shape.iter().skip(1).rev() {
            level = level.chunks((*width).max(1)).map(|row| Json::Array(row.to_vec())).collect();
        }
        return Ok(Json::Array(level));
    }
    Ok(match json {
        Json::Object(map) => map.iter().map(|(k, v)| Ok((k.clone(), brought_back(v, open)?))).collect::<Result<Map<_, _>>>()?.into(),
        Json::Array(items) => items.iter().map(|item| brought_back(item, open)).collect::<Result<Vec<_>>>()?.into(),
        other => other.clone(),
    })
}

fn non_finite_word(x: f64) -> Option<&'static str> {
    x.is_infinite().then_some(if x > 0.0 { "inf" } else { "-inf" })
}

/// The numbers under `key`, with what its notes say put back in.
fn get(object: &Json, id: &str, key: &str, prefix: &str, open: impl FnOnce(&str) -> Result<Vec<u8>>) -> Result<Value> {
    let wrong = || damaged(format!("{id}: {key:?} is neither a number, nor a list, nor a table of numbers"));
    let json = object.get(key).ok_or_else(|| damaged(format!("{id}: no {key:?}")))?;
    if let Some((name, shape)) = reference(json) {
        let entries = read_side_file(&name, &shape, open)?;
        return match shape[..] {
            [_] => Ok(Value::Vector(entries)),
            [_, width] => Ok(Value::Matrix(entries.chunks(width.max(1)).map(<[f64]>::to_vec).collect())),
            _ => Err(wrong()),
        };
    }
    let note = |index: Option<String>| {
        let note = object.get(format!("{prefix}non_finite"));
        match index.map_or(note, |i| note.and_then(|n| n.get(i))).and_then(Json::as_str) {
            Some("inf") => f64::INFINITY,
            Some("-inf") => f64::NEG_INFINITY,
            _ => f64::NAN,
        }
    };
    let number = |json: &Json, index: Option<String>| match json {
        Json::Null => Ok(note(index)),
        other => other.as_f64().ok_or_else(wrong),
    };
    match json {
        Json::Array(rows) if rows.first().is_some_and(Json::is_array) => {
            let row = |(i, row): (usize, &Json)| {
                let row = row.as_array().ok_or_else(wrong)?;
                row.iter().enumerate().map(|(j, x)| number(x, Some(format!("{i},{j}")))).collect::<Result<Vec<f64>>>()
            };
            let rows = rows.iter().enumerate().map(row).collect::<Result<Vec<_>>>()?;
            if rows.iter().any(|r| r.len() != rows[0].len()) { Err(wrong()) } else { Ok(Value::Matrix(rows)) }
        }
        Json::Array(items) => {
            Ok(Value::Vector(items.iter().enumerate().map(|(i, x)| number(x, Some(i.to_string()))).collect::<Result<_>>()?))
        }
        other => Ok(Value::Scalar(number(other, None)?)),
    }
}

fn reference(json: &Json) -> Option<(String, Vec<usize>)> {
    let map = json.as_object().filter(|map| map.len() == 2)?;
    let shape = map.get("shape")?.as_array()?.iter().map(|n| n.as_u64().and_then(|n| usize::try_from(n).ok())).collect::<Option<_>>()?;
    Some((map.get("file")?.as_str()?.to_string(), shape))
}

fn read_side_file(name: &str, shape: &[usize], open: impl FnOnce(&str) -> Result<Vec<u8>>) -> Result<Vec<f64>> {
    let safe = name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        && std::path::Path::new(name).extension().is_some_and(|e| e == "npy")
        && !name.starts_with('.');
    if !safe {
        return Err(damaged(format!("{name:?} is not the name of a .npy file beside the report")));
    }
    let entries = shape.iter().try_fold(1usize, |n, size| n.checked_mul(*size)).filter(|n| *n <= LARGEST_ARRAY && !shape.contains(&0));
    let entries = entries.ok_or_else(|| damaged(format!("{name}: the shape {shape:?} is empty or too large")))?;
    let bytes = open(name)?;
    let header = npy_header(shape);
    if bytes.len() != header.len() + 8 * entries || !bytes.starts_with(&header) {
        return Err(damaged(format!("{name}: not a .npy file of f64 with the shape {shape:?}")));
    }
    Ok(bytes[header.len()..].chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap_or_default())).collect())
}

fn open_nothing(name: &str) -> Result<Vec<u8>> {
    Err(damaged(format!("{name:?}: no file is expected here")))
}

fn scalar(value: Value) -> Result<f64> {
    match value {
        Value::Scalar(x) => Ok(x),
        _ => Err(damaged("a list where a number is expected".into())),
    }
}

fn list<'a>(json: &'a Json, key: &str) -> Result<&'a Vec<Json>> {
    json.get(key).and_then(Json::as_array).ok_or_else(|| damaged(format!("no list {key:?}")))
}

fn text_of(json: &Json, key: &str) -> Result<String> {
    json.get(key).and_then(Json::as_str).map(String::from).ok_or_else(|| damaged(format!("no text {key:?}")))
}

pub(super) fn damaged(what: String) -> Error {
    Error::State { what: format!("report: {what}"), hint: Some("write it anew with `latlas run --json` or `latlas report`".into()) }
}
