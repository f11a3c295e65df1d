//! External data: files beside the model, below its own folder and nowhere else, mapped and never copied.

#![allow(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fs::File;
use std::path::{Component, Path, PathBuf};

use prost::bytes::Bytes;

use super::proto::TensorProto;
use crate::{Error, Result};

/// The folder that external data may lie in, with the files mapped so far.
pub struct Folder {
    root: Option<PathBuf>,
    mapped: RefCell<HashMap<PathBuf, Bytes>>,
    memory: Cell<u64>,
}

impl Folder {
    /// The folder of a model file; `None` for a model that came as bytes. Constants that cannot be used in place may take
    /// `memory` bytes in all.
    pub fn new(root: Option<&Path>, memory: u64) -> Self {
        let root = root.map(|r| if r.as_os_str().is_empty() { PathBuf::from(".") } else { r.to_path_buf() });
        Self { root, mapped: RefCell::default(), memory: Cell::new(memory) }
    }

    /// Takes memory for a constant that is not used in place.
    pub fn take(&self, elements: usize, bytes: usize) -> Result<()> {
        let (got, limit) = ((elements as u64).saturating_mul(bytes as u64), self.memory.get());
        let what = || "memory of the constants of the model, in bytes,".into();
        self.memory.set(limit.checked_sub(got).ok_or_else(|| Error::Limit { what: what(), got, limit })?);
        Ok(())
    }

    /// The bytes of a tensor that lies outside the model file; `wanted` is what its shape needs.
    pub fn external(&self, tensor: &TensorProto, wanted: Option<usize>) -> Result<Bytes> {
        let refuse =
            |what: String, hint: &str| Error::Node { node: tensor.name.clone(), op: "external data".into(), what, hint: Some(hint.into()) };
        let entry = |key: &str| tensor.external_data.iter().find(|e| e.key == key).map(|e| e.value.as_str());
        let number = |key: &str| match entry(key) {
            None => Ok(None),
            Some(text) => {
                text.parse::<u64>().map(Some).map_err(|_| refuse(format!("{key} is {text:?}, not a number"), "export the model again"))
            }
        };
        let location = entry("location").unwrap_or_default();
        let Some(root) = &self.root else {
            return Err(refuse(
                format!("its data lies in {location:?}, but the model was given as bytes, without a folder"),
                "load the model from its path, or save it with its weights inside (`onnx.save(model, path)`, `external_data=False`)",
            ));
        };
        let relative = Path::new(location);
        let plain = relative.components().all(|c| matches!(c, Component::Normal(_) | Component::CurDir));
        if location.is_empty() || location.contains(['\\', '\0']) || !plain {
            return Err(refuse(
                format!("location {location:?} is not a path below the model's own folder"),
                "external data must lie beside the model file or in a folder below it",
            ));
        }
        let file = self.map(root, relative, &refuse)?;
        let offset = number("offset")?.unwrap_or(0);
        let length = number("length")?.unwrap_or_else(|| (file.len() as u64).saturating_sub(offset));
        let end = offset.checked_add(length).filter(|&end| end <= file.len() as u64).ok_or_else(|| {
            let have = file.len();
            refuse(
                format!("bytes {offset}..+{length} of {location:?} lie beyond its end at {have}"),
                "copy the data file again, it may be cut off",
            )
        })?;
        // A length that is not given means the rest of the file; the shape says how much of it is meant.
        let end = match (entry("length"), wanted) {
            (None, Some(wanted)) => end.min(offset.saturating_add(wanted as u64)),
            _ => end,
        };
        Ok(file.slice(offset as usize..end as usize))
    }

    fn map(&self, root: &Path, relative: &Path, refuse: &dyn Fn(String, &str) -> Error) -> Result<Bytes> {
        let path = root.join(relative);
        if let Some(bytes) = self.mapped.borrow().get(&path) {
            return Ok(bytes.clone());
        }
        let io = |source| Error::Io { path: path.clone(), source };
        // Symbolic links are followed before the check, so that none leads out of the folder.
        let (real, real_root) = (path.canonicalize().map_err(io)?, root.canonicalize().map_err(io)?);
        if !real.starts_with(&real_root) {
            return Err(refuse(
                format!("{} leads out of the model's folder", path.display()),
                "external data must lie beside the model file or in a folder below it; links out of it are not followed",
            ));
        }
        let bytes = map(&real)?;
        self.mapped.borrow_mut().insert(path, bytes.clone());
        Ok(bytes)
    }
}

/// Maps a regular file.
pub fn map(path: &Path) -> Result<Bytes> {
    let io = |source| Error::Io { path: path.to_path_buf(), source };
    let file = File::open(path).map_err(io)?;
    if !file.metadata().map_err(io)?.is_file() {
        return Err(io(std::io::Error::new(std::io::ErrorKind::InvalidInput, "not a regular file")));
    }
    // SAFETY: the mapping is read-only and lives as long as the `Bytes` that owns it. Another process that changes the file
    // can change the weights that we read, as it could have before; every byte pattern is a valid number, and sizes are
    // checked on what was decoded from the bytes, not on the bytes again.
    let map = unsafe { memmap2::Mmap::map(&file) }.map_err(io)?;
    Ok(Bytes::from_owner(map))
}
