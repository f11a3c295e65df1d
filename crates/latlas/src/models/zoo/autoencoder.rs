//! Autoencoders: a code of each datum from which it can be rebuilt.
//!
//! ```text
//! loss = ℓ(x, decoder(encoder(x̃))) + sparsity · penalty(codes)
//! ```
//!
//! With fewer latents than values they are undercomplete, with more overcomplete; x̃ is x itself, x with values masked to 0
//! (Vincent et al. 2008) or x with normal noise. A sparsity penalty is L1, or the divergence of the mean activity of sigmoid codes from
//! a target. An autoencoder has no prior of its own: `prior` fits one to the codes of the training rows, normal or a mixture, which is
//! saved beside the model. With `tied` weights the decoder is the encoder's transpose: for one layer.

use latlas_graph::ops::{Binary, Unary};
use latlas_graph::{NodeId, lower};
use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::layers::{affine, biased, times, total};
use super::likelihood::cross_entropy;
use super::{Feed, Jacobian, Likelihood, Model, Networks, Parts, Ramp, Start, Term};
use crate::error::{Error, Result};
use crate::samples::Prior;

/// What is done to a datum before it is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Corruption {
    /// Nothing.
    #[default]
    None,
    /// Every value becomes 0 with this probability.
    Mask(f64),
    /// Normal noise of this standard deviation.
    Gaussian(f64),
}

/// What keeps codes sparse.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sparsity {
    /// Nothing.
    #[default]
    None,
    /// Σ |z|, times this weight.
    L1(f64),
    /// KL(ρ ‖ mean activity) of sigmoid codes, summed over latents.
    Kl {
        /// ρ: the mean activity wished for.
        target: f64,
        /// Weight of the divergence.
        weight: f64,
    },
}

/// A prior that is fitted to the codes of the training rows when training has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CodePrior {
    /// N(0, I) is left in its place.
    #[default]
    None,
    /// Independent normal latents.
    Normal,
    /// A mixture of so many diagonal Gaussians.
    Mixture(usize),
}

/// An autoencoder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Autoencoder {
    /// Number of latents.
    pub latent: usize,
    /// The two networks.
    pub networks: Networks,
    /// Cross entropy (`bernoulli`) or squared error (`gaussian`).
    pub likelihood: Likelihood,
    /// The decoder is the encoder's transpose.
    pub tied: bool,
    /// x̃ from x.
    pub corruption: Corruption,
    /// What keeps codes sparse.
    pub sparsity: Sparsity,
    /// What is asked of the decoder's Jacobian.
    pub jacobian: Jacobian,
    /// What the codes of the training rows are taken for.
    pub prior: CodePrior,
}

impl Default for Autoencoder {
    fn default() -> Self {
        Self {
            latent: 2,
            networks: Networks::default(),
            likelihood: Likelihood::default(),
            tied: false,
            corruption: Corruption::None,
            sparsity: Sparsity::None,
            jacobian: Jacobian::default(),
            prior: CodePrior::default(),
        }
    }
}

impl Autoencoder {
    fn encode(&self, p: &mut Parts<'_>, x: NodeId) -> Result<NodeId> {
        let features = self.networks.features(p, "encoder", x)?;
        let z = affine(p, "encoder.code", features, self.latent);
        let is_activity = self.tied || matches!(self.sparsity, Sparsity::Kl { .. });
        Ok(if is_activity { p.b.unary(Unary::Sigmoid, z) } else { z })
    }

    /// The logits or the mean of x.
    fn decode(&self, p: &mut Parts<'_>, z: NodeId, shape: &[usize]) -> Result<NodeId> {
        if !self.tied {
            let head = if self.likelihood == Likelihood::Bernoulli { "logits" } else { "mean" };
            return Ok(self.networks.synthesis(p, "decoder", z, shape, &[head])?[0]);
        }
        let size: usize = shape.iter().product();
        let start = Start::Uniform(1.0 / (size as f64).sqrt());
        let weight = p.parameter("encoder.code.weight", &[self.latent, size], &start);
        let transposed = p.b.transpose(weight, &[1, 0]);
        let y = times(p, transposed, z);
        let y = biased(p, "decoder.bias", y, &Start::Filled(0.0));
        Ok(p.b.reshape(y, shape))
    }

    fn corrupted(&self, p: &mut Parts<'_>, x: NodeId) -> NodeId {
        let shape = p.b.shape(x).to_vec();
        match self.corruption {
            Corruption::None => x,
            Corruption::Mask(share) => {
                let chance = p.input("mask", &shape, Feed::Uniform);
                let share = p.b.filled(&shape, share);
                let is_masked = p.b.binary(Binary::Less, chance, share);
                let zero = p.b.filled(&shape, 0.0);
                p.b.select(is_masked, zero, x)
            }
            Corruption::Gaussian(std) => {
                let noise = p.input("noise", &shape, Feed::Normal);
                super::layers::plus_times(p, x, std, noise)
            }
        }
    }
}

