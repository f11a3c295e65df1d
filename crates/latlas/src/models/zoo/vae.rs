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
//! - `dip-i`, `dip-ii`: distance of the codes' covariance from the identity (Kumar, Sattigeri and Balakrishnan 2018).

use latlas_graph::ops::{Binary, Contraction, Unary};
use latlas_graph::{NodeId, Rows, lower};
use serde::{Deserialize, Serialize};

use super::layers::{affine, total};
use super::{Feed, Likelihood, Model, Networks, Parts, Ramp, Term};
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
    /// Covariance of the posterior means.
    DipI,
    /// Covariance of the codes.
    DipIi,
}

/// A VAE.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Vae {
    /// Number of latents.
    pub latent: usize,
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
    /// Weight of a `capacity` or `dip` penalty (its diagonal has ten times less in `dip-i`, as much in `dip-ii`).
    pub gamma: f64,
    /// The capacity that is reached at last, in nats.
    pub capacity: f64,
    /// Steps over which it rises.
    pub capacity_steps: u64,
}

impl Default for Vae {
    fn default() -> Self {
        Self {
            latent: 2,
            networks: Networks::default(),
            likelihood: Likelihood::default(),
            std: 1.0,
            beta: 1.0,
            warm_up: 0,
            penalty: Penalty::None,
            gamma: 10.0,
            capacity: 25.0,
            capacity_steps: 10_000,
        }
    }
}

/// q(z | x) of a batch.
struct Posterior {
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

    /// KL(q ‖ N(0, I)) of a sample: ½ Σ (μ² + σ² − 1 − log σ²).
    fn rate(&self, p: &mut Parts<'_>, q: &Posterior) -> NodeId {
        let b = &mut p.b;
        let (square, variance) = (b.binary(Binary::Mul, q.mean, q.mean), b.unary(Unary::Exp, q.logvar));
        let sum = b.binary(Binary::Add, square, variance);
        let sum = b.binary(Binary::Sub, sum, q.logvar);
        let sum = total(p, sum);
        let half = lower::times(&mut p.b, sum, 0.5);
        lower::plus(&mut p.b, half, -0.5 * self.latent as f64)
    }

    /// γ Σ_{i≠j} C_ij² + γ' Σ_i (C_ii − 1)² of the covariance C of the codes.
    fn covariance_penalty(&self, p: &mut Parts<'_>, q: &Posterior) -> NodeId {
        let (batch, d) = (p.axis(), self.latent);
        let b = &mut p.b;
        let count = b.count(batch);
        let sum = b.row_sum(q.mean, batch);
        let wide = b.expand(count, &[d]);
        let mean = b.binary(Binary::Div, sum, wide);
        let centred = b.binary(Binary::Sub, q.mean, mean);
        let outer = Contraction { a: vec![0], b: vec![1], out: vec![0, 1], sum_rows: Rows::of(batch) };
        let covariance = b.contract(centred, centred, outer);
        let wide = b.expand(count, &[d, d]);
        let mut covariance = b.binary(Binary::Div, covariance, wide);
        let identity: Vec<f64> = (0..d * d).map(|i| f64::from(u8::from(i % (d + 1) == 0))).collect();
        let identity = b.constant(latlas_graph::Tensor::new([d, d], identity));
        if self.penalty == Penalty::DipIi {
            let variance = b.unary(Unary::Exp, q.logvar);
            let sum = b.row_sum(variance, batch);
            let wide = b.expand(count, &[d]);
            let mean = b.binary(Binary::Div, sum, wide);
            let spread = b.expand(mean, &[d, d]);
            let diagonal = b.binary(Binary::Mul, spread, identity);
            covariance = b.binary(Binary::Add, covariance, diagonal);
        }
        let off = b.binary(Binary::Sub, covariance, identity);
        let square = b.binary(Binary::Mul, off, off);
        let on_diagonal = if self.penalty == Penalty::DipI { 0.1 } else { 1.0 };
        let weights: Vec<f64> = (0..d * d).map(|i| if i % (d + 1) == 0 { on_diagonal } else { 1.0 }).collect();
        let weights = b.constant(latlas_graph::Tensor::new([d, d], weights));
        let weighted = b.binary(Binary::Mul, square, weights);
        total(p, weighted)
    }
}

