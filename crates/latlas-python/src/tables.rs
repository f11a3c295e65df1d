//! The tables of the library: what there is, with its pages; and the data that ships with it.

use latlas_cli::KINDS;
use numpy::PyArrayDyn;
use pyo3::prelude::*;

use crate::arrays::give;
use crate::failure::library;

/// Every table as (name, title, entries), and every entry as (id, title, page).
#[pyfunction]
#[allow(clippy::type_complexity)] // Tuples are what Python takes without a class.
pub fn tables() -> Vec<(&'static str, &'static str, Vec<(String, String, String)>)> {
    KINDS.iter().map(|kind| (kind.name, kind.title, (kind.entries)().into_iter().map(|e| (e.id, e.title, e.page)).collect())).collect()
}

/// An array from a file or `builtin:NAME`, and whether it holds whole numbers.
#[pyfunction]
pub fn read<'py>(py: Python<'py>, spec: &str) -> PyResult<(Bound<'py, PyArrayDyn<f64>>, bool)> {
    let table = py.detach(|| latlas::data::read(spec)).map_err(library)?;
    Ok((give(py, table.values)?, table.integer))
}

/// The known name that is nearest to one that does not exist.
#[pyfunction]
#[allow(clippy::needless_pass_by_value)]
pub fn nearest(given: &str, known: Vec<String>) -> Option<String> {
    latlas_cli::nearest(given, known.iter().map(String::as_str)).map(str::to_string)
}