impl Model for Autoencoder {
    fn check(&self, shape: &[usize]) -> Result<()> {
        let fail = |what: String, hint: &str| Err(Error::Input { what, hint: Some(hint.into()) });
        if self.latent == 0 {
            return fail("a model needs at least one latent".into(), "raise the number of latents");
        }
        if self.tied && !(self.networks.hidden.is_empty() && self.networks.channels.is_empty()) {
            return fail("tied weights are for one layer, and there are hidden layers".into(), "leave hidden and channels empty");
        }
        match self.corruption {
            Corruption::Mask(share) if !(0.0..1.0).contains(&share) => {
                return fail(format!("a share of {share} of all values cannot be masked"), "give a share in [0, 1)");
            }
            Corruption::Gaussian(std) if !(std >= 0.0 && std.is_finite()) => {
                return fail(format!("noise cannot have the standard deviation {std}"), "give a number that is not negative");
            }
            _ => {}
        }
        if let Sparsity::Kl { target, .. } = self.sparsity
            && !(target > 0.0 && target < 1.0)
        {
            return fail(format!("the mean activity of a sigmoid code cannot be {target}"), "give a number between 0 and 1");
        }
        if self.prior == CodePrior::Mixture(0) {
            return fail("a mixture needs at least one component".into(), "such as prior = {mixture = 10}");
        }
        if self.likelihood == Likelihood::GaussianLearned {
            return fail("an autoencoder has no variance".into(), "take the likelihood bernoulli or gaussian, or train a vae");
        }
        self.networks.check(shape)
    }

    fn takes_pictures(&self) -> bool {
        !self.networks.channels.is_empty()
    }

    fn couples_samples(&self) -> bool {
        matches!(self.sparsity, Sparsity::Kl { .. })
    }

    fn terms(&self, p: &mut Parts<'_>, x: NodeId) -> Result<Vec<Term>> {
        let shape = p.b.shape(x).to_vec();
        let seen = self.corrupted(p, x);
        let z = self.encode(p, seen)?;
        let y = self.decode(p, z, &shape)?;
        let loss = if self.likelihood == Likelihood::Bernoulli {
            cross_entropy(p, x, y)
        } else {
            let difference = p.b.binary(Binary::Sub, x, y);
            let square = p.b.binary(Binary::Mul, difference, difference);
            let half = lower::times(&mut p.b, square, 0.5);
            total(p, half)
        };
        let mut terms = vec![Term::new("reconstruction", loss)];
        match self.sparsity {
            Sparsity::None => {}
            Sparsity::L1(weight) => {
                let size = p.b.unary(Unary::Abs, z);
                terms.push(Term::weighted("sparsity", total(p, size), Ramp::fixed(weight)));
            }
            Sparsity::Kl { target, weight } => {
                let activity = p.mean_over_batch(z);
                let b = &mut p.b;
                // KL(ρ ‖ a) = −ρ log a − (1 − ρ) log(1 − a) + const.
                let log = b.unary(Unary::Log, activity);
                let negative = b.unary(Unary::Neg, activity);
                let log_rest = b.unary(Unary::Log1p, negative);
                let (yes, no) = (lower::times(b, log, -target), lower::times(b, log_rest, target - 1.0));
                let sum = b.binary(Binary::Add, yes, no);
                let each = lower::plus(b, sum, target * target.ln() + (1.0 - target) * (1.0 - target).ln());
                terms.push(Term::weighted("sparsity", total(p, each), Ramp::fixed(weight)));
            }
        }
        let mean = if self.likelihood == Likelihood::Bernoulli { p.b.unary(Unary::Sigmoid, y) } else { y };
        terms.extend(self.jacobian.term(p, z, mean)?);
        Ok(terms)
    }

    fn prior(&self, codes: &mut dyn FnMut() -> Result<Array2<f64>>) -> Result<Option<Prior>> {
        Ok(match self.prior {
            CodePrior::None => None,
            CodePrior::Normal => Some(Prior::fitted_normal(codes()?.view())?),
            CodePrior::Mixture(components) => Some(Prior::fitted_mixture(codes()?.view(), components, 0)?),
        })
    }

    fn files(&self) -> &'static [&'static str] {
        &["decoder", "encoder"]
    }

    fn file(&self, name: &str, p: &mut Parts<'_>, shape: &[usize]) -> Result<Vec<(String, NodeId)>> {
        if name == "encoder" {
            let x = p.input("x", shape, Feed::Data);
            return Ok(vec![("z".into(), self.encode(p, x)?)]);
        }
        let z = p.input("z", &[self.latent], Feed::Normal);
        let y = self.decode(p, z, shape)?;
        Ok(if self.likelihood == Likelihood::Bernoulli {
            vec![("mean".into(), p.b.unary(Unary::Sigmoid, y)), ("logits".into(), y)]
        } else {
            vec![("mean".into(), y)]
        })
    }
}
