//! Closed-form decoders: maps whose Jacobian and entropies are known, to test estimators with and to calibrate on.
//!
//! Each is a file with a [`Map`] and a line in [`TABLE`]; `builtin:ID` names it on the command line, with parameters where
//! they differ from the defaults: `builtin:banana:c=2`, `builtin:inversion:d=4:shift=3`. The latents are standard normal.

mod banana;
mod complex_exponential;
mod coordinates;
mod cylinder;
mod decoder;
mod elementwise;
mod expectation;
mod inversion;
mod linear;
mod paraboloid;
mod parameters;
mod polar;
mod shear;
mod sphere;
mod stereographic;
mod swiss_roll;
#[cfg(test)]
mod tests;
mod torus;
mod two_bumps;

use latlas_graph::{Builder, NodeId};
use ndarray::ArrayViewMut2;

pub use banana::Banana;
pub use complex_exponential::ComplexExponential;
pub use cylinder::Cylinder;
pub use decoder::ClosedForm;
pub use elementwise::{Elementwise, Function};
pub use inversion::Inversion;
pub use linear::Linear;
pub use paraboloid::Paraboloid;
pub use parameters::{Parameter, Values};
pub use polar::Polar;
pub use shear::Shear;
pub use sphere::Sphere;
pub use stereographic::Stereographic;
pub use swiss_roll::SwissRoll;
pub use torus::Torus;
pub use two_bumps::TwoBumps;

use crate::error::Result;
use crate::special_functions::NORMAL_ENTROPY;

/// A map f: ℝᵈ → ℝᴰ, d ≤ D, with its derivative and what is known of it.
pub trait Map: Send + Sync {
    /// d.
    fn latent_dim(&self) -> usize;

    /// D.
    fn ambient_dim(&self) -> usize;

    /// x = f(z) and the columns of its Jacobian at one point: `z [d]`, `x [D]`, `columns [d, D]` with
    /// `columns[[i, j]]` = ∂xⱼ/∂zᵢ. `x` and `columns` come filled with zeros.
    fn point(&self, z: &[f64], x: &mut [f64], columns: ArrayViewMut2<'_, f64>);

    /// The same map written as a graph, from z `[d]` to x `[D]`: what second derivatives and the model file come from. `None` for a map
    /// that has no graph.
    fn write(&self, _b: &mut Builder, _z: NodeId) -> Option<NodeId> {
        None
    }

    /// What holds on average over z ~ N(0, I).
    fn truth(&self) -> Truth;
}

/// What is known of a map, on average over z ~ N(0, I). In nats.
#[derive(Debug, Clone, PartialEq)]
pub struct Truth {
    /// E log ‖Jᵢ‖ for each latent i.
    pub log_norms: Vec<f64>,
    /// E log |J|, the mean log-volume; −∞ where the columns are dependent.
    pub log_volume: f64,
}

impl Truth {
    /// Of a map whose columns are orthogonal everywhere, so that volumes are products of lengths.
    fn orthogonal(log_norms: Vec<f64>) -> Self {
        let log_volume = log_norms.iter().sum();
        Self { log_norms, log_volume }
    }

    /// Manifold entropy of each latent: Hᵢ = h₀ + E log ‖Jᵢ‖.
    pub fn manifold_entropy(&self) -> Vec<f64> {
        self.log_norms.iter().map(|log_norm| NORMAL_ENTROPY + log_norm).collect()
    }

    /// Total entropy: H = d h₀ + E log |J|.
    pub fn total_entropy(&self) -> f64 {
        self.log_norms.len() as f64 * NORMAL_ENTROPY + self.log_volume
    }

    /// Total correlation: Σ Hᵢ − H.
    pub fn total_correlation(&self) -> f64 {
        self.log_norms.iter().sum::<f64>() - self.log_volume
    }
}

/// A closed form that the command line knows.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// What follows `builtin:`.
    pub id: &'static str,
    /// The map in a line.
    pub title: &'static str,
    /// What can be set.
    pub parameters: &'static [Parameter],
    /// The source file; its `//!` page is the documentation (see [`Entry::page`]).
    pub source: &'static str,
    make: fn(&Values) -> Result<Box<dyn Map>>,
}

impl Entry {
    /// The `//!` page at the top of the file, and the parameters.
    pub fn page(&self) -> String {
        let lines = self.source.lines().take_while(|line| line.starts_with("//!"));
        let mut page: Vec<_> = lines.map(|line| line.trim_start_matches("//!").trim_start().to_string()).collect();
        page.extend(self.parameters.iter().map(|p| format!("\n- `{}` = {}: {}", p.name, p.default, p.meaning)));
        page.join("\n")
    }
}

/// All closed forms.
pub const TABLE: &[Entry] = &[
    linear::ENTRY,
    elementwise::SINH,
    elementwise::EXP,
    elementwise::CUBIC,
    elementwise::SIGMOID,
    elementwise::NORMAL_CDF,
    shear::ENTRY,
    banana::ENTRY,
    polar::ENTRY,
    sphere::ENTRY,
    torus::ENTRY,
    swiss_roll::ENTRY,
    inversion::ENTRY,
    complex_exponential::ENTRY,
    cylinder::ENTRY,
    stereographic::ENTRY,
    paraboloid::ENTRY,
    two_bumps::ENTRY,
];
