//! Scalar functions of two arguments.

use super::Kind;

/// A scalar function of two arguments. Comparisons and logic give 0 or 1.
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

impl Binary {
    /// Linear, pointwise, bilinear or discrete.
    pub fn kind(self) -> Kind {
        match self {
            Self::Add | Self::Sub => Kind::Linear,
            Self::Mul | Self::MulAnnihilating => Kind::Bilinear,
            Self::Div | Self::Pow => Kind::Pointwise,
            Self::Less | Self::LessOrEqual | Self::Equal | Self::And | Self::Or | Self::Xor => Kind::Discrete,
        }
    }
}
