//! One number of several models: dots with intervals, along a number that belongs to the models or in their order.

use serde_json::Value as Json;

use super::Width;
use super::axes::{Frame, Scale};
use super::svg::{Anchor, SMALL, Svg, text_width};
use crate::report::atlas::Atlas;
use crate::report::colour::{ACCENT, INK, REFERENCE};
use crate::report::extra::numbers;

/// What the comparison has of one model.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The value.
    pub value: f64,
    /// Its confidence interval.
    pub interval: Option<(f64, f64)>,
    /// What chance gives.
    pub null: Option<f64>,
}

/// The picture, and what its horizontal axis says of the models, for the caption.
pub struct Drawn {
    /// The picture.
    pub svg: String,
    /// A sentence; empty where the axis has a number for each.
    pub models: String,
}

/// The sides of the difference of an estimate, model by model; `None` where reports of several models were not compared.
pub fn sides<'a>(atlas: &'a Atlas, id: &str) -> Option<&'a [Json]> {
    let estimate = atlas.report.estimate(&format!("{id}-difference"))?;
    estimate.extra.get("sides")?.as_array().map(Vec::as_slice).filter(|sides| sides.len() > 1)
}

/// The ends of an interval of `extra`.
pub fn ends(json: Option<&Json>) -> Option<(f64, f64)> {
    let ends = numbers(json)?;
    let (low, high) = (*ends.first()?, *ends.get(1)?);
    (low.is_finite() && high.is_finite()).then_some((low, high))
}

/// The names of the models, and the number that belongs to each of them, if one was given.
fn models(atlas: &Atlas) -> (Vec<String>, Option<(String, Vec<f64>)>) {
    let settings = &atlas.report.settings;
    let names = settings.get("compared").and_then(Json::as_array).into_iter().flatten();
    let names = names.map(|name| name.as_str().unwrap_or("").to_string()).collect();
    let along = settings.get("along").and_then(|along| Some((along.get("name")?.as_str()?.to_string(), numbers(along.get("values"))?)));
    (names, along)
}

/// Draws the entries; the picture's id, title and description come from the caller.
pub fn draw(atlas: &Atlas, width: Width, (id, title, description): (&str, &str, &str), vertical: &str, entries: &[Entry]) -> Drawn {
    let (names, along) = models(atlas);
    let along = along.filter(|(_, values)| values.len() == entries.len());
    let (w, height) = (width.pixels(), 290.0);
    let mut svg = Svg::new(&width.id(id), w, height, title, description);
    let frame = Frame { left: 66.0, top: 16.0, right: w - 16.0, bottom: height - 50.0 };
    let all = entries.iter().flat_map(|e| [Some(e.value), e.null, e.interval.map(|i| i.0), e.interval.map(|i| i.1)]).flatten();
    let y = Scale::with_zero(all, frame.upwards());
    frame.left_axis(&mut svg, &y, vertical, 5);
    let (places, said) = match &along {
        Some((name, values)) => (numbered(&mut svg, &frame, name, values, width), String::new()),
        None => in_order(&mut svg, &frame, &names, entries.len(), "model"),
    };

    // Dots are joined in the order of the axis.
    let mut sequence: Vec<usize> = (0..entries.len()).filter(|k| entries[*k].value.is_finite()).collect();
    sequence.sort_by(|a, b| places[*a].total_cmp(&places[*b]));
    let nulls: Vec<(f64, f64)> = sequence.iter().filter_map(|k| Some((places[*k], y.at(entries[*k].null?)))).collect();
    nulls.windows(2).for_each(|ends| svg.dashes(ends[0], ends[1], REFERENCE, 1.25));
    if let Some(first) = nulls.first() {
        svg.haloed(
            (first.0, first.1 - 6.0),
            Anchor::Start,
            super::svg::Font { fill: REFERENCE, ..SMALL },
            "chance",
            crate::report::colour::PAPER,
        );
    }
    let points: Vec<(f64, f64)> = sequence.iter().map(|k| (places[*k], y.at(entries[*k].value))).collect();
    if along.is_some() {
        svg.polyline(&points, crate::report::colour::ACCENT_SOFT, 1.5);
    }
    for (k, point) in sequence.iter().zip(&points) {
        let hint = format!("{}: {}", names.get(*k).map_or("", String::as_str), crate::report::number::short(entries[*k].value));
        svg.hinted(&hint, |svg| {
            if let Some((low, high)) = entries[*k].interval {
                svg.line((point.0, y.at(low)), (point.0, y.at(high)), ACCENT, 1.75);
            }
            svg.dots(&[*point], ACCENT, 7.0, 1.0);
        });
    }
    Drawn { svg: svg.finish(), models: said }
}

