//! The page: one file that needs no network and no script, for desktop, phone and print, in light and dark.

mod numbers;
mod prose;
mod trust;

use base64::Engine;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use super::atlas::Atlas;
use super::headline::{Verdict, headline};
use super::number::count;
use super::plot::{self, Figure, Section, Width};
use super::text::visible;
use crate::error::Result;

const STYLE: &str = include_str!("page.css");

/// A part of a page.
pub(crate) struct Part {
    /// Its anchor.
    pub id: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// What it holds.
    pub body: Markup,
}

/// The page as HTML. Foreign names are escaped, and the page's own policy forbids it to load or run anything.
///
/// # Errors
/// A plot that cannot be encoded.
pub fn page(atlas: &Atlas) -> Result<String> {
    let mut figures = Figures { atlas, drawn: 0 };
    let mut parts = Vec::new();
    for (id, title, section, introduction) in SECTIONS {
        if let Some(body) = figures.of(*section)? {
            parts.push(Part { id, title, body: html! { p { (introduction) } (body) } });
        }
    }
    parts.push(Part { id: "numbers", title: "All numbers", body: numbers::section(atlas) });
    parts.push(Part { id: "trust", title: "Can the numbers be trusted?", body: trust::section(atlas) });
    parts.push(Part { id: "reproduce", title: "Settings and how to reproduce", body: trust::reproduce(atlas) });
    if !atlas.report.citations.is_empty() {
        let body = html! { ol.references { @for citation in &atlas.report.citations { li { (visible(citation)) } } } };
        parts.push(Part { id: "references", title: "References", body });
    }
    let name = visible(&atlas.name);
    let title = format!("{name} · latent atlas");
    Ok(document(&title, &header(atlas, &name), &summary(atlas), &parts, "The same numbers stand in report.json beside it."))
}

/// A page of parts, which its contents list: what stands above them, and a last sentence.
pub(crate) fn document(title: &str, header: &Markup, summary: &Markup, parts: &[Part], last: &str) -> String {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy());
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="generator" content=(concat!("latlas ", env!("CARGO_PKG_VERSION")));
                meta name="color-scheme" content="light dark";
                title { (title) }
                link rel="icon" href="data:,";
                style { (PreEscaped(STYLE)) }
            }
            body {
                nav aria-label="Contents" { ol { @for part in parts { li { a href={ "#" (part.id) } { (part.title) } } } } }
                div.sheet {
                    (header)
                    main {
                        (summary)
                        @for part in parts {
                            section aria-labelledby=(part.id) { h2 id=(part.id) { (part.title) } (part.body) }
                        }
                    }
                    footer {
                        "Made by Latlas " (env!("CARGO_PKG_VERSION")) ". This page is one file; it runs no script and loads nothing. " (last)
                    }
                }
            }
        }
    };
    markup.into_string()
}

/// The sections that plots make.
const SECTIONS: &[(&str, &str, Section, &str)] = &[
    (
        "entropy",
        "How much each direction carries",
        Section::Entropy,
        "The entropy of a latent direction is a non-linear log standard deviation: how far the data moves, on average, as the latent runs through its prior.",
    ),
    (
        "overlap",
        "What directions share",
        Section::Overlap,
        "Two latents are entangled where they move the data along the same directions. Mutual information counts that in nats: 0 where the directions are orthogonal everywhere, 0.14 at 60°, 0.35 at 45°, without bound as they become parallel. In many dimensions even random directions are nearly orthogonal, so every value is shown beside what chance alone gives.",
    ),
    (
        "directions",
        "What each direction does",
        Section::Directions,
        "The same latents, in the same order, seen through the decoder: first along the whole latent, then as its average effect.",
    ),
    ("plane", "The latent plane", Section::Plane, "Two latents can be drawn whole; of more, a plane through three points."),
    (
        "spectrum",
        "Stretching and conditioning",
        Section::Spectrum,
        "How the decoder deforms small pieces of latent space, independent of how the latent axes are turned.",
    ),
    (
        "codes",
        "What codes say of factors",
        Section::Codes,
        "Codes of data with known factors: whether each code holds one factor, each factor sits in one code, and how well factors can be read out. Scores of axes depend on how the codes are turned, which no likelihood can tell.",
    ),
];

