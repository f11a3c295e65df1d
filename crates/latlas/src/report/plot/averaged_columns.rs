//! Averaged Jacobian columns: what each latent does to the data on average.

use ndarray::Axis;

use super::strips::{self, index_axis, legend, plus_minus};
use super::svg::{Anchor, LABEL, SMALL, Svg};
use super::{Figure, Width};
use crate::error::Result;
use crate::report::atlas::{Atlas, Columns};
use crate::report::image::Shape;
use crate::report::number::fixed;

/// From the averaged columns of the atlas: signed pictures where the output is one, else strips.
pub fn draw(atlas: &Atlas, width: Width) -> Result<Option<Figure>> {
    let Some(columns) = atlas.columns.as_ref().filter(|c| !c.latents.is_empty()) else { return Ok(None) };
    let title = "What each latent does on average".to_string();
    let shown = columns.latents.len();
    let description = format!("Mean Jacobian columns of {shown} latents in signed colours, each with a scale of its own.");
    let (svg, how) = match &atlas.picture {
        Some(picture) => {
            let channels = if picture.shape.channels == 3 { " (mean of the three channels)" } else { "" };
            (pictures(columns, &picture.shape, width, &title, &description)?, format!("pixel{channels}"))
        }
        None => (rows(columns, width, &title, &description)?, "output".into()),
    };
    let mut caption = format!(
        "The mean change of each {how} per unit of the latent: red rises, blue falls, white stays. Each latent has its own symmetric scale, \
         written below it in data units."
    );
    if width == Width::Narrow || atlas.picture.is_none() {
        caption = caption.replace("written below it", "written beside it");
    }
    if columns.coherence.is_some() {
        caption.push_str(
            " Coherence ‖E Jᵢ‖² / E ‖Jᵢ‖² is 1 if the latent does the same everywhere; near 0 it does different things in different places, \
             and its mean hides them.",
        );
    }
    if shown < atlas.latent_dim {
        caption = format!("{caption} Shown are the {shown} latents of highest entropy, of {}.", atlas.latent_dim);
    }
    Ok(Some(Figure { svg, title, caption }))
}

fn said(columns: &Columns, row: usize) -> Option<String> {
    columns.coherence.as_ref().map(|c| format!("coherence {}", fixed(c[row], 2)))
}

fn pictures(columns: &Columns, shape: &Shape, width: Width, title: &str, description: &str) -> Result<String> {
    let across = if width == Width::Wide { columns.latents.len().clamp(4, 6) } else { 3 };
    let gap = if width == Width::Wide { 18.0 } else { 12.0 };
    let cell = ((width.pixels() + gap) / across as f64 - gap).min(132.0);
    let cell_height = (cell * shape.height as f64 / shape.width as f64).min(3.0 * cell);
    let (top, row_height) = (40.0, cell_height + 66.0);
    let rows = columns.latents.len().div_ceil(across);
    let height = top + row_height * rows as f64 - 10.0;
    let mut svg = Svg::new(&width.id("averaged-columns"), width.pixels(), height, title, description);
    legend(&mut svg, (0.0, 2.0), width.pixels().min(170.0), ("falls", "rises"))?;
    for (row, latent) in columns.latents.iter().enumerate() {
        let x = (cell + gap) * (row % across) as f64;
        let y = top + row_height * (row / across) as f64;
        let values = columns.mean.row(row).to_vec();
        let scale = Some(shape.signed_scale(&values)).filter(|s| *s > 0.0).unwrap_or(1.0);
        svg.image((x, y), (cell, cell_height), &shape.signed(&values, scale).data_uri()?, false);
        svg.outline((x, y), (cell, cell_height), crate::report::colour::RULE);
        svg.text((x, y + cell_height + 16.0), Anchor::Start, LABEL, &format!("latent {latent}"));
        svg.text((x, y + cell_height + 31.0), Anchor::Start, SMALL, &plus_minus(scale));
        if let Some(said) = said(columns, row) {
            svg.text((x, y + cell_height + 46.0), Anchor::Start, SMALL, &said);
        }
    }
    Ok(svg.finish())
}

fn rows(columns: &Columns, width: Width, title: &str, description: &str) -> Result<String> {
    let narrow = width == Width::Narrow;
    let (left, right, above) = if narrow { (0.0, width.pixels(), 18.0) } else { (220.0, width.pixels(), 0.0) };
    let strip = 20.0;
    let row_height = strip + 8.0 + above;
    let top = 44.0;
    let height = top + row_height * columns.latents.len() as f64 + 38.0;
    let mut svg = Svg::new(&width.id("averaged-columns"), width.pixels(), height, title, description);
    legend(&mut svg, (right - 170.0, 2.0), 170.0, ("falls", "rises"))?;
    for (row, latent) in columns.latents.iter().enumerate() {
        let y = top + row_height * row as f64 + above;
        let mean = columns.mean.row(row).insert_axis(Axis(0));
        let scale = strips::largest(mean);
        svg.image((left, y), (right - left, strip), &strips::signed(mean, scale).data_uri()?, true);
        let text = [Some(plus_minus(scale)), said(columns, row)].into_iter().flatten().collect::<Vec<_>>().join(" · ");
        let line = if narrow { y - 5.0 } else { y + 14.0 };
        svg.text((0.0, line), Anchor::Start, LABEL, &format!("latent {latent}"));
        svg.text((if narrow { right } else { left - 10.0 }, line), Anchor::End, SMALL, &text);
    }
    index_axis(&mut svg, (left, right), height - 38.0 - 4.0, columns.mean.ncols());
    Ok(svg.finish())
}
