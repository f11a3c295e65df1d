//! The latent space of a decoder with its metric: metrics, geodesics, exponential and logarithmic map, distances.

use std::sync::{Arc, PoisonError};

use latlas::geometry::{
    Confirmation, ExpOptions, GeodesicOptions, LatentGraph, Manifold, PullbackManifold, Status, Weights, exp_along, geodesics,
};
use latlas::models::{Decoder as _, closed_form::ClosedForm};
use latlas::run::Dtype;
use latlas_cli::{Failure, GeometryOptions, Shelf, geodesic_arrays};
use ndarray::{Array1, Array2, ArrayD};
use numpy::PyReadonlyArrayDyn;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arrays::{give, rows};
use crate::decoder::{Decoder, Encoder};
use crate::failure::{failure, library};
use crate::worker;

/// Pairs or points that are searched between two looks at whether to go on.
const STEP: usize = 8;

impl Decoder {
    /// The latent space under an embedding, made once for each embedding and condition.
    fn space(
        &self,
        py: Python<'_>,
        embedding: &str,
        condition: Option<&PyReadonlyArrayDyn<'_, f64>>,
        ensemble: &[PyRef<'_, Self>],
        feature: Option<&Encoder>,
    ) -> PyResult<Arc<dyn Manifold>> {
        let condition = condition.map(rows).transpose()?;
        let key = format!("{embedding} {:?}", condition.as_ref().map(|c| c.iter().map(|x| x.to_bits()).collect::<Vec<_>>()));
        let is_kept = ensemble.is_empty() && feature.is_none();
        let known = self
            .spaces
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .find(|(k, _)| is_kept && *k == key)
            .map(|(_, s)| Arc::clone(s));
        if let Some(known) = known {
            return Ok(known);
        }
        let (shelf, ensemble, feature) = shelved(ensemble, feature);
        let made = py.detach(|| -> Result<Arc<dyn Manifold>, Failure> {
            let options = GeometryOptions::new(embedding, ensemble, feature)?;
            let Some(onnx) = &self.onnx else {
                options.only_mean(&self.name)?;
                let form = ClosedForm::named(self.name.trim_start_matches("builtin:"))?;
                return Ok(Arc::new(PullbackManifold::new("mean", Arc::new(form.into_written()?))?));
            };
            let precise = onnx.precise().unwrap_or_else(|| Arc::clone(onnx));
            let precise = match (&condition, precise.condition_dim()) {
                (Some(rows), Some(_)) if rows.nrows() == 1 => Arc::new(precise.at_condition(&rows.row(0).to_vec())?),
                (Some(rows), Some(_)) => {
                    let what = format!("a geometry belongs to one condition, got {}", rows.nrows());
                    return Err(Failure::usage(what, "give one row"));
                }
                _ => precise,
            };
            Ok(options.embedding(Dtype::F64, &shelf)?.manifold(&precise)?)
        });
        let made = made.map_err(|error| failure(&error))?;
        if is_kept {
            self.spaces.lock().unwrap_or_else(PoisonError::into_inner).push((key, Arc::clone(&made)));
        }
        Ok(made)
    }
}

/// Further models under words, as options name them.
fn shelved(ensemble: &[PyRef<'_, Decoder>], feature: Option<&Encoder>) -> (Shelf, Vec<String>, Option<String>) {
    let mut shelf = Shelf::default();
    let members = ensemble.iter().enumerate().filter_map(|(i, member)| Some((i, member.onnx.clone()?)));
    let ensemble = members.map(|(i, onnx)| shelf.put_decoder(&format!("ensemble{i}"), onnx)).collect();
    let feature = feature.map(|encoder| shelf.put_encoder("feature", Arc::clone(&encoder.onnx)));
    (shelf, ensemble, feature)
}

/// M(z) `[n, d, d]`, computed in the type of the decoder as `latlas metric` does.
#[pyfunction]
#[pyo3(signature = (decoder, latents, condition, embedding, ensemble, feature))]
pub fn metric<'py>(
    py: Python<'py>,
    decoder: &Bound<'py, Decoder>,
    latents: PyReadonlyArrayDyn<'py, f64>,
    condition: Option<PyReadonlyArrayDyn<'py, f64>>,
    embedding: &str,
    ensemble: Vec<PyRef<'py, Decoder>>,
    feature: Option<PyRef<'py, Encoder>>,
) -> PyResult<Bound<'py, PyAny>> {
    let z = rows(&latents)?;
    let Some(onnx) = decoder.get().onnx.as_ref().filter(|_| embedding != "gaussian-fisher") else {
        if decoder.get().onnx.is_none() {
            // A formula needs no second derivatives for this.
            let (any, name) = (&decoder.get().any, &decoder.get().name);
            let metric = py.detach(|| -> Result<_, Failure> {
                GeometryOptions::new(embedding, Vec::new(), None)?.only_mean(name)?;
                Ok(any.linearize(z.view(), None)?.gram()?)
            });
            return Ok(give(py, metric.map_err(|error| failure(&error))?)?.into_any());
        }
        let space = decoder.get().space(py, embedding, condition.as_ref(), &ensemble, feature.as_deref())?;
        let metric = py.detach(|| space.metric_at(z.view())).map_err(library)?;
        return Ok(give(py, metric)?.into_any());
    };
    let condition = condition.as_ref().map(rows).transpose()?;
    let (shelf, ensemble, feature) = shelved(&ensemble, feature.as_deref());
    let metric = py.detach(|| -> Result<_, Failure> {
        let embedded = GeometryOptions::new(embedding, ensemble, feature)?.embedding(onnx.dtype(), &shelf)?.of(onnx)?;
        Ok(embedded.linearize(z.view(), condition.as_ref().map(|c| c.view()))?.gram()?)
    });
    Ok(give(py, metric.map_err(|error| failure(&error))?)?.into_any())
}

