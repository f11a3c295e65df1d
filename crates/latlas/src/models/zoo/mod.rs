//! Models that Latlas trains: one file each, all of them plain graphs over named parameters.
//!
//! A [`Model`] writes its loss, and the networks that are saved, into a builder ([`Parts`]); parameters are found by name, so
//! that all graphs of a model share them. What is saved is ONNX from the first step on.

mod autoencoder;
pub mod flow;
mod jacobian;
mod layers;
mod likelihood;
mod networks;
mod parts;
mod ramp;
mod vae;

use latlas_graph::NodeId;
use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::samples::Prior;

pub use autoencoder::{Autoencoder, CodePrior, Corruption, Sparsity};
pub use flow::Flow;
pub use jacobian::{Jacobian, JacobianPenalty};
pub use layers::Activation;
pub use likelihood::Likelihood;
pub use networks::Networks;
pub use parts::{Feed, Parameter, Parameters, Parts, Start};
pub use ramp::Ramp;
pub use vae::{Estimator, Penalty, Vae};

/// What the names of an adversary's parameters begin with.
pub const ADVERSARY: &str = "adversary.";

/// A part of a loss.
#[derive(Debug, Clone)]
pub struct Term {
    /// As logs call it.
    pub name: &'static str,
    /// A number for each sample, or one for the whole batch.
    pub value: NodeId,
    /// What it is multiplied with in the loss; 0 only logs it.
    pub weight: Ramp,
}

impl Term {
    /// Of weight 1.
    pub fn new(name: &'static str, value: NodeId) -> Self {
        Self::weighted(name, value, Ramp::fixed(1.0))
    }

    /// Of a weight that may change with the steps.
    pub fn weighted(name: &'static str, value: NodeId, weight: Ramp) -> Self {
        Self { name, value, weight }
    }
}

/// A model that can be trained: its loss and its files as graphs.
pub trait Model {
    /// Whether it can be made for data whose items have this shape.
    ///
    /// # Errors
    /// What does not fit.
    fn check(&self, shape: &[usize]) -> Result<()>;

    /// Whether it sees a datum as a picture `[C, H, W]`.
    fn takes_pictures(&self) -> bool {
        false
    }

    /// Whether the loss of a sample depends on the rest of its batch.
    fn couples_samples(&self) -> bool {
        false
    }

    /// The terms of the loss of x.
    ///
    /// # Errors
    /// Those of the layers.
    fn terms(&self, p: &mut Parts<'_>, x: NodeId) -> Result<Vec<Term>>;

    /// The loss of an adversary of the model, `[]` or one for each sample of a batch whose samples see each other. Only parameters
    /// below [`ADVERSARY`] follow it, and they follow nothing else.
    ///
    /// # Errors
    /// Those of the layers.
    fn adversary(&self, _p: &mut Parts<'_>, _x: NodeId) -> Result<Option<NodeId>> {
        Ok(None)
    }

    /// Starts parameters from the first batch, whose rows are flat.
    fn start(&self, _parameters: &mut Parameters, _rows: &[&[f32]]) {}

    /// The prior of the latents, fitted to the codes `[n, d]` of the training rows; `None` where it is N(0, I).
    ///
    /// # Errors
    /// Codes to which it cannot be fitted.
    fn prior(&self, _codes: &mut dyn FnMut() -> Result<Array2<f64>>) -> Result<Option<Prior>> {
        Ok(None)
    }

    /// The names of the files that are saved.
    fn files(&self) -> &'static [&'static str];

    /// One of them, with its inputs and named outputs, for data whose items have this shape.
    ///
    /// # Errors
    /// Those of the layers.
    fn file(&self, name: &str, p: &mut Parts<'_>, shape: &[usize]) -> Result<Vec<(String, NodeId)>>;
}

/// Every family with its options, as settings files write it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "family", rename_all = "kebab-case")]
pub enum Spec {
    /// See [`Autoencoder`].
    Autoencoder(Autoencoder),
    /// See [`Flow`].
    Flow(Flow),
    /// See [`Vae`].
    Vae(Vae),
}

impl Spec {
    /// The names of all families.
    pub const FAMILIES: &'static [&'static str] = &["autoencoder", "flow", "vae"];

    /// As what it can do.
    pub fn model(&self) -> &dyn Model {
        match self {
            Self::Autoencoder(model) => model,
            Self::Flow(model) => model,
            Self::Vae(model) => model,
        }
    }
}
