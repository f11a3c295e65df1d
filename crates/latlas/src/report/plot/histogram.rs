//! A histogram over the samples, with marked values.

use super::Width;
use super::axes::{Frame, Scale};
use super::svg::{Anchor, Font, SMALL, Svg};
use crate::report::colour::{ACCENT_SOFT, PAPER, REFERENCE};

/// What to draw.
#[derive(Debug)]
pub struct Histogram<'a> {
    /// Ascending, one more than counts.
    pub edges: &'a [f64],
    /// Samples in each bin.
    pub counts: &'a [f64],
    /// Title of the horizontal axis, with unit.
    pub horizontal: &'a str,
    /// A value worth a line, and its name.
    pub marked: Option<(f64, String)>,
    /// Whether edges are natural logarithms of what the axis shows.
    pub log: bool,
}

impl Histogram<'_> {
    /// Whether there is something to draw.
    pub fn is_sound(&self) -> bool {
        let rising = self.edges.windows(2).all(|w| w[0] < w[1]);
        let counted = self.counts.iter().all(|c| *c >= 0.0 && c.is_finite()) && self.counts.iter().any(|c| *c > 0.0);
        self.edges.len() == self.counts.len() + 1 && rising && counted && self.edges.iter().all(|e| e.is_finite())
    }

    /// Draws it; the picture's id, title and description come from the caller.
    pub fn draw(&self, width: Width, id: &str, title: &str, description: &str) -> String {
        let (w, height) = (width.pixels(), 230.0);
        let mut svg = Svg::new(&width.id(id), w, height, title, description);
        let frame = Frame { left: 62.0, top: 26.0, right: w - 12.0, bottom: height - 50.0 };
        let most = self.counts.iter().copied().fold(0.0, f64::max);
        let vertical = Scale::linear((0.0, most * 1.05), frame.upwards());
        frame.left_axis(&mut svg, &vertical, "samples", 4);

        let edges: Vec<f64> = if self.log { self.edges.iter().map(|e| e.exp()).collect() } else { self.edges.to_vec() };
        let domain = (edges[0], edges[edges.len() - 1]);
        // A logarithmic axis pays from a factor of ten on.
        let spread = self.log && domain.1 / domain.0 > 10.0;
        let across = if spread { Scale::log(domain, frame.across()) } else { Scale::linear(domain, frame.across()) };
        for (bin, count) in self.counts.iter().enumerate().filter(|(_, c)| **c > 0.0) {
            let (left, right) = (across.at(edges[bin]), across.at(edges[bin + 1]));
            let y = vertical.at(*count);
            let gap = if right - left > 4.0 { 1.0 } else { 0.0 };
            svg.rect((left + gap / 2.0, y), (right - left - gap, frame.bottom - y), ACCENT_SOFT, 0.0);
            svg.line((left + gap / 2.0, y), (right - gap / 2.0, y), crate::report::colour::ACCENT, 1.5);
        }
        if let Some((value, name)) = self.marked.as_ref().filter(|(v, _)| v.is_finite()) {
            let x = across.at(*value).clamp(frame.left, frame.right);
            svg.line((x, frame.top - 4.0), (x, frame.bottom), REFERENCE, 1.5);
            let anchor = if x > f64::midpoint(frame.left, frame.right) { Anchor::End } else { Anchor::Start };
            let shift = if anchor == Anchor::End { -6.0 } else { 6.0 };
            svg.haloed((x + shift, frame.top - 10.0), anchor, Font { fill: REFERENCE, ..SMALL }, name, PAPER);
        }
        let wanted = if width == Width::Wide { 8 } else { 4 };
        frame.bottom_axis(&mut svg, &across, self.horizontal, wanted);
        svg.finish()
    }
}
