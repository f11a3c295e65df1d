//! What goes wrong, as the exceptions that Python has for it, with advice in the words of Python.

use std::io::ErrorKind;

use latlas::error::Error;
use latlas_cli::Failure;
use pyo3::PyErr;
use pyo3::exceptions::{PyFileNotFoundError, PyNotImplementedError, PyOSError, PyPermissionError, PyRuntimeError, PyValueError};

/// An exception for what the library refused.
pub fn library(error: Error) -> PyErr {
    failure(&Failure::Library(error))
}

/// An exception: `OSError` and its kinds for files, `NotImplementedError` for models with unsupported operators, `RuntimeError`
/// for runs that failed, `ValueError` for everything that was given wrongly.
pub fn failure(failure: &Failure) -> PyErr {
    let hint = failure.hint().map_or_else(String::new, |hint| format!("\nhint: {}", in_python(&hint)));
    let text = format!("{}{hint}", in_python(&failure.message()));
    let Failure::Library(error) = failure else { return PyValueError::new_err(text) };
    match error {
        Error::Io { source, .. } => match source.kind() {
            ErrorKind::NotFound => PyFileNotFoundError::new_err(text),
            ErrorKind::PermissionDenied => PyPermissionError::new_err(text),
            _ => PyOSError::new_err(text),
        },
        Error::TooManyBadSamples { .. } => PyRuntimeError::new_err(text),
        Error::Model { source: latlas_graph::Error::Unsupported { .. }, .. } | Error::Graph(latlas_graph::Error::Unsupported { .. }) => {
            PyNotImplementedError::new_err(text)
        }
        _ => PyValueError::new_err(text),
    }
}

/// Options as Python writes them: `--max-bad` becomes `max_bad=`.
fn in_python(text: &str) -> String {
    let mut said = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("--") {
        let (before, option) = (&rest[..at], &rest[at + 2..]);
        let length = option.find(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')).unwrap_or(option.len());
        let name = option[..length].trim_end_matches('-');
        said.push_str(before);
        if name.is_empty() || before.ends_with(|c: char| c.is_alphanumeric() || c == '-') {
            said.push_str("--");
            rest = option;
        } else {
            said.push_str(&name.replace('-', "_"));
            said.push('=');
            rest = &option[name.len()..];
        }
    }
    said + rest
}
