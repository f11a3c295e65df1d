//! The headline: what an atlas says, in a few sentences, and whether to believe it.

mod spectrum;

use super::atlas::Atlas;
use super::codes;
use super::extra::{at, entries};
use super::laws::law;
use super::number::{about, short};
use super::text::visible;
use crate::estimate::Value;
use spectrum::Spectrum;

/// Whether the numbers may be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Every check holds and nothing needs care.
    Sound,
    /// There is something to know before reading.
    Care,
    /// A check fails that puts the numbers in doubt.
    Doubt,
}

/// The headline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headline {
    /// One sentence.
    pub lead: String,
    /// Some more.
    pub more: Vec<String>,
    /// Whether to believe it.
    pub verdict: Verdict,
    /// Why.
    pub because: String,
}

/// Caveats that describe the model or the settings rather than put a value in question.
const MERE_NOTES: [&str; 8] = [
    "kink-at-relu",
    "fewer-samples",
    "single-factor",
    "single-code",
    "binned-factor",
    "not-full-grid",
    "not-comparable-across-l",
    "subsampled-rows",
];

/// The headline of an atlas.
pub fn headline(atlas: &Atlas) -> Headline {
    let report = &atlas.report;
    let entropies = report.estimate("manifold-entropy").filter(|e| !entries(&e.value).is_empty());
    let spectrum = entropies.map(Spectrum::new);
    let lead = spectrum.as_ref().map(Spectrum::lead).or_else(|| codes::lead(atlas).filter(|_| atlas.latent_dim == 0));
    let lead = lead.unwrap_or_else(|| bare_lead(atlas));
    let mut more = Vec::new();
    more.extend(spectrum.as_ref().and_then(Spectrum::shape));
    more.extend(super::overlap::sentences(atlas));
    more.extend(stretching(atlas));
    more.extend(codes::sentences(atlas));
    let (verdict, because) = verdict(atlas);
    Headline { lead, more, verdict, because }
}

fn bare_lead(atlas: &Atlas) -> String {
    let outputs: usize = atlas.ambient_shape.iter().product();
    match atlas.latent_dim {
        0 => "Nothing was measured of the latent directions.".into(),
        1 => format!("One latent direction, decoded to {outputs} values."),
        d => format!("{d} latent directions, decoded to {outputs} values."),
    }
}

fn stretching(atlas: &Atlas) -> Option<String> {
    let estimate = atlas.report.estimate("jacobian-spectrum")?;
    let median = at(estimate, &["condition_number", "median"])?;
    let rank = at(estimate, &["effective_rank", "value"])?;
    let k = match &estimate.value {
        Value::Vector(values) => values.len(),
        _ => return None,
    };
    if k < 2 || !median.is_finite() {
        return None;
    }
    Some(format!(
        "At a typical point the decoder stretches its strongest direction {} times as far as its weakest; the motion is shared by {} of {k} directions.",
        about(median, 2),
        about(rank, 2)
    ))
}

