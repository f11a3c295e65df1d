//! Scalar functions of one argument.

use super::Kind;

/// A scalar function of one argument.
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

impl Unary {
    /// Linear, pointwise or discrete.
    pub fn kind(self) -> Kind {
        match self {
            Self::Neg => Kind::Linear,
            Self::Floor
            | Self::Ceil
            | Self::RoundEven
            | Self::Trunc
            | Self::Sign
            | Self::Not
            | Self::IsNan
            | Self::IsPosInf
            | Self::IsNegInf => Kind::Discrete,
            _ => Kind::Pointwise,
        }
    }
}
