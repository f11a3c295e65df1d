//! What need not be written: steps that do nothing, steps that merge with the one before, and constants that fold.
//!
//! Every rule keeps the value and the type: a step that widens the rows of its operand stays, even where it adds a zero.
//! No rule hides a NaN of the primal: x · 0 stays a product.

use std::sync::Arc;

use super::Builder;
use crate::graph::Node;
use crate::ops::{Binary, Contraction, Face, Form, IndexMap, Unary, contiguous};
use crate::{Kind, NodeId, Op, Tensor, evaluate};

/// Constants of up to so many elements are folded.
const FOLDED_ELEMENTS: usize = 1_000_000;
/// Constants are folded where that takes up to so many multiplications; heavier ones are left to the executor, which
/// computes what does not vary over samples once.
const FOLDED_OPERATIONS: usize = 1 << 18;
/// A fold that makes more out of less (a bias expanded over an image) is kept as a step above this size.
const EXPANDED_ELEMENTS: usize = 8_192;

impl Builder {
    /// Another node with the same value, where there is one that is simpler.
    pub(super) fn simplify(&mut self, node: &Node) -> Option<NodeId> {
        if node.op.kind() == Kind::Source {
            return self.canonical_constant(node);
        }
        if let Some(tensor) = self.fold(node) {
            let kept = self.constant_rows(tensor, node.rows);
            return Some(kept);
        }
        let simpler = match (&node.op, &node.operands[..]) {
            (Op::Map(map), &[x]) => self.simplify_map(map, x),
            (Op::Scatter(map), &[x]) => self.simplify_scatter(map, x, &node.shape),
            (Op::Concat(_), &[x]) => Some(x),
            (Op::Select, &[yes, no, mask]) => match self.uniform(mask) {
                Some(value) => Some(if value == 0.0 { no } else { yes }),
                None => (yes == no).then_some(yes),
            },
            (Op::Take, &[x, index]) => {
                let map = self.constant_index(index, x)?;
                Some(self.map(x, map))
            }
            (Op::Put, &[y, index]) => {
                let len = node.item_len();
                let map = self.constant_positions(index, len)?;
                Some(self.scatter(y, map, &node.shape))
            }
            (Op::Rename { to, .. }, &[x]) => match self.graph.node(x).op {
                Op::Rename { from, .. } => Some(self.rename(self.graph.node(x).operands[0], from, *to)),
                _ => None,
            },
            (Op::Stack(axis), &[x]) => match self.graph.node(x).op {
                Op::Unstack(same) if same == *axis => Some(self.graph.node(x).operands[0]),
                _ => None,
            },
            (Op::Unstack(axis), &[x]) => match self.graph.node(x).op {
                Op::Stack(same) if same == *axis => Some(self.graph.node(x).operands[0]),
                _ => None,
            },
            (Op::Unary(Unary::Neg), &[x]) => match (&self.graph.node(x).op, &self.graph.node(x).operands[..]) {
                (Op::Unary(Unary::Neg), &[y]) => Some(y),
                (Op::Binary(Binary::Sub), &[a, b]) => Some(self.binary(Binary::Sub, b, a)),
                _ => None,
            },
            (Op::Binary(f), &[a, b]) => self.simplify_binary(*f, a, b),
            (Op::Contract(c), &[a, b]) => self.selected(c, a, b).or_else(|| self.selected(&c.turned(), b, a)),
            (Op::Convolve(c, Face::Value, _), &[x, w]) => self.convolve_upsampled(c, x, w),
            (Op::Detach, &[x]) => (self.graph.node(x).op.kind() == Kind::Discrete).then_some(x),
            _ => None,
        };
        let pointwise = matches!(node.op, Op::Unary(_) | Op::Binary(_) | Op::Select);
        let simpler = simpler.or_else(|| pointwise.then(|| self.before_repeating(node))?);
        simpler.filter(|&s| self.rows(s) == node.rows)
    }

    /// A constant of equal elements is stored as one number.
    fn canonical_constant(&mut self, node: &Node) -> Option<NodeId> {
        let Op::Constant(tensor) = &node.op else { return None };
        if matches!(tensor.data(), crate::Data::Uniform(..)) {
            return None;
        }
        let uniform = Tensor::filled(tensor.dims(), tensor.uniform()?);
        Some(self.constant_rows(uniform, node.rows))
    }

