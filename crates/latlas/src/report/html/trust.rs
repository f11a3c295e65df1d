//! Whether the numbers can be trusted: invariants, caveats; and how to get them again.

use std::collections::BTreeMap;

use maud::{Markup, html};
use serde_json::Value as Json;

use crate::caveat::PAGES;
use crate::report::atlas::Atlas;
use crate::report::laws::law;
use crate::report::number::plain;
use crate::report::text::visible;

/// Invariants and caveats.
pub fn section(atlas: &Atlas) -> Markup {
    let laws = &atlas.report.invariants;
    html! {
        @if laws.is_empty() {
            p { "No invariant was checked in this run." }
        } @else {
            p { "Laws that must hold if the numbers are right, checked during the run on the model itself; the worst case seen against what rounding may explain." }
            table.stack {
                thead { tr { th scope="col" { "check" } th.number scope="col" { "worst" } th.number scope="col" { "accepted" } th scope="col" { "holds" } } }
                tbody { @for item in laws {
                    tr {
                        td.whole {
                            span.name { (visible(&item.id)) }
                            @if let Some(words) = law(&item.id) {
                                span.sub { (words.holds) @if !item.holds { " If not, " (words.fails) "." } }
                            }
                        }
                        td.number data-label="worst" { (plain(item.worst, 2)) }
                        td.number data-label="accepted" { (plain(item.tolerance, 2)) }
                        td data-label="holds" { @if item.holds { span.pass { "✓ yes" } } @else { span.fail { "✕ no" } } }
                    }
                } }
            }
        }
        h3 { "Caveats" }
        (caveats(atlas))
    }
}

/// Every caveat once, with where it was raised and what it means.
fn caveats(atlas: &Atlas) -> Markup {
    let mut raised: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
    for estimate in &atlas.report.estimates {
        for caveat in &estimate.caveats {
            raised.entry(&caveat.id).or_default().push((&estimate.title, &caveat.message));
        }
    }
    if raised.is_empty() {
        return html! { p.note { "None." } };
    }
    html! {
        @for (id, places) in &raised {
            @let page = PAGES.iter().find(|p| p.id == *id);
            details id={ "caveat-" (visible(id)) } open[raised.len() <= 3] {
                summary { (page.map_or_else(|| visible(id), |p| p.title.to_string())) " " code.note { (visible(id)) } }
                div.inner {
                    @if let Some(page) = page { p { (page.text) } }
                    (said(places))
                }
            }
        }
    }
}

/// Where a caveat was raised; the same words once, however many estimates they belong to.
fn said(places: &[(&str, &str)]) -> Markup {
    let mut by_message: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (title, message) in places {
        by_message.entry(message).or_default().push(title);
    }
    html! { ul { @for (message, titles) in by_message {
        li { @if !message.is_empty() { (visible(message)) ": " } span.note { (titles.iter().map(|t| visible(t)).collect::<Vec<_>>().join(", ")) } }
    } } }
}

/// The command, the inputs and the settings.
pub fn reproduce(atlas: &Atlas) -> Markup {
    let report = &atlas.report;
    html! {
        p {
            "The same inputs, settings and version give the same numbers to the last bit on the same kind of processor, whatever the number of threads."
        }
        @if let Some(command) = &atlas.command { pre { code { (visible(command)) } } }
        @if !report.inputs.is_empty() {
            table.stack {
                thead { tr { th scope="col" { "input" } th scope="col" { "file" } th scope="col" { "shape" } th scope="col" { "sha256" } } }
                tbody { @for input in &report.inputs {
                    tr {
                        td data-label="input" { (visible(&input.role)) }
                        td data-label="file" { span.mono { (visible(&input.path)) } }
                        td.shape data-label="shape" { (input.shape.iter().map(usize::to_string).collect::<Vec<_>>().join(" × ")) }
                        td data-label="sha256" { span.digest.mono { (visible(&input.sha256)) } }
                    }
                } }
            }
        }
        details {
            summary { "All settings" }
            div.inner {
                table { tbody {
                    tr { td { "version" } td.mono { (env!("CARGO_PKG_VERSION")) } }
                    @for (key, value) in &report.settings { tr { td { (visible(key)) } td.mono { (visible(&setting(value))) } } }
                } }
            }
        }
    }
}

fn setting(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}
