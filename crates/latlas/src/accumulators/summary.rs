//! What most estimators remember: moments of a row of numbers for every sample, a bounded sample of the rows, and what
//! was left out.

use serde::{Deserialize, Serialize};

use super::{Accumulator, Counts, Key, Moments, Reservoir};

/// Moments and quantiles of rows, with counts.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Summary {
    /// Samples looked at.
    pub seen: u64,
    /// Left out, by reason.
    pub dropped: Counts,
    /// Of each entry of the rows.
    pub moments: Moments,
    /// A bounded sample of the rows.
    pub reservoir: Reservoir,
}

impl Summary {
    /// One more sample: its row, or why it has none. NaN entries of a row are missing.
    pub fn push(&mut self, key: Key, row: Result<&[f64], &str>) {
        self.push_keeping(usize::MAX, key, row);
    }

    /// As [`Summary::push`]; of the row only the first entries, so many, may be kept in the reservoir, which is where long rows
    /// take memory.
    pub fn push_keeping(&mut self, entries: usize, key: Key, row: Result<&[f64], &str>) {
        self.seen = self.seen.saturating_add(1);
        match row {
            Ok(row) => {
                self.moments.push(row);
                if entries > 0 {
                    self.reservoir.push(key, &row[..row.len().min(entries)]);
                }
            }
            Err(reason) => self.dropped.add(reason),
        }
    }

    /// Samples with a row.
    pub fn used(&self) -> u64 {
        self.seen.saturating_sub(self.dropped.total())
    }
}

impl Accumulator for Summary {
    fn merge(&mut self, later: &Self) {
        self.seen = self.seen.saturating_add(later.seen);
        self.dropped.merge(&later.dropped);
        self.moments.merge(&later.moments);
        self.reservoir.merge(&later.reservoir);
    }

    fn count(&self) -> usize {
        self.seen as usize
    }

    fn into_rows(self) -> Option<Summary> {
        Some(self)
    }
}
