//! What a decoder's output means: p(x | z), and its negative logarithm as a graph.

use latlas_graph::ops::{Binary, Unary};
use latlas_graph::{NodeId, lower};
use serde::{Deserialize, Serialize};

use super::layers::total;
use super::{Networks, Parts};
use crate::error::Result;
use crate::special_functions::HALF_LOG_TAU;

/// The law of a datum given its latents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Likelihood {
    /// Every value is 1 with the decoded probability; data in [0, 1] count as probabilities of their own.
    #[default]
    Bernoulli,
    /// Normal around the decoded mean with one fixed standard deviation for all values.
    Gaussian,
    /// Normal around the decoded mean, with a decoded variance for each value.
    GaussianLearned,
}

/// −log p(x) of Bernoulli values with these logits, summed over an item: Σ log(1 + eˡ) − x l.
pub(super) fn cross_entropy(p: &mut Parts<'_>, x: NodeId, logits: NodeId) -> NodeId {
    let normaliser = p.b.unary(Unary::Softplus, logits);
    let score = p.b.binary(Binary::Mul, x, logits);
    let loss = p.b.binary(Binary::Sub, normaliser, score);
    total(p, loss)
}

/// What a decoder network gives.
pub struct Decoded {
    law: Likelihood,
    std: f64,
    heads: Vec<NodeId>,
}

impl Likelihood {
    /// Decodes latents into the parameters of this law.
    ///
    /// # Errors
    /// Those of [`Networks::synthesis`].
    pub fn decode(self, p: &mut Parts<'_>, networks: &Networks, z: NodeId, shape: &[usize], std: f64) -> Result<Decoded> {
        let names: &[&str] = match self {
            Self::Bernoulli => &["logits"],
            Self::Gaussian => &["mean"],
            Self::GaussianLearned => &["mean", "logvar"],
        };
        let heads = networks.synthesis(p, "decoder", z, shape, names)?;
        Ok(Decoded { law: self, std, heads })
    }
}

impl Decoded {
    /// −log p(x | z), summed over the values of a datum.
    pub fn negative_log_likelihood(&self, p: &mut Parts<'_>, x: NodeId) -> NodeId {
        let size = p.b.shape(x).iter().product::<usize>() as f64;
        let b = &mut p.b;
        match self.law {
            Likelihood::Bernoulli => cross_entropy(p, x, self.heads[0]),
            Likelihood::Gaussian => {
                let difference = b.binary(Binary::Sub, x, self.heads[0]);
                let square = b.binary(Binary::Mul, difference, difference);
                let sum = total(p, square);
                let scaled = lower::times(&mut p.b, sum, 0.5 / (self.std * self.std));
                lower::plus(&mut p.b, scaled, size * (HALF_LOG_TAU + self.std.ln()))
            }
            Likelihood::GaussianLearned => {
                let (mean, logvar) = (self.heads[0], self.heads[1]);
                let difference = b.binary(Binary::Sub, x, mean);
                let square = b.binary(Binary::Mul, difference, difference);
                let negative = b.unary(Unary::Neg, logvar);
                let precision = b.unary(Unary::Exp, negative);
                let scaled = b.binary(Binary::Mul, square, precision);
                let both = b.binary(Binary::Add, scaled, logvar);
                let sum = total(p, both);
                let half = lower::times(&mut p.b, sum, 0.5);
                lower::plus(&mut p.b, half, size * HALF_LOG_TAU)
            }
        }
    }

    /// E x.
    pub fn mean(&self, p: &mut Parts<'_>) -> NodeId {
        match self.law {
            Likelihood::Bernoulli => p.b.unary(Unary::Sigmoid, self.heads[0]),
            Likelihood::Gaussian | Likelihood::GaussianLearned => self.heads[0],
        }
    }

    /// The outputs of a decoder's file: `mean`, and `logvar` or `logits` where there are.
    pub fn outputs(&self, p: &mut Parts<'_>) -> Vec<(String, NodeId)> {
        let mut outputs = vec![("mean".to_string(), self.mean(p))];
        match self.law {
            Likelihood::Bernoulli => outputs.push(("logits".into(), self.heads[0])),
            Likelihood::GaussianLearned => outputs.push(("logvar".into(), self.heads[1])),
            Likelihood::Gaussian => {
                let logvar = p.b.filled_like(self.heads[0], 2.0 * self.std.ln());
                outputs.push(("logvar".into(), logvar));
            }
        }
        outputs
    }
}
