//! How the log-volume of the decoder is distributed over the samples.

use super::histogram::Histogram;
use super::{Figure, Width};
use crate::error::Result;
use crate::report::atlas::Atlas;
use crate::report::extra::{numbers, scalar};
use crate::report::number::{measured, short};

/// From the estimate `log-volume`.
pub fn draw(atlas: &Atlas, width: Width) -> Result<Option<Figure>> {
    let Some(estimate) = atlas.report.estimate("log-volume") else { return Ok(None) };
    let histogram = estimate.extra.get("histogram");
    let edges = numbers(histogram.and_then(|h| h.get("edges"))).unwrap_or_default();
    let counts = numbers(histogram.and_then(|h| h.get("counts"))).unwrap_or_default();
    let mean = scalar(estimate);
    let marked = mean.map(|(value, error)| (value, format!("mean {}", measured(value, error))));
    let plot = Histogram { edges: &edges, counts: &counts, horizontal: "log-volume log |J| (nats)", marked, log: false };
    if !plot.is_sound() {
        return Ok(None);
    }
    let title = "Log-volume over the samples".to_string();
    let description = format!("Histogram from {} to {} nats.", short(edges[0]), short(edges[edges.len() - 1]));
    let svg = plot.draw(width, "log-volume", &title, &description);
    let caption = "By how much the decoder stretches volume, sample by sample. A narrow histogram means that the latent space is a fair \
                   map: equal latent volumes become equal volumes of data. A wide one means that the decoder packs some regions and \
                   spreads others, so straight lines and distances in latent space mislead."
        .into();
    Ok(Some(Figure { svg, title, caption }))
}
