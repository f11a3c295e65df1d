//! Draws from the model: what it makes of random latents.

use super::svg::{Anchor, SMALL, Svg};
use super::{Figure, Width};
use crate::error::Result;
use crate::report::atlas::Atlas;

/// From the draws of the atlas, if outputs are pictures.
pub fn draw(atlas: &Atlas, width: Width) -> Result<Option<Figure>> {
    let Some((draws, picture)) = atlas.draws.as_ref().zip(atlas.picture.as_ref()).filter(|(d, _)| d.nrows() > 0) else { return Ok(None) };
    let title = "Draws from the model".to_string();
    let description = format!("{} pictures decoded from latents drawn from the prior.", draws.nrows());
    let (across, gap) = if width == Width::Wide { (8, 6.0) } else { (6, 4.0) };
    let cell = (width.pixels() + gap) / across as f64 - gap;
    let cell_height = (cell * picture.shape.height as f64 / picture.shape.width as f64).min(3.0 * cell);
    let row_height = cell_height + if width == Width::Wide { 18.0 } else { 16.0 };
    let height = row_height * draws.nrows().div_ceil(across) as f64;
    let mut svg = Svg::new(&width.id("draws"), width.pixels(), height, &title, &description);
    for (number, values) in draws.outer_iter().enumerate() {
        let (x, y) = ((cell + gap) * (number % across) as f64, row_height * (number / across) as f64);
        let uri = picture.shape.picture(&values.to_vec(), &picture.range).data_uri()?;
        svg.image((x, y), (cell, cell_height), &uri, false);
        svg.text((x + cell / 2.0, y + cell_height + 12.0), Anchor::Middle, SMALL, &number.to_string());
    }
    let caption = format!(
        "The first {} draws from the prior, decoded; draw k is sample k of the run. Pictures are {} pixels; {}.",
        draws.nrows(),
        picture.shape.words(),
        picture.range.words()
    );
    Ok(Some(Figure { svg: svg.finish(), title, caption }))
}
