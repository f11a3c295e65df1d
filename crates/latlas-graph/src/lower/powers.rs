//! Powers: products and roots where the exponent is known, the general function elsewhere.

use super::arithmetic::reciprocal;
use super::uniform_constant;
use crate::ops::{Binary, Unary};
use crate::{Builder, NodeId, Result};

/// x².
pub fn square(b: &mut Builder, x: NodeId) -> NodeId {
    b.binary(Binary::Mul, x, x)
}

/// x to a known exponent: products for small integers, √x for one half, their reciprocals for negative ones.
pub fn power(b: &mut Builder, x: NodeId, exponent: f64) -> NodeId {
    if exponent < 0.0 && is_cheap(-exponent) {
        let positive = power(b, x, -exponent);
        return reciprocal(b, positive);
    }
    if exponent == 0.5 {
        return b.unary(Unary::Sqrt, x);
    }
    if !is_cheap(exponent) {
        return b.with_scalar(Binary::Pow, x, exponent);
    }
    if exponent == 0.0 {
        let shape = b.shape(x).to_vec();
        return b.filled(&shape, 1.0);
    }
    // Binary powers from the lowest digit up.
    let (mut left, mut base, mut result) = (exponent as u32, x, None);
    loop {
        if left & 1 == 1 {
            result = Some(result.map_or(base, |r| b.binary(Binary::Mul, r, base)));
        }
        left >>= 1;
        match result {
            Some(result) if left == 0 => return result,
            _ => base = square(b, base),
        }
    }
}

fn is_cheap(exponent: f64) -> bool {
    exponent == 0.5 || (exponent.fract() == 0.0 && (0.0..=8.0).contains(&exponent))
}

/// xʸ of operands that broadcast.
pub fn pow(b: &mut Builder, x: NodeId, y: NodeId) -> Result<NodeId> {
    let parts = b.broadcast(&[x, y])?;
    match uniform_constant(b, y) {
        Some(exponent) => Ok(power(b, parts[0], exponent)),
        None => Ok(b.binary(Binary::Pow, parts[0], parts[1])),
    }
}

#[cfg(test)]
mod tests {
    use super::super::trial::check_pointwise;
    use super::*;

    #[test]
    fn known_exponents_are_the_power_function() {
        for exponent in [-8.0, -3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0, 7.0, 8.0, 9.0, 1.7, -1.7] {
            check_pointwise(&[0.2, 1.0, 3.5], |b, x| power(b, x, exponent), |x| x.powf(exponent));
        }
        for exponent in [-3.0, 0.0, 2.0, 5.0, 9.0] {
            check_pointwise(&[-1.3, -0.1, 2.0], |b, x| power(b, x, exponent), |x| x.powf(exponent));
        }
    }
}
