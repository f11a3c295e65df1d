//! An ONNX file as a decoder: z → x with its derivatives, and its other heads.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use latlas_graph::ops::{Binary, Unary};
use latlas_graph::{Builder, Graph, Port, onnx};
use ndarray::{Array2, Array3, ArrayView2, ArrayView3};

use super::network::{Network, Pass};
use super::{Heads, Options};
use crate::data::sha256;
use crate::error::{Error, Result};
use crate::models::{Cost, Decoder, Linearization};
use crate::settings::Dtype;

/// A decoder from an ONNX file.
pub struct OnnxDecoder {
    network: Network,
    /// The output that is decoded and differentiated.
    output: usize,
    heads: Heads,
    file: Arc<File>,
    cost: Cost,
}

/// Where a model came from.
pub(super) struct File {
    pub path: PathBuf,
    pub sha256: String,
}

/// Which geometry the outputs are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Embedding {
    /// [`Embedding::Gaussian`] where the decoder has a spread, otherwise [`Embedding::Mean`].
    #[default]
    Auto,
    /// The mean alone: z ↦ μ(z).
    Mean,
    /// Mean and standard deviation: z ↦ (μ(z), σ(z)). Its Gram matrix JμᵀJμ + JσᵀJσ is the expected metric of the random
    /// map μ + σ·ε (Arvanitidis, Hansen and Hauberg, Latent Space Oddity, 2018).
    Gaussian,
}

/// A graph that gives an embedding of a decoder's outputs, and which of its outputs that is.
///
/// # Errors
/// [`Embedding::Gaussian`] without a spread head.
pub fn embed(graph: &Arc<Graph>, heads: &Heads, embedding: Embedding) -> Result<(Arc<Graph>, usize)> {
    match (embedding, heads.std.or(heads.logvar)) {
        (Embedding::Gaussian, None) => Err(Error::Input {
            what: "the gaussian embedding needs a head with the spread, and the decoder has none".into(),
            hint: Some("name it with --logvar or --std, or take --embedding mean".into()),
        }),
        (Embedding::Gaussian | Embedding::Auto, Some(spread)) => Ok((Arc::new(gaussian(graph, heads, spread)), graph.outputs.len())),
        _ => Ok((Arc::clone(graph), heads.mean)),
    }
}

/// The graph with a further output (μ, σ), where an output is σ or, if the decoder has no such head, log σ².
fn gaussian(graph: &Graph, heads: &Heads, spread: usize) -> Graph {
    let mut b = Builder::from_graph(graph.clone());
    let (mean, mut sigma) = (graph.outputs[heads.mean].node, graph.outputs[spread].node);
    if heads.std.is_none() {
        let half = b.with_scalar(Binary::Mul, sigma, 0.5);
        sigma = b.unary(Unary::Exp, half);
    }
    let (width, len) = (graph.node(mean).item_len(), graph.node(graph.outputs[spread].node).item_len());
    let mean = b.reshape(mean, &[width]);
    let sigma = b.reshape(sigma, &[len]);
    let sigma = if len == width { sigma } else { b.expand(sigma, &[width]) };
    let node = b.concat(&[mean, sigma], 0);
    let mut outputs = graph.outputs.clone();
    outputs.push(Port { name: "embedding".into(), node, shape: vec![2 * width], default: None });
    let mut embedded = b.finish(outputs);
    embedded.operators.clone_from(&graph.operators);
    embedded
}

impl OnnxDecoder {
    /// Loads a model file; external data is looked for in its folder.
    ///
    /// # Errors
    /// A file that cannot be read, an unsupported model, ports that are not clear, an encoder.
    pub fn load(path: &Path, options: &Options) -> Result<Self> {
        let (graph, file) = read(path, options)?;
        Self::over(graph, file, options)
    }

    /// A model in memory; `name` stands for its path in messages.
    ///
    /// # Errors
    /// Those of [`OnnxDecoder::load`].
    pub fn from_bytes(name: &str, bytes: &[u8], options: &Options) -> Result<Self> {
        let (graph, file) = parse(Path::new(name), bytes, None, options)?;
        Self::over(graph, file, options)
    }

