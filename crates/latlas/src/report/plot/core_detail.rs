//! What a core of the first latents shares with the rest, for every size of the core.

use super::axes::{Frame, Scale};
use super::legend::Legend;
use super::svg::Svg;
use super::{Figure, Width};
use crate::error::Result;
use crate::report::atlas::Atlas;
use crate::report::colour::{ACCENT, ACCENT_SOFT, MUTED, REFERENCE};
use crate::report::extra::{entries, interval, numbers};
use crate::report::number::about;

/// From the estimate `core-detail`.
pub fn draw(atlas: &Atlas, width: Width) -> Result<Option<Figure>> {
    let Some(estimate) = atlas.report.estimate("core-detail") else { return Ok(None) };
    let values = entries(&estimate.value);
    // With two latents there is one cut, which the total correlation tells.
    if values.len() < 4 || values.iter().any(|x| !x.is_finite()) {
        return Ok(None);
    }
    let d = values.len() - 1;
    let of = |name: &str| numbers(estimate.extra.get(name)).filter(|x| x.len() == d + 1 && x.iter().all(|x| x.is_finite()));
    let (native, null) = (of("native"), of("null"));
    let highest = values.iter().chain(native.iter().flatten()).copied().fold(0.0, f64::max);

    let title = "What a core shares with the rest".to_string();
    let peak = (0..=d).fold(0, |best, c| if values[c] > values[best] { c } else { best });
    let description = format!(
        "Information between the first C latents and the rest, for C from 0 to {d}; largest at {peak} with {} nats.",
        about(values[peak], 2)
    );
    let (w, height) = (width.pixels(), 270.0);
    let mut svg = Svg::new(&width.id("core-detail"), w, height, &title, &description);
    let null_line = null.as_ref().filter(|null| null.iter().copied().fold(0.0, f64::max) < 1.08 * highest);
    let mut named = vec![("in order of entropy", ACCENT)];
    named.extend(native.as_ref().map(|_| ("in the latents' own order", MUTED)));
    named.extend(null_line.map(|_| ("chance", REFERENCE)));
    let (legend, room) = (Legend(&named), w - 74.0);
    let frame = Frame { left: 62.0, top: 6.0 + legend.height(room), right: w - 12.0, bottom: height - 50.0 };
    let (x, y) = (Scale::linear((0.0, d as f64), frame.across()), Scale::linear((0.0, 1.08 * highest), frame.upwards()));
    frame.left_axis(&mut svg, &y, "I(core, rest) (nats)", 5);
    let curve = |values: &[f64]| values.iter().enumerate().map(|(c, v)| (x.at(c as f64), y.at(v.max(0.0)))).collect::<Vec<_>>();
    let ends: Vec<(f64, f64)> = (0..=d).filter_map(|c| interval(estimate, c)).collect();
    if ends.len() == d + 1 {
        let (low, high): (Vec<f64>, Vec<f64>) = ends.into_iter().unzip();
        let band: Vec<_> = curve(&low).into_iter().chain(curve(&high).into_iter().rev()).collect();
        svg.area(&band, ACCENT_SOFT);
    }
    if let Some(native) = &native {
        svg.polyline(&curve(native), MUTED, 1.25);
    }
    if let Some(null) = null_line {
        svg.polyline(&curve(null), REFERENCE, 1.25);
    }
    svg.polyline(&curve(values), ACCENT, 2.0);
    if d <= 40 {
        svg.dots(&curve(values), ACCENT, 6.0, 1.0);
    }
    legend.draw(&mut svg, (frame.left, 6.0), room);
    frame.bottom_axis(&mut svg, &x, "latents in the core, C", d.min(if width == Width::Wide { 10 } else { 5 }));

    let source = estimate.extra.get("order_source").and_then(serde_json::Value::as_str).unwrap_or("");
    let how = match source {
        "native" => "in their own order",
        "given" => "in the order that was given",
        "two-pass" => "in falling order of entropy",
        _ => "in falling order of entropy over the first samples",
    };
    let mut caption = format!(
        "The mutual information between a core of C latents, taken {how}, and all others. A low curve says that a core can be kept or changed without touching what the rest does; a dip between two humps separates two groups."
    );
    if let Some(null) = &null {
        let (found, chance) = (values[peak], null[peak]);
        let said = if found < chance { "less than chance" } else { "more than chance" };
        caption = format!(
            "{caption} The largest value, {} nats at C = {peak}, is {said}: random directions would share {} there.",
            about(found, 2),
            about(chance, 2)
        );
    }
    Ok(Some(Figure { svg: svg.finish(), title, caption }))
}