/// Exp_z(v): the arrays of `latlas exp` as a dictionary.
#[pyfunction]
#[pyo3(signature = (decoder, latents, vectors, points, tolerance, max_steps, domain, condition, embedding))]
#[allow(clippy::too_many_arguments)] // As the command has them.
pub fn exp<'py>(
    py: Python<'py>,
    decoder: &Bound<'py, Decoder>,
    latents: PyReadonlyArrayDyn<'py, f64>,
    vectors: PyReadonlyArrayDyn<'py, f64>,
    points: usize,
    tolerance: f64,
    max_steps: usize,
    domain: Option<(f64, f64)>,
    condition: Option<PyReadonlyArrayDyn<'py, f64>>,
    embedding: &str,
) -> PyResult<Bound<'py, PyDict>> {
    let space = decoder.get().space(py, embedding, condition.as_ref(), &[], None)?;
    let (z, v) = (rows(&latents)?, rows(&vectors)?);
    let options = ExpOptions { tolerance, max_steps, domain, ..ExpOptions::default() };
    let (shots, [points, _]) = worker::run(py, None, None, move |go_on| {
        go_on(0, 1);
        Ok(exp_along(&*space, z.view(), v.view(), &options, points.max(2) - 1)?)
    })?;
    let d = points.dim().2;
    let found = PyDict::new(py);
    let column = |of: &dyn Fn(&latlas::geometry::Shot) -> f64| shots.iter().map(of).collect::<Array1<f64>>();
    found.set_item("velocity", give(py, Array2::from_shape_fn((shots.len(), d), |(i, j)| shots[i].velocity[j]))?)?;
    found.set_item("end", give(py, Array2::from_shape_fn((shots.len(), d), |(i, j)| shots[i].end[j]))?)?;
    found.set_item("points", give(py, points)?)?;
    found.set_item("length", give(py, column(&|shot| shot.length))?)?;
    found.set_item("error", give(py, column(&|shot| shot.error))?)?;
    found.set_item("drift", give(py, column(&|shot| shot.drift))?)?;
    found.set_item("t", give(py, column(&|shot| shot.t))?)?;
    tell(&found, shots.iter().map(|shot| shot.status).collect())?;
    Ok(found)
}

