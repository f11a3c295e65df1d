//! All scores of codes that lie between 0 and 1, with their intervals, beside what chance and a random turn give.

use super::axes::{Frame, Scale};
use super::svg::{Anchor, Font, SMALL, Svg};
use super::{Figure, Width};
use crate::error::Result;
use crate::estimators;
use crate::report::atlas::Atlas;
use crate::report::colour::{ACCENT, INK, MUTED, PAPER, REFERENCE, RULE};
use crate::report::extra::{at, interval, scalar};
use crate::report::number::measured;
use crate::report::text::visible;

/// One score.
struct Row {
    title: String,
    value: f64,
    error: Option<f64>,
    interval: Option<(f64, f64)>,
    chance: Option<f64>,
    turned: Option<f64>,
}

/// From the scalar estimates of the group `representation` whose unit is 1 or accuracy.
pub fn draw(atlas: &Atlas, width: Width) -> Result<Option<Figure>> {
    let is_score = |id: &str, unit: &str| {
        let card = estimators::find(id).map(|entry| &entry.card);
        card.is_some_and(|card| card.group == "representation") && (unit == "1" || unit == "accuracy")
    };
    let row = |e: &crate::estimate::Estimate| {
        let (value, error) = scalar(e).filter(|(value, _)| value.is_finite())?;
        let (chance, turned) = (at(e, &["null", "shuffled", "value"]), at(e, &["null", "turned", "value"]));
        Some(Row { title: visible(&e.title), value, error, interval: interval(e, 0), chance, turned })
    };
    let rows: Vec<Row> = atlas.report.estimates.iter().filter(|e| is_score(&e.id, &e.unit)).filter_map(row).collect();
    if rows.len() < 2 {
        return Ok(None);
    }
    let title = "Scores of the codes".to_string();
    let description = rows.iter().map(|row| format!("{}: {}", row.title, measured(row.value, row.error))).collect::<Vec<_>>().join("; ");
    let (w, wide) = (width.pixels(), width == Width::Wide);
    let step = if wide { 24.0 } else { 38.0 };
    let height = 34.0 + step * rows.len() as f64 + 46.0;
    let mut svg = Svg::new(&width.id("code-scores"), w, height, &title, &description);
    let frame = Frame { left: if wide { 300.0 } else { 14.0 }, top: 30.0, right: w - 16.0, bottom: height - 46.0 };
    let largest = rows.iter().flat_map(|row| [row.value, row.interval.map_or(0.0, |(_, high)| high)]).fold(1.0, f64::max);
    let smallest = rows.iter().flat_map(|row| [row.value, row.interval.map_or(0.0, |(low, _)| low)]).fold(0.0, f64::min);
    let x = Scale::linear((smallest, largest), frame.across());
    for tick in x.ticks(5) {
        svg.line((x.at(tick.at), frame.top), (x.at(tick.at), frame.bottom), RULE, 1.0);
    }
    for (place, row) in rows.iter().enumerate() {
        let y = frame.top + step * (place as f64 + if wide { 0.5 } else { 0.7 });
        if wide {
            svg.text((frame.left - 10.0, y + 4.0), Anchor::End, SMALL, &row.title);
        } else {
            svg.text((frame.left, y - 10.0), Anchor::Start, SMALL, &row.title);
        }
        if let Some(chance) = row.chance {
            svg.line((x.at(chance), y - 7.0), (x.at(chance), y + 7.0), REFERENCE, 2.0);
        }
        if let Some(turned) = row.turned {
            svg.disc((x.at(turned), y), 4.0, PAPER, MUTED);
        }
        if let Some((low, high)) = row.interval {
            svg.line((x.at(low), y), (x.at(high), y), INK, 1.5);
        }
        svg.disc((x.at(row.value), y), 4.5, ACCENT, PAPER);
    }
    let mut place = frame.left.min(60.0);
    let names = if wide { ["score and interval", "chance (shuffled)", "random turn"] } else { ["score", "chance", "turned"] };
    for (kind, name) in names.into_iter().enumerate() {
        match kind {
            0 => svg.disc((place + 8.0, 11.0), 4.5, ACCENT, PAPER),
            1 => svg.line((place + 8.0, 4.0), (place + 8.0, 18.0), REFERENCE, 2.0),
            _ => svg.disc((place + 8.0, 11.0), 4.0, PAPER, MUTED),
        }
        svg.text((place + 17.0, 15.0), Anchor::Start, Font { ..SMALL }, name);
        place += 32.0 + super::svg::text_width(name, SMALL.size);
    }
    frame.bottom_axis(&mut svg, &x, "score", if wide { 5 } else { 4 });
    let caption = "Each score with its interval, beside the same score of shuffled factors (chance) and of codes turned at random (what the axes are worth). A score that does not beat a random turn says nothing of the axes, however high it is.".into();
    Ok(Some(Figure { svg: svg.finish(), title, caption }))
}
