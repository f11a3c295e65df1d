//! Counts by name: how many samples were left out, and why.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Counts by reason.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts(BTreeMap<String, u64>);

impl Counts {
    /// One more of this.
    pub fn add(&mut self, reason: &str) {
        self.add_many(reason, 1);
    }

    /// `many` more of this.
    pub fn add_many(&mut self, reason: &str, many: u64) {
        let count = self.0.entry(reason.into()).or_default();
        *count = count.saturating_add(many);
    }

    /// All of another.
    pub fn merge(&mut self, other: &Self) {
        other.0.iter().for_each(|(reason, many)| self.add_many(reason, *many));
    }

    /// How often.
    pub fn get(&self, reason: &str) -> u64 {
        self.0.get(reason).copied().unwrap_or(0)
    }

    /// Of all reasons together.
    pub fn total(&self) -> u64 {
        self.0.values().fold(0, |sum, n| sum.saturating_add(*n))
    }

    /// As the report shows it.
    pub fn to_map(&self) -> BTreeMap<String, usize> {
        self.0.iter().map(|(reason, n)| (reason.clone(), *n as usize)).collect()
    }
}
