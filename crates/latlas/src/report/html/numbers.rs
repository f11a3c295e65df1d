//! The table of all estimates, and what each of them means.

use maud::{Markup, html};

use super::prose::{first_sentence, prose};
use crate::estimate::{Estimate, Value};
use crate::estimators;
use crate::report::atlas::Atlas;
use crate::report::extra::{Named, entries, entry, interval, named, order, place};
use crate::report::number::{self, count, measured};
use crate::report::text::visible;

/// Entries of a vector that a page lists at most.
const MOST_ENTRIES: usize = 128;

pub fn section(atlas: &Atlas) -> Markup {
    let estimates = &atlas.report.estimates;
    if estimates.is_empty() {
        return html! { p { "No estimator was run." } };
    }
    let level = estimates.first().map_or(95.0, |e| 100.0 * e.level);
    let interval_name = format!("{level:.0} % interval");
    html! {
        p {
            "Every value with its standard error. Samples that an estimator could not use are counted, never replaced. \
             Open an entry below the table for its meaning and its parts."
        }
        table.stack {
            thead { tr {
                th scope="col" { "estimate" } th.number scope="col" { "value ± s.e." } th.number scope="col" { (interval_name) }
                th scope="col" { "unit" } th.number scope="col" { "samples used" } th scope="col" { "caveats" }
            } }
            tbody { @for estimate in estimates { (row(estimate, &interval_name)) } }
        }
        h3 { "What they mean" }
        @for estimate in estimates { (explanation(estimate)) }
    }
}

fn row(estimate: &Estimate, interval_name: &str) -> Markup {
    let (value, range) = summary(estimate);
    html! {
        tr {
            td.whole { span.name { (visible(&estimate.title)) } span.sub.mono { (visible(&estimate.id)) } }
            td.number data-label="value ± s.e." { (value) }
            td.number data-label=(interval_name) { (range) }
            td data-label="unit" { (visible(unit(&estimate.unit))) }
            td.number data-label="samples" { (used(estimate)) }
            td data-label="caveats" {
                @for caveat in &estimate.caveats {
                    a.chip href={ "#caveat-" (visible(&caveat.id)) } title=(visible(&caveat.message)) { (visible(&caveat.id)) }
                }
            }
        }
    }
}

/// A unit of 1 says nothing to most people.
fn unit(unit: &str) -> &str {
    if unit == "1" { "–" } else { unit }
}

/// Value and interval of a scalar; largest and smallest entry of anything else.
fn summary(estimate: &Estimate) -> (Markup, Markup) {
    match &estimate.value {
        Value::Scalar(value) => {
            let error = entry(estimate, 0).and_then(|(_, error)| error);
            let range = interval(estimate, 0).map(|(low, high)| number::interval(low, high));
            (html! { (measured(*value, error)) }, html! { @if let Some((low, high)) = range { (low) " to " (high) } })
        }
        Value::Vector(values) if !values.is_empty() => {
            let order = order(estimate);
            let said = |i: usize| entry(estimate, i).map(|(value, error)| measured(value, error).to_string()).unwrap_or_default();
            let (first, last) = (order[0], order[order.len() - 1]);
            let markup = html! {
                (said(first))
                @if values.len() > 1 { span.sub { "down to " (said(last)) } }
            };
            (markup, html! { span.sub { (count(values.len())) " values" } })
        }
        Value::Vector(_) => (html! { "none" }, html! {}),
        Value::Matrix(rows) => {
            let columns = rows.first().map_or(0, Vec::len);
            let finite = || rows.iter().flatten().copied().filter(|x| x.is_finite());
            let (low, high) = (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max));
            let markup = html! { @if low <= high { (number::plain(low, 3)) " to " (number::plain(high, 3)) } @else { "undefined" } };
            (markup, html! { span.sub { (count(rows.len())) " × " (count(columns)) " values" } })
        }
    }
}

fn used(estimate: &Estimate) -> Markup {
    html! {
        (count(estimate.n_used))
        @if estimate.n_used != estimate.n_seen { " of " (count(estimate.n_seen)) }
        @for (reason, n) in &estimate.dropped { span.sub { (count(*n)) " " (visible(reason)) } }
    }
}

fn explanation(estimate: &Estimate) -> Markup {
    let card = estimators::find(&estimate.id).map(|entry| &entry.card);
    let page = card.map(crate::card::Card::page).unwrap_or_default();
    html! {
        details {
            summary title=(first_sentence(&page)) { (visible(&estimate.title)) }
            div.inner {
                @if let Some(card) = card { p.note { "Range: " (card.range) "." } }
                (prose(&page))
                @if entries(&estimate.value).len() > 1 { (entries_table(estimate)) }
                @let pieces = named(estimate);
                @if !pieces.is_empty() { (named_table(&pieces)) }
                @if !estimate.extra.is_empty() { p.note { "Also in report.json: " (parts(estimate)) "." } }
            }
        }
    }
}

fn parts(estimate: &Estimate) -> String {
    estimate.extra.keys().map(|key| visible(key)).collect::<Vec<_>>().join(", ")
}

fn named_table(parts: &[Named]) -> Markup {
    html! {
        table {
            thead { tr { th scope="col" { "between" } th.number scope="col" { "value ± s.e." } th.number scope="col" { "interval" } } }
            tbody {
                @for part in parts.iter().take(MOST_ENTRIES) {
                    tr {
                        td { (part.label) }
                        td.number { (measured(part.value, part.error)) }
                        td.number { @if let Some((low, high)) = part.interval { @let ends = number::interval(low, high); (ends.0) " to " (ends.1) } }
                    }
                }
            }
        }
    }
}

fn entries_table(estimate: &Estimate) -> Markup {
    let order = order(estimate);
    let axis = estimate.axes.first().map_or("entry", String::as_str);
    html! {
        table {
            thead { tr { th scope="col" { (visible(axis)) } th.number scope="col" { "value ± s.e." } th.number scope="col" { "interval" } } }
            tbody {
                @for i in order.iter().take(MOST_ENTRIES) {
                    tr {
                        td { (visible(&place(estimate, *i))) }
                        td.number { @if let Some((value, error)) = entry(estimate, *i) { (measured(value, error)) } }
                        td.number { @if let Some((low, high)) = interval(estimate, *i) { @let ends = number::interval(low, high); (ends.0) " to " (ends.1) } }
                    }
                }
            }
        }
        @if order.len() > MOST_ENTRIES { p.note { "The first " (MOST_ENTRIES) " of " (count(order.len())) "; the rest is in report.json." } }
    }
}
