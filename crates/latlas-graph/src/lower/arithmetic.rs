//! Arithmetic of several operands that broadcast, and division of integers.

use super::uniform_constant;
use crate::ops::{Binary, Unary};
use crate::{Builder, Error, NodeId, Op, Result};

/// f(x, y) after expanding both to their common shape.
pub fn broadcast_binary(b: &mut Builder, f: Binary, x: NodeId, y: NodeId) -> Result<NodeId> {
    let parts = b.broadcast(&[x, y])?;
    Ok(b.binary(f, parts[0], parts[1]))
}

/// k · x.
pub fn times(b: &mut Builder, x: NodeId, k: f64) -> NodeId {
    if k == 1.0 { x } else { b.with_scalar(Binary::Mul, x, k) }
}

/// x + k.
pub fn plus(b: &mut Builder, x: NodeId, k: f64) -> NodeId {
    if k == 0.0 { x } else { b.with_scalar(Binary::Add, x, k) }
}

/// 1 / x.
pub fn reciprocal(b: &mut Builder, x: NodeId) -> NodeId {
    let shape = b.shape(x).to_vec();
    let one = b.filled(&shape, 1.0);
    b.binary(Binary::Div, one, x)
}

/// The sum of one or more operands.
pub fn sum_of(b: &mut Builder, parts: &[NodeId]) -> Result<NodeId> {
    fold(b, parts, |b, x, y| b.binary(Binary::Add, x, y))
}

/// The mean of one or more operands.
pub fn mean_of(b: &mut Builder, parts: &[NodeId]) -> Result<NodeId> {
    let sum = sum_of(b, parts)?;
    Ok(times(b, sum, 1.0 / parts.len() as f64))
}

/// The largest of one or more operands; NaN wins, equal ones go to the first.
pub fn max_of(b: &mut Builder, parts: &[NodeId]) -> Result<NodeId> {
    fold(b, parts, |b, x, y| {
        let mask = b.binary(Binary::Less, x, y);
        choose(b, mask, x, y)
    })
}

/// The smallest of one or more operands; NaN wins, equal ones go to the first.
pub fn min_of(b: &mut Builder, parts: &[NodeId]) -> Result<NodeId> {
    fold(b, parts, |b, x, y| {
        let mask = b.binary(Binary::Less, y, x);
        choose(b, mask, x, y)
    })
}

/// y where the mask says so or y is NaN, else x (which may be NaN: comparisons with it are false).
fn choose(b: &mut Builder, mask: NodeId, x: NodeId, y: NodeId) -> NodeId {
    let never_nan = matches!(&b.graph().node(y).op, Op::Constant(c) if (0..c.len()).all(|i| !c.at(i).is_nan()));
    let mask = if never_nan {
        mask
    } else {
        let nan = b.unary(Unary::IsNan, y);
        b.binary(Binary::Or, mask, nan)
    };
    b.select(mask, y, x)
}

fn fold(b: &mut Builder, parts: &[NodeId], mut f: impl FnMut(&mut Builder, NodeId, NodeId) -> NodeId) -> Result<NodeId> {
    let parts = b.broadcast(parts)?;
    let (&first, rest) = parts.split_first().ok_or_else(|| Error::Graph { what: "a sum or an extreme of no operands".into() })?;
    Ok(rest.iter().fold(first, |x, &y| f(b, x, y)))
}

/// x / y of integers, truncated towards zero. Exact while they are below 2⁵³ (2²⁴ in single precision).
pub fn integer_div(b: &mut Builder, x: NodeId, y: NodeId) -> Result<NodeId> {
    let quotient = broadcast_binary(b, Binary::Div, x, y)?;
    Ok(b.unary(Unary::Trunc, quotient))
}

/// x − ⌊x/y⌋ · y: the remainder with the sign of y.
pub fn floor_mod(b: &mut Builder, x: NodeId, y: NodeId) -> Result<NodeId> {
    remainder(b, x, y, Unary::Floor)
}

/// x − trunc(x/y) · y: the remainder with the sign of x, C's `fmod`.
pub fn fmod(b: &mut Builder, x: NodeId, y: NodeId) -> Result<NodeId> {
    remainder(b, x, y, Unary::Trunc)
}

fn remainder(b: &mut Builder, x: NodeId, y: NodeId, round: Unary) -> Result<NodeId> {
    let parts = b.broadcast(&[x, y])?;
    let quotient = b.binary(Binary::Div, parts[0], parts[1]);
    let quotient = b.unary(round, quotient);
    // Where y is not contained in x at all the remainder is x, even if y is infinite.
    let whole = b.binary(Binary::Mul, quotient, parts[1]);
    let shape = b.shape(whole).to_vec();
    let zero = b.filled(&shape, 0.0);
    let whole = b.select(quotient, whole, zero);
    Ok(b.binary(Binary::Sub, parts[0], whole))
}

