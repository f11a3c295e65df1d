//! A table as a matrix of samples, checked against what a model takes.

use ndarray::{Array2, ArrayView1};

use super::Table;
use crate::error::{Error, Result};

/// The table with one sample a row: `[n, …]` → `[n, w]`, trailing axes flattened in row-major order; `[n]` → `[n, 1]`.
///
/// `what` begins the message when the width is not the expected one: with "decoder takes latents" it reads "decoder takes
/// latents of width 2, z.npy has shape [100, 3]".
///
/// # Errors
/// [`Error::Shape`] when there is no row, or a row has not the expected width.
pub fn rows(table: &Table, what: &str, width: Option<usize>) -> Result<Array2<f64>> {
    let (name, shape) = (&table.name, table.values.shape());
    let fault = |what: String, hint: Option<String>| Error::Shape { what, hint };
    let &[n, ref trailing @ ..] = shape else {
        return Err(fault(format!("{name} is a single number, expected one row a sample"), None));
    };
    let got: usize = trailing.iter().product();
    if let Some(width) = width.filter(|width| *width != got) {
        let hint = if shape == [width] {
            Some(format!("one sample is a row: give it the shape [1, {width}]"))
        } else if shape.len() == 2 && n == width {
            Some(format!("samples are rows: the transposed array, of shape [{got}, {n}], would fit"))
        } else {
            None
        };
        return Err(fault(format!("{what} of width {width}, {name} has shape {shape:?}"), hint));
    }
    if n == 0 || got == 0 {
        return Err(fault(format!("{name} has shape {shape:?}: there is nothing in it"), None));
    }
    let flat = table.values.as_standard_layout().into_owned().into_shape_with_order((n, got));
    flat.map_err(|e| fault(format!("{name} has shape {shape:?}: {e}"), None))
}

/// As [`rows`], and every value is finite.
///
/// # Errors
/// Also [`Error::Input`] when there are NaN or infinite values: how many, in how many rows, and the first of them.
pub fn finite_rows(table: &Table, what: &str, width: Option<usize>) -> Result<Array2<f64>> {
    let rows = rows(table, what, width)?;
    let count = |is_bad: fn(f64) -> bool| rows.iter().filter(|x| is_bad(**x)).count();
    let (nan, infinite) = (count(f64::is_nan), count(f64::is_infinite));
    if nan + infinite == 0 {
        return Ok(rows);
    }
    let is_bad = |row: &ArrayView1<'_, f64>| row.iter().any(|x| !x.is_finite());
    let bad = rows.outer_iter().filter(is_bad).count();
    let first = rows.outer_iter().position(|row| is_bad(&row)).unwrap_or(0);
    let kinds = [(nan, "NaN"), (infinite, "infinite")].into_iter().filter(|(count, _)| *count > 0);
    let kinds = kinds.map(|(count, kind)| format!("{count} {kind}")).collect::<Vec<_>>().join(" and ");
    let values = if nan + infinite == 1 { "value" } else { "values" };
    Err(Error::Input {
        what: format!("{} holds {kinds} {values} in {bad} of {} rows, the first in row {first}", table.name, rows.nrows()),
        hint: Some("rows are counted from 0; remove or repair them".into()),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use ndarray::{Array, IxDyn};

    use super::*;

    fn table(shape: &[usize]) -> Table {
        let n = shape.iter().product::<usize>();
        let values = Array::from_shape_vec(IxDyn(shape), (0..n).map(|k| k as f64).collect()).unwrap();
        Table { name: "z.npy".into(), sha256: String::new(), values, integer: false }
    }

    #[test]
    fn trailing_axes_are_flattened() {
        assert_eq!(rows(&table(&[2, 2, 3]), "decoder takes latents", Some(6)).unwrap().row(1).to_vec(), [6., 7., 8., 9., 10., 11.]);
        assert_eq!(rows(&table(&[4]), "labels", None).unwrap().dim(), (4, 1));
    }

    #[test]
    fn widths_are_told_in_full() {
        let error = rows(&table(&[100, 3]), "decoder takes latents", Some(2)).unwrap_err();
        assert_eq!(error.to_string(), "decoder takes latents of width 2, z.npy has shape [100, 3]");
        assert_eq!(error.hint(), None);
        assert!(rows(&table(&[3]), "decoder takes latents", Some(3)).unwrap_err().hint().unwrap().contains("[1, 3]"));
        assert!(rows(&table(&[3, 50]), "decoder takes latents", Some(3)).unwrap_err().hint().unwrap().contains("transposed"));
        assert!(rows(&table(&[]), "x", None).unwrap_err().to_string().contains("single number"));
        assert!(rows(&table(&[0, 3]), "x", Some(3)).unwrap_err().to_string().contains("[0, 3]"));
    }

    #[test]
    fn values_that_are_not_finite_are_counted() {
        let mut table = table(&[5, 2]);
        assert!(finite_rows(&table, "x", None).is_ok());
        table.values[[3, 0]] = f64::NAN;
        table.values[[3, 1]] = f64::NAN;
        table.values[[2, 1]] = f64::NEG_INFINITY;
        let error = finite_rows(&table, "x", Some(2)).unwrap_err();
        assert_eq!(error.to_string(), "z.npy holds 2 NaN and 1 infinite values in 2 of 5 rows, the first in row 2");
        assert!(rows(&table, "x", Some(2)).is_ok());
    }
}
