//! A landscape with two hills: x = (z₁, z₂, h), h = Σ aₖ exp(−bₖ |z − cₖ|²) with a = 2.9, 2.8, b = 1.3, 1.2 and the hilltops
//! c = (−0.1, −0.6), (0.2, 0.7).
//!
//! The metric I + ∇h ∇hᵀ has the determinant 1 + |∇h|² and the curvature det ∇∇h/(1 + |∇h|²)²; geodesics follow
//! z̈ = −∇h (żᵀ ∇∇h ż)/(1 + |∇h|²). Between points on either side several pass round the hills and between them: a test of searches
//! for the shortest. Hᵢ = h₀ + ½ E log(1 + ∂ᵢh²) by the trapezoid rule, which is exact to rounding here.

use latlas_graph::ops::{Binary, Unary};
use latlas_graph::{Builder, NodeId, lower};
use ndarray::ArrayViewMut2;

use super::coordinates::squared_distance;
use super::{Entry, Map, Truth};

pub(super) const ENTRY: Entry = Entry {
    id: "two-bumps",
    title: "x = (z₁, z₂, h(z)) with two hills",
    parameters: &[],
    source: include_str!("two_bumps.rs"),
    make: |_| Ok(Box::new(TwoBumps)),
};

/// a, b and c of each hill.
const HILLS: [(f64, f64, [f64; 2]); 2] = [(2.9, 1.3, [-0.1, -0.6]), (2.8, 1.2, [0.2, 0.7])];

/// x = (u, v, h).
#[derive(Debug, Clone, Copy)]
pub struct TwoBumps;

impl TwoBumps {
    /// h and ∇h.
    fn landscape(z: &[f64]) -> (f64, [f64; 2]) {
        let (mut height, mut slope) = (0.0, [0.0; 2]);
        for (a, b, c) in HILLS {
            let from = [z[0] - c[0], z[1] - c[1]];
            let hill = a * (-b * (from[0] * from[0] + from[1] * from[1])).exp();
            height += hill;
            slope.iter_mut().zip(from).for_each(|(s, f)| *s -= 2.0 * b * f * hill);
        }
        (height, slope)
    }
}

impl Map for TwoBumps {
    fn latent_dim(&self) -> usize {
        2
    }

    fn ambient_dim(&self) -> usize {
        3
    }

    fn point(&self, z: &[f64], x: &mut [f64], mut columns: ArrayViewMut2<'_, f64>) {
        let (height, slope) = Self::landscape(z);
        x.copy_from_slice(&[z[0], z[1], height]);
        columns.assign(&ndarray::arr2(&[[1.0, 0.0, slope[0]], [0.0, 1.0, slope[1]]]));
    }

    fn write(&self, b: &mut Builder, z: NodeId) -> Option<NodeId> {
        let hills = HILLS.map(|(height, width, centre)| {
            let square = squared_distance(b, z, &centre);
            let exponent = lower::times(b, square, -width);
            let bell = b.unary(Unary::Exp, exponent);
            lower::times(b, bell, height)
        });
        let height = b.binary(Binary::Add, hills[0], hills[1]);
        Some(b.concat(&[z, height], 0))
    }

    fn truth(&self) -> Truth {
        const STEPS: i32 = 240;
        let (mut norms, mut volume, mut weights) = (vec![0.0; 2], 0.0, 0.0);
        for i in -STEPS..=STEPS {
            for j in -STEPS..=STEPS {
                let z = [i, j].map(|k| 9.0 * f64::from(k) / f64::from(STEPS));
                let weight = (-0.5 * (z[0] * z[0] + z[1] * z[1])).exp();
                let slope = Self::landscape(&z).1;
                weights += weight;
                norms.iter_mut().zip(slope).for_each(|(sum, s)| *sum += weight * 0.5 * (s * s).ln_1p());
                volume += weight * 0.5 * (slope[0] * slope[0] + slope[1] * slope[1]).ln_1p();
            }
        }
        Truth { log_norms: norms.iter().map(|sum| sum / weights).collect(), log_volume: volume / weights }
    }
}
