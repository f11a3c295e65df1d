//! The tiles of a run, and sums over them.

use super::Real;
use super::tile::Tile;

/// The tiles in order, with their parts of the outputs.
pub struct Tiles<'a, T> {
    pub outputs: Vec<(&'a mut [T], usize)>,
    pub next: usize,
    pub n: usize,
    pub tile: usize,
}

impl<'a, T> Iterator for Tiles<'a, T> {
    type Item = Tile<'a, T>;

    fn next(&mut self) -> Option<Self::Item> {
        let (first, count) = (self.next, self.tile.min(self.n - self.next));
        if count == 0 {
            return None;
        }
        self.next += count;
        let split = |(rest, one): &mut (&'a mut [T], usize)| {
            let (part, others) = std::mem::take(rest).split_at_mut(*one * count);
            *rest = others;
            part
        };
        Some(Tile { first, count, outputs: self.outputs.iter_mut().map(split).collect() })
    }
}

/// A sum over tiles, in double precision from the second tile on.
#[derive(Default)]
pub struct Total<T> {
    first: Option<Vec<T>>,
    sum: Vec<f64>,
}

impl<T: Real> Total<T> {
    /// Adds a part; its buffer may be taken.
    pub fn add(&mut self, part: &mut Vec<T>) {
        match &self.first {
            None => self.first = Some(std::mem::take(part)),
            Some(first) => {
                if self.sum.is_empty() {
                    self.sum = first.iter().map(|x| x.to_f64()).collect();
                }
                self.sum.iter_mut().zip(part.iter()).for_each(|(sum, x)| *sum += x.to_f64());
            }
        }
    }

    /// The sum; zero if there was no tile.
    pub fn finish(self, out: &mut [T]) {
        match self.first {
            None => out.fill(T::ZERO),
            Some(first) if self.sum.is_empty() => out.copy_from_slice(&first[..out.len()]),
            Some(_) => out.iter_mut().zip(&self.sum).for_each(|(out, &sum)| *out = T::from_f64(sum)),
        }
    }
}
