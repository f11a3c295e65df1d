//! The plane in disguise: x = (eᵘ cos v, eᵘ sin v), u = z₁, v = z₂, the exponential of the complex number u + i v.
//!
//! J has orthogonal columns of the same length eᵘ: the metric e²ᵘ I is conformal and flat, its geodesics are straight lines of the
//! plane of x, and the one from z with velocity w is log(eᶻ (1 + t w)), which ends where that passes through 0: Exp₀(−1, 0) does not
//! exist. Both
//! entropies are h₀ + E u = h₀.

use latlas_graph::ops::{Binary, Unary};
use latlas_graph::{Builder, NodeId};
use ndarray::ArrayViewMut2;

use super::coordinates::coordinates;
use super::{Entry, Map, Truth};

pub(super) const ENTRY: Entry = Entry {
    id: "complex-exponential",
    title: "x = exp(z₁) (cos z₂, sin z₂)",
    parameters: &[],
    source: include_str!("complex_exponential.rs"),
    make: |_| Ok(Box::new(ComplexExponential)),
};

/// x = (eᵘ cos v, eᵘ sin v).
#[derive(Debug, Clone, Copy)]
pub struct ComplexExponential;

impl Map for ComplexExponential {
    fn latent_dim(&self) -> usize {
        2
    }

    fn ambient_dim(&self) -> usize {
        2
    }

    fn point(&self, z: &[f64], x: &mut [f64], mut columns: ArrayViewMut2<'_, f64>) {
        let (radius, (sin, cos)) = (z[0].exp(), z[1].sin_cos());
        x.copy_from_slice(&[radius * cos, radius * sin]);
        columns.assign(&ndarray::arr2(&[[x[0], x[1]], [-x[1], x[0]]]));
    }

    fn write(&self, b: &mut Builder, z: NodeId) -> Option<NodeId> {
        let [u, v] = coordinates(b, z);
        let (radius, cos, sin) = (b.unary(Unary::Exp, u), b.unary(Unary::Cos, v), b.unary(Unary::Sin, v));
        let (x, y) = (b.binary(Binary::Mul, radius, cos), b.binary(Binary::Mul, radius, sin));
        Some(b.concat(&[x, y], 0))
    }

    fn truth(&self) -> Truth {
        Truth::orthogonal(vec![0.0; 2])
    }
}
