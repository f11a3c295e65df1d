//! A reproduction as a page: the claims with their verdicts, the picture, the numbers side by side.

use maud::{Markup, html};

use super::figure::draw;
use super::{Experiment, Reproduction, Series};
use crate::report::html::{Part, document, figure};
use crate::report::number::fixed;
use crate::report::plot::Width;
use crate::report::text::visible;

/// The page; `command` is what made it.
pub fn page(experiment: &Experiment, found: &Reproduction, command: &str) -> String {
    let holding = found.findings.iter().filter(|finding| finding.holds).count();
    let seeds = found.series.first().and_then(|series| series.values.first()).map_or(0, Vec::len);
    let header = html! {
        header {
            p.kicker { b { "Latlas" } " · a published experiment, done again" }
            h1 { (experiment.title) }
            dl.facts {
                div { dt { "cases" } dd { (found.axis.len()) } }
                div { dt { "seeds" } dd { (seeds) } }
                div { dt { "seconds" } dd { (fixed(found.seconds, 0)) } }
            }
        }
    };
    let summary = html! {
        div.headline {
            p.lead { (holding) " of " (found.findings.len()) " published claims hold here." }
            @if found.quick { p { b { "This is the quick form: it shows that the machine runs, and not what was published." } } }
            p { (experiment.about) }
        }
    };
    let parts = [
        Part { id: "claims", title: "What was claimed, and what we found", body: claims(found) },
        Part {
            id: "picture",
            title: "Published and obtained",
            body: figure(found.id, 1, draw(found, Width::Wide), draw(found, Width::Narrow)),
        },
        Part { id: "numbers", title: "All numbers", body: numbers(found) },
        Part { id: "settings", title: "Settings and how to reproduce", body: settings(found, command) },
        Part { id: "references", title: "References", body: html! { ol.references { li { (experiment.source) } } } },
    ];
    document(
        &format!("{} · latlas reproduce", experiment.title),
        &header,
        &summary,
        &parts,
        "The numbers of every seed stand in reproduction.json beside it.",
    )
}

fn claims(found: &Reproduction) -> Markup {
    html! {
        table.stack {
            thead { tr { th scope="col" { "claim" } th scope="col" { "holds here" } } }
            tbody { @for finding in &found.findings {
                tr {
                    td.whole { span.name { (finding.claim) } span.sub { (finding.because) } }
                    td data-label="holds here" { @if finding.holds { span.pass { "✓ yes" } } @else { span.fail { "✕ no" } } }
                }
            } }
        }
    }
}

fn numbers(found: &Reproduction) -> Markup {
    let interval = |series: &Series, case: usize| {
        series.mean(case).1.map_or_else(|| "—".into(), |(low, high)| format!("{} to {}", fixed(low, 3), fixed(high, 3)))
    };
    let or_dash = |x: Option<f64>| x.map_or_else(|| "—".to_string(), |x| fixed(x, 3));
    html! {
        p { (visible(found.vertical)) "." }
        table.stack {
            thead { tr {
                th scope="col" { "case" } th scope="col" { "quantity" }
                th.number scope="col" { "published" } th.number scope="col" { "truth" } th.number scope="col" { "obtained" } th.number scope="col" { "95 % interval" }
            } }
            tbody { @for case in 0..found.axis.len() { @for series in &found.series {
                tr {
                    td data-label="case" { (visible(&found.axis.word(case))) }
                    td data-label="quantity" { (series.name) }
                    td.number data-label="published" { (or_dash(series.published[case])) }
                    td.number data-label="truth" { (or_dash(series.truth)) }
                    td.number data-label="obtained" { (fixed(series.mean(case).0, 3)) }
                    td.number data-label="95 % interval" { (interval(series, case)) }
                }
            } } }
        }
    }
}

fn settings(found: &Reproduction, command: &str) -> Markup {
    html! {
        p { "The command" }
        pre { code { (visible(command)) } }
        p { "and the settings of the first case and seed, as " code { "latlas train --settings" } " takes them:" }
        pre { code { (found.settings) } }
    }
}
