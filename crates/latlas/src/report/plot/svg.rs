//! A small SVG writer: escapes text, rounds coordinates, and always writes size, role, title and description.

use std::fmt::Write;

use crate::report::colour::INK;
use crate::report::text::xml;

/// Where a text stands relative to its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// The point is at its left.
    Start,
    /// The point is at its centre.
    Middle,
    /// The point is at its right.
    End,
}

/// How a text looks.
#[derive(Debug, Clone, Copy)]
pub struct Font {
    /// Size in pixels.
    pub size: f64,
    /// Fill colour.
    pub fill: &'static str,
    /// Bold.
    pub bold: bool,
}

/// Labels of ticks and the like.
pub const SMALL: Font = Font { size: 11.5, fill: crate::report::colour::MUTED, bold: false };
/// Titles of axes and rows.
pub const LABEL: Font = Font { size: 12.5, fill: INK, bold: false };

/// A picture in the making.
#[derive(Debug)]
pub struct Svg {
    width: f64,
    height: f64,
    head: String,
    body: String,
}

impl Svg {
    /// An empty picture. `id` must be unique on a page.
    pub fn new(id: &str, width: f64, height: f64, title: &str, description: &str) -> Self {
        let id = xml(id);
        let head = format!(
            "role=\"img\" aria-labelledby=\"{id}-title {id}-desc\" font-family=\"inherit\"><title id=\"{id}-title\">{}</title><desc id=\"{id}-desc\">{}</desc>",
            xml(title),
            xml(description),
        );
        Self { width, height, head, body: String::new() }
    }

    /// A straight line.
    pub fn line(&mut self, from: (f64, f64), to: (f64, f64), stroke: &str, width: f64) {
        let (x1, y1, x2, y2) = (Px(from.0), Px(from.1), Px(to.0), Px(to.1));
        let width = Px(width);
        self.put(format_args!("<line x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\" stroke=\"{stroke}\" stroke-width=\"{width}\"/>"));
    }

    /// A dashed straight line.
    pub fn dashes(&mut self, from: (f64, f64), to: (f64, f64), stroke: &str, width: f64) {
        let (x1, y1, x2, y2) = (Px(from.0), Px(from.1), Px(to.0), Px(to.1));
        let width = Px(width);
        self.put(format_args!(
            "<line x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\" stroke=\"{stroke}\" stroke-width=\"{width}\" stroke-dasharray=\"5 4\"/>"
        ));
    }

    /// A line through points.
    pub fn polyline(&mut self, points: &[(f64, f64)], stroke: &str, width: f64) {
        let (path, width) = (join(points), Px(width));
        self.put(format_args!("<path d=\"{path}\" stroke=\"{stroke}\" stroke-width=\"{width}\" stroke-linejoin=\"round\" fill=\"none\"/>"));
    }

    /// A filled rectangle with rounded corners.
    pub fn rect(&mut self, corner: (f64, f64), size: (f64, f64), fill: &str, radius: f64) {
        let (x, y, w, h, r) = (Px(corner.0), Px(corner.1), Px(size.0.max(0.0)), Px(size.1.max(0.0)), Px(radius));
        self.put(format_args!("<rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" rx=\"{r}\" fill=\"{fill}\"/>"));
    }

    /// The outline of a rectangle.
    pub fn outline(&mut self, corner: (f64, f64), size: (f64, f64), stroke: &str) {
        let (x, y, w, h) = (Px(corner.0), Px(corner.1), Px(size.0), Px(size.1));
        self.put(format_args!("<rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" fill=\"none\" stroke=\"{stroke}\"/>"));
    }

    /// A disc with a rim.
    pub fn disc(&mut self, centre: (f64, f64), radius: f64, fill: &str, rim: &str) {
        let (x, y, r) = (Px(centre.0), Px(centre.1), Px(radius));
        self.put(format_args!("<circle cx=\"{x}\" cy=\"{y}\" r=\"{r}\" fill=\"{fill}\" stroke=\"{rim}\" stroke-width=\"1.5\"/>"));
    }

    /// A circle without a filling.
    pub fn ring(&mut self, centre: (f64, f64), radius: f64, stroke: &str) {
        let (x, y, r) = (Px(centre.0), Px(centre.1), Px(radius));
        self.put(format_args!("<circle cx=\"{x}\" cy=\"{y}\" r=\"{r}\" fill=\"none\" stroke=\"{stroke}\" stroke-width=\"1.75\"/>"));
    }

    /// A circle line.
    pub fn circle(&mut self, centre: (f64, f64), radii: (f64, f64), stroke: &str) {
        let (x, y, rx, ry) = (Px(centre.0), Px(centre.1), Px(radii.0), Px(radii.1));
        self.put(format_args!(
            "<ellipse cx=\"{x}\" cy=\"{y}\" rx=\"{rx}\" ry=\"{ry}\" fill=\"none\" stroke=\"{stroke}\" stroke-dasharray=\"2 4\"/>"
        ));
    }

