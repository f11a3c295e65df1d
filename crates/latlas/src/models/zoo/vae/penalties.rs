//! What is added to the bound, from the codes of a whole batch.

use latlas_graph::ops::{Binary, Contraction, Unary};
use latlas_graph::{NodeId, Rows, lower};

use super::{Penalty, Posterior};
use crate::error::Result;
use crate::models::zoo::Parts;
use crate::models::zoo::layers::total;

/// γ Σ_{i≠j} C_ij² + γ' Σ_i (C_ii − 1)² of the covariance C of the codes.
pub fn covariance(p: &mut Parts<'_>, q: Posterior, penalty: Penalty) -> NodeId {
    let (batch, d) = (p.axis(), p.b.shape(q.mean)[0]);
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
    if penalty == Penalty::DipIi {
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
    let on_diagonal = if penalty == Penalty::DipI { 0.1 } else { 1.0 };
    let weights: Vec<f64> = (0..d * d).map(|i| if i % (d + 1) == 0 { on_diagonal } else { 1.0 }).collect();
    let weights = b.constant(latlas_graph::Tensor::new([d, d], weights));
    let weighted = b.binary(Binary::Mul, square, weights);
    total(p, weighted)
}

/// log q(z) − Σ_i log q(z_i) of each sample, by minibatch-weighted sampling: q(z) ≈ Σ_j q(z | x_j) / (N · M).
///
/// The normaliser N · M is left out: it cancels but for (d − 1) · log(N · M), a constant.
pub fn aggregate_total_correlation(p: &mut Parts<'_>, z: NodeId, q: Posterior) -> Result<NodeId> {
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
