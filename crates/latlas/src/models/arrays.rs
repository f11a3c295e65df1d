//! Given Jacobians as a model: for whatever cannot be exported, its derivative at some points is enough for entropies.

use ndarray::{Array2, Array3, ArrayView3, CowArray, Ix3};

use super::Linearization;
use crate::error::{Error, Result};

/// Jacobians at a batch of points, and nothing else known of the model.
pub struct GivenJacobians<'a> {
    jacobians: CowArray<'a, f64, Ix3>,
}

impl<'a> GivenJacobians<'a> {
    /// Over `jacobians [n, D, d]`.
    pub fn new(jacobians: impl Into<CowArray<'a, f64, Ix3>>) -> Self {
        Self { jacobians: jacobians.into() }
    }
}

impl Linearization for GivenJacobians<'_> {
    fn decoded(&self) -> Result<&Array2<f64>> {
        Err(Error::Input {
            what: "Jacobians were given without a decoder: there are no decoded values".into(),
            hint: Some("give the decoder as an ONNX file".into()),
        })
    }

    fn jvp(&self, tangents: ArrayView3<'_, f64>) -> Result<Array3<f64>> {
        self.product(tangents, |jacobian, tangents| tangents.dot(&jacobian.t()))
    }

    fn vjp(&self, cotangents: ArrayView3<'_, f64>) -> Result<Array3<f64>> {
        self.product(cotangents, |jacobian, cotangents| cotangents.dot(jacobian))
    }

    fn columns(&self) -> Result<Array3<f64>> {
        Ok(self.jacobians.view().permuted_axes([0, 2, 1]).as_standard_layout().into_owned())
    }
}

impl GivenJacobians<'_> {
    fn product(
        &self,
        vectors: ArrayView3<'_, f64>,
        multiply: impl Fn(&ndarray::ArrayView2<'_, f64>, ndarray::ArrayView2<'_, f64>) -> Array2<f64>,
    ) -> Result<Array3<f64>> {
        let products: Vec<_> = self.jacobians.outer_iter().zip(vectors.outer_iter()).map(|(j, v)| multiply(&j, v)).collect();
        let views: Vec<_> = products.iter().map(|rows| rows.view()).collect();
        ndarray::stack(ndarray::Axis(0), &views).map_err(|_| Error::Shape {
            what: format!("{} Jacobians, {} bundles of vectors", self.jacobians.dim().0, vectors.dim().0),
            hint: None,
        })
    }
}
