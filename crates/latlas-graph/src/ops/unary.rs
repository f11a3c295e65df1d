//! Scalar functions of one argument: one table, a line for each.

use super::{Binary, Kind};
use crate::{Builder, NodeId};

/// A scalar function of one argument; what it is and does stands in its line of [`Unary::TABLE`].
///
/// What is delicate near a limit (`log1p`, `softplus`, `tanh` …) is a function of its own and not a composition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Unary {
    Neg,
    Abs,
    Exp,
    Expm1,
    Log,
    Log1p,
    Sqrt,
    Tanh,
    Sigmoid,
    Softplus,
    Erf,
    Sin,
    Cos,
    Tan,
    Asin,
    Acos,
    Atan,
    Sinh,
    Cosh,
    Asinh,
    Acosh,
    Atanh,
    Floor,
    Ceil,
    RoundEven,
    Trunc,
    Sign,
    Not,
    IsNan,
    IsPosInf,
    IsNegInf,
}

/// How the derivative of a function of one argument is written: from x and y = f(x), in terms of other operations.
pub type UnaryRule = fn(&mut Builder, NodeId, NodeId) -> NodeId;

/// One line of [`Unary::TABLE`].
#[derive(Debug)]
pub struct UnaryFunction {
    /// The function.
    pub f: Unary,
    /// Its name.
    pub name: &'static str,
    /// Linear, pointwise or discrete.
    pub kind: Kind,
    /// Whether its value or its derivative jumps somewhere.
    pub kink: bool,
    /// An interval on which it is smooth, with room to either side: where tests take their points.
    pub interval: (f64, f64),
    /// The function itself.
    pub apply: fn(f64) -> f64,
    /// Its derivative; `None` where the function is discrete.
    pub derivative: Option<UnaryRule>,
}

use Kind::{Discrete, Linear, Pointwise};

const fn line(
    f: Unary,
    name: &'static str,
    kind: Kind,
    kink: bool,
    interval: (f64, f64),
    apply: fn(f64) -> f64,
    derivative: Option<UnaryRule>,
) -> UnaryFunction {
    UnaryFunction { f, name, kind, kink, interval, apply, derivative }
}

