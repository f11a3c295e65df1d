//! The discriminator of FactorVAE (Kim and Mnih 2018): it tells codes of a batch from codes whose columns were shuffled.
//!
//! Where it tells them apart as well as can be, its logit D(z) is log q(z) − Σᵢ log q(zᵢ): the density ratio of the aggregate posterior
//! and the product of its margins. It is a perceptron with leaky rectifiers, as published.

use latlas_graph::ops::{Binary, Unary};
use latlas_graph::{NodeId, lower};

use crate::models::zoo::layers::{Activation, affine, perceptron};
use crate::models::zoo::{ADVERSARY, Feed, Parts};

/// D(z): `[d]` → `[]`.
pub fn logit(p: &mut Parts<'_>, z: NodeId, hidden: &[usize]) -> NodeId {
    let name = format!("{ADVERSARY}discriminator");
    let mut h = z;
    if !hidden.is_empty() {
        h = perceptron(p, &name, h, hidden, Activation::LeakyRelu);
        h = Activation::LeakyRelu.apply(p, h);
    }
    let logit = affine(p, &format!("{name}.logit"), h, 1);
    p.b.reshape(logit, &[])
}

/// ½ log(1 + e^−D(z)) + ½ log(1 + e^D(z̃)) of codes z of a batch and their shuffled z̃.
pub fn loss(p: &mut Parts<'_>, z: NodeId, hidden: &[usize]) -> NodeId {
    let (batch, shape) = (p.axis(), p.b.shape(z).to_vec());
    let all = p.b.stack(z, batch);
    let order = p.input("order", &shape, Feed::Shuffle);
    let shuffled = p.b.take(all, order);
    let (whole, shuffled) = (logit(p, z, hidden), logit(p, shuffled, hidden));
    let minus = p.b.unary(Unary::Neg, whole);
    let (missed, fooled) = (p.b.unary(Unary::Softplus, minus), p.b.unary(Unary::Softplus, shuffled));
    let sum = p.b.binary(Binary::Add, missed, fooled);
    lower::times(&mut p.b, sum, 0.5)
}
