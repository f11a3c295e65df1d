//! An ONNX file as a decoder: z → x with its derivatives, and its other heads.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use latlas_graph::{Builder, Graph, Port, Rows, Tensor};
use ndarray::{Array2, Array3, ArrayView2, ArrayView3};

use super::network::{Network, Pass};
use super::{Heads, ModelFile, Options};
use crate::data::sha256;
use crate::error::{Error, Result};
use crate::models::{Cost, Decoder, Linearization, Smoothness};
use crate::settings::Dtype;
use crate::special_functions::HALF_LOG_TAU;

/// A decoder from an ONNX file.
pub struct OnnxDecoder {
    pub(super) network: Network,
    /// The output that is decoded and differentiated.
    pub(super) output: usize,
    heads: Heads,
    origin: Arc<Origin>,
    cost: Cost,
    /// The same in double precision, while somebody uses it: its programs hold weights of their own.
    twin: Mutex<Weak<Self>>,
}

/// Where a decoder came from.
struct Origin {
    path: PathBuf,
    sha256: String,
}

impl OnnxDecoder {
    /// Loads a model file; external data is looked for in its folder.
    ///
    /// # Errors
    /// A file that cannot be read, an unsupported model, ports that are not clear, an encoder.
    pub fn load(path: &Path, options: &Options) -> Result<Self> {
        Self::of(&ModelFile::open(path)?, options)
    }

    /// A model in memory; `name` stands for its path in messages.
    ///
    /// # Errors
    /// Those of [`OnnxDecoder::load`].
    pub fn from_bytes(name: &str, bytes: &[u8], options: &Options) -> Result<Self> {
        Self::of(&ModelFile::in_memory(name, bytes), options)
    }

    /// Of a file that is open.
    ///
    /// # Errors
    /// Those of [`OnnxDecoder::load`].
    pub fn of(file: &ModelFile, options: &Options) -> Result<Self> {
        Self::over(file.graph(options)?, Origin { path: file.path().into(), sha256: file.sha256() }, options)
    }

    fn over(graph: Graph, origin: Origin, options: &Options) -> Result<Self> {
        let heads = Heads::choose(&graph, options)?;
        let decoder = Self::assemble(Arc::new(graph), heads.mean, heads, Arc::new(origin), options.dtype)?;
        let (d, big_d) = (decoder.latent_dim(), decoder.ambient_dim());
        if d > big_d {
            return Err(Error::Shape {
                what: format!("{} maps {d} values to {big_d}, so it is no decoder of {d} latents", decoder.path().display()),
                hint: Some("an encoder goes with --encoder, beside a decoder; --input and --mean name a decoder's ports".into()),
            });
        }
        Ok(decoder)
    }

    fn assemble(graph: Arc<Graph>, output: usize, heads: Heads, origin: Arc<Origin>, dtype: Dtype) -> Result<Self> {
        let mut network = Network::new(graph, heads.latent, heads.condition, dtype);
        network.beside = heads.log_det;
        let cost = network.cost(output)?;
        Ok(Self { network, output, heads, origin, cost, twin: Mutex::default() })
    }

    /// The same file with another output in place of x.
    ///
    /// # Errors
    /// An output that does not exist.
    pub fn with_output(&self, name: &str) -> Result<Self> {
        let output = self.graph().output(name)?;
        Self::assemble(Arc::clone(&self.network.graph), output, self.heads.clone(), Arc::clone(&self.origin), self.network.dtype)
    }

    /// Another graph over the same ports, such as one with a further output, decoded at that output.
    ///
    /// # Errors
    /// An output that cannot be differentiated.
    pub fn with_graph(&self, graph: Arc<Graph>, output: usize) -> Result<Self> {
        Self::assemble(graph, output, self.heads.clone(), Arc::clone(&self.origin), self.network.dtype)
    }

    /// A decoder without a condition: the same with one condition for all samples `[c]`, written into the graph.
    ///
    /// # Errors
    /// A decoder without a condition, or a condition of another width.
    pub fn at_condition(&self, condition: &[f64]) -> Result<Self> {
        let (given, takes) = (condition.len(), self.condition_dim());
        let Some(position) = self.heads.condition.filter(|_| takes == Some(given)) else {
            let takes = takes.map_or_else(|| "no condition".into(), |width| format!("a condition of {width} values"));
            return Err(Error::Shape { what: format!("the decoder takes {takes}, got one of {given}"), hint: None });
        };
        let mut b = Builder::new();
        let from = &self.graph().inputs[self.heads.latent];
        let z = b.input(&from.name, Rows::SAMPLE, &from.shape, &self.graph().node(from.node).shape);
        let fixed = b.constant(Tensor::new([given], condition.to_vec()));
        let written = b.graft(self.graph(), &[(self.heads.latent, z), (position, fixed)])?;
        let outputs = self.graph().outputs.iter().zip(written).map(|(port, node)| Port { node, ..port.clone() }).collect();
        let mut graph = b.finish(outputs);
        graph.operators.clone_from(&self.graph().operators);
        let heads = Heads { latent: 0, condition: None, ..self.heads.clone() };
        Self::assemble(Arc::new(graph), self.output, heads, Arc::clone(&self.origin), self.network.dtype)
    }

