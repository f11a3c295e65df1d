//! What is remembered of the samples: plain data that merges.

use serde::{Serialize, de::DeserializeOwned};

/// Running sums and the like. The default is empty; `merge` is associative up to rounding, and the run loop calls it in
/// an order that does not depend on threads or shards.
pub trait Accumulator: Default + Clone + Send + Sync + Serialize + DeserializeOwned + 'static {
    /// Takes in what another accumulator of the same kind has seen after this one.
    fn merge(&mut self, later: &Self);

    /// Samples seen.
    fn count(&self) -> usize;
}
