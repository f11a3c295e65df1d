//! Geodesics as strips of pictures, each above the straight line between the same latents.

use super::svg::{Anchor, LABEL, SMALL, Svg};
use super::{Figure, Width};
use crate::error::Result;
use crate::report::atlas::{Atlas, GeodesicStrips, Picture, Strip};
use crate::report::number::{about, short};

/// Room for names on a wide page.
const NAMES: f64 = 112.0;

/// From the geodesics of the atlas, if outputs are pictures.
pub fn draw(atlas: &Atlas, width: Width) -> Result<Option<Figure>> {
    let Some((strips, picture)) = atlas.geodesics.as_ref().zip(atlas.picture.as_ref()).filter(|(g, _)| !g.pairs.is_empty()) else {
        return Ok(None);
    };
    let title = "Geodesics beside straight lines".to_string();
    let svg = paint(strips, picture, width, &title)?;
    let between = if strips.of_data { "codes of the data" } else { "draws from the prior" };
    let which = if strips.pairs.len() < strips.among {
        format!("Of {} pairs of {between}, those {} whose straight line is longest beside the geodesic.", strips.among, strips.pairs.len())
    } else {
        format!("Between {between}.")
    };
    let open: Vec<String> = strips
        .pairs
        .iter()
        .filter(|strip| !strip.status.is_converged())
        .map(|strip| {
            let reason = strip.status.reason().map_or(String::new(), |reason| format!(" ({})", reason.name()));
            format!("{}–{} is {}{reason}", strip.ends[0], strip.ends[1], strip.status.name())
        })
        .collect();
    let mut caption = format!(
        "{which} Pictures at equal times along the shortest curve under the embedding {}, and along the straight line in the latents. Equal steps \
         of the geodesic are equal changes of the output; a straight line may rush through some and stay long at others. L is the length in \
         units of the output.",
        strips.embedding
    );
    if !open.is_empty() {
        caption.push_str(&format!(" Not confirmed by the equation of geodesics, so an upper bound of the distance: {}.", open.join("; ")));
    }
    Ok(Some(Figure { svg, title, caption }))
}

fn paint(strips: &GeodesicStrips, picture: &Picture, width: Width, title: &str) -> Result<String> {
    let wide = width == Width::Wide;
    let steps = strips.pairs[0].geodesic.nrows();
    // A phone shows every second one, so that each can be seen.
    let chosen: Vec<usize> = (0..steps).step_by(if wide { 1 } else { 2 }).collect();
    let (left, above) = if wide { (NAMES, 0.0) } else { (0.0, 22.0) };
    let pitch = (width.pixels() - left) / chosen.len() as f64;
    let cell = pitch - 4.0;
    let tall = (cell * picture.shape.height as f64 / picture.shape.width as f64).min(3.0 * cell);
    let (row, gap) = (tall + 4.0 + above, 16.0);
    let top = 20.0;
    let height = top + (2.0 * row + gap) * strips.pairs.len() as f64 + 8.0;
    let words: Vec<String> = strips.pairs.iter().map(|s| format!("{}–{}: {}", s.ends[0], s.ends[1], short(s.length.0))).collect();
    let mut svg = Svg::new(&width.id("geodesic-strips"), width.pixels(), height, title, &format!("Lengths {}.", words.join(", ")));
    for (place, step) in chosen.iter().enumerate() {
        let label = short(*step as f64 / (steps - 1) as f64);
        svg.text((left + pitch * place as f64 + cell / 2.0, 12.0), Anchor::Middle, SMALL, &label);
    }
    for (k, strip) in strips.pairs.iter().enumerate() {
        let corner = top + (2.0 * row + gap) * k as f64;
        for (which, decoded) in [&strip.geodesic, &strip.straight].into_iter().enumerate() {
            let y = corner + row * which as f64 + above;
            name(&mut svg, strip, which == 0, width, (y, tall));
            for (place, step) in chosen.iter().enumerate() {
                let uri = picture.shape.picture(&decoded.row(*step).to_vec(), &picture.range).data_uri()?;
                svg.image((left + pitch * place as f64, y), (cell, tall), &uri, false);
            }
        }
    }
    Ok(svg.finish())
}

/// What a row is, and how long.
fn name(svg: &mut Svg, strip: &Strip, is_geodesic: bool, width: Width, (y, tall): (f64, f64)) {
    let length = if is_geodesic { strip.length.0 } else { strip.straight_length };
    let ends = format!("{} to {}", strip.ends[0], strip.ends[1]);
    let (kind, length) = (if is_geodesic { "geodesic" } else { "straight line" }, format!("L = {}", about(length, 4)));
    if width == Width::Wide {
        let middle = y + tall / 2.0;
        svg.text((0.0, middle - 2.0), Anchor::Start, LABEL, kind);
        svg.text((0.0, middle + 14.0), Anchor::Start, SMALL, &format!("{ends}, {length}"));
    } else {
        svg.text((0.0, y - 6.0), Anchor::Start, LABEL, &format!("{kind}, {ends}"));
        svg.text((width.pixels(), y - 6.0), Anchor::End, SMALL, &length);
    }
}
