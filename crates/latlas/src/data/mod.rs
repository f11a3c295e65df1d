//! Data: arrays from files and the sets that ship inside the program.
//!
//! [`read`] takes what a user writes on the command line and gives a [`Table`]; [`rows`] makes a matrix of it, one sample
//! a row. Every file is untrusted: sizes are checked against the file before anything is allocated, and a damaged file is
//! an error, never a panic.
//!
//! | written as | read |
//! |---|---|
//! | `FILE.npy` | NumPy, versions 1 to 3, both orders and byte orders, `bool`, integers, `f16`, `f32`, `f64` |
//! | `FILE.npz:KEY` | one member of an archive, stored or deflated; `:KEY` may be left out when there is only one |
//! | `FILE.safetensors:KEY` | one tensor, also `bf16` |
//! | `FILE.csv` (`.tsv`) | a table of numbers; delimiter and header are found, missing values are NaN |
//! | `…-ubyte`, `FILE.idx`, either with `.gz` | IDX |
//! | `builtin:NAME` | see [`BUILTINS`] |
//! | `-` | standard input: one or more arrays in `.npy` form, joined along their first axis |

mod builtin;
mod csv;
mod element;
mod idx;
mod npy;
mod npz;
mod rows;
mod safetensors;
pub mod sprites;
mod stream;
mod toys;
mod write;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use ndarray::ArrayD;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

pub use builtin::{BUILTINS, Builtin, MODELS, Model, SPRITES, builtin_model, digits};
pub use rows::{finite_rows, rows};
pub use stream::{STANDARD_INPUT, read_stream};
pub use toys::two_moons;
pub use write::{Float, NpyWriter, write_npy, write_npz, write_whole};

/// An array and where it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// File name without its folder, with `:KEY` where a key was given, or `builtin:NAME`.
    pub name: String,
    /// Digest of the whole file, in hexadecimal.
    pub sha256: String,
    /// In row-major order.
    pub values: ArrayD<f64>,
    /// Whether the file holds integers (or booleans).
    pub integer: bool,
}

/// An array as a reader found it.
#[derive(Debug, Clone, PartialEq)]
struct Raw {
    values: ArrayD<f64>,
    integer: bool,
}

/// What is wrong with a file, before its path is known.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Fault {
    what: String,
    hint: Option<String>,
}

impl Fault {
    fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), hint: None }
    }

    fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    fn at(self, path: &Path) -> Error {
        Error::Format { path: path.into(), what: self.what, hint: self.hint }
    }
}

/// How a file is read: by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Npy,
    Npz,
    Safetensors,
    Csv,
    Idx,
}

impl Format {
    fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
        let unpacked = name.strip_suffix(".gz").unwrap_or(&name);
        let is_idx = unpacked.ends_with("ubyte") || unpacked.contains(".idx") || unpacked.contains("-idx");
        match name.rsplit_once('.').map(|(_, end)| end) {
            Some("npy") => Some(Self::Npy),
            Some("npz") => Some(Self::Npz),
            Some("safetensors") => Some(Self::Safetensors),
            Some("csv" | "tsv") => Some(Self::Csv),
            _ if is_idx => Some(Self::Idx),
            _ => None,
        }
    }
}

/// Reads an array: a file, `FILE:KEY` for files with several arrays, `builtin:NAME`, or `-` for standard input.
///
/// # Errors
/// [`Error::Io`] when the file cannot be read, [`Error::Format`] when it is not what its name says or is damaged,
/// [`Error::Input`] for an unknown format or name.
pub fn read(spec: &str) -> Result<Table> {
    if let Some(name) = spec.strip_prefix("builtin:") {
        return builtin::read(name);
    }
    if spec == STANDARD_INPUT {
        return read_stream(std::io::stdin().lock());
    }
    let (path, key) = split_key(spec);
    let format = Format::of(&path).ok_or_else(|| Error::Input {
        what: format!("{spec}: the name does not tell a known format"),
        hint: Some(
            "known are .npy, .npz:KEY, .safetensors:KEY, .csv, .tsv, IDX (-ubyte, .idx, also .gz), builtin:NAME and - (standard input)"
                .into(),
        ),
    })?;
    let bytes = std::fs::read(&path).map_err(|source| Error::Io { action: "read", path: path.clone(), source })?;
    let raw = match format {
        Format::Npy => npy::parse(&bytes),
        Format::Npz => npz::parse(&bytes, key),
        Format::Safetensors => safetensors::parse(&bytes, key),
        Format::Csv => csv::parse(&bytes),
        Format::Idx if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("gz")) => idx::parse_gz(&bytes),
        Format::Idx => idx::parse(&bytes),
    };
    let raw = raw.map_err(|fault| fault.at(&path))?;
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let name = key.map_or_else(|| file.to_string(), |key| format!("{file}:{key}"));
    Ok(Table { name, sha256: sha256(&bytes), values: raw.values, integer: raw.integer })
}

