//! A closed form as a decoder: values and columns of each point, and products with the columns.

use std::sync::OnceLock;

use latlas_graph::{Builder, Port, Rows};
use ndarray::{Array2, Array3, ArrayView2, ArrayView3, Axis};

use super::{Map, Truth};
use crate::error::{Error, Result};
use crate::models::onnx::Options;
use crate::models::{Cost, Decoder, Linearization, OnnxDecoder};
use crate::settings::Dtype;

/// A decoder whose Jacobian and entropies are known.
pub struct ClosedForm {
    name: String,
    map: Box<dyn Map>,
    ambient_shape: [usize; 1],
    written: OnceLock<Option<OnnxDecoder>>,
}

impl ClosedForm {
    /// Of any map.
    pub fn new(name: impl Into<String>, map: Box<dyn Map>) -> Self {
        let ambient_shape = [map.ambient_dim()];
        Self { name: name.into(), map, ambient_shape, written: OnceLock::new() }
    }

    /// As the user named it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The same map as a graph in double precision, where it has one.
    pub fn written(&self) -> Option<&OnnxDecoder> {
        let write = || {
            let mut b = Builder::new();
            let (d, ambient) = (self.latent_dim(), self.ambient_dim());
            let z = b.input("z", Rows::SAMPLE, &[d], &[d]);
            let node = self.map.write(&mut b, z)?;
            let graph = b.finish(vec![Port { name: "x".into(), node, shape: vec![ambient], default: None }]);
            OnnxDecoder::from_graph(&self.name, graph, &Options::with_dtype(Dtype::F64)).ok()
        };
        self.written.get_or_init(write).as_ref()
    }

    /// The graph alone.
    ///
    /// # Errors
    /// A map that has none.
    pub fn into_written(self) -> Result<OnnxDecoder> {
        self.written();
        let name = self.name;
        self.written.into_inner().flatten().ok_or_else(|| no_graph(&name))
    }

    /// What is known of it, on average over z ~ N(0, I).
    pub fn truth(&self) -> Truth {
        self.map.truth()
    }
}

impl Decoder for ClosedForm {
    fn latent_dim(&self) -> usize {
        self.map.latent_dim()
    }

    fn ambient_shape(&self) -> &[usize] {
        &self.ambient_shape
    }

    fn linearize<'a>(
        &'a self,
        latents: ArrayView2<'_, f64>,
        condition: Option<ArrayView2<'_, f64>>,
    ) -> Result<Box<dyn Linearization + 'a>> {
        let (n, d, ambient) = (latents.nrows(), self.latent_dim(), self.ambient_dim());
        if latents.ncols() != d {
            let what = format!("{} takes latents of width {d}, got the shape {:?}", self.name, latents.shape());
            return Err(Error::Shape { what, hint: None });
        }
        if condition.is_some() {
            return Err(Error::Input { what: format!("{} takes no condition", self.name), hint: None });
        }
        let (mut decoded, mut columns) = (Array2::zeros((n, ambient)), Array3::zeros((n, d, ambient)));
        let points = latents.outer_iter().zip(decoded.as_slice_mut().unwrap_or_default().chunks_exact_mut(ambient));
        for ((z, x), columns) in points.zip(columns.outer_iter_mut()) {
            self.map.point(&z.to_vec(), x, columns);
        }
        Ok(Box::new(Exact { decoded, columns, form: self, latents: latents.to_owned() }))
    }

    fn has_second_derivatives(&self) -> bool {
        self.written().is_some()
    }

    fn truth(&self) -> Option<Truth> {
        Some(self.map.truth())
    }

    fn cost(&self) -> Cost {
        // A few operations for each entry of the Jacobian, which comes with the value.
        let entries = (self.latent_dim() * self.ambient_dim()) as f64;
        Cost { decode: 2.0 * entries, jacobian: 2.0 * entries }
    }
}

/// Values `[n, D]` and columns `[n, d, D]`.
struct Exact<'a> {
    decoded: Array2<f64>,
    columns: Array3<f64>,
    form: &'a ClosedForm,
    latents: Array2<f64>,
}

impl Exact<'_> {
    /// The graph at the same points: what second derivatives come from.
    fn written(&self) -> Result<Box<dyn Linearization + '_>> {
        let written = self.form.written().ok_or_else(|| no_graph(&self.form.name))?;
        written.linearize(self.latents.view(), None)
    }

    /// One product a sample: `[n, k, ·]` → `[n, k, width]`.
    fn products(
        &self,
        vectors: &ArrayView3<'_, f64>,
        [from, to]: [usize; 2],
        product: impl Fn(ArrayView2<'_, f64>, ArrayView2<'_, f64>) -> Array2<f64>,
    ) -> Result<Array3<f64>> {
        let (n, k, width) = vectors.dim();
        let expected = (self.columns.len_of(Axis(0)), self.columns.len_of(Axis(from)));
        if (n, width) != expected {
            let what = format!("expected vectors of shape [{}, k, {}], got {:?}", expected.0, expected.1, vectors.shape());
            return Err(Error::Shape { what, hint: None });
        }
        let mut products = Array3::zeros((n, k, self.columns.len_of(Axis(to))));
        for ((columns, vectors), mut out) in self.columns.outer_iter().zip(vectors.outer_iter()).zip(products.outer_iter_mut()) {
            out.assign(&product(vectors, columns));
        }
        Ok(products)
    }
}

impl Linearization for Exact<'_> {
    fn decoded(&self) -> Result<&Array2<f64>> {
        Ok(&self.decoded)
    }

    fn jvp(&self, tangents: ArrayView3<'_, f64>) -> Result<Array3<f64>> {
        self.products(&tangents, [1, 2], |tangents, columns| tangents.dot(&columns))
    }

    fn vjp(&self, cotangents: ArrayView3<'_, f64>) -> Result<Array3<f64>> {
        self.products(&cotangents, [2, 1], |cotangents, columns| cotangents.dot(&columns.t()))
    }

    fn second(&self, directions: ArrayView3<'_, f64>) -> Result<[Array3<f64>; 2]> {
        self.written()?.second(directions)
    }

    fn columns_and_second(&self, direction: ArrayView2<'_, f64>) -> Result<(Array3<f64>, Array2<f64>)> {
        self.written()?.columns_and_second(direction)
    }

    fn hessian(&self, weights: ArrayView2<'_, f64>) -> Result<Array3<f64>> {
        self.written()?.hessian(weights)
    }

    fn columns(&self) -> Result<Array3<f64>> {
        Ok(self.columns.clone())
    }
}

fn no_graph(name: &str) -> Error {
    Error::Input {
        what: format!("second derivatives of {name} are not known"),
        hint: Some("linear, sphere, cylinder, paraboloid, two-bumps and other surfaces among the closed forms have them".into()),
    }
}
