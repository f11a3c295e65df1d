//! Estimators: what turns samples into a number with an uncertainty. One file and one table line each.

pub mod entropy;
mod erased;
pub mod geometry;
pub(crate) mod null;
pub(crate) mod of_codes;
mod of_quantity;
pub mod representation;
mod summarize;

pub use erased::{AnyEstimator, AnyState, Entry};
pub use of_quantity::OfQuantity;
pub use summarize::{Columns, estimate, estimate_matrix};
pub(crate) use summarize::{number, numbers};

use crate::accumulators::Accumulator;
pub use crate::card::{Better, Card, Need};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::estimate::Estimate;
use crate::probe::Probe;

/// Turns samples into an [`Estimate`].
pub trait Estimator: Send + Sync + Sized + 'static {
    /// What it is.
    const CARD: Card;
    /// What it remembers.
    type State: Accumulator;

    /// Whether the run must fix an order of the latents beforehand ([`Context::order`]).
    const NEEDS_ORDER: bool = false;
    /// Whether it looks at all pairs of latents at once, which makes samples large.
    const NEEDS_PAIRS: bool = false;

    /// Whether the run must look at the codes of the data beforehand ([`Context::code_spread`]).
    const NEEDS_CODE_SPREAD: bool = false;

    /// For a run; an error says why the estimator does not apply to it.
    fn new(context: &Context) -> Result<Self>;

    /// Takes in a batch.
    fn observe(&self, probe: &Probe<'_>, state: &mut Self::State) -> Result<()>;

    /// The value from all that was seen.
    fn finish(&self, context: &Context, state: &Self::State) -> Result<Estimate>;
}

/// All groups of estimators, in the order of a report.
pub const GROUPS: &[(&str, &[Entry])] =
    &[("entropy", entropy::TABLE), ("geometry", geometry::TABLE), ("representation", representation::TABLE)];

/// All estimators, in the order of a report.
pub fn all() -> impl Iterator<Item = &'static Entry> {
    GROUPS.iter().flat_map(|(_, entries)| entries.iter())
}

/// Other names of estimators, and their ids.
pub const ALIASES: &[(&str, &str)] = &[("ima-contrast", "total-correlation")];

/// The estimator with this id or other name.
pub fn find(id: &str) -> Option<&'static Entry> {
    let id = ALIASES.iter().find(|(alias, _)| *alias == id).map_or(id, |(_, id)| id);
    all().find(|entry| entry.card.id == id)
}

/// The cards of the estimators that these ids and group names stand for.
pub fn named(ids: &[String]) -> impl Iterator<Item = &'static Card> {
    let is_named = |card: &Card| ids.iter().any(|id| id == card.group || find(id).is_some_and(|found| found.card.id == card.id));
    all().map(|entry| &entry.card).filter(move |card| is_named(card))
}

/// The estimators that these ids and group names stand for, each once, in the order of the table. Of a group come those
/// that apply to the run; an estimator that was named and does not apply is an error.
pub fn select(ids: &[String], context: &Context) -> Result<Vec<(&'static Card, Box<dyn AnyEstimator>)>> {
    for id in ids {
        if find(id).is_none() && !GROUPS.iter().any(|(group, _)| group == id) {
            return Err(unknown(id));
        }
    }
    let mut selected = Vec::new();
    let mut refused = None;
    for (group, entries) in GROUPS {
        for entry in *entries {
            let named = ids.iter().any(|id| find(id).is_some_and(|found| found.card.id == entry.card.id));
            if !named && !ids.iter().any(|id| id == group) {
                continue;
            }
            match (entry.make)(context) {
                Ok(estimator) => selected.push((&entry.card, estimator)),
                Err(error) if named => return Err(error),
                Err(error) => refused = refused.or(Some(error)),
            }
        }
    }
    match refused {
        Some(error) if selected.is_empty() => Err(error),
        _ if selected.is_empty() => Err(Error::Input {
            what: "no estimator was asked for".into(),
            hint: Some("name estimators or a group, such as entropy; `latlas list estimators` shows them".into()),
        }),
        _ => Ok(selected),
    }
}

fn unknown(id: &str) -> Error {
    let names = all().map(|e| e.card.id).chain(GROUPS.iter().map(|(group, _)| *group));
    let nearest = names.min_by_key(|name| edit_distance(id, name));
    Error::Input {
        what: format!("no estimator or group is named {id:?}"),
        hint: nearest.map(|name| {
            if edit_distance(id, name) <= 2 + name.len() / 4 {
                format!("did you mean {name:?}?")
            } else {
                "`latlas list estimators` shows all of them".into()
            }
        }),
    }
}

/// Insertions, deletions and substitutions between two words (Levenshtein 1966).
pub fn edit_distance(a: &str, b: &str) -> usize {
    // Names are short; what a user types may not be.
    let b: Vec<char> = b.chars().take(100).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(100).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// Every file below `estimators/GROUP/` and `quantities/` is a line of its table.
    #[test]
    fn every_file_is_registered() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let sources: Vec<&str> = all().map(|e| e.card.source).chain(crate::quantities::TABLE.iter().map(|e| e.card.source)).collect();
        let folders = GROUPS.iter().map(|(group, _)| format!("estimators/{group}")).chain(["quantities".to_string()]);
        for folder in folders {
            for file in std::fs::read_dir(root.join(folder)).into_iter().flatten().flatten() {
                let source = std::fs::read_to_string(file.path()).unwrap_or_default();
                let registered = file.file_name() == "mod.rs" || sources.contains(&source.as_str());
                assert!(registered, "{} is in no table", file.path().display());
            }
        }
    }

    #[test]
    fn cards_are_complete() {
        let mut ids: Vec<&str> = Vec::new();
        for entry in all() {
            let card = &entry.card;
            assert!(!ids.contains(&card.id), "{} twice", card.id);
            ids.push(card.id);
            assert!(card.id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'));
            let page = card.page();
            assert!(page.len() > 400, "{}: page too short", card.id);
            for word in ["Unit", "Range", "Invarian", "Cost", "References"] {
                assert!(page.contains(word), "{}: no {word} on the page", card.id);
            }
            assert!(!card.references.is_empty());
        }
    }

    #[test]
    fn distances() {
        assert_eq!(edit_distance("kitten", "sitting"), 3);
        assert_eq!(edit_distance("", "abc"), 3);
        assert_eq!(edit_distance("same", "same"), 0);
    }
}
