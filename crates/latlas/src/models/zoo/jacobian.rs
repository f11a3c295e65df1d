//! What may be asked of the Jacobian J `[D, d]` of a decoder at the codes of the data, as a term of the loss.
//!
//! With the metric G = JᵀJ + r·I, r the `ridge`:
//!
//! ```text
//! orthogonal-columns   ½ (Σᵢ log Gᵢᵢ − log det G)     nats; 0 where columns are orthogonal
//! condition            d log(tr G / d) − log det G    nats; 0 where all singular values of J are equal
//! isometry             ‖G − I‖² / d                   0 where lengths are kept
//! ```
//!
//! The first is the contrast of independent mechanism analysis (Gresele et al. 2021), which is the pointwise total correlation of manifold
//! entropies. The second is the logarithm of Kaporin's condition number (Kaporin 1994): smooth where the ratio of the extreme singular
//! values has kinks, and zero exactly where that ratio is 1. The third is that of isometric autoencoders (Gropp, Atzmon and Lipman 2020).
//!
//! J is the pushforward of the decoder, a part of the graph of the loss, and the gradient its reverse mode: reverse over forward. All d
//! tangents are pushed, so a step costs about d more decodings; the determinant is an elimination of d steps in the graph.

use latlas_graph::ops::{Binary, Contraction, Unary};
use latlas_graph::transform::jvp;
use latlas_graph::{NodeId, Rows, Tensor, lower};
use serde::{Deserialize, Serialize};

use super::layers::{squared_norm, total};
use super::{Parts, Ramp, Term};
use crate::error::{Error, Result};

/// The term.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JacobianPenalty {
    /// Nothing is asked.
    #[default]
    None,
    /// Columns are orthogonal.
    OrthogonalColumns,
    /// All directions are stretched alike.
    Condition,
    /// Lengths are kept.
    Isometry,
}

/// The term and its weight.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Jacobian {
    /// What is asked.
    pub penalty: JacobianPenalty,
    /// Its weight in the loss.
    pub weight: f64,
    /// Added to the diagonal of the metric in `orthogonal-columns` and `condition`, so that a latent that moves nothing keeps the loss finite.
    pub ridge: f64,
}

impl Default for Jacobian {
    fn default() -> Self {
        Self { penalty: JacobianPenalty::None, weight: 1.0, ridge: 1e-6 }
    }
}

impl Jacobian {
    /// The term for data x `[..]` that were decoded from z `[d]`; `None` where nothing is asked.
    ///
    /// # Errors
    /// The number of row axes is limited.
    pub fn term(&self, p: &mut Parts<'_>, z: NodeId, x: NodeId) -> Result<Option<Term>> {
        if self.penalty == JacobianPenalty::None {
            return Ok(None);
        }
        let metric = metric(p, z, x)?;
        let d = p.b.shape(z)[0];
        let value = if self.penalty == JacobianPenalty::Isometry {
            let identity = scaled_identity(p, d, 1.0);
            let off = p.b.binary(Binary::Sub, metric, identity);
            let square = squared_norm(p, off);
            lower::times(&mut p.b, square, 1.0 / d as f64)
        } else {
            let ridge = scaled_identity(p, d, self.ridge);
            let metric = p.b.binary(Binary::Add, metric, ridge);
            let diagonal = p.b.map(metric, lower::index_map(&[d], |at| Some(at[0] * (d + 1)))?);
            let log_det = log_det(p, metric)?;
            if self.penalty == JacobianPenalty::OrthogonalColumns {
                let logs = p.b.unary(Unary::Log, diagonal);
                let sum = total(p, logs);
                let excess = p.b.binary(Binary::Sub, sum, log_det);
                lower::times(&mut p.b, excess, 0.5)
            } else {
                let trace = total(p, diagonal);
                let mean = lower::times(&mut p.b, trace, 1.0 / d as f64);
                let log = p.b.unary(Unary::Log, mean);
                let all = lower::times(&mut p.b, log, d as f64);
                p.b.binary(Binary::Sub, all, log_det)
            }
        };
        Ok(Some(Term::weighted("jacobian", value, Ramp::fixed(self.weight))))
    }
}

