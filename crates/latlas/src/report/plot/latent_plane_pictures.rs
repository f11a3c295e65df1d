//! The latent plane as pictures: what the decoder makes at every place of it.

use ndarray::Axis;

use super::axes::{Frame, Scale};
use super::latent_plane::anchors;
use super::svg::{Anchor, LABEL, SMALL, Svg};
use super::{Figure, Width};
use crate::error::Result;
use crate::report::atlas::Atlas;
use crate::report::colour::INK;

/// From the decoded grid of the plane, if outputs are pictures.
pub fn draw(atlas: &Atlas, width: Width) -> Result<Option<Figure>> {
    let Some((plane, picture)) = atlas.plane.as_ref().zip(atlas.picture.as_ref()) else { return Ok(None) };
    let Some(decoded) = plane.decoded.as_ref().filter(|d| !d.is_empty()) else { return Ok(None) };
    let title = "The latent plane, decoded".to_string();
    let (rows, columns, _) = decoded.dim();
    let description = format!("{rows} by {columns} decoded pictures over the same region as the map.");

    let left = if width == Width::Wide { 58.0 } else { 44.0 };
    let side = if width == Width::Wide { 540.0 } else { width.pixels() - left - 16.0 };
    let [across, up] = plane.extent;
    let tall = (side * (up.1 - up.0) / (across.1 - across.0)).clamp(0.5 * side, 1.3 * side);
    let frame = Frame { left, top: 10.0, right: left + side, bottom: 10.0 + tall };
    let mut svg = Svg::new(&width.id("latent-plane-pictures"), width.pixels(), frame.bottom + 48.0, &title, &description);
    // On a phone the middle one of every three pictures each way, three times as large.
    let block = if width == Width::Narrow && rows.is_multiple_of(3) && columns.is_multiple_of(3) { 3 } else { 1 };
    let size = (side / (columns / block) as f64, tall / (rows / block) as f64);
    svg.rect((frame.left, frame.top), (side, tall), "#000000", 0.0);
    for row in (block / 2..rows).step_by(block) {
        for column in (block / 2..columns).step_by(block) {
            let uri = picture.shape.picture(&decoded.index_axis(Axis(0), row).row(column).to_vec(), &picture.range).data_uri()?;
            let corner = (frame.left + size.0 * (column / block) as f64, frame.bottom - size.1 * (row / block + 1) as f64);
            svg.image((corner.0 + 1.0, corner.1 + 1.0), (size.0 - 2.0, size.1 - 2.0), &uri, false);
        }
    }
    svg.outline((frame.left, frame.top), (side, tall), INK);
    let (x, y) = (Scale::linear(across, frame.across()), Scale::linear(up, frame.upwards()));
    anchors(&mut svg, plane, &x, &y);
    let [bottom, side_name] = plane.axes();
    frame.bottom_axis(&mut svg, &x, bottom, 7);
    for tick in y.ticks(7) {
        svg.line((frame.left - 4.0, y.at(tick.at)), (frame.left, y.at(tick.at)), INK, 1.0);
        svg.text((frame.left - 8.0, y.at(tick.at) + 4.0), Anchor::End, SMALL, &tick.label);
    }
    svg.upwards((frame.left - if width == Width::Wide { 38.0 } else { 32.0 }, f64::midpoint(frame.top, frame.bottom)), LABEL, side_name);
    let caption =
        "The same region as the map above: each picture is decoded from the point at its centre. Compare the two: bright ridges of \
                   the map are where neighbouring pictures differ."
            .into();
    Ok(Some(Figure { svg: svg.finish(), title, caption }))
}
