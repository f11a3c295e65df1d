//! Traversals: what the decoder makes while one latent moves and the others stay at the prior's mean.

use ndarray::Axis;

use super::strips::{self, index_axis, legend, plus_minus, step_label};
use super::svg::{Anchor, LABEL, SMALL, Svg};
use super::{Figure, Width};
use crate::error::Result;
use crate::report::atlas::{Atlas, Base, Picture, Traversals};
use crate::report::extra::entry;
use crate::report::number::measured;

/// From the traversals of the atlas: pictures where the output is one, else strips of changes.
pub fn draw(atlas: &Atlas, width: Width) -> Result<Option<Figure>> {
    let Some(traversals) = atlas.traversals.as_ref().filter(|t| !t.latents.is_empty()) else { return Ok(None) };
    let title = "What each latent does".to_string();
    let shown = traversals.latents.len();
    let of = if shown < atlas.latent_dim {
        format!("The {shown} latents of highest entropy, of {}.", atlas.latent_dim)
    } else {
        match shown {
            1 => "The only latent.".into(),
            2 => "Both latents, in order of entropy.".into(),
            _ => format!("All {shown} latents, in order of entropy."),
        }
    };
    let reach = traversals.steps.last().copied().unwrap_or(0.0);
    let rest = match traversals.base {
        Base::Mean => "the others stay at its mean, so the middle is the same in all rows",
        Base::Draw => "the others stay at one draw from it (with this many latents the mean is no typical point)",
    };
    let moved = format!(
        "In each row one latent moves from {} to {} standard deviations of the prior while {rest}.",
        step_label(-reach),
        step_label(reach)
    );
    Ok(Some(if let Some(picture) = &atlas.picture {
        let description = format!("{of} Rows of decoded pictures.");
        let svg = pictures(atlas, traversals, picture, width, &title, &description)?;
        let guess = if picture.shape.guessed { " (guessed from the length of the output; --image sets it)" } else { "" };
        let caption = format!(
            "{of} {moved} A row in which nothing changes is a latent that the decoder ignores there. Pictures are {} pixels{guess}; {}.",
            picture.shape.words(),
            picture.range.words()
        );
        Figure { svg, title, caption }
    } else {
        let description = format!("{of} Strips of changes of the outputs.");
        let svg = changes(atlas, traversals, width, &title, &description)?;
        let caption = format!(
            "{of} {moved} Colour is the change of each output against the middle of the row: red is more, blue is less, white is no \
             change. Each strip has its own scale, written beside it, in data units."
        );
        Figure { svg, title, caption }
    }))
}

/// Room for the names of rows on a wide page; on a narrow one they stand above their rows.
const NAMES: f64 = 104.0;

/// Where names stand and where rows begin and end.
fn columns(width: Width) -> (f64, f64, f64) {
    match width {
        Width::Wide => (NAMES, width.pixels(), 0.0),
        Width::Narrow => (0.0, width.pixels(), 22.0),
    }
}

fn name_row(svg: &mut Svg, atlas: &Atlas, latent: usize, width: Width, top: f64, height: f64, more: Option<&str>) {
    let name = format!("latent {latent}");
    let entropy = atlas.report.estimate("manifold-entropy").and_then(|e| entry(e, latent));
    let entropy = entropy.map(|(value, error)| format!("H = {}", measured(value, error).to_string().split(' ').next().unwrap_or("")));
    let lines = [entropy.as_deref(), more];
    match width {
        Width::Wide => {
            let count = 1 + lines.iter().flatten().count();
            let mut y = top + height / 2.0 - 8.0 * (count as f64 - 1.0) + 4.0;
            svg.text((0.0, y), Anchor::Start, LABEL, &name);
            for line in lines.into_iter().flatten() {
                y += 16.0;
                svg.text((0.0, y), Anchor::Start, SMALL, line);
            }
        }
        Width::Narrow => {
            svg.text((0.0, top - 6.0), Anchor::Start, LABEL, &name);
            let rest: Vec<&str> = lines.into_iter().flatten().collect();
            svg.text((width.pixels(), top - 6.0), Anchor::End, SMALL, &rest.join(" · "));
        }
    }
}

