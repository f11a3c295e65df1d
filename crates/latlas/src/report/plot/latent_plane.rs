//! A plane of latents: log-volume as a map, the data's codes on it.

use super::axes::{Frame, Scale, VALUE};
use super::svg::{Anchor, Font, LABEL, SMALL, Svg};
use super::{Figure, Width};
use crate::error::Result;
use crate::report::atlas::{Atlas, Plane};
use crate::report::colour::{CLASSES, INK, hex};
use crate::report::image::Raster;
use crate::report::maps::LayerScale;
use crate::report::number::{count, short};

/// Dots of one class when there are no labels, and their rim.
const PLAIN: &str = "#ffffff";
const RIM: &str = "#10151c";

/// From the plane of the atlas.
pub fn draw(atlas: &Atlas, width: Width) -> Result<Option<Figure>> {
    let Some((plane, (low, high))) = atlas.plane.as_ref().and_then(|plane| Some((plane, plane.log_volume.range?))) else { return Ok(None) };
    let title = "Map of the latent plane".to_string();
    let description = format!("log |J| from {} to {} nats over the plane, with {} codes.", short(low), short(high), plane.codes.nrows());
    let svg = paint(plane, (low, high), width, &title, &description)?;
    let mut caption = "Brightness is log |J|: how much the decoder stretches a small area there. In dark regions a step in latent space \
                       hardly changes the data, so much latent space holds little variety; bright ridges are where the decoder \
                       changes quickly from one kind of output to another."
        .to_string();
    if plane.prior.is_some() {
        caption.push_str(" Dotted circles: 1, 2 and 3 standard deviations of the prior.");
    }
    if let [a, b, c] = &plane.place.anchors[..] {
        caption = format!("{caption} The plane goes through A ({}), B ({}) and C ({}).", a.name, b.name, c.name);
    }
    if plane.codes.nrows() > 0 {
        let coloured = if is_coloured(plane) { ", coloured by label; the names stand at the middle of their classes" } else { "" };
        let share = if plane.codes.nrows() < plane.rows {
            format!("{} of {}", count(plane.codes.nrows()), count(plane.rows))
        } else {
            count(plane.rows)
        };
        let codes = if plane.prior.is_some() { "the codes" } else { "the feet on the plane of the codes" };
        caption = format!("{caption} Dots are {codes} of {share} rows of data{coloured}.");
    }
    Ok(Some(Figure { svg, title, caption }))
}

fn is_coloured(plane: &Plane) -> bool {
    (2..=CLASSES.len()).contains(&plane.classes.len()) && plane.labels.len() == plane.codes.nrows()
}

fn paint(plane: &Plane, (low, high): (f64, f64), width: Width, title: &str, description: &str) -> Result<String> {
    let wide = width == Width::Wide;
    let [across, up] = plane.extent;
    let coloured = is_coloured(plane);
    let legend_rows = if coloured && !wide { plane.classes.len().div_ceil(5) as f64 } else { 0.0 };
    let left = if wide { 58.0 } else { 44.0 };
    let side = if wide { 540.0 } else { width.pixels() - left - 16.0 };
    let tall = (side * (up.1 - up.0) / (across.1 - across.0)).clamp(0.5 * side, 1.3 * side);
    let frame = Frame { left, top: 10.0, right: left + side, bottom: 10.0 + tall };
    let below = if wide { 50.0 } else { 100.0 + 20.0 * legend_rows };
    let mut svg = Svg::new(&width.id("latent-plane"), width.pixels(), frame.bottom + below, title, description);

    svg.image((frame.left, frame.top), (side, tall), &plane.log_volume.picture(|_| true).data_uri()?, false);
    let (x, y) = (Scale::linear(across, frame.across()), Scale::linear(up, frame.upwards()));
    for (radius, [(m0, s0), (m1, s1)]) in plane.prior.iter().flat_map(|prior| [1.0, 2.0, 3.0].map(|radius| (radius, *prior))) {
        let radii = (x.at(m0 + radius * s0) - x.at(m0), y.at(m1) - y.at(m1 + radius * s1));
        if radii.0 <= side / 2.0 + 1.0 && radii.1 <= tall / 2.0 + 1.0 {
            svg.circle((x.at(m0), y.at(m1)), radii, "#ffffff");
        }
    }
    dots(&mut svg, plane, &x, &y, &frame, coloured);
    svg.outline((frame.left, frame.top), (side, tall), INK);
    anchors(&mut svg, plane, &x, &y);
    let [bottom, side_name] = plane.axes();
    frame.bottom_axis(&mut svg, &x, bottom, 7);
    for tick in y.ticks(7) {
        svg.line((frame.left - 4.0, y.at(tick.at)), (frame.left, y.at(tick.at)), INK, 1.0);
        svg.text((frame.left - 8.0, y.at(tick.at) + 4.0), Anchor::End, SMALL, &tick.label);
    }
    svg.upwards((frame.left - if wide { 38.0 } else { 32.0 }, f64::midpoint(frame.top, frame.bottom)), LABEL, side_name);

    if wide {
        let bar = Frame { left: frame.right + 24.0, right: frame.right + 38.0, top: frame.top + 24.0, bottom: frame.top + 224.0 };
        colour_bar(&mut svg, &bar, (low, high), true)?;
    } else {
        let bar = Frame { left: frame.left, right: frame.right, top: frame.bottom + 62.0, bottom: frame.bottom + 74.0 };
        colour_bar(&mut svg, &bar, (low, high), false)?;
    }
    if coloured {
        let (first, step) =
            if wide { ((frame.right + 24.0, frame.top + 262.0), (0.0, 20.0)) } else { ((frame.left, frame.bottom + 106.0), (60.0, 20.0)) };
        if wide {
            svg.text((first.0, first.1 - 4.0), Anchor::Start, LABEL, "label");
        }
        for (class, name) in plane.classes.iter().enumerate() {
            let (column, row) = if wide { (0, class + 1) } else { (class % 5, class / 5) };
            let at = (first.0 + step.0 * column as f64, first.1 + step.1 * row as f64);
            svg.disc((at.0 + 6.0, at.1 - 4.0), 5.0, &hex(CLASSES[class]), RIM);
            svg.text((at.0 + 18.0, at.1), Anchor::Start, SMALL, name);
        }
    }
    Ok(svg.finish())
}

