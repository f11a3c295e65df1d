//! Scalar functions of two arguments: one table, a line for each.

use super::{Kind, Unary};
use crate::{Builder, NodeId};

/// A scalar function of two arguments; what it is and does stands in its line of [`Binary::TABLE`]. Comparisons and logic
/// give 0 or 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Binary {
    Add,
    Sub,
    Mul,
    /// The product of a cotangent and a derivative: 0 · anything = 0, so that a branch not taken cannot poison one that is.
    MulAnnihilating,
    Div,
    Pow,
    Less,
    LessOrEqual,
    Equal,
    And,
    Or,
    Xor,
}

/// How the derivative for one argument (0 or 1) is written: from the arguments and y = f(a, b).
pub type BinaryRule = fn(&mut Builder, usize, [NodeId; 2], NodeId) -> NodeId;

/// One line of [`Binary::TABLE`].
#[derive(Debug)]
pub struct BinaryFunction {
    /// The function.
    pub f: Binary,
    /// Its name.
    pub name: &'static str,
    /// Linear, pointwise, bilinear or discrete.
    pub kind: Kind,
    /// Whether its value or its derivative jumps somewhere.
    pub kink: bool,
    /// For each argument an interval on which the function is smooth: where tests take their points.
    pub intervals: [(f64, f64); 2],
    /// The function itself.
    pub apply: fn(f64, f64) -> f64,
    /// Its derivatives; `None` where the function is discrete.
    pub derivative: Option<BinaryRule>,
}

use Kind::{Bilinear, Discrete, Linear, Pointwise};

const fn line(
    f: Binary,
    name: &'static str,
    kind: Kind,
    intervals: [(f64, f64); 2],
    apply: fn(f64, f64) -> f64,
    derivative: Option<BinaryRule>,
) -> BinaryFunction {
    BinaryFunction { f, name, kind, kink: matches!(kind, Discrete), intervals, apply, derivative }
}

const ANY: [(f64, f64); 2] = [(-2.0, 2.0), (-2.0, 2.0)];
const APART: [(f64, f64); 2] = [(0.2, 1.0), (1.5, 2.0)];

impl Binary {
    /// All functions, in the order of the enumeration.
    #[rustfmt::skip]
    pub const TABLE: &'static [BinaryFunction] = &[
        line(Self::Add, "add", Linear, ANY, |a, b| a + b, Some(|b, _, [x, _], _| b.filled_like(x, 1.0))),
        line(Self::Sub, "sub", Linear, ANY, |a, b| a - b, Some(|b, i, [x, _], _| b.filled_like(x, if i == 0 { 1.0 } else { -1.0 }))),
        line(Self::Mul, "mul", Bilinear, ANY, |a, b| a * b, Some(|_, i, operands, _| operands[1 - i])),
        line(Self::MulAnnihilating, "mul_annihilating", Bilinear, ANY, mul_annihilating, Some(|_, i, operands, _| operands[1 - i])),
        line(Self::Div, "div", Pointwise, [(-2.0, 2.0), (0.5, 2.0)], |a, b| a / b, Some(div_slope)),
        line(Self::Pow, "pow", Pointwise, [(0.5, 2.0), (-2.0, 2.0)], f64::powf, Some(pow_slope)),
        line(Self::Less, "less", Discrete, APART, |a, b| f64::from(a < b), None),
        line(Self::LessOrEqual, "less_or_equal", Discrete, APART, |a, b| f64::from(a <= b), None),
        line(Self::Equal, "equal", Discrete, APART, |a, b| f64::from(a == b), None),
        line(Self::And, "and", Discrete, APART, |a, b| f64::from(a != 0.0 && b != 0.0), None),
        line(Self::Or, "or", Discrete, APART, |a, b| f64::from(a != 0.0 || b != 0.0), None),
        line(Self::Xor, "xor", Discrete, APART, |a, b| f64::from((a != 0.0) != (b != 0.0)), None),
    ];

    /// The function's line in the table.
    pub fn function(self) -> &'static BinaryFunction {
        &Self::TABLE[self as usize]
    }

    /// Linear, pointwise, bilinear or discrete.
    pub fn kind(self) -> Kind {
        self.function().kind
    }

    /// f(a, b).
    pub fn apply(self, a: f64, b: f64) -> f64 {
        (self.function().apply)(a, b)
    }

    /// Whether the arguments can be exchanged without changing a bit.
    pub fn is_commutative(self) -> bool {
        !matches!(self, Self::Sub | Self::Div | Self::Pow | Self::Less | Self::LessOrEqual)
    }
}

fn mul_annihilating(a: f64, b: f64) -> f64 {
    if a == 0.0 || b == 0.0 { 0.0 } else { a * b }
}

/// 1/b and −(a/b)/b.
fn div_slope(b: &mut Builder, argument: usize, [_, denominator]: [NodeId; 2], y: NodeId) -> NodeId {
    if argument == 0 {
        let one = b.filled_like(denominator, 1.0);
        return b.binary(Binary::Div, one, denominator);
    }
    let slope = b.binary(Binary::Div, y, denominator);
    b.unary(Unary::Neg, slope)
}

/// p · x^(p−1) and x^p · log x, the latter 0 where x is.
fn pow_slope(b: &mut Builder, argument: usize, [x, p]: [NodeId; 2], y: NodeId) -> NodeId {
    if argument == 0 {
        let less = b.with_scalar(Binary::Sub, p, 1.0);
        let power = b.binary(Binary::Pow, x, less);
        return b.binary(Binary::Mul, p, power);
    }
    let log = b.unary(Unary::Log, x);
    b.binary(Binary::MulAnnihilating, y, log)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_discrete_functions_have_no_derivative() {
        for (i, line) in Binary::TABLE.iter().enumerate() {
            assert_eq!(line.f as usize, i, "{}", line.name);
            assert_eq!(line.derivative.is_none(), line.kind == Discrete, "{}", line.name);
        }
    }

    #[test]
    fn zero_annihilates_what_is_not_finite() {
        for x in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(Binary::MulAnnihilating.apply(0.0, x), 0.0);
            assert_eq!(Binary::MulAnnihilating.apply(x, -0.0), 0.0);
        }
        assert!(Binary::MulAnnihilating.apply(1.0, f64::NAN).is_nan());
    }

    #[test]
    fn commutative_functions_commute() {
        for line in Binary::TABLE.iter().filter(|l| l.f.is_commutative()) {
            for (a, b) in [(0.0, 2.5), (-1.5, 3.0), (1.0, 1.0)] {
                assert_eq!(line.f.apply(a, b).to_bits(), line.f.apply(b, a).to_bits(), "{}", line.name);
            }
        }
    }
}
