//! From a [`Summary`] to an [`Estimate`]: means, standard errors, intervals, quantiles, drops and the caveats that follow.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::{Value as Json, json};

use super::Card;
use crate::accumulators::{Moment, Summary};
use crate::caveat::Caveat;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::estimate::{Estimate, Value};

/// Which columns of the rows make the value, and how the value is laid out.
pub enum Columns {
    /// One column, a scalar.
    Scalar(usize),
    /// Some columns, a vector over an axis of this name.
    Vector(Range<usize>, &'static str),
}

/// Below this number of samples a standard error is itself uncertain.
const FEW: u64 = 30;

/// An estimate whose value is the mean of some columns of the rows.
///
/// # Errors
/// No usable sample, or more unusable ones than the run accepts.
pub fn estimate(card: &Card, context: &Context, summary: &Summary, columns: &Columns) -> Result<Estimate> {
    let (range, axes) = match columns {
        Columns::Scalar(column) => (*column..column + 1, Vec::new()),
        Columns::Vector(range, axis) => (range.clone(), vec![(*axis).to_string()]),
    };
    let moments: Vec<Moment> = range.clone().map(|i| summary.moments.get(i)).collect();
    let shape = |values: Vec<f64>| match columns {
        Columns::Scalar(_) => Value::Scalar(values[0]),
        Columns::Vector(..) => Value::Vector(values),
    };
    let mut estimate = frame(card, context, summary)?;
    estimate.value = shape(moments.iter().map(Moment::mean).collect());
    estimate.axes = axes;
    if moments.iter().any(|m| m.count() > 1) {
        let level = context.settings.level;
        let end = |m: &Moment, end: fn((f64, f64)) -> f64| m.interval(level).map_or(f64::NAN, end);
        estimate.standard_error = Some(shape(moments.iter().map(|m| m.standard_error().unwrap_or(f64::NAN)).collect()));
        estimate.interval = Some((
            shape(moments.iter().map(|m| end(m, |(low, _)| low)).collect()),
            shape(moments.iter().map(|m| end(m, |(_, high)| high)).collect()),
        ));
    }
    let deviation: Vec<f64> = moments.iter().map(|m| m.standard_deviation().unwrap_or(f64::NAN)).collect();
    let quantiles: Vec<Vec<f64>> = range.clone().map(|i| summary.reservoir.quantiles(i, &PROBABILITIES)).collect();
    let (deviation, quantiles) = match columns {
        Columns::Scalar(column) => {
            if let Some((edges, counts)) = summary.reservoir.histogram(*column) {
                estimate.extra.insert("histogram".into(), json!({ "edges": edges, "counts": counts }));
            }
            (number(deviation[0]), numbers(&quantiles[0]))
        }
        Columns::Vector(..) => (numbers(&deviation), Json::Array(quantiles.iter().map(|q| numbers(q)).collect())),
    };
    estimate.extra.insert("standard_deviation".into(), deviation);
    estimate.extra.insert("quantiles".into(), json!({ "probabilities": PROBABILITIES, "values": quantiles }));
    Ok(estimate)
}

/// An estimate whose value is a matrix of means, row by row, `rows × columns` entries of the summary's rows.
pub fn estimate_matrix(
    card: &Card,
    context: &Context,
    summary: &Summary,
    moment: impl Fn(usize, usize) -> Moment,
    (rows, columns): (usize, usize),
    axes: [&str; 2],
) -> Result<Estimate> {
    let mut estimate = frame(card, context, summary)?;
    let matrix = |of: &dyn Fn(Moment) -> f64| Value::Matrix((0..rows).map(|i| (0..columns).map(|j| of(moment(i, j))).collect()).collect());
    estimate.value = matrix(&|m| m.mean());
    if summary.used() > 1 {
        let level = context.settings.level;
        estimate.standard_error = Some(matrix(&|m| m.standard_error().unwrap_or(f64::NAN)));
        let end = |m: Moment, end: fn((f64, f64)) -> f64| m.interval(level).map_or(f64::NAN, end);
        estimate.interval = Some((matrix(&|m| end(m, |(low, _)| low)), matrix(&|m| end(m, |(_, high)| high))));
    }
    estimate.axes = axes.map(String::from).into();
    Ok(estimate)
}

/// Everything but the value.
///
/// # Errors
/// No usable sample, or more unusable ones than the run accepts.
pub fn frame(card: &Card, context: &Context, summary: &Summary) -> Result<Estimate> {
    let (seen, used, dropped) = (summary.seen, summary.used(), summary.dropped.to_map());
    let bad = seen - used.min(seen);
    let reasons = || dropped.iter().map(|(reason, n)| format!("{n} {reason}")).collect::<Vec<_>>().join(", ");
    if used == 0 && bad == 0 {
        return Err(Error::TooFewSamples { estimator: card.id.into(), needed: 1, got: 0 });
    }
    if used == 0 || bad as f64 > context.settings.max_bad * seen as f64 {
        return Err(Error::TooManyBadSamples {
            bad: bad as usize,
            seen: seen as usize,
            reasons: format!("{}: {}", card.id, reasons()),
            accepted: context.settings.max_bad,
        });
    }
    let mut caveats = Vec::new();
    if used < FEW {
        let message = if used == 1 { "one sample: no standard error".into() } else { format!("{used} samples") };
        caveats.push(Caveat::new("too-few-samples", message));
    }
    if bad > 0 {
        caveats.push(Caveat::new("dropped-samples", format!("{bad} of {seen} samples left out: {}", reasons())));
    }
    if summary.dropped.get("rank-deficient") > 0 {
        let share = summary.dropped.get("rank-deficient");
        caveats.push(Caveat::new("rank-deficient", format!("the Jacobian loses rank at {share} of {seen} samples")));
    }
    if context.has_kinks {
        caveats.push(Caveat::new("kink-at-relu", "derivatives are those of the branch in use"));
    }
    Ok(Estimate { n_used: used as usize, n_seen: seen as usize, dropped, caveats, ..blank(card, context) })
}

/// What is asked, and nothing found yet.
pub(super) fn blank(card: &Card, context: &Context) -> Estimate {
    Estimate {
        id: card.id.into(),
        title: card.title.into(),
        unit: card.unit.into(),
        value: Value::Scalar(f64::NAN),
        standard_error: None,
        interval: None,
        level: context.settings.level,
        n_used: 0,
        n_seen: 0,
        dropped: BTreeMap::new(),
        caveats: Vec::new(),
        axes: Vec::new(),
        extra: BTreeMap::new(),
    }
}

/// Of the quantiles that every estimate carries.
pub(crate) const PROBABILITIES: [f64; 7] = [0.025, 0.05, 0.25, 0.5, 0.75, 0.95, 0.975];

/// A number for `extra`, where infinities are words and an undefined value is null.
pub(crate) fn number(x: f64) -> Json {
    if x.is_finite() {
        json!(x)
    } else if x.is_nan() {
        Json::Null
    } else if x > 0.0 {
        json!("inf")
    } else {
        json!("-inf")
    }
}

/// A mean with its standard error and interval for `extra`.
pub(crate) fn measured(moment: &Moment, level: f64) -> Json {
    let (low, high) = moment.interval(level).unwrap_or((f64::NAN, f64::NAN));
    let error = moment.standard_error().unwrap_or(f64::NAN);
    json!({ "value": number(moment.mean()), "standard_error": number(error), "interval": [number(low), number(high)] })
}

/// Means and standard errors of some entries of the rows, for `extra`: `NAME` and `NAME_standard_error`.
pub(crate) fn insert_vector(estimate: &mut Estimate, name: &str, moments: impl Iterator<Item = Moment>) {
    let (means, errors): (Vec<f64>, Vec<f64>) = moments.map(|m| (m.mean(), m.standard_error().unwrap_or(f64::NAN))).unzip();
    estimate.extra.insert(name.into(), numbers(&means));
    estimate.extra.insert(format!("{name}_standard_error"), numbers(&errors));
}

/// Numbers for `extra`.
pub(crate) fn numbers(x: &[f64]) -> Json {
    Json::Array(x.iter().map(|x| number(*x)).collect())
}