impl Unary {
    /// All functions, in the order of the enumeration.
    #[rustfmt::skip]
    pub const TABLE: &'static [UnaryFunction] = &[
        line(Self::Neg, "neg", Linear, false, (-2.0, 2.0), |x| -x, Some(|b, x, _| b.filled_like(x, -1.0))),
        line(Self::Abs, "abs", Pointwise, true, (0.2, 2.0), f64::abs, Some(|b, x, _| b.unary(Self::Sign, x))),
        line(Self::Exp, "exp", Pointwise, false, (-2.0, 2.0), f64::exp, Some(|_, _, y| y)),
        line(Self::Expm1, "expm1", Pointwise, false, (-2.0, 2.0), f64::exp_m1, Some(|b, x, _| b.unary(Self::Exp, x))),
        line(Self::Log, "log", Pointwise, false, (0.3, 3.0), f64::ln, Some(|b, x, _| reciprocal(b, x))),
        line(Self::Log1p, "log1p", Pointwise, false, (-0.6, 2.0), f64::ln_1p, Some(|b, x, _| { let s = b.with_scalar(Binary::Add, x, 1.0); reciprocal(b, s) })),
        line(Self::Sqrt, "sqrt", Pointwise, false, (0.3, 3.0), f64::sqrt, Some(|b, _, y| { let half = b.filled_like(y, 0.5); b.binary(Binary::Div, half, y) })),
        line(Self::Tanh, "tanh", Pointwise, false, (-2.0, 2.0), f64::tanh, Some(|b, _, y| one_minus_square(b, y))),
        line(Self::Sigmoid, "sigmoid", Pointwise, false, (-3.0, 3.0), sigmoid, Some(|b, _, y| { let rest = from_one(b, Binary::Sub, y); b.binary(Binary::Mul, y, rest) })),
        line(Self::Softplus, "softplus", Pointwise, false, (-3.0, 3.0), softplus, Some(|b, x, _| b.unary(Self::Sigmoid, x))),
        line(Self::Erf, "erf", Pointwise, false, (-2.0, 2.0), erf, Some(erf_slope)),
        line(Self::Sin, "sin", Pointwise, false, (-2.0, 2.0), f64::sin, Some(|b, x, _| b.unary(Self::Cos, x))),
        line(Self::Cos, "cos", Pointwise, false, (-2.0, 2.0), f64::cos, Some(|b, x, _| { let s = b.unary(Self::Sin, x); b.unary(Self::Neg, s) })),
        line(Self::Tan, "tan", Pointwise, false, (-1.0, 1.0), f64::tan, Some(|b, _, y| one_plus_square(b, y))),
        line(Self::Asin, "asin", Pointwise, false, (-0.7, 0.7), f64::asin, Some(|b, x, _| { let s = one_minus_square(b, x); reciprocal_root(b, s) })),
        line(Self::Acos, "acos", Pointwise, false, (-0.7, 0.7), f64::acos, Some(|b, x, _| { let s = one_minus_square(b, x); let r = reciprocal_root(b, s); b.unary(Self::Neg, r) })),
        line(Self::Atan, "atan", Pointwise, false, (-2.0, 2.0), f64::atan, Some(|b, x, _| { let s = one_plus_square(b, x); reciprocal(b, s) })),
        line(Self::Sinh, "sinh", Pointwise, false, (-2.0, 2.0), f64::sinh, Some(|b, x, _| b.unary(Self::Cosh, x))),
        line(Self::Cosh, "cosh", Pointwise, false, (-2.0, 2.0), f64::cosh, Some(|b, x, _| b.unary(Self::Sinh, x))),
        line(Self::Asinh, "asinh", Pointwise, false, (-2.0, 2.0), f64::asinh, Some(|b, x, _| { let s = one_plus_square(b, x); reciprocal_root(b, s) })),
        line(Self::Acosh, "acosh", Pointwise, false, (1.4, 3.0), f64::acosh, Some(|b, x, _| { let s = one_minus_square(b, x); let s = b.unary(Self::Neg, s); reciprocal_root(b, s) })),
        line(Self::Atanh, "atanh", Pointwise, false, (-0.7, 0.7), f64::atanh, Some(|b, x, _| { let s = one_minus_square(b, x); reciprocal(b, s) })),
        line(Self::Floor, "floor", Discrete, true, (0.2, 0.8), f64::floor, None),
        line(Self::Ceil, "ceil", Discrete, true, (0.2, 0.8), f64::ceil, None),
        line(Self::RoundEven, "round", Discrete, true, (0.6, 1.4), f64::round_ties_even, None),
        line(Self::Trunc, "trunc", Discrete, true, (0.2, 0.8), f64::trunc, None),
        line(Self::Sign, "sign", Discrete, true, (0.2, 2.0), sign, None),
        line(Self::Not, "not", Discrete, true, (0.2, 2.0), |x| f64::from(x == 0.0), None),
        line(Self::IsNan, "is_nan", Discrete, true, (-2.0, 2.0), |x| f64::from(x.is_nan()), None),
        line(Self::IsPosInf, "is_pos_inf", Discrete, true, (-2.0, 2.0), |x| f64::from(x == f64::INFINITY), None),
        line(Self::IsNegInf, "is_neg_inf", Discrete, true, (-2.0, 2.0), |x| f64::from(x == f64::NEG_INFINITY), None),
    ];

    /// The function's line in the table.
    pub fn function(self) -> &'static UnaryFunction {
        &Self::TABLE[self as usize]
    }

    /// Linear, pointwise or discrete.
    pub fn kind(self) -> Kind {
        self.function().kind
    }

    /// f(x).
    pub fn apply(self, x: f64) -> f64 {
        (self.function().apply)(x)
    }
}

fn reciprocal(b: &mut Builder, x: NodeId) -> NodeId {
    from_one(b, Binary::Div, x)
}

fn reciprocal_root(b: &mut Builder, x: NodeId) -> NodeId {
    let root = b.unary(Unary::Sqrt, x);
    reciprocal(b, root)
}

