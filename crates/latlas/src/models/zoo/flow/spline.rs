//! Monotone rational-quadratic splines (Durkan, Bekasov, Murray and Papamakarios 2019): K bins on [−B, B], the identity
//! outside.
//!
//! With θ = (x − x_k)/w_k and the slope s_k = h_k/w_k of a bin,
//!
//! ```text
//! y = y_k + h_k (s_k θ² + δ_k θ(1−θ)) / (s_k + (δ_{k+1} + δ_k − 2 s_k) θ(1−θ))
//! ```
//!
//! and the inverse is the root of a quadratic. Which bin an argument lies in is found by comparisons, which carry no tangent.

use latlas_graph::lower;
use latlas_graph::ops::{Binary, Unary};
use latlas_graph::{Builder, NodeId, Tensor};

use crate::error::Result;

/// Least width and height of a bin, as a share, and least slope at a knot.
const LEAST: f64 = 1e-3;

/// A spline for each of m values: its knots as nodes.
pub struct Spline {
    values: usize,
    bins: usize,
    bound: f64,
    /// `[m, K]` each.
    widths: NodeId,
    heights: NodeId,
    /// `[m, K + 1]` each.
    x_knots: NodeId,
    y_knots: NodeId,
    slopes: NodeId,
}

/// The parts of the bins that arguments lie in, `[m]` each.
struct Bin {
    inside: NodeId,
    w: NodeId,
    h: NodeId,
    x: NodeId,
    y: NodeId,
    left: NodeId,
    right: NodeId,
}

impl Spline {
    /// Free parameters for each value: widths, heights and the slopes at inner knots.
    pub fn parameters(bins: usize) -> usize {
        3 * bins - 1
    }

    /// The splines of raw parameters `[m · (3K − 1)]`.
    pub fn new(b: &mut Builder, raw: NodeId, values: usize, bins: usize, bound: f64) -> Result<Self> {
        let each = Self::parameters(bins);
        let raw = b.reshape(raw, &[values, each]);
        let part = |b: &mut Builder, from: usize, len: usize| {
            let map = lower::index_map(&[values, len], |at| Some(at[0] * each + from + at[1]))?;
            Ok::<_, latlas_graph::Error>(b.map(raw, map))
        };
        let (widths, heights, inner) = (part(b, 0, bins)?, part(b, bins, bins)?, part(b, 2 * bins, bins - 1)?);
        let (widths, x_knots) = knots(b, widths, bound)?;
        let (heights, y_knots) = knots(b, heights, bound)?;
        let soft = b.unary(Unary::Softplus, inner);
        // A raw parameter of 0 is a slope of 1: the identity where all are 0.
        let soft = lower::times(b, soft, (1.0 - LEAST) / std::f64::consts::LN_2);
        let inner = lower::plus(b, soft, LEAST);
        let one = b.filled(&[values, 1], 1.0);
        let slopes = b.concat(&[one, inner, one], 1);
        Ok(Self { values, bins, bound, widths, heights, x_knots, y_knots, slopes })
    }

    /// The bins of arguments `[m]` among the given knots.
    fn find(&self, b: &mut Builder, argument: NodeId, knots: NodeId) -> Result<(Bin, NodeId)> {
        let (m, k) = (self.values, self.bins);
        let shape = [m, k - 1];
        let inner = b.map(knots, lower::index_map(&shape, |at| Some(at[0] * (k + 1) + at[1] + 1))?);
        let column = b.reshape(argument, &[m, 1]);
        let wide = b.expand(column, &shape);
        let passed = b.binary(Binary::LessOrEqual, inner, wide);
        let count = b.sum(passed, &[1]);
        let count = b.reshape(count, &[m]);
        let at = |b: &mut Builder, table: NodeId, row: usize, shift: f64| {
            let base: Vec<f64> = (0..m).map(|i| (i * row) as f64 + shift).collect();
            let base = b.constant(Tensor::new([m], base));
            let index = b.binary(Binary::Add, count, base);
            b.take(table, index)
        };
        let size = b.unary(Unary::Abs, argument);
        let bound = b.filled(&[m], self.bound);
        let inside = b.binary(Binary::Less, size, bound);
        let bin = Bin {
            inside,
            w: at(b, self.widths, k, 0.0),
            h: at(b, self.heights, k, 0.0),
            x: at(b, self.x_knots, k + 1, 0.0),
            y: at(b, self.y_knots, k + 1, 0.0),
            left: at(b, self.slopes, k + 1, 0.0),
            right: at(b, self.slopes, k + 1, 1.0),
        };
        // Outside, any argument within does: the branch is not taken.
        let clipped = lower::clip_to(b, argument, -self.bound, self.bound);
        Ok((bin, clipped))
    }

    /// y and log dy/dx, `[m]` each.
    pub fn forward(&self, b: &mut Builder, x: NodeId) -> Result<(NodeId, NodeId)> {
        let (bin, inside) = self.find(b, x, self.x_knots)?;
        let offset = b.binary(Binary::Sub, inside, bin.x);
        let theta = b.binary(Binary::Div, offset, bin.w);
        let s = b.binary(Binary::Div, bin.h, bin.w);
        let (mixed, denominator) = bin.denominator(b, theta, s);
        let square = b.binary(Binary::Mul, theta, theta);
        let (rise, bend) = (b.binary(Binary::Mul, s, square), b.binary(Binary::Mul, bin.left, mixed));
        let numerator = b.binary(Binary::Add, rise, bend);
        let share = b.binary(Binary::Div, numerator, denominator);
        let step = b.binary(Binary::Mul, bin.h, share);
        let y = b.binary(Binary::Add, bin.y, step);
        let slope = bin.log_slope(b, theta, s);
        let zero = b.filled(&[self.values], 0.0);
        Ok((b.select(bin.inside, y, x), b.select(bin.inside, slope, zero)))
    }