/// The tangents of x where z moves along seeds.
///
/// # Errors
/// An x that does not depend on z.
pub(super) fn pushed(p: &mut Parts<'_>, z: NodeId, seeds: NodeId, x: NodeId) -> Result<NodeId> {
    let apart = || Error::State { what: "the Jacobian of what is decoded is zero everywhere".into(), hint: None };
    jvp(&mut p.b, &[(z, seeds)], &[x])?.remove(0).ok_or_else(apart)
}

/// JᵀJ `[d, d]` of x at z.
fn metric(p: &mut Parts<'_>, z: NodeId, x: NodeId) -> Result<NodeId> {
    let d = p.b.shape(z)[0];
    let (axis, other) = (p.b.axis("tangent", d)?, p.b.axis("tangent'", d)?);
    let seeds = p.b.unit_seeds(axis, &[d]);
    let columns = pushed(p, z, seeds, x)?;
    let size = p.b.shape(columns).iter().product();
    let columns = p.b.reshape(columns, &[size]);
    // One Jacobian: its second name is a view.
    let others = p.b.rename(columns, axis, other);
    let products = p.b.contract(columns, others, Contraction { a: vec![0], b: vec![0], out: vec![], sum_rows: Rows::NONE });
    let row = p.b.stack(products, axis);
    Ok(p.b.stack(row, other))
}

/// k · I `[d, d]`.
fn scaled_identity(p: &mut Parts<'_>, d: usize, k: f64) -> NodeId {
    let values = (0..d * d).map(|i| if i % (d + 1) == 0 { k } else { 0.0 }).collect::<Vec<_>>();
    p.b.constant(Tensor::new([d, d], values))
}

/// log det of a positive definite matrix `[d, d]`: the logarithms of the pivots of its elimination, which needs no exchange of rows.
fn log_det(p: &mut Parts<'_>, matrix: NodeId) -> Result<NodeId> {
    let mut rest = matrix;
    let mut sum = p.b.filled(&[], 0.0);
    for m in (1..=p.b.shape(matrix)[0]).rev() {
        let pivot = p.b.map(rest, lower::index_map(&[], |_| Some(0))?);
        let log = p.b.unary(Unary::Log, pivot);
        sum = p.b.binary(Binary::Add, sum, log);
        if m == 1 {
            break;
        }
        let column = p.b.map(rest, lower::index_map(&[m - 1], |at| Some((at[0] + 1) * m))?);
        let inner = p.b.map(rest, lower::index_map(&[m - 1, m - 1], |at| Some((at[0] + 1) * m + at[1] + 1))?);
        let wide = p.b.expand(pivot, &[m - 1]);
        let share = p.b.binary(Binary::Div, column, wide);
        let outer = p.b.contract(column, share, Contraction { a: vec![0], b: vec![1], out: vec![0, 1], sum_rows: Rows::NONE });
        rest = p.b.binary(Binary::Sub, inner, outer);
    }
    Ok(sum)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::models::zoo::{Feed, Parameters};

    /// Terms of x = W z by hand: W = (1 1; 0 1; 0 0), so G = (1 1; 1 2) with determinant 1.
    #[test]
    fn terms_of_a_linear_map() {
        let truths = [
            (JacobianPenalty::OrthogonalColumns, 0.5 * 2.0_f64.ln()),
            (JacobianPenalty::Condition, 2.0 * 1.5_f64.ln()),
            (JacobianPenalty::Isometry, 1.5),
        ];
        for (penalty, truth) in truths {
            let mut parameters = Parameters::new(0);
            let mut p = Parts::file(&mut parameters);
            let z = p.input("z", &[2], Feed::Normal);
            let w = p.b.constant(Tensor::new([3, 2], vec![1.0, 1.0, 0.0, 1.0, 0.0, 0.0]));
            let x = super::super::layers::times(&mut p, w, z);
            let jacobian = Jacobian { penalty, ridge: 0.0, ..Jacobian::default() };
            let term = jacobian.term(&mut p, z, x).unwrap().unwrap();
            let graph = p.finish(vec![("term".into(), term.value)]).0;
            let found = latlas_graph::evaluate::evaluate(&graph, 1, &[vec![0.3, -0.2]]).unwrap()[0][0];
            assert!((found - truth).abs() < 1e-12, "{penalty:?}: {found}, not {truth}");
        }
    }
}
