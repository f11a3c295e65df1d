//! Contractions: any labelled product of two values becomes loops around matrix products.
//!
//! Item labels and row axes are loops alike. A loop over (a, out) belongs to the rows of a matrix product, one over (b, out)
//! to its columns, one that the result lacks to its depth, one over all three is a batch. Loops of a class that run on into
//! each other are merged; the longest of each class goes to the matrix product and the others stay around it. A weight times
//! activations of samples × tangents is so one product over all rows.

use std::sync::Arc;

use super::gemm::{Matrix, gemm};
use super::nest::Nest;
use super::product::{Left, Packed, Packing, Starts, product};
use super::{Constant, Kernel, Layout, Scratch, lanes};
use crate::execute::Real;
use crate::ops::Contraction;
use crate::{Error, Result};

/// Steps of (a, b, out).
type Loop = (usize, [isize; 3]);

struct Contract<T> {
    /// Loops around the product: batches, and what of rows and columns could not be merged.
    outer: Nest<3>,
    /// Loops around the product that add to the same result.
    depth: Nest<3>,
    m: Loop,
    n: Loop,
    k: Loop,
    /// Whether the product is computed transposed, so that the elements of a row of the result lie together.
    transposed: bool,
    /// A constant right operand, packed for each of its starts.
    packed: Vec<(isize, Arc<Packed<T>>)>,
}

