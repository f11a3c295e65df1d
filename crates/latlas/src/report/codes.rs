//! What a report says of codes and factors, in a sentence or two.

use super::atlas::Atlas;
use super::extra::{at, find, scalar};
use super::number::{about, measured};
use crate::estimate::Estimate;

/// How many codes and factors there are, from the matrix behind the information gap.
fn sizes(atlas: &Atlas) -> Option<(usize, usize)> {
    let mig = atlas.report.estimate("mig")?;
    let length = |key: &str| Some(find(mig, &["matrix", key])?.as_array()?.len());
    Some((length("codes")?, length("factors")?))
}

/// The first sentence of a report that has codes and no decoder.
pub fn lead(atlas: &Atlas) -> Option<String> {
    let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    if let Some((codes, factors)) = sizes(atlas) {
        return Some(format!("{} and {}.", count(codes, "code"), count(factors, "factor")));
    }
    atlas.report.estimate("gaussian-total-correlation").map(|_| "Codes without factors: what they share with each other.".into())
}

/// What the scores of axes say, and what can be read whatever the axes.
pub fn sentences(atlas: &Atlas) -> Vec<String> {
    let known = |id: &str| atlas.report.estimate(id).and_then(|e| Some((e, scalar(e).filter(|(value, _)| value.is_finite())?)));
    let mut said = Vec::new();
    if let Some((mig, (value, error))) = known("mig") {
        let turned = at(mig, &["null", "turned", "value"]).map(|x| format!(", where codes turned at random have {}", about(x, 2)));
        said.push(format!("The mutual information gap is {}{}.", measured(value, error), turned.unwrap_or_default()));
    }
    if let Some((dci, (value, error))) = known("dci-disentanglement") {
        let read = known("dci-informativeness")
            .map(|(_, (accuracy, _))| format!("; trees read the factors with an accuracy of {}", about(accuracy, 2)));
        said.push(format!("DCI disentanglement is {}{}{}.", measured(value, error), beats(dci, value), read.unwrap_or_default()));
    }
    said
}

fn beats(estimate: &Estimate, value: f64) -> &'static str {
    match at(estimate, &["null", "turned", "value"]) {
        Some(turned) if value <= turned => ", no more than after a random turn",
        _ => "",
    }
}
