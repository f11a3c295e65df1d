//! Which latent of one model is which of another: mean cos² of all pairs, in the order of the best matching.

use serde_json::Value as Json;

use super::axes::{Frame, Scale};
use super::svg::{Anchor, Font, LABEL, SMALL, Svg};
use super::{Figure, Width};
use crate::error::Result;
use crate::estimate::Estimate;
use crate::report::atlas::Atlas;
use crate::report::colour::{INK, Map};
use crate::report::extra::{find, numbers};
use crate::report::image::Raster;
use crate::report::number::fixed;

/// Up to this many latents every one of them has a tick.
const TICKED: usize = 24;
/// Up to this many, cells carry their number.
const NUMBERED: usize = 12;

/// Of the first of the other models.
pub fn draw(atlas: &Atlas, width: Width) -> Result<Option<Figure>> {
    let Some(estimate) = atlas.report.estimate("cross-mutual-information") else { return Ok(None) };
    let Some(cosines) = first_block(estimate).filter(|rows| !rows.is_empty() && !rows[0].is_empty()) else { return Ok(None) };
    let (rows, columns) = order(atlas, cosines.len(), cosines[0].len());
    let matched = atlas.report.estimate("dimension-matching").is_some();
    let title = "Which latent of one model is which of the other".to_string();
    let description = format!("Mean squared cosines between {} and {} latents at the same data.", rows.len(), columns.len());

    let wide = width == Width::Wide;
    let left = 62.0;
    let room = width.pixels() - left - if wide { 110.0 } else { 12.0 };
    let cell = (room / columns.len() as f64).min(if wide { 420.0 } else { 260.0 } / rows.len().max(columns.len()) as f64).min(56.0);
    let frame = Frame { left, top: 12.0, right: left + cell * columns.len() as f64, bottom: 12.0 + cell * rows.len() as f64 };
    let mut svg =
        Svg::new(&width.id("cross-cosines"), width.pixels(), frame.bottom + if wide { 54.0 } else { 110.0 }, &title, &description);
    let value = |row: usize, column: usize| cosines[rows[row]][columns[column]];
    let raster = Raster::draw(columns.len(), rows.len(), |column, row| Map::Cividis.at(value(row, column)));
    svg.image((frame.left, frame.top), (frame.right - frame.left, frame.bottom - frame.top), &raster.data_uri()?, true);
    svg.outline((frame.left, frame.top), (frame.right - frame.left, frame.bottom - frame.top), INK);
    if rows.len().max(columns.len()) <= NUMBERED && cell >= 30.0 {
        for row in 0..rows.len() {
            for column in 0..columns.len() {
                let at = (frame.left + cell * (column as f64 + 0.5), frame.top + cell * (row as f64 + 0.5) + 4.0);
                let fill = if value(row, column) > 0.5 { "#10243e" } else { "#ffffff" };
                svg.text(at, Anchor::Middle, Font { fill, ..SMALL }, &fixed(value(row, column), 2));
            }
        }
    }
    let step = |n: usize| n.div_ceil(TICKED);
    for row in (0..rows.len()).step_by(step(rows.len())) {
        svg.text((frame.left - 8.0, frame.top + cell * (row as f64 + 0.5) + 4.0), Anchor::End, SMALL, &rows[row].to_string());
    }
    for column in (0..columns.len()).step_by(step(columns.len())) {
        svg.text((frame.left + cell * (column as f64 + 0.5), frame.bottom + 16.0), Anchor::Middle, SMALL, &columns[column].to_string());
    }
    let names = find_names(atlas);
    svg.text((frame.left, frame.bottom + 38.0), Anchor::Start, LABEL, &format!("latents of {}", names.1));
    svg.upwards((18.0, f64::midpoint(frame.top, frame.bottom)), LABEL, &format!("latents of {}", names.0));
    bar(&mut svg, &frame, wide)?;

    let mut caption =
        "Mean cos² of the angle between what a latent of one model and a latent of the other do to the data at the same point: \
                       1 (yellow) if both move it along the same line, 0 (blue) if at right angles."
            .to_string();
    if matched {
        caption.push_str(" Columns stand in the order of the best matching, so that partners meet on the diagonal.");
    }
    if let Some(stability) = atlas.report.estimate("dimension-matching").and_then(crate::report::extra::scalar) {
        caption.push_str(&format!(" Stability over chance: {}.", crate::report::number::measured(stability.0, stability.1)));
    }
    Ok(Some(Figure { svg: svg.finish(), title, caption }))
}

