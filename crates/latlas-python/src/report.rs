//! A report: its numbers, its page and its plots.

use std::sync::{Arc, Mutex, PoisonError};

use latlas::error::Result;
use latlas::estimate::{Estimate, Value};
use latlas::report::plot::{self, Width};
use latlas::report::{Atlas, PageOptions, atlas, html, json, maps, table};
use latlas::run::Inputs;
use ndarray::{Array1, Array2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::arrays::give;
use crate::failure::library;

/// Everything that a run found.
#[pyclass(frozen, module = "latlas._latlas")]
pub struct Report {
    found: latlas::report::Report,
    /// What a page asks beside the numbers; nothing for a report that was merged or read.
    beside: Option<(Inputs, PageOptions)>,
    atlas: Mutex<Option<Arc<Atlas>>>,
}

impl Report {
    /// Of a task. With a whole page its data stays in memory; otherwise only the model does.
    pub fn of(report: latlas::report::Report, task: &latlas_cli::Task, whole_page: bool) -> Self {
        let inputs = if whole_page {
            task.inputs.clone()
        } else {
            let Inputs { decoder, prior, condition, .. } = &task.inputs;
            Inputs { decoder: decoder.clone(), prior: prior.clone(), condition: condition.clone(), ..Inputs::default() }
        };
        Self { found: report, beside: Some((inputs, task.page.clone())), atlas: Mutex::default() }
    }

    /// Numbers alone.
    pub fn alone(report: latlas::report::Report) -> Self {
        Self { found: report, beside: None, atlas: Mutex::default() }
    }

    /// What was found.
    pub fn found(&self) -> &latlas::report::Report {
        &self.found
    }

    fn atlas(&self) -> Result<Arc<Atlas>> {
        let mut kept = self.atlas.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(atlas) = &*kept {
            return Ok(Arc::clone(atlas));
        }
        let made = Arc::new(if let Some((inputs, page)) = &self.beside {
            atlas::compose(inputs, self.found.clone(), page)?
        } else {
            let of_role = |role: &str| self.found.inputs.iter().find(|input| input.role == role);
            let name = ["model", "jacobians", "codes"].into_iter().find_map(of_role).map_or_else(|| "report".into(), |i| i.path.clone());
            Atlas::of_report(self.found.clone(), name, None)
        });
        *kept = Some(Arc::clone(&made));
        Ok(made)
    }
}

#[pymethods]
impl Report {
    /// From its JSON; `open(name)` gives the bytes of a file beside it.
    #[staticmethod]
    fn from_json(text: &str, open: &Bound<'_, PyAny>) -> PyResult<Self> {
        let mut failed = None;
        let read = json::from_json(text, &mut |name| {
            open.call1((name,)).and_then(|bytes| bytes.extract::<Vec<u8>>()).map_err(|error| {
                failed = Some(error);
                latlas::Error::State { what: format!("{name} cannot be read"), hint: None }
            })
        });
        match (read, failed) {
            (Ok(report), _) => Ok(Self::alone(report)),
            (Err(_), Some(error)) => Err(error),
            (Err(error), None) => Err(library(error)),
        }
    }

    /// The text, and the files that belong beside it.
    fn to_json<'py>(&self, py: Python<'py>) -> (String, Vec<(String, Bound<'py, PyBytes>)>) {
        let (text, files) = json::to_json(&self.found);
        (text, files.into_iter().map(|file| (file.name, PyBytes::new(py, &file.bytes))).collect())
    }

    /// The maps of the latent plane as files; none where there is no plane.
    fn map_files<'py>(&self, py: Python<'py>) -> PyResult<Vec<(String, Bound<'py, PyBytes>)>> {
        let files = py.detach(|| self.atlas()?.plane.as_ref().map_or(Ok(Vec::new()), maps::files)).map_err(library)?;
        Ok(files.into_iter().map(|file| (file.name, PyBytes::new(py, &file.bytes))).collect())
    }

    /// The page; `command` is shown as what made it.
    #[pyo3(signature = (command))]
    fn to_html(&self, py: Python<'_>, command: Option<String>) -> PyResult<String> {
        py.detach(|| html::page(&Atlas { command, ..(*self.atlas()?).clone() })).map_err(library)
    }

    /// The table that the command prints, for a width in letters.
    fn to_text(&self, width: usize) -> String {
        table::render(&self.found, table::Options { width, colour: false })
    }

    /// All plots that there are.
    #[staticmethod]
    fn plots() -> Vec<&'static str> {
        plot::TABLE.iter().map(|plot| plot.id).collect()
    }

    /// SVG, title and caption of a plot; nothing where the report has nothing for it.
    fn plot(&self, py: Python<'_>, id: &str, is_narrow: bool) -> PyResult<Option<(String, String, String)>> {
        let plot = plot::TABLE.iter().find(|plot| plot.id == id).ok_or_else(|| PyValueError::new_err(format!("no plot {id:?}")))?;
        let width = if is_narrow { Width::Narrow } else { Width::Wide };
        let figure = py.detach(|| (plot.draw)(&*self.atlas()?, width)).map_err(library)?;
        Ok(figure.map(|figure| (figure.svg, figure.title, figure.caption)))
    }

    /// The estimates, each as a dictionary.
    fn estimates<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        self.found.estimates.iter().map(|estimate| dictionary(py, estimate)).collect()
    }

    /// (id, holds, worst, tolerance) of every law.
    fn invariants(&self) -> Vec<(String, bool, f64, f64)> {
        self.found.invariants.iter().map(|law| (law.id.clone(), law.holds, law.worst, law.tolerance)).collect()
    }

    #[getter]
    fn citations(&self) -> Vec<String> {
        self.found.citations.clone()
    }

    /// As JSON.
    #[getter]
    fn settings(&self) -> String {
        serde_json::json!(self.found.settings).to_string()
    }
}

fn dictionary<'py>(py: Python<'py>, estimate: &Estimate) -> PyResult<Bound<'py, PyDict>> {
    let dictionary = PyDict::new(py);
    dictionary.set_item("id", &estimate.id)?;
    dictionary.set_item("title", &estimate.title)?;
    dictionary.set_item("unit", &estimate.unit)?;
    dictionary.set_item("value", value(py, &estimate.value)?)?;
    dictionary.set_item("standard_error", estimate.standard_error.as_ref().map(|error| value(py, error)).transpose()?)?;
    let interval = estimate.interval.as_ref().map(|(low, high)| Ok::<_, PyErr>((value(py, low)?, value(py, high)?))).transpose()?;
    dictionary.set_item("interval", interval)?;
    dictionary.set_item("level", estimate.level)?;
    dictionary.set_item("n_used", estimate.n_used)?;
    dictionary.set_item("n_seen", estimate.n_seen)?;
    dictionary.set_item("dropped", estimate.dropped.clone())?;
    dictionary
        .set_item("caveats", estimate.caveats.iter().map(|caveat| (caveat.id.clone(), caveat.message.clone())).collect::<Vec<_>>())?;
    dictionary.set_item("axes", estimate.axes.clone())?;
    dictionary.set_item("extra", serde_json::json!(estimate.extra).to_string())?;
    Ok(dictionary)
}

fn value<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Scalar(x) => x.into_pyobject(py)?.into_any(),
        Value::Vector(values) => give(py, Array1::from_vec(values.clone()))?.into_any(),
        Value::Matrix(rows) => {
            let shape = (rows.len(), rows.first().map_or(0, Vec::len));
            let matrix = Array2::from_shape_vec(shape, rows.concat()).map_err(|error| PyValueError::new_err(error.to_string()))?;
            give(py, matrix)?.into_any()
        }
    })
}