/// The names of the arrays in a `.npz` file.
///
/// # Errors
/// Those of [`read`].
pub fn keys(path: &Path) -> Result<Vec<String>> {
    let bytes = std::fs::read(path).map_err(|source| Error::Io { action: "read", path: path.into(), source })?;
    npz::keys(&bytes).map_err(|fault| fault.at(path))
}

/// `FILE.npz:KEY` in its two parts; the key may hold colons, and so may the folder.
fn split_key(spec: &str) -> (PathBuf, Option<&str>) {
    let lower = spec.to_ascii_lowercase();
    let ends = [".npz:", ".safetensors:"].iter().filter_map(|end| Some(lower.find(end)? + end.len() - 1));
    match ends.min() {
        Some(colon) => (spec[..colon].into(), Some(&spec[colon + 1..])),
        None => (spec.into(), None),
    }
}

/// The array of a file with several, by its key.
fn choose<'a>(names: &'a [String], key: Option<&str>) -> Result<&'a str, Fault> {
    let listed = || names.iter().map(|n| format!("{n:?}")).collect::<Vec<_>>().join(", ");
    match (key, names) {
        (_, []) => Err(Fault::new("the file holds no arrays")),
        (None, [only]) => Ok(only),
        (None, _) => Err(Fault::new(format!("the file holds {} arrays: {}", names.len(), listed())).hint("name one with FILE:KEY")),
        (Some(key), _) => {
            let found = names.iter().find(|name| *name == key);
            found.map(String::as_str).ok_or_else(|| Fault::new(format!("no array {key:?}; the file holds {}", listed())))
        }
    }
}

/// SHA-256 in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

/// Two digits a byte.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn keys_are_split_from_paths() {
        let split = |spec| {
            let (path, key) = split_key(spec);
            (path.to_string_lossy().into_owned(), key.map(str::to_string))
        };
        assert_eq!(split("a/b.npz:z"), ("a/b.npz".into(), Some("z".into())));
        assert_eq!(split("b.NPZ:z:1"), ("b.NPZ".into(), Some("z:1".into())));
        assert_eq!(split("w.safetensors:layer.0.weight"), ("w.safetensors".into(), Some("layer.0.weight".into())));
        assert_eq!(split("C:\\b.npy"), ("C:\\b.npy".into(), None));
        assert_eq!(split("é.npz"), ("é.npz".into(), None));
    }

    #[test]
    fn formats_follow_from_names() {
        let of = |name: &str| Format::of(Path::new(name));
        assert_eq!(of("x.NPY"), Some(Format::Npy));
        assert_eq!(of("train-images-idx3-ubyte.gz"), Some(Format::Idx));
        assert_eq!(of("train-images.idx3-ubyte"), Some(Format::Idx));
        assert_eq!(of("x.idx"), Some(Format::Idx));
        assert_eq!(of("x.tsv"), Some(Format::Csv));
        assert_eq!(of("x.gz"), None);
        assert_eq!(of("x"), None);
    }

    #[test]
    fn unknown_and_missing_files_say_so() {
        let error = read("model.pkl").unwrap_err();
        assert!(error.to_string().contains("model.pkl") && error.hint().unwrap().contains(".npy"));
        assert!(matches!(read("not/there.npy"), Err(Error::Io { action: "read", .. })));
    }

    #[test]
    fn digest_of_nothing() {
        assert_eq!(sha256(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }
}
