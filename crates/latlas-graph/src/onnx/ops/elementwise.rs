//! Operators that work element by element: functions of one number, arithmetic, comparisons and logic.

use super::super::call::Call;
use super::super::dtype::Dtype;
use super::super::value::{BatchAxis, Value};
use super::Entry;
use crate::ops::{Binary, Unary};
use crate::{Builder, Kind, NodeId, Result, lower};

const LINEAR: Option<Kind> = Some(Kind::Linear);
const POINTWISE: Option<Kind> = Some(Kind::Pointwise);
const BILINEAR: Option<Kind> = Some(Kind::Bilinear);
const DISCRETE: Option<Kind> = Some(Kind::Discrete);

/// The operators of this file.
pub const TABLE: &[Entry] = &[
    Entry::new("Neg", LINEAR, |c| unary(c, Unary::Neg)),
    Entry::kinked("Abs", POINTWISE, |c| unary(c, Unary::Abs)),
    Entry::new("Exp", POINTWISE, |c| unary(c, Unary::Exp)),
    Entry::new("Log", POINTWISE, |c| unary(c, Unary::Log)),
    Entry::new("Sqrt", POINTWISE, |c| unary(c, Unary::Sqrt)),
    Entry::new("Tanh", POINTWISE, |c| unary(c, Unary::Tanh)),
    Entry::new("Sigmoid", POINTWISE, |c| unary(c, Unary::Sigmoid)),
    Entry::new("Softplus", POINTWISE, |c| unary(c, Unary::Softplus)),
    Entry::new("Erf", POINTWISE, |c| unary(c, Unary::Erf)),
    Entry::new("Sin", POINTWISE, |c| unary(c, Unary::Sin)),
    Entry::new("Cos", POINTWISE, |c| unary(c, Unary::Cos)),
    Entry::new("Tan", POINTWISE, |c| unary(c, Unary::Tan)),
    Entry::new("Asin", POINTWISE, |c| unary(c, Unary::Asin)),
    Entry::new("Acos", POINTWISE, |c| unary(c, Unary::Acos)),
    Entry::new("Atan", POINTWISE, |c| unary(c, Unary::Atan)),
    Entry::new("Sinh", POINTWISE, |c| unary(c, Unary::Sinh)),
    Entry::new("Cosh", POINTWISE, |c| unary(c, Unary::Cosh)),
    Entry::new("Asinh", POINTWISE, |c| unary(c, Unary::Asinh)),
    Entry::new("Acosh", POINTWISE, |c| unary(c, Unary::Acosh)),
    Entry::new("Atanh", POINTWISE, |c| unary(c, Unary::Atanh)),
    Entry::new("Reciprocal", None, |c| map(c, lower::reciprocal)),
    Entry::kinked("Floor", DISCRETE, |c| unary(c, Unary::Floor)),
    Entry::kinked("Ceil", DISCRETE, |c| unary(c, Unary::Ceil)),
    Entry::kinked("Round", DISCRETE, |c| unary(c, Unary::RoundEven)),
    Entry::kinked("Sign", DISCRETE, |c| unary(c, Unary::Sign)),
    Entry::new("Not", DISCRETE, |c| predicate(c, |b, x| b.unary(Unary::Not, x))),
    Entry::new("IsNaN", DISCRETE, |c| predicate(c, |b, x| b.unary(Unary::IsNan, x))),
    Entry::new("IsInf", DISCRETE, is_inf),
    Entry::new("Add", LINEAR, |c| binary(c, Binary::Add)),
    Entry::new("Sub", LINEAR, |c| binary(c, Binary::Sub)),
    Entry::new("Mul", BILINEAR, |c| binary(c, Binary::Mul)),
    Entry::new("Div", POINTWISE, divide),
    Entry::new("Pow", None, pow),
    Entry::kinked("Mod", None, modulo),
    Entry::new("BitShift", DISCRETE, bit_shift),
    Entry::new("Sum", LINEAR, |c| several(c, lower::sum_of)),
    Entry::new("Mean", LINEAR, |c| several(c, lower::mean_of)),
    Entry::kinked("Max", None, |c| several(c, lower::max_of)),
    Entry::kinked("Min", None, |c| several(c, lower::min_of)),
    Entry::new("Less", DISCRETE, |c| compare(c, Binary::Less, false)),
    Entry::new("LessOrEqual", DISCRETE, |c| compare(c, Binary::LessOrEqual, false)),
    Entry::new("Greater", DISCRETE, |c| compare(c, Binary::Less, true)),
    Entry::new("GreaterOrEqual", DISCRETE, |c| compare(c, Binary::LessOrEqual, true)),
    Entry::new("Equal", DISCRETE, |c| compare(c, Binary::Equal, false)),
    Entry::new("And", DISCRETE, |c| compare(c, Binary::And, false)),
    Entry::new("Or", DISCRETE, |c| compare(c, Binary::Or, false)),
    Entry::new("Xor", DISCRETE, |c| compare(c, Binary::Xor, false)),
];

