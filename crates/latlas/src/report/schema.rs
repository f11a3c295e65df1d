//! The JSON Schema of a report, written from the code that reports come from.

use serde_json::{Value as Json, json};

use super::json::{LARGEST_INLINE, SCHEMA};

/// The schema (draft 2020-12) of what [`super::json::to_json`] writes.
pub fn schema() -> Json {
    let text = || json!({ "type": "string" });
    let count = || json!({ "type": "integer", "minimum": 0 });
    let list = |items: Json| json!({ "type": "array", "items": items });
    let object = |required: &[&str], properties: Json| json!({ "type": "object", "required": required, "properties": properties });
    let word = json!({ "enum": ["inf", "-inf"] });
    let non_finite = json!({ "anyOf": [word.clone(), { "type": "object", "additionalProperties": word }] });
    let undefined = json!({ "anyOf": [text(), { "type": "object", "additionalProperties": text() }] });
    let numbers = json!({ "$ref": "#/$defs/numbers" });
    let mut estimate = json!({
        "id": text(), "title": text(), "unit": text(),
        "value": numbers, "standard_error": numbers,
        "interval": { "anyOf": [{ "type": "null" }, { "type": "array", "items": numbers, "minItems": 2, "maxItems": 2 }] },
        "level": { "type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1 },
        "n_used": count(), "n_seen": count(),
        "dropped": { "type": "object", "additionalProperties": count() },
        "caveats": list(object(&["id", "message"], json!({ "id": text(), "message": text() }))),
        "axes": list(text()),
        "extra": { "type": "object" },
    });
    let required: Vec<String> = estimate.as_object().map(|map| map.keys().cloned().collect()).unwrap_or_default();
    for prefix in ["", "standard_error_", "interval_low_", "interval_high_"] {
        estimate[format!("{prefix}non_finite")] = non_finite.clone();
        estimate[format!("{prefix}undefined")] = undefined.clone();
    }
    let number = json!({ "type": ["number", "null"] });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Latlas report",
        "description": "Estimates with uncertainties, and what they were made from. null with a note beside it is not finite or undefined.",
        "type": "object",
        "required": ["schema", "version", "inputs", "settings", "estimates", "invariants", "citations"],
        "additionalProperties": false,
        "properties": {
            "schema": { "const": SCHEMA },
            "version": text(),
            "inputs": list(object(
                &["role", "path", "sha256", "shape"],
                json!({ "role": text(), "path": text(), "sha256": text(), "shape": list(count()) }),
            )),
            "settings": { "type": "object" },
            "estimates": list(json!({
                "type": "object", "required": required, "additionalProperties": false, "properties": estimate,
            })),
            "invariants": list(object(
                &["id", "holds", "worst", "tolerance"],
                json!({
                    "id": text(), "holds": { "type": "boolean" }, "worst": number, "tolerance": number,
                    "worst_non_finite": word, "worst_undefined": text(), "tolerance_non_finite": word, "tolerance_undefined": text(),
                }),
            )),
            "citations": list(text()),
        },
        "$defs": {
            "numbers": {
                "description": format!("A number, a list or a table; more than {LARGEST_INLINE} numbers stand in a .npy file beside this one."),
                "anyOf": [
                    number, list(number.clone()), list(list(number.clone())),
                    object(&["file", "shape"], json!({ "file": text(), "shape": list(count()) })),
                ],
            },
        },
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) mod tests {
    use super::*;

    /// What is wrong with a value, by the part of JSON Schema that [`schema`] uses.
    pub fn violations(value: &Json, schema: &Json, root: &Json, path: &str, found: &mut Vec<String>) {
        let known = [
            "$schema",
            "title",
            "description",
            "type",
            "required",
            "additionalProperties",
            "properties",
            "const",
            "enum",
            "items",
            "anyOf",
            "$ref",
            "$defs",
            "minimum",
            "exclusiveMinimum",
            "exclusiveMaximum",
            "minItems",
            "maxItems",
        ];
        let schema_map = schema.as_object().unwrap();
        assert!(schema_map.keys().all(|k| known.contains(&k.as_str())), "a keyword that this test does not know: {schema_map:?}");
        if let Some(target) = schema.get("$ref").and_then(Json::as_str) {
            return violations(value, root.pointer(target.trim_start_matches('#')).unwrap(), root, path, found);
        }
        if let Some(options) = schema.get("anyOf").and_then(Json::as_array) {
            let fits = |option: &Json| {
                let mut inner = Vec::new();
                violations(value, option, root, path, &mut inner);
                inner.is_empty()
            };
            if !options.iter().any(fits) {
                found.push(format!("{path}: fits no option"));
            }
        }
        let kinds = match schema.get("type") {
            Some(Json::String(kind)) => vec![kind.as_str()],
            Some(Json::Array(kinds)) => kinds.iter().filter_map(Json::as_str).collect(),
            _ => vec![],
        };
        let is = |kind: &str| match kind {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "number" => value.is_number(),
            "integer" => value.is_u64() || value.is_i64(),
            "boolean" => value.is_boolean(),
            "null" => value.is_null(),
            other => panic!("type {other}"),
        };
        if !kinds.is_empty() && !kinds.iter().any(|kind| is(kind)) {
            return found.push(format!("{path}: {value} is not {kinds:?}"));
        }
        if schema.get("const").is_some_and(|c| c != value)
            || schema.get("enum").and_then(Json::as_array).is_some_and(|e| !e.contains(value))
        {
            found.push(format!("{path}: {value} is not allowed"));
        }
        let bound = |key: &str| schema.get(key).and_then(Json::as_f64);
        if let Some(x) = value.as_f64() {
            let inside = bound("minimum").is_none_or(|m| x >= m)
                && bound("exclusiveMinimum").is_none_or(|m| x > m)
                && bound("exclusiveMaximum").is_none_or(|m| x < m);
            if !inside {
                found.push(format!("{path}: {x} is out of bounds"));
            }
        }
        if let Some(map) = value.as_object() {
            for key in schema.get("required").and_then(Json::as_array).into_iter().flatten() {
                if !map.contains_key(key.as_str().unwrap()) {
                    found.push(format!("{path}: no {key}"));
                }
            }
            for (key, inner) in map {
                let of_property = schema.get("properties").and_then(|p| p.get(key));
                match of_property.or(schema.get("additionalProperties")) {
                    Some(Json::Bool(false)) => found.push(format!("{path}: {key} is unknown")),
                    Some(inner_schema) if inner_schema.is_object() => {
                        violations(inner, inner_schema, root, &format!("{path}/{key}"), found);
                    }
                    _ => {}
                }
            }
        }
        if let Some(items) = value.as_array() {
            let size = items.len() as f64;
            if bound("minItems").is_some_and(|m| size < m) || bound("maxItems").is_some_and(|m| size > m) {
                found.push(format!("{path}: {size} items"));
            }
            for (i, item) in items.iter().enumerate().filter(|_| schema.get("items").is_some()) {
                violations(item, &schema["items"], root, &format!("{path}/{i}"), found);
            }
        }
    }

    #[test]
    fn the_schema_file_is_current() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/report.schema.json");
        let text = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
        if std::env::var_os("LATLAS_GENERATE").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
        } else {
            let written = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(written == text, "docs/report.schema.json is not current: run `cargo dev generate`");
        }
    }
}
