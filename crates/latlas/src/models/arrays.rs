//! Given Jacobians as a model: for whatever cannot be exported, its derivative at some points is enough for entropies.

use std::borrow::Cow;

use ndarray::{Array1, Array2, Array3, ArrayView2, ArrayView3, Axis, CowArray, Ix3, Slice};

use super::Linearization;
use crate::error::{Error, Result};

/// Jacobians at n points, and what else is known of the model there.
#[derive(Debug, Clone, PartialEq)]
pub struct Jacobians {
    /// Df(z): `[n, D, d]`.
    pub values: Array3<f64>,
    /// f(z): `[n, D]`.
    pub decoded: Option<Array2<f64>>,
    /// log |det Df(z)| `[n]` as the model itself reports it.
    pub log_det: Option<Array1<f64>>,
}

impl From<Array3<f64>> for Jacobians {
    fn from(values: Array3<f64>) -> Self {
        Self { values, decoded: None, log_det: None }
    }
}

impl Jacobians {
    /// The same if every part tells of the same samples.
    ///
    /// # Errors
    /// Parts of other sizes.
    pub fn checked(self) -> Result<Self> {
        let (n, big_d, _) = self.values.dim();
        let decoded = self.decoded.as_ref().filter(|x| x.dim() != (n, big_d));
        let log_det = self.log_det.as_ref().filter(|l| l.len() != n);
        let what = match (decoded, log_det) {
            (Some(x), _) => {
                format!("Jacobians of {n} samples with {big_d} values go with decoded values [{n}, {big_d}], got {:?}", x.dim())
            }
            (_, Some(l)) => format!("there are {n} Jacobians and {} log-determinants", l.len()),
            (None, None) => return Ok(self),
        };
        Err(Error::Shape { what, hint: None })
    }

    /// The decoder followed by x ↦ s·x, one factor for each value: J ← diag(s) J.
    #[must_use]
    pub fn scaled(mut self, scale: &[f64]) -> Self {
        let scale = Array1::from(scale.to_vec());
        self.values *= &scale.view().insert_axis(Axis(1));
        self.decoded = self.decoded.map(|x| x * &scale);
        self.log_det = self.log_det.map(|l| l + scale.mapv(|s| s.abs().ln()).sum());
        self
    }

    /// Some of the samples, without a copy where they are neighbours.
    pub fn at(&self, samples: &[usize]) -> GivenJacobians<'_> {
        let start = samples.first().copied().unwrap_or(0);
        let values = if samples.iter().enumerate().all(|(k, sample)| *sample == start + k) {
            self.values.slice_axis(Axis(0), Slice::from(start..start + samples.len())).into()
        } else {
            self.values.select(Axis(0), samples).into()
        };
        GivenJacobians {
            values,
            decoded: self.decoded.as_ref().map(|x| x.select(Axis(0), samples)),
            log_det: self.log_det.as_ref().map(|l| samples.iter().map(|s| l[*s]).collect()),
        }
    }

    /// Some of the samples.
    #[must_use]
    pub fn select(&self, samples: &[usize]) -> Self {
        let GivenJacobians { values, decoded, log_det } = self.at(samples);
        Self { values: values.into_owned(), decoded, log_det: log_det.map(Array1::from) }
    }
}

/// Jacobians at a batch of points, and nothing else known of the model.
pub struct GivenJacobians<'a> {
    values: CowArray<'a, f64, Ix3>,
    decoded: Option<Array2<f64>>,
    log_det: Option<Vec<f64>>,
}

impl Linearization for GivenJacobians<'_> {
    fn decoded(&self) -> Result<&Array2<f64>> {
        self.decoded.as_ref().ok_or_else(|| Error::Input {
            what: "Jacobians were given without a decoder: there are no decoded values".into(),
            hint: Some("give the decoder as an ONNX file, or the values as `x` beside `jac` in a .npz file".into()),
        })
    }

    fn log_det(&self) -> Result<Option<&[f64]>> {
        Ok(self.log_det.as_deref())
    }

    fn jvp(&self, tangents: ArrayView3<'_, f64>) -> Result<Array3<f64>> {
        self.product(tangents, |jacobian, tangents| tangents.dot(&jacobian.t()))
    }

    fn vjp(&self, cotangents: ArrayView3<'_, f64>) -> Result<Array3<f64>> {
        self.product(cotangents, |jacobian, cotangents| cotangents.dot(jacobian))
    }

    fn columns(&self) -> Result<Array3<f64>> {
        Ok(self.values.view().permuted_axes([0, 2, 1]).as_standard_layout().into_owned())
    }
}

impl GivenJacobians<'_> {
    fn product(
        &self,
        vectors: ArrayView3<'_, f64>,
        multiply: impl Fn(&ArrayView2<'_, f64>, ArrayView2<'_, f64>) -> Array2<f64>,
    ) -> Result<Array3<f64>> {
        let products: Vec<_> = self.values.outer_iter().zip(vectors.outer_iter()).map(|(j, v)| multiply(&j, v)).collect();
        let views: Vec<_> = products.iter().map(|rows| rows.view()).collect();
        ndarray::stack(Axis(0), &views).map_err(|_| Error::Shape {
            what: format!("{} Jacobians, {} bundles of vectors", self.values.dim().0, vectors.dim().0),
            hint: None,
        })
    }
}

/// The factors of a scale: one for each of D values, or one for all.
///
/// # Errors
/// Another number of factors, or one that is zero or not finite.
pub fn factors(scale: &[f64], big_d: usize) -> Result<Cow<'_, [f64]>> {
    if let Some(bad) = scale.iter().find(|s| !s.is_finite() || **s == 0.0) {
        return Err(Error::Input { what: format!("a data scale must be finite and not zero, got {bad}"), hint: None });
    }
    match scale {
        [one] => Ok(vec![*one; big_d].into()),
        all if all.len() == big_d => Ok(all.into()),
        other => Err(Error::Shape {
            what: format!("the decoder gives {big_d} values a sample, the data scale has {}", other.len()),
            hint: Some("give one factor, or one for each value".into()),
        }),
    }
}
