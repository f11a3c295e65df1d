//! Arrays of NumPy, read where they lie and given away without a copy.

use ndarray::{Array, Array2, Dimension, IxDyn};
use numpy::{Element, PyArray1, PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// Numbers and their shape become an array that owns them: nothing is copied.
pub fn own<'py, T: Element>(py: Python<'py>, values: Vec<T>, shape: &[usize]) -> PyResult<Bound<'py, PyArrayDyn<T>>> {
    PyArray1::from_vec(py, values).reshape(IxDyn(shape))
}

/// An array of the library becomes one of NumPy; in its standard layout nothing is copied.
pub fn give<D: Dimension>(py: Python<'_>, array: Array<f64, D>) -> PyResult<Bound<'_, PyArrayDyn<f64>>> {
    let shape = array.shape().to_vec();
    let array = if array.is_standard_layout() { array } else { array.as_standard_layout().into_owned() };
    let (mut values, offset) = array.into_raw_vec_and_offset();
    // What a slice left over lies before and behind.
    values.drain(..offset.unwrap_or(0));
    values.truncate(shape.iter().product());
    own(py, values, &shape)
}

/// The numbers of a contiguous array where they lie, and its shape.
pub fn lent<'a, T: Element>(array: &'a PyReadonlyArrayDyn<'_, T>) -> PyResult<(&'a [T], Vec<usize>)> {
    match array.as_slice() {
        Ok(slice) if array.is_c_contiguous() => Ok((slice, array.shape().to_vec())),
        _ => Err(PyValueError::new_err("the array does not lie row by row")),
    }
}

/// Rows for the library, which keeps them.
pub fn rows(array: &PyReadonlyArrayDyn<'_, f64>) -> PyResult<Array2<f64>> {
    let array = array.as_array().to_owned();
    array.into_dimensionality().map_err(|_| PyValueError::new_err("expected an array with two axes"))
}
