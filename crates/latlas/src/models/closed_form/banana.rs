//! A banana: x = (z₁, z₂ + c z₁²).
//!
//! J has the columns (1, 2c z₁) and (0, 1): H₁ = h₀ + ½ E log(1 + 4c²z²), H₂ = h₀, total entropy 2h₀; the total correlation
//! is H₁ − h₀.

use ndarray::ArrayViewMut2;

use super::expectation::normal_mean;
use super::{Entry, Map, Parameter, Truth};

pub(super) const ENTRY: Entry = Entry {
    id: "banana",
    title: "x = (z₁, z₂ + c z₁²)",
    parameters: &[Parameter { name: "c", default: "1", meaning: "how far it bends" }],
    source: include_str!("banana.rs"),
    make: |values| Ok(Box::new(Banana { c: values.number("c")? })),
};

/// x = (z₁, z₂ + c z₁²).
#[derive(Debug, Clone, Copy)]
pub struct Banana {
    /// How far it bends.
    pub c: f64,
}

impl Map for Banana {
    fn latent_dim(&self) -> usize {
        2
    }

    fn ambient_dim(&self) -> usize {
        2
    }

    fn point(&self, z: &[f64], x: &mut [f64], mut columns: ArrayViewMut2<'_, f64>) {
        x.copy_from_slice(&[z[0], z[1] + self.c * z[0] * z[0]]);
        columns.assign(&ndarray::arr2(&[[1.0, 2.0 * self.c * z[0]], [0.0, 1.0]]));
    }

    fn truth(&self) -> Truth {
        let slope = 2.0 * self.c;
        let width = slope.abs().max(1.0).recip();
        let first = normal_mean(0.0, width, |z| 0.5 * (slope * z).powi(2).ln_1p());
        Truth { log_norms: vec![first, 0.0], log_volume: 0.0 }
    }
}
