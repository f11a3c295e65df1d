//! Activation functions, element by element.
//!
//! Piecewise ones select by a mask; NaN passes through. At a kink the derivative is that of the flat or left piece, as in
//! the common frameworks (the derivative of ReLU at 0 is 0; a clipped value on its bound has derivative 1).

use super::arithmetic::{broadcast_binary, plus, times};
use crate::ops::{Binary, Unary};
use crate::{Builder, NodeId, Result};

/// max(x, 0).
pub fn relu(b: &mut Builder, x: NodeId) -> NodeId {
    thresholded_relu(b, x, 0.0)
}

/// x where x > α, else 0.
pub fn thresholded_relu(b: &mut Builder, x: NodeId, alpha: f64) -> NodeId {
    let off = b.with_scalar(Binary::LessOrEqual, x, alpha);
    let zero = zeros(b, x);
    b.select(off, zero, x)
}

/// x where x ≥ 0, else α · x.
pub fn leaky_relu(b: &mut Builder, x: NodeId, alpha: f64) -> NodeId {
    let negative = b.with_scalar(Binary::Less, x, 0.0);
    let scaled = times(b, x, alpha);
    b.select(negative, scaled, x)
}

/// x where x ≥ 0, else slope · x; the slope broadcasts to x.
pub fn prelu(b: &mut Builder, x: NodeId, slope: NodeId) -> Result<NodeId> {
    let scaled = broadcast_binary(b, Binary::Mul, x, slope)?;
    let shape = b.shape(scaled).to_vec();
    let x = b.expand(x, &shape);
    let negative = b.with_scalar(Binary::Less, x, 0.0);
    Ok(b.select(negative, scaled, x))
}

/// x where x > 0, else α (eˣ − 1).
pub fn elu(b: &mut Builder, x: NodeId, alpha: f64) -> NodeId {
    exponential_below_zero(b, x, 1.0, alpha)
}

/// γ · x where x > 0, else γ · α (eˣ − 1).
pub fn selu(b: &mut Builder, x: NodeId, alpha: f64, gamma: f64) -> NodeId {
    let y = elu(b, x, alpha);
    times(b, y, gamma)
}

/// x where x > 0, else α (e^(x/α) − 1).
pub fn celu(b: &mut Builder, x: NodeId, alpha: f64) -> NodeId {
    exponential_below_zero(b, x, 1.0 / alpha, alpha)
}

/// x where x > 0, else α (e^(rate · x) − 1); the exponential sees min(x, 0), so it cannot overflow.
fn exponential_below_zero(b: &mut Builder, x: NodeId, rate: f64, alpha: f64) -> NodeId {
    let negative = b.with_scalar(Binary::LessOrEqual, x, 0.0);
    let zero = zeros(b, x);
    let safe = b.select(negative, x, zero);
    let scaled = times(b, safe, rate);
    let y = b.unary(Unary::Expm1, scaled);
    let y = times(b, y, alpha);
    b.select(negative, y, x)
}

/// x · Φ(x) with the normal distribution function Φ(x) = (1 + erf(x/√2)) / 2.
pub fn gelu(b: &mut Builder, x: NodeId) -> NodeId {
    let scaled = times(b, x, std::f64::consts::FRAC_1_SQRT_2);
    let erf = b.unary(Unary::Erf, scaled);
    let one = plus(b, erf, 1.0);
    let half = times(b, x, 0.5);
    b.binary(Binary::Mul, half, one)
}

/// ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))), written as x · σ(2 √(2/π) (x + 0.044715 x³)).
pub fn gelu_tanh(b: &mut Builder, x: NodeId) -> NodeId {
    let square = b.binary(Binary::Mul, x, x);
    let inner = times(b, square, 0.044_715);
    let inner = plus(b, inner, 1.0);
    let inner = b.binary(Binary::Mul, x, inner);
    let inner = times(b, inner, 2.0 * (2.0 / std::f64::consts::PI).sqrt());
    let gate = b.unary(Unary::Sigmoid, inner);
    b.binary(Binary::Mul, x, gate)
}

