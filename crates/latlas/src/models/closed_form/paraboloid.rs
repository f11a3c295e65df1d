//! A paraboloid in ℝ³: x = (z₁, z₂, ½ α |z|²).
//!
//! With r = |z| the metric I + α² zzᵀ has the determinant 1 + α² r² and the curvature α²/(1 + α² r²)²; geodesics follow
//! z̈ = −α² |ż|² z/(1 + α² r²) and keep z₁ż₂ − z₂ż₁. The way over the top is shortest only for flat ones: at α = 2 and 3 the two
//! ways round it are shorter. Hᵢ = h₀ + ½ E log(1 + α² z²), E log |J| = ½ E log(1 + α² r²), r² exponential with mean 2.

use latlas_graph::{Builder, NodeId, lower};
use ndarray::ArrayViewMut2;

use super::coordinates::squared_distance;
use super::expectation::{exponential_mean, normal_mean};
use super::{Entry, Map, Parameter, Truth};

pub(super) const ENTRY: Entry = Entry {
    id: "paraboloid",
    title: "x = (z₁, z₂, ½ α |z|²)",
    parameters: &[Parameter { name: "a", default: "1.5", meaning: "the steepness α" }],
    source: include_str!("paraboloid.rs"),
    make: |values| Ok(Box::new(Paraboloid { steepness: values.positive("a")? })),
};

/// x = (u, v, ½ α (u² + v²)).
#[derive(Debug, Clone, Copy)]
pub struct Paraboloid {
    /// α > 0.
    pub steepness: f64,
}

impl Map for Paraboloid {
    fn latent_dim(&self) -> usize {
        2
    }

    fn ambient_dim(&self) -> usize {
        3
    }

    fn point(&self, z: &[f64], x: &mut [f64], mut columns: ArrayViewMut2<'_, f64>) {
        let a = self.steepness;
        x.copy_from_slice(&[z[0], z[1], 0.5 * a * (z[0] * z[0] + z[1] * z[1])]);
        columns.assign(&ndarray::arr2(&[[1.0, 0.0, a * z[0]], [0.0, 1.0, a * z[1]]]));
    }

    fn write(&self, b: &mut Builder, z: NodeId) -> Option<NodeId> {
        let square = squared_distance(b, z, &[0.0, 0.0]);
        let height = lower::times(b, square, 0.5 * self.steepness);
        Some(b.concat(&[z, height], 0))
    }

    fn truth(&self) -> Truth {
        // log(1 + α²z²) is singular at ±i/α.
        let a = self.steepness;
        let log_norm = normal_mean(0.0, a.max(1.0).recip(), |z| 0.5 * (a * z).powi(2).ln_1p());
        let log_volume = 0.5 * exponential_mean(|q| (2.0 * a * a * q).ln_1p());
        Truth { log_norms: vec![log_norm; 2], log_volume }
    }
}
