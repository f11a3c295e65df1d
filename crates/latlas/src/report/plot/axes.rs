//! Scales, round ticks, and the frame of a plot with labelled axes.

use super::svg::{Anchor, Font, LABEL, SMALL, Svg, text_width};
use crate::report::colour::{INK, RULE};
use crate::report::number::{magnitude, power_of_ten, trimmed};

/// A map from values to pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    domain: (f64, f64),
    range: (f64, f64),
    log: bool,
}

/// A tick: where, and what it says.
#[derive(Debug, Clone, PartialEq)]
pub struct Tick {
    /// In values.
    pub at: f64,
    /// The label.
    pub label: String,
}

impl Scale {
    /// Linear from `domain` to `range`; an empty or non-finite domain is widened to something visible.
    pub fn linear(domain: (f64, f64), range: (f64, f64)) -> Self {
        let sound = domain.0.is_finite() && domain.1.is_finite() && domain.0 <= domain.1;
        let (low, high) = if sound { domain } else { (0.0, 1.0) };
        let widen = if high - low > 1e-12 * low.abs().max(high.abs()) { 0.0 } else { low.abs().max(1.0) * 0.5 };
        Self { domain: (low - widen, high + widen), range, log: false }
    }

    /// Linear over 0 and all values that are finite, with a margin where they end.
    pub fn with_zero(values: impl Iterator<Item = f64>, range: (f64, f64)) -> Self {
        let ends = |(low, high): (f64, f64), x: f64| (low.min(x), high.max(x));
        let (low, high) = values.filter(|x| x.is_finite()).fold((0.0, f64::NEG_INFINITY), ends);
        let margin = 0.06 * (high - low).max(1e-9);
        Self::linear((if low < 0.0 { low - margin } else { 0.0 }, high + margin), range)
    }

    /// Logarithmic; the domain must be positive and is widened where it spans less than a factor of four.
    pub fn log(domain: (f64, f64), range: (f64, f64)) -> Self {
        let positive = domain.0 > 0.0 && domain.1.is_finite() && domain.1 >= domain.0;
        let (mut low, mut high) = if positive { domain } else { (0.1, 10.0) };
        if high / low < 4.0 {
            let middle = (low * high).sqrt();
            (low, high) = (middle / 2.0, middle * 2.0);
        }
        Self { domain: (low, high), range, log: true }
    }

    /// The pixel of a value.
    pub fn at(&self, value: f64) -> f64 {
        let unit = |v: f64| if self.log { v.max(f64::MIN_POSITIVE).ln() } else { v };
        let (low, high) = (unit(self.domain.0), unit(self.domain.1));
        self.range.0 + (unit(value) - low) / (high - low) * (self.range.1 - self.range.0)
    }

    /// About `wanted` ticks at round values.
    pub fn ticks(&self, wanted: usize) -> Vec<Tick> {
        if self.log { self.powers(wanted) } else { self.round_steps(wanted) }
    }

    fn round_steps(&self, wanted: usize) -> Vec<Tick> {
        let (low, high) = self.domain;
        let raw = (high - low) / wanted.max(1) as f64;
        let decade = 10f64.powi(raw.log10().floor() as i32);
        let distance = |step: &f64| (step / raw).ln().abs();
        let steps = [1.0, 2.0, 2.5, 5.0, 10.0].map(|m| m * decade);
        let step = steps.into_iter().min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap_or(raw);
        let decimals = if step >= 1.0 { usize::from(step % 1.0 != 0.0) } else { (2 - magnitude(step)).clamp(0, 12) as usize };
        let first = (low / step - 1e-9).ceil() as i64;
        let last = (high / step + 1e-9).floor() as i64;
        (first..=last.min(first.saturating_add(50)))
            .map(|i| {
                let at = i as f64 * step;
                let large = magnitude(at) >= 6;
                let label = if large { crate::report::number::short(at) } else { trimmed(at, decimals) };
                Tick { at, label }
            })
            .collect()
    }

    fn powers(&self, wanted: usize) -> Vec<Tick> {
        let (low, high) = (self.domain.0.log10(), self.domain.1.log10());
        let span = high - low;
        let inside = |at: f64| at >= self.domain.0 * (1.0 - 1e-9) && at <= self.domain.1 * (1.0 + 1e-9);
        let every = ((span / wanted.max(1) as f64).ceil() as i32).max(1);
        let mut ticks = Vec::new();
        for power in (low.floor() as i32)..=(high.ceil() as i32) {
            let mantissas: &[f64] = if span < 1.2 {
                &[1.0, 1.5, 2.0, 3.0, 5.0, 7.0]
            } else if span < 2.5 {
                &[1.0, 3.0]
            } else {
                &[1.0]
            };
            for mantissa in mantissas {
                let at = mantissa * 10f64.powi(power);
                if inside(at) && power.rem_euclid(every) == 0 {
                    let label = if (-3..5).contains(&power) {
                        trimmed(at, (1 - power).max(0) as usize)
                    } else if *mantissa > 1.0 {
                        format!("{mantissa}·{}", power_of_ten(power))
                    } else {
                        power_of_ten(power)
                    };
                    ticks.push(Tick { at, label });
                }
            }
        }
        ticks
    }
}

