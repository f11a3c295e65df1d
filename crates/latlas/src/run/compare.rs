//! Comparisons: models on the same latents or data, or reports side by side, as a report of differences.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::{Inputs, Other, Settings, Shard, State};
use crate::accumulators::Summary;
use crate::error::{Error, Result};
use crate::estimate::{Estimate, Invariant, Value};
use crate::report::Report;
use crate::special_functions::student_quantile;

/// The estimators that look at several models at once.
const CROSS: [&str; 2] = ["cross-mutual-information", "dimension-matching"];

/// A report of differences, and what could not be compared.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// Differences from the first model, estimate by estimate (`ID-difference`), and the estimators of several models.
    pub report: Report,
    /// Why the estimators of several models are missing, if they are.
    pub left_out: Option<String>,
}

/// A report and, where it was just made, the rows behind each of its estimates.
struct Side {
    report: Report,
    rows: Vec<Option<Summary>>,
}

/// Runs the same estimators over all models, with the same seeds or the same rows of data, and compares them to the first.
///
/// Sample s of one model belongs to sample s of the other, so the error of a difference takes their correlation into account.
///
/// # Errors
/// Fewer than two models, a model without a decoder, those of [`super::run`].
pub fn compare(
    ids: &[String],
    names: &[String],
    models: &[Inputs],
    settings: &Settings,
    progress: &dyn Fn(usize, usize),
) -> Result<Comparison> {
    let Some((first, others)) = models.split_first().filter(|(_, others)| !others.is_empty()) else {
        return Err(Error::Input { what: "a comparison needs at least two models".into(), hint: None });
    };
    let of = |inputs: &Inputs| {
        let decoder = inputs.decoder.clone();
        let decoder = decoder.ok_or_else(|| Error::Input { what: "a comparison needs decoders".into(), hint: None })?;
        Ok(Other { decoder, encoder: inputs.encoder.clone() })
    };
    let together = Inputs { others: others.iter().map(of).collect::<Result<_>>()?, ..first.clone() };
    let alone: Vec<String> = ids.iter().filter(|id| !CROSS.contains(&id.as_str())).cloned().collect();
    // Each model in turn, and all of them once more together.
    let parts = models.len() + 1;
    let mut sides = Vec::new();
    for (k, inputs) in models.iter().enumerate() {
        let inputs = Inputs { others: Vec::new(), ..inputs.clone() };
        let mut state = State::begin(&alone, &inputs, settings, Shard::WHOLE)?;
        state.advance(&inputs, &|done, all| progress(k * all + done, parts * all), &|_| Ok(()))?;
        let (report, rows) = state.finish_with_rows()?;
        sides.push(Side { report, rows });
    }
    let mut report = differences(names, &sides)?;
    let mut state = State::begin(&CROSS.map(String::from), &together, settings, Shard::WHOLE)?;
    let last = models.len();
    let cross = state.advance(&together, &|done, all| progress(last * all + done, parts * all), &|_| Ok(())).and_then(|()| state.finish());
    let left_out = match cross {
        Ok(cross) => {
            report.estimates.extend(cross.estimates);
            let new: Vec<String> = cross.citations.into_iter().filter(|c| !report.citations.contains(c)).collect();
            report.citations.extend(new);
            None
        }
        Err(error @ (Error::TooManyBadSamples { .. } | Error::TooFewSamples { .. } | Error::Shape { .. })) => Some(error.to_string()),
        Err(error) => return Err(error),
    };
    Ok(Comparison { report, left_out })
}

/// The differences of reports from the first of them. Their samples are not known any more, so errors are those of
/// independent runs, too large where the runs had samples in common.
///
/// # Errors
/// Fewer than two reports, or none that have an estimate in common.
pub fn compare_reports(names: &[String], reports: Vec<Report>) -> Result<Report> {
    let sides: Vec<Side> = reports.into_iter().map(|report| Side { rows: vec![None; report.estimates.len()], report }).collect();
    differences(names, &sides)
}

fn differences(names: &[String], sides: &[Side]) -> Result<Report> {
    let Some((first, others)) = sides.split_first().filter(|(_, others)| !others.is_empty()) else {
        return Err(Error::Input { what: "a comparison needs at least two reports".into(), hint: None });
    };
    let mut estimates = Vec::new();
    for (estimate, rows) in first.report.estimates.iter().zip(&first.rows) {
        let found: Option<Vec<_>> = others
            .iter()
            .map(|side| {
                let place = side.report.estimates.iter().position(|other| other.id == estimate.id)?;
                Some((&side.report.estimates[place], side.rows[place].as_ref()))
            })
            .collect();
        estimates.extend(found.and_then(|found| difference(names, (estimate, rows.as_ref()), &found)));
    }
    if estimates.is_empty() {
        return Err(Error::Input {
            what: "the reports have no estimate of the same shape in common".into(),
            hint: Some("run the same estimators on both".into()),
        });
    }
    let invariants = Invariant::worst(sides.iter().flat_map(|side| &side.report.invariants));
    let mut inputs = Vec::new();
    for record in sides.iter().flat_map(|side| &side.report.inputs) {
        if !inputs.contains(record) {
            inputs.push(record.clone());
        }
    }
    let mut settings: BTreeMap<String, Json> = first.report.settings.clone();
    settings.insert("compared".into(), json!(names));
    Ok(Report { inputs, settings, estimates, invariants, citations: first.report.citations.clone() })
}

/// Entries in order, and the length of a row of a matrix.
fn flat(value: &Value) -> (Vec<f64>, Option<usize>) {
    match value {
        Value::Scalar(x) => (vec![*x], None),
        Value::Vector(x) => (x.clone(), None),
        Value::Matrix(rows) => (rows.concat(), rows.first().map(Vec::len)),
    }
}

/// Other models minus the first; `None` where shapes do not allow it.
fn difference(names: &[String], (a, rows_a): (&Estimate, Option<&Summary>), others: &[(&Estimate, Option<&Summary>)]) -> Option<Estimate> {
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
    let number = crate::estimators::number;
    let list = |x: &[f64]| Json::Array(x.iter().map(|x| number(*x)).collect());
    let z: Vec<f64> = gaps.iter().zip(&errors).map(|(gap, error)| if *gap == 0.0 { 0.0 } else { gap / error }).collect();
    let extra = BTreeMap::from([
        ("models".to_string(), json!(names)),
        ("paired".to_string(), json!(paired)),
        ("in_standard_errors".to_string(), list(&z)),
        ("values".to_string(), std::iter::once(a).chain(others.iter().map(|(b, _)| *b)).map(|e| list(&flat(&e.value).0)).collect()),
    ]);
    let title = format!("{} ({} − first)", a.title, if others.len() == 1 { "second" } else { "others" });
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
