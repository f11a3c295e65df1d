//! Comparisons: models on the same latents or data, or reports side by side, as a report of differences.

mod difference;

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::{Inputs, Other, Settings, Shard, State};
use crate::accumulators::Summary;
use crate::error::{Error, Result};
use crate::estimate::Invariant;
use crate::report::Report;
use difference::difference;

/// The estimators that look at several models at once; the last one needs their noises.
const CROSS: [&str; 3] = ["cross-mutual-information", "dimension-matching", "local-dimension-by-noise"];

/// A number that belongs to each of the models that are compared, such as the β that they were trained with.
#[derive(Debug, Clone, PartialEq)]
pub struct Along {
    /// What it is.
    pub name: String,
    /// One for each model, in their order.
    pub values: Vec<f64>,
}

impl Along {
    /// Reads `NAME=1,2,4`.
    ///
    /// # Errors
    /// Anything else, or a number that is not finite.
    pub fn parse(text: &str) -> Result<Self> {
        let numbers = |list: &str| list.split(',').map(|word| word.trim().parse().ok().filter(|x: &f64| x.is_finite())).collect();
        let read = text.split_once('=').filter(|(name, _)| !name.trim().is_empty());
        let read: Option<(String, Option<Vec<f64>>)> = read.map(|(name, list)| (name.trim().to_string(), numbers(list)));
        match read {
            Some((name, Some(values))) => Ok(Self { name, values }),
            _ => Err(Error::Input {
                what: format!("{text:?} gives no name and numbers"),
                hint: Some("write a name and a number for each model, such as beta=0.1,1,10".into()),
            }),
        }
    }
}

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
    along: Option<&Along>,
    progress: &dyn Fn(usize, usize),
) -> Result<Comparison> {
    check_along(along, models.len())?;
    let Some((first, others)) = models.split_first().filter(|(_, others)| !others.is_empty()) else {
        return Err(Error::Input { what: "a comparison needs at least two models".into(), hint: None });
    };
    let of = |inputs: &Inputs| {
        let decoder = inputs.decoder.clone();
        let decoder = decoder.ok_or_else(|| Error::Input { what: "a comparison needs decoders".into(), hint: None })?;
        Ok(Other { decoder, encoder: inputs.encoder.clone() })
    };
    let together = Inputs { others: others.iter().map(of).collect::<Result<_>>()?, ..first.clone() };
    // What does not fit is told before anything is run.
    together.context(settings)?;
    let alone: Vec<String> = ids.iter().filter(|id| !CROSS.contains(&id.as_str())).cloned().collect();
    let mut of_others = settings.clone();
    if !settings.other_sets.is_empty() {
        (of_others.sets, of_others.partition) = (settings.other_sets.clone(), None);
    }
    // Each model in turn, and all of them once more together.
    let parts = models.len() + 1;
    let mut sides = Vec::new();
    for (k, inputs) in models.iter().enumerate() {
        let inputs = Inputs { others: Vec::new(), ..inputs.clone() };
        let settings = if k == 0 { settings } else { &of_others };
        let mut state = State::begin(&alone, &inputs, settings, Shard::WHOLE)?;
        state.advance(&inputs, &|done, all| progress(k * all + done, parts * all), &|_| Ok(()))?;
        let (report, rows) = state.finish_with_rows()?;
        sides.push(Side { report, rows });
    }
    let mut report = differences(names, &sides, along)?;
    let cross: Vec<String> = CROSS.iter().take(if settings.noises.is_empty() { 2 } else { 3 }).map(|id| (*id).to_string()).collect();
    let last = models.len();
    let cross = State::begin(&cross, &together, settings, Shard::WHOLE).and_then(|mut state| {
        state.advance(&together, &|done, all| progress(last * all + done, parts * all), &|_| Ok(()))?;
        state.finish()
    });
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
pub fn compare_reports(names: &[String], reports: Vec<Report>, along: Option<&Along>) -> Result<Report> {
    check_along(along, reports.len())?;
    let sides: Vec<Side> = reports.into_iter().map(|report| Side { rows: vec![None; report.estimates.len()], report }).collect();
    differences(names, &sides, along)
}

fn check_along(along: Option<&Along>, models: usize) -> Result<()> {
    match along.map(|along| (&along.name, along.values.len())) {
        Some((name, values)) if values != models => Err(Error::Input {
            what: format!("{name} has {values} numbers for {models} models"),
            hint: Some("give one for each, in the order of the models".into()),
        }),
        _ => Ok(()),
    }
}

fn differences(names: &[String], sides: &[Side], along: Option<&Along>) -> Result<Report> {
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
    if let Some(Along { name, values }) = along {
        settings.insert("along".into(), json!({ "name": name, "values": values }));
    }
    Ok(Report { inputs, settings, estimates, invariants, citations: first.report.citations.clone() })
}