/// The rectangle in which data is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frame {
    /// Left edge.
    pub left: f64,
    /// Top edge.
    pub top: f64,
    /// Right edge.
    pub right: f64,
    /// Bottom edge.
    pub bottom: f64,
}

impl Frame {
    /// Horizontal extent, left to right.
    pub fn across(&self) -> (f64, f64) {
        (self.left, self.right)
    }

    /// Vertical extent, bottom to top.
    pub fn upwards(&self) -> (f64, f64) {
        (self.bottom, self.top)
    }

    /// Grid lines, tick labels and title of the vertical axis. Returns how far the labels reach to the left.
    pub fn left_axis(&self, svg: &mut Svg, scale: &Scale, title: &str, wanted: usize) {
        let ticks = scale.ticks(wanted);
        for tick in &ticks {
            let y = scale.at(tick.at);
            svg.line((self.left, y), (self.right, y), RULE, 1.0);
            svg.text((self.left - 8.0, y + 4.0), Anchor::End, SMALL, &tick.label);
        }
        let widest = ticks.iter().map(|t| text_width(&t.label, SMALL.size)).fold(0.0, f64::max);
        svg.upwards((self.left - widest - 18.0, f64::midpoint(self.top, self.bottom)), LABEL, title);
    }

    /// Tick labels and title of the horizontal axis, with a base line.
    pub fn bottom_axis(&self, svg: &mut Svg, scale: &Scale, title: &str, wanted: usize) {
        svg.line((self.left, self.bottom), (self.right, self.bottom), INK, 1.0);
        for tick in scale.ticks(wanted) {
            let x = scale.at(tick.at);
            svg.line((x, self.bottom), (x, self.bottom + 4.0), INK, 1.0);
            svg.text((x, self.bottom + 17.0), Anchor::Middle, SMALL, &tick.label);
        }
        self.bottom_title(svg, title);
    }

    /// The title below the horizontal axis.
    pub fn bottom_title(&self, svg: &mut Svg, title: &str) {
        svg.text((f64::midpoint(self.left, self.right), self.bottom + 36.0), Anchor::Middle, LABEL, title);
    }
}

/// The font of numbers beside marks.
pub const VALUE: Font = Font { size: 12.0, fill: INK, bold: true };

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scale: &Scale, wanted: usize) -> Vec<String> {
        scale.ticks(wanted).into_iter().map(|t| t.label).collect()
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(labels(&Scale::linear((0.0, 10.0), (0.0, 1.0)), 5), ["0", "2", "4", "6", "8", "10"]);
        assert_eq!(labels(&Scale::linear((-0.31, 0.12), (0.0, 1.0)), 4), ["−0.3", "−0.2", "−0.1", "0", "0.1"]);
        assert_eq!(labels(&Scale::log((0.02, 300.0), (0.0, 1.0)), 6), ["0.1", "1", "10", "100"]);
        assert_eq!(labels(&Scale::log((2.0, 9.0), (0.0, 1.0)), 6), ["2", "3", "5", "7"]);
    }

    #[test]
    fn degenerate_domains_still_make_a_scale() {
        for domain in [(1.0, 1.0), (f64::NAN, 2.0), (0.0, 0.0), (3.0, f64::INFINITY), (5.0, -5.0)] {
            let scale = Scale::linear(domain, (0.0, 100.0));
            assert!(scale.at(1.0).is_finite() && !scale.ticks(5).is_empty(), "{domain:?}");
            let scale = Scale::log(domain, (0.0, 100.0));
            assert!(scale.at(1.0).is_finite() && !scale.ticks(5).is_empty(), "{domain:?}");
        }
    }

    #[test]
    fn pixels_run_from_end_to_end() {
        let scale = Scale::log((1.0, 100.0), (200.0, 0.0));
        assert!((scale.at(10.0) - 100.0).abs() < 1e-12);
        assert!((Scale::linear((-1.0, 1.0), (0.0, 10.0)).at(0.5) - 7.5).abs() < 1e-12);
    }
}
