//! A report as JSON (`latlas/1`), and back.
//!
//! The same report gives the same bytes: keys are sorted, floats stand in their shortest form that reads back to the same
//! bits, and neither times nor folders are written. A value that is not finite is `null`, and `non_finite` beside it says
//! `"inf"` or `"-inf"` (for arrays: a map from index to it); a value that is undefined is `null`, and `undefined` gives the
//! reason. For other keys the notes carry the key's name in front (`standard_error_non_finite`). Arrays of more than
//! 10,000 entries become `{"file": NAME, "shape": […]}`, where NAME is a `.npy` file beside the JSON.

mod read;
#[cfg(test)]
mod tests;
mod write;

use crate::error::Error;

pub use read::from_json;
pub use write::to_json;

/// The name of this form of JSON; another number would mean that old readers fail.
pub const SCHEMA: &str = "latlas/1";

/// Arrays with more entries go to files of their own.
pub const LARGEST_INLINE: usize = 10_000;

/// A file that goes beside the JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SideFile {
    /// Without a folder; letters, digits, `-`, `_` and `.` only.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// The header of a `.npy` file, version 1.0, little-endian f64 in C order.
fn npy_header(shape: &[usize]) -> Vec<u8> {
    let sizes: String = shape.iter().map(|n| format!("{n}, ")).collect();
    let sizes = if shape.len() == 1 { sizes.trim_end() } else { sizes.trim_end_matches(", ") };
    let mut dictionary = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({sizes}), }}");
    while !(10 + dictionary.len() + 1).is_multiple_of(64) {
        dictionary.push(' ');
    }
    dictionary.push('\n');
    let length = (dictionary.len() as u16).to_le_bytes();
    [b"\x93NUMPY\x01\x00".as_slice(), &length, dictionary.as_bytes()].concat()
}

/// A `.npy` file of f64.
pub(super) fn npy(shape: &[usize], entries: impl IntoIterator<Item = f64>) -> Vec<u8> {
    let mut bytes = npy_header(shape);
    bytes.extend(entries.into_iter().flat_map(f64::to_le_bytes));
    bytes
}

fn damaged(what: String) -> Error {
    Error::State { what: format!("report: {what}"), hint: Some("write it anew with `latlas run --json` or `latlas report`".into()) }
}
