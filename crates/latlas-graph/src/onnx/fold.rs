//! Folding of what is known at import, by running the same handlers on constants, at one sample and at the witness.

use super::call::Call;
use super::ops::Handler;
use super::value::Value;
use crate::Result;

/// The results of a call whose inputs are all known, or `None` where it must become part of the graph.
pub fn fold(call: &mut Call<'_>, handler: Handler) -> Result<Option<Vec<Value>>> {
    let _ = (call, handler);
    Ok(None)
}
