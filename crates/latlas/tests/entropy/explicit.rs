//! A decoder written down as a formula with its Jacobian.

use std::sync::Arc;

use latlas::error::Result;
use latlas::estimate::Value;
use latlas::models::{Cost, Decoder, Linearization};
use latlas::report::Report;
use latlas::run::{Dtype, Inputs, Settings};
use ndarray::{Array2, Array3, ArrayView2, ArrayView3};

type Formula = Arc<dyn Fn(&[f64]) -> Vec<f64> + Send + Sync>;

/// x = f(z) with J(z) row by row, `[D, d]`.
pub struct Explicit {
    pub d: usize,
    pub shape: Vec<usize>,
    pub f: Formula,
    pub jacobian: Formula,
}

struct At<'a> {
    decoder: &'a Explicit,
    latents: Array2<f64>,
    decoded: Array2<f64>,
}

impl Explicit {
    pub fn new(
        d: usize,
        big_d: usize,
        f: impl Fn(&[f64]) -> Vec<f64> + Send + Sync + 'static,
        jacobian: impl Fn(&[f64]) -> Vec<f64> + Send + Sync + 'static,
    ) -> Self {
        Self { d, shape: vec![big_d], f: Arc::new(f), jacobian: Arc::new(jacobian) }
    }

    /// x = J z, J row by row.
    pub fn linear(d: usize, j: Vec<f64>) -> Self {
        let matrix = j.clone();
        let f = move |z: &[f64]| matrix.chunks(d).map(|row| row.iter().zip(z).map(|(a, b)| a * b).sum()).collect();
        Self::new(d, j.len() / d, f, move |_| j.clone())
    }

    /// xᵢ = f(zᵢ).
    pub fn elementwise(d: usize, f: fn(f64) -> f64, slope: fn(f64) -> f64) -> Self {
        let jacobian = move |z: &[f64]| (0..d * d).map(|k| if k / d == k % d { slope(z[k % d]) } else { 0.0 }).collect();
        Self::new(d, d, move |z| z.iter().map(|z| f(*z)).collect(), jacobian)
    }
}

impl Decoder for Explicit {
    fn latent_dim(&self) -> usize {
        self.d
    }

    fn ambient_shape(&self) -> &[usize] {
        &self.shape
    }

    fn linearize<'a>(&'a self, latents: ArrayView2<'_, f64>, _: Option<ArrayView2<'_, f64>>) -> Result<Box<dyn Linearization + 'a>> {
        let rows: Vec<f64> = latents.outer_iter().flat_map(|z| (self.f)(&z.to_vec())).collect();
        let decoded = Array2::from_shape_vec((latents.nrows(), self.shape[0]), rows).unwrap();
        Ok(Box::new(At { decoder: self, latents: latents.to_owned(), decoded }))
    }

    fn cost(&self) -> Cost {
        Cost::default()
    }
}

impl Linearization for At<'_> {
    fn decoded(&self) -> Result<&Array2<f64>> {
        Ok(&self.decoded)
    }

    fn jvp(&self, tangents: ArrayView3<'_, f64>) -> Result<Array3<f64>> {
        let (n, k, _) = tangents.dim();
        let columns = self.columns()?;
        let mut out = Array3::zeros((n, k, self.decoded.ncols()));
        for ((t, c), mut o) in tangents.outer_iter().zip(columns.outer_iter()).zip(out.outer_iter_mut()) {
            o.assign(&t.dot(&c));
        }
        Ok(out)
    }

    fn vjp(&self, cotangents: ArrayView3<'_, f64>) -> Result<Array3<f64>> {
        let (n, k, _) = cotangents.dim();
        let columns = self.columns()?;
        let mut out = Array3::zeros((n, k, self.decoder.d));
        for ((u, c), mut o) in cotangents.outer_iter().zip(columns.outer_iter()).zip(out.outer_iter_mut()) {
            o.assign(&u.dot(&c.t()));
        }
        Ok(out)
    }

    fn columns(&self) -> Result<Array3<f64>> {
        let (n, d, big_d) = (self.latents.nrows(), self.decoder.d, self.decoded.ncols());
        let rows: Vec<f64> = self.latents.outer_iter().flat_map(|z| (self.decoder.jacobian)(&z.to_vec())).collect();
        let jacobian = Array3::from_shape_vec((n, big_d, d), rows).unwrap();
        Ok(jacobian.permuted_axes([0, 2, 1]).as_standard_layout().into_owned())
    }
}

pub fn settings(samples: usize) -> Settings {
    Settings { samples, dtype: Dtype::F64, ..Settings::default() }
}

pub fn inputs(decoder: Explicit) -> Inputs {
    Inputs { decoder: Some(Arc::new(decoder)), ..Inputs::default() }
}

pub fn entropy(decoder: Explicit, samples: usize) -> Report {
    latlas::run::run(&["entropy".into()], &inputs(decoder), &settings(samples), &|_, _| {}).unwrap()
}

pub fn vector(value: &Value) -> Vec<f64> {
    match value {
        Value::Scalar(x) => vec![*x],
        Value::Vector(x) => x.clone(),
        Value::Matrix(rows) => rows.concat(),
    }
}

/// The values and standard errors of an estimate.
pub fn of(report: &Report, id: &str) -> (Vec<f64>, Vec<f64>) {
    let estimate = report.estimate(id).unwrap();
    (vector(&estimate.value), estimate.standard_error.as_ref().map(vector).unwrap_or_default())
}

/// A report as text in which any difference of bits shows.
pub fn bits(report: &Report) -> String {
    format!("{report:?}")
}
