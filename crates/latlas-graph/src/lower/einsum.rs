//! Einstein's summation of any number of operands.
//!
//! Repeated letters of one operand become a diagonal, letters that stand nowhere else are summed at once, and what is left
//! is contracted two operands at a time, the pair with the smallest result first.

use super::products::contract_labelled;
use super::reductions::sum;
use super::rules::checked_len;
use crate::ops::{IndexMap, contiguous};
use crate::{Builder, Error, NodeId, Result};

/// An equation with the letters of every axis; the axes of an ellipsis have labels of their own, counted from the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Equation {
    /// The label of each axis of each operand.
    pub terms: Vec<Vec<u8>>,
    /// The label of each axis of the result.
    pub out: Vec<u8>,
}

/// The value of an equation, as `numpy.einsum`.
pub fn einsum(b: &mut Builder, equation: &Equation, operands: &[NodeId]) -> Result<NodeId> {
    let Equation { terms, out } = equation;
    let fits = terms.len() == operands.len() && terms.iter().zip(operands).all(|(t, &x)| t.len() == b.shape(x).len());
    if !fits {
        return Err(bad("", "it has other operands"));
    }
    let mut live = Vec::new();
    for (i, (&x, labels)) in operands.iter().zip(terms).enumerate() {
        let (x, labels) = diagonal(b, x, labels)?;
        let wanted = |l: u8| out.contains(&l) || terms.iter().enumerate().any(|(j, t)| i != j && t.contains(&l));
        live.push(drop_labels(b, x, labels, wanted));
    }
    while live.len() > 1 {
        let (i, j) = cheapest_pair(b, &live, out);
        let (right, left) = (live.remove(j), live.remove(i));
        let kept = pair_result(&left.1, &right.1, |l| is_wanted(l, &live, out));
        // A letter that meets nothing longer than 1 on the other side may have to be summed on its own.
        let left = sum_broadcast_alone(b, left, &right, &kept);
        let right = sum_broadcast_alone(b, right, &left, &kept);
        let value = contract_labelled(b, left, right, &kept)?;
        live.push((value, kept));
    }
    let Some((x, labels)) = live.pop() else { return Err(bad("", "it has no operands")) };
    let order: Option<Vec<usize>> = out.iter().map(|l| labels.iter().position(|k| k == l)).collect();
    match order {
        Some(order) => Ok(b.transpose(x, &order)),
        None => Err(bad("", "the result has a letter that no operand has")),
    }
}

type Labelled = (NodeId, Vec<u8>);

fn is_wanted(label: u8, others: &[Labelled], out: &[u8]) -> bool {
    out.contains(&label) || others.iter().any(|(_, labels)| labels.contains(&label))
}

/// The letters of two operands that somebody still wants, in order.
fn pair_result(left: &[u8], right: &[u8], wanted: impl Fn(u8) -> bool) -> Vec<u8> {
    let new = right.iter().filter(|l| !left.contains(l));
    left.iter().chain(new).copied().filter(|&l| wanted(l)).collect()
}

fn cheapest_pair(b: &Builder, live: &[Labelled], out: &[u8]) -> (usize, usize) {
    let size = |i: usize, j: usize| {
        let others: Vec<Labelled> = (0..live.len()).filter(|&k| k != i && k != j).map(|k| live[k].clone()).collect();
        let length = |l: &u8, (x, labels): &Labelled| labels.iter().position(|k| k == l).map_or(1, |at| b.shape(*x)[at]);
        let kept = pair_result(&live[i].1, &live[j].1, |l| is_wanted(l, &others, out));
        kept.iter().map(|l| length(l, &live[i]).max(length(l, &live[j])) as f64).product::<f64>()
    };
    let mut best = (0, 1, f64::INFINITY);
    for i in 0..live.len() {
        for j in i + 1..live.len() {
            let size = size(i, j);
            if size < best.2 {
                best = (i, j, size);
            }
        }
    }
    (best.0, best.1)
}