    fn over(graph: Graph, file: File, options: &Options) -> Result<Self> {
        let heads = Heads::choose(&graph, options)?;
        let decoder = Self::assemble(Arc::new(graph), heads.mean, heads, Arc::new(file), options.dtype)?;
        let (d, big_d) = (decoder.latent_dim(), decoder.ambient_dim());
        if d > big_d {
            return Err(Error::Shape {
                what: format!("{} maps {d} values to {big_d}, so it is no decoder of {d} latents", decoder.file.path.display()),
                hint: Some("an encoder goes with --encoder, beside a decoder; --input and --mean name a decoder's ports".into()),
            });
        }
        Ok(decoder)
    }

    fn assemble(graph: Arc<Graph>, output: usize, heads: Heads, file: Arc<File>, dtype: Dtype) -> Result<Self> {
        let mut network = Network::new(graph, heads.latent, heads.condition, dtype);
        network.beside = heads.log_det;
        let cost = network.cost(output)?;
        Ok(Self { network, output, heads, file, cost })
    }

    /// The same file with another output in place of x.
    ///
    /// # Errors
    /// An output that does not exist.
    pub fn with_output(&self, name: &str) -> Result<Self> {
        let output = self.graph().output(name)?;
        Self::assemble(Arc::clone(&self.network.graph), output, self.heads.clone(), Arc::clone(&self.file), self.network.dtype)
    }

    /// The same file with an embedding of its outputs in place of x.
    ///
    /// # Errors
    /// [`Embedding::Gaussian`] without a spread head.
    pub fn with_embedding(&self, embedding: Embedding) -> Result<Self> {
        let (graph, output) = embed(&self.network.graph, &self.heads, embedding)?;
        Self::assemble(graph, output, self.heads.clone(), Arc::clone(&self.file), self.network.dtype)
    }

    /// What the inputs and outputs were taken for, one line each.
    pub fn notes(&self) -> Vec<String> {
        self.heads.notes(self.graph())
    }

    /// Where its ports are.
    pub fn heads(&self) -> &Heads {
        &self.heads
    }

    /// The graph of one sample.
    pub fn graph(&self) -> &Graph {
        &self.network.graph
    }

    /// The output that is decoded and differentiated.
    pub fn output(&self) -> &Port {
        &self.graph().outputs[self.output]
    }

    /// The latent's shape as the file has it; latents are given flat.
    pub fn latent_shape(&self) -> &[usize] {
        &self.graph().inputs[self.heads.latent].shape
    }

    /// Type in which it runs.
    pub fn dtype(&self) -> Dtype {
        self.network.dtype
    }

    /// Digest of the file's bytes.
    pub fn sha256(&self) -> &str {
        &self.file.sha256
    }

    /// Where it came from.
    pub fn path(&self) -> &Path {
        &self.file.path
    }

    /// Any output at some latents: `[n, its size]`.
    ///
    /// # Errors
    /// An output that does not exist; latents or conditions of the wrong shape.
    pub fn head(&self, output: usize, latents: ArrayView2<'_, f64>, condition: Option<ArrayView2<'_, f64>>) -> Result<Array2<f64>> {
        if output >= self.graph().outputs.len() {
            let what = format!("output {output} of {} does not exist", self.graph().outputs.len());
            return Err(Error::Input { what, hint: None });
        }
        self.network.value(output, latents, condition)
    }
}

impl Decoder for OnnxDecoder {
    fn latent_dim(&self) -> usize {
        self.network.width()
    }

    fn condition_dim(&self) -> Option<usize> {
        self.network.condition_width()
    }

    fn ambient_shape(&self) -> &[usize] {
        &self.output().shape
    }