    /// A graph that was built and not read: one input, the latents, and x as its first output.
    ///
    /// # Errors
    /// Those of [`OnnxDecoder::load`], without those of the file.
    pub fn from_graph(name: &str, graph: Graph, options: &Options) -> Result<Self> {
        Self::over(graph, Origin { path: name.into(), sha256: sha256(name.as_bytes()) }, options)
    }

    /// The same model computed in double precision, one for all who use it at a time; `None` if it is.
    pub fn precise(&self) -> Option<Arc<Self>> {
        if self.network.dtype == Dtype::F64 {
            return None;
        }
        let mut known = self.twin.lock().unwrap_or_else(PoisonError::into_inner);
        let twin = known.upgrade().unwrap_or_else(|| {
            let mut network = Network::new(Arc::clone(&self.network.graph), self.heads.latent, self.heads.condition, Dtype::F64);
            network.beside = self.network.beside;
            let (heads, origin) = (self.heads.clone(), Arc::clone(&self.origin));
            Arc::new(Self { network, output: self.output, heads, origin, cost: self.cost, twin: Mutex::default() })
        });
        *known = Arc::downgrade(&twin);
        Some(twin)
    }

    /// The same model computed in another number type, with programs of its own.
    ///
    /// # Errors
    /// A graph that cannot be transformed.
    pub fn in_type(&self, dtype: Dtype) -> Result<Self> {
        Self::assemble(Arc::clone(&self.network.graph), self.output, self.heads.clone(), Arc::clone(&self.origin), dtype)
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
        &self.origin.sha256
    }

    /// Where it came from.
    pub fn path(&self) -> &Path {
        &self.origin.path
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

    fn log_density(
        &self,
        data: ArrayView2<'_, f64>,
        latents: ArrayView2<'_, f64>,
        condition: Option<ArrayView2<'_, f64>>,
    ) -> Result<Option<Vec<f64>>> {
        let Some(spread) = self.heads.logvar.or(self.heads.std) else { return Ok(None) };
        let mean = self.network.value(self.heads.mean, latents, condition)?;
        let mut logvar = self.network.value(spread, latents, condition)?;
        if self.heads.logvar.is_none() {
            logvar.mapv_inplace(|std| 2.0 * std.ln());
        }
        // One spread may stand for all values.
        let Some(logvar) = logvar.broadcast(mean.dim()) else { return Ok(None) };
        let row = |s: usize| {
            let terms = data.row(s).into_iter().zip(mean.row(s)).zip(logvar.row(s));
            terms.map(|((x, m), v)| -HALF_LOG_TAU - 0.5 * (v + (x - m) * (x - m) * (-v).exp())).sum()
        };
        Ok(Some((0..data.nrows()).map(row).collect()))
    }

    fn has_log_det(&self) -> bool {
        self.heads.log_det.is_some()
    }

    fn in_double_precision(&self) -> Option<Arc<dyn Decoder>> {
        self.precise().map(|twin| twin as Arc<dyn Decoder>)
    }

    fn in_single_precision(&self) -> Option<Arc<dyn Decoder>> {
        if self.network.dtype == Dtype::F32 {
            return None;
        }
        self.in_type(Dtype::F32).ok().map(|twin| Arc::new(twin) as Arc<dyn Decoder>)
    }

    fn release_products(&self) {
        self.network.release_products();
    }

    fn has_kinks(&self) -> bool {
        self.graph().has_kinks()
    }

    fn has_second_derivatives(&self) -> bool {
        true
    }

    fn smoothness(&self) -> Result<Smoothness> {
        Ok(match (self.has_kinks(), self.has_kinks() && self.network.is_piecewise_linear(self.output)?) {
            (false, _) => Smoothness::Smooth,
            (true, false) => Smoothness::PiecewiseSmooth,
            (true, true) => Smoothness::PiecewiseLinear,
        })
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

    fn second(&self, directions: ArrayView3<'_, f64>) -> Result<[Array3<f64>; 2]> {
        self.decoder.network.second(self.decoder.output, self.latents.view(), self.condition(), directions)
    }

    fn columns_and_second(&self, direction: ArrayView2<'_, f64>) -> Result<(Array3<f64>, Array2<f64>)> {
        self.decoder.network.columns_and_second(self.decoder.output, self.latents.view(), self.condition(), direction)
    }

    fn hessian(&self, weights: ArrayView2<'_, f64>) -> Result<Array3<f64>> {
        self.decoder.network.hessian(self.decoder.output, self.latents.view(), self.condition(), weights)
    }

    fn columns_and_hessian(&self, weights: ArrayView2<'_, f64>) -> Result<(Array3<f64>, Array3<f64>)> {
        self.decoder.network.columns_and_hessian(self.decoder.output, self.latents.view(), self.condition(), weights)
    }

    fn columns(&self) -> Result<Array3<f64>> {
        Ok(self.take(self.decoder.network.columns(self.decoder.output, self.latents.view(), self.condition())?))
    }
}
