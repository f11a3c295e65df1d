//! Samples: what the decoder makes of the first latents of the run.

use super::svg::{Anchor, SMALL, Svg};
use super::{Figure, Width};
use crate::error::Result;
use crate::report::atlas::Atlas;

/// From the samples of the atlas, where the output is a picture.
pub fn draw(atlas: &Atlas, width: Width) -> Result<Option<Figure>> {
    let (Some(samples), Some(picture)) = (&atlas.samples, &atlas.picture) else { return Ok(None) };
    let title = "What the decoder makes".to_string();
    let columns = if width == Width::Wide { 12 } else { 6 };
    let pitch = width.pixels() / columns as f64;
    let cell = pitch - 4.0;
    let cell_height = (cell * picture.shape.height as f64 / picture.shape.width as f64).min(3.0 * cell);
    let row_height = cell_height + 18.0;
    let height = row_height * samples.nrows().div_ceil(columns) as f64;
    let description = format!("{} decoded samples.", samples.nrows());
    let mut svg = Svg::new(&width.id("samples"), width.pixels(), height, &title, &description);
    for (index, values) in samples.outer_iter().enumerate() {
        let (x, y) = (pitch * (index % columns) as f64, row_height * (index / columns) as f64);
        let uri = picture.shape.picture(&values.to_vec(), &picture.range).data_uri()?;
        svg.image((x, y), (cell, cell_height), &uri, picture.shape.width < 48);
        svg.text((x + cell / 2.0, y + cell_height + 12.0), Anchor::Middle, SMALL, &index.to_string());
    }
    let caption = format!("The first {} samples of this run, decoded; the number is the sample's. Nothing was selected.", samples.nrows());
    Ok(Some(Figure { svg: svg.finish(), title, caption }))
}