    fn linearize<'a>(
        &'a self,
        latents: ArrayView2<'_, f64>,
        condition: Option<ArrayView2<'_, f64>>,
    ) -> Result<Box<dyn Linearization + 'a>> {
        Ok(Box::new(At {
            decoder: self,
            latents: latents.to_owned(),
            condition: condition.map(|c| c.to_owned()),
            decoded: OnceLock::new(),
            log_det: OnceLock::new(),
        }))
    }

    fn decode(&self, latents: ArrayView2<'_, f64>, condition: Option<ArrayView2<'_, f64>>) -> Result<Array2<f64>> {
        self.network.value(self.output, latents, condition)
    }

    fn has_log_det(&self) -> bool {
        self.heads.log_det.is_some()
    }

    fn in_double_precision(&self) -> Option<Arc<dyn Decoder>> {
        if self.network.dtype == Dtype::F64 {
            return None;
        }
        let network = Network::new(Arc::clone(&self.network.graph), self.heads.latent, self.heads.condition, Dtype::F64);
        let (heads, file) = (self.heads.clone(), Arc::clone(&self.file));
        Some(Arc::new(Self { network, output: self.output, heads, file, cost: self.cost }))
    }

    fn release_products(&self) {
        self.network.release_products();
    }

    fn has_kinks(&self) -> bool {
        self.graph().has_kinks()
    }

    fn cost(&self) -> Cost {
        self.cost
    }
}

/// An [`OnnxDecoder`] at some points.
struct At<'a> {
    decoder: &'a OnnxDecoder,
    latents: Array2<f64>,
    condition: Option<Array2<f64>>,
    decoded: OnceLock<Array2<f64>>,
    log_det: OnceLock<Vec<f64>>,
}

impl At<'_> {
    fn condition(&self) -> Option<ArrayView2<'_, f64>> {
        self.condition.as_ref().map(|c| c.view())
    }

    /// The derivative; what came with it is kept.
    fn take(&self, pass: Pass) -> Array3<f64> {
        self.decoded.get_or_init(|| pass.value);
        if let Some(log_det) = pass.beside {
            self.log_det.get_or_init(|| log_det.into_iter().collect());
        }
        pass.derivative
    }
}

impl Linearization for At<'_> {
    fn decoded(&self) -> Result<&Array2<f64>> {
        if let Some(decoded) = self.decoded.get() {
            return Ok(decoded);
        }
        let decoded = self.decoder.network.value(self.decoder.output, self.latents.view(), self.condition())?;
        Ok(self.decoded.get_or_init(|| decoded))
    }

    fn log_det(&self) -> Result<Option<&[f64]>> {
        let Some(head) = self.decoder.heads.log_det else { return Ok(None) };
        if let Some(log_det) = self.log_det.get() {
            return Ok(Some(log_det));
        }
        let log_det = self.decoder.network.value(head, self.latents.view(), self.condition())?;
        Ok(Some(self.log_det.get_or_init(|| log_det.into_iter().collect())))
    }

    fn jvp(&self, tangents: ArrayView3<'_, f64>) -> Result<Array3<f64>> {
        Ok(self.take(self.decoder.network.jvp(self.decoder.output, self.latents.view(), self.condition(), tangents)?))
    }

    fn vjp(&self, cotangents: ArrayView3<'_, f64>) -> Result<Array3<f64>> {
        Ok(self.take(self.decoder.network.vjp(self.decoder.output, self.latents.view(), self.condition(), cotangents)?))
    }

    fn columns(&self) -> Result<Array3<f64>> {
        Ok(self.take(self.decoder.network.columns(self.decoder.output, self.latents.view(), self.condition())?))
    }
}

/// Reads a model file.
pub(super) fn read(path: &Path, options: &Options) -> Result<(Graph, File)> {
    let limit = onnx::Limits::default().max_bytes;
    let io = |source| Error::Io { action: "read", path: path.into(), source };
    let size = std::fs::metadata(path).map_err(io)?.len();
    if size > limit {
        let source = latlas_graph::Error::Limit { what: "size of the model file in bytes".into(), got: size, limit };
        return Err(Error::Model { path: path.into(), source });
    }
    let bytes = std::fs::read(path).map_err(io)?;
    parse(path, &bytes, Some(path.parent().unwrap_or(Path::new(""))), options)
}

/// Reads a model from memory.
pub(super) fn parse(path: &Path, bytes: &[u8], folder: Option<&Path>, options: &Options) -> Result<(Graph, File)> {
    let load = onnx::LoadOptions {
        from_tensors: options.from_tensors.clone(),
        to_tensors: options.to_tensors.clone(),
        ..onnx::LoadOptions::default()
    };
    let sha256 = sha256(bytes);
    let graph = onnx::load_bytes(bytes.to_vec(), folder, &load).map_err(|source| Error::Model { path: path.into(), source })?;
    Ok((graph, File { path: path.into(), sha256 }))
}
