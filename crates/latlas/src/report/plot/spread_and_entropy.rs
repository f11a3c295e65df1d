//! The spread of each latent's codes against its entropy: latents that look unused and are not stand out.

use super::axes::{Frame, Scale};
use super::svg::{Anchor, Font, SMALL, Svg};
use super::{Figure, Width};
use crate::error::Result;
use crate::report::atlas::Atlas;
use crate::report::colour::{ACCENT, INK, PAPER, REFERENCE};
use crate::report::extra::{at, find, numbers};
use crate::report::number::{fixed, short};

/// From the estimate `hidden-dimensions`.
pub fn draw(atlas: &Atlas, width: Width) -> Result<Option<Figure>> {
    let Some(estimate) = atlas.report.estimate("hidden-dimensions") else { return Ok(None) };
    let (spreads, entropies) =
        (numbers(estimate.extra.get("std")).unwrap_or_default(), numbers(estimate.extra.get("entropy")).unwrap_or_default());
    let points: Vec<(usize, f64, f64)> = spreads
        .iter()
        .zip(&entropies)
        .enumerate()
        .map(|(i, (s, h))| (i, *s, *h))
        .filter(|(_, s, h)| *s > 0.0 && s.is_finite() && h.is_finite())
        .collect();
    if points.len() < 3 || spreads.len() != entropies.len() {
        return Ok(None);
    }
    let hidden: Vec<usize> = find(estimate, &["hidden"])
        .and_then(|h| h.as_array())
        .into_iter()
        .flatten()
        .filter_map(|h| h.get("index")?.as_u64())
        .map(|i| i as usize)
        .collect();
    let title = "Spread of the codes against entropy".to_string();
    let description = format!("{} latents by standard deviation and entropy; {} are hidden.", points.len(), hidden.len());
    let (w, height) = (width.pixels(), 300.0);
    let mut svg = Svg::new(&width.id("spread-and-entropy"), w, height, &title, &description);
    let frame = Frame { left: 62.0, top: 16.0, right: w - 16.0, bottom: height - 50.0 };
    let ends = |of: &dyn Fn(&(usize, f64, f64)) -> f64| {
        points.iter().map(of).fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), x| (l.min(x), h.max(x)))
    };
    let ((narrow, broad), (low, high)) = (ends(&|p| p.1), ends(&|p| p.2));
    let margin = 0.08 * (high - low).max(0.1);
    let x = Scale::log((narrow / 1.15, broad * 1.15), frame.across());
    let y = Scale::linear((low - margin, high + margin), frame.upwards());
    frame.left_axis(&mut svg, &y, "manifold entropy Hᵢ (nats)", 5);
    frame.bottom_axis(&mut svg, &x, "standard deviation of the code, σᵢ", if width == Width::Wide { 8 } else { 4 });
    if let Some(cut) = at(estimate, &["cut"]).filter(|cut| *cut > 0.0) {
        let place = x.at(cut).clamp(frame.left, frame.right);
        svg.dashes((place, frame.top), (place, frame.bottom), REFERENCE, 1.25);
        svg.haloed((place - 6.0, frame.top + 10.0), Anchor::End, Font { fill: REFERENCE, ..SMALL }, "looks unused", PAPER);
    }
    let label = points.len() <= 24;
    for (i, spread, entropy) in &points {
        let colour = if hidden.contains(i) { REFERENCE } else { ACCENT };
        let place = (x.at(*spread), y.at(*entropy));
        svg.hinted(&format!("latent {i}: σ {}, H {}", short(*spread), fixed(*entropy, 2)), |svg| {
            svg.dots(&[place], colour, if label { 8.0 } else { 5.0 }, 0.9);
            if label || hidden.contains(i) {
                svg.haloed((place.0 + 7.0, place.1 + 4.0), Anchor::Start, Font { fill: INK, ..SMALL }, &i.to_string(), PAPER);
            }
        });
    }
    let mut caption = "Each dot is a latent: how much its codes vary, and how much it moves the data. On a rising line a small spread means a small effect; a dot high on the left is a latent that looks unused by its spread and is not."
        .to_string();
    if let Some(correlation) = at(estimate, &["spearman", "value"]) {
        caption = format!("{caption} The rank correlation of the two is {}.", fixed(correlation, 2));
    }
    caption.push_str(match hidden.len() {
        0 => " No latent is hidden.",
        1 => " One latent is hidden.",
        _ => " Several latents are hidden (marked).",
    });
    Ok(Some(Figure { svg: svg.finish(), title, caption }))
}