    /// The value of a node whose operands are constants, unless it is large or takes long.
    fn fold(&mut self, node: &Node) -> Option<Tensor> {
        let constant = |&o: &NodeId| match &self.graph.node(o).op {
            Op::Constant(tensor) => Some((self.graph.node(o), &**tensor)),
            _ => None,
        };
        let operands: Vec<(&Node, &Tensor)> = node.operands.iter().map(constant).collect::<Option<_>>()?;
        let sizes = |axis| self.graph.axis_size(axis, 1);
        let dims: Vec<usize> = node.rows.iter().map(sizes).chain(node.shape.iter().copied()).collect();

        let uniform: Option<Vec<f64>> = operands.iter().map(|(_, t)| t.uniform()).collect();
        if let Some(values) = uniform {
            let value = match &node.op {
                Op::Unary(f) => Some(f.apply(values[0])),
                Op::Binary(f) => Some(f.apply(values[0], values[1])),
                Op::Select => Some(if values[2] == 0.0 { values[1] } else { values[0] }),
                Op::Map(map) if matches!(map.form(), Form::Strided { .. }) => Some(values[0]),
                Op::Detach | Op::Rename { .. } | Op::Stack(_) | Op::Unstack(_) => Some(values[0]),
                _ => None,
            };
            if let Some(value) = value {
                return Some(Tensor::filled(&dims, value));
            }
        }

        let len = checked_product(&dims)?;
        let read = operands.iter().map(|(_, t)| t.len()).max().unwrap_or(0);
        let expands = len > EXPANDED_ELEMENTS && len / 2 > read;
        let operations = evaluate::operations(node, &operands, &sizes)?;
        let left = self.folding.checked_sub(operations)?;
        if len > FOLDED_ELEMENTS || operations > FOLDED_OPERATIONS || expands {
            return None;
        }
        let folded = evaluate::fold(node, &operands, &sizes);
        self.folding = left;
        Some(folded)
    }

    fn simplify_map(&mut self, map: &Arc<IndexMap>, x: NodeId) -> Option<NodeId> {
        let source = self.graph.node(x);
        let identity = map.is_identity(source.item_len());
        if identity && source.shape == map.shape() {
            return Some(x);
        }
        match (&source.op, &source.operands[..]) {
            (Op::Map(inner), &[y]) => {
                let reshape = inner.is_identity(self.graph.node(y).item_len());
                if reshape {
                    return Some(self.map(y, (**map).clone()));
                }
                let merged = map.after(inner);
                let strided = |m: &IndexMap| matches!(m.form(), Form::Strided { .. });
                // A view of a strided copy is cheaper than a copy by table.
                let worse = identity && strided(inner) && !strided(&merged);
                (!worse).then(|| self.map(y, merged))
            }
            (Op::Scatter(inner), &[y]) if identity => {
                let inner = (**inner).clone();
                Some(self.scatter(y, inner, map.shape()))
            }
            (Op::Concat(axis), _) => self.map_of_one_part(map, x, *axis),
            _ => None,
        }
    }

    /// A map that reads from one part of a concatenation only.
    fn map_of_one_part(&mut self, map: &IndexMap, x: NodeId, axis: usize) -> Option<NodeId> {
        let node = self.graph.node(x);
        let inner: usize = node.shape[axis + 1..].iter().product();
        let along = node.shape[axis];
        let mut read = map.sources();
        let first = *read.iter().find(|&&s| s != IndexMap::NOWHERE)? as usize / inner % along;
        let mut before = 0;
        let part = *node.operands.iter().find(|&&part| {
            let end = before + self.shape(part)[axis];
            let found = first < end;
            before = if found { before } else { end };
            found
        })?;
        let width = self.shape(part)[axis];
        for source in read.iter_mut().filter(|s| **s != IndexMap::NOWHERE) {
            let (block, position, rest) = (*source as usize / inner / along, *source as usize / inner % along, *source as usize % inner);
            if position < before || position >= before + width {
                return None;
            }
            *source = ((block * width + position - before) * inner + rest) as u32;
        }
        // Narrower rows than the whole: the type would change.
        (self.rows(part) == self.rows(x)).then(|| self.map(part, IndexMap::table(map.shape(), read)))
    }

    fn simplify_scatter(&mut self, map: &Arc<IndexMap>, x: NodeId, shape: &[usize]) -> Option<NodeId> {
        let len = checked_product(shape)?;
        if map.is_injective(len) {
            return Some(self.map(x, map.inverse(shape)));
        }
        let source = self.graph.node(x);
        match (&source.op, &source.operands[..]) {
            (Op::Scatter(inner), &[y]) => {
                let merged = inner.after(map);
                Some(self.scatter(y, merged, shape))
            }
            (Op::Map(inner), &[y]) => {
                let read = self.graph.node(y);
                let permutes = inner.len() == read.item_len() && inner.is_injective(inner.len()) && !inner.has_nowhere();
                let merged = permutes.then(|| inner.inverse(&read.shape).after(map))?;
                Some(self.scatter(y, merged, shape))
            }
            _ => None,
        }
    }

