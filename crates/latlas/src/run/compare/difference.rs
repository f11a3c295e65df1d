//! An estimate of several models as the differences from the first.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::accumulators::Summary;
use crate::estimate::{Estimate, Value};
use crate::estimators::{number, numbers};
use crate::special_functions::student_quantile;

/// Entries in order, and the length of a row of a matrix.
fn flat(value: &Value) -> (Vec<f64>, Option<usize>) {
    let width = if let Value::Matrix(rows) = value { rows.first().map(Vec::len) } else { None };
    (value.entries(), width)
}

/// What of `extra` belongs beside the value of each model, where the estimate has it.
const BESIDE: [&str; 4] = ["per_dim", "per_dim_standard_error", "null", "rule"];

/// The value of one model with its uncertainty, for plots over models.
fn side(estimate: &Estimate) -> Json {
    let first = |value: &Value| flat(value).0.first().map_or(Json::Null, |x| number(*x));
    let mut side = json!({
        "value": first(&estimate.value), "n_used": estimate.n_used,
        "standard_error": estimate.standard_error.as_ref().map(first),
        "interval": estimate.interval.as_ref().map(|(low, high)| [first(low), first(high)]),
    });
    for key in BESIDE {
        if let Some(json) = estimate.extra.get(key) {
            side[key] = json.clone();
        }
    }
    side
}

/// Other models minus the first; `None` where shapes do not allow it.
pub(super) fn difference(
    names: &[String],
    (a, rows_a): (&Estimate, Option<&Summary>),
    others: &[(&Estimate, Option<&Summary>)],
) -> Option<Estimate> {
    let (values_a, width) = flat(&a.value);
    let same_shape = |b: &Estimate| (flat(&b.value).0.len(), flat(&b.value).1) == (values_a.len(), width);
    if !others.iter().all(|(b, _)| same_shape(b)) || (others.len() > 1 && width.is_some()) {
        return None;
    }
    let level = a.level;
    let (mut gaps, mut errors, mut halves, mut paired) = (Vec::new(), Vec::new(), Vec::new(), true);
    for (b, rows_b) in others {
        let (values_b, _) = flat(&b.value);
        let of = |estimate: &Estimate, i: usize| estimate.standard_error.as_ref().map_or(f64::NAN, |error| flat(error).0[i]);
        let pairs =
            rows_a.zip(*rows_b).filter(|(ra, rb)| are_means(&values_a, ra) && are_means(&values_b, rb)).map(|(ra, rb)| matched(ra, rb));
        paired &= pairs.is_some();
        let quantile = student_quantile(0.5 + 0.5 * level, (a.n_used.min(b.n_used).max(2) - 1) as f64);
        for i in 0..values_a.len() {
            let (sa, sb) = (of(a, i), of(b, i));
            let together = pairs.as_ref().map_or(0.0, |pairs| correlation(pairs, i)) * sa * sb;
            let error = (sa * sa + sb * sb - 2.0 * together).max(0.0).sqrt();
            gaps.push(values_b[i] - values_a[i]);
            errors.push(error);
            halves.push(quantile * error);
        }
    }
    let shaped = |entries: Vec<f64>| match (&a.value, others.len()) {
        (Value::Scalar(_), 1) => Value::Scalar(entries[0]),
        (Value::Scalar(_), _) | (Value::Vector(_), 1) => Value::Vector(entries),
        (Value::Vector(x), _) => Value::Matrix(entries.chunks(x.len().max(1)).map(<[f64]>::to_vec).collect()),
        (Value::Matrix(_), _) => Value::Matrix(entries.chunks(width.unwrap_or(1).max(1)).map(<[f64]>::to_vec).collect()),
    };
    let ends = |sign: f64| shaped(gaps.iter().zip(&halves).map(|(gap, half)| gap + sign * half).collect());
    let mut axes = a.axes.clone();
    if others.len() > 1 {
        axes.insert(0, "model".into());
    }
    let known = a.standard_error.is_some() && others.iter().all(|(b, _)| b.standard_error.is_some());
    let z: Vec<f64> = gaps.iter().zip(&errors).map(|(gap, error)| if *gap == 0.0 { 0.0 } else { gap / error }).collect();
    let mut extra = BTreeMap::from([
        ("models".to_string(), json!(names)),
        ("paired".to_string(), json!(paired)),
        ("in_standard_errors".to_string(), numbers(&z)),
        ("values".to_string(), std::iter::once(a).chain(others.iter().map(|(b, _)| *b)).map(|e| numbers(&flat(&e.value).0)).collect()),
    ]);
    if matches!(a.value, Value::Scalar(_)) {
        let sides = std::iter::once(a).chain(others.iter().map(|(b, _)| *b));
        extra.insert("sides".into(), sides.map(side).collect());
    }
    let title = format!("Δ {} ({} − first)", a.title, if others.len() == 1 { "second" } else { "others" });
    let mut joined = Estimate {
        id: format!("{}-difference", a.id),
        title,
        unit: a.unit.clone(),
        interval: known.then(|| (ends(-1.0), ends(1.0))),
        standard_error: known.then(|| shaped(errors.clone())),
        value: shaped(gaps.clone()),
        level,
        n_used: others.iter().map(|(b, _)| b.n_used).fold(a.n_used, usize::min),
        n_seen: others.iter().map(|(b, _)| b.n_seen).fold(a.n_seen, usize::max),
        dropped: a.dropped.clone(),
        caveats: a.caveats.clone(),
        axes,
        extra,
    };
    others.iter().for_each(|(b, _)| joined.adopt(&b.caveats));
    Some(joined)
}

/// Whether the first columns of the rows are what the values are means of.
fn are_means(values: &[f64], rows: &Summary) -> bool {
    values.iter().enumerate().all(|(i, x)| {
        let mean = rows.moments.get(i).mean();
        !x.is_finite() || (mean - x).abs() <= 1e-12 * x.abs().max(1.0)
    })
}

/// Rows of the same samples: reservoirs of two runs with one seed keep the same ones.
fn matched<'a>(a: &'a Summary, b: &'a Summary) -> Vec<(&'a [f64], &'a [f64])> {
    let others: BTreeMap<_, _> = b.reservoir.rows().collect();
    a.reservoir.rows().filter_map(|(key, row)| Some((row, *others.get(&key)?))).collect()
}

/// Of column i over matched rows; 0 where it is not known.
fn correlation(pairs: &[(&[f64], &[f64])], i: usize) -> f64 {
    let entries = pairs.iter().filter_map(|(a, b)| Some((*a.get(i)?, *b.get(i)?)));
    let finite: Vec<(f64, f64)> = entries.filter(|(a, b)| a.is_finite() && b.is_finite()).collect();
    let n = finite.len() as f64;
    let (mean_a, mean_b) = (finite.iter().map(|p| p.0).sum::<f64>() / n, finite.iter().map(|p| p.1).sum::<f64>() / n);
    let (mut aa, mut bb, mut ab) = (0.0, 0.0, 0.0);
    for (a, b) in finite {
        let (a, b) = (a - mean_a, b - mean_b);
        (aa, bb, ab) = (aa + a * a, bb + b * b, ab + a * b);
    }
    if aa > 0.0 && bb > 0.0 { (ab / (aa * bb).sqrt()).clamp(-1.0, 1.0) } else { 0.0 }
}
