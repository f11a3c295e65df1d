//! A cylinder in ℝ³: x = (R cos z₁, R sin z₁, z₂).
//!
//! J has orthogonal columns of lengths R and 1, so that the entropies are h₀ + log R and h₀. The metric diag(R², 1) is flat and straight lines of the latents are geodesics. Codes
//! a turn apart decode alike, and yet the way between them in the latents is 2πR long.

use latlas_graph::ops::Unary;
use latlas_graph::{Builder, NodeId, lower};
use ndarray::ArrayViewMut2;

use super::coordinates::coordinates;
use super::{Entry, Map, Parameter, Truth};

pub(super) const ENTRY: Entry = Entry {
    id: "cylinder",
    title: "x = (R cos z₁, R sin z₁, z₂)",
    parameters: &[Parameter { name: "r", default: "2", meaning: "the radius R" }],
    source: include_str!("cylinder.rs"),
    make: |values| Ok(Box::new(Cylinder { radius: values.positive("r")? })),
};

/// x = (R cos u, R sin u, v).
#[derive(Debug, Clone, Copy)]
pub struct Cylinder {
    /// R > 0.
    pub radius: f64,
}

impl Map for Cylinder {
    fn latent_dim(&self) -> usize {
        2
    }

    fn ambient_dim(&self) -> usize {
        3
    }

    fn point(&self, z: &[f64], x: &mut [f64], mut columns: ArrayViewMut2<'_, f64>) {
        let (r, (sin, cos)) = (self.radius, z[0].sin_cos());
        x.copy_from_slice(&[r * cos, r * sin, z[1]]);
        columns.assign(&ndarray::arr2(&[[-r * sin, r * cos, 0.0], [0.0, 0.0, 1.0]]));
    }

    fn write(&self, b: &mut Builder, z: NodeId) -> Option<NodeId> {
        let [u, v] = coordinates(b, z);
        let (cos, sin) = (b.unary(Unary::Cos, u), b.unary(Unary::Sin, u));
        let (x, y) = (lower::times(b, cos, self.radius), lower::times(b, sin, self.radius));
        Some(b.concat(&[x, y, v], 0))
    }

    fn truth(&self) -> Truth {
        Truth::orthogonal(vec![self.radius.ln(), 0.0])
    }
}
