//! Variational autoencoders: q(z | x) and p(x | z) trained together by the evidence lower bound.
//!
//! ```text
//! loss = E_q[−log p(x | z)] + β · KL(q(z | x) ‖ N(0, I)),   z = μ(x) + σ(x) · ε
//! ```
//!
//! β = 1 is the VAE of Kingma and Welling (2014) and of Rezende, Mohamed and Wierstra (2014); a larger one the β-VAE (Higgins
//! et al. 2017). Further terms, on the codes of a whole batch:
//! - `capacity`: γ · |KL − C| with C rising over the steps (Burgess et al. 2018);
//! - `total-correlation`: the aggregate posterior's total correlation by minibatch-weighted sampling, times β − 1
//!   (β-TCVAE, Chen et al. 2018);
//! - `factor`: γ times the total correlation as a discriminator sees it, which learns beside the model to tell codes from codes
//!   whose columns were shuffled over the batch (FactorVAE, Kim and Mnih 2018);
//! - `dip-i`, `dip-ii`: distance of the codes' covariance from the identity (Kumar, Sattigeri and Balakrishnan 2018).
//!
//! Their estimates are `total-correlation` log q(z) − Σᵢ log q(zᵢ) over one batch, and `factor` the logit D(z) of the discriminator, whose
//! own loss is ½ E log(1 + e^−D(z)) + ½ E log(1 + e^D(z̃)) for shuffled z̃.
//!
//! `layers` puts further stochastic layers above the first (`hierarchy.rs`).
//!
//! The gradient for the encoder goes through z (`reparametrised`), or is E[(−log p(x | z)) ∇ log q(z | x)] at a z that is held fixed (`score`:
//! the score-function estimator of Williams 1992, which asks nothing of the decoder's derivative and varies far more).

mod discriminator;
mod hierarchy;
mod penalties;

use latlas_graph::ops::{Binary, Unary};
use latlas_graph::{NodeId, lower};
use serde::{Deserialize, Serialize};

use super::layers::{affine, total};
use super::likelihood::Decoded;
use super::{Feed, Jacobian, JacobianPenalty, Likelihood, Model, Networks, Parts, Ramp, Term};
use crate::error::{Error, Result};

/// What is added to the bound, or put in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Penalty {
    /// Nothing.
    #[default]
    None,
    /// The rate is pulled towards a rising capacity.
    Capacity,
    /// Total correlation of the aggregate posterior.
    TotalCorrelation,
    /// The same as a discriminator sees it.
    Factor,
    /// Covariance of the posterior means.
    DipI,
    /// Covariance of the codes.
    DipIi,
}

/// How the gradient of E_q[−log p(x | z)] for the encoder is estimated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Estimator {
    /// Through z = μ + σ ε.
    #[default]
    Reparametrised,
    /// By the score ∇ log q(z | x).
    Score,
}

/// A VAE.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Vae {
    /// Number of latents.
    pub latent: usize,
    /// Latents of further stochastic layers above these, upwards.
    pub layers: Vec<usize>,
    /// The two networks.
    pub networks: Networks,
    /// p(x | z).
    pub likelihood: Likelihood,
    /// Standard deviation of the `gaussian` likelihood.
    pub std: f64,
    /// Weight of the rate.
    pub beta: f64,
    /// Steps over which that weight rises from 0.
    pub warm_up: u64,
    /// What is added.
    pub penalty: Penalty,
    /// Weight of a `capacity`, `factor` or `dip` penalty (its diagonal has ten times less in `dip-i`, as much in `dip-ii`).
    pub gamma: f64,
    /// The capacity that is reached at last, in nats.
    pub capacity: f64,
    /// Steps over which it rises.
    pub capacity_steps: u64,
    /// Widths of the hidden layers of the discriminator of `factor`.
    pub discriminator: Vec<usize>,
    /// What is asked of the decoder's Jacobian.
    pub jacobian: Jacobian,
    /// How gradients go from the decoder to the encoder.
    pub estimator: Estimator,
}

impl Default for Vae {
    fn default() -> Self {
        Self {
            latent: 2,
            layers: vec![],
            networks: Networks::default(),
            likelihood: Likelihood::default(),
            std: 1.0,
            beta: 1.0,
            warm_up: 0,
            penalty: Penalty::None,
            gamma: 10.0,
            capacity: 25.0,
            capacity_steps: 10_000,
            discriminator: vec![128, 128],
            jacobian: Jacobian::default(),
            estimator: Estimator::default(),
        }
    }
}

