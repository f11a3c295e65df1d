//! The geometry of the latent plane: volume, conditioning and curvature of the metric as maps.

use super::axes::{Frame, Scale};
use super::latent_plane::anchors;
use super::svg::{Anchor, Font, LABEL, SMALL, Svg};
use super::{Figure, Width};
use crate::error::Result;
use crate::report::atlas::{Atlas, Plane};
use crate::report::colour::INK;
use crate::report::image::Raster;
use crate::report::maps::{Layer, LayerScale, Maps};
use crate::report::number::short;

/// From the maps of the atlas' plane.
pub fn draw(atlas: &Atlas, width: Width) -> Result<Option<Figure>> {
    let Some((plane, maps)) = atlas.plane.as_ref().and_then(|plane| Some((plane, plane.maps.as_ref()?))) else { return Ok(None) };
    let shown: Vec<(&Layer, (f64, f64))> = maps.layers.iter().filter_map(|layer| Some((layer, layer.range?))).collect();
    if shown.is_empty() {
        return Ok(None);
    }
    let title = format!("Geometry of the latent plane, embedding {}", maps.embedding);
    let words: Vec<String> =
        shown.iter().map(|(layer, (low, high))| format!("{} from {} to {}", layer.title, short(*low), short(*high))).collect();
    let svg = paint(plane, maps, &shown, width, &title, &format!("{}.", words.join("; ")))?;
    let mut caption = format!(
        "The metric M of the embedding {} over the plane. Volume: how much data a small latent area holds. Condition: how unequally its \
         directions count, 1 where all count alike.",
        maps.embedding
    );
    if shown.iter().any(|(layer, _)| layer.scale == LayerScale::Signed) {
        caption.push_str(
            " Curvature: positive where geodesics that leave a point meet again, negative where they part; a map without it can be drawn flat.",
        );
    }
    if maps.known.is_some() {
        caption.push_str(
            " Grey: no data here (the density of the codes is below that of 99 % of them), so the decoder was never asked there.",
        );
    }
    Ok(Some(Figure { svg, title, caption }))
}

fn paint(plane: &Plane, maps: &Maps, shown: &[(&Layer, (f64, f64))], width: Width, title: &str, description: &str) -> Result<String> {
    let wide = width == Width::Wide;
    let columns = if wide { shown.len() } else { 1 };
    let (left, gap) = (44.0, 26.0);
    let side = (width.pixels() - left - 16.0 - gap * (columns - 1) as f64) / columns as f64;
    let side = if wide { side } else { side.min(260.0) };
    let [across, up] = plane.extent;
    let tall = (side * (up.1 - up.0) / (across.1 - across.0)).clamp(0.5 * side, 1.3 * side);
    // Title above, axis and colour bar below.
    let (above, below) = (26.0, 92.0);
    let rows = shown.len().div_ceil(columns);
    let mut svg = Svg::new(&width.id("latent-plane-geometry"), width.pixels(), rows as f64 * (above + tall + below), title, description);
    for (k, (layer, range)) in shown.iter().enumerate() {
        let (column, row) = (k % columns, k / columns);
        let corner = (left + column as f64 * (side + gap), row as f64 * (above + tall + below) + above);
        let frame = Frame { left: corner.0, top: corner.1, right: corner.0 + side, bottom: corner.1 + tall };
        panel(&mut svg, plane, maps, layer, *range, &frame, column == 0)?;
    }
    Ok(svg.finish())
}

fn panel(svg: &mut Svg, plane: &Plane, maps: &Maps, layer: &Layer, (low, high): (f64, f64), frame: &Frame, is_first: bool) -> Result<()> {
    let raster = layer.picture(|at| maps.known.as_ref().is_none_or(|known| known[at]));
    let (side, tall) = (frame.right - frame.left, frame.bottom - frame.top);
    svg.text((frame.left, frame.top - 9.0), Anchor::Start, Font { bold: true, ..LABEL }, layer.title);
    svg.image((frame.left, frame.top), (side, tall), &raster.data_uri()?, true);
    svg.outline((frame.left, frame.top), (side, tall), INK);
    let [across, up] = plane.extent;
    let (x, y) = (Scale::linear(across, frame.across()), Scale::linear(up, frame.upwards()));
    anchors(svg, plane, &x, &y);
    let [bottom, side_name] = plane.axes();
    frame.bottom_axis(svg, &x, bottom, 5);
    if is_first {
        for tick in y.ticks(5) {
            svg.line((frame.left - 4.0, y.at(tick.at)), (frame.left, y.at(tick.at)), INK, 1.0);
            svg.text((frame.left - 8.0, y.at(tick.at) + 4.0), Anchor::End, SMALL, &tick.label);
        }
        svg.upwards((frame.left - 32.0, f64::midpoint(frame.top, frame.bottom)), LABEL, side_name);
    }
    let bar = Frame { left: frame.left, right: frame.right, top: frame.bottom + 50.0, bottom: frame.bottom + 60.0 };
    let shades = Raster::draw(128, 1, |column, _| layer.scale.colours().at(column as f64 / 127.0));
    svg.image((bar.left, bar.top), (side, 10.0), &shades.data_uri()?, false);
    let scale = match layer.scale {
        LayerScale::Logarithmic => Scale::log((low, high), bar.across()),
        _ => Scale::linear((low, high), bar.across()),
    };
    for tick in scale.ticks(4) {
        svg.text((scale.at(tick.at), bar.bottom + 14.0), Anchor::Middle, SMALL, &tick.label);
    }
    Ok(())
}
