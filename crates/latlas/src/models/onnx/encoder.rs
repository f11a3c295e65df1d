//! An ONNX file as an encoder: x → mean and log variance of z.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use latlas_graph::Graph;
use ndarray::{Array2, ArrayView2};

use super::network::Network;
use super::{Heads, ModelFile, Options};
use crate::error::Result;
use crate::models::{Encoder, Posterior};
use crate::settings::Dtype;

/// An encoder from an ONNX file. For a flow it is the inverse, without a spread.
pub struct OnnxEncoder {
    network: Network,
    heads: Heads,
    path: PathBuf,
    sha256: String,
}

impl OnnxEncoder {
    /// Loads a model file; external data is looked for in its folder.
    ///
    /// # Errors
    /// A file that cannot be read, an unsupported model, ports that are not clear.
    pub fn load(path: &Path, options: &Options) -> Result<Self> {
        Self::of(&ModelFile::open(path)?, options)
    }

    /// A model in memory; `name` stands for its path in messages.
    ///
    /// # Errors
    /// Those of [`OnnxEncoder::load`].
    pub fn from_bytes(name: &str, bytes: &[u8], options: &Options) -> Result<Self> {
        Self::of(&ModelFile::in_memory(name, bytes), options)
    }

    /// Of a file that is open.
    ///
    /// # Errors
    /// Those of [`OnnxEncoder::load`].
    pub fn of(file: &ModelFile, options: &Options) -> Result<Self> {
        let graph = file.graph(options)?;
        let heads = Heads::choose(&graph, options)?;
        let network = Network::new(graph.into(), heads.latent, heads.condition, options.dtype);
        Ok(Self { network, heads, path: file.path().into(), sha256: file.sha256() })
    }

    /// Another graph over the same ports.
    pub(super) fn with_graph(&self, graph: Arc<Graph>) -> Self {
        let network = Network::new(graph, self.heads.latent, self.heads.condition, self.network.dtype);
        Self { network, heads: self.heads.clone(), path: self.path.clone(), sha256: self.sha256.clone() }
    }

    /// What the inputs and outputs were taken for, one line each.
    pub fn notes(&self) -> Vec<String> {
        self.heads.notes(&self.network.graph).iter().map(|note| note.replacen("latents: input", "data: input", 1)).collect()
    }

    /// The graph of one sample.
    pub fn graph(&self) -> &Arc<Graph> {
        &self.network.graph
    }

    /// Where its ports are; the latent is the data.
    pub fn heads(&self) -> &Heads {
        &self.heads
    }

    /// The same model computed in another number type, with programs of its own.
    #[must_use]
    pub fn in_type(&self, dtype: Dtype) -> Self {
        let network = Network::new(Arc::clone(&self.network.graph), self.heads.latent, self.heads.condition, dtype);
        Self { network, heads: self.heads.clone(), path: self.path.clone(), sha256: self.sha256.clone() }
    }

    /// Type in which it runs.
    pub fn dtype(&self) -> Dtype {
        self.network.dtype
    }

    /// Digest of the file's bytes.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Where it came from.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Encoder for OnnxEncoder {
    fn data_dim(&self) -> usize {
        self.network.width()
    }

    fn latent_dim(&self) -> usize {
        self.network.output_width(self.heads.mean)
    }

    fn encode(&self, data: ArrayView2<'_, f64>, condition: Option<ArrayView2<'_, f64>>) -> Result<Posterior> {
        let head = |output: usize| self.network.value(output, data, condition);
        let mean = head(self.heads.mean)?;
        let logvar = match (self.heads.logvar, self.heads.std) {
            (Some(logvar), _) => Some(head(logvar)?),
            (None, Some(std)) => Some(head(std)?.mapv(|s| 2.0 * s.ln())),
            (None, None) => None,
        };
        let logvar = logvar.map(|l| if l.dim() == mean.dim() { Ok(l) } else { broadcast(&l, mean.dim()) }).transpose()?;
        Ok(Posterior { mean, logvar })
    }
}

fn broadcast(values: &Array2<f64>, shape: (usize, usize)) -> Result<Array2<f64>> {
    values
        .broadcast(shape)
        .map(|v| v.to_owned())
        .ok_or_else(|| crate::error::Error::Shape { what: format!("log variances are {:?}, means {shape:?}", values.dim()), hint: None })
}