/// A composite of one argument, element by element.
pub(super) fn map(call: &mut Call<'_>, f: impl FnOnce(&mut Builder, NodeId) -> NodeId) -> Result<Vec<Value>> {
    let (x, dtype, batch) = (call.node(0)?, call.dtype(0)?, call.batch(0)?);
    let y = f(call.b, x);
    call.result(y, dtype, batch)
}

fn unary(call: &mut Call<'_>, f: Unary) -> Result<Vec<Value>> {
    map(call, |b, x| b.unary(f, x))
}

/// As [`map`], with truth values as the result.
fn predicate(call: &mut Call<'_>, f: impl FnOnce(&mut Builder, NodeId) -> NodeId) -> Result<Vec<Value>> {
    let (x, batch) = (call.node(0)?, call.batch(0)?);
    let y = f(call.b, x);
    call.result(y, Dtype::Bool, batch)
}

fn is_inf(call: &mut Call<'_>) -> Result<Vec<Value>> {
    let (positive, negative) = (call.flag("detect_positive", true)?, call.flag("detect_negative", true)?);
    predicate(call, |b, x| {
        let shape = b.shape(x).to_vec();
        match (positive, negative) {
            (true, true) => {
                let (up, down) = (b.unary(Unary::IsPosInf, x), b.unary(Unary::IsNegInf, x));
                b.binary(Binary::Or, up, down)
            }
            (true, false) => b.unary(Unary::IsPosInf, x),
            (false, true) => b.unary(Unary::IsNegInf, x),
            (false, false) => b.filled(&shape, 0.0),
        }
    })
}

/// Both operands, expanded to their common shape. Before operator set 7 an attribute could align the second one elsewhere.
fn operands(call: &mut Call<'_>) -> Result<(Vec<NodeId>, Option<BatchAxis>)> {
    let aligned = call.shape(0)?.len() as i64 - call.shape(1)?.len() as i64;
    if call.opset < 7 && ![-1, aligned].contains(&call.int("axis", -1)?) {
        return Err(call.unsupported("its operands are aligned by the attribute `axis`, as before operator set 7"));
    }
    call.broadcast(&[0, 1])
}

/// A composite of two operands of equal shape, of the first one's type.
fn pair(call: &mut Call<'_>, f: impl FnOnce(&mut Builder, NodeId, NodeId) -> Result<NodeId>) -> Result<Vec<Value>> {
    let (nodes, batch) = operands(call)?;
    let y = f(call.b, nodes[0], nodes[1])?;
    call.result(y, call.dtype(0)?, batch)
}

fn binary(call: &mut Call<'_>, f: Binary) -> Result<Vec<Value>> {
    pair(call, |b, x, y| Ok(b.binary(f, x, y)))
}

/// Integers are divided towards zero.
fn divide(call: &mut Call<'_>) -> Result<Vec<Value>> {
    if call.dtype(0)?.is_float() { binary(call, Binary::Div) } else { pair(call, lower::integer_div) }
}

/// The result has the type of the base: an integer base with a broken exponent is truncated.
fn pow(call: &mut Call<'_>) -> Result<Vec<Value>> {
    let broken = !call.dtype(0)?.is_float();
    pair(call, |b, x, y| {
        let power = lower::pow(b, x, y)?;
        Ok(if broken { b.unary(Unary::Trunc, power) } else { power })
    })
}

fn modulo(call: &mut Call<'_>) -> Result<Vec<Value>> {
    let fmod = call.flag("fmod", false)?;
    pair(call, |b, x, y| if fmod { lower::fmod(b, x, y) } else { lower::floor_mod(b, x, y) })
}

fn bit_shift(call: &mut Call<'_>) -> Result<Vec<Value>> {
    if !call.dtype(0)?.is_unsigned() {
        return Err(call.unsupported("only unsigned integers are shifted"));
    }
    let (left, bits) = (call.string("direction", "")? == "LEFT", 8 * call.dtype(0)?.bytes() as u32);
    pair(call, |b, x, y| if left { lower::shift_left(b, x, y, bits) } else { lower::shift_right(b, x, y) })
}

fn several(call: &mut Call<'_>, f: impl FnOnce(&mut Builder, &[NodeId]) -> Result<NodeId>) -> Result<Vec<Value>> {
    let all: Vec<usize> = (0..call.len()).collect();
    let (nodes, batch) = call.broadcast(&all)?;
    let y = f(call.b, &nodes)?;
    call.result(y, call.dtype(0)?, batch)
}

fn compare(call: &mut Call<'_>, f: Binary, swapped: bool) -> Result<Vec<Value>> {
    let (nodes, batch) = operands(call)?;
    let (x, y) = if swapped { (nodes[1], nodes[0]) } else { (nodes[0], nodes[1]) };
    let mask = call.b.binary(f, x, y);
    call.result(mask, Dtype::Bool, batch)
}
