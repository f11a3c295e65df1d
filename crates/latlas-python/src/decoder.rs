//! Decoders and encoders: x = f(z) and its derivatives in the number type of the model.

use std::ops::Range;
use std::sync::{Arc, Mutex};

use latlas::error::{Error, Result};
use latlas::geometry::Manifold;
use latlas::models::onnx::{Ask, Native};
use latlas::models::{self as library_models, OnnxDecoder, OnnxEncoder};
use latlas::run::Dtype;
use latlas_cli::{Failure, ModelOptions, Shelf};
use ndarray::{Array2, Array3};
use numpy::{Element, PyReadonlyArrayDyn};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::arrays::{lent, own};
use crate::failure::{failure, library};

/// z → x with its derivatives.
#[pyclass(frozen, module = "latlas._latlas")]
pub struct Decoder {
    pub any: Arc<dyn library_models::Decoder>,
    pub onnx: Option<Arc<OnnxDecoder>>,
    pub name: String,
    sha256: String,
    notes: Vec<String>,
    dtype: Dtype,
    /// The latent space under each embedding that was asked for, by its name and condition.
    pub spaces: Mutex<Vec<(String, Arc<dyn Manifold>)>>,
}

/// `f32` or `f64`.
pub fn dtype_of(name: &str) -> PyResult<Dtype> {
    match name {
        "f32" => Ok(Dtype::F32),
        "f64" => Ok(Dtype::F64),
        other => Err(PyValueError::new_err(format!("dtype {other:?}: there is 'f32' and 'f64'"))),
    }
}

/// Ports of a model by name, in the order of the options of the command.
type Ports =
    (Option<String>, Option<String>, Option<String>, Option<String>, Option<String>, Option<String>, Option<String>, Option<String>);

fn options(ports: Ports, from_tensor: Vec<String>, to_tensor: Vec<String>) -> ModelOptions {
    let (input, condition_input, output, mean, logvar, std, logits, log_det) = ports;
    ModelOptions { input, condition_input, output, mean, logvar, std, logits, log_det, from_tensor, to_tensor }
}

#[pymethods]
impl Decoder {
    /// From a file, `builtin:NAME`, or bytes under a name.
    #[staticmethod]
    #[pyo3(signature = (name, content, dtype, ports, from_tensor, to_tensor))]
    fn load(
        py: Python<'_>,
        name: String,
        content: Option<&[u8]>,
        dtype: &str,
        ports: Ports,
        from_tensor: Vec<String>,
        to_tensor: Vec<String>,
    ) -> PyResult<Self> {
        let dtype = dtype_of(dtype)?;
        let options = options(ports, from_tensor, to_tensor);
        let model = py.detach(|| {
            let Some(content) = content else { return latlas_cli::decoder(&name, &options, dtype, &Shelf::default(), Ok) };
            let loaded = OnnxDecoder::from_bytes(&name, content, &options.read(dtype))?;
            let mut shelf = Shelf::default();
            let word = shelf.put_decoder("decoder", Arc::new(loaded));
            latlas_cli::decoder(&word, &ModelOptions { output: options.output.clone(), ..ModelOptions::default() }, dtype, &shelf, Ok)
        });
        let model = model.map_err(|error: Failure| failure(&error))?;
        let (any, onnx, sha256, notes) = (model.decoder, model.onnx, model.sha256, model.notes);
        Ok(Self { any, onnx, name, sha256, notes, dtype, spaces: Mutex::default() })
    }

    #[getter]
    fn name(&self) -> &str {
        &self.name
    }

    #[getter]
    fn sha256(&self) -> &str {
        &self.sha256
    }

    #[getter]
    fn notes(&self) -> Vec<String> {
        self.notes.clone()
    }

