//! Layers: affine maps, convolutions and the scalar functions between them.

use latlas_graph::lower::{self, Sliding};
use latlas_graph::ops::{Binary, Contraction, Unary};
use latlas_graph::{NodeId, Result, Rows};
use serde::{Deserialize, Serialize};

use super::{Parts, Start};

/// The scalar function between two layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// max(x, 0).
    #[default]
    Relu,
    /// x or 0.2 x.
    LeakyRelu,
    /// tanh x.
    Tanh,
    /// x or eˣ − 1.
    Elu,
    /// x Φ(x).
    Gelu,
    /// x / (1 + e⁻ˣ).
    Silu,
    /// log(1 + eˣ).
    Softplus,
    /// 1 / (1 + e⁻ˣ).
    Sigmoid,
}

impl Activation {
    /// Applies it.
    pub fn apply(self, p: &mut Parts<'_>, x: NodeId) -> NodeId {
        let b = &mut p.b;
        match self {
            Self::Relu => lower::relu(b, x),
            Self::LeakyRelu => lower::leaky_relu(b, x, 0.2),
            Self::Tanh => b.unary(Unary::Tanh, x),
            Self::Elu => lower::elu(b, x, 1.0),
            Self::Gelu => lower::gelu(b, x),
            Self::Silu => lower::silu(b, x, 1.0),
            Self::Softplus => b.unary(Unary::Softplus, x),
            Self::Sigmoid => b.unary(Unary::Sigmoid, x),
        }
    }
}

/// W x + b: `[inputs]` → `[outputs]`; both start uniform within ±1/√inputs.
pub fn affine(p: &mut Parts<'_>, name: &str, x: NodeId, outputs: usize) -> NodeId {
    let inputs = p.b.shape(x).iter().product();
    let start = Start::Uniform(1.0 / (inputs as f64).sqrt());
    let weight = p.parameter(&format!("{name}.weight"), &[outputs, inputs], &start);
    let y = times(p, weight, x);
    biased(p, &format!("{name}.bias"), y, &start)
}

/// W x for W `[outputs, inputs]`.
pub fn times(p: &mut Parts<'_>, weight: NodeId, x: NodeId) -> NodeId {
    let inputs = p.b.shape(x).iter().product();
    let flat = p.b.reshape(x, &[inputs]);
    p.b.contract(flat, weight, Contraction { a: vec![1], b: vec![0, 1], out: vec![0], sum_rows: Rows::NONE })
}

/// x plus a parameter of its shape.
pub fn biased(p: &mut Parts<'_>, name: &str, x: NodeId, start: &Start) -> NodeId {
    let shape = p.b.shape(x).to_vec();
    let bias = p.parameter(name, &shape, start);
    p.b.binary(Binary::Add, x, bias)
}

/// Affine maps to each width in turn, with an activation between them but not after the last.
pub fn perceptron(p: &mut Parts<'_>, name: &str, x: NodeId, widths: &[usize], activation: Activation) -> NodeId {
    let mut h = x;
    for (i, &width) in widths.iter().enumerate() {
        if i > 0 {
            h = activation.apply(p, h);
        }
        h = affine(p, &format!("{name}.{i}"), h, width);
    }
    h
}

/// A perceptron whose last layer starts at zero: what it makes parameters of starts as the identity.
pub fn perceptron_from_zero(p: &mut Parts<'_>, name: &str, x: NodeId, hidden_and_out: &[usize], activation: Activation) -> NodeId {
    let Some((&outputs, hidden)) = hidden_and_out.split_last() else { return x };
    let mut h = x;
    if !hidden.is_empty() {
        h = perceptron(p, name, h, hidden, activation);
        h = activation.apply(p, h);
    }
    let inputs = p.b.shape(h).iter().product();
    let weight = p.parameter(&format!("{name}.last.weight"), &[outputs, inputs], &Start::Filled(0.0));
    let y = times(p, weight, h);
    biased(p, &format!("{name}.last.bias"), y, &Start::Filled(0.0))
}

/// Windows of 4 × 4 with stride 2 and padding 1: they halve or double a picture.
fn halving() -> Sliding {
    Sliding { strides: vec![2; 2], before: vec![1; 2], after: vec![1; 2], ..Sliding::unit(&[4, 4]) }
}

/// A convolution with stride 2: `[C, H, W]` → `[channels, H/2, W/2]`.
///
/// # Errors
/// Sizes that do not halve.
pub fn halve(p: &mut Parts<'_>, name: &str, x: NodeId, channels: usize) -> Result<NodeId> {
    let shape = p.b.shape(x).to_vec();
    let start = Start::Uniform(1.0 / ((shape[0] * 16) as f64).sqrt());
    let weight = p.parameter(&format!("{name}.weight"), &[channels, shape[0], 4, 4], &start);
    let bias = p.parameter(&format!("{name}.bias"), &[channels], &start);
    let picture = p.b.reshape(x, &[1, shape[0], shape[1], shape[2]]);
    let y = lower::conv(&mut p.b, picture, weight, Some(bias), &halving(), 1)?;
    let out = p.b.shape(y)[1..].to_vec();
    Ok(p.b.reshape(y, &out))
}

/// A transposed convolution with stride 2: `[C, H, W]` → `[channels, 2H, 2W]`.
///
/// # Errors
/// Those of the convolution.
pub fn double(p: &mut Parts<'_>, name: &str, x: NodeId, channels: usize) -> Result<NodeId> {
    let shape = p.b.shape(x).to_vec();
    let start = Start::Uniform(1.0 / ((channels * 16) as f64).sqrt());
    let weight = p.parameter(&format!("{name}.weight"), &[shape[0], channels, 4, 4], &start);
    let bias = p.parameter(&format!("{name}.bias"), &[channels], &start);
    let picture = p.b.reshape(x, &[1, shape[0], shape[1], shape[2]]);
    let output = [2 * shape[1], 2 * shape[2]];
    let y = lower::conv_transpose(&mut p.b, picture, weight, Some(bias), &halving(), 1, &output)?;
    let out = p.b.shape(y)[1..].to_vec();
    Ok(p.b.reshape(y, &out))
}

/// The sum of all elements of an item: `[..]` → `[]`.
pub fn total(p: &mut Parts<'_>, x: NodeId) -> NodeId {
    let axes: Vec<usize> = (0..p.b.shape(x).len()).collect();
    let sum = p.b.sum(x, &axes);
    p.b.reshape(sum, &[])
}

/// Σ x² over an item.
pub fn squared_norm(p: &mut Parts<'_>, x: NodeId) -> NodeId {
    let square = p.b.binary(Binary::Mul, x, x);
    total(p, square)
}

/// a + k · b, of items of one shape.
pub fn plus_times(p: &mut Parts<'_>, a: NodeId, k: f64, b: NodeId) -> NodeId {
    let scaled = lower::times(&mut p.b, b, k);
    p.b.binary(Binary::Add, a, scaled)
}
