//! One tree, level by level. Of two siblings the smaller one is counted, the other is what remains of their parent.

use super::bins::Bins;
use super::search::{Exact, Histogram, Node, Split, between_bins, between_values};
use super::sums::Packing;
use super::tree::{DEPTH, Tree};
use crate::learners::vectors::wide;
use crate::settings::Builder;

/// What trees are grown on.
pub struct Ground<'a> {
    pub bins: &'a Bins,
    pub columns: &'a [Vec<f32>],
    pub builder: Builder,
    pub packing: Packing,
    /// What of the value of a leaf is taken: the rate, times (v − 1)/v unless there are two classes.
    pub factor: f64,
}

/// What trees are grown in, kept from tree to tree.
#[derive(Default)]
pub struct Workspace {
    /// Of each row.
    words: Vec<i64>,
    /// Rows of all nodes, node after node, each in ascending order; and those of the next level.
    rows: Vec<u32>,
    next: Vec<u32>,
    /// Of the open nodes of a level: of all rows, and for exact splits of those with positive residuals.
    sums: [Vec<Histogram>; 2],
    /// The place in the tree of each row; for exact splits.
    places: Vec<u8>,
}

/// Some of the rows, in a node without splits so far.
#[derive(Clone, Copy)]
struct Open {
    place: usize,
    begin: usize,
    end: usize,
    /// The sum of its words.
    words: i64,
    /// Which histogram is its own.
    slot: usize,
}

impl Open {
    fn rows(self) -> std::ops::Range<usize> {
        self.begin..self.end
    }

    fn residuals<'a>(self, residuals: &'a [f64], space: &'a Workspace) -> impl Iterator<Item = f64> + 'a {
        space.rows[self.rows()].iter().map(|row| residuals[*row as usize])
    }
}

