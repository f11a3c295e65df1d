//! Arrays of reference values.

use std::path::PathBuf;

use latlas::models::onnx::Options;
use latlas::settings::Dtype;
use ndarray::{Array1, Array2, Array3, ArrayD, Ix1, Ix2, Ix3};

pub fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

pub fn array(file: &str, key: &str) -> ArrayD<f64> {
    latlas::data::read(&format!("{}:{key}", path(file).display())).unwrap().values
}

pub fn vector(file: &str, key: &str) -> Array1<f64> {
    array(file, key).into_dimensionality::<Ix1>().unwrap()
}

pub fn matrix(file: &str, key: &str) -> Array2<f64> {
    array(file, key).into_dimensionality::<Ix2>().unwrap()
}

pub fn cube(file: &str, key: &str) -> Array3<f64> {
    array(file, key).into_dimensionality::<Ix3>().unwrap()
}

pub fn options(dtype: Dtype) -> Options {
    Options::with_dtype(dtype)
}

/// The largest difference, relative to the largest entry of the reference.
pub fn error<'a>(got: impl IntoIterator<Item = &'a f64>, expected: impl IntoIterator<Item = &'a f64>) -> f64 {
    let (mut difference, mut size, mut count) = (0.0_f64, 0.0_f64, [0, 0]);
    let mut got = got.into_iter();
    for e in expected {
        let g = got.next().unwrap();
        assert!(g.is_finite() && e.is_finite());
        (difference, size, count[0]) = (difference.max((g - e).abs()), size.max(e.abs()), count[0] + 1);
    }
    assert!(got.next().is_none() && count[0] > 0, "different lengths");
    difference / size
}
