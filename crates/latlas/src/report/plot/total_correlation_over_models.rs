//! The total correlation of several models beside what chance gives.

use super::over_models::{self, Entry};
use super::{Figure, Width};
use crate::error::Result;
use crate::report::atlas::Atlas;
use crate::report::extra::{at_of, number};
use crate::special_functions::student_quantile;

/// From the difference of `total-correlation` over models.
pub fn draw(atlas: &Atlas, width: Width) -> Result<Option<Figure>> {
    let Some(sides) = over_models::sides(atlas, "total-correlation") else { return Ok(None) };
    let level = atlas.report.estimate("total-correlation-difference").map_or(0.95, |e| e.level);
    let entry = |side: &serde_json::Value| -> Option<Entry> {
        let value = side.get("per_dim").map(number)?;
        let n = at_of(side, &["n_used"]).unwrap_or(2.0);
        let half = at_of(side, &["per_dim_standard_error"]).map(|error| error * student_quantile(0.5 + 0.5 * level, (n - 1.0).max(1.0)));
        let interval = half.map(|half| (value - half, value + half));
        Some(Entry { value, interval, null: at_of(side, &["null", "per_dim"]).filter(|x| x.is_finite()) })
    };
    let Some(entries) = sides.iter().map(entry).collect::<Option<Vec<_>>>() else { return Ok(None) };
    let title = "Total correlation over models".to_string();
    let description = format!("Total correlation per latent of {} models.", entries.len());
    let drawn = over_models::draw(
        atlas,
        width,
        ("total-correlation-over-models", &title, &description),
        "total correlation per latent (nats)",
        &entries,
    );
    let mut caption = format!(
        "How much the latents of each model overlap, divided by their number, with {:.0} % confidence intervals: 0 if every latent moves the \
         data at right angles to all others.",
        100.0 * level
    );
    if entries.iter().any(|e| e.null.is_some()) {
        caption.push_str(" On the dashed line the directions of the latents are no better than random ones.");
    }
    caption.push_str(&drawn.models);
    Ok(Some(Figure { svg: drawn.svg, title, caption }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::over_models::tests::compared;
    use super::*;

    #[test]
    fn a_curve_with_its_null() {
        let side =
            |x: f64| json!({ "value": 10.0 * x, "per_dim": x, "per_dim_standard_error": 0.01, "n_used": 100, "null": { "per_dim": 0.07 } });
        let atlas = compared("total-correlation", json!([side(0.1), side(0.3), side(0.05)]), Some([1.0, 10.0, 100.0]));
        let figure = draw(&atlas, Width::Wide).ok().flatten();
        assert!(figure.is_some_and(|f| f.svg.contains(">chance</text>") && f.caption.contains("95 %")));
        assert!(draw(&compared("total-entropy", json!([side(0.1), side(0.2)]), None), Width::Wide).is_ok_and(|f| f.is_none()));
    }
}
