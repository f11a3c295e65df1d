//! The entropy spectrum: how much each latent carries, in falling order, with error bars.

use super::ranked::{Line, Mark, Row, spread};
use super::{Figure, Width};
use crate::error::Result;
use crate::report::atlas::Atlas;
use crate::report::colour::{INK, MUTED, REFERENCE};
use crate::report::extra::{entries, entry, interval, numbers, order, quantiles, scalar};
use crate::report::number::measured;
use crate::special_functions::NORMAL_ENTROPY;

/// From the estimate `manifold-entropy`.
pub fn draw(atlas: &Atlas, width: Width) -> Result<Option<Figure>> {
    let Some(estimate) = atlas.report.estimate("manifold-entropy").filter(|e| !entries(&e.value).is_empty()) else {
        return Ok(None);
    };
    let order = order(estimate);
    let marks: Vec<Mark> = order
        .iter()
        .filter_map(|&i| {
            let (value, error) = entry(estimate, i)?;
            Some(Mark {
                label: i.to_string(),
                value,
                interval: interval(estimate, i),
                spread: spread(quantiles(estimate.extra.get("quantiles"), i)),
                said: measured(value, error).to_string(),
            })
        })
        .collect();
    let includes_prior = estimate.extra.get("convention").and_then(|c| c.get("includes_h0")).and_then(serde_json::Value::as_bool);
    let lines = lines(atlas, &order, if includes_prior == Some(false) { NORMAL_ENTROPY } else { 0.0 });
    let reference = (includes_prior != Some(false)).then_some((NORMAL_ENTROPY, "the prior itself, ½ log 2πe"));
    let (first, count) = (marks.first().map(|m| m.said.clone()).unwrap_or_default(), marks.len());
    let title = "Entropy spectrum".to_string();
    let description = format!("Manifold entropy of {count} latents in falling order; the first carries {first} {}.", estimate.unit);
    let active = atlas.report.estimate("active-dimensions").filter(|e| e.extra.get("rule").is_some_and(|rule| rule == "gap"));
    let in_use = active.and_then(scalar).map(|(count, _)| (count as usize, format!("{count} in use")));
    let row = Row {
        marks: &marks,
        vertical: "manifold entropy Hᵢ (nats)",
        horizontal: "latent, in order of entropy",
        reference,
        lines: &lines,
        cut: in_use.as_ref().map(|(count, name)| (*count, name.as_str())),
        log: false,
        below: "−∞",
    };
    let svg = row.draw(width, "entropy-spectrum", &title, &description);
    let with_spread = marks.iter().any(|m| m.spread.is_some());
    let level = 100.0 * estimate.level;
    let mut caption = format!(
        "Each dot is the entropy that the data has along one latent: one nat more means that the latent moves the data e = 2.7 times as far. \
         Bars are {level:.0} % confidence intervals."
    );
    if with_spread {
        caption.push_str(" Pale boxes and lines show how the value varies over samples (middle half, and 5 to 95 %): a long box means that the latent matters in some places and not in others.");
    }
    if reference.is_some() {
        caption.push_str(
            " A latent on the dashed line moves the data by one data unit per unit of its own; each nat below is a factor of e less.",
        );
    }
    for (name, said) in LINES {
        if lines.iter().any(|line| line.name == *name) {
            caption.push_str(said);
        }
    }
    if in_use.is_some() {
        caption.push_str(" The vertical dashes stand in the widest gap: latents to their right are not in use.");
    }
    if marks.iter().any(|m| m.value == f64::NEG_INFINITY) {
        caption.push_str(" Triangles in the lowest strip: the latent moves nothing at some samples, so its entropy is minus infinity.");
    }
    Ok(Some(Figure { svg, title, caption }))
}

/// What stands beside the spectrum, and what the caption says of it.
const LINES: &[(&str, &str)] = &[
    (
        COMPONENTS,
        " The line of principal components is the spectrum of the best linear decoder of the same data: a spectrum that falls more steeply packs the data into fewer directions.",
    ),
    (
        CODES,
        " The line of the codes is what each latent would carry by the spread of its codes alone, if it moved the data by one unit a unit.",
    ),
    (TRUTH, " Rings are the values that this closed form is known to have."),
];
const COMPONENTS: &str = "principal components of the data";
const CODES: &str = "spread of the codes, h₀ + log σᵢ";
const TRUTH: &str = "known truth";

/// Principal components of the data, the spread of the codes, and the truth where it is known, lowered by `shift`.
fn lines<'a>(atlas: &Atlas, order: &[usize], shift: f64) -> Vec<Line<'a>> {
    let lowered = |values: Vec<f64>| -> Vec<f64> { values.into_iter().map(|x| x - shift).collect() };
    let in_order = |values: &[f64]| order.iter().map(|i| values.get(*i).copied().unwrap_or(f64::NAN)).collect::<Vec<f64>>();
    let mut lines = Vec::new();
    let mut add = |values: Vec<f64>, name: &'a str, colour: &'a str, rings: bool| {
        if values.iter().any(|x| x.is_finite()) {
            lines.push(Line { values: lowered(values), name, colour, rings });
        }
    };
    if let Some(components) = atlas.report.estimate("pca-baseline") {
        add(entries(&components.value).to_vec(), COMPONENTS, REFERENCE, false);
    }
    let spread = atlas.report.estimate("hidden-dimensions").and_then(|e| numbers(e.extra.get("std")));
    if let Some(spread) = spread.filter(|spread| spread.len() == order.len()) {
        let entropies: Vec<f64> = spread.iter().map(|sigma| NORMAL_ENTROPY + sigma.ln()).collect();
        add(in_order(&entropies), CODES, MUTED, false);
    }
    if let Some(truth) = &atlas.truth {
        add(in_order(truth), TRUTH, INK, true);
    }
    lines
}
