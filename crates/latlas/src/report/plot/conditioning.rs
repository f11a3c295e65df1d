//! How the condition number of the Jacobian is distributed over the samples.

use super::histogram::Histogram;
use super::{Figure, Width};
use crate::error::Result;
use crate::report::atlas::Atlas;
use crate::report::extra::{at, find, numbers};
use crate::report::number::{count, short};

/// From `condition_number` of the estimate `jacobian-spectrum`; its histogram has logarithmic bins.
pub fn draw(atlas: &Atlas, width: Width) -> Result<Option<Figure>> {
    let Some(estimate) = atlas.report.estimate("jacobian-spectrum") else { return Ok(None) };
    let edges = numbers(find(estimate, &["condition_number", "histogram", "log_edges"])).unwrap_or_default();
    let counts = numbers(find(estimate, &["condition_number", "histogram", "counts"])).unwrap_or_default();
    let marked = at(estimate, &["condition_number", "median"]).map(|median| (median, format!("median {}", short(median))));
    let plot = Histogram { edges: &edges, counts: &counts, horizontal: "condition number σ₁/σₖ", marked, log: true };
    if !plot.is_sound() {
        return Ok(None);
    }
    let title = "Condition number over the samples".to_string();
    let (low, high) = (edges[0].exp(), edges[edges.len() - 1].exp());
    let description = format!("Histogram from {} to {}.", short(low), short(high));
    let svg = plot.draw(width, "conditioning", &title, &description);
    let mut caption = "How many times further the decoder moves in its strongest direction than in its weakest, sample by sample. At 1 it \
                       is a similarity. Beyond about 10⁶ a decoder in single precision leaves few digits in its weak directions."
        .to_string();
    if let Some(infinite) = at(estimate, &["condition_number", "infinite"]).filter(|n| *n > 0.0) {
        caption = format!("{caption} At {} samples the Jacobian loses rank; they are not in the picture.", count(infinite as usize));
    }
    Ok(Some(Figure { svg, title, caption }))
}