/// log q(z) − Σ_i log q(z_i) of each sample, by minibatch-weighted sampling: q(z) ≈ Σ_j q(z | x_j) / (N · M).
///
/// The normaliser N · M is left out: it cancels but for (d − 1) · log(N · M), a constant.
fn aggregate_total_correlation(p: &mut Parts<'_>, z: NodeId, q: &Posterior) -> Result<NodeId> {
    let batch = p.axis();
    let size = p.b.graph().axis_size(batch, 1);
    let others = p.b.axis("batch'", size)?;
    let b = &mut p.b;
    let (mean, logvar) = (b.rename(q.mean, batch, others), b.rename(q.logvar, batch, others));
    let difference = b.binary(Binary::Sub, z, mean);
    let negative = b.unary(Unary::Neg, logvar);
    let precision = b.unary(Unary::Exp, negative);
    let square = b.binary(Binary::Mul, difference, difference);
    let scaled = b.binary(Binary::Mul, square, precision);
    let both = b.binary(Binary::Add, scaled, logvar);
    // log q(z_i | x_j) without log 2π, which cancels too.
    let each = lower::times(b, both, -0.5);
    let joint = total(p, each);
    let joint = p.b.stack(joint, others);
    let joint = lower::log_sum_exp(&mut p.b, joint, &[0])?;
    let joint = p.b.reshape(joint, &[]);
    let each = p.b.stack(each, others);
    let product = lower::log_sum_exp(&mut p.b, each, &[0])?;
    let product = total(p, product);
    Ok(p.b.binary(Binary::Sub, joint, product))
}

impl Model for Vae {
    fn check(&self, shape: &[usize]) -> Result<()> {
        let fail = |what: &str| Err(Error::Input { what: what.into(), hint: None });
        if self.latent == 0 {
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
        self.penalty != Penalty::None
    }

    fn terms(&self, p: &mut Parts<'_>, x: NodeId) -> Result<Vec<Term>> {
        let shape = p.b.shape(x).to_vec();
        let q = self.encode(p, x)?;
        let noise = p.input("noise", &[self.latent], Feed::Normal);
        let half = lower::times(&mut p.b, q.logvar, 0.5);
        let spread = p.b.unary(Unary::Exp, half);
        let moved = p.b.binary(Binary::Mul, spread, noise);
        let z = p.b.binary(Binary::Add, q.mean, moved);
        let decoded = self.likelihood.decode(p, &self.networks, z, &shape, self.std)?;
        let reconstruction = decoded.negative_log_likelihood(p, x);
        let rate = self.rate(p, &q);
        let mut terms = vec![Term::new("reconstruction", reconstruction)];
        let beta = Ramp { from: 0.0, to: self.beta, steps: self.warm_up };
        match self.penalty {
            Penalty::None | Penalty::DipI | Penalty::DipIi => terms.push(Term::weighted("rate", rate, beta)),
            Penalty::Capacity => {
                let capacity = p.scheduled("capacity", Ramp { from: 0.0, to: self.capacity, steps: self.capacity_steps });
                let mean = p.mean_over_batch(rate);
                let off = p.b.binary(Binary::Sub, mean, capacity);
                let distance = p.b.unary(Unary::Abs, off);
                terms.push(Term::weighted("rate", rate, Ramp::fixed(0.0)));
                terms.push(Term::weighted("capacity", distance, Ramp::fixed(self.gamma)));
            }
            Penalty::TotalCorrelation => {
                let correlation = aggregate_total_correlation(p, z, &q)?;
                terms.push(Term::new("rate", rate));
                let weight = Ramp { from: 0.0, to: self.beta - 1.0, steps: self.warm_up };
                terms.push(Term::weighted("total-correlation", correlation, weight));
            }
        }
        if matches!(self.penalty, Penalty::DipI | Penalty::DipIi) {
            let penalty = self.covariance_penalty(p, &q);
            terms.push(Term::weighted("covariance", penalty, Ramp::fixed(self.gamma)));
        }
        Ok(terms)
    }

    fn files(&self) -> &'static [&'static str] {
        &["decoder", "encoder"]
    }

    fn file(&self, name: &str, p: &mut Parts<'_>, shape: &[usize]) -> Result<Vec<(String, NodeId)>> {
        if name == "encoder" {
            let x = p.input("x", shape, Feed::Data);
            let q = self.encode(p, x)?;
            return Ok(vec![("z_mean".into(), q.mean), ("z_logvar".into(), q.logvar)]);
        }
        let z = p.input("z", &[self.latent], Feed::Normal);
        let decoded = self.likelihood.decode(p, &self.networks, z, shape, self.std)?;
        Ok(decoded.outputs(p))
    }
}
