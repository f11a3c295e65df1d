//! Contractions as MatMul or Einsum, convolutions as Conv and ConvTranspose.

use super::writer::{Writer, ints};
use crate::ops::{Contraction, Convolution, Face};
use crate::{Axis, Error, Node, NodeId, Op, Result, Rows};

pub(super) fn contract(w: &mut Writer<'_>, node: &Node, c: &Contraction, a: NodeId, b: NodeId) -> Result<String> {
    if let Some(name) = matmul(w, c, &c.a, &c.b, a, b).or_else(|| matmul(w, c, &c.b, &c.a, b, a)) {
        return Ok(name);
    }
    // A letter for each row axis, then for each label; all axes of a value are axes of its term.
    let rows: Vec<Axis> = w.graph.node(a).rows.union(w.graph.node(b).rows).iter().collect();
    let mut labels: Vec<u8> = c.a.iter().chain(&c.b).copied().collect();
    labels.sort_unstable();
    labels.dedup();
    let letters: Vec<char> = ('a'..='z').chain('A'..='Z').collect();
    if rows.len() + labels.len() > letters.len() {
        return Err(Error::Graph { what: format!("a contraction over {} axes has no Einsum", rows.len() + labels.len()) });
    }
    let term = |of: Rows, item: &[u8]| -> String {
        let of_rows = rows.iter().zip(&letters).filter(|(axis, _)| of.contains(**axis)).map(|(_, c)| *c);
        let of_item = item.iter().filter_map(|l| labels.iter().position(|m| m == l)).map(|i| letters[rows.len() + i]);
        of_rows.chain(of_item).collect()
    };
    let (left, right, out) = (term(w.graph.node(a).rows, &c.a), term(w.graph.node(b).rows, &c.b), term(node.rows, &c.out));
    let (p, q) = (w.value(a), w.value(b));
    // Einsum takes no term without letters; a lone number is a factor.
    if left.is_empty() || right.is_empty() {
        let (number, other, term) = if left.is_empty() { (p, q, right) } else { (q, p, left) };
        let other = if term == out { other } else { w.node("Einsum", &[&other], vec![equation(&format!("{term}->{out}"))]) };
        return Ok(w.node("Mul", &[&number, &other], vec![]));
    }
    Ok(w.node("Einsum", &[&p, &q], vec![equation(&format!("{left},{right}->{out}"))]))
}

fn equation(text: &str) -> super::super::proto::AttributeProto {
    super::writer::text("equation", text)
}

/// A product with a plain matrix on the right: `[.., k] · [k, m]`.
fn matmul(w: &mut Writer<'_>, c: &Contraction, of_x: &[u8], of_weight: &[u8], x: NodeId, weight: NodeId) -> Option<String> {
    let (&k, before) = of_x.split_last()?;
    let (&m, before_out) = c.out.split_last()?;
    let plain = w.graph.node(weight).rows.is_empty() && c.sum_rows.is_empty() && before == before_out && k != m && !before.contains(&m);
    if !plain || !(of_weight == [k, m] || of_weight == [m, k]) {
        return None;
    }
    let matrix = match &w.graph.node(weight).op {
        Op::Constant(tensor) if of_weight == [m, k] => {
            let (columns, rows) = (tensor.dims()[0], tensor.dims()[1]);
            let transposed: Vec<f64> = (0..rows).flat_map(|i| (0..columns).map(move |j| j * rows + i)).map(|i| tensor.at(i)).collect();
            w.array(&[rows, columns], &transposed)
        }
        _ => {
            let matrix = w.value(weight);
            if of_weight == [k, m] { matrix } else { w.node("Transpose", &[&matrix], vec![ints("perm", &[1, 0])]) }
        }
    };
    let x = w.value(x);
    Some(w.node("MatMul", &[&x, &matrix], vec![]))
}

/// The zeros after the input along each axis, and how far short of them the last window stays: Conv wants the first to be
/// at least zero and the second to be less than a step, ConvTranspose adds the second to its output.
fn ends(c: &Convolution) -> Vec<(i64, i64)> {
    let end = |i: usize| {
        let reach = (c.strides[i] * c.output[i].saturating_sub(1) + c.dilations[i] * (c.kernel[i].saturating_sub(1)) + 1) as i64;
        let after = reach - (c.input[i] + c.pads[i]) as i64;
        (after.max(0), (-after).max(0))
    };
    (0..c.output.len()).map(end).collect()
}

/// Whether a face is an ONNX operator, given a weight without rows.
pub(super) fn is_conv(c: &Convolution, face: Face) -> bool {
    face != Face::Weight && !c.output.is_empty() && ends(c).iter().zip(&c.strides).all(|((_, short), &step)| *short < step as i64)
}

pub(super) fn convolve(w: &mut Writer<'_>, node: &Node, c: &Convolution, face: Face, x: NodeId, weight: NodeId) -> String {
    let (rows, shape) = (w.graph.node(x).rows, w.graph.node(x).shape.clone());
    // Conv has one batch axis: all rows are flattened into it.
    let flat: Vec<i64> = std::iter::once(-1).chain(shape.iter().map(|&n| n as i64)).collect();
    let flat = w.ints(&flat);
    let (x, weight) = (w.value(x), w.value(weight));
    let x = if rows.len() == 1 { x } else { w.node("Reshape", &[&x, &flat], vec![]) };
    let long = |sizes: &[usize]| sizes.iter().map(|&n| n as i64).collect::<Vec<_>>();
    let ends = ends(c);
    let pads: Vec<i64> = c.pads.iter().map(|&p| p as i64).chain(ends.iter().map(|e| e.0)).collect();
    let mut attributes = vec![
        ints("kernel_shape", &long(&c.kernel)),
        ints("strides", &long(&c.strides)),
        ints("dilations", &long(&c.dilations)),
        ints("pads", &pads),
        super::writer::int("group", c.groups as i64),
    ];
    let op = if face == Face::Value {
        "Conv"
    } else {
        attributes.push(ints("output_padding", &ends.iter().map(|e| e.1).collect::<Vec<_>>()));
        "ConvTranspose"
    };
    let y = w.node(op, &[&x, &weight], attributes);
    if rows.len() == 1 {
        return y;
    }
    let shape: Vec<i64> = w.row_dims(rows, -1).into_iter().chain(long(&node.shape)).collect();
    let shape = w.ints(&shape);
    w.node("Reshape", &[&y, &shape], vec![])
}
