//! The same function of each latent: xᵢ = f(zᵢ).
//!
//! J is diagonal, so total correlation and mutual information vanish, and Hᵢ = h₀ + E log f′(z). For `sinh` that is h₀ +
//! E log cosh z, for `exp` h₀, for `cubic` (z + z³/3) h₀ + E log(1 + z²), for `sigmoid` h₀ − 1.6121183667, and for
//! `normal-cdf`, which makes the data uniform, 0.

use ndarray::ArrayViewMut2;

use super::expectation::normal_mean;
use super::{Entry, Map, Parameter, Truth};
use crate::special_functions::{HALF_LOG_TAU, normal_cdf};

const fn entry(id: &'static str, title: &'static str, make: fn(&super::Values) -> crate::error::Result<Box<dyn Map>>) -> Entry {
    const PARAMETERS: &[Parameter] = &[Parameter { name: "d", default: "3", meaning: "how many latents" }];
    Entry { id, title, parameters: PARAMETERS, source: include_str!("elementwise.rs"), make }
}

pub(super) const SINH: Entry = entry("sinh", "xᵢ = sinh zᵢ", |v| Ok(Box::new(Elementwise::new(Function::Sinh, v.latents("d", 1)?))));
pub(super) const EXP: Entry = entry("exp", "xᵢ = exp zᵢ", |v| Ok(Box::new(Elementwise::new(Function::Exp, v.latents("d", 1)?))));
pub(super) const CUBIC: Entry =
    entry("cubic", "xᵢ = zᵢ + zᵢ³/3", |v| Ok(Box::new(Elementwise::new(Function::Cubic, v.latents("d", 1)?))));
pub(super) const SIGMOID: Entry =
    entry("sigmoid", "xᵢ = 1/(1 + exp(−zᵢ))", |v| Ok(Box::new(Elementwise::new(Function::Sigmoid, v.latents("d", 1)?))));
pub(super) const NORMAL_CDF: Entry =
    entry("normal-cdf", "xᵢ = Φ(zᵢ)", |v| Ok(Box::new(Elementwise::new(Function::NormalCdf, v.latents("d", 1)?))));

/// A smooth function that grows everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Function {
    Sinh,
    Exp,
    /// z + z³/3.
    Cubic,
    Sigmoid,
    /// Φ.
    NormalCdf,
}

impl Function {
    fn value(self, z: f64) -> f64 {
        match self {
            Self::Sinh => z.sinh(),
            Self::Exp => z.exp(),
            Self::Cubic => z + z * z * z / 3.0,
            Self::Sigmoid => 1.0 / (1.0 + (-z).exp()),
            Self::NormalCdf => normal_cdf(z),
        }
    }

    fn log_slope(self, z: f64) -> f64 {
        match self {
            Self::Sinh => z.abs() + (-2.0 * z.abs()).exp().ln_1p() - std::f64::consts::LN_2,
            Self::Exp => z,
            Self::Cubic => (z * z).ln_1p(),
            Self::Sigmoid => -z.abs() - 2.0 * (-z.abs()).exp().ln_1p(),
            Self::NormalCdf => -0.5 * z * z - HALF_LOG_TAU,
        }
    }
}

/// xᵢ = f(zᵢ).
#[derive(Debug, Clone, Copy)]
pub struct Elementwise {
    function: Function,
    latents: usize,
}

impl Elementwise {
    /// Of `latents` latents.
    pub fn new(function: Function, latents: usize) -> Self {
        Self { function, latents }
    }
}

impl Map for Elementwise {
    fn latent_dim(&self) -> usize {
        self.latents
    }

    fn ambient_dim(&self) -> usize {
        self.latents
    }

    fn point(&self, z: &[f64], x: &mut [f64], mut columns: ArrayViewMut2<'_, f64>) {
        for (i, (z, x)) in z.iter().zip(x).enumerate() {
            *x = self.function.value(*z);
            columns[[i, i]] = self.function.log_slope(*z).exp();
        }
    }

    fn truth(&self) -> Truth {
        // The nearest singularities are those of log(1 + z²), at ±i.
        Truth::orthogonal(vec![normal_mean(0.0, 1.0, |z| self.function.log_slope(z)); self.latents])
    }
}
