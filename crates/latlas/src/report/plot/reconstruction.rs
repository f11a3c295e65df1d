//! How much of the data a core of latents brings back, beside principal components.

use super::axes::{Frame, Scale};
use super::legend::Legend;
use super::svg::Svg;
use super::{Figure, Width};
use crate::error::Result;
use crate::report::atlas::Atlas;
use crate::report::colour::{ACCENT, ACCENT_SOFT, REFERENCE};
use crate::report::extra::{entries, interval, numbers};
use crate::report::number::about;

/// From the estimates `core-reconstruction` and, where there is data, `pca-baseline`.
pub fn draw(atlas: &Atlas, width: Width) -> Result<Option<Figure>> {
    let Some(estimate) = atlas.report.estimate("core-reconstruction") else { return Ok(None) };
    let values = entries(&estimate.value);
    let sizes = numbers(estimate.extra.get("c")).filter(|c| c.len() == values.len() && c.len() > 1);
    let Some(sizes) = sizes.filter(|_| values.iter().all(|x| x.is_finite())) else { return Ok(None) };
    let d = sizes[sizes.len() - 1];
    // Principal components leave over what they leave of data; draws of the model are something else.
    let of_data = atlas.report.settings.get("sampling").is_some_and(|sampling| sampling == "data");
    let baseline = atlas.report.estimate("pca-baseline").filter(|_| of_data).and_then(|e| numbers(e.extra.get("left_over")));
    let highest = values.iter().chain(baseline.iter().flatten()).copied().fold(0.0, f64::max);
    if highest <= 0.0 {
        return Ok(None);
    }
    let title = "What a core of latents brings back".to_string();
    let description = format!("Mean squared reconstruction error by the first C latents, from {} at none.", about(values[0], 2));
    let (w, height) = (width.pixels(), 260.0);
    let mut svg = Svg::new(&width.id("reconstruction"), w, height, &title, &description);
    let mut named = vec![("this decoder", ACCENT)];
    named.extend(baseline.as_ref().map(|_| ("principal components", REFERENCE)));
    let (legend, room) = (Legend(&named), w - 74.0);
    let frame = Frame { left: 62.0, top: 6.0 + legend.height(room), right: w - 12.0, bottom: height - 50.0 };
    let (x, y) = (Scale::linear((0.0, d), frame.across()), Scale::linear((0.0, 1.08 * highest), frame.upwards()));
    frame.left_axis(&mut svg, &y, "E ‖g(core) − x‖²", 5);
    let wanted = (d as usize).clamp(1, if width == Width::Wide { 12 } else { 6 });
    frame.bottom_axis(&mut svg, &x, "latents in the core, in order of entropy", wanted);
    let curve = |values: &[f64]| sizes.iter().zip(values).map(|(c, v)| (x.at(*c), y.at(v.max(0.0)))).collect::<Vec<_>>();
    let ends: Vec<(f64, f64)> = (0..values.len()).filter_map(|k| interval(estimate, k)).collect();
    if ends.len() == values.len() {
        let (low, high): (Vec<f64>, Vec<f64>) = ends.into_iter().unzip();
        let band: Vec<_> = curve(&low).into_iter().chain(curve(&high).into_iter().rev()).collect();
        svg.area(&band, ACCENT_SOFT);
    }
    if let Some(baseline) = &baseline {
        let points: Vec<_> = baseline.iter().enumerate().map(|(c, v)| (x.at(c as f64), y.at(*v))).collect();
        svg.polyline(&points, REFERENCE, 1.5);
    }
    svg.polyline(&curve(values), ACCENT, 2.0);
    if values.len() <= 40 {
        svg.dots(&curve(values), ACCENT, 6.0, 1.0);
    }
    legend.draw(&mut svg, (frame.left, 6.0), room);
    let what = if of_data { "the data" } else { "what the decoder makes of drawn latents" };
    let mut caption = format!(
        "Mean squared distance to {what} when only the first latents keep their values and all others rest at the mean of the prior. \
         A latent that matters lowers the curve as it joins."
    );
    if baseline.is_some() {
        caption.push_str(" The other line is the best that as many linear directions can do.");
    }
    Ok(Some(Figure { svg: svg.finish(), title, caption }))
}
