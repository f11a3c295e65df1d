//! What is remembered of the samples: plain data that merges.
//!
//! States are read from files that may be damaged or forged, so lengths are never trusted: a missing entry is an empty
//! one, and nothing here can panic or grow without bound.

mod bootstrap;
mod counts;
mod groups;
mod moments;
mod ordered;
mod reservoir;
mod summary;

pub use bootstrap::Bootstrap;
pub use counts::Counts;
pub use groups::{Groups, Jackknife};
pub use moments::{Covariance, Means, Moment, Moments};
pub use ordered::{Merge, Ordered};
pub use reservoir::{Key, Reservoir};
pub use summary::Summary;

use serde::{Serialize, de::DeserializeOwned};

/// Running sums and the like. The default is empty; `merge` is associative up to rounding, and the run loop calls it in
/// an order that does not depend on threads or shards.
pub trait Accumulator: Default + Clone + Send + Sync + Serialize + DeserializeOwned + 'static {
    /// Takes in what another accumulator of the same kind has seen after this one.
    fn merge(&mut self, later: &Self);

    /// Samples seen.
    fn count(&self) -> usize;

    /// Rows whose first columns the value is the mean of, where it keeps such.
    fn into_rows(self) -> Option<Summary> {
        None
    }
}
