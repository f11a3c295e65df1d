//! Heat strips: vectors without a picture's shape as rows of coloured cells.

use ndarray::{ArrayView2, Axis, Slice};

use super::axes::Scale;
use super::svg::{Anchor, LABEL, SMALL, Svg};
use crate::error::Result;
use crate::report::colour::Map;
use crate::report::image::Raster;
use crate::report::number::short;

/// Cells across at most; longer vectors are averaged over neighbours.
const MOST_CELLS: usize = 512;

/// `[rows, D]` signed values as cells between −`scale` (blue) and `scale` (red), the first row at the bottom.
pub fn signed(values: ArrayView2<'_, f64>, scale: f64) -> Raster {
    let (rows, length) = values.dim();
    let cells = length.min(MOST_CELLS);
    Raster::draw(cells, rows, |column, row| {
        let (from, to) = (column * length / cells, ((column + 1) * length / cells).max(column * length / cells + 1));
        let line = values.row(rows - 1 - row);
        let piece = line.slice_axis(Axis(0), Slice::from(from..to));
        Map::Signed.at(0.5 + 0.5 * piece.sum() / piece.len() as f64 / scale)
    })
}

/// The largest absolute finite value, or 1 if all are zero.
pub fn largest<'a>(values: impl IntoIterator<Item = &'a f64>) -> f64 {
    let largest = values.into_iter().filter(|x| x.is_finite()).fold(0.0, |m: f64, x| m.max(x.abs()));
    if largest > 0.0 { largest } else { 1.0 }
}

/// The axis of output indices below strips.
pub fn index_axis(svg: &mut Svg, (left, right): (f64, f64), y: f64, length: usize) {
    // Cell k covers k ± ½, so whole numbers stand in the middle of their cells.
    let scale = Scale::linear((-0.5, length as f64 - 0.5), (left, right));
    let wanted = (((right - left) / 70.0) as usize).min(length.saturating_sub(1)).max(1);
    for tick in scale.ticks(wanted).into_iter().filter(|t| t.at.fract() == 0.0) {
        svg.text((scale.at(tick.at), y + 14.0), Anchor::Middle, SMALL, &tick.label);
    }
    svg.text((f64::midpoint(left, right), y + 32.0), Anchor::Middle, LABEL, "output index");
}

/// A legend of the signed colours for strips that each have their own scale.
pub fn legend(svg: &mut Svg, (x, y): (f64, f64), width: f64, ends: (&str, &str)) -> Result<()> {
    let bar = Raster::draw(64, 1, |column, _| Map::Signed.at(f64::from(column as u32) / 63.0));
    svg.image((x, y), (width, 9.0), &bar.data_uri()?, false);
    svg.text((x, y + 22.0), Anchor::Start, SMALL, ends.0);
    svg.text((x + width / 2.0, y + 22.0), Anchor::Middle, SMALL, "0");
    svg.text((x + width, y + 22.0), Anchor::End, SMALL, ends.1);
    Ok(())
}

/// `± scale` in few digits.
pub fn plus_minus(scale: f64) -> String {
    format!("± {}", crate::report::number::plain(scale, 2)).replace("± −", "± ")
}

/// A step in standard deviations, with a sign.
pub fn step_label(step: f64) -> String {
    if step == 0.0 {
        "0".into()
    } else if step > 0.0 {
        format!("+{}", short((step * 100.0).round() / 100.0))
    } else {
        short((step * 100.0).round() / 100.0)
    }
}
