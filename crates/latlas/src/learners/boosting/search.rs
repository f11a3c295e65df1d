//! The best split of a node: between bins, and for exact splits inside those bins that may hold a better one.
//!
//! The sums of positive and of negative residuals of a bin bound every split within it, and few bins pass. Bins are looked
//! at sixteen at a time: whether any of them is better can be asked of vectors.

use super::bins::{APART, Bins};
use super::sums::{Gain, Packing, Sums};
use super::tree::midway;
use crate::learners::vectors::wide;

/// Sums of words over the bins of each feature.
pub type Histogram = Vec<[i64; BINS]>;
/// Room for bins.
const BINS: usize = 256;
/// Bins that are looked at together.
const LANES: usize = 16;

/// A node that may split.
#[derive(Clone, Copy)]
pub struct Node<'a> {
    /// The sum of its words.
    pub words: i64,
    /// Of its rows.
    pub histogram: &'a Histogram,
    pub packing: Packing,
}

/// What exact splits need to know beside.
pub struct Exact<'a> {
    pub columns: &'a [Vec<f32>],
    /// The word of each row.
    pub words: &'a [i64],
    /// The place in the tree of each row, and of the node.
    pub places: (&'a [u8], u8),
    /// Words of rows with positive residuals.
    pub positive: &'a Histogram,
}

/// A split of a node.
#[derive(Debug, Clone, Copy)]
pub struct Split {
    pub feature: usize,
    pub threshold: f64,
    /// The sum of the words to its left.
    pub left: i64,
    pub gain: Gain,
}

/// Words of all bins below each; above the last one those of all.
struct Prefixes([i64; BINS + LANES]);

impl Prefixes {
    /// For so many bins, what is below sixteen by sixteen of them, and what is below the next of each.
    #[inline(always)]
    fn fill(&mut self, sums: &[i64; BINS], bins: usize) -> impl Iterator<Item = (&[i64; LANES], &[i64; LANES])> {
        let mut below = 0_i64;
        for (prefix, words) in self.0[1..].iter_mut().zip(&sums[..bins]) {
            below += words;
            *prefix = below;
        }
        self.0[1 + bins..=bins.next_multiple_of(LANES)].fill(below);
        let chunks = bins.div_ceil(LANES);
        self.0.as_chunks::<LANES>().0[..chunks].iter().zip(&self.0[1..].as_chunks::<LANES>().0[..chunks])
    }
}

/// The best split between bins; of equal ones the first feature, and the lowest threshold.
pub fn between_bins(bins: &Bins, node: Node<'_>) -> Option<Split> {
    wide(
        #[inline(always)]
        || all_bins(bins, node),
    )
}

#[inline(always)]
fn all_bins(bins: &Bins, node: Node<'_>) -> Option<Split> {
    let all = node.packing.sums(node.words);
    let after = |words: i64| Gain::of(all, node.packing.sums(words));
    let (mut best, mut gain) = ((0, 0, 0), Gain::NONE);
    let mut prefixes = Prefixes([0; BINS + LANES]);
    for (f, (sums, feature)) in node.histogram.iter().zip(&bins.features).enumerate() {
        let edges = feature.cuts.len();
        for (chunk, (_, words)) in prefixes.fill(sums, edges).enumerate() {
            // Loops, since closures of iterators may be left out of line, where vectors are narrow.
            let mut any = 0;
            for words in words {
                any |= after(*words).behind(gain).to_bits();
            }
            if is_negative(any) {
                for (lane, words) in words.iter().enumerate().filter(|(lane, _)| chunk * LANES + lane < edges) {
                    let found = after(*words);
                    if found.beats(gain) {
                        (best, gain) = ((f, chunk * LANES + lane, *words), found);
                    }
                }
            }
        }
    }
    let (feature, bin, left) = best;
    gain.is_some().then(|| Split { feature, threshold: bins.features[feature].cuts[bin], left, gain })
}

