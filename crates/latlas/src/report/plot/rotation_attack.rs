//! Scores of turned codes against the angle.

use super::axes::{Frame, Scale};
use super::svg::{Anchor, SMALL, Svg};
use super::{Figure, Width};
use crate::error::Result;
use crate::estimate::Value;
use crate::report::atlas::Atlas;
use crate::report::colour::{CLASSES, hex};
use crate::report::extra::{at, find, numbers};
use crate::report::number::{about, short};

/// From the estimate `rotation-attack`.
pub fn draw(atlas: &Atlas, width: Width) -> Result<Option<Figure>> {
    let Some(estimate) = atlas.report.estimate("rotation-attack") else { return Ok(None) };
    let Value::Matrix(rows) = &estimate.value else { return Ok(None) };
    let angles = numbers(estimate.extra.get("angles")).unwrap_or_default();
    let names: Vec<String> =
        find(estimate, &["scores"]).and_then(|s| s.as_array()).into_iter().flatten().filter_map(|s| s.as_str().map(String::from)).collect();
    // The total correlation is in nats.
    let shown: Vec<usize> = (0..rows.len().min(names.len())).filter(|i| !names[*i].contains("total-correlation")).collect();
    let points = |row: &[f64]| angles.iter().copied().zip(row.iter().copied()).filter(|(_, y)| y.is_finite()).collect::<Vec<_>>();
    if angles.len() < 2 || shown.iter().all(|i| points(&rows[*i]).is_empty()) {
        return Ok(None);
    }
    let title = "Turning the codes".to_string();
    let last = |i: usize| points(&rows[i]).last().map_or(f64::NAN, |(_, y)| *y);
    let first = |i: usize| points(&rows[i]).first().map_or(f64::NAN, |(_, y)| *y);
    let falls = shown.iter().map(|i| format!("{} from {} to {}", names[*i], about(first(*i), 2), about(last(*i), 2)));
    let description = format!("Scores at angles from 0 to {} degrees: {}.", angles[angles.len() - 1], falls.collect::<Vec<_>>().join("; "));
    let (w, wide) = (width.pixels(), width == Width::Wide);
    let columns = if wide { 4 } else { 2 };
    let lines = shown.len().div_ceil(columns);
    let top = 14.0 + 18.0 * lines as f64;
    let height = top + 220.0 + 50.0;
    let mut svg = Svg::new(&width.id("rotation-attack"), w, height, &title, &description);
    let frame = Frame { left: 62.0, top, right: w - 12.0, bottom: height - 50.0 };
    let values = || shown.iter().flat_map(|i| rows[*i].iter().copied()).filter(|y| y.is_finite());
    let (low, high) = (values().fold(0.0, f64::min), values().fold(1.0, f64::max));
    let (x, y) = (Scale::linear((0.0, angles[angles.len() - 1]), frame.across()), Scale::linear((low, high), frame.upwards()));
    frame.left_axis(&mut svg, &y, "score", 5);
    let errors = match &estimate.standard_error {
        Some(Value::Matrix(errors)) if errors.len() == rows.len() => Some(errors),
        _ => None,
    };
    for (place, i) in shown.iter().enumerate() {
        let colour = hex(CLASSES[place % CLASSES.len()]);
        let line: Vec<(f64, f64)> = points(&rows[*i]).iter().map(|(a, s)| (x.at(*a), y.at(*s))).collect();
        svg.polyline(&line, &colour, 2.0);
        svg.dots(&line, &colour, 6.0, 1.0);
        for ((angle, score), error) in angles.iter().zip(&rows[*i]).zip(errors.map_or(&[][..], |errors| &errors[*i])) {
            if score.is_finite() && error.is_finite() {
                svg.line((x.at(*angle), y.at(score - 1.96 * error)), (x.at(*angle), y.at(score + 1.96 * error)), &colour, 1.0);
            }
        }
        let (column, line) = (place % columns, place / columns);
        let (left, level) = (10.0 + (w - 20.0) / columns as f64 * column as f64, 10.0 + 18.0 * line as f64);
        svg.line((left, level), (left + 18.0, level), &colour, 3.0);
        svg.text((left + 23.0, level + 4.0), Anchor::Start, SMALL, &names[*i]);
    }
    frame.bottom_axis(&mut svg, &x, "angle (degrees)", if wide { 9 } else { 5 });
    let mut caption = "Every pair of standardised codes is turned by the same angle. A model whose latents are turned back gives the same data, so no likelihood can tell one angle from another; the scores can, because they look at axes. A probe that may look everywhere (explicitness) stays flat. Bars are 95 % intervals.".to_string();
    if let Some(change) = at(estimate, &["likelihood_change"]) {
        caption = format!("{caption} The likelihood of the turned model changes by at most {} nats.", short(change));
    }
    if let Some(p) = numbers(estimate.extra.get("p_value")).and_then(|p| p.last().copied()).filter(|p| p.is_finite()) {
        let said = if p < 0.05 {
            "a two-sample test sees that the cloud has changed, so it is not round"
        } else {
            "a two-sample test sees no change of the cloud"
        };
        caption = format!("{caption} At the largest angle {said} (p = {}).", about(p, 2));
    }
    Ok(Some(Figure { svg: svg.finish(), title, caption }))
}
