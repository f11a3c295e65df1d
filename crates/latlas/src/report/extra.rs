//! Reading what an estimator leaves in its value and under `extra`, in whatever shape it is.

use serde_json::Value as Json;

use crate::estimate::{Estimate, Value};

/// Numbers of a JSON array; `"inf"` and `"-inf"` are infinities, anything else that is no number is NaN.
pub fn numbers(json: Option<&Json>) -> Option<Vec<f64>> {
    Some(json?.as_array()?.iter().map(number).collect())
}

/// One number, read like an entry of [`numbers`].
pub fn number(json: &Json) -> f64 {
    match json {
        Json::String(word) if word == "inf" => f64::INFINITY,
        Json::String(word) if word == "-inf" => f64::NEG_INFINITY,
        other => other.as_f64().unwrap_or(f64::NAN),
    }
}

/// A number below `extra` by its path: `["null", "value"]`.
pub fn at(estimate: &Estimate, path: &[&str]) -> Option<f64> {
    find(estimate, path).map(number).filter(|x| !x.is_nan())
}

/// A piece below `extra` by its path.
pub fn find<'a>(estimate: &'a Estimate, path: &[&str]) -> Option<&'a Json> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(estimate.extra.get(*first)?, |json, key| json.get(key))
}

/// A number inside a piece of `extra` by its path.
pub fn at_of(json: &Json, path: &[&str]) -> Option<f64> {
    path.iter().try_fold(json, |json, key| json.get(key)).map(number).filter(|x| !x.is_nan())
}

/// A scalar as a slice of one, a vector as it is; a matrix has none.
pub fn entries(value: &Value) -> &[f64] {
    match value {
        Value::Scalar(x) => std::slice::from_ref(x),
        Value::Vector(x) => x,
        Value::Matrix(_) => &[],
    }
}

/// The only number of a scalar estimate.
pub fn scalar(estimate: &Estimate) -> Option<(f64, Option<f64>)> {
    let Value::Scalar(value) = estimate.value else { return None };
    let error = estimate.standard_error.as_ref().and_then(|e| entries(e).first().copied());
    Some((value, error.filter(|e| e.is_finite())))
}

/// Entry i of a scalar or vector estimate with its standard error.
pub fn entry(estimate: &Estimate, i: usize) -> Option<(f64, Option<f64>)> {
    let value = *entries(&estimate.value).get(i)?;
    let error = estimate.standard_error.as_ref().and_then(|e| entries(e).get(i).copied());
    Some((value, error.filter(|e| e.is_finite())))
}

/// Entry i of the interval.
pub fn interval(estimate: &Estimate, i: usize) -> Option<(f64, f64)> {
    let (low, high) = estimate.interval.as_ref()?;
    let ends = (*entries(low).get(i)?, *entries(high).get(i)?);
    (ends.0.is_finite() && ends.1.is_finite()).then_some(ends)
}

/// Parts of an estimate that have names of their own: single pairs of latents, pairs of groups. Label, value, error, interval.
pub fn named(estimate: &Estimate) -> Vec<Named> {
    let group = |json: Option<&Json>| -> Option<String> {
        let latents: Vec<usize> = numbers(json)?.iter().map(|i| *i as usize).collect();
        Some(format!("{{{}}}", crate::index_sets::said(&latents)))
    };
    let of = |part: &Json| -> Option<Named> {
        let label = match (numbers(part.get("latents")).as_deref(), group(part.get("s")), group(part.get("t"))) {
            (Some([i, j]), ..) => format!("latents {i} and {j}"),
            (_, Some(s), Some(t)) => match part.get("other").and_then(Json::as_u64) {
                Some(other) => format!("{s} and {t} of further model {}", other + 1),
                None => format!("{s} and {t}"),
            },
            _ => return None,
        };
        let ends = numbers(part.get("interval")).unwrap_or_default();
        Some(Named {
            label,
            value: number(part.get("value")?),
            error: part.get("standard_error").map(number).filter(|e| e.is_finite()),
            interval: ends.first().copied().zip(ends.get(1).copied()).filter(|(low, high)| low.is_finite() && high.is_finite()),
        })
    };
    let parts = ["largest", "blocks"].iter().find_map(|key| estimate.extra.get(*key)?.as_array());
    parts.into_iter().flatten().filter_map(of).collect()
}

/// A part of an estimate.
#[derive(Debug, Clone, PartialEq)]
pub struct Named {
    /// What it belongs to.
    pub label: String,
    /// Its value.
    pub value: f64,
    /// Its standard error.
    pub error: Option<f64>,
    /// Its interval.
    pub interval: Option<(f64, f64)>,
}

/// What entry i of a vector is called: what stands in `extra` under the name of its axis, else its number.
pub fn place(estimate: &Estimate, i: usize) -> String {
    let stated = estimate.axes.first().and_then(|axis| estimate.extra.get(axis)?.as_array());
    match stated.filter(|stated| stated.len() == entries(&estimate.value).len()).map(|stated| &stated[i]) {
        Some(Json::String(name)) => name.clone(),
        Some(Json::Number(number)) => number.to_string(),
        _ => i.to_string(),
    }
}

