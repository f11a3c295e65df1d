//! The lines that an estimate takes in a table.

use crate::estimate::{Estimate, Value};
use crate::report::extra::{at, entry, interval, named, order, place};
use crate::report::number::{self, count, measured};
use crate::report::text::visible;

/// Entries of a vector that are listed at most.
const MOST_ENTRIES: usize = 16;
/// Parts of a matrix that are listed at most.
const MOST_PARTS: usize = 6;
/// A line of the table.
#[derive(Debug, Default)]
pub struct Row {
    /// What it is.
    pub name: String,
    /// With its standard error.
    pub value: String,
    /// From, to.
    pub interval: String,
    /// Empty for none.
    pub unit: String,
    /// Used, of those seen.
    pub samples: String,
    /// Length of the bar between 0 and 1.
    pub bar: Option<f64>,
    /// Whether this begins an estimate.
    pub head: bool,
}

/// The lines of one estimate.
pub fn rows(estimate: &Estimate) -> Vec<Row> {
    let samples = if estimate.n_used == estimate.n_seen {
        count(estimate.n_used)
    } else {
        format!("{} of {}", count(estimate.n_used), count(estimate.n_seen))
    };
    let mut head = Row { name: visible(&estimate.title), unit: visible(&estimate.unit), samples, head: true, ..Row::default() };
    if head.unit == "1" {
        head.unit.clear();
    }
    match &estimate.value {
        Value::Scalar(_) => {
            (head.value, head.interval, _) = cells(estimate, 0);
            vec![head]
        }
        Value::Vector(values) => {
            let axis = estimate.axes.first().map_or("entry", String::as_str);
            let finite = || values.iter().copied().filter(|x| x.is_finite());
            let (low, high) = (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max));
            // Bars are shares of the largest, so that nearly equal entries look so; entropies are logarithms of what moves.
            let share = |x: f64| match (estimate.unit.as_str(), low >= 0.0) {
                ("nats", _) => (x - high).exp(),
                (_, true) if high > 0.0 => x / high,
                _ if high > low => (x - low) / (high - low),
                _ => 1.0,
            };
            let order = order(estimate);
            let listed = order.iter().take(MOST_ENTRIES).map(|i| {
                let (value, interval, raw) = cells(estimate, *i);
                let bar = raw.is_finite().then(|| share(raw));
                Row { name: format!("  {} {}", visible(axis), visible(&place(estimate, *i))), value, interval, bar, ..Row::default() }
            });
            let mut rows: Vec<Row> = std::iter::once(head).chain(listed).collect();
            if order.len() > MOST_ENTRIES {
                rows.push(Row { name: format!("  … and {} more", order.len() - MOST_ENTRIES), ..Row::default() });
            }
            rows
        }
        Value::Matrix(matrix) => {
            let size = format!("{} × {}", count(matrix.len()), count(matrix.first().map_or(0, Vec::len)));
            // Where there is a mean over all entries it stands for them, and the largest have lines of their own.
            head.value = match at(estimate, &["mean", "value"]) {
                Some(mean) => measured(mean, at(estimate, &["mean", "standard_error"])).to_string(),
                None => size.clone(),
            };
            let listed = named(estimate).into_iter().take(MOST_PARTS).map(|part| Row {
                name: format!("  {}", part.label),
                value: measured(part.value, part.error).to_string(),
                interval: part.interval.map_or_else(String::new, ends),
                ..Row::default()
            });
            if at(estimate, &["mean", "value"]).is_some() {
                head.name = format!("{}, mean of {size}", head.name);
            }
            std::iter::once(head).chain(listed).collect()
        }
    }
}

fn cells(estimate: &Estimate, i: usize) -> (String, String, f64) {
    let Some((value, error)) = entry(estimate, i) else { return (String::new(), String::new(), f64::NAN) };
    (measured(value, error).to_string(), interval(estimate, i).map_or_else(String::new, ends), value)
}

fn ends((low, high): (f64, f64)) -> String {
    let (low, high) = number::interval(low, high);
    format!("{low} to {high}")
}