/// x · 2^y of unsigned integers of `bits` bits, what is shifted out is lost.
pub fn shift_left(b: &mut Builder, x: NodeId, y: NodeId, bits: u32) -> Result<NodeId> {
    let parts = b.broadcast(&[x, y])?;
    let factor = power_of_two(b, parts[1]);
    let product = b.binary(Binary::Mul, parts[0], factor);
    let modulus = b.filled(&[], 2f64.powi(bits as i32));
    floor_mod(b, product, modulus)
}

/// ⌊x / 2^y⌋.
pub fn shift_right(b: &mut Builder, x: NodeId, y: NodeId) -> Result<NodeId> {
    let parts = b.broadcast(&[x, y])?;
    let factor = power_of_two(b, parts[1]);
    let quotient = b.binary(Binary::Div, parts[0], factor);
    Ok(b.unary(Unary::Floor, quotient))
}

fn power_of_two(b: &mut Builder, y: NodeId) -> NodeId {
    let shape = b.shape(y).to_vec();
    if let Some(k) = uniform_constant(b, y) {
        return b.filled(&shape, k.exp2());
    }
    let two = b.filled(&shape, 2.0);
    b.binary(Binary::Pow, two, y)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::trial::run;
    use super::*;

    fn with_constant(x: &[f64], y: &[f64], f: fn(&mut Builder, NodeId, NodeId) -> Result<NodeId>) -> Vec<f64> {
        run(x, &[x.len()], |b, x| {
            let y = b.constant(crate::Tensor::new([y.len()], y.to_vec()));
            f(b, x, y)
        })
    }

    #[test]
    fn remainders_have_the_right_sign() {
        let (x, y) = ([-4.0, 7.0, 5.0, 4.0, -7.0, 8.0, -6.0], [2.0, -3.0, 8.0, -2.0, 3.0, 5.0, 4.0]);
        assert_eq!(with_constant(&x, &y, floor_mod), [0.0, -2.0, 5.0, 0.0, 2.0, 3.0, 2.0]);
        assert_eq!(with_constant(&x, &y, fmod), [0.0, 1.0, 5.0, 0.0, -1.0, 3.0, -2.0]);
        assert_eq!(with_constant(&x, &y, integer_div), [-2.0, -2.0, 0.0, -2.0, -2.0, 1.0, -1.0]);
        assert_eq!(with_constant(&[3.0, -3.0], &[f64::INFINITY; 2], fmod), [3.0, -3.0]);
        assert!(with_constant(&[1.0], &[0.0], floor_mod)[0].is_nan());
        // The hardest quotient: one below a multiple, next to the largest exact integer.
        let big = 9_007_199_254_740_991.0;
        assert_eq!(with_constant(&[big - 1.0], &[big], integer_div), [0.0]);
        assert_eq!(with_constant(&[big], &[6361.0 * 69431.0], floor_mod), [0.0]);
    }

    #[test]
    fn shifts_lose_what_leaves_the_word() {
        let left = |b: &mut Builder, x, y| shift_left(b, x, y, 8);
        assert_eq!(with_constant(&[16.0, 4.0, 255.0], &[1.0, 2.0, 3.0], left), [32.0, 16.0, 248.0]);
        assert_eq!(with_constant(&[16.0, 4.0, 1.0], &[1.0, 2.0, 3.0], shift_right), [8.0, 1.0, 0.0]);
    }

    #[test]
    fn extremes_of_several_keep_nan() {
        let nan = f64::NAN;
        let y = run(&[1.0, nan, 3.0, 2.0], &[4], |b, x| {
            let c = b.constant(crate::Tensor::new([4], [2.0, 1.0, nan, 2.0]));
            let one = b.filled(&[], 1.5);
            max_of(b, &[x, c, one])
        });
        assert!(y[0] == 2.0 && y[1].is_nan() && y[2].is_nan() && y[3] == 2.0, "{y:?}");
        let y = run(&[1.0, nan, 3.0], &[3], |b, x| {
            let twice = times(b, x, 2.0);
            let one = b.filled(&[], 1.5);
            min_of(b, &[one, x, twice])
        });
        assert!(y[0] == 1.0 && y[1].is_nan() && y[2] == 1.5, "{y:?}");
        assert_eq!(run(&[1.0, 5.0], &[2], |b, x| mean_of(b, &[x, x, x])), [1.0, 5.0]);
    }
}
