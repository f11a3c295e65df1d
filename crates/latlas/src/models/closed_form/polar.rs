//! Polar coordinates: x = (1 + s z₁)(cos a z₂, sin a z₂).
//!
//! J has orthogonal columns of lengths s and a |1 + s z₁|: the total correlation vanishes, the radius has the entropy
//! h₀ + log s and the angle h₀ + log a + E log |1 + s z|.

use ndarray::ArrayViewMut2;

use super::expectation::mean_log_squared_norm;
use super::{Entry, Map, Parameter, Truth};

pub(super) const ENTRY: Entry = Entry {
    id: "polar",
    title: "x = (1 + s z₁)(cos a z₂, sin a z₂)",
    parameters: &[
        Parameter { name: "s", default: "0.1", meaning: "standard deviation of the radius" },
        Parameter { name: "a", default: "0.5", meaning: "standard deviation of the angle, in radians" },
    ],
    source: include_str!("polar.rs"),
    make: |values| Ok(Box::new(Polar { radius: values.positive("s")?, angle: values.positive("a")? })),
};

/// x = (1 + s z₁)(cos a z₂, sin a z₂).
#[derive(Debug, Clone, Copy)]
pub struct Polar {
    /// s > 0, standard deviation of the radius.
    pub radius: f64,
    /// a > 0, standard deviation of the angle.
    pub angle: f64,
}

impl Map for Polar {
    fn latent_dim(&self) -> usize {
        2
    }

    fn ambient_dim(&self) -> usize {
        2
    }

    fn point(&self, z: &[f64], x: &mut [f64], mut columns: ArrayViewMut2<'_, f64>) {
        let (s, a) = (self.radius, self.angle);
        let (sin, cos) = (a * z[1]).sin_cos();
        let radius = 1.0 + s * z[0];
        x.copy_from_slice(&[radius * cos, radius * sin]);
        columns.assign(&ndarray::arr2(&[[s * cos, s * sin], [-radius * a * sin, radius * a * cos]]));
    }

    fn truth(&self) -> Truth {
        // log |1 + s z| = log s + ½ log |z + 1/s|².
        let log_s = self.radius.ln();
        let log_radius = log_s + 0.5 * mean_log_squared_norm(1, self.radius.powi(-2));
        Truth::orthogonal(vec![log_s, self.angle.ln() + log_radius])
    }
}