fn verdict(atlas: &Atlas) -> (Verdict, String) {
    let laws = &atlas.report.invariants;
    let failing: Vec<_> = laws.iter().filter(|l| !l.holds).collect();
    let spoiled: Vec<String> = failing
        .iter()
        .filter(|l| law(&l.id).is_none_or(|words| words.spoils))
        .map(|l| match law(&l.id) {
            Some(words) => format!("{} ({} is {}, accepted is {})", words.fails, l.id, short(l.worst), short(l.tolerance)),
            None => format!("{} fails ({}, accepted is {})", visible(&l.id), short(l.worst), short(l.tolerance)),
        })
        .collect();
    if !spoiled.is_empty() {
        return (Verdict::Doubt, format!("Do not trust these numbers: {}.", spoiled.join("; ")));
    }
    let mut concerns: Vec<String> = failing.iter().filter_map(|l| law(&l.id)).map(|words| words.fails.to_string()).collect();
    for caveat in atlas.report.estimates.iter().flat_map(|e| &e.caveats) {
        let title = crate::caveat::PAGES.iter().find(|p| p.id == caveat.id).map_or(caveat.id.as_str(), |p| p.title);
        let title = lower_first(&visible(title));
        if !MERE_NOTES.contains(&caveat.id.as_str()) && !concerns.contains(&title) {
            concerns.push(title);
        }
    }
    let held = laws.iter().filter(|l| l.holds).count();
    let checks = match held {
        0 => String::new(),
        1 => "The one check that was made holds".into(),
        n if failing.is_empty() => format!("All {n} checks hold"),
        n => format!("{n} of {} checks hold", laws.len()),
    };
    match (concerns.is_empty(), checks.is_empty()) {
        (true, false) => (Verdict::Sound, format!("{checks}.")),
        (true, true) => (Verdict::Care, "Read with care: no invariant was checked in this run.".into()),
        (false, true) => (Verdict::Care, format!("Read with care: {}.", concerns.join("; "))),
        (false, false) => (Verdict::Care, format!("{checks}. Read with care: {}.", concerns.join("; "))),
    }
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(char::to_lowercase).into_iter().flatten();
    first.chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::atlas::tests::atlas_of;
    use super::super::extra::tests::estimate;
    use super::*;
    use crate::caveat::Caveat;
    use crate::estimate::{Estimate, Invariant};

    fn entropies(values: &[f64], error: f64) -> Estimate {
        estimate("manifold-entropy", Value::Vector(values.to_vec()), Some(Value::Vector(vec![error; values.len()])))
    }

    fn holds(id: &str, holds: bool) -> Invariant {
        Invariant { id: id.into(), holds, worst: 2e-5, tolerance: 1e-6 }
    }

    #[test]
    fn two_latents() {
        let mut overlap = estimate("total-correlation", Value::Scalar(0.3), Some(Value::Scalar(0.01)));
        overlap.extra.insert("null".into(), json!({ "value": 0.0079 }));
        let mut atlas = atlas_of(2, vec![64], vec![entropies(&[2.95, 3.1], 0.021), overlap]);
        atlas.report.invariants = vec![holds("hadamard", true), holds("adjoint", true)];
        let said = headline(&atlas);
        assert_eq!(said.lead, "2 latent directions, both in use: latent 1 carries 3.100 ± 0.021 nats, latent 0 2.950 ± 0.021 nats.");
        assert_eq!(said.more[0], "They matter about equally.");
        assert_eq!(
            said.more[1],
            "They overlap by 0.300 ± 0.010 nats of total correlation, as two directions at 48° would. That is 38 times chance: random directions among 64 values would overlap by 0.0079."
        );
        assert_eq!((said.verdict, said.because.as_str()), (Verdict::Sound, "All 2 checks hold."));
    }

    #[test]
    fn cliffs_and_dead_latents() {
        let atlas = atlas_of(4, vec![64], vec![entropies(&[3.0, 2.9, -1.0, -1.1], 0.02)]);
        let said = headline(&atlas);
        assert!(
            said.more[0]
                .starts_with("The spectrum has a cliff of 3.9 nats after the first 2: the other 2 move the data 49 times less far."),
            "{said:?}"
        );
        let atlas = atlas_of(4, vec![64], vec![entropies(&[3.0, f64::NEG_INFINITY, 2.9, f64::NEG_INFINITY], 0.02)]);
        assert!(headline(&atlas).lead.starts_with("4 latent directions, of which 2 are in use and 2 move nothing: latent 0 carries"));
        let atlas = atlas_of(3, vec![64], vec![entropies(&[f64::NEG_INFINITY; 3], 0.02)]);
        assert_eq!(headline(&atlas).lead, "3 latent directions, and the decoder ignores all of them.");
        let mut sometimes = entropies(&[1.0, f64::NEG_INFINITY], 0.02);
        sometimes.extra.insert("dead_share".into(), json!([0.0, 0.25]));
        let said = headline(&atlas_of(2, vec![64], vec![sometimes]));
        assert_eq!(said.lead, "2 latent directions, both in use: latent 0 carries 1.000 ± 0.020 nats.");
        assert_eq!(said.more, ["One latent moves nothing at some samples."]);
    }

    #[test]
    fn no_cliff_within_errors_and_none_in_small_steps() {
        let atlas = atlas_of(3, vec![64], vec![entropies(&[3.0, 2.0, 1.5], 0.4)]);
        assert!(headline(&atlas).more[0].starts_with("There is no cliff"), "1 nat at an error of 0.57");
    }

    #[test]
    fn verdicts() {
        let mut atlas = atlas_of(2, vec![64], vec![entropies(&[3.0, 2.0], 0.02)]);
        assert_eq!(headline(&atlas).verdict, Verdict::Care);
        atlas.report.invariants = vec![holds("hadamard", true), holds("batch-independence", false)];
        let said = headline(&atlas);
        assert_eq!(said.verdict, Verdict::Doubt);
        assert!(said.because.starts_with("Do not trust these numbers: the decoder mixes samples"), "{}", said.because);
        atlas.report.invariants = vec![holds("hadamard", true), holds("latents-match-prior", false)];
        assert_eq!(headline(&atlas).verdict, Verdict::Care);
        atlas.report.invariants = vec![holds("hadamard", true)];
        atlas.report.estimates[0].caveats.push(Caveat { id: "kink-at-relu".into(), message: String::new() });
        assert_eq!(headline(&atlas).verdict, Verdict::Sound);
        atlas.report.estimates[0].caveats.push(Caveat { id: "too-few-samples".into(), message: String::new() });
        let said = headline(&atlas);
        assert_eq!(said.because, "The one check that was made holds. Read with care: few samples: the uncertainty is itself uncertain.");
    }

    #[test]
    fn degenerate_atlases_still_speak() {
        assert_eq!(headline(&atlas_of(0, vec![], vec![])).lead, "Nothing was measured of the latent directions.");
        assert_eq!(headline(&atlas_of(1, vec![3], vec![])).lead, "One latent direction, decoded to 3 values.");
        assert!(headline(&atlas_of(1, vec![3], vec![entropies(&[f64::NAN], 0.1)])).lead.contains("in use"));
        let parallel = estimate("total-correlation", Value::Scalar(f64::INFINITY), None);
        assert!(headline(&atlas_of(2, vec![3], vec![parallel])).more[0].contains("infinite"));
    }
}
