//! Decoders in closed form for the tests of the page.

use std::sync::Arc;

use latlas::error::Result;
use latlas::models::{Cost, Decoder, Encoder, Linearization, Posterior};
use ndarray::{Array1, Array2, Array3, ArrayView1, ArrayView2, ArrayView3, Axis};

/// f and its Jacobian columns at one point: `x [D]`, `columns [d, D]`.
type Map = dyn Fn(ArrayView1<'_, f64>) -> (Array1<f64>, Array2<f64>) + Send + Sync;

/// A decoder from a function that gives value and columns.
pub struct ClosedForm {
    latent_dim: usize,
    shape: Vec<usize>,
    map: Arc<Map>,
}

/// A bright spot on a picture: latent 0 moves it up and down, latent 1 left and right, others change its size, and
/// from the fourth on nothing happens. Shape `[channels, side, side]`, or flat.
pub fn spot(latent_dim: usize, side: usize, channels: usize, flat: bool) -> Arc<dyn Decoder> {
    let dim = side * side * channels;
    let map = move |z: ArrayView1<'_, f64>| {
        let middle = (side as f64 - 1.0) / 2.0;
        let reach = side as f64 / 7.0;
        let size = 0.16 * side as f64 * z.get(2).map_or(1.0, |s| (0.3 * s).exp());
        let (cy, cx) = (middle + reach * z[0], middle + reach * z[1] * (1.0 + 0.15 * z[0]));
        let mut x = Array1::zeros(dim);
        let mut columns = Array2::zeros((latent_dim, dim));
        for j in 0..dim {
            let channel = j / (side * side);
            let (row, column) = ((j / side % side) as f64, (j % side) as f64);
            let (dy, dx) = ((row - cy) / size, (column - cx) / size);
            let gain = 1.0 - 0.3 * channel as f64;
            let value = gain * (-0.5 * (dy * dy + dx * dx)).exp();
            x[j] = value;
            columns[[0, j]] = value * (dy * reach + dx * reach * 0.15 * z[1]) / size;
            columns[[1, j]] = value * dx * reach * (1.0 + 0.15 * z[0]) / size;
            if latent_dim > 2 {
                columns[[2, j]] = value * (dy * dy + dx * dx) * 0.3;
            }
        }
        (x, columns)
    };
    let shape = if flat { vec![dim] } else { vec![channels, side, side] };
    Arc::new(ClosedForm { latent_dim, shape, map: Arc::new(map) })
}

/// A table of 7 outputs that bend with each of d latents, ever more weakly.
pub fn bends(latent_dim: usize) -> Arc<dyn Decoder> {
    let map = move |z: ArrayView1<'_, f64>| {
        let mut x = Array1::zeros(7);
        let mut columns = Array2::zeros((latent_dim, 7));
        for j in 0..7 {
            for i in 0..latent_dim {
                let weight = 0.6f64.powi(i as i32);
                let phase = 0.7 * (i + 1) as f64 * j as f64;
                x[j] += weight * (z[i] + phase).sin();
                columns[[i, j]] = weight * (z[i] + phase).cos();
            }
        }
        (x, columns)
    };
    Arc::new(ClosedForm { latent_dim, shape: vec![7], map: Arc::new(map) })
}

impl Decoder for ClosedForm {
    fn latent_dim(&self) -> usize {
        self.latent_dim
    }

    fn ambient_shape(&self) -> &[usize] {
        &self.shape
    }

    fn linearize<'a>(&'a self, latents: ArrayView2<'_, f64>, _: Option<ArrayView2<'_, f64>>) -> Result<Box<dyn Linearization + 'a>> {
        let mut decoded = Array2::zeros((latents.nrows(), self.ambient_dim()));
        let mut columns = Array3::zeros((latents.nrows(), self.latent_dim, self.ambient_dim()));
        for (s, z) in latents.outer_iter().enumerate() {
            let (x, c) = (self.map)(z);
            decoded.row_mut(s).assign(&x);
            columns.index_axis_mut(Axis(0), s).assign(&c);
        }
        Ok(Box::new(AtPoints { decoded, columns }))
    }

    fn cost(&self) -> Cost {
        Cost { decode: 10.0 * self.ambient_dim() as f64, jacobian: 10.0 * (self.ambient_dim() * self.latent_dim) as f64 }
    }
}

struct AtPoints {
    decoded: Array2<f64>,
    columns: Array3<f64>,
}

impl Linearization for AtPoints {
    fn decoded(&self) -> Result<&Array2<f64>> {
        Ok(&self.decoded)
    }

    fn jvp(&self, tangents: ArrayView3<'_, f64>) -> Result<Array3<f64>> {
        let (n, k, _) = tangents.dim();
        let mut out = Array3::zeros((n, k, self.decoded.ncols()));
        for s in 0..n {
            out.index_axis_mut(Axis(0), s).assign(&tangents.index_axis(Axis(0), s).dot(&self.columns.index_axis(Axis(0), s)));
        }
        Ok(out)
    }

    fn vjp(&self, cotangents: ArrayView3<'_, f64>) -> Result<Array3<f64>> {
        let (n, k, _) = cotangents.dim();
        let mut out = Array3::zeros((n, k, self.columns.dim().1));
        for s in 0..n {
            out.index_axis_mut(Axis(0), s).assign(&cotangents.index_axis(Axis(0), s).dot(&self.columns.index_axis(Axis(0), s).t()));
        }
        Ok(out)
    }

    fn columns(&self) -> Result<Array3<f64>> {
        Ok(self.columns.clone())
    }
}

/// The centre of brightness of a picture as its code.
pub struct CentreOfBrightness {
    /// Pixels along each side.
    pub side: usize,
}

impl Encoder for CentreOfBrightness {
    fn data_dim(&self) -> usize {
        self.side * self.side
    }

    fn latent_dim(&self) -> usize {
        2
    }

    fn encode(&self, data: ArrayView2<'_, f64>, _: Option<ArrayView2<'_, f64>>) -> Result<Posterior> {
        let middle = (self.side as f64 - 1.0) / 2.0;
        let centre = |row: ArrayView1<'_, f64>, of: &dyn Fn(usize) -> usize| {
            let mass: f64 = row.sum();
            row.iter().enumerate().map(|(j, x)| x * (of(j) as f64 - middle)).sum::<f64>() / mass / (self.side as f64 / 7.0)
        };
        let mean = Array2::from_shape_fn((data.nrows(), 2), |(row, i)| {
            let of: &dyn Fn(usize) -> usize = if i == 0 { &|j| j / self.side } else { &|j| j % self.side };
            centre(data.row(row), of)
        });
        Ok(Posterior { mean, logvar: None })
    }
}
