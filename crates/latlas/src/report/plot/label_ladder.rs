//! Accuracy of learners on codes against the number of labels.

use super::axes::{Frame, Scale};
use super::svg::{Anchor, SMALL, Svg};
use super::{Figure, Width};
use crate::error::Result;
use crate::report::atlas::Atlas;
use crate::report::colour::{ACCENT, MUTED};
use crate::report::extra::{entry, interval, numbers};
use crate::report::number::about;

/// From the estimates `logistic-ladder` and `boosted-ladder`.
pub fn draw(atlas: &Atlas, width: Width) -> Result<Option<Figure>> {
    let mut curves = Vec::new();
    for (id, name, colour) in [("boosted-ladder", "boosted trees", ACCENT), ("logistic-ladder", "logistic regression", MUTED)] {
        let Some(estimate) = atlas.report.estimate(id) else { continue };
        let labels = numbers(estimate.extra.get("labels")).unwrap_or_default();
        let point = |i: usize| Some((labels[i], entry(estimate, i)?.0, interval(estimate, i))).filter(|(_, y, _)| y.is_finite());
        let points: Vec<_> = (0..labels.len()).filter_map(point).collect();
        if points.len() > 1 {
            curves.push((name, colour, points));
        }
    }
    if curves.is_empty() {
        return Ok(None);
    }
    let title = "How many labels are needed".to_string();
    let ends = curves.iter().map(|(name, _, points)| {
        let (first, last) = (points[0], points[points.len() - 1]);
        format!("{name}: {} with {} labels, {} with {}", about(first.1, 2), first.0, about(last.1, 2), last.0)
    });
    let description = ends.collect::<Vec<_>>().join("; ");
    let (w, height) = (width.pixels(), 260.0);
    let mut svg = Svg::new(&width.id("label-ladder"), w, height, &title, &description);
    let frame = Frame { left: 62.0, top: 28.0, right: w - 20.0, bottom: height - 50.0 };
    let labels = || curves.iter().flat_map(|(_, _, points)| points.iter().map(|(x, ..)| *x));
    let x = Scale::log((labels().fold(f64::INFINITY, f64::min), labels().fold(0.0, f64::max)), frame.across());
    let y = Scale::linear((0.0, 1.0), frame.upwards());
    frame.left_axis(&mut svg, &y, "accuracy", 5);
    let mut place = frame.left;
    for (name, colour, points) in &curves {
        let line: Vec<(f64, f64)> = points.iter().map(|(n, value, _)| (x.at(*n), y.at(*value))).collect();
        svg.polyline(&line, colour, 2.0);
        svg.dots(&line, colour, 7.0, 1.0);
        for (n, _, ends) in points {
            if let Some((low, high)) = ends {
                svg.line((x.at(*n), y.at(*low)), (x.at(*n), y.at(*high)), colour, 1.5);
            }
        }
        svg.line((place, 12.0), (place + 18.0, 12.0), colour, 3.0);
        svg.text((place + 23.0, 16.0), Anchor::Start, SMALL, name);
        place += 44.0 + super::svg::text_width(name, SMALL.size);
    }
    frame.bottom_axis(&mut svg, &x, "labelled rows to learn from", 4);
    let caption = "Mean test accuracy over the factors for learners that see the codes only, with 95 % intervals over draws of the labelled rows and over the test rows. Predicting the factors themselves is a contrived task; what counts is how early a curve is flat.".into();
    Ok(Some(Figure { svg: svg.finish(), title, caption }))
}