    fn simplify_binary(&mut self, f: Binary, a: NodeId, b: NodeId) -> Option<NodeId> {
        let negated = |id: NodeId| match (&self.graph.node(id).op, &self.graph.node(id).operands[..]) {
            (Op::Unary(Unary::Neg), &[x]) => Some(x),
            _ => None,
        };
        match (f, self.uniform(a), self.uniform(b)) {
            (Binary::Add, Some(0.0), _) | (Binary::Mul | Binary::MulAnnihilating, Some(1.0), _) => Some(b),
            (Binary::Add | Binary::Sub, _, Some(0.0))
            | (Binary::Mul | Binary::MulAnnihilating | Binary::Div | Binary::Pow, _, Some(1.0)) => Some(a),
            (Binary::Sub, Some(0.0), _) | (Binary::Mul | Binary::MulAnnihilating, Some(-1.0), _) => Some(self.unary(Unary::Neg, b)),
            (Binary::Mul | Binary::MulAnnihilating | Binary::Div, _, Some(-1.0)) => Some(self.unary(Unary::Neg, a)),
            (Binary::Pow, _, Some(2.0)) => Some(self.binary(Binary::Mul, a, a)),
            (Binary::Pow, _, Some(3.0)) => {
                let square = self.binary(Binary::Mul, a, a);
                Some(self.binary(Binary::Mul, square, a))
            }
            (Binary::Pow, _, Some(-1.0)) => {
                let one = self.filled_like(a, 1.0);
                Some(self.binary(Binary::Div, one, a))
            }
            // A finite factor that is never zero leaves nothing to annihilate.
            (Binary::MulAnnihilating, ..) if self.is_regular(a) || self.is_regular(b) => Some(self.binary(Binary::Mul, a, b)),
            (Binary::Add, ..) => match (negated(a), negated(b)) {
                (_, Some(b)) => Some(self.binary(Binary::Sub, a, b)),
                (Some(a), _) => Some(self.binary(Binary::Sub, b, a)),
                _ => None,
            },
            (Binary::Sub, ..) => negated(b).map(|b| self.binary(Binary::Add, a, b)),
            _ => None,
        }
    }

    /// A contraction with unit tangents picks elements of the other operand: no product is needed.
    ///
    /// That a constant varies over a row axis tells such a bundle of tangents from a weight of the model, in whose products
    /// 0 · NaN must stay NaN.
    fn selected(&mut self, c: &Contraction, seeds: NodeId, x: NodeId) -> Option<NodeId> {
        let Op::Constant(tensor) = &self.graph.node(seeds).op else { return None };
        let (rows, shape) = (self.rows(seeds), self.shape(seeds));
        let axis = rows.iter().next().filter(|&axis| rows.len() == 1 && !self.rows(x).contains(axis))?;
        let position = |label: &u8| c.b.iter().position(|l| l == label);
        let summed = c.a.iter().map(|label| position(label).filter(|_| !c.out.contains(label))).collect::<Option<Vec<_>>>()?;
        let kept = c.out.iter().map(position).collect::<Option<Vec<_>>>()?;
        if !c.sum_rows.is_empty() || summed.len() + kept.len() != c.b.len() {
            return None;
        }
        let steps = contiguous(self.shape(x));
        let item = IndexMap::strided(shape, 0, &summed.iter().map(|&i| steps[i]).collect::<Vec<_>>()).sources();
        let out: Vec<usize> = kept.iter().map(|&i| self.shape(x)[i]).collect();
        let picked = IndexMap::strided(&out, 0, &kept.iter().map(|&i| steps[i]).collect::<Vec<_>>()).sources();
        let size = self.graph.axis_size(axis, 1);
        if checked_product(&[size, picked.len()]).is_none_or(|len| len > IndexMap::MAX_ELEMENTS) {
            return None;
        }
        let mut sources = Vec::with_capacity(size * picked.len());
        for row in 0..size {
            let mut chosen = (0..item.len()).filter(|i| tensor.at(row * item.len() + i) != 0.0);
            match (chosen.next(), chosen.next()) {
                (None, _) => sources.extend(std::iter::repeat_n(IndexMap::NOWHERE, picked.len())),
                (Some(one), None) if tensor.at(row * item.len() + one) == 1.0 => sources.extend(picked.iter().map(|p| p + item[one])),
                _ => return None,
            }
        }
        let rows_of_x = self.map(x, IndexMap::table(&[&[size], &out[..]].concat(), sources));
        Some(self.unstack(rows_of_x, axis))
    }

    /// Whether x is a constant without zeros, infinities and NaNs.
    fn is_regular(&self, x: NodeId) -> bool {
        let Op::Constant(tensor) = &self.graph.node(x).op else { return false };
        let regular = |value: f64| value.is_finite() && value != 0.0;
        tensor.uniform().map_or_else(|| (0..tensor.len()).all(|i| regular(tensor.at(i))), regular)
    }

    /// A constant index into x as a map, if it stays inside.
    fn constant_index(&self, index: NodeId, x: NodeId) -> Option<IndexMap> {
        self.constant_positions(index, self.graph.node(x).item_len())
    }

    fn constant_positions(&self, index: NodeId, len: usize) -> Option<IndexMap> {
        let node = self.graph.node(index);
        let Op::Constant(tensor) = &node.op else { return None };
        let inside = |i: f64| (i >= 0.0 && i < len as f64).then_some(i as u32);
        let sources = (0..tensor.len()).map(|i| inside(tensor.at(i))).collect::<Option<Vec<_>>>()?;
        node.rows.is_empty().then(|| IndexMap::table(&node.shape, sources))
    }
}

/// The number of elements of an array, unless it is absurd.
fn checked_product(dims: &[usize]) -> Option<usize> {
    dims.iter().try_fold(1_usize, |product, &n| product.checked_mul(n))
}
