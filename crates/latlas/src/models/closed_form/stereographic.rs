//! A sphere in ℝ³ by stereographic projection: x = R (2 z₁, 2 z₂, 1 − q)/(1 + q), q = |z|².
//!
//! J has orthogonal columns of the same length 2R/(1 + q): the metric is conformal with the curvature 1/R², and distances are
//! 2R asin(chord/2R). Both entropies are h₀ + log 2R − E log(1 + q), where q is exponential with mean 2.

use latlas_graph::ops::Binary;
use latlas_graph::{Builder, NodeId, lower};
use ndarray::ArrayViewMut2;

use super::coordinates::{coordinates, squared_distance};
use super::expectation::exponential_mean;
use super::{Entry, Map, Parameter, Truth};

pub(super) const ENTRY: Entry = Entry {
    id: "stereographic",
    title: "x = R (2 z₁, 2 z₂, 1 − q)/(1 + q), q = |z|²",
    parameters: &[Parameter { name: "r", default: "1", meaning: "the radius R" }],
    source: include_str!("stereographic.rs"),
    make: |values| Ok(Box::new(Stereographic { radius: values.positive("r")? })),
};

/// x = R (2u, 2v, 1 − q)/(1 + q), q = u² + v².
#[derive(Debug, Clone, Copy)]
pub struct Stereographic {
    /// R > 0.
    pub radius: f64,
}

impl Map for Stereographic {
    fn latent_dim(&self) -> usize {
        2
    }

    fn ambient_dim(&self) -> usize {
        3
    }

    fn point(&self, z: &[f64], x: &mut [f64], mut columns: ArrayViewMut2<'_, f64>) {
        let (r, q) = (self.radius, z[0] * z[0] + z[1] * z[1]);
        let scale = 1.0 / (1.0 + q);
        x.copy_from_slice(&[2.0 * r * z[0] * scale, 2.0 * r * z[1] * scale, r * (1.0 - q) * scale]);
        for i in 0..2 {
            // d/dzᵢ of 2 zⱼ/(1 + q), and of (1 − q)/(1 + q) = 2/(1 + q) − 1.
            for j in 0..2 {
                columns[[i, j]] = 2.0 * r * scale * (f64::from(u8::from(i == j)) - 2.0 * z[i] * z[j] * scale);
            }
            columns[[i, 2]] = -4.0 * r * z[i] * scale * scale;
        }
    }

    fn write(&self, b: &mut Builder, z: NodeId) -> Option<NodeId> {
        let q = squared_distance(b, z, &[0.0, 0.0]);
        let below = lower::plus(b, q, 1.0);
        let scale = lower::reciprocal(b, below);
        let [u, v] = coordinates::<2>(b, z).map(|w| b.binary(Binary::Mul, w, scale));
        // (1 − q)/(1 + q) = 2 (1/(1 + q) − 1/2).
        let height = lower::plus(b, scale, -0.5);
        let half = b.concat(&[u, v, height], 0);
        Some(lower::times(b, half, 2.0 * self.radius))
    }

    fn truth(&self) -> Truth {
        let log_norm = (2.0 * self.radius).ln() - exponential_mean(|q| (2.0 * q).ln_1p());
        Truth::orthogonal(vec![log_norm; 2])
    }
}
