//! Averaged Jacobian columns of every class, below the mean of what the class decodes to.

use super::strips::plus_minus;
use super::svg::{Anchor, LABEL, SMALL, Svg, text_width};
use super::{Figure, Width};
use crate::error::Result;
use crate::report::atlas::{Atlas, ClassColumns};
use crate::report::colour::RULE;
use crate::report::number::fixed;

/// Classes that have room beside each other.
const MOST: usize = 12;

/// From the averaged columns of a run over classes, where the output is a picture.
pub fn draw(atlas: &Atlas, width: Width) -> Result<Option<Figure>> {
    let (Some(picture), Some(columns)) = (&atlas.picture, &atlas.columns) else { return Ok(None) };
    let classes: Vec<&ClassColumns> = columns.classes.iter().take(MOST).collect();
    if classes.len() < 2 || columns.latents.is_empty() {
        return Ok(None);
    }
    let shape = &picture.shape;
    let (latents, all) = (columns.latents.len(), columns.classes.len());
    let title = "What each latent does, class by class".to_string();
    let description = format!("Mean Jacobian columns of {latents} latents for {} classes, in signed colours.", classes.len());
    let wide = width == Width::Wide;
    let (left, gap) = if wide { (92.0, 8.0) } else { (58.0, 3.0) };
    let cell = ((width.pixels() - left + gap) / classes.len() as f64 - gap).min(if wide { 96.0 } else { 64.0 });
    let tall = (cell * shape.height as f64 / shape.width as f64).min(3.0 * cell);
    let with_means = classes.iter().all(|class| class.mean.is_some());
    let (top, row_height) = (24.0, (tall + gap).max(if wide { 36.0 } else { 32.0 }));
    let rows = latents + usize::from(with_means);
    let mut svg = Svg::new(&width.id("columns-by-class"), width.pixels(), top + row_height * rows as f64 + gap, &title, &description);
    let place = |row: usize, column: usize| (left + (cell + gap) * column as f64, top + row_height * row as f64);
    for (column, class) in classes.iter().enumerate() {
        let (x, _) = place(0, column);
        // Long names would run into each other.
        let name: String = class.name.chars().take(12).collect();
        if text_width(&name, SMALL.size) <= cell + gap {
            svg.text((x + cell / 2.0, top - 8.0), Anchor::Middle, SMALL, &name);
        }
    }
    svg.text((0.0, top - 8.0), Anchor::Start, SMALL, "class");
    if with_means {
        svg.text((0.0, top + row_height / 2.0), Anchor::Start, LABEL, "mean");
        for (column, mean) in classes.iter().filter_map(|class| class.mean.as_ref()).enumerate() {
            let corner = place(0, column);
            svg.image(corner, (cell, tall), &shape.picture(mean, &picture.range).data_uri()?, false);
            svg.outline(corner, (cell, tall), RULE);
        }
    }
    for (k, latent) in columns.latents.iter().enumerate() {
        let row = k + usize::from(with_means);
        let of = |class: &ClassColumns| class.columns.row(k).to_vec();
        let scale = classes.iter().map(|class| shape.signed_scale(&of(class))).fold(0.0, f64::max);
        let scale = if scale > 0.0 { scale } else { 1.0 };
        let (_, y) = place(row, 0);
        svg.text(
            (0.0, y + row_height / 2.0 - 5.0),
            Anchor::Start,
            LABEL,
            &if wide { format!("latent {latent}") } else { latent.to_string() },
        );
        svg.text((0.0, y + row_height / 2.0 + 10.0), Anchor::Start, SMALL, &plus_minus(scale));
        for (column, class) in classes.iter().enumerate() {
            let corner = place(row, column);
            let coherence = class.coherence.as_ref().map_or_else(String::new, |c| format!(", coherence {}", fixed(c[k], 2)));
            let uri = shape.signed(&of(class), scale).data_uri()?;
            svg.hinted(&format!("class {}, latent {latent}{coherence}", class.name), |svg| {
                svg.image(corner, (cell, tall), &uri, false);
                svg.outline(corner, (cell, tall), RULE);
            });
        }
    }
    let mut caption = String::new();
    if with_means {
        caption.push_str("On top what each class looks like on average. ");
    }
    caption.push_str(
        "Below, row by row, the mean change of each pixel per unit of a latent: red rises, blue falls, white stays. A row has one symmetric scale, \
         written at its left in data units, so that classes can be compared. A latent that does the same in every class models one thing.",
    );
    if let Some(said) = coherence(&classes) {
        caption.push_str(&said);
    }
    if all > classes.len() {
        caption.push_str(&format!(" Shown are the first {} of {all} classes.", classes.len()));
    }
    if latents < atlas.latent_dim {
        caption.push_str(&format!(" Shown are the {latents} latents of highest entropy, of {}.", atlas.latent_dim));
    }
    Ok(Some(Figure { svg: svg.finish(), title, caption }))
}

/// The range of coherences over classes and latents.
fn coherence(classes: &[&ClassColumns]) -> Option<String> {
    let all: Vec<f64> = classes.iter().flat_map(|class| class.coherence.iter().flatten().copied()).filter(|c| c.is_finite()).collect();
    let (low, high) = all.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h): (f64, f64), c| (l.min(*c), h.max(*c)));
    (!all.is_empty()).then(|| {
        format!(
            " Coherence ‖E Jᵢ‖² / E ‖Jᵢ‖² within classes lies between {} and {}; where it is low, the mean hides a direction that turns.",
            fixed(low, 2),
            fixed(high, 2)
        )
    })
}
