//! Softmax and its logarithm, over any item axes.

use super::arithmetic::reciprocal;
use super::extremes::max;
use super::reductions::{log_sum, sum};
use crate::ops::{Binary, Unary};
use crate::{Builder, NodeId, Result};

/// eˣ / Σ eˣ over `axes`.
pub fn softmax(b: &mut Builder, x: NodeId, axes: &[usize]) -> Result<NodeId> {
    let lowered = below_largest(b, x, axes)?;
    let powers = b.unary(Unary::Exp, lowered);
    let total = sum(b, powers, axes);
    let scale = reciprocal(b, total);
    let shape = b.shape(x).to_vec();
    let scale = b.expand(scale, &shape);
    Ok(b.binary(Binary::Mul, powers, scale))
}

/// x − log Σ eˣ over `axes`.
pub fn log_softmax(b: &mut Builder, x: NodeId, axes: &[usize]) -> Result<NodeId> {
    let lowered = below_largest(b, x, axes)?;
    let powers = b.unary(Unary::Exp, lowered);
    let log = log_sum(b, powers, axes);
    let shape = b.shape(x).to_vec();
    let log = b.expand(log, &shape);
    Ok(b.binary(Binary::Sub, lowered, log))
}

/// x − max x. The shift cancels in what is made of it, so it carries no tangent.
fn below_largest(b: &mut Builder, x: NodeId, axes: &[usize]) -> Result<NodeId> {
    let shape = b.shape(x).to_vec();
    let largest = max(b, x, axes)?;
    let shift = b.detach(largest);
    let shift = b.expand(shift, &shape);
    Ok(b.binary(Binary::Sub, x, shift))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::trial::{assert_close, run};
    use super::*;

    #[test]
    fn softmax_is_normalised_and_shift_free() {
        let x = [0.1, -2.0, 3.0, 1000.0, 1001.0, 999.5];
        let expected: Vec<f64> = x
            .chunks(3)
            .flat_map(|row| {
                let (m, row) = (row.iter().copied().fold(f64::MIN, f64::max), row.to_vec());
                let total: f64 = row.iter().map(|v| (v - m).exp()).sum();
                row.into_iter().map(move |v| (v - m).exp() / total)
            })
            .collect();
        assert_close(&run(&x, &[2, 3], |b, x| softmax(b, x, &[1])), &expected, 1e-15);
        let logs: Vec<f64> = expected.iter().map(|v| v.ln()).collect();
        assert_close(&run(&x, &[2, 3], |b, x| log_softmax(b, x, &[1])), &logs, 1e-14);
        let total: f64 = run(&x, &[2, 3], |b, x| softmax(b, x, &[0, 1])).iter().sum();
        assert!((total - 1.0).abs() < 1e-15);
    }
}
