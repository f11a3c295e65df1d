//! Marks in a row, one for each latent or singular value: the value with its interval on top of the spread over samples.

use super::Width;
use super::axes::{Frame, Scale, VALUE};
use super::legend::Legend;
use super::svg::{Anchor, SMALL, Svg, text_width};
use crate::report::colour::{ACCENT, ACCENT_SOFT, INK, MUTED, PAPER, REFERENCE, RULE};

/// One entry of the row.
#[derive(Debug, Clone, Default)]
pub struct Mark {
    /// Below the axis.
    pub label: String,
    /// May be infinite or NaN: it then stands in a strip of its own below the others.
    pub value: f64,
    /// Confidence interval.
    pub interval: Option<(f64, f64)>,
    /// 5, 25, 75 and 95 % quantiles over the samples.
    pub spread: Option<[f64; 4]>,
    /// Value and uncertainty in words.
    pub said: String,
}

/// The row and what surrounds it.
#[derive(Debug)]
pub struct Row<'a> {
    /// In the order of drawing.
    pub marks: &'a [Mark],
    /// Title of the vertical axis, with unit.
    pub vertical: &'a str,
    /// Title of the horizontal axis.
    pub horizontal: &'a str,
    /// A value to compare with, and its name.
    pub reference: Option<(f64, &'a str)>,
    /// Further values at the places of the marks.
    pub lines: &'a [Line<'a>],
    /// A cut after so many marks, and its name.
    pub cut: Option<(usize, &'a str)>,
    /// Whether the vertical axis is logarithmic.
    pub log: bool,
    /// What the strip below stands for: `−∞` or `0`.
    pub below: &'a str,
}

/// Values beside the marks.
#[derive(Debug, Clone)]
pub struct Line<'a> {
    /// One for each mark, in the order of drawing; what is not finite is left out.
    pub values: Vec<f64>,
    /// For the legend.
    pub name: &'a str,
    /// Its stroke.
    pub colour: &'a str,
    /// Rings at the values instead of a line through them.
    pub rings: bool,
}

/// Height of the strip for what has no place on the axis.
const STRIP: f64 = 34.0;
/// Marks stand no further apart.
const WIDEST_STEP: f64 = 170.0;