/// [`crate::Op::Contract`].
pub fn kernel<T: Real>(c: &Contraction, [a, b, out]: [&Layout; 3], constants: [Option<Constant<'_, T>>; 2]) -> Result<Box<dyn Kernel<T>>> {
    let (mut rows, mut columns, mut depth, mut batch) = (vec![], vec![], vec![], vec![]);
    for (size, steps) in loops(c, a, b, out)? {
        match steps.map(|s| s != 0) {
            _ if size == 1 => {}
            [_, _, false] => depth.push((size, steps)),
            [true, true, true] => batch.push((size, steps)),
            [true, false, true] => rows.push((size, steps)),
            _ => columns.push((size, steps)),
        }
    }
    let (m, mut n, k) = (longest(&mut rows, 0), longest(&mut columns, 1), longest(&mut depth, 0));
    if (m.0, n.0, k.0) == (1, 1, 1) {
        // Nothing but a batch: element by element, as the columns of a product of one row.
        n = longest(&mut batch, 2);
    }
    let outer = Nest::new(merged(batch, 2).into_iter().chain(merged(rows, 2)).chain(merged(columns, 2)));
    let depth = Nest::new(merged(depth, 0));
    let transposed = n.1[2] != 1 && n.0 > 1 && (m.1[2] == 1 || m.0 == 1);
    let (right, columns, rows) = if transposed { (0, m, n) } else { (1, n, m) };
    let mut packed = vec![];
    // Columns that both operands vary over are no matrix product.
    if let Some(constant) = &constants[right]
        && (columns.1[2] == 1 || columns.0 == 1)
        // Not a batch, which is the columns of one row.
        && columns.1[1 - right] == 0
        && rows.1[right] == 0
        && depth.len() * k.0 > 0
    {
        outer.each([0; 3], |start| depth.each(start, |at| packed.push((at[right], None))));
        packed.sort_unstable_by_key(|p: &(isize, Option<_>)| p.0);
        packed.dedup_by_key(|p| p.0);
        for (start, packed) in &mut packed {
            let (from, step) = (*start as usize, k.1[right] as usize);
            let packing = Packing::new::<T>(k.0, columns.0);
            let key = [*start as usize, k.0, step, columns.0, columns.1[right] as usize];
            *packed = Some(constant.packed(&key, |x| Packed::new(packing, x, |term| from + term * step, key[4])));
        }
    }
    let packed = packed.into_iter().filter_map(|(start, packed)| Some((start, packed?))).collect();
    Ok(Box::new(Contract { outer, depth, m, n, k, transposed, packed }))
}

/// All labels and row axes with their sizes and steps.
fn loops(c: &Contraction, a: &Layout, b: &Layout, out: &Layout) -> Result<Vec<Loop>> {
    let mut loops: Vec<Loop> = vec![];
    let mut axes: Vec<_> = a.rows.iter().chain(&b.rows).copied().collect();
    axes.sort_unstable();
    axes.dedup();
    loops.extend(axes.iter().map(|&(axis, size)| (size, [a.step(axis), b.step(axis), out.step(axis)])));
    let sides = [(&c.a, a), (&c.b, b), (&c.out, out)].map(|(labels, layout)| (labels, &layout.item, &layout.steps));
    let mut labels: Vec<u8> = [&c.a[..], &c.b, &c.out].concat();
    labels.sort_unstable();
    labels.dedup();
    for label in labels {
        let (mut size, mut steps) = (None, [0; 3]);
        for (side, (labels, item, strides)) in sides.iter().enumerate() {
            let Some(at) = labels.iter().position(|&l| l == label) else { continue };
            if *size.get_or_insert(item[at]) != item[at] {
                return Err(Error::Shape {
                    what: format!("label {label} of a contraction"),
                    expected: format!("one size in items {:?}, {:?} and {:?}", a.item, b.item, out.item),
                    got: format!("sizes {} and {}", size.unwrap_or(0), item[at]),
                });
            }
            steps[side] = strides[at];
        }
        loops.push((size.unwrap_or(1), steps));
    }
    Ok(loops)
}

/// Loops in the memory order of one side, merged where they run on into each other.
fn merged(mut loops: Vec<Loop>, side: usize) -> Vec<Loop> {
    loops.sort_by_key(|l| std::cmp::Reverse(l.1[side]));
    Nest::new(loops).loops().to_vec()
}

/// Takes the longest loop out, after merging.
fn longest(loops: &mut Vec<Loop>, side: usize) -> Loop {
    *loops = merged(std::mem::take(loops), side);
    match (0..loops.len()).max_by_key(|&i| (loops[i].0, i)) {
        Some(i) => loops.remove(i),
        None => (1, [0; 3]),
    }
}

/// Below this many multiplications the plain loops are faster than the packing of a blocked product.
const SMALL: usize = 2048;

impl<T: Real> Kernel<T> for Contract<T> {
    fn reads(&self, operand: usize) -> bool {
        self.packed.is_empty() || operand == usize::from(self.transposed)
    }

    fn run(&self, operands: &[&[T]], out: &mut [T], scratch: &mut Scratch<T>) {
        let (m, n, k) = (self.m, self.n, self.k);
        if self.depth.len() * k.0 == 0 {
            out.fill(T::ZERO);
            return;
        }
        let plain = m.0 == 1 || n.0 == 1 || m.0 * n.0 * k.0 <= SMALL;
        self.outer.each([0; 3], |start| {
            let mut add = false;
            self.depth.each(start, |at @ [a, b, y]| {
                let (a, b, y) = (a as usize, b as usize, y as usize);
                if !self.packed.is_empty() {
                    self.times_packed(operands, at, out, add);
                } else if plain {
                    self.loops(&operands[0][a..], &operands[1][b..], &mut out[y..], add);
                } else {
                    let left = (operands[0], Matrix { start: a, row: m.1[0], column: k.1[0] });
                    let right = (operands[1], Matrix { start: b, row: k.1[1], column: n.1[1] });
                    gemm([m.0, n.0, k.0], left, right, (out, Matrix { start: y, row: m.1[2], column: n.1[2] }), add, scratch);
                }
                add = true;
            });
        });
    }
}

impl<T: Real> Contract<T> {
    fn times_packed(&self, operands: &[&[T]], at: [isize; 3], out: &mut [T], add: bool) {
        let (rows, left, right) = if self.transposed { (self.n, 1, 0) } else { (self.m, 0, 1) };
        let Ok(found) = self.packed.binary_search_by_key(&at[right], |p| p.0) else { return };
        let matrix = Matrix { start: at[left] as usize, row: rows.1[left], column: self.k.1[left] };
        let left = Left::Matrix(operands[left], matrix, rows.0);
        product(left, self.packed[found].1.right(), out, Starts::Even(at[2] as usize, rows.1[2]), add);
    }

    /// The product by plain loops; whichever of them is contiguous becomes vector code.
    fn loops(&self, a: &[T], b: &[T], y: &mut [T], add: bool) {
        let ((m, ms), (n, ns), (k, ks)) = (self.m, self.n, self.k);
        let at = |i: usize, step: isize| i * step as usize;
        if ks[0] == 1 && ks[1] == 1 && k >= 8 {
            for i in 0..m {
                for j in 0..n {
                    let sum = lanes::dot(&a[at(i, ms[0]) + at(j, ns[0])..][..k], &b[at(i, ms[1]) + at(j, ns[1])..][..k]);
                    let y = &mut y[at(i, ms[2]) + at(j, ns[2])];
                    *y = if add { *y + sum } else { sum };
                }
            }
            return;
        }
        // The longer of the two result loops runs innermost.
        let ((m, ms), (n, ns)) = if m > n { ((n, ns), (m, ms)) } else { ((m, ms), (n, ns)) };
        for i in 0..m {
            if !add {
                (0..n).for_each(|j| y[at(i, ms[2]) + at(j, ns[2])] = T::ZERO);
            }
            let y = &mut y[at(i, ms[2])..];
            for l in 0..k {
                let (a, b) = (&a[at(i, ms[0]) + at(l, ks[0])..], &b[at(i, ms[1]) + at(l, ks[1])..]);
                match ns {
                    [0, 1, 1] if n >= 8 => lanes::axpy(a[0], &b[..n], &mut y[..n]),
                    [1, 0, 1] if n >= 8 => lanes::axpy(b[0], &a[..n], &mut y[..n]),
                    _ => (0..n).for_each(|j| y[at(j, ns[2])] += a[at(j, ns[0])] * b[at(j, ns[1])]),
                }
            }
        }
    }
}