/// q(z | x) of a batch.
#[derive(Clone, Copy)]
pub(super) struct Posterior {
    mean: NodeId,
    logvar: NodeId,
}

impl Vae {
    fn encode(&self, p: &mut Parts<'_>, x: NodeId) -> Result<Posterior> {
        let features = self.networks.features(p, "encoder", x)?;
        let mean = affine(p, "encoder.mean", features, self.latent);
        let logvar = affine(p, "encoder.logvar", features, self.latent);
        Ok(Posterior { mean, logvar })
    }

    /// Latents of a layer, from 0.
    fn width(&self, layer: usize) -> usize {
        if layer == 0 { self.latent } else { self.layers[layer - 1] }
    }

    /// Latents of the saved files.
    fn all_latents(&self) -> usize {
        self.latent + self.layers.iter().sum::<usize>()
    }

    /// A draw of q by an input for its noise.
    fn draw(p: &mut Parts<'_>, q: Posterior, noise: &str) -> NodeId {
        let shape = p.b.shape(q.mean).to_vec();
        let noise = p.input(noise, &shape, Feed::Normal);
        moved(p, q, noise)
    }

    /// −log p(x | z) and what it adds to the loss beside: with the score, (−log p(x | z)) · log q(z | x) with its first factor held fixed, less
    /// its own value.
    fn reconstruction(&self, p: &mut Parts<'_>, q: Posterior, z: NodeId, decoded: &Decoded, x: NodeId) -> Vec<Term> {
        let loss = decoded.negative_log_likelihood(p, x);
        let mut terms = vec![Term::new("reconstruction", loss)];
        if self.estimator == Estimator::Score {
            let surprisal = surprisal(p, z, q);
            let (fixed, value) = (p.b.detach(loss), p.b.detach(surprisal));
            let difference = p.b.binary(Binary::Sub, value, surprisal);
            terms.push(Term::new("score", p.b.binary(Binary::Mul, fixed, difference)));
        }
        terms
    }
}

/// μ + σ ε.
fn moved(p: &mut Parts<'_>, q: Posterior, noise: NodeId) -> NodeId {
    let half = lower::times(&mut p.b, q.logvar, 0.5);
    let spread = p.b.unary(Unary::Exp, half);
    let moved = p.b.binary(Binary::Mul, spread, noise);
    p.b.binary(Binary::Add, q.mean, moved)
}

/// KL(q ‖ N(0, I)) of a sample: ½ Σ (μ² + σ² − 1 − log σ²).
fn rate(p: &mut Parts<'_>, q: Posterior) -> NodeId {
    let d = p.b.shape(q.mean)[0];
    let b = &mut p.b;
    let (square, variance) = (b.binary(Binary::Mul, q.mean, q.mean), b.unary(Unary::Exp, q.logvar));
    let sum = b.binary(Binary::Add, square, variance);
    let sum = b.binary(Binary::Sub, sum, q.logvar);
    let sum = total(p, sum);
    let half = lower::times(&mut p.b, sum, 0.5);
    lower::plus(&mut p.b, half, -0.5 * d as f64)
}

/// ½ Σ (log σ² + (z − μ)² / σ²): −log q(z) without its constant.
fn surprisal(p: &mut Parts<'_>, z: NodeId, q: Posterior) -> NodeId {
    let b = &mut p.b;
    let difference = b.binary(Binary::Sub, z, q.mean);
    let square = b.binary(Binary::Mul, difference, difference);
    let negative = b.unary(Unary::Neg, q.logvar);
    let precision = b.unary(Unary::Exp, negative);
    let scaled = b.binary(Binary::Mul, square, precision);
    let both = b.binary(Binary::Add, scaled, q.logvar);
    let sum = total(p, both);
    lower::times(&mut p.b, sum, 0.5)
}