    /// x and log dx/dy, `[m]` each.
    pub fn inverse(&self, b: &mut Builder, y: NodeId) -> Result<(NodeId, NodeId)> {
        let (bin, inside) = self.find(b, y, self.y_knots)?;
        let s = b.binary(Binary::Div, bin.h, bin.w);
        let offset = b.binary(Binary::Sub, inside, bin.y);
        let sum = b.binary(Binary::Add, bin.left, bin.right);
        let twice = lower::times(b, s, 2.0);
        let excess = b.binary(Binary::Sub, sum, twice);
        let pull = b.binary(Binary::Mul, offset, excess);
        let gap = b.binary(Binary::Sub, s, bin.left);
        let (scaled_gap, scaled_left) = (b.binary(Binary::Mul, bin.h, gap), b.binary(Binary::Mul, bin.h, bin.left));
        let qa = b.binary(Binary::Add, scaled_gap, pull);
        let qb = b.binary(Binary::Sub, scaled_left, pull);
        let product = b.binary(Binary::Mul, s, offset);
        let qc = b.unary(Unary::Neg, product);
        let (b_square, ac) = (b.binary(Binary::Mul, qb, qb), b.binary(Binary::Mul, qa, qc));
        let four = lower::times(b, ac, 4.0);
        let discriminant = b.binary(Binary::Sub, b_square, four);
        let zero = b.filled(&[self.values], 0.0);
        let tiny = b.filled(&[self.values], 1e-30);
        // Rounding may leave it slightly below zero.
        let is_bad = b.binary(Binary::LessOrEqual, discriminant, zero);
        let discriminant = b.select(is_bad, tiny, discriminant);
        let root = b.unary(Unary::Sqrt, discriminant);
        let denominator = b.binary(Binary::Add, qb, root);
        let denominator = b.unary(Unary::Neg, denominator);
        let twice = lower::times(b, qc, 2.0);
        let theta = b.binary(Binary::Div, twice, denominator);
        let step = b.binary(Binary::Mul, theta, bin.w);
        let x = b.binary(Binary::Add, step, bin.x);
        let slope = bin.log_slope(b, theta, s);
        let slope = b.unary(Unary::Neg, slope);
        Ok((b.select(bin.inside, x, y), b.select(bin.inside, slope, zero)))
    }
}

impl Bin {
    /// θ(1 − θ), and s + (δ_{k+1} + δ_k − 2s) θ(1 − θ).
    fn denominator(&self, b: &mut Builder, theta: NodeId, s: NodeId) -> (NodeId, NodeId) {
        let square = b.binary(Binary::Mul, theta, theta);
        let mixed = b.binary(Binary::Sub, theta, square);
        let sum = b.binary(Binary::Add, self.left, self.right);
        let twice = lower::times(b, s, 2.0);
        let excess = b.binary(Binary::Sub, sum, twice);
        let bend = b.binary(Binary::Mul, excess, mixed);
        (mixed, b.binary(Binary::Add, s, bend))
    }

    /// log dy/dx = 2 log s + log(δ_{k+1} θ² + 2 s θ(1−θ) + δ_k (1−θ)²) − 2 log(denominator).
    fn log_slope(&self, b: &mut Builder, theta: NodeId, s: NodeId) -> NodeId {
        let (mixed, denominator) = self.denominator(b, theta, s);
        let square = b.binary(Binary::Mul, theta, theta);
        let first = b.binary(Binary::Mul, self.right, square);
        let middle = b.binary(Binary::Mul, s, mixed);
        let middle = lower::times(b, middle, 2.0);
        let minus = b.unary(Unary::Neg, theta);
        let rest = lower::plus(b, minus, 1.0);
        let rest = b.binary(Binary::Mul, rest, rest);
        let last = b.binary(Binary::Mul, self.left, rest);
        let sum = b.binary(Binary::Add, first, middle);
        let sum = b.binary(Binary::Add, sum, last);
        let (log_s, log_sum, log_denominator) = (b.unary(Unary::Log, s), b.unary(Unary::Log, sum), b.unary(Unary::Log, denominator));
        let difference = b.binary(Binary::Sub, log_s, log_denominator);
        let twice = lower::times(b, difference, 2.0);
        b.binary(Binary::Add, twice, log_sum)
    }
}

/// Sizes of the bins `[m, K]` from raw parameters, and the knots between them `[m, K + 1]` from −B to B.
fn knots(b: &mut Builder, raw: NodeId, bound: f64) -> Result<(NodeId, NodeId)> {
    let (m, k) = (b.shape(raw)[0], b.shape(raw)[1]);
    let shares = lower::softmax(b, raw, &[1])?;
    let scaled = lower::times(b, shares, 2.0 * bound * (1.0 - LEAST * k as f64));
    let sizes = lower::plus(b, scaled, 2.0 * bound * LEAST);
    let sums = lower::cumulative_sum(b, sizes, 1, false, false)?;
    let first = b.filled(&[m, 1], 0.0);
    let all = b.concat(&[first, sums], 1);
    Ok((sizes, lower::plus(b, all, -bound)))
}
