//! The overlap of every two latents as a map, in the latents' own order and in the order of entropy.

use super::axes::{Frame, Scale};
use super::svg::{Anchor, Font, LABEL, SMALL, Svg};
use super::{Figure, Width};
use crate::error::Result;
use crate::estimate::Value;
use crate::report::atlas::Atlas;
use crate::report::colour::{INK, Map, REFERENCE};
use crate::report::extra::{at, find, numbers, order};
use crate::report::image::Raster;
use crate::report::number::about;

/// Fewer latents have too few pairs for a map.
const FEWEST: usize = 3;
/// The scale reaches to at least so many times chance, so that noise around chance stays dark.
const ABOVE_CHANCE: f64 = 4.0;
/// A latent with itself.
const DIAGONAL: [u8; 3] = [232, 232, 232];
/// Larger values than this share of all are drawn alike.
const TOP: f64 = 0.995;

const OWN_ORDER: &str = "in their own order";

/// What is drawn.
struct Picture<'a> {
    values: &'a [Vec<f64>],
    /// Ends of the scale: 0 and this.
    high: f64,
    /// Whether some values are beyond it.
    is_cut: bool,
    chance: f64,
}

/// From the estimate `pairwise-mutual-information`.
pub fn draw(atlas: &Atlas, width: Width) -> Result<Option<Figure>> {
    let Some(estimate) = atlas.report.estimate("pairwise-mutual-information") else { return Ok(None) };
    let Value::Matrix(values) = &estimate.value else { return Ok(None) };
    let d = values.len();
    let mut finite: Vec<f64> = values.iter().flatten().copied().filter(|x| x.is_finite()).collect();
    if d < FEWEST || finite.is_empty() || values.iter().any(|row| row.len() != d) {
        return Ok(None);
    }
    finite.sort_by(f64::total_cmp);
    let chance = at(estimate, &["null", "value"]).unwrap_or(0.0);
    let top = finite[((finite.len() - 1) as f64 * TOP) as usize];
    let high = if top > ABOVE_CHANCE * chance { top } else { ABOVE_CHANCE * chance };
    let largest = finite[finite.len() - 1];
    let picture = Picture { values, high: if high > 0.0 { high } else { 1.0 }, is_cut: largest > high, chance };

    let native: Vec<usize> = (0..d).collect();
    let sorted = atlas.report.estimate("manifold-entropy").map(order).filter(|order| order.len() == d);
    let cuts = boundaries(atlas);
    let title = "Which latents overlap with which".to_string();
    let description =
        format!("Pairwise mutual information of {d} latents as a map, from 0 to {}; the largest is {}.", about(high, 2), about(largest, 2));
    let svg = picture.draw(width, (&native, &cuts), sorted.as_deref(), (&title, &description))?;
    let mut caption = format!(
        "Each cell is the mutual information of two latents: bright pairs move the data along common directions. Chance (random directions) gives {} nats a pair",
        about(chance, 2)
    );
    if let Some(mean) = at(estimate, &["mean", "value"]) {
        caption = format!("{caption}; the mean over all pairs is {} nats", about(mean, 2));
        if chance > 0.0 {
            caption = format!("{caption}, {} times chance", about(mean / chance, 2));
        }
    }
    caption.push('.');
    if sorted.is_some() {
        caption.push_str(" The same pairs stand in both maps: in the order of the latents, where the blocks of an architecture show, and in falling order of entropy, where entanglement within the core stands in the upper left.");
    }
    if !cuts.is_empty() {
        caption.push_str(" Lines mark boundaries across which latents overlap clearly less than beside them.");
    }
    if picture.is_cut {
        caption = format!("{caption} Values above {} are drawn alike.", about(picture.high, 2));
    }
    Ok(Some(Figure { svg, title, caption }))
}

/// Cuts that were found in the latents' own order.
fn boundaries(atlas: &Atlas) -> Vec<usize> {
    let found = atlas.report.estimate("block-boundaries").and_then(|e| find(e, &["boundaries"])).and_then(|b| b.as_array());
    found.into_iter().flatten().filter_map(|b| numbers(Some(&serde_json::json!([b.get("cut")?])))).map(|cut| cut[0] as usize).collect()
}