impl Row<'_> {
    /// Draws the row; the picture's id, title and description come from the caller.
    pub fn draw(&self, width: Width, id: &str, title: &str, description: &str) -> String {
        let (w, height) = (width.pixels(), if width == Width::Wide { 330.0 } else { 300.0 });
        let lost = self.marks.iter().any(|m| !self.has_place(m.value));
        let names: Vec<(&str, &str)> = self.lines.iter().map(|line| (line.name, line.colour)).collect();
        let (legend, room) = (Legend(&names), w - 78.0);
        let above = legend.height(room);
        let (height, top) = (height + above, 16.0 + above);
        let mut svg = Svg::new(&width.id(id), w, height, title, description);
        legend.draw(&mut svg, (70.0, 4.0), room);
        let frame = Frame { left: 70.0, top, right: w - 8.0, bottom: height - 50.0 - if lost { STRIP } else { 0.0 } };
        let scale = self.scale(&frame);

        frame.left_axis(&mut svg, &scale, self.vertical, 6);
        self.draw_reference(&mut svg, &frame, &scale);
        svg.line((frame.left, frame.bottom), (frame.right, frame.bottom), if lost { RULE } else { INK }, 1.0);
        let axis = if lost { frame.bottom + STRIP } else { frame.bottom };
        if lost {
            svg.line((frame.left, axis), (frame.right, axis), INK, 1.0);
            svg.text((frame.left - 8.0, frame.bottom + STRIP / 2.0 + 4.0), Anchor::End, SMALL, self.below);
        }

        let inner = frame.right - frame.left;
        let step = (inner / self.marks.len().max(1) as f64).min(WIDEST_STEP);
        let start = frame.left + (inner - step * self.marks.len() as f64) / 2.0;
        let widest = self.marks.iter().map(|m| text_width(&m.label, SMALL.size)).fold(0.0, f64::max);
        let every = ((widest + 8.0) / step).ceil().max(1.0) as usize;
        if let Some((after, name)) = self.cut.filter(|(after, _)| *after > 0 && *after < self.marks.len()) {
            let x = start + step * after as f64;
            svg.dashes((x, frame.top), (x, axis), REFERENCE, 1.25);
            let (anchor, shift) = if x > f64::midpoint(frame.left, frame.right) { (Anchor::End, -6.0) } else { (Anchor::Start, 6.0) };
            svg.haloed((x + shift, frame.top + 10.0), anchor, super::svg::Font { fill: REFERENCE, ..SMALL }, name, PAPER);
        }
        let at = |place: usize| start + step * (place as f64 + 0.5);
        let lines = |rings: bool| self.lines.iter().filter(move |line| line.rings == rings);
        lines(false).for_each(|line| draw_line(&mut svg, line, &frame, &scale, at, step));
        for (place, mark) in self.marks.iter().enumerate() {
            let x = start + step * (place as f64 + 0.5);
            let hint = format!("{} {}: {}", self.horizontal.split(',').next().unwrap_or(""), mark.label, mark.said);
            svg.hinted(&hint, |svg| self.draw_mark(svg, mark, x, step, &scale, frame.bottom + STRIP / 2.0));
            if place.is_multiple_of(every) {
                svg.line((x, axis), (x, axis + 4.0), INK, 1.0);
                svg.text((x, axis + 17.0), Anchor::Middle, SMALL, &mark.label);
            }
        }
        // Rings go around what they mark.
        lines(true).for_each(|line| draw_line(&mut svg, line, &frame, &scale, at, step));
        Frame { bottom: axis, ..frame }.bottom_title(&mut svg, self.horizontal);
        svg.finish()
    }

    fn has_place(&self, value: f64) -> bool {
        value.is_finite() && (!self.log || value > 0.0)
    }

    fn scale(&self, frame: &Frame) -> Scale {
        let all = self.marks.iter().flat_map(|m| {
            let spread = m.spread.into_iter().flatten();
            let interval = m.interval.into_iter().flat_map(|(low, high)| [low, high]);
            spread.chain(interval).chain([m.value])
        });
        let (low, high) = all.filter(|x| self.has_place(*x)).fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), x| (l.min(x), h.max(x)));
        if self.log {
            return Scale::log((low / 1.15, high * 1.15), frame.upwards());
        }
        // What is far away would flatten everything else: a reference less, lines more.
        let span = (high - low).max(0.5);
        let widened = |value: f64, reach: f64| value > low - reach && value < high + reach;
        let reference = self.reference.map(|(value, _)| value).filter(|value| widened(*value, 1.2 * span));
        let lines = self.lines.iter().flat_map(|line| &line.values).copied().filter(|value| widened(*value, (2.0 * span).max(3.0)));
        let (low, high) = lines.chain(reference).fold((low, high), |(l, h), value| (l.min(value), h.max(value)));
        let margin = 0.08 * (high - low).max(0.1);
        Scale::linear((low - margin, high + margin), frame.upwards())
    }

    fn draw_reference(&self, svg: &mut Svg, frame: &Frame, scale: &Scale) {
        let Some((value, name)) = self.reference else { return };
        let y = scale.at(value);
        if y < frame.top || y > frame.bottom {
            return;
        }
        svg.dashes((frame.left, y), (frame.right, y), REFERENCE, 1.25);
        // Marks fall from left to right: below the line there is room on the left, above it on the right.
        let reach = |mark: Option<&Mark>, end: usize| mark.map_or(f64::NAN, |m| m.spread.map_or(m.value, |s| s[end]));
        let is_free_below = reach(self.marks.first(), 0) > value && frame.bottom - y > 20.0;
        let font = super::svg::Font { fill: REFERENCE, ..SMALL };
        if is_free_below {
            svg.haloed((frame.left + 6.0, y + 15.0), Anchor::Start, font, name, PAPER);
        } else {
            let above = if y - frame.top > 20.0 { y - 6.0 } else { y + 15.0 };
            svg.haloed((frame.right - 4.0, above), Anchor::End, font, name, PAPER);
        }
    }

    fn draw_mark(&self, svg: &mut Svg, mark: &Mark, x: f64, step: f64, scale: &Scale, below: f64) {
        let half = (0.36 * step).clamp(1.2, 22.0);
        if !self.has_place(mark.value) {
            let size = half.min(7.0);
            let triangle = [(x - size, below - size * 0.7), (x + size, below - size * 0.7), (x, below + size * 0.9)];
            return svg.area(&triangle, MUTED);
        }
        // A quantile without a place on a logarithmic axis ends at the smallest value that has one.
        let y = |v: f64| scale.at(v);
        let mut top = y(mark.value);
        if let Some([p5, p25, p75, p95]) = mark.spread.filter(|s| s.iter().all(|v| self.has_place(*v))) {
            svg.line((x, y(p5)), (x, y(p95)), ACCENT_SOFT, (half * 0.5).clamp(1.0, 2.0));
            svg.rect((x - half, y(p75)), (2.0 * half, y(p25) - y(p75)), ACCENT_SOFT, half.min(3.0));
            top = top.min(y(p95));
        }
        let dot = (0.42 * step).clamp(1.3, 3.2);
        if let Some((low, high)) = mark.interval.filter(|(low, high)| self.has_place(*low) && self.has_place(*high)) {
            let cap = (half * 0.5).min(9.0);
            svg.line((x, y(low)), (x, y(high)), ACCENT, 1.75);
            if step > 14.0 && y(low) - y(high) > 4.0 {
                svg.line((x - cap, y(low)), (x + cap, y(low)), ACCENT, 1.75);
                svg.line((x - cap, y(high)), (x + cap, y(high)), ACCENT, 1.75);
            }
            top = top.min(y(high));
        }
        svg.dots(&[(x, y(mark.value))], ACCENT, 2.0 * dot, 1.0);
        let beside = step / 2.0 + 10.0;
        if text_width(&mark.said, VALUE.size) < beside && self.marks.len() < 8 {
            svg.text((x + half + 8.0, y(mark.value) + 4.0), Anchor::Start, VALUE, &mark.said);
        } else if let Some(value) = mark.said.split(' ').next().filter(|v| text_width(v, VALUE.size) + 6.0 < step) {
            svg.haloed((x, top - 9.0), Anchor::Middle, VALUE, value, PAPER);
        }
    }
}