/// Sums the letters of x that are not kept and meet a broadcast axis of length one in `other`: once that one is dropped,
/// the letter would stand in x alone.
fn sum_broadcast_alone(b: &mut Builder, (x, labels): Labelled, other: &Labelled, kept: &[u8]) -> Labelled {
    let shape = b.shape(x).to_vec();
    let lonely: Vec<u8> = (0..labels.len())
        .filter(|&i| !kept.contains(&labels[i]) && shape[i] != 1)
        .filter(|&i| other.1.iter().position(|l| *l == labels[i]).is_some_and(|j| b.shape(other.0)[j] == 1))
        .map(|i| labels[i])
        .collect();
    let axes: Vec<usize> = (0..labels.len()).filter(|&i| lonely.contains(&labels[i])).collect();
    (sum(b, x, &axes), labels)
}

/// Sums over the letters that nobody wants.
fn drop_labels(b: &mut Builder, x: NodeId, labels: Vec<u8>, wanted: impl Fn(u8) -> bool) -> Labelled {
    let axes: Vec<usize> = (0..labels.len()).filter(|&i| !wanted(labels[i])).collect();
    let x = sum(b, x, &axes);
    let shape: Vec<usize> = (0..labels.len()).filter(|i| !axes.contains(i)).map(|i| b.shape(x)[i]).collect();
    (b.reshape(x, &shape), labels.into_iter().filter(|&l| wanted(l)).collect())
}

/// The elements of x whose positions agree along axes with one letter.
fn diagonal(b: &mut Builder, x: NodeId, labels: &[u8]) -> Result<Labelled> {
    let (shape, steps) = (b.shape(x).to_vec(), contiguous(b.shape(x)));
    let mut distinct: Vec<u8> = Vec::new();
    let (mut sizes, mut strides): (Vec<usize>, Vec<isize>) = (Vec::new(), Vec::new());
    for (i, &label) in labels.iter().enumerate() {
        match distinct.iter().position(|&l| l == label) {
            Some(at) if sizes[at] == shape[i] => strides[at] += steps[i],
            Some(_) => return Err(super::mismatch("axes of a diagonal", "equal lengths", &shape)),
            None => {
                distinct.push(label);
                sizes.push(shape[i]);
                strides.push(steps[i]);
            }
        }
    }
    if distinct.len() == labels.len() {
        return Ok((x, distinct));
    }
    checked_len(&sizes)?;
    Ok((b.map(x, IndexMap::strided(&sizes, 0, &strides)), distinct))
}

impl Equation {
    /// Reads an equation such as `"bij,bjk->bik"` for operands with these numbers of axes. Without an arrow the result has the
    /// letters that stand once, in alphabetical order; `...` are leading axes that broadcast.
    pub fn parse(equation: &str, ranks: &[usize]) -> Result<Self> {
        const FIRST_ELLIPSIS: usize = 128;
        let text: String = equation.chars().filter(|c| !c.is_whitespace()).collect();
        let (left, right) = text.split_once("->").map_or((text.as_str(), None), |(l, r)| (l, Some(r)));
        let terms: Vec<&str> = left.split(',').collect();
        if terms.len() != ranks.len() {
            return Err(bad(equation, &format!("it has {} terms for {} operands", terms.len(), ranks.len())));
        }
        let letters = |term: &str, hidden: usize| -> Result<Vec<u8>> {
            let (before, after) = term.split_once("...").unwrap_or((term, ""));
            if !(before.bytes().chain(after.bytes())).all(|c| c.is_ascii_alphabetic()) || hidden > 100 {
                return Err(bad(equation, "a term has more than letters and one ellipsis"));
            }
            let hidden = (0..hidden).rev().map(|i| (FIRST_ELLIPSIS + i) as u8);
            Ok(before.bytes().chain(hidden).chain(after.bytes()).collect())
        };
        let mut labels = Vec::new();
        let mut widest = 0;
        for (term, &rank) in terms.iter().zip(ranks) {
            let named = term.chars().filter(|c| *c != '.').count();
            let hidden = if term.contains("...") { rank.checked_sub(named) } else { (rank == named).then_some(0) };
            let hidden = hidden.ok_or_else(|| bad(equation, &format!("term {term:?} does not fit an operand of {rank} axes")))?;
            widest = widest.max(hidden);
            labels.push(letters(term, hidden)?);
        }
        let out = if let Some(right) = right {
            let out = letters(right, if right.contains("...") { widest } else { 0 })?;
            if (1..out.len()).any(|i| out[..i].contains(&out[i])) {
                return Err(bad(equation, "the result names a letter twice"));
            }
            out
        } else {
            let mut once: Vec<u8> = labels.concat();
            let all = once.clone();
            once.retain(|l| usize::from(*l) < FIRST_ELLIPSIS && all.iter().position(|k| k == l) == all.iter().rposition(|k| k == l));
            once.sort_unstable();
            (0..widest).rev().map(|i| (FIRST_ELLIPSIS + i) as u8).chain(once).collect()
        };
        Ok(Self { terms: labels, out })
    }
}

