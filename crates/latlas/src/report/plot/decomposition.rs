//! How the entropy of the image adds up from a core, the detail and what they share.

use super::axes::{Frame, Scale};
use super::svg::{Anchor, LABEL, SMALL, Svg};
use super::{Figure, Width};
use crate::error::Result;
use crate::report::atlas::Atlas;
use crate::report::colour::{ACCENT, ACCENT_SOFT, INK, REFERENCE, RULE};
use crate::report::extra::{entry, numbers, scalar};
use crate::report::number::measured;

/// From the estimates `core-detail`, `total-entropy` and `active-dimensions`.
pub fn draw(atlas: &Atlas, width: Width) -> Result<Option<Figure>> {
    let report = &atlas.report;
    let (Some(core), Some(total)) = (report.estimate("core-detail"), report.estimate("total-entropy").and_then(scalar)) else {
        return Ok(None);
    };
    let d = atlas.latent_dim;
    let by_cliff = report.estimate("active-dimensions").filter(|e| e.extra.get("rule").is_some_and(|rule| rule == "gap"));
    let (cut, why) = match by_cliff.and_then(scalar) {
        Some((count, _)) if count >= 1.0 && (count as usize) < d => (count as usize, "the latents in use"),
        _ if d == 2 => (1, "the latent of higher entropy"),
        _ => return Ok(None),
    };
    let part = |name: &str| -> Option<(f64, Option<f64>)> {
        let of = |name: &str| numbers(core.extra.get(name))?.get(cut).copied().filter(|x| x.is_finite());
        Some((of(name)?, of(&format!("{name}_standard_error"))))
    };
    let (Some(h_core), Some(h_detail), Some(shared)) = (part("h_core"), part("h_detail"), entry(core, cut).filter(|(x, _)| x.is_finite()))
    else {
        return Ok(None);
    };
    let bars = [
        (format!("core ({cut})"), h_core, ACCENT),
        (format!("detail ({})", d - cut), h_detail, ACCENT_SOFT),
        ("shared".to_string(), shared, REFERENCE),
        ("together".to_string(), total, ACCENT),
    ];
    let title = "Core and detail".to_string();
    let said = |(value, error): (f64, Option<f64>)| measured(value, error).to_string();
    let description =
        format!("Entropies: core {}, detail {}, shared {}, together {} nats.", said(h_core), said(h_detail), said(shared), said(total));
    let w = width.pixels();
    let row = 34.0;
    let height = 16.0 + row * bars.len() as f64 + 54.0;
    let mut svg = Svg::new(&width.id("decomposition"), w, height, &title, &description);
    let frame = Frame { left: 92.0, top: 10.0, right: w - 12.0, bottom: 16.0 + row * bars.len() as f64 };
    let values = bars.iter().map(|(_, (value, _), _)| *value);
    let (low, high) = values.fold((0.0, 0.0), |(low, high): (f64, f64), x| (low.min(x), high.max(x)));
    // Room for the numbers beside the bars, on both sides where there are bars on both.
    let room = match (width, low < 0.0) {
        (Width::Wide, _) => 0.3,
        (_, false) => 0.7,
        (_, true) => 1.4,
    } * (high - low);
    let x = Scale::linear((low - if low < 0.0 { room } else { 0.0 }, high + room), frame.across());
    for tick in x.ticks(if width == Width::Wide { 8 } else { 4 }) {
        svg.line((x.at(tick.at), frame.top), (x.at(tick.at), frame.bottom), RULE, 1.0);
    }
    for (k, (name, (value, error), colour)) in bars.iter().enumerate() {
        let top = frame.top + 6.0 + row * k as f64;
        let (from, to) = (x.at(value.min(0.0)), x.at(value.max(0.0)));
        svg.text((frame.left - 10.0, top + 15.0), Anchor::End, LABEL, name);
        svg.rect((from, top), (to - from, 22.0), colour, 2.0);
        let (at, anchor) = if *value < 0.0 { (from - 6.0, Anchor::End) } else { (to + 6.0, Anchor::Start) };
        svg.text((at, top + 15.0), anchor, SMALL, &said((*value, *error)));
    }
    svg.line((x.at(0.0), frame.top), (x.at(0.0), frame.bottom), INK, 1.0);
    frame.bottom_axis(&mut svg, &x, "nats", if width == Width::Wide { 8 } else { 4 });
    let caption = format!(
        "Entropy of the core ({why}), of the other latents, what the two share, and of both together: core + detail − shared = together. \
         A large core, a small detail and nothing shared is what an aligned and disentangled representation looks like. Entropies are logarithms and may be negative."
    );
    Ok(Some(Figure { svg: svg.finish(), title, caption }))
}