/// `1 ∘ x` for a binary function ∘.
fn from_one(b: &mut Builder, f: Binary, x: NodeId) -> NodeId {
    let one = b.filled_like(x, 1.0);
    b.binary(f, one, x)
}

/// (1 − x)(1 + x), which keeps its digits near ±1 where 1 − x² would not.
fn one_minus_square(b: &mut Builder, x: NodeId) -> NodeId {
    let (minus, plus) = (from_one(b, Binary::Sub, x), b.with_scalar(Binary::Add, x, 1.0));
    b.binary(Binary::Mul, minus, plus)
}

fn one_plus_square(b: &mut Builder, x: NodeId) -> NodeId {
    let square = b.binary(Binary::Mul, x, x);
    b.with_scalar(Binary::Add, square, 1.0)
}

/// 2/√π · exp(−x²).
fn erf_slope(b: &mut Builder, x: NodeId, _: NodeId) -> NodeId {
    let square = b.binary(Binary::Mul, x, x);
    let square = b.unary(Unary::Neg, square);
    let bell = b.unary(Unary::Exp, square);
    b.with_scalar(Binary::Mul, bell, std::f64::consts::FRAC_2_SQRT_PI)
}

fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 { 1.0 / (1.0 + (-x).exp()) } else { x.exp() / (1.0 + x.exp()) }
}

fn softplus(x: f64) -> f64 {
    // Written so that NaN stays NaN.
    (if x < 0.0 { 0.0 } else { x }) + (-x.abs()).exp().ln_1p()
}

fn sign(x: f64) -> f64 {
    if x == 0.0 || x.is_nan() { x } else { x.signum() }
}

/// The error function to about one unit in the last place: Abramowitz & Stegun 7.1.6 below 2.5, the continued fraction
/// 7.1.14 for its complement above.
fn erf(x: f64) -> f64 {
    let a = x.abs();
    let value = if a.is_nan() {
        a
    } else if a < 2.5 {
        let (mut term, mut sum, mut n) = (a, a, 0.0);
        while term > sum * 1e-18 {
            n += 1.0;
            term *= 2.0 * a * a / (2.0 * n + 1.0);
            sum += term;
        }
        std::f64::consts::FRAC_2_SQRT_PI * (-a * a).exp() * sum
    } else {
        let fraction = (1..=60).rev().fold(a, |tail, k| a + f64::from(k) / 2.0 / tail);
        1.0 - (-a * a).exp() * std::f64::consts::FRAC_2_SQRT_PI / 2.0 / fraction
    };
    value.copysign(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_discrete_functions_have_no_derivative() {
        for (i, line) in Unary::TABLE.iter().enumerate() {
            assert_eq!(line.f as usize, i, "{}", line.name);
            assert_eq!(line.derivative.is_none(), line.kind == Discrete, "{}", line.name);
        }
    }

    #[test]
    fn the_error_function_has_its_tabulated_values() {
        // Abramowitz & Stegun, table 7.1, and more digits from 50-digit arithmetic.
        let table = [
            (0.1, 0.112_462_916_018_284_89),
            (0.5, 0.520_499_877_813_046_5),
            (1.0, 0.842_700_792_949_714_9),
            (2.0, 0.995_322_265_018_952_7),
            (2.5, 0.999_593_047_982_555),
            (3.0, 0.999_977_909_503_001_4),
            (4.0, 0.999_999_984_582_742_1),
        ];
        for (x, y) in table {
            assert!((erf(x) - y).abs() < 4e-16, "erf({x}) = {}, not {y}", erf(x));
            assert_eq!(erf(-x).to_bits(), (-erf(x)).to_bits());
        }
        assert_eq!(erf(0.0), 0.0);
        assert_eq!(erf(f64::INFINITY), 1.0);
        assert!(erf(f64::NAN).is_nan());
    }

    #[test]
    fn stable_functions_hold_at_the_limits() {
        assert_eq!(sigmoid(-1000.0), 0.0);
        assert_eq!(sigmoid(1000.0), 1.0);
        assert_eq!(softplus(1000.0), 1000.0);
        assert!(softplus(-700.0) > 0.0);
        assert!(softplus(f64::NAN).is_nan() && sign(f64::NAN).is_nan());
    }
}