    /// Many dots of one kind as a single path: each is a stroke of no length with a round cap.
    pub fn dots(&mut self, points: &[(f64, f64)], colour: &str, size: f64, opacity: f64) {
        let mut path = String::new();
        for (x, y) in points {
            let _ = write!(path, "M{} {}h0", Px(*x), Px(*y));
        }
        let (size, opacity) = (Px(size), Px(opacity));
        self.put(format_args!(
            "<path d=\"{path}\" stroke=\"{colour}\" stroke-width=\"{size}\" stroke-linecap=\"round\" fill=\"none\" opacity=\"{opacity}\"/>"
        ));
    }

    /// A filled area bounded by points.
    pub fn area(&mut self, points: &[(f64, f64)], fill: &str) {
        let path = join(points);
        self.put(format_args!("<path d=\"{path}Z\" fill=\"{fill}\"/>"));
    }

    /// A text on one line.
    pub fn text(&mut self, at: (f64, f64), anchor: Anchor, font: Font, text: &str) {
        self.label(at, anchor, font, text, "");
    }

    /// A text with a halo of another colour, readable on any picture.
    pub fn haloed(&mut self, at: (f64, f64), anchor: Anchor, font: Font, text: &str, halo: &str) {
        self.label(
            at,
            anchor,
            font,
            text,
            &format!(" stroke=\"{halo}\" stroke-width=\"3.5\" stroke-linejoin=\"round\" paint-order=\"stroke\""),
        );
    }

    /// A text turned to run upwards, for the title of a vertical axis.
    pub fn upwards(&mut self, at: (f64, f64), font: Font, text: &str) {
        let turn = format!(" transform=\"rotate(-90 {} {})\"", Px(at.0), Px(at.1));
        self.label(at, Anchor::Middle, font, text, &turn);
    }

    fn label(&mut self, at: (f64, f64), anchor: Anchor, font: Font, text: &str, more: &str) {
        let (x, y, size, fill) = (Px(at.0), Px(at.1), Px(font.size), font.fill);
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let bold = if font.bold { " font-weight=\"600\"" } else { "" };
        let text = xml(text);
        self.put(format_args!("<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\" fill=\"{fill}\"{anchor}{bold}{more}>{text}</text>"));
    }

    /// A raster image from a data URI; with `pixelated` its pixels stay sharp squares.
    pub fn image(&mut self, corner: (f64, f64), size: (f64, f64), uri: &str, pixelated: bool) {
        let (x, y, w, h) = (Px(corner.0), Px(corner.1), Px(size.0), Px(size.1));
        let rendering = if pixelated { " image-rendering=\"pixelated\"" } else { "" };
        self.put(format_args!(
            "<image x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" preserveAspectRatio=\"none\"{rendering} href=\"{uri}\"/>"
        ));
    }

    /// Everything in `draw` gets a hover text.
    pub fn hinted(&mut self, hint: &str, draw: impl FnOnce(&mut Self)) {
        let hint = xml(hint);
        self.put(format_args!("<g><title>{hint}</title>"));
        draw(self);
        self.body.push_str("</g>");
    }

    /// The whole picture.
    pub fn finish(self) -> String {
        let (w, h) = (Px(self.width), Px(self.height));
        let Self { head, body, .. } = self;
        format!("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {w} {h}\" width=\"{w}\" height=\"{h}\" {head}{body}</svg>")
    }

    fn put(&mut self, markup: std::fmt::Arguments<'_>) {
        let _ = self.body.write_fmt(markup);
    }
}

fn join(points: &[(f64, f64)]) -> String {
    let mut path = String::new();
    for (i, (x, y)) in points.iter().enumerate() {
        let _ = write!(path, "{}{} {}", if i == 0 { 'M' } else { 'L' }, Px(*x), Px(*y));
    }
    path
}

/// About how wide a text is in pixels; sans-serif faces average a little over half an em a letter.
pub fn text_width(text: &str, size: f64) -> f64 {
    text.chars().map(|c| if c.is_ascii_digit() || c.is_ascii_uppercase() { 0.64 } else { 0.56 }).sum::<f64>() * size
}

/// A coordinate, to a hundredth of a pixel.
struct Px(f64);

impl std::fmt::Display for Px {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = format!("{:.2}", if self.0.is_finite() { self.0 } else { 0.0 });
        let text = text.trim_end_matches('0').trim_end_matches('.');
        f.write_str(if text == "-0" { "0" } else { text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_become_markup_and_numbers_are_short() {
        let mut svg = Svg::new("a\"b", 100.0, 50.0, "<script>", "x & y");
        svg.text((1.0, 2.345_678), Anchor::Middle, LABEL, "</text><script>alert(1)</script>\u{1b}");
        svg.line((-0.000_1, 0.0), (f64::NAN, 1.0), INK, 1.0);
        let text = svg.finish();
        assert!(!text.contains("<script") && !text.contains('\u{1b}'), "{text}");
        assert!(text.contains("y=\"2.35\"") && text.contains("x1=\"0\"") && text.contains("role=\"img\""), "{text}");
        assert!(text.contains("viewBox=\"0 0 100 50\"") && text.contains("a&quot;b-title"));
    }
}