/// The best split between any two values; of equal ones the first feature, and the lowest threshold.
pub fn between_values(bins: &Bins, node: Node<'_>, exact: &Exact<'_>) -> Option<Split> {
    wide(
        #[inline(always)]
        || all_values(bins, node, exact),
    )
}

#[inline(always)]
fn all_values(bins: &Bins, node: Node<'_>, exact: &Exact<'_>) -> Option<Split> {
    let all = node.packing.sums(node.words);
    let least = all_bins(bins, node).map_or(Gain::NONE, |split| split.gain);
    let mut best = None;
    let mut prefixes = Prefixes([0; BINS + LANES]);
    for (f, (sums, feature)) in node.histogram.iter().zip(&bins.features).enumerate() {
        let count = feature.cuts.len() + 1;
        let positive = exact.positive[f].as_chunks::<LANES>().0;
        for (chunk, ((below, through), positive)) in prefixes.fill(sums, count).zip(positive).enumerate() {
            let (mut hopeless, mut every) = ([0; LANES], u64::MAX);
            for (((bits, below), through), positive) in hopeless.iter_mut().zip(below).zip(through).zip(positive) {
                let sums = [node.packing.sums(*below), node.packing.sums(*through)];
                *bits = is_hopeless(least, all, sums, node.packing.sums(*positive).sum);
                every &= *bits;
            }
            if is_negative(every) {
                continue;
            }
            for lane in (0..LANES).filter(|lane| !is_negative(hopeless[*lane]) && chunk * LANES + lane < count) {
                best = within(bins, node, exact, (f, chunk * LANES + lane, below[lane]), best);
            }
        }
    }
    best.map(|split| exact.threshold(bins, split, node.packing))
}

/// Whether these are the bits of a negative number.
#[inline(always)]
fn is_negative(bits: u64) -> bool {
    bits >> 63 == 1
}

/// Negative where no split whose left part ends inside a bin or with it is as good as the least that is wanted.
#[inline(always)]
fn is_hopeless(least: Gain, all: Sums, [below, through]: [Sums; 2], positive: f64) -> u64 {
    let most = if through.n < all.n { through.n } else { all.n - 1.0 };
    let negative = positive - (through.sum - below.sum);
    let bound = Gain::bound(all, [below.n + 1.0, most], [below.sum - negative, below.sum + positive]);
    least.behind(bound).to_bits() | (most - (below.n + 1.0)).to_bits()
}

/// The better of a split and those that end inside a bin, given by its feature, its number and what is below it, or with it.
fn within(bins: &Bins, node: Node<'_>, exact: &Exact<'_>, (f, bin, below): (usize, usize, i64), best: Option<Split>) -> Option<Split> {
    let all = node.packing.sums(node.words);
    let (feature, column, (places, place)) = (&bins.features[f], &exact.columns[f], exact.places);
    let (mut best, mut left, mut last) = (best, below, f32::INFINITY);
    let mut consider = |left: i64| {
        let gain = Gain::of(all, node.packing.sums(left));
        if gain.beats(best.map_or(Gain::NONE, |split: Split| split.gain)) {
            best = Some(Split { feature: f, threshold: 0.0, left, gain });
        }
    };
    let rows = feature.starts[bin] as usize..feature.starts[bin + 1] as usize;
    for row in feature.order[rows].iter().map(|row| *row as usize).filter(|row| places[*row] == place) {
        if column[row] > last + APART {
            consider(left);
        }
        left += exact.words[row];
        last = column[row];
    }
    consider(left);
    best
}

impl Exact<'_> {
    /// With the threshold midway between the neighbours on both sides of it.
    fn threshold(&self, bins: &Bins, split: Split, packing: Packing) -> Split {
        let (places, place) = self.places;
        let mut own = bins.features[split.feature].order.iter().filter(|row| places[**row as usize] == place);
        let value = |row: Option<&u32>| row.map_or(f32::NAN, |row| self.columns[split.feature][*row as usize]);
        let low = value(own.nth(packing.rows(split.left) - 1));
        Split { threshold: midway(low, value(own.next())), ..split }
    }
}