/// Geodesics between rows: the arrays of `latlas geodesic` as a dictionary.
#[pyfunction]
#[pyo3(signature = (decoder, from, to, points, levels, tolerance, max_steps, domain, codes, condition, embedding))]
#[allow(clippy::too_many_arguments)] // As the command has them.
pub fn geodesic<'py>(
    py: Python<'py>,
    decoder: &Bound<'py, Decoder>,
    from: PyReadonlyArrayDyn<'py, f64>,
    to: PyReadonlyArrayDyn<'py, f64>,
    points: Option<usize>,
    levels: Vec<usize>,
    tolerance: f64,
    max_steps: usize,
    domain: Option<(f64, f64)>,
    codes: Option<PyReadonlyArrayDyn<'py, f64>>,
    condition: Option<PyReadonlyArrayDyn<'py, f64>>,
    embedding: &str,
) -> PyResult<Bound<'py, PyDict>> {
    let space = decoder.get().space(py, embedding, condition.as_ref(), &[], None)?;
    let (a, b) = (rows(&from)?, rows(&to)?);
    let (confirmation, codes) = (Confirmation::to(tolerance), codes.as_ref().map(rows).transpose()?);
    let mut options = GeodesicOptions { levels, confirmation, codes, ..GeodesicOptions::default() };
    options.energy.max_steps = max_steps;
    options.exp.domain = domain;
    // With codes a graph is laid first, once for all pairs.
    let step = if options.codes.is_some() || a.dim() != b.dim() { a.nrows().max(1) } else { STEP };
    let found = worker::run(py, None, None, move |go_on| {
        let mut found = Vec::new();
        for start in (0..a.nrows()).step_by(step) {
            go_on(start, a.nrows());
            let some = ndarray::Slice::from(start..a.nrows().min(start + step));
            let of = |ends: &'_ Array2<f64>| {
                ends.slice_axis(ndarray::Axis(0), if step >= a.nrows() { ndarray::Slice::from(..) } else { some }).to_owned()
            };
            found.extend(geodesics(&*space, of(&a).view(), of(&b).view(), &options)?);
        }
        Ok(found)
    })?;
    let arrays: Vec<(&str, ArrayD<f64>)> = geodesic_arrays(&found, points).map_err(library)?;
    let named = PyDict::new(py);
    for (name, values) in arrays {
        named.set_item(name, give(py, values)?)?;
    }
    tell(&named, found.iter().map(|geodesic| geodesic.status).collect())?;
    Ok(named)
}

/// Bounds of the distances between all latents by a graph over them: twice `[n, n]`.
#[pyfunction]
#[pyo3(signature = (decoder, latents, neighbours, condition, embedding))]
#[allow(clippy::type_complexity)]
pub fn bracket<'py>(
    py: Python<'py>,
    decoder: &Bound<'py, Decoder>,
    latents: PyReadonlyArrayDyn<'py, f64>,
    neighbours: usize,
    condition: Option<PyReadonlyArrayDyn<'py, f64>>,
    embedding: &str,
) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    let space = decoder.get().space(py, embedding, condition.as_ref(), &[], None)?;
    let z = rows(&latents)?;
    let [lower, upper] =
        worker::run(py, None, None, move |_| Ok(LatentGraph::new(&*space, z.view(), neighbours, Weights::Lengths)?.bracket()))?;
    Ok((give(py, lower)?.into_any(), give(py, upper)?.into_any()))
}

/// How searches ended, in words.
fn tell(found: &Bound<'_, PyDict>, statuses: Vec<Status>) -> PyResult<()> {
    found.set_item("converged", statuses.iter().map(|status| status.is_converged()).collect::<Vec<_>>())?;
    found.set_item("status", statuses.iter().map(|status| status.name()).collect::<Vec<_>>())?;
    found.set_item("reason", statuses.iter().map(|status| status.reason().map(latlas::geometry::Reason::name)).collect::<Vec<_>>())
}
