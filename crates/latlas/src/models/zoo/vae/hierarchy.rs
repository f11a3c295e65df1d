//! Stochastic layers above the first: p(z₁ … z_L) = N(z_L; 0, I) Π p(z_l | z_{l+1}), q(z₁ … z_L | x) = q(z₁ | x) Π q(z_{l+1} | z_l), every
//! factor normal with a mean and a variance of a perceptron (the deep latent Gaussian models of Rezende, Mohamed and Wierstra 2014).
//!
//! ```text
//! rate = E_q [ Σ_{l<L} log q(z_l | ·) − log p(z_l | z_{l+1}) ] + E_q KL(q(z_L | z_{L−1}) ‖ N(0, I))
//! ```
//!
//! by one draw; the last is exact given what is below. The saved decoder takes the standard normal numbers that all layers are made of, the
//! top layer first: z_L, then ε_l with z_l = μ(z_{l+1}) + σ(z_{l+1}) ε_l. So its prior is N(0, I), as that of any other decoder. The saved
//! encoder gives the mean of these numbers where every layer stands at its mean, and their log-variances there.

use latlas_graph::ops::{Binary, Unary};
use latlas_graph::{NodeId, lower};

use super::{Posterior, Vae, surprisal};
use crate::error::Result;
use crate::models::zoo::Parts;
use crate::models::zoo::layers::{affine, perceptron};

/// The normal law of a layer given its neighbour: `q` upwards, `p` downwards.
fn law(p: &mut Parts<'_>, vae: &Vae, name: &str, given: NodeId, latent: usize) -> Posterior {
    let mut h = given;
    if !vae.networks.hidden.is_empty() {
        h = perceptron(p, name, h, &vae.networks.hidden, vae.networks.activation);
        h = vae.networks.activation.apply(p, h);
    }
    Posterior { mean: affine(p, &format!("{name}.mean"), h, latent), logvar: affine(p, &format!("{name}.logvar"), h, latent) }
}

/// q of layer l (from 0) given layer l − 1.
fn up(p: &mut Parts<'_>, vae: &Vae, l: usize, below: NodeId) -> Posterior {
    law(p, vae, &format!("encoder.layer{l}"), below, vae.layers[l - 1])
}

/// p of layer l given layer l + 1.
fn down(p: &mut Parts<'_>, vae: &Vae, l: usize, above: NodeId) -> Posterior {
    law(p, vae, &format!("decoder.layer{l}"), above, vae.width(l))
}

/// The rate of all layers, of a first layer z drawn from q.
pub fn rate(p: &mut Parts<'_>, vae: &Vae, z: NodeId, q: Posterior) -> NodeId {
    let (mut z, mut q, mut sum) = (z, q, p.b.filled(&[], 0.0));
    for l in 1..=vae.layers.len() {
        let above = up(p, vae, l, z);
        let next = Vae::draw(p, above, &format!("noise{l}"));
        let prior = down(p, vae, l - 1, next);
        // The constants of both cancel.
        let (under_prior, under_posterior) = (surprisal(p, z, prior), surprisal(p, z, q));
        let excess = p.b.binary(Binary::Sub, under_prior, under_posterior);
        sum = p.b.binary(Binary::Add, sum, excess);
        (z, q) = (next, above);
    }
    let top = super::rate(p, q);
    p.b.binary(Binary::Add, sum, top)
}

/// The first layer from the standard normal numbers of all, the top one's first.
pub fn descend(p: &mut Parts<'_>, vae: &Vae, noise: NodeId) -> Result<NodeId> {
    let mut at = 0;
    let mut z = None;
    for l in (0..=vae.layers.len()).rev() {
        let width = vae.width(l);
        let from = at;
        at += width;
        let own = p.b.map(noise, lower::index_map(&[width], |i| Some(from + i[0]))?);
        z = Some(match z {
            None => own,
            Some(above) => {
                let law = down(p, vae, l, above);
                super::moved(p, law, own)
            }
        });
    }
    Ok(z.unwrap_or(noise))
}

/// Mean and log-variance of these numbers given x, every layer at its mean.
pub fn ascend(p: &mut Parts<'_>, vae: &Vae, q: Posterior) -> Posterior {
    let (mut means, mut logvars) = (vec![], vec![]);
    let mut q = q;
    for l in 1..=vae.layers.len() {
        let above = up(p, vae, l, q.mean);
        let prior = down(p, vae, l - 1, above.mean);
        let half = lower::times(&mut p.b, prior.logvar, 0.5);
        let spread = p.b.unary(Unary::Exp, half);
        let difference = p.b.binary(Binary::Sub, q.mean, prior.mean);
        means.push(p.b.binary(Binary::Div, difference, spread));
        logvars.push(p.b.binary(Binary::Sub, q.logvar, prior.logvar));
        q = above;
    }
    means.push(q.mean);
    logvars.push(q.logvar);
    means.reverse();
    logvars.reverse();
    Posterior { mean: p.b.concat(&means, 0), logvar: p.b.concat(&logvars, 0) }
}