/// x · σ(α x): SiLU for α = 1, Swish.
pub fn silu(b: &mut Builder, x: NodeId, alpha: f64) -> NodeId {
    let scaled = times(b, x, alpha);
    let gate = b.unary(Unary::Sigmoid, scaled);
    b.binary(Binary::Mul, x, gate)
}

/// x · tanh(softplus(x)).
pub fn mish(b: &mut Builder, x: NodeId) -> NodeId {
    let soft = b.unary(Unary::Softplus, x);
    let gate = b.unary(Unary::Tanh, soft);
    b.binary(Binary::Mul, x, gate)
}

/// α x + β, clipped to \[0, 1\].
pub fn hard_sigmoid(b: &mut Builder, x: NodeId, alpha: f64, beta: f64) -> NodeId {
    let line = times(b, x, alpha);
    let line = plus(b, line, beta);
    clip_to(b, line, 0.0, 1.0)
}

/// x · clip(x/6 + 1/2, 0, 1).
pub fn hard_swish(b: &mut Builder, x: NodeId) -> NodeId {
    let gate = hard_sigmoid(b, x, 1.0 / 6.0, 0.5);
    b.binary(Binary::Mul, x, gate)
}

/// x / (1 + |x|).
pub fn softsign(b: &mut Builder, x: NodeId) -> NodeId {
    let size = b.unary(Unary::Abs, x);
    let size = plus(b, size, 1.0);
    b.binary(Binary::Div, x, size)
}

/// x + bias where x < −λ, x − bias where x > λ, else 0.
pub fn shrink(b: &mut Builder, x: NodeId, lambda: f64, bias: f64) -> NodeId {
    let zero = zeros(b, x);
    let (up, down) = (plus(b, x, bias), plus(b, x, -bias));
    let below = b.with_scalar(Binary::Less, x, -lambda);
    let inside = b.with_scalar(Binary::LessOrEqual, x, lambda);
    let right = b.select(inside, zero, down);
    b.select(below, up, right)
}

/// x no less than `low` and then no more than `high`, where they are given; they broadcast to x.
pub fn clip(b: &mut Builder, x: NodeId, low: Option<NodeId>, high: Option<NodeId>) -> Result<NodeId> {
    let mut y = x;
    for (bound, is_low) in [(low, true), (high, false)] {
        let Some(bound) = bound else { continue };
        let parts = b.broadcast(&[y, bound])?;
        let (a, c) = if is_low { (parts[0], parts[1]) } else { (parts[1], parts[0]) };
        let outside = b.binary(Binary::Less, a, c);
        y = b.select(outside, parts[1], parts[0]);
    }
    Ok(y)
}

/// x clipped to two numbers.
pub fn clip_to(b: &mut Builder, x: NodeId, low: f64, high: f64) -> NodeId {
    let shape = b.shape(x).to_vec();
    let (lower, upper) = (b.filled(&shape, low), b.filled(&shape, high));
    let below = b.binary(Binary::Less, x, lower);
    let y = b.select(below, lower, x);
    let above = b.binary(Binary::Less, upper, y);
    b.select(above, upper, y)
}

