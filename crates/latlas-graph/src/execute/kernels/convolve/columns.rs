//! The form of a convolution with few output channels: all taps of an input position at once, which outputs then add up.

use super::super::gemm::Matrix;
use super::super::product::{Left, Starts, product};
use super::taps::{Class, NOWHERE};
use super::{Convolve, Items, Work, grow};
use crate::execute::Real;

impl<T: Real> Convolve<T> {
    /// Some items that share a weight, by a product for each and sums of what it made.
    pub(super) fn columns(&self, x: &[T], from: Items, out: &mut [T], to: Items, work: &mut Work<T>) {
        let columns = self.kernel * self.width;
        let (channel, position) = if self.written.last { (1, self.written.channels) } else { (self.written.positions, 1) };
        for (from, to) in from.each().zip(to.each()) {
            for group in 0..self.groups {
                let terms = grow(&mut work.columns, self.read.positions * columns);
                let left = Matrix { start: from + group * self.depth, row: self.read.channels as isize, column: 1 };
                let left = Left::Matrix(x, left, self.read.positions);
                product(left, self.right(group, &work.weights), terms, Starts::Even(0, columns as isize), false);
                for n in 0..self.width {
                    let out = &mut out[to + (group * self.width + n) * channel..];
                    self.classes.iter().for_each(|class| add_taps(class, &terms[n * self.kernel..], columns, out, position));
                }
            }
        }
    }
}

/// One channel of the outputs of a class: the sum of what its taps made of their positions, `columns` apart.
fn add_taps<T: Real>(class: &Class, terms: &[T], columns: usize, out: &mut [T], position: usize) {
    let mut first: Vec<usize> = Vec::with_capacity(class.taps.len());
    let (step, pace) = (class.step * position, class.pace * columns);
    for stretch in &class.stretches {
        first.clear();
        let inside = stretch.sources.iter().zip(&class.taps).filter(|(source, _)| **source != NOWHERE);
        first.extend(inside.map(|(source, tap)| source * columns + tap));
        let out = out[stretch.output * position..].iter_mut().step_by(step).take(stretch.count);
        match first[..] {
            [] => out.for_each(|y| *y = T::ZERO),
            [a] => sums(terms, [a], pace, out),
            [a, b] => sums(terms, [a, b], pace, out),
            [a, b, c, d] => sums(terms, [a, b, c, d], pace, out),
            _ => {
                for (q, y) in out.enumerate() {
                    *y = first.iter().fold(T::ZERO, |sum, at| sum + terms[at + q * pace]);
                }
            }
        }
    }
}

/// Sums of N terms, `pace` apart from output to output.
#[inline]
fn sums<'a, T: Real, const N: usize>(terms: &[T], first: [usize; N], pace: usize, out: impl ExactSizeIterator<Item = &'a mut T>) {
    let reach = pace * out.len().saturating_sub(1) + 1;
    // Equally long, so that one comparison tells that all positions lie inside.
    let parts = first.map(|at| &terms[at..at + reach]);
    for (q, y) in out.enumerate() {
        *y = parts.iter().fold(T::ZERO, |sum, part| sum + part[q * pace]);
    }
}
