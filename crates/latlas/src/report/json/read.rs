//! From JSON back to a report; nothing of it is trusted.

use serde_json::{Map, Value as Json, json};

use super::{SCHEMA, damaged, npy_header};
use crate::caveat::Caveat;
use crate::error::Result;
use crate::estimate::{Estimate, Invariant, Value};
use crate::report::Report;

/// Largest text that is read, in bytes; a report without its side files is far smaller.
const LARGEST_TEXT: usize = 64 << 20;
/// Most entries that an array in a side file may have.
const LARGEST_ARRAY: usize = 1 << 27;

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
