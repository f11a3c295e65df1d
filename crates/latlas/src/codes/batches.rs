//! What the scores that hold a factor fixed in batches share.

use super::{CodeSet, Interventions, Scored};

/// Batches to learn from and to test with …
const BATCHES: [usize; 2] = [10_000, 5_000];
/// … and for the sets of a null.
const FEW_BATCHES: [usize; 2] = [1_000, 500];
/// Above this a score tells apart nothing.
const SATURATED: f64 = 0.995;

/// Factors that may be held fixed: all in the study, whether they vary or not.
pub fn factors(set: &CodeSet) -> Vec<usize> {
    if set.is_study() { (0..set.n_factors()).collect() } else { set.varying_factors() }
}

/// Batches to learn from and to test with.
pub fn counts(set: &CodeSet) -> [usize; 2] {
    if set.is_replicate { FEW_BATCHES } else { BATCHES }
}

/// Says where batches come from, and whether the score can tell anything.
pub fn noted(mut scored: Scored, set: &CodeSet, source: &Interventions<'_>) -> Scored {
    if !source.is_full() {
        let message = format!("batches from {} rows that share a value", source.rows());
        scored = scored.with_caveat("not-full-grid", message);
    }
    if scored.value > SATURATED && set.n_factors() > 1 {
        let message = format!("{:.4}", scored.value);
        scored = scored.with_caveat("saturated", message);
    }
    scored
}
