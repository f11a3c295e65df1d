//! Inversion in the unit sphere about a point: x = y/|y|², y = z + shift·e₁.
//!
//! J = (1 − 2 y yᵀ/|y|²)/|y|² is an orthogonal matrix over |y|²: the map is conformal, mutual information and total
//! correlation vanish, and all Hᵢ = h₀ − E log |y|². With no shift E log |y|² = ψ(d/2) + log 2, else log 2 +
//! Σₖ Poisson(k; shift²/2) ψ(d/2 + k).

use latlas_graph::ops::Binary;
use latlas_graph::{Builder, NodeId, Tensor, lower};
use ndarray::ArrayViewMut2;

use super::coordinates::squared_distance;
use super::expectation::mean_log_squared_norm;
use super::{Entry, Map, Parameter, Truth};

pub(super) const ENTRY: Entry = Entry {
    id: "inversion",
    title: "x = y/|y|², y = z + shift·e₁",
    parameters: &[
        Parameter { name: "d", default: "3", meaning: "how many latents, at least 2" },
        Parameter { name: "shift", default: "0", meaning: "how far the centre lies from the middle of the latents" },
    ],
    source: include_str!("inversion.rs"),
    make: |values| Ok(Box::new(Inversion { latents: values.latents("d", 2)?, shift: values.number("shift")? })),
};

/// x = y/|y|², y = z + shift·e₁.
#[derive(Debug, Clone, Copy)]
pub struct Inversion {
    /// d.
    pub latents: usize,
    /// Along the first latent.
    pub shift: f64,
}

impl Map for Inversion {
    fn latent_dim(&self) -> usize {
        self.latents
    }

    fn ambient_dim(&self) -> usize {
        self.latents
    }

    fn point(&self, z: &[f64], x: &mut [f64], mut columns: ArrayViewMut2<'_, f64>) {
        let y = |i: usize| if i == 0 { z[0] + self.shift } else { z[i] };
        let squared: f64 = (0..z.len()).map(|i| y(i) * y(i)).sum();
        for i in 0..z.len() {
            x[i] = y(i) / squared;
            for j in 0..z.len() {
                let identity = f64::from(u8::from(i == j));
                columns[[i, j]] = (identity - 2.0 * y(i) * y(j) / squared) / squared;
            }
        }
    }

    fn write(&self, b: &mut Builder, z: NodeId) -> Option<NodeId> {
        let centre: Vec<f64> = (0..self.latents).map(|i| if i == 0 { -self.shift } else { 0.0 }).collect();
        let squared = squared_distance(b, z, &centre);
        let scale = lower::reciprocal(b, squared);
        let (scale, centre) = (b.expand(scale, &[self.latents]), b.constant(Tensor::new([self.latents], centre)));
        let from = b.binary(Binary::Sub, z, centre);
        Some(b.binary(Binary::Mul, from, scale))
    }

    fn truth(&self) -> Truth {
        Truth::orthogonal(vec![-mean_log_squared_norm(self.latents, self.shift * self.shift); self.latents])
    }
}