/// Zeros in the shape of x.
fn zeros(b: &mut Builder, x: NodeId) -> NodeId {
    let shape = b.shape(x).to_vec();
    b.filled(&shape, 0.0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::trial::{check_pointwise, run};
    use super::*;

    const POINTS: [f64; 12] = [-800.0, -40.0, -3.2, -1.0, -1e-9, 0.0, 1e-9, 0.3, 1.0, 2.9, 40.0, 800.0];

    #[test]
    fn every_activation_is_its_formula() {
        check_pointwise(&POINTS, relu, |x| x.max(0.0));
        check_pointwise(&POINTS, |b, x| thresholded_relu(b, x, 1.0), |x| if x > 1.0 { x } else { 0.0 });
        check_pointwise(&POINTS, |b, x| leaky_relu(b, x, 0.1), |x| if x < 0.0 { 0.1 * x } else { x });
        check_pointwise(&POINTS, |b, x| elu(b, x, 1.5), |x| if x > 0.0 { x } else { 1.5 * x.exp_m1() });
        check_pointwise(&POINTS, |b, x| selu(b, x, 1.6, 1.05), |x| 1.05 * if x > 0.0 { x } else { 1.6 * x.exp_m1() });
        check_pointwise(&POINTS, |b, x| celu(b, x, 2.0), |x| if x > 0.0 { x } else { 2.0 * (x / 2.0).exp_m1() });
        check_pointwise(&POINTS, |b, x| silu(b, x, 1.0), |x| x / (1.0 + (-x).exp()));
        check_pointwise(&POINTS, |b, x| silu(b, x, 1.7), |x| x / (1.0 + (-1.7 * x).exp()));
        check_pointwise(&POINTS, mish, |x| x * (x.max(0.0) + (-x.abs()).exp().ln_1p()).tanh());
        check_pointwise(&POINTS, |b, x| hard_sigmoid(b, x, 0.2, 0.5), |x| (0.2 * x + 0.5).clamp(0.0, 1.0));
        check_pointwise(&POINTS, hard_swish, |x| x * (x / 6.0 + 0.5).clamp(0.0, 1.0));
        check_pointwise(&POINTS, softsign, |x| x / (1.0 + x.abs()));
        check_pointwise(&POINTS, |b, x| clip_to(b, x, -1.0, 2.0), |x| x.clamp(-1.0, 2.0));
        let shrunk = |x: f64| {
            if x < -1.5 {
                x + 0.5
            } else if x > 1.5 {
                x - 0.5
            } else {
                0.0
            }
        };
        check_pointwise(&POINTS, |b, x| shrink(b, x, 1.5, 0.5), shrunk);
    }

    #[test]
    fn gelu_matches_tabulated_values() {
        // x Φ(x) to 16 digits, from a table of the normal distribution.
        let (points, exact) = ([-1.0, 0.0, 0.5, 2.0], [-0.158_655_253_931_457_05, 0.0, 0.345_731_230_637_006_56, 1.954_499_736_103_641_6]);
        let got = run(&points, &[4], |b, x| Ok(gelu(b, x)));
        got.iter().zip(exact).for_each(|(a, e)| assert!((a - e).abs() < 1e-15, "{a} {e}"));
        let tanh_form = |x: f64| 0.5 * x * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3))).tanh());
        check_pointwise(&[-5.0, -1.0, 0.0, 0.5, 2.0, 30.0], gelu_tanh, tanh_form);
    }

    #[test]
    fn nan_passes_through_piecewise_functions() {
        type Activation = fn(&mut Builder, NodeId) -> NodeId;
        let all: [Activation; 6] = [
            relu,
            hard_swish,
            |b, x| leaky_relu(b, x, 0.1),
            |b, x| elu(b, x, 1.0),
            |b, x| clip_to(b, x, 0.0, 1.0),
            |b, x| thresholded_relu(b, x, 1.0),
        ];
        for f in all {
            assert!(run(&[f64::NAN], &[1], |b, x| Ok(f(b, x)))[0].is_nan());
        }
    }

    #[test]
    fn prelu_and_clip_broadcast() {
        let y = run(&[-1.0, 2.0, -3.0, -4.0], &[2, 2], |b, x| {
            let slope = b.constant(crate::Tensor::new([2], [0.5, 0.25]));
            prelu(b, x, slope)
        });
        assert_eq!(y, [-0.5, 2.0, -1.5, -1.0]);
        let y = run(&[-1.0, 2.0, 9.0], &[3], |b, x| {
            let (low, high) = (b.filled(&[], 5.0), b.filled(&[], 4.0));
            clip(b, x, Some(low), Some(high))
        });
        assert_eq!(y, [4.0; 3], "the upper bound wins");
    }
}
