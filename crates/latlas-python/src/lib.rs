//! Latlas as an extension module of Python. Thin: options are read by the code that reads them for the command, and the Python
//! package around it (`python/latlas/`) gives everything its shape.

mod arrays;
mod decoder;
mod failure;
mod geometry;
mod report;
mod run;
mod tables;
mod worker;

use std::ffi::OsString;

use pyo3::prelude::*;

/// The command: does what the words say, the first of which is its own name, and gives the exit code.
#[pyfunction]
fn main(py: Python<'_>, words: Vec<OsString>) -> u8 {
    py.detach(|| latlas_cli::exit_code(words))
}

#[pymodule]
fn _latlas(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<decoder::Decoder>()?;
    module.add_class::<decoder::Encoder>()?;
    module.add_class::<run::Task>()?;
    module.add_class::<report::Report>()?;
    module.add_function(wrap_pyfunction!(main, module)?)?;
    module.add_function(wrap_pyfunction!(geometry::metric, module)?)?;
    module.add_function(wrap_pyfunction!(geometry::exp, module)?)?;
    module.add_function(wrap_pyfunction!(geometry::geodesic, module)?)?;
    module.add_function(wrap_pyfunction!(geometry::bracket, module)?)?;
    module.add_function(wrap_pyfunction!(run::compare, module)?)?;
    module.add_function(wrap_pyfunction!(run::compare_reports, module)?)?;
    module.add_function(wrap_pyfunction!(run::merge, module)?)?;
    module.add_function(wrap_pyfunction!(run::merge_states, module)?)?;
    module.add_function(wrap_pyfunction!(tables::tables, module)?)?;
    module.add_function(wrap_pyfunction!(tables::read, module)?)?;
    module.add_function(wrap_pyfunction!(tables::nearest, module)?)?;
    Ok(())
}