/// Mean cos² against the first of the other models, row by row.
fn first_block(estimate: &Estimate) -> Option<Vec<Vec<f64>>> {
    let rows = find(estimate, &["mean_cos2", "value"])?.as_array()?;
    let end = find(estimate, &["models"])?.get(0)?.get("latents")?.get(1)?.as_u64()? as usize;
    rows.iter().map(|row| Some(numbers(Some(row))?.into_iter().take(end).collect())).collect()
}

/// Rows in their own order and columns in that of their partners; those without one come last.
fn order(atlas: &Atlas, n_rows: usize, n_columns: usize) -> (Vec<usize>, Vec<usize>) {
    let pairs = atlas.report.estimate("dimension-matching").and_then(|e| e.extra.get("pairs")).and_then(Json::as_array);
    let permutation = pairs.and_then(|pairs| pairs.first()?.get("permutation")?.as_array().cloned()).unwrap_or_default();
    let (mut rows, mut columns): (Vec<usize>, Vec<usize>) = (Vec::new(), Vec::new());
    for (row, partner) in permutation.iter().enumerate().take(n_rows) {
        if let Some(partner) = partner.as_u64().map(|j| j as usize).filter(|j| *j < n_columns && !columns.contains(j)) {
            rows.push(row);
            columns.push(partner);
        }
    }
    rows.extend((0..n_rows).filter(|row| !rows.contains(row)).collect::<Vec<_>>());
    columns.extend((0..n_columns).filter(|column| !columns.contains(column)).collect::<Vec<_>>());
    (rows, columns)
}

/// The names of the two models.
fn find_names(atlas: &Atlas) -> (String, String) {
    let compared = atlas.report.settings.get("compared").and_then(Json::as_array);
    let compared = compared.map(|names| names.iter().filter_map(|name| Some(name.as_str()?.to_string())).collect::<Vec<_>>());
    let of_role = |role: &str| atlas.report.inputs.iter().find(|input| input.role == role).map(|input| input.path.clone());
    match compared.as_deref() {
        Some([first, second, ..]) => (first.clone(), second.clone()),
        _ => (of_role("model").unwrap_or_else(|| "the model".into()), of_role("other").unwrap_or_else(|| "the other".into())),
    }
}

/// The legend: 0 to 1.
fn bar(svg: &mut Svg, frame: &Frame, wide: bool) -> Result<()> {
    if wide {
        let (x, top, height) = (frame.right + 24.0, frame.top + 20.0, (frame.bottom - frame.top - 20.0).clamp(60.0, 200.0));
        let raster = Raster::draw(1, 128, |_, row| Map::Cividis.at((127 - row) as f64 / 127.0));
        svg.image((x, top), (14.0, height), &raster.data_uri()?, false);
        let scale = Scale::linear((0.0, 1.0), (top + height, top));
        for tick in scale.ticks(5) {
            svg.text((x + 21.0, scale.at(tick.at) + 4.0), Anchor::Start, SMALL, &tick.label);
        }
        svg.text((x, top - 8.0), Anchor::Start, LABEL, "mean cos²");
    } else {
        let (y, right) = (frame.bottom + 72.0, frame.left + 200.0);
        let raster = Raster::draw(128, 1, |column, _| Map::Cividis.at(column as f64 / 127.0));
        svg.image((frame.left, y), (200.0, 12.0), &raster.data_uri()?, false);
        let scale = Scale::linear((0.0, 1.0), (frame.left, right));
        for tick in scale.ticks(5) {
            svg.text((scale.at(tick.at), y + 26.0), Anchor::Middle, SMALL, &tick.label);
        }
        svg.text((frame.left, y - 6.0), Anchor::Start, LABEL, "mean cos²");
    }
    Ok(())
}