/// The places of numbers on a linear axis, or a logarithmic one where they are positive and far apart.
pub(crate) fn numbered(svg: &mut Svg, frame: &Frame, name: &str, values: &[f64], width: Width) -> Vec<f64> {
    /// The largest over the smallest number from which on the axis is logarithmic.
    const FAR: f64 = 8.0;
    let (low, high) = values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), x| (l.min(*x), h.max(*x)));
    let scale = if low > 0.0 && high > FAR * low {
        Scale::log((low / 1.2, high * 1.2), frame.across())
    } else {
        let margin = 0.05 * (high - low).max(1e-9);
        Scale::linear((low - margin, high + margin), frame.across())
    };
    frame.bottom_axis(svg, &scale, name, if width == Width::Wide { 8 } else { 4 });
    values.iter().map(|x| scale.at(*x)).collect()
}

/// The places of models in their order, by name where there is room, else by number.
pub(crate) fn in_order(svg: &mut Svg, frame: &Frame, names: &[String], n: usize, title: &str) -> (Vec<f64>, String) {
    let step = (frame.right - frame.left) / n.max(1) as f64;
    let places: Vec<f64> = (0..n).map(|k| frame.left + step * (k as f64 + 0.5)).collect();
    let fits = names.len() == n && names.iter().all(|name| text_width(name, SMALL.size) < step - 6.0);
    let label = |k: usize| if fits { names[k].clone() } else { (k + 1).to_string() };
    svg.line((frame.left, frame.bottom), (frame.right, frame.bottom), INK, 1.0);
    for (k, x) in places.iter().enumerate() {
        svg.line((*x, frame.bottom), (*x, frame.bottom + 4.0), INK, 1.0);
        svg.text((*x, frame.bottom + 17.0), Anchor::Middle, SMALL, &label(k));
    }
    frame.bottom_title(svg, title);
    let listed = names.join(", ");
    (places, if listed.is_empty() { String::new() } else { format!(" Models from left to right: {listed}.") })
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::super::super::atlas::tests::atlas_of;
    use super::super::super::extra::tests::estimate;
    use super::*;
    use crate::estimate::Value;

    /// A comparison of three models with these sides.
    pub fn compared(id: &str, sides: Json, along: Option<[f64; 3]>) -> Atlas {
        let mut difference = estimate(&format!("{id}-difference"), Value::Vector(vec![0.0; 2]), None);
        difference.extra.insert("sides".into(), sides);
        let mut atlas = atlas_of(10, vec![64], vec![difference]);
        atlas.report.settings.insert("compared".into(), json!(["a.onnx", "b.onnx", "<i>c.onnx"]));
        if let Some(values) = along {
            atlas.report.settings.insert("along".into(), json!({ "name": "beta", "values": values }));
        }
        atlas
    }

    #[test]
    fn models_stand_by_number_or_by_name() {
        let entries = [1.0, 3.0, f64::NAN].map(|value| Entry { value, interval: Some((value - 0.1, value + 0.1)), null: Some(0.5) });
        let atlas = compared("x", json!([]), Some([0.1, 1.0, 10.0]));
        let drawn = draw(&atlas, Width::Wide, ("x", "t", "d"), "value", &entries);
        assert!(drawn.svg.contains(">beta</text>") && drawn.svg.contains(">chance</text>") && drawn.models.is_empty());
        let drawn = draw(&compared("x", json!([]), None), Width::Narrow, ("x", "t", "d"), "value", &entries);
        assert!(drawn.svg.contains(">a.onnx</text>") && !drawn.svg.contains("<i>"), "{}", drawn.svg);
        assert!(drawn.models.contains("from left to right: a.onnx, b.onnx"));
    }
}