    #[getter]
    fn dtype(&self) -> &'static str {
        self.dtype.name()
    }

    #[getter]
    fn is_closed_form(&self) -> bool {
        self.onnx.is_none()
    }

    #[getter]
    fn latent_dim(&self) -> usize {
        self.any.latent_dim()
    }

    #[getter]
    fn latent_shape(&self) -> Vec<usize> {
        self.onnx.as_ref().map_or_else(|| vec![self.any.latent_dim()], |onnx| onnx.latent_shape().to_vec())
    }

    #[getter]
    fn condition_dim(&self) -> Option<usize> {
        self.any.condition_dim()
    }

    #[getter]
    fn ambient_shape(&self) -> Vec<usize> {
        self.any.ambient_shape().to_vec()
    }

    /// Operations of one decode and of one Jacobian.
    #[getter]
    fn cost(&self) -> (f64, f64) {
        let cost = self.any.cost();
        (cost.decode, cost.jacobian)
    }

    #[getter]
    fn has_kinks(&self) -> bool {
        self.any.has_kinks()
    }

    /// Other outputs than x, by their names: (role, name).
    #[getter]
    fn heads(&self) -> Vec<(&'static str, String)> {
        let Some(onnx) = &self.onnx else { return Vec::new() };
        let (heads, outputs) = (onnx.heads(), &onnx.graph().outputs);
        let roles = [
            ("mean", Some(heads.mean)),
            ("logvar", heads.logvar),
            ("std", heads.std),
            ("logits", heads.logits),
            ("log_det", heads.log_det),
        ];
        roles.into_iter().filter_map(|(role, head)| Some((role, outputs[head?].name.clone()))).collect()
    }

    /// `decode`, `columns`, `jvp` or `vjp` at latents `[n, d]`; the vectors are `[n, k, …]`. Everything in the type of the decoder;
    /// values come back flat, `[n, D]` or `[n, k, …]`.
    #[pyo3(signature = (what, latents, condition, vectors))]
    fn ask<'py>(
        &self,
        py: Python<'py>,
        what: &str,
        latents: &Bound<'py, PyAny>,
        condition: Option<&Bound<'py, PyAny>>,
        vectors: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        match self.dtype {
            Dtype::F32 => self.answer::<f32>(py, what, latents, condition, vectors),
            Dtype::F64 => self.answer::<f64>(py, what, latents, condition, vectors),
        }
    }

    /// Where the numbers of an array lie that [`Decoder::ask`] would read.
    fn address(&self, latents: &Bound<'_, PyAny>) -> PyResult<usize> {
        fn of<T: Element>(latents: &Bound<'_, PyAny>) -> PyResult<usize> {
            let array: PyReadonlyArrayDyn<'_, T> = latents.extract()?;
            Ok(lent(&array)?.0.as_ptr() as usize)
        }
        match self.dtype {
            Dtype::F32 => of::<f32>(latents),
            Dtype::F64 => of::<f64>(latents),
        }
    }
}

/// Some rows of an array `[n, …]`.
fn part<'a, T>(given: Option<&(&'a [T], Vec<usize>)>, rows: &Range<usize>) -> Option<&'a [T]> {
    given.map(|(values, shape)| {
        let width: usize = shape[1..].iter().product();
        &values[rows.start * width..rows.end * width]
    })
}

/// Numbers of one answer that are made between two looks at signals.
const STEP: usize = 1 << 22;

impl Decoder {
    fn answer<'py, T: Native + Element + Into<f64>>(
        &self,
        py: Python<'py>,
        what: &str,
        latents: &Bound<'py, PyAny>,
        condition: Option<&Bound<'py, PyAny>>,
        vectors: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let array = |given: &Bound<'py, PyAny>| -> PyResult<PyReadonlyArrayDyn<'py, T>> { given.extract() };
        let (latents, condition, vectors) = (array(latents)?, condition.map(array).transpose()?, vectors.map(array).transpose()?);
        let (z, shape) = lent(&latents)?;
        let n = shape[0];
        let condition = condition.as_ref().map(lent).transpose()?;
        let vectors = vectors.as_ref().map(lent).transpose()?;
        let (d, big_d) = (self.any.latent_dim(), self.any.ambient_dim());
        let k = vectors.as_ref().map_or(1, |(_, shape)| shape[1]);
        let (ask, of_one) = match what {
            "decode" => (Ask::Decode, vec![big_d]),
            "columns" => (Ask::Columns, vec![d, big_d]),
            "jvp" => (Ask::Jvp(k), vec![k, big_d]),
            "vjp" => (Ask::Vjp(k), vec![k, d]),
            other => return Err(PyValueError::new_err(format!("no question {other:?}"))),
        };
        let each: usize = of_one.iter().product();
        let step = (STEP / each.max(1)).max(1);
        let mut all: Vec<T> = Vec::new();
        for start in (0..n).step_by(step) {
            let rows = start..n.min(start + step);
            let z = &z[start * d..rows.end * d];
            let (condition, vectors) = (part(condition.as_ref(), &rows), part(vectors.as_ref(), &rows));
            let answer = py.detach(|| self.rows(ask, rows.len(), z, condition, vectors)).map_err(library)?;
            py.check_signals()?;
            if rows.len() == n {
                all = answer;
            } else {
                all.reserve_exact(n * each - all.len());
                all.extend_from_slice(&answer);
            }
        }
        Ok(own(py, all, &[&[n][..], &of_one[..]].concat())?.into_any())
    }

    /// Some rows: by the programs of a graph where they lie, by the formula of a closed form otherwise.
    fn rows<T: Native + Into<f64>>(&self, ask: Ask, n: usize, z: &[T], condition: Option<&[T]>, vectors: Option<&[T]>) -> Result<Vec<T>> {
        if let Some(onnx) = &self.onnx {
            return onnx.ask(ask, n, z, condition, vectors);
        }
        let wide = |values: &[T]| values.iter().map(|x| (*x).into()).collect::<Vec<f64>>();
        let d = self.any.latent_dim();
        let fault = |error: ndarray::ShapeError| Error::Shape { what: error.to_string(), hint: None };
        let z = Array2::from_shape_vec((n, d), wide(z)).map_err(fault)?;
        let at = self.any.linearize(z.view(), None)?;
        let bundle = |k: usize, width: usize| Array3::from_shape_vec((n, k, width), wide(vectors.unwrap_or_default())).map_err(fault);
        let values: Vec<f64> = match ask {
            Ask::Decode => at.decoded()?.iter().copied().collect(),
            Ask::Columns => at.columns()?.iter().copied().collect(),
            Ask::Jvp(k) => at.jvp(bundle(k, d)?.view())?.iter().copied().collect(),
            Ask::Vjp(k) => at.vjp(bundle(k, self.any.ambient_dim())?.view())?.iter().copied().collect(),
        };
        Ok(values.into_iter().map(T::from_f64).collect())
    }
}

