//! The picture of a reproduction: obtained values with intervals, and published ones as rings, over the cases.

use super::{Axis, Reproduction, Series};
use crate::report::colour::{CLASSES, INK, REFERENCE, hex};
use crate::report::number::short;
use crate::report::plot::axes::{Frame, Scale};
use crate::report::plot::legend::Legend;
use crate::report::plot::over_models::{in_order, numbered};
use crate::report::plot::svg::Svg;
use crate::report::plot::{Figure, Width};

/// Draws it.
pub fn draw(found: &Reproduction, width: Width) -> Figure {
    let names: Vec<(&str, String)> = found.series.iter().zip(CLASSES).map(|(series, rgb)| (series.name, hex(rgb))).collect();
    let entries: Vec<(&str, &str)> = names.iter().map(|(name, colour)| (*name, colour.as_str())).collect();
    let legend = Legend(if entries.len() > 1 { &entries } else { &[] });
    let w = width.pixels();
    let frame = Frame { left: 66.0, top: 14.0 + legend.height(w - 82.0), right: w - 16.0, bottom: 300.0 };
    let caption = caption(found);
    let mut svg = Svg::new(&width.id(found.id), w, frame.bottom + 50.0, "Published and obtained values", &caption);
    legend.draw(&mut svg, (frame.left, 8.0), w - 82.0);
    let y = vertical(found, &frame);
    frame.left_axis(&mut svg, &y, found.vertical, 6);
    let places = places(&mut svg, &frame, &found.axis, width);
    let step = match &found.axis {
        Axis::Words(words) => 0.62 * (frame.right - frame.left) / (words.len() * found.series.len().max(1)) as f64,
        Axis::Numbers(..) => 0.0,
    };
    for (k, (series, (_, colour))) in found.series.iter().zip(&names).enumerate() {
        let shift = step * (k as f64 - 0.5 * (found.series.len() - 1) as f64);
        let at: Vec<f64> = places.iter().map(|x| x + shift).collect();
        if matches!(found.axis, Axis::Numbers(..)) {
            let line: Vec<(f64, f64)> = at.iter().enumerate().map(|(case, x)| (*x, y.at(series.mean(case).0))).collect();
            svg.polyline(&line, colour, 1.25);
        }
        for (case, x) in at.iter().enumerate() {
            mark(&mut svg, series, case, *x, &y, (colour, 0.4 * step.max(12.0)));
        }
    }
    Figure { svg: svg.finish(), title: "Published and obtained".into(), caption }
}

fn mark(svg: &mut Svg, series: &Series, case: usize, x: f64, y: &Scale, (colour, half): (&str, f64)) {
    let (mean, interval) = series.mean(case);
    let hint = format!("{}: {}", series.name, short(mean));
    if let Some(truth) = series.truth {
        svg.dashes((x - half, y.at(truth)), (x + half, y.at(truth)), REFERENCE, 1.5);
    }
    svg.hinted(&hint, |svg| {
        if let Some((low, high)) = interval {
            svg.line((x, y.at(low)), (x, y.at(high)), colour, 1.75);
        }
        svg.dots(&[(x, y.at(mean))], colour, 7.0, 1.0);
    });
    if let Some(published) = series.published[case] {
        svg.ring((x, y.at(published)), 5.5, INK);
    }
}

fn vertical(found: &Reproduction, frame: &Frame) -> Scale {
    let of = |series: &Series, case: usize| {
        let (low, high) = series.ends(case);
        [Some(low), Some(high), series.published[case], series.truth]
    };
    let all = found.series.iter().flat_map(|series| (0..found.axis.len()).flat_map(move |case| of(series, case))).flatten();
    Scale::with_zero(all, frame.upwards())
}

fn places(svg: &mut Svg, frame: &Frame, axis: &Axis, width: Width) -> Vec<f64> {
    match axis {
        Axis::Numbers(name, values) => numbered(svg, frame, name, values, width),
        Axis::Words(words) => in_order(svg, frame, words, words.len(), "loss").0,
    }
}

fn caption(found: &Reproduction) -> String {
    let seeds = found.series.first().and_then(|series| series.values.first()).map_or(0, Vec::len);
    let truths = if found.series.iter().any(|series| series.truth.is_some()) { "; dashes: the truth of the data" } else { "" };
    format!("Dots: mean over {seeds} seeds with its 95 % interval; rings: as published{truths}.")
}
