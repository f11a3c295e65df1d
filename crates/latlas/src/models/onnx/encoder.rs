//! An ONNX file as an encoder: x → mean and log variance of z.

use std::path::Path;
use std::sync::Arc;

use latlas_graph::Graph;
use ndarray::{Array2, ArrayView2};

use super::decoder::{File, parse, read};
use super::network::Network;
use super::{Heads, Options};
use crate::error::Result;
use crate::models::{Encoder, Posterior};

/// An encoder from an ONNX file. For a flow it is the inverse, without a spread.
pub struct OnnxEncoder {
    network: Network,
    heads: Heads,
    file: File,
}

impl OnnxEncoder {
    /// Loads a model file; external data is looked for in its folder.
    ///
    /// # Errors
    /// A file that cannot be read, an unsupported model, ports that are not clear.
    pub fn load(path: &Path, options: &Options) -> Result<Self> {
        let (graph, file) = read(path, options)?;
        Self::over(graph, file, options)
    }

    /// A model in memory; `name` stands for its path in messages.
    ///
    /// # Errors
    /// Those of [`OnnxEncoder::load`].
    pub fn from_bytes(name: &str, bytes: &[u8], options: &Options) -> Result<Self> {
        let (graph, file) = parse(Path::new(name), bytes, None, options)?;
        Self::over(graph, file, options)
    }

    fn over(graph: Graph, file: File, options: &Options) -> Result<Self> {
        let heads = Heads::choose(&graph, options)?;
        let network = Network::new(graph.into(), heads.latent, heads.condition, options.dtype);
        Ok(Self { network, heads, file })
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

    /// Digest of the file's bytes.
    pub fn sha256(&self) -> &str {
        &self.file.sha256
    }

    /// Where it came from.
    pub fn path(&self) -> &Path {
        &self.file.path
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
