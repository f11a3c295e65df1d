//! How many latents several models use.

use super::over_models::{self, Entry, ends};
use super::{Figure, Width};
use crate::error::Result;
use crate::report::atlas::Atlas;
use crate::report::extra::at_of;

/// From the difference of `active-dimensions` over models.
pub fn draw(atlas: &Atlas, width: Width) -> Result<Option<Figure>> {
    let Some(sides) = over_models::sides(atlas, "active-dimensions") else { return Ok(None) };
    let entry =
        |side: &serde_json::Value| Some(Entry { value: at_of(side, &["value"])?, interval: ends(side.get("interval")), null: None });
    let Some(entries) = sides.iter().map(entry).collect::<Option<Vec<_>>>() else { return Ok(None) };
    let title = "Latents in use over models".to_string();
    let description = format!("Number of latents in use of {} models.", entries.len());
    let drawn = over_models::draw(atlas, width, ("active-over-models", &title, &description), "latents in use", &entries);
    let level = atlas.report.estimate("active-dimensions-difference").map_or(0.95, |e| e.level);
    let mut rules: Vec<&str> = sides.iter().filter_map(|side| side.get("rule")?.as_str()).collect();
    rules.sort_unstable();
    rules.dedup();
    let mut caption =
        format!("How many latents move the data, with {:.0} % bootstrap intervals, by the rule: {}.", 100.0 * level, rules.join(", "));
    caption.push_str(&drawn.models);
    Ok(Some(Figure { svg: drawn.svg, title, caption }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::over_models::tests::compared;
    use super::*;

    #[test]
    fn counts_fall_with_beta() {
        let side = |n: f64| json!({ "value": n, "interval": [n - 1.0, n], "rule": "gap" });
        let atlas = compared("active-dimensions", json!([side(9.0), side(5.0), side(2.0)]), Some([0.1, 1.0, 10.0]));
        let figure = draw(&atlas, Width::Narrow).ok().flatten();
        assert!(figure.is_some_and(|f| f.svg.contains(">beta</text>") && f.caption.contains("the rule: gap")));
    }
}
