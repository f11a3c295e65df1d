//! A shear: x = (z₁, z₂ + c z₁).
//!
//! J has the columns (1, c) and (0, 1): H₁ = h₀ + ½ log(1 + c²), H₂ = h₀, total entropy 2h₀, total correlation
//! ½ log(1 + c²).

use ndarray::ArrayViewMut2;

use super::{Entry, Map, Parameter, Truth};

pub(super) const ENTRY: Entry = Entry {
    id: "shear",
    title: "x = (z₁, z₂ + c z₁)",
    parameters: &[Parameter { name: "c", default: "1", meaning: "how far it shears" }],
    source: include_str!("shear.rs"),
    make: |values| Ok(Box::new(Shear { c: values.number("c")? })),
};

/// x = (z₁, z₂ + c z₁).
#[derive(Debug, Clone, Copy)]
pub struct Shear {
    /// How far it shears.
    pub c: f64,
}

impl Map for Shear {
    fn latent_dim(&self) -> usize {
        2
    }

    fn ambient_dim(&self) -> usize {
        2
    }

    fn point(&self, z: &[f64], x: &mut [f64], mut columns: ArrayViewMut2<'_, f64>) {
        x.copy_from_slice(&[z[0], z[1] + self.c * z[0]]);
        columns.assign(&ndarray::arr2(&[[1.0, self.c], [0.0, 1.0]]));
    }

    fn truth(&self) -> Truth {
        Truth { log_norms: vec![0.5 * (self.c * self.c).ln_1p(), 0.0], log_volume: 0.0 }
    }
}