/// The codes inside the frame, class by class, and the names of classes at their medians.
fn dots(svg: &mut Svg, plane: &Plane, x: &Scale, y: &Scale, frame: &Frame, coloured: bool) {
    let inside = |p: &(f64, f64)| p.0 >= frame.left && p.0 <= frame.right && p.1 >= frame.top && p.1 <= frame.bottom;
    let place = |row: usize| (x.at(plane.codes[[row, 0]]), y.at(plane.codes[[row, 1]]));
    let all: Vec<(f64, f64)> = (0..plane.codes.nrows()).map(place).filter(inside).collect();
    let size = if all.len() > 800 { 4.2 } else { 5.4 };
    if !coloured {
        svg.dots(&all, RIM, size + 1.2, 0.55);
        svg.dots(&all, PLAIN, size - 0.6, 0.9);
        return;
    }
    svg.dots(&all, RIM, size + 1.4, 1.0);
    let of_class = |class: usize| -> Vec<(f64, f64)> {
        (0..plane.codes.nrows()).filter(|row| plane.labels[*row] == class).map(place).filter(inside).collect()
    };
    for (class, colour) in CLASSES.iter().enumerate().take(plane.classes.len()) {
        svg.dots(&of_class(class), &hex(*colour), size, 1.0);
    }
    for (class, name) in plane.classes.iter().enumerate() {
        let points = of_class(class);
        let median = |of: fn(&(f64, f64)) -> f64| {
            let mut values: Vec<f64> = points.iter().map(of).collect();
            values.sort_by(f64::total_cmp);
            values.get(values.len() / 2).copied()
        };
        if let (Some(x), Some(y)) = (median(|p| p.0), median(|p| p.1)) {
            svg.haloed((x, y + 5.0), Anchor::Middle, Font { size: 16.0, fill: PLAIN, bold: true }, name, RIM);
        }
    }
}

/// The points that the plane was laid through, named.
pub(super) fn anchors(svg: &mut Svg, plane: &Plane, x: &Scale, y: &Scale) {
    for (anchor, name) in plane.place.anchors.iter().zip(["A", "B", "C"]) {
        let at = (x.at(anchor.at[0]), y.at(anchor.at[1]));
        svg.disc(at, 4.5, PLAIN, RIM);
        svg.haloed((at.0 + 8.0, at.1 - 7.0), Anchor::Start, Font { size: 16.0, fill: PLAIN, bold: true }, name, RIM);
    }
}

fn colour_bar(svg: &mut Svg, bar: &Frame, (low, high): (f64, f64), upright: bool) -> Result<()> {
    let (w, h) = (bar.right - bar.left, bar.bottom - bar.top);
    let shade = |t: usize| LayerScale::Linear.colours().at(t as f64 / 127.0);
    let raster = if upright { Raster::draw(1, 128, |_, row| shade(127 - row)) } else { Raster::draw(128, 1, |column, _| shade(column)) };
    svg.image((bar.left, bar.top), (w, h), &raster.data_uri()?, false);
    let scale = Scale::linear((low, high), if upright { bar.upwards() } else { bar.across() });
    for tick in scale.ticks(7) {
        let at = scale.at(tick.at);
        if upright {
            svg.text((bar.right + 7.0, at + 4.0), Anchor::Start, SMALL, &tick.label);
        } else {
            svg.text((at, bar.bottom + 14.0), Anchor::Middle, SMALL, &tick.label);
        }
    }
    if upright {
        svg.text((bar.left, bar.top - 12.0), Anchor::Start, LABEL, "log |J| (nats)");
    } else {
        svg.text((bar.left, bar.top - 6.0), Anchor::Start, Font { bold: false, ..VALUE }, "log |J| (nats)");
    }
    Ok(())
}