fn pictures(atlas: &Atlas, traversals: &Traversals, picture: &Picture, width: Width, title: &str, description: &str) -> Result<String> {
    let (left, right, above) = columns(width);
    // A phone shows fewer, so that each can be seen.
    let all: Vec<usize> = (0..traversals.steps.len()).collect();
    let chosen = if width == Width::Narrow && all.len() == 11 { vec![0, 1, 3, 5, 7, 9, 10] } else { all };
    let pitch = (right - left) / chosen.len() as f64;
    let cell = pitch - if width == Width::Wide { 4.0 } else { 3.0 };
    let cell_height = (cell * picture.shape.height as f64 / picture.shape.width as f64).min(3.0 * cell);
    let row_height = cell_height + 4.0 + above;
    let top = 24.0;
    let height = top + row_height * traversals.latents.len() as f64 + 24.0;
    let mut svg = Svg::new(&width.id("traversals"), width.pixels(), height, title, description);
    for (place, step) in chosen.iter().enumerate() {
        let x = left + pitch * place as f64 + cell / 2.0;
        svg.text((x, 14.0), Anchor::Middle, SMALL, &step_label(traversals.steps[*step]));
    }
    for (row, latent) in traversals.latents.iter().enumerate() {
        let y = top + row_height * row as f64 + above;
        name_row(&mut svg, atlas, *latent, width, y, cell_height, None);
        for (place, step) in chosen.iter().enumerate() {
            let values = traversals.decoded.index_axis(Axis(0), row).row(*step).to_vec();
            let uri = picture.shape.picture(&values, &picture.range).data_uri()?;
            let x = left + pitch * place as f64;
            let hint = format!("latent {latent} at {} sd", step_label(traversals.steps[*step]));
            svg.hinted(&hint, |svg| svg.image((x, y), (cell, cell_height), &uri, false));
        }
    }
    let axis = (f64::midpoint(left, right), height - 6.0);
    svg.text(axis, Anchor::Middle, LABEL, "position (standard deviations of the prior)");
    Ok(svg.finish())
}

fn changes(atlas: &Atlas, traversals: &Traversals, width: Width, title: &str, description: &str) -> Result<String> {
    let (names, right, above) = columns(width);
    let left = names + 34.0;
    let (steps, outputs) = (traversals.steps.len(), traversals.decoded.dim().2);
    let strip = 6.0 * steps as f64;
    let row_height = strip + 14.0 + above;
    let top = 44.0;
    let height = top + row_height * traversals.latents.len() as f64 + 38.0;
    let mut svg = Svg::new(&width.id("traversals"), width.pixels(), height, title, description);
    legend(&mut svg, (right - 170.0, 2.0), 170.0, ("less", "more"))?;
    for (row, latent) in traversals.latents.iter().enumerate() {
        let y = top + row_height * row as f64 + above;
        let decoded = traversals.decoded.index_axis(Axis(0), row);
        let change = &decoded - &decoded.row(steps / 2);
        let scale = strips::largest(&change);
        name_row(&mut svg, atlas, *latent, width, y, strip, Some(&plus_minus(scale)));
        svg.image((left, y), (right - left, strip), &strips::signed(change.view(), scale).data_uri()?, true);
        for (step, at) in [(steps - 1, y + 9.0), (steps / 2, y + strip / 2.0 + 4.0), (0, y + strip)] {
            svg.text((left - 6.0, at), Anchor::End, SMALL, &step_label(traversals.steps[step]));
        }
    }
    index_axis(&mut svg, (left, right), height - 38.0 - 8.0, outputs);
    Ok(svg.finish())
}
