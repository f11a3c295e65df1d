//! Scalar functions as ONNX operators; what ONNX lacks is composed without losing digits.

use super::writer::{Writer, int};
use crate::ops::{Binary, Unary};
use crate::{NodeId, Rows};

/// The tensor that was written: numbers, or truth values.
pub(super) enum Written {
    Float(String),
    Mask(String),
}

use Written::{Float, Mask};

pub(super) fn unary(w: &mut Writer<'_>, f: Unary, x: NodeId) -> Written {
    let v = w.value(x);
    let op = match f {
        Unary::Neg => "Neg",
        Unary::Abs => "Abs",
        Unary::Exp => "Exp",
        Unary::Log => "Log",
        Unary::Sqrt => "Sqrt",
        Unary::Tanh => "Tanh",
        Unary::Sigmoid => "Sigmoid",
        Unary::Softplus => "Softplus",
        Unary::Erf => "Erf",
        Unary::Sin => "Sin",
        Unary::Cos => "Cos",
        Unary::Tan => "Tan",
        Unary::Asin => "Asin",
        Unary::Acos => "Acos",
        Unary::Atan => "Atan",
        Unary::Sinh => "Sinh",
        Unary::Cosh => "Cosh",
        Unary::Asinh => "Asinh",
        Unary::Acosh => "Acosh",
        Unary::Atanh => "Atanh",
        Unary::Floor => "Floor",
        Unary::Ceil => "Ceil",
        Unary::RoundEven => "Round",
        Unary::Sign => "Sign",
        Unary::Expm1 => return Float(expm1(w, &v)),
        Unary::Log1p => return Float(log1p(w, &v)),
        Unary::Trunc => {
            let (sign, size) = (w.node("Sign", &[&v], vec![]), w.node("Abs", &[&v], vec![]));
            let whole = w.node("Floor", &[&size], vec![]);
            return Float(w.node("Mul", &[&sign, &whole], vec![]));
        }
        Unary::Not => {
            let truth = w.mask(x);
            return Mask(w.node("Not", &[&truth], vec![]));
        }
        Unary::IsNan => return Mask(w.node("IsNaN", &[&v], vec![])),
        Unary::IsPosInf => return Mask(w.node("IsInf", &[&v], vec![int("detect_negative", 0)])),
        Unary::IsNegInf => return Mask(w.node("IsInf", &[&v], vec![int("detect_positive", 0)])),
    };
    Float(w.node(op, &[&v], vec![]))
}

/// exp(x) − 1 = (exp(x) + 1) · tanh(x/2), which keeps its digits near zero and its limits.
fn expm1(w: &mut Writer<'_>, x: &str) -> String {
    let (one, half) = (w.scalar(1.0), w.scalar(0.5));
    let half = w.node("Mul", &[x, &half], vec![]);
    let (exp, tanh) = (w.node("Exp", &[x], vec![]), w.node("Tanh", &[&half], vec![]));
    let sum = w.node("Add", &[&exp, &one], vec![]);
    w.node("Mul", &[&sum, &tanh], vec![])
}

/// log(1 + x) = 2 artanh(x / (2 + x)) near zero, where 1 + x rounds; log(1 + x) elsewhere.
fn log1p(w: &mut Writer<'_>, x: &str) -> String {
    let (half, one, two) = (w.scalar(0.5), w.scalar(1.0), w.scalar(2.0));
    let size = w.node("Abs", &[x], vec![]);
    let near = w.node("Less", &[&size, &half], vec![]);
    let shifted = w.node("Add", &[x, &two], vec![]);
    let ratio = w.node("Div", &[x, &shifted], vec![]);
    let artanh = w.node("Atanh", &[&ratio], vec![]);
    let inside = w.node("Mul", &[&artanh, &two], vec![]);
    let sum = w.node("Add", &[x, &one], vec![]);
    let outside = w.node("Log", &[&sum], vec![]);
    w.node("Where", &[&near, &inside, &outside], vec![])
}

pub(super) fn binary(w: &mut Writer<'_>, f: Binary, a: NodeId, b: NodeId, rows: Rows) -> Written {
    if let Some(op) = logical(f) {
        let (p, q) = (w.mask(a), w.mask(b));
        let p = w.aligned(p, w.graph.node(a).rows, rows);
        let q = w.aligned(q, w.graph.node(b).rows, rows);
        return Mask(w.node(op, &[&p, &q], vec![]));
    }
    let (p, q) = (w.operand(a, rows), w.operand(b, rows));
    let op = match f {
        Binary::Add => "Add",
        Binary::Sub => "Sub",
        Binary::Mul => "Mul",
        Binary::Div => "Div",
        Binary::Pow => "Pow",
        Binary::MulAnnihilating => return Float(annihilating(w, &p, &q)),
        Binary::Less => return Mask(w.node("Less", &[&p, &q], vec![])),
        Binary::LessOrEqual => return Mask(w.node("LessOrEqual", &[&p, &q], vec![])),
        Binary::Equal | Binary::And | Binary::Or | Binary::Xor => return Mask(w.node("Equal", &[&p, &q], vec![])),
    };
    Float(w.node(op, &[&p, &q], vec![]))
}

fn logical(f: Binary) -> Option<&'static str> {
    match f {
        Binary::And => Some("And"),
        Binary::Or => Some("Or"),
        Binary::Xor => Some("Xor"),
        _ => None,
    }
}

/// a · b, or 0 where either is.
fn annihilating(w: &mut Writer<'_>, a: &str, b: &str) -> String {
    let zero = w.scalar(0.0);
    let (left, right) = (w.node("Equal", &[a, &zero], vec![]), w.node("Equal", &[b, &zero], vec![]));
    let either = w.node("Or", &[&left, &right], vec![]);
    let product = w.node("Mul", &[a, b], vec![]);
    w.node("Where", &[&either, &zero, &product], vec![])
}
