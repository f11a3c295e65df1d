//! A model file: the one way from bytes, on disk or in memory, to a graph.

use std::path::{Path, PathBuf};

use prost::bytes::Bytes;

use super::external::{self, Folder};
use super::{Limits, LoadOptions, Summary, import, summary};
use crate::{Error, Graph, Result};

/// Files above this size are mapped instead of read.
const MAPPED_FROM: u64 = 64 << 20;

/// The bytes of a model and the folder that its external data lies in. Nothing of it is trusted.
#[derive(Debug, Clone)]
pub struct ModelFile {
    bytes: Bytes,
    folder: Option<PathBuf>,
}

impl ModelFile {
    /// A file; external data is looked for in its folder.
    ///
    /// # Errors
    /// [`Error::Io`] for what is no regular file or cannot be read, [`Error::Limit`] for a file above `limits`.
    pub fn open(path: &Path, limits: &Limits) -> Result<Self> {
        let io = |source| Error::Io { path: path.to_path_buf(), source };
        let found = std::fs::metadata(path).map_err(io)?;
        if !found.is_file() {
            return Err(io(std::io::Error::new(std::io::ErrorKind::InvalidInput, "not a regular file")));
        }
        limits.check_size(found.len())?;
        let bytes = if found.len() > MAPPED_FROM { external::map(path)? } else { std::fs::read(path).map_err(io)?.into() };
        Ok(Self { bytes, folder: path.parent().map(Path::to_path_buf) })
    }

    /// A model in memory; external data is refused.
    pub fn in_memory(bytes: impl Into<Bytes>) -> Self {
        Self { bytes: bytes.into(), folder: None }
    }

    /// Its content.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The graph of one sample.
    ///
    /// # Errors
    /// Those of [`super::load`].
    pub fn graph(&self, options: &LoadOptions) -> Result<Graph> {
        import(self.bytes.clone(), &Folder::new(self.folder.as_deref(), options.limits.max_memory), options)
    }

    /// What the file says of itself.
    ///
    /// # Errors
    /// Those of [`super::summarize`].
    pub fn summary(&self, options: &LoadOptions) -> Result<Summary> {
        summary::summarize(self.bytes.clone(), options)
    }
}

impl Limits {
    /// Whether a model file may be so large.
    pub(super) fn check_size(&self, got: u64) -> Result<()> {
        let limit = self.max_bytes;
        if got > limit { Err(Error::Limit { what: "size of the model file in bytes".into(), got, limit }) } else { Ok(()) }
    }
}
