//! A sphere in ℝ³ by latitude and longitude: x = R (cos b cos l, cos b sin l, sin b), b = z₁, l = z₂.
//!
//! J has orthogonal columns of lengths R and R |cos b|; the metric R² diag(1, cos² b) has the curvature 1/R². The total
//! correlation vanishes, the latitude has the entropy h₀ + log R and the longitude h₀ + log R + E log |cos z|, the last
//! −log 2 − Σₖ (−1)ᵏ exp(−2k²)/k. At the poles the longitude moves nothing.

use latlas_graph::ops::{Binary, Unary};
use latlas_graph::{Builder, NodeId, lower};
use ndarray::ArrayViewMut2;

use super::coordinates::coordinates;
use super::{Entry, Map, Parameter, Truth};

pub(super) const ENTRY: Entry = Entry {
    id: "sphere",
    title: "x = R (cos z₁ cos z₂, cos z₁ sin z₂, sin z₁)",
    parameters: &[Parameter { name: "r", default: "2", meaning: "the radius R" }],
    source: include_str!("sphere.rs"),
    make: |values| Ok(Box::new(Sphere { radius: values.positive("r")? })),
};

/// x = R (cos b cos l, cos b sin l, sin b).
#[derive(Debug, Clone, Copy)]
pub struct Sphere {
    /// R > 0.
    pub radius: f64,
}

impl Map for Sphere {
    fn latent_dim(&self) -> usize {
        2
    }

    fn ambient_dim(&self) -> usize {
        3
    }

    fn point(&self, z: &[f64], x: &mut [f64], mut columns: ArrayViewMut2<'_, f64>) {
        let r = self.radius;
        let ((sin_b, cos_b), (sin_l, cos_l)) = (z[0].sin_cos(), z[1].sin_cos());
        x.copy_from_slice(&[r * cos_b * cos_l, r * cos_b * sin_l, r * sin_b]);
        let latitude = [-r * sin_b * cos_l, -r * sin_b * sin_l, r * cos_b];
        let longitude = [-r * cos_b * sin_l, r * cos_b * cos_l, 0.0];
        columns.assign(&ndarray::arr2(&[latitude, longitude]));
    }

    fn write(&self, b: &mut Builder, z: NodeId) -> Option<NodeId> {
        let [latitude, longitude] = coordinates(b, z);
        let [sin_b, cos_b] = [Unary::Sin, Unary::Cos].map(|f| b.unary(f, latitude));
        let [sin_l, cos_l] = [Unary::Sin, Unary::Cos].map(|f| b.unary(f, longitude));
        let (x, y) = (b.binary(Binary::Mul, cos_b, cos_l), b.binary(Binary::Mul, cos_b, sin_l));
        let unit = b.concat(&[x, y, sin_b], 0);
        Some(lower::times(b, unit, self.radius))
    }

    fn truth(&self) -> Truth {
        // The Fourier series of log |cos z|, with E cos 2kz = exp(−2k²).
        let term = |k: i32| (-1f64).powi(k) * (-2.0 * f64::from(k * k)).exp() / f64::from(k);
        let log_cos = -std::f64::consts::LN_2 - (1..8).map(term).sum::<f64>();
        let log_radius = self.radius.ln();
        Truth::orthogonal(vec![log_radius, log_radius + log_cos])
    }
}