/// Nothing but this style and images inside the page itself.
fn policy() -> String {
    let digest = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(STYLE));
    format!("default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'")
}

fn header(atlas: &Atlas, name: &str) -> Markup {
    let report = &atlas.report;
    let outputs: usize = atlas.ambient_shape.iter().product();
    let shape = atlas.ambient_shape.iter().map(usize::to_string).collect::<Vec<_>>().join(" × ");
    let samples = report.estimates.iter().map(|e| e.n_seen).max();
    let model = report.inputs.iter().find(|input| input.path == atlas.name);
    let setting = |key: &str| report.settings.get(key).and_then(|v| v.as_str()).map(visible);
    html! {
        header {
            p.kicker { b { "Latlas" } " · atlas of a latent space" }
            h1 { (name) }
            dl.facts {
                @if atlas.latent_dim > 0 {
                    div { dt { "latents d" } dd { (count(atlas.latent_dim)) } }
                    div { dt { "outputs D" } dd { (count(outputs)) @if atlas.ambient_shape.len() > 1 { " " small { (shape) } } } }
                }
                @if let Some(n) = samples {
                    div { dt { "samples N" } dd { (count(n)) @if let Some(from) = setting("sampling") { " " small { (from_where(&from)) } } } }
                }
                @if let Some(dtype) = setting("dtype").filter(|_| atlas.latent_dim > 0) { div { dt { "decoder runs in" } dd { (dtype) } } }
                @if let Some(model) = model {
                    div { dt { "sha256" } dd.mono title=(visible(&model.sha256)) { (visible(&model.sha256).chars().take(12).collect::<String>()) "…" } }
                }
            }
        }
    }
}

fn from_where(sampling: &str) -> String {
    match sampling {
        "prior" => "from the prior".into(),
        "data" => "codes of the data".into(),
        "given" => "given".into(),
        other => other.into(),
    }
}

fn summary(atlas: &Atlas) -> Markup {
    let said = headline(atlas);
    let (class, mark, word) = match said.verdict {
        Verdict::Sound => ("verdict sound", "✓", "Sound"),
        Verdict::Care => ("verdict care", "!", "With care"),
        Verdict::Doubt => ("verdict doubt", "✕", "In doubt"),
    };
    html! {
        div.headline {
            p.lead { (said.lead) }
            @if !said.more.is_empty() { p { (said.more.join(" ")) } }
            div class=(class) {
                span.mark role="img" aria-label=(word) { (mark) }
                p { (said.because) " " a href="#trust" { "See what was checked." } }
            }
        }
    }
}

/// A plot with its number and caption, in two widths of which the style shows one.
pub(crate) fn figure(id: &str, number: usize, wide: Figure, narrow: Figure) -> Markup {
    html! {
        figure id={ "figure-" (id) } {
            div.wide { (PreEscaped(wide.svg)) }
            div.narrow { (PreEscaped(narrow.svg)) }
            figcaption { b { "Figure " (number) ". " (wide.title) "." } " " (wide.caption) }
        }
    }
}

/// Draws the plots of a page in order and numbers them.
struct Figures<'a> {
    atlas: &'a Atlas,
    drawn: usize,
}

impl Figures<'_> {
    /// The figures of a section; `None` where the atlas has nothing for it.
    fn of(&mut self, section: Section) -> Result<Option<Markup>> {
        let mut drawn = Vec::new();
        for entry in plot::TABLE.iter().filter(|entry| entry.section == section) {
            if let Some((wide, narrow)) = (entry.draw)(self.atlas, Width::Wide)?.zip((entry.draw)(self.atlas, Width::Narrow)?) {
                self.drawn += 1;
                let number = self.drawn;
                drawn.push(figure(entry.id, number, wide, narrow));
            }
        }
        Ok((!drawn.is_empty()).then(|| html! { @for figure in drawn { (figure) } }))
    }
}