impl Picture<'_> {
    fn draw(
        &self,
        width: Width,
        (native, cuts): (&[usize], &[usize]),
        sorted: Option<&[usize]>,
        (title, description): (&str, &str),
    ) -> Result<String> {
        let (w, wide) = (width.pixels(), width == Width::Wide);
        let side = if wide { 300.0 } else { w - 60.0 };
        let (left, top, gap) = (44.0, 26.0, 60.0);
        let maps = if sorted.is_some() { 2 } else { 1 };
        let height = if wide || maps == 1 { top + side + 92.0 } else { 2.0 * (top + side + 46.0) + 46.0 };
        let mut svg = Svg::new(&width.id("pairwise-information"), w, height, title, description);
        let frame = |k: usize| {
            let (x, y) = if wide { (left + (side + gap) * k as f64, top) } else { (left, top + (side + 72.0) * k as f64) };
            Frame { left: x, top: y, right: x + side, bottom: y + side }
        };
        self.map(&mut svg, &frame(0), native, cuts, OWN_ORDER)?;
        if let Some(order) = sorted {
            self.map(&mut svg, &frame(1), order, &[], "in order of entropy")?;
        }
        self.bar(&mut svg, (left, height - 34.0), if wide { 300.0 } else { side })?;
        Ok(svg.finish())
    }

    fn map(&self, svg: &mut Svg, frame: &Frame, order: &[usize], cuts: &[usize], name: &str) -> Result<()> {
        let d = order.len();
        let raster =
            Raster::draw(
                d,
                d,
                |column, row| {
                    if column == row { DIAGONAL } else { Map::Cividis.at(self.values[order[row]][order[column]] / self.high) }
                },
            );
        let side = frame.right - frame.left;
        svg.text((frame.left, frame.top - 9.0), Anchor::Start, LABEL, name);
        svg.image((frame.left, frame.top), (side, side), &raster.data_uri()?, true);
        svg.outline((frame.left, frame.top), (side, side), INK);
        let cell = side / d as f64;
        for cut in cuts {
            let offset = cell * *cut as f64;
            svg.line((frame.left + offset, frame.top), (frame.left + offset, frame.bottom), REFERENCE, 1.0);
            svg.line((frame.left, frame.top + offset), (frame.right, frame.top + offset), REFERENCE, 1.0);
        }
        // Latents by number where there is room, else places at round numbers; boundaries always have a tick.
        let labels: Vec<(f64, String)> = if d <= 24 {
            order.iter().enumerate().map(|(k, latent)| (k as f64, latent.to_string())).collect()
        } else if cuts.is_empty() {
            let scale = Scale::linear((0.0, d as f64), (0.0, side));
            scale.ticks(6).into_iter().filter(|t| t.at.fract() == 0.0).map(|t| (t.at - 0.5, t.label)).collect()
        } else {
            cuts.iter().chain([&d]).map(|cut| (*cut as f64 - 0.5, cut.to_string())).collect()
        };
        let every = (22.0 / cell).ceil().max(1.0) as usize;
        for (k, (place, label)) in labels.iter().enumerate() {
            if d <= 24 && k % every != 0 {
                continue;
            }
            let offset = cell * (place + 0.5);
            svg.text((frame.left + offset, frame.bottom + 14.0), Anchor::Middle, SMALL, label);
            svg.text((frame.left - 6.0, frame.top + offset + 4.0), Anchor::End, SMALL, label);
        }
        let axis = if d <= 24 || name == OWN_ORDER { "latent" } else { "rank of the latent by entropy" };
        svg.text((f64::midpoint(frame.left, frame.right), frame.bottom + 32.0), Anchor::Middle, LABEL, axis);
        Ok(())
    }

    fn bar(&self, svg: &mut Svg, (x, y): (f64, f64), width: f64) -> Result<()> {
        let raster = Raster::draw(128, 1, |column, _| Map::Cividis.at(column as f64 / 127.0));
        svg.image((x, y), (width, 10.0), &raster.data_uri()?, false);
        let scale = Scale::linear((0.0, self.high), (x, x + width));
        for tick in scale.ticks(4).iter().filter(|t| t.at < 0.97 * self.high) {
            svg.text((scale.at(tick.at), y + 24.0), Anchor::Middle, SMALL, &tick.label);
        }
        svg.text((x + width, y - 4.0), Anchor::End, SMALL, "nats");
        let chance = scale.at(self.chance);
        if self.chance > 0.0 && chance < x + width {
            svg.line((chance, y - 5.0), (chance, y + 14.0), REFERENCE, 2.0);
            svg.text((chance.max(x + 20.0), y - 9.0), Anchor::Middle, Font { fill: REFERENCE, ..SMALL }, "chance");
        }
        Ok(())
    }
}
