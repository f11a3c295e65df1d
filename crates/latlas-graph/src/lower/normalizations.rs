//! Normalisations, in inference form: what a network does to the scale of its activations.

use super::arithmetic::{broadcast_binary, plus};
use super::mismatch;
use super::pooling::absolute_power;
use super::powers::{power, square};
use super::reductions::{mean, sum};
use crate::ops::{Binary, Unary};
use crate::{Builder, NodeId, Result};

/// (x − mean) / √(variance + ε) · scale + bias for each entry of `axis`, with known statistics `[C]`.
///
/// Written as x · a + c with a and c made of the parameters alone, which are constants as a rule.
pub fn batch_norm(b: &mut Builder, x: NodeId, axis: usize, [scale, bias, mean, variance]: [NodeId; 4], epsilon: f64) -> Result<NodeId> {
    let shape = b.shape(x).to_vec();
    let mut column = vec![1; shape.len()];
    column[axis] = shape[axis];
    for p in [scale, bias, mean, variance] {
        if b.shape(p).iter().product::<usize>() != shape[axis] {
            return Err(mismatch("parameters of a normalisation", format!("one number for each of {} channels", shape[axis]), b.shape(p)));
        }
    }
    let [scale, bias, mean, variance] = [scale, bias, mean, variance].map(|p| b.reshape(p, &column));
    let spread = plus(b, variance, epsilon);
    let spread = b.unary(Unary::Sqrt, spread);
    let factor = b.binary(Binary::Div, scale, spread);
    let centre = b.binary(Binary::Mul, mean, factor);
    let offset = b.binary(Binary::Sub, bias, centre);
    let scaled = broadcast_binary(b, Binary::Mul, x, factor)?;
    broadcast_binary(b, Binary::Add, scaled, offset)
}

/// (x − m) / √(v + ε) with mean m and variance v over `axes`.
pub fn standardize(b: &mut Builder, x: NodeId, axes: &[usize], epsilon: f64) -> Result<NodeId> {
    let [y, ..] = standardize_with_statistics(b, x, axes, epsilon)?;
    Ok(y)
}

/// As [`standardize`]; also the mean and 1 / √(v + ε), with reduced axes of length one.
pub fn standardize_with_statistics(b: &mut Builder, x: NodeId, axes: &[usize], epsilon: f64) -> Result<[NodeId; 3]> {
    let centre = mean(b, x, axes);
    let centred = broadcast_binary(b, Binary::Sub, x, centre)?;
    let (y, scale) = divide_by_root_mean_square(b, centred, axes, epsilon)?;
    Ok([y, centre, scale])
}

/// x / √(mean x² + ε) over `axes`.
pub fn rms_normalize(b: &mut Builder, x: NodeId, axes: &[usize], epsilon: f64) -> Result<NodeId> {
    Ok(divide_by_root_mean_square(b, x, axes, epsilon)?.0)
}

fn divide_by_root_mean_square(b: &mut Builder, x: NodeId, axes: &[usize], epsilon: f64) -> Result<(NodeId, NodeId)> {
    let squares = square(b, x);
    let size = mean(b, squares, axes);
    let size = plus(b, size, epsilon);
    let scale = power(b, size, -0.5);
    Ok((broadcast_binary(b, Binary::Mul, x, scale)?, scale))
}

/// x · scale + bias; both broadcast to x.
pub fn scale_and_shift(b: &mut Builder, x: NodeId, scale: Option<NodeId>, bias: Option<NodeId>) -> Result<NodeId> {
    let mut y = x;
    for (f, parameter) in [(Binary::Mul, scale), (Binary::Add, bias)] {
        if let Some(parameter) = parameter {
            y = broadcast_binary(b, f, y, parameter)?;
        }
    }
    if b.shape(y) != b.shape(x) {
        return Err(mismatch("scale and bias of a normalisation", format!("shapes that broadcast to {:?}", b.shape(x)), b.shape(y)));
    }
    Ok(y)
}

/// x over `[lead, C, spatial..]` standardised for each image and group of channels.
pub fn group_standardize(b: &mut Builder, x: NodeId, groups: usize, epsilon: f64) -> Result<NodeId> {
    let shape = b.shape(x).to_vec();
    if shape.len() < 2 || groups == 0 || !shape[1].is_multiple_of(groups) {
        return Err(mismatch("item of a group normalisation", format!("channels on axis 1 that fall into {groups} groups"), &shape));
    }
    let rest = shape[1..].iter().product::<usize>() / groups;
    let grouped = b.reshape(x, &[shape[0], groups, rest]);
    let y = standardize(b, grouped, &[2], epsilon)?;
    Ok(b.reshape(y, &shape))
}