/// A line where its values lie in the frame.
fn draw_line(svg: &mut Svg, line: &Line<'_>, frame: &Frame, scale: &Scale, at: impl Fn(usize) -> f64, step: f64) {
    let point = |(place, value): (usize, &f64)| {
        let y = scale.at(*value);
        (value.is_finite() && (frame.top..=frame.bottom).contains(&y)).then(|| (at(place), y))
    };
    let points: Vec<Option<(f64, f64)>> = line.values.iter().enumerate().map(point).collect();
    if line.rings {
        let radius = (0.2 * step).clamp(2.0, 6.0);
        points.iter().flatten().for_each(|centre| svg.ring(*centre, radius, line.colour));
    } else {
        // Gaps where values have no place.
        for piece in points.split(Option::is_none) {
            let piece: Vec<(f64, f64)> = piece.iter().flatten().copied().collect();
            svg.polyline(&piece, line.colour, 1.5);
            if step > 9.0 || piece.len() == 1 {
                svg.dots(&piece, line.colour, 5.0, 1.0);
            }
        }
    }
}

/// The quantiles that a mark shows, if all of them are there.
pub fn spread(quantiles: Option<Vec<(f64, f64)>>) -> Option<[f64; 4]> {
    let all = quantiles?;
    let at = |p| crate::report::extra::quantile(&all, p);
    Some([at(0.05)?, at(0.25)?, at(0.75)?, at(0.95)?])
}
