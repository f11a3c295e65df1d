//! What the headline says of counts, pairs, groups and boundaries of latents.

use super::atlas::Atlas;
use super::extra::{at, find, interval, number, numbers, scalar};
use super::number::{about, count, measured};
use crate::estimate::Estimate;

/// The sentences, as far as there is something to say.
pub fn sentences(atlas: &Atlas) -> Vec<String> {
    [in_use(atlas), hidden(atlas), total(atlas), pair(atlas), blocks(atlas)].into_iter().flatten().collect()
}

fn rule(estimate: &Estimate) -> Option<&str> {
    estimate.extra.get("rule")?.as_str()
}

/// How many latents are in use, where a rule says so.
fn in_use(atlas: &Atlas) -> Option<String> {
    let estimate = atlas.report.estimate("active-dimensions")?;
    let (found, _) = scalar(estimate)?;
    let range = interval(estimate, 0).filter(|(low, high)| low < high);
    let range = range.map_or_else(String::new, |(low, high)| format!(" ({low} to {high} within the uncertainty)"));
    match rule(estimate)? {
        "gap" => Some(format!("{found} of {} latents are in use{range}, by the widest gap of the spectrum.", atlas.latent_dim)),
        "threshold" => Some(format!(
            "{found} of {} latents move the data by more than its noise{range}; no gap separates them from the rest.",
            atlas.latent_dim
        )),
        "collapsed" => Some("The model has collapsed: no latent moves the data by more than its noise.".into()),
        _ => None,
    }
}

fn hidden(atlas: &Atlas) -> Option<String> {
    let estimate = atlas.report.estimate("hidden-dimensions")?;
    let listed = estimate.extra.get("hidden")?.as_array()?;
    let names: Vec<String> = listed.iter().filter_map(|h| Some(h.get("index")?.as_u64()?.to_string())).collect();
    match names.len() {
        0 => None,
        1 => Some(format!("Latent {} looks unused by the spread of its codes, and is not: it moves the data far.", names[0])),
        n => {
            let shown = names[..n.min(6)].join(", ");
            Some(format!("{n} latents look unused by the spread of their codes, and are not: {shown}{}.", if n > 6 { " …" } else { "" }))
        }
    }
}

fn total(atlas: &Atlas) -> Option<String> {
    let estimate = atlas.report.estimate("total-correlation")?;
    let (value, error) = scalar(estimate)?;
    let d = atlas.latent_dim;
    if d < 2 {
        return None;
    }
    if !value.is_finite() {
        return Some("Their overlap is infinite: some directions are parallel everywhere they were looked at.".into());
    }
    let said = measured(value, error);
    let mut text = format!("They overlap by {said} nats of total correlation");
    if d > 2 {
        text = format!("{text} ({} a latent)", about(value / d as f64, 2));
    } else if value >= 0.0 {
        // For two columns the mean of −log sin of their angle is all there is.
        text = format!("{text}, as two directions at {:.0}° would", (-value).exp().asin().to_degrees());
    }
    let null = at(estimate, &["null", "value"]).filter(|n| *n > 0.0);
    Some(match null {
        None => format!("{text}."),
        Some(null) => {
            let outputs: usize = atlas.ambient_shape.iter().product();
            let ratio = value / null;
            let by_chance = format!("random directions among {} values would overlap by {}", count(outputs), about(null, 2));
            if value.abs() < error.unwrap_or(0.0) * 2.0 {
                format!("{text}, which cannot be told from none.")
            } else if ratio < 0.5 {
                format!("{text}. That is less than chance: {by_chance}.")
            } else if ratio < 2.0 {
                format!("{text}. That is about chance: {by_chance}.")
            } else {
                format!("{text}. That is {} times chance: {by_chance}.", about(ratio, 2))
            }
        }
    })
}

/// The most entangled pair, where there are several.
fn pair(atlas: &Atlas) -> Option<String> {
    let estimate = atlas.report.estimate("pairwise-mutual-information").filter(|_| atlas.latent_dim > 2)?;
    let first = find(estimate, &["largest"])?.get(0)?;
    let latents = numbers(first.get("latents")).filter(|latents| latents.len() == 2)?;
    let value = number(first.get("value")?);
    let error = first.get("standard_error").map(number).filter(|e| e.is_finite());
    let chance = at(estimate, &["null", "value"]).filter(|chance| *chance > 0.0)?;
    if value < 2.0 * chance {
        return Some("No pair of latents overlaps by more than twice what chance gives.".into());
    }
    let times = about(value / chance, 2);
    Some(format!(
        "The most entangled pair is {} and {} with {} nats, {times} times chance.",
        latents[0],
        latents[1],
        measured(value, error)
    ))
}

/// Where blocks end.
fn blocks(atlas: &Atlas) -> Option<String> {
    let estimate = atlas.report.estimate("block-boundaries")?;
    let listed = estimate.extra.get("boundaries")?.as_array()?;
    let cuts: Vec<String> = listed.iter().filter_map(|b| Some(b.get("cut")?.as_u64()?.to_string())).collect();
    match cuts.len() {
        0 => None,
        1 => Some(format!("In their own order the latents fall into two blocks, the second from latent {} on.", cuts[0])),
        n => {
            Some(format!("In their own order the latents fall into {} blocks, with boundaries at {}.", n + 1, cuts[..n.min(8)].join(", ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::atlas::tests::atlas_of;
    use super::super::extra::tests::estimate;
    use super::*;
    use crate::estimate::Value;

    #[test]
    fn what_is_found_is_said() {
        let scalar = |id: &str, value: f64, extra: &[(&str, serde_json::Value)]| {
            let mut estimate = estimate(id, Value::Scalar(value), Some(Value::Scalar(0.5)));
            extra.iter().for_each(|(key, json)| _ = estimate.extra.insert((*key).into(), json.clone()));
            estimate
        };
        let pairs = {
            let mut pairs = estimate("pairwise-mutual-information", Value::Matrix(vec![vec![0.1; 5]; 5]), None);
            pairs.extra.insert("null".into(), json!({ "value": 0.01 }));
            pairs.extra.insert("largest".into(), json!([{ "latents": [1, 3], "value": 0.2, "standard_error": 0.01 }]));
            pairs
        };
        let atlas = atlas_of(
            5,
            vec![64],
            vec![
                scalar("active-dimensions", 3.0, &[("rule", json!("gap"))]),
                scalar("hidden-dimensions", 1.0, &[("hidden", json!([{ "index": 4 }]))]),
                pairs,
                scalar("block-boundaries", 2.0, &[("boundaries", json!([{ "cut": 2 }, { "cut": 4 }]))]),
            ],
        );
        let said = sentences(&atlas);
        assert!(said[0].starts_with("3 of 5 latents are in use (2.02 to 3.98 within"), "{said:?}");
        assert!(said[1].starts_with("Latent 4 looks unused"), "{said:?}");
        assert_eq!(said[2], "The most entangled pair is 1 and 3 with 0.200 ± 0.010 nats, 20 times chance.");
        assert_eq!(said[3], "In their own order the latents fall into 3 blocks, with boundaries at 2, 4.");
        let collapsed = scalar("active-dimensions", 0.0, &[("rule", json!("collapsed"))]);
        assert!(sentences(&atlas_of(3, vec![9], vec![collapsed]))[0].contains("collapsed"));
        assert!(sentences(&atlas_of(3, vec![9], vec![scalar("active-dimensions", 3.0, &[("rule", json!("no-cliff"))])])).is_empty());
    }
}