/// A parameter `[C]` laid along axis 1 of an item with `rank` axes.
pub fn along_channels(b: &mut Builder, parameter: NodeId, rank: usize) -> Result<NodeId> {
    let &[channels] = b.shape(parameter) else {
        return Err(mismatch("parameter of a normalisation", "one axis", b.shape(parameter)));
    };
    let mut column = vec![1; rank.max(2)];
    column[1] = channels;
    Ok(b.reshape(parameter, &column))
}

/// x / (Σ |x|ᵖ)^(1/p) over `axes`; 0 where the norm is 0.
pub fn lp_normalize(b: &mut Builder, x: NodeId, axes: &[usize], p: f64) -> Result<NodeId> {
    let powers = absolute_power(b, x, p);
    let sums = sum(b, powers, axes);
    // Where all is zero, dividing by one gives zero, and the root is not taken of zero.
    let reduced = b.shape(sums).to_vec();
    let (zero, one) = (b.with_scalar(Binary::Equal, sums, 0.0), b.filled(&reduced, 1.0));
    let safe = b.select(zero, one, sums);
    let norm = power(b, safe, 1.0 / p);
    broadcast_binary(b, Binary::Div, x, norm)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::trial::{assert_close, run};
    use super::*;
    use crate::Tensor;

    fn numbers(n: usize) -> Vec<f64> {
        (0..n).map(|i| (i as f64 * 0.7 + 0.2).sin() * 3.0 + 1.0).collect()
    }

    fn standardized(x: &[f64], epsilon: f64) -> Vec<f64> {
        let m = x.iter().sum::<f64>() / x.len() as f64;
        let v = x.iter().map(|x| (x - m).powi(2)).sum::<f64>() / x.len() as f64;
        x.iter().map(|x| (x - m) / (v + epsilon).sqrt()).collect()
    }

    #[test]
    fn layer_and_group_norms_are_loops() {
        let x = numbers(24);
        let rows: Vec<f64> = x.chunks(4).flat_map(|row| standardized(row, 1e-2)).collect();
        assert_close(&run(&x, &[2, 3, 4], |b, x| standardize(b, x, &[2], 1e-2)), &rows, 1e-13);
        let groups: Vec<f64> = x.chunks(6).flat_map(|row| standardized(row, 1e-2)).collect();
        assert_close(&run(&x, &[1, 8, 3], |b, x| group_standardize(b, x, 4, 1e-2)), &groups, 1e-13);
        let rms: Vec<f64> = x
            .chunks(4)
            .flat_map(|row| row.iter().map(|v| v / (row.iter().map(|v| v * v).sum::<f64>() / 4.0 + 0.1).sqrt()).collect::<Vec<_>>())
            .collect();
        assert_close(&run(&x, &[6, 4], |b, x| rms_normalize(b, x, &[1], 0.1)), &rms, 1e-13);
    }

    #[test]
    fn batch_norm_uses_given_statistics() {
        let (x, p) = (numbers(12), [[2.0, 0.5, -1.0], [0.1, 0.2, 0.3], [1.0, -1.0, 0.0], [4.0, 1.0, 0.25]]);
        let expected: Vec<f64> = x
            .iter()
            .enumerate()
            .map(|(i, x)| {
                let c = i / 2 % 3;
                (x - p[2][c]) / (p[3][c] + 1e-3f64).sqrt() * p[0][c] + p[1][c]
            })
            .collect();
        let got = run(&x, &[2, 3, 2], |b, x| {
            let p = p.map(|p| b.constant(Tensor::new([3], p)));
            batch_norm(b, x, 1, p, 1e-3)
        });
        assert_close(&got, &expected, 1e-14);
    }

    #[test]
    fn lp_normalization_of_zero_is_zero() {
        assert_close(&run(&[3.0, -4.0], &[2], |b, x| lp_normalize(b, x, &[0], 2.0)), &[0.6, -0.8], 1e-15);
        assert_close(&run(&[3.0, -4.0], &[2], |b, x| lp_normalize(b, x, &[0], 1.0)), &[3.0 / 7.0, -4.0 / 7.0], 1e-15);
        assert_eq!(run(&[0.0, 0.0], &[2], |b, x| lp_normalize(b, x, &[0], 2.0)), [0.0, 0.0]);
    }
}