/// x → posterior of z.
#[pyclass(frozen, module = "latlas._latlas")]
pub struct Encoder {
    pub onnx: Arc<OnnxEncoder>,
    pub name: String,
}

#[pymethods]
impl Encoder {
    /// From a file, `builtin:NAME`, or bytes under a name.
    #[staticmethod]
    #[pyo3(signature = (name, content, dtype, ports, from_tensor, to_tensor))]
    fn load(
        py: Python<'_>,
        name: String,
        content: Option<&[u8]>,
        dtype: &str,
        ports: Ports,
        from_tensor: Vec<String>,
        to_tensor: Vec<String>,
    ) -> PyResult<Self> {
        let dtype = dtype_of(dtype)?;
        let options = options(ports, from_tensor, to_tensor).read(dtype);
        let onnx = py.detach(|| -> Result<_, Failure> {
            match content {
                Some(content) => Ok(Arc::new(OnnxEncoder::from_bytes(&name, content, &options)?)),
                None => Ok(Arc::new(OnnxEncoder::of(&latlas_cli::model_file(&name)?, &options)?)),
            }
        });
        Ok(Self { onnx: onnx.map_err(|error| failure(&error))?, name })
    }

    #[getter]
    fn name(&self) -> &str {
        &self.name
    }

    #[getter]
    fn sha256(&self) -> &str {
        self.onnx.sha256()
    }

    #[getter]
    fn dtype(&self) -> &'static str {
        self.onnx.dtype().name()
    }

    #[getter]
    fn data_dim(&self) -> usize {
        library_models::Encoder::data_dim(&*self.onnx)
    }

    #[getter]
    fn latent_dim(&self) -> usize {
        library_models::Encoder::latent_dim(&*self.onnx)
    }

    /// Means `[n, d]` and log variances, if there are any.
    #[pyo3(signature = (data, condition))]
    #[allow(clippy::type_complexity)]
    fn encode<'py>(
        &self,
        py: Python<'py>,
        data: PyReadonlyArrayDyn<'py, f64>,
        condition: Option<PyReadonlyArrayDyn<'py, f64>>,
    ) -> PyResult<(Bound<'py, PyAny>, Option<Bound<'py, PyAny>>)> {
        let data = crate::arrays::rows(&data)?;
        let condition = condition.as_ref().map(crate::arrays::rows).transpose()?;
        let posterior = py
            .detach(|| library_models::Encoder::encode(&*self.onnx, data.view(), condition.as_ref().map(|c| c.view())))
            .map_err(library)?;
        let logvar = posterior.logvar.map(|logvar| crate::arrays::give(py, logvar)).transpose()?;
        Ok((crate::arrays::give(py, posterior.mean)?.into_any(), logvar.map(Bound::into_any)))
    }
}