impl Ground<'_> {
    /// A tree on residuals. It is added to the scores of its rows, and its gains to the importances.
    pub fn grow(&self, residuals: &[f64], scores: &mut [f64], importances: &mut [f64], space: &mut Workspace) -> Tree {
        let n = residuals.len();
        let mut tree = Tree::new();
        self.begin(residuals, space);
        let mut open = vec![Open { place: 0, begin: 0, end: n, words: space.words.iter().sum(), slot: 0 }];
        self.count(open[0], residuals, space);
        for level in 0..DEPTH {
            let mut children = Vec::with_capacity(2 * open.len());
            let mut slots = open.len();
            for node in open {
                let Some(split) = self.split(node, residuals, space) else {
                    self.finish(node, residuals, scores, &mut tree, space);
                    continue;
                };
                importances[split.feature] += split.gain.value(self.packing.sums(node.words), self.packing) / n as f64;
                let threshold = tree.split(node.place, split.feature, split.threshold);
                let middle = node.begin + self.packing.rows(split.left);
                let mut left = Open { place: 2 * node.place + 1, end: middle, words: split.left, ..node };
                let mut right = Open { place: 2 * node.place + 2, begin: middle, words: node.words - split.left, ..node };
                divide(&self.columns[split.feature], threshold, node, middle, space);
                if level + 1 < DEPTH {
                    let is_left_smaller = middle - node.begin <= node.end - middle;
                    let (small, large) = if is_left_smaller { (&mut left, right) } else { (&mut right, left) };
                    small.slot = slots;
                    slots += 1;
                    self.part(*small, large, residuals, space);
                }
                children.extend([left, right]);
            }
            std::mem::swap(&mut space.rows, &mut space.next);
            open = children;
        }
        for node in open {
            self.finish(node, residuals, scores, &mut tree, space);
        }
        tree
    }

    fn begin(&self, residuals: &[f64], space: &mut Workspace) {
        let n = residuals.len();
        space.words.clear();
        wide(
            #[inline(always)]
            || space.words.extend(residuals.iter().map(|r| self.packing.word(*r))),
        );
        space.rows.clear();
        space.rows.extend(0..n as u32);
        space.next.resize(n, 0);
        for sums in &mut space.sums {
            sums.resize_with(1 << (DEPTH - 1), || vec![[0; 256]; self.columns.len()]);
        }
        space.places.clear();
        space.places.resize(n, 0);
    }

    /// The histogram of a node from its rows.
    fn count(&self, node: Open, residuals: &[f64], space: &mut Workspace) {
        let Workspace { words, rows, sums: [all, positive], .. } = space;
        self.clear(&mut all[node.slot]);
        let add = |histogram: &mut Histogram, row: u32| {
            let word = words[row as usize];
            histogram.iter_mut().zip(self.bins.row(row)).for_each(|(sums, bin)| sums[usize::from(*bin)] += word);
        };
        rows[node.rows()].iter().for_each(|row| add(&mut all[node.slot], *row));
        if self.builder == Builder::Exact {
            self.clear(&mut positive[node.slot]);
            let is_positive = |row: &&u32| residuals[**row as usize] > 0.0;
            rows[node.rows()].iter().filter(is_positive).for_each(|row| add(&mut positive[node.slot], *row));
        }
    }

    /// The histograms of two siblings, where that of their parent is in the place of the larger one.
    fn part(&self, small: Open, large: Open, residuals: &[f64], space: &mut Workspace) {
        std::mem::swap(&mut space.rows, &mut space.next);
        self.count(small, residuals, space);
        if self.builder == Builder::Exact {
            for node in [small, large] {
                space.rows[node.rows()].iter().for_each(|row| space.places[*row as usize] = node.place as u8);
            }
        }
        std::mem::swap(&mut space.rows, &mut space.next);
        for sums in &mut space.sums[..if self.builder == Builder::Exact { 2 } else { 1 }] {
            let (large_sums, small_sums) = sums.split_at_mut(small.slot);
            for ((large, small), feature) in large_sums[large.slot].iter_mut().zip(&small_sums[0]).zip(&self.bins.features) {
                let bins = ..=feature.cuts.len();
                large[bins].iter_mut().zip(&small[bins]).for_each(|(large, small)| *large -= small);
            }
        }
    }

    fn clear(&self, histogram: &mut Histogram) {
        histogram.iter_mut().zip(&self.bins.features).for_each(|(sums, feature)| sums[..=feature.cuts.len()].fill(0));
    }

    /// The best split of a node, unless its residuals are all the same.
    fn split(&self, node: Open, residuals: &[f64], space: &Workspace) -> Option<Split> {
        let [all, positive] = &space.sums;
        let asked = Node { words: node.words, histogram: &all[node.slot], packing: self.packing };
        let split = match self.builder {
            Builder::Histogram => between_bins(self.bins, asked),
            Builder::Exact => {
                let places = (&space.places[..], node.place as u8);
                let exact = Exact { columns: self.columns, words: &space.words, places, positive: &positive[node.slot] };
                between_values(self.bins, asked, &exact)
            }
        }?;
        let rows = (node.end - node.begin) as f64;
        let mean = |of: fn(f64) -> f64| self.packing.total(node.residuals(residuals, space).map(of)) / rows;
        let is_impure = || mean(|r| r * r) - mean(|r| r).powi(2) > f64::EPSILON;
        let gain = split.gain.value(self.packing.sums(node.words), self.packing) / rows;
        (gain > f64::EPSILON || is_impure()).then_some(split)
    }

    /// Gives a leaf its value, factor · Σr / Σ|r|(1 − |r|), and its rows theirs.
    fn finish(&self, leaf: Open, residuals: &[f64], scores: &mut [f64], tree: &mut Tree, space: &Workspace) {
        let total = |of: fn(f64) -> f64| self.packing.total(leaf.residuals(residuals, space).map(of));
        let weight = total(|r| r.abs() * (1.0 - r.abs()));
        let value = if weight > 0.0 { self.factor * (total(|r| r) / weight) } else { 0.0 };
        tree.set(leaf.place, value);
        space.rows[leaf.rows()].iter().for_each(|row| scores[*row as usize] += value);
    }
}

/// The rows of a node to both sides of a threshold, in their own order.
fn divide(column: &[f32], threshold: f32, node: Open, middle: usize, space: &mut Workspace) {
    let (left, right) = space.next[node.rows()].split_at_mut(middle - node.begin);
    let (mut l, mut r) = (0, 0);
    for row in &space.rows[node.rows()] {
        // Both sides are written, and one of them moves on: no branch to be guessed.
        let is_right = column[*row as usize] > threshold;
        if let Some(place) = left.get_mut(l) {
            *place = *row;
        }
        if let Some(place) = right.get_mut(r) {
            *place = *row;
        }
        l += usize::from(!is_right);
        r += usize::from(is_right);
    }
}
