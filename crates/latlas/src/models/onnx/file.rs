//! Where a model came from: its name, its digest, and the way to its graph.

use std::path::{Path, PathBuf};

use latlas_graph::{Graph, onnx};

use super::Options;
use crate::data::sha256;
use crate::error::{Error, Result};

/// A model file of a decoder or an encoder.
#[derive(Debug, Clone)]
pub struct ModelFile {
    path: PathBuf,
    file: onnx::ModelFile,
}

impl ModelFile {
    /// A file; external data is looked for in its folder.
    ///
    /// # Errors
    /// A file that cannot be read or is too large.
    pub fn open(path: &Path) -> Result<Self> {
        let opened = onnx::ModelFile::open(path, &onnx::Limits::default());
        let file = opened.map_err(|error| match error {
            latlas_graph::Error::Io { path, source } => Error::Io { action: "read", path, source },
            source => Error::Model { path: path.into(), source },
        })?;
        Ok(Self { path: path.into(), file })
    }

    /// A model in memory; `name` stands for its path in messages.
    pub fn in_memory(name: &str, bytes: &[u8]) -> Self {
        Self { path: name.into(), file: onnx::ModelFile::in_memory(bytes.to_vec()) }
    }

    /// Where it came from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Digest of its bytes.
    pub fn sha256(&self) -> String {
        sha256(self.file.bytes())
    }

    /// The graph of one sample.
    ///
    /// # Errors
    /// A file that is damaged or asks for what is not supported.
    pub fn graph(&self, options: &Options) -> Result<Graph> {
        self.file.graph(&options.load()).map_err(|source| self.blame(source))
    }

    /// What the file says of itself.
    ///
    /// # Errors
    /// A file that is damaged.
    pub fn summary(&self, options: &Options) -> Result<onnx::Summary> {
        self.file.summary(&options.load()).map_err(|source| self.blame(source))
    }

    /// An error with the file that it came from.
    pub fn blame(&self, source: latlas_graph::Error) -> Error {
        Error::Model { path: self.path.clone(), source }
    }
}

impl Options {
    /// As the engine takes them.
    fn load(&self) -> onnx::LoadOptions {
        onnx::LoadOptions { from_tensors: self.from_tensors.clone(), to_tensors: self.to_tensors.clone(), ..Default::default() }
    }
}
