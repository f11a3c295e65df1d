//! Runs: prepared from words and things in memory, measured whole or shard by shard, merged.

use latlas::data::Table;
use latlas::run::{Along, Run, Shard};
use latlas_cli::{Failure, Shelf};
use ndarray::ArrayD;
use numpy::PyReadonlyArrayDyn;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::decoder::{Decoder, Encoder};
use crate::failure::{failure, library};
use crate::report::Report;
use crate::worker;

/// An array under a name, with whether it holds whole numbers.
type Array<'py> = (String, PyReadonlyArrayDyn<'py, f64>, bool);
/// A model under a name.
type Named<'py, T> = (String, PyRef<'py, T>);

/// What is to be computed from what.
#[pyclass(frozen, module = "latlas._latlas")]
pub struct Task(latlas_cli::Task);

#[pymethods]
impl Task {
    /// From the words of `latlas run` or `latlas report`; a word `given:NAME` stands for the array (with whether it holds whole
    /// numbers), decoder or encoder of that name.
    #[new]
    #[allow(clippy::needless_pass_by_value)]
    fn new(
        py: Python<'_>,
        words: Vec<String>,
        arrays: Vec<Array<'_>>,
        decoders: Vec<Named<'_, Decoder>>,
        encoders: Vec<Named<'_, Encoder>>,
    ) -> PyResult<Self> {
        let shelf = shelf(&arrays, &decoders, &encoders)?;
        py.detach(|| latlas_cli::task(&words, &shelf)).map(Self).map_err(|error| failure(&error))
    }

    /// What was guessed on the way.
    #[getter]
    fn notes(&self) -> Vec<String> {
        self.0.notes.clone()
    }

    /// Computes all of it.
    #[pyo3(signature = (threads, progress, whole_page))]
    fn measure(&self, py: Python<'_>, threads: Option<usize>, progress: Option<Py<PyAny>>, whole_page: bool) -> PyResult<Report> {
        let task = self.0.clone();
        let report = worker::run(py, threads, progress.as_ref(), move |tell| Ok(task.measure(tell)?))?;
        Ok(Report::of(report, &self.0, whole_page))
    }

    /// The state of shard `index` of `of`, counted from 0, as bytes.
    #[pyo3(signature = (index, of, threads, progress))]
    fn shard<'py>(
        &self,
        py: Python<'py>,
        index: usize,
        of: usize,
        threads: Option<usize>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let task = self.0.clone();
        let state = worker::run(py, threads, progress.as_ref(), move |tell| {
            let latlas_cli::Task { ids, inputs, settings, by_class, .. } = &task;
            let mut run = Run::begin(ids, inputs, settings, *by_class, Shard { index, of })?;
            run.advance(inputs, settings, tell, None)?;
            Ok(run.to_bytes()?)
        })?;
        Ok(PyBytes::new(py, &state))
    }

    /// The report of states that were merged, with what this task would draw beside it.
    #[pyo3(signature = (state, partial, whole_page))]
    fn finish(&self, py: Python<'_>, state: &[u8], partial: bool, whole_page: bool) -> PyResult<Report> {
        let mut report = py.detach(|| finished(Run::from_bytes(state)?, partial)).map_err(|error| failure(&error))?;
        self.0.mark(&mut report);
        Ok(Report::of(report, &self.0, whole_page))
    }
}

fn shelf(arrays: &[Array<'_>], decoders: &[Named<'_, Decoder>], encoders: &[Named<'_, Encoder>]) -> PyResult<Shelf> {
    let mut shelf = Shelf::default();
    for (name, array, integer) in arrays {
        shelf.put_table(name, table(name, array.as_array().to_owned(), *integer));
    }
    for (name, decoder) in decoders {
        let onnx = decoder.onnx.clone().ok_or_else(|| PyValueError::new_err("a closed form is given by its name"))?;
        shelf.put_decoder(name, onnx);
    }
    for (name, encoder) in encoders {
        shelf.put_encoder(name, encoder.onnx.clone());
    }
    Ok(shelf)
}

/// Models beside each other, a name for each; the words are those of `latlas compare`, as for [`Task`]. The report of their
/// differences, and why the latents were not matched if they were not.
#[pyfunction]
#[pyo3(signature = (words, arrays, decoders, encoders, names, threads, progress))]
#[allow(clippy::needless_pass_by_value, clippy::too_many_arguments)]
pub fn compare(
    py: Python<'_>,
    words: Vec<String>,
    arrays: Vec<Array<'_>>,
    decoders: Vec<Named<'_, Decoder>>,
    encoders: Vec<Named<'_, Encoder>>,
    names: Vec<String>,
    threads: Option<usize>,
    progress: Option<Py<PyAny>>,
) -> PyResult<(Report, Option<String>)> {
    let shelf = shelf(&arrays, &decoders, &encoders)?;
    let compared = py.detach(|| latlas_cli::compared(&words, &shelf)).map_err(|error| failure(&error))?;
    let comparison = worker::run(py, threads, progress.as_ref(), move |tell| Ok(compared.measure(&names, tell)?))?;
    Ok((Report::alone(comparison.report), comparison.left_out))
}

/// Reports beside each other, a name for each: differences from the first.
#[pyfunction]
#[pyo3(signature = (names, reports, along))]
#[allow(clippy::needless_pass_by_value)]
pub fn compare_reports(py: Python<'_>, names: Vec<String>, reports: Vec<PyRef<'_, Report>>, along: Option<String>) -> PyResult<Report> {
    let reports: Vec<_> = reports.iter().map(|report| report.found().clone()).collect();
    let compared = py.detach(|| {
        let along = along.as_deref().map(Along::parse).transpose()?;
        latlas::run::compare_reports(&names, reports, along.as_ref())
    });
    compared.map(Report::alone).map_err(library)
}

fn finished(run: Run, partial: bool) -> Result<latlas::report::Report, Failure> {
    Ok(if partial { run.finish_partial() } else { run.finish() }?)
}

fn merged(states: &[Vec<u8>]) -> Result<Run, Failure> {
    let mut merged: Option<Run> = None;
    for bytes in states {
        let part = Run::from_bytes(bytes)?;
        match &mut merged {
            None => merged = Some(part),
            Some(merged) => merged.merge(part)?,
        }
    }
    merged.ok_or_else(|| Failure::usage("no states were given", "give the bytes of at least one"))
}

/// The report of the states of all shards.
#[pyfunction]
#[pyo3(signature = (states, partial))]
#[allow(clippy::needless_pass_by_value)]
pub fn merge(py: Python<'_>, states: Vec<Vec<u8>>, partial: bool) -> PyResult<Report> {
    let report = py.detach(|| finished(merged(&states)?, partial)).map_err(|error| failure(&error))?;
    Ok(Report::alone(report))
}

/// The states of shards as one state.
#[pyfunction]
#[allow(clippy::needless_pass_by_value)]
pub fn merge_states(py: Python<'_>, states: Vec<Vec<u8>>) -> PyResult<Bound<'_, PyBytes>> {
    let run = py.detach(|| merged(&states)).map_err(|error| failure(&error))?;
    Ok(PyBytes::new(py, &run.to_bytes().map_err(library)?))
}

/// An array under a name, for the shelf.
pub fn table(name: &str, values: ArrayD<f64>, integer: bool) -> Table {
    let bytes: Vec<u8> = values.iter().flat_map(|x| x.to_le_bytes()).collect();
    Table { name: format!("array:{name}"), sha256: latlas::data::sha256(&bytes), values, integer }
}