fn bad(equation: &str, what: &str) -> Error {
    let quoted = if equation.is_empty() { String::new() } else { format!(" {equation:?}") };
    Error::Graph { what: format!("the equation{quoted} cannot be followed: {what}") }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::trial::{assert_close, run};
    use super::*;
    use crate::Tensor;

    fn numbers(n: usize) -> Vec<f64> {
        (0..n).map(|i| (i as f64 * 0.7 + 0.2).sin()).collect()
    }

    fn value(equation: &str, shapes: &[&[usize]]) -> Vec<f64> {
        run(&numbers(shapes[0].iter().product()), shapes[0], |b, x| {
            let mut all = vec![x];
            for shape in &shapes[1..] {
                all.push(b.constant(Tensor::new(*shape, numbers(shape.iter().product()))));
            }
            let ranks: Vec<usize> = shapes.iter().map(|s| s.len()).collect();
            let equation = Equation::parse(equation, &ranks)?;
            einsum(b, &equation, &all)
        })
    }

    #[test]
    fn one_operand() {
        let x = numbers(24);
        let trace: f64 = (0..3).map(|i| x[i * 4]).sum();
        assert_close(&value("ii", &[&[3, 3]]), &[trace], 1e-15);
        assert_close(&value("ii->i", &[&[3, 3]]), &[x[0], x[4], x[8]], 1e-15);
        assert_close(&value("ij->j", &[&[2, 2]]), &[x[0] + x[2], x[1] + x[3]], 1e-15);
        assert_close(&value("ba", &[&[2, 3]]), &[x[0], x[3], x[1], x[4], x[2], x[5]], 1e-15);
        assert_close(&value("...ii->...i", &[&[2, 2, 2]]), &[x[0], x[3], x[4], x[7]], 1e-15);
    }

    #[test]
    fn several_operands() {
        let x = numbers(60);
        let dot: f64 = (0..5).map(|i| x[i] * x[i]).sum();
        assert_close(&value("i,i", &[&[5], &[5]]), &[dot], 1e-15);
        let outer: Vec<f64> = (0..6).map(|at| x[at / 3] * x[at % 3]).collect();
        assert_close(&value("i,j->ij", &[&[2], &[3]]), &outer, 1e-15);
        let bmm: Vec<f64> =
            (0..16).map(|at| (0..3).map(|k| x[at / 8 * 6 + at / 4 % 2 * 3 + k] * x[at / 8 * 12 + k * 4 + at % 4]).sum()).collect();
        assert_close(&value("bij, bjk -> bik", &[&[2, 2, 3], &[2, 3, 4]]), &bmm, 1e-14);
        assert_close(&value("...ij,...jk", &[&[2, 2, 3], &[2, 3, 4]]), &bmm, 1e-14);
        // Three operands, a letter summed in one of them alone, and a broadcast ellipsis.
        let triple: Vec<f64> = (0..8)
            .map(|at| {
                let (i, l) = (at / 4, at % 4);
                let mut sum = 0.0;
                (0..3).for_each(|j| (0..5).for_each(|k| (0..2).for_each(|m| sum += x[i * 3 + j] * x[(j * 5 + k) * 2 + m] * x[k * 4 + l])));
                sum
            })
            .collect();
        assert_close(&value("ij,jkm,kl->il", &[&[2, 3], &[3, 5, 2], &[5, 4]]), &triple, 1e-13);
        let summed: f64 = (0..6).map(|at| x[at]).sum::<f64>() * x[0];
        assert_close(&value("...,...->", &[&[2, 3], &[1, 1]]), &[summed], 1e-14);
    }

    #[test]
    fn wrong_equations_are_refused() {
        for equation in ["ij,jk", "i", "ij->k", "ij->ii", "i?j", "ii", "i.j"] {
            let mut b = Builder::new();
            let x = b.filled(&[2, 3], 1.0);
            assert!(Equation::parse(equation, &[2]).and_then(|e| einsum(&mut b, &e, &[x])).is_err(), "{equation}");
        }
    }
}