/// The order in which entries fall: as the estimator states it, else by value.
pub fn order(estimate: &Estimate) -> Vec<usize> {
    let values = entries(&estimate.value);
    let stated = numbers(estimate.extra.get("order")).unwrap_or_default();
    let mut order: Vec<usize> = stated.iter().filter(|i| **i >= 0.0 && i.fract() == 0.0).map(|i| *i as usize).collect();
    let mut seen = vec![false; values.len()];
    let is_permutation = order.len() == values.len() && order.iter().all(|i| *i < seen.len() && !std::mem::replace(&mut seen[*i], true));
    if !is_permutation {
        order = (0..values.len()).collect();
        // NaN last; total_cmp alone would put it first.
        let key = |i: usize| if values[i].is_nan() { f64::NEG_INFINITY } else { values[i] };
        order.sort_by(|a, b| key(*b).total_cmp(&key(*a)).then(a.cmp(b)));
    }
    order
}

/// Probabilities and, for entry i, the quantiles over the samples.
pub fn quantiles(json: Option<&Json>, i: usize) -> Option<Vec<(f64, f64)>> {
    let json = json?;
    let probabilities = numbers(json.get("probabilities"))?;
    let values = json.get("values")?;
    let of_entry = values.get(i).filter(|row| row.is_array()).or_else(|| Some(values).filter(|v| v.get(0).is_none_or(|x| !x.is_array())));
    let values = numbers(of_entry)?;
    (values.len() == probabilities.len()).then(|| probabilities.into_iter().zip(values).collect())
}

/// The quantile at one of the probabilities that are there.
pub fn quantile(all: &[(f64, f64)], probability: f64) -> Option<f64> {
    all.iter().find(|(p, _)| (p - probability).abs() < 1e-9).map(|(_, x)| *x).filter(|x| x.is_finite())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;

    /// An estimate with this value, everything else plain.
    pub fn estimate(id: &str, value: Value, error: Option<Value>) -> Estimate {
        let shift = |by: f64| match (&value, &error) {
            (Value::Scalar(x), Some(Value::Scalar(e))) => Value::Scalar(x + by * e),
            (Value::Vector(x), Some(Value::Vector(e))) => Value::Vector(x.iter().zip(e).map(|(x, e)| x + by * e).collect()),
            (other, _) => other.clone(),
        };
        Estimate {
            id: id.into(),
            title: format!("Title of {id}"),
            unit: "nats".into(),
            interval: error.as_ref().map(|_| (shift(-1.96), shift(1.96))),
            value,
            standard_error: error,
            level: 0.95,
            n_used: 1000,
            n_seen: 1000,
            dropped: std::collections::BTreeMap::new(),
            caveats: Vec::new(),
            axes: Vec::new(),
            extra: std::collections::BTreeMap::new(),
        }
    }

    #[test]
    fn entries_are_called_as_the_estimator_says() {
        let mut e = estimate("ladder", Value::Vector(vec![0.5, 0.7]), None);
        e.axes = vec!["labels".into()];
        assert_eq!(place(&e, 1), "1");
        e.extra.insert("labels".into(), json!([10, 100]));
        assert_eq!(place(&e, 1), "100");
        e.extra.insert("labels".into(), json!(["few"]));
        assert_eq!(place(&e, 1), "1");
    }

    #[test]
    fn order_is_stated_or_found() {
        let mut e = estimate("x", Value::Vector(vec![1.0, f64::NAN, 3.0, f64::NEG_INFINITY]), None);
        assert_eq!(order(&e), [2, 0, 1, 3]);
        e.extra.insert("order".into(), json!([3, 2, 1, 0]));
        assert_eq!(order(&e), [3, 2, 1, 0]);
        e.extra.insert("order".into(), json!([3, 3, 1, 0]));
        assert_eq!(order(&e), [2, 0, 1, 3], "not a permutation");
    }

    #[test]
    fn parts_have_names() {
        let mut e = estimate("x", Value::Matrix(vec![]), None);
        assert!(named(&e).is_empty());
        e.extra.insert(
            "blocks".into(),
            json!([{ "s": [0, 1, 2], "t": [7], "value": 0.5, "standard_error": 0.1, "interval": [0.3, 0.7] }, { "s": [1] }]),
        );
        let expected = Named { label: "{0-2} and {7}".into(), value: 0.5, error: Some(0.1), interval: Some((0.3, 0.7)) };
        assert_eq!(named(&e), [expected]);
        e.extra.insert("largest".into(), json!([{ "latents": [3, 5], "value": "inf" }]));
        assert_eq!(named(&e)[0].label, "latents 3 and 5");
    }

    #[test]
    fn quantiles_of_vectors_and_scalars() {
        let vector = json!({"probabilities": [0.25, 0.75], "values": [[1, 2], [3, "inf"]]});
        assert_eq!(quantiles(Some(&vector), 0).unwrap(), [(0.25, 1.0), (0.75, 2.0)]);
        assert_eq!(quantile(&quantiles(Some(&vector), 1).unwrap(), 0.75), None);
        let scalar = json!({"probabilities": [0.25, 0.75], "values": [1, 2]});
        assert_eq!(quantiles(Some(&scalar), 0).unwrap(), [(0.25, 1.0), (0.75, 2.0)]);
        assert_eq!(quantiles(Some(&json!({"probabilities": [0.5], "values": [1, 2]})), 0), None);
    }
}
