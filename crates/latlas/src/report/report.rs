//! The result of a run as data.

use std::collections::BTreeMap;

use crate::estimate::{Estimate, Invariant};

/// Everything that a run found, and what it was made from.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Report {
    /// The files and built-in sets that went in.
    pub inputs: Vec<InputRecord>,
    /// Every setting that a value depends on.
    pub settings: BTreeMap<String, serde_json::Value>,
    /// In the order of the estimators' table.
    pub estimates: Vec<Estimate>,
    /// Laws checked on the way.
    pub invariants: Vec<Invariant>,
    /// References of the estimators used.
    pub citations: Vec<String>,
}

/// One thing that went into a run.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct InputRecord {
    /// `model`, `latents`, `data`, `encoder`, `labels` ….
    pub role: String,
    /// File name without its folder, or `builtin:NAME`.
    pub path: String,
    /// Digest of the content.
    pub sha256: String,
    /// Shape of the array; latent and ambient shape for models.
    pub shape: Vec<usize>,
}

impl Report {
    /// The estimate with this id.
    pub fn estimate(&self, id: &str) -> Option<&Estimate> {
        self.estimates.iter().find(|e| e.id == id)
    }
}