impl Model for Vae {
    fn check(&self, shape: &[usize]) -> Result<()> {
        let fail = |what: &str| Err(Error::Input { what: what.into(), hint: None });
        let is_plain = self.penalty == Penalty::None && self.jacobian.penalty == JacobianPenalty::None;
        if !is_plain && (!self.layers.is_empty() || self.estimator == Estimator::Score) {
            return fail("several stochastic layers and the score estimator go without a penalty, on codes or on the Jacobian");
        }
        if self.estimator == Estimator::Score && !self.layers.is_empty() {
            return fail("the score estimator is for one stochastic layer");
        }
        if self.latent == 0 || self.layers.contains(&0) {
            return fail("a model needs at least one latent");
        }
        if !(self.std > 0.0 && self.std.is_finite()) {
            return fail("the standard deviation of a likelihood must be positive");
        }
        self.networks.check(shape)
    }

    fn takes_pictures(&self) -> bool {
        !self.networks.channels.is_empty()
    }

    fn couples_samples(&self) -> bool {
        !matches!(self.penalty, Penalty::None | Penalty::Factor)
    }

    fn terms(&self, p: &mut Parts<'_>, x: NodeId) -> Result<Vec<Term>> {
        let shape = p.b.shape(x).to_vec();
        let q = self.encode(p, x)?;
        let mut z = Self::draw(p, q, "noise");
        if self.estimator == Estimator::Score {
            z = p.b.detach(z);
        }
        let decoded = self.likelihood.decode(p, &self.networks, z, &shape, self.std)?;
        let mut terms = self.reconstruction(p, q, z, &decoded, x);
        let rate = if self.layers.is_empty() { rate(p, q) } else { hierarchy::rate(p, self, z, q) };
        let beta = Ramp { from: 0.0, to: self.beta, steps: self.warm_up };
        match self.penalty {
            Penalty::None | Penalty::DipI | Penalty::DipIi => terms.push(Term::weighted("rate", rate, beta)),
            Penalty::Factor => {
                let logit = discriminator::logit(p, z, &self.discriminator);
                terms.push(Term::weighted("rate", rate, beta));
                terms.push(Term::weighted("total-correlation", logit, Ramp::fixed(self.gamma)));
            }
            Penalty::Capacity => {
                let capacity = p.scheduled("capacity", Ramp { from: 0.0, to: self.capacity, steps: self.capacity_steps });
                let mean = p.mean_over_batch(rate);
                let off = p.b.binary(Binary::Sub, mean, capacity);
                let distance = p.b.unary(Unary::Abs, off);
                terms.push(Term::weighted("rate", rate, Ramp::fixed(0.0)));
                terms.push(Term::weighted("capacity", distance, Ramp::fixed(self.gamma)));
            }
            Penalty::TotalCorrelation => {
                let correlation = penalties::aggregate_total_correlation(p, z, q)?;
                terms.push(Term::new("rate", rate));
                let weight = Ramp { from: 0.0, to: self.beta - 1.0, steps: self.warm_up };
                terms.push(Term::weighted("total-correlation", correlation, weight));
            }
        }
        if matches!(self.penalty, Penalty::DipI | Penalty::DipIi) {
            let penalty = penalties::covariance(p, q, self.penalty);
            terms.push(Term::weighted("covariance", penalty, Ramp::fixed(self.gamma)));
        }
        let mean = decoded.mean(p);
        terms.extend(self.jacobian.term(p, z, mean)?);
        Ok(terms)
    }

    fn adversary(&self, p: &mut Parts<'_>, x: NodeId) -> Result<Option<NodeId>> {
        if self.penalty != Penalty::Factor {
            return Ok(None);
        }
        let q = self.encode(p, x)?;
        let z = Self::draw(p, q, "noise");
        Ok(Some(discriminator::loss(p, z, &self.discriminator)))
    }

    fn files(&self) -> &'static [&'static str] {
        &["decoder", "encoder"]
    }

    fn file(&self, name: &str, p: &mut Parts<'_>, shape: &[usize]) -> Result<Vec<(String, NodeId)>> {
        if name == "encoder" {
            let x = p.input("x", shape, Feed::Data);
            let mut q = self.encode(p, x)?;
            if !self.layers.is_empty() {
                q = hierarchy::ascend(p, self, q);
            }
            return Ok(vec![("z_mean".into(), q.mean), ("z_logvar".into(), q.logvar)]);
        }
        let mut z = p.input("z", &[self.all_latents()], Feed::Normal);
        if !self.layers.is_empty() {
            z = hierarchy::descend(p, self, z)?;
        }
        let decoded = self.likelihood.decode(p, &self.networks, z, shape, self.std)?;
        Ok(decoded.outputs(p))
    }
}
