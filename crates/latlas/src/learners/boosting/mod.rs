//! Gradient boosting of small trees for classes (Friedman 2001).
//!
//! 100 rounds, rate 0.1, depth 3, no row or column left out, at least one row a leaf, features cast to f32.
//!
//! ```text
//! Fₖ = ln(share of class k), centred over classes (two classes: the log-odds)
//! each round and class:  r = 1[y=k] − pₖ,  a squared-error tree on r,
//!     leaf = ((v−1)/v) Σr / Σ|r|(1−|r|)   (two classes: Σr / Σp(1−p)),   Fₖ += 0.1 leaf
//! ```
//!
//! The importance of a feature is, for each tree, the sum over its splits of (n_node/n)·(variance − weighted variance of the
//! children), averaged over all trees that split at all, then normalised to the sum 1. Of equal gains the lowest feature and
//! the lowest threshold win, so the same rows give the same trees.
//!
//! Two builders find the splits: [`Builder::Exact`] looks between all neighbouring values that differ by more than 1e-7,
//! [`Builder::Histogram`] between 255 quantile bins.

mod bins;
mod grow;
mod search;
mod sums;
mod tree;

use std::sync::{Mutex, OnceLock, PoisonError};

use ndarray::ArrayView2;
use rayon::prelude::*;

use super::vectors::{exp, wide};
use super::{largest, present};
use crate::settings::Builder;
use bins::Bins;
use grow::{Ground, Workspace};
use sums::Packing;
pub use tree::Tree;

/// Rounds.
const ROUNDS: usize = 100;
/// What of each leaf is taken.
const RATE: f64 = 0.1;
/// Rows whose probabilities are found at once.
const BLOCK: usize = 1024;
/// Rows of all scores that are worth handing to another thread.
const WORTH: usize = 1000;

/// Features of some rows, prepared once for all fits over them.
pub struct Features {
    /// Feature after feature.
    columns: Vec<Vec<f32>>,
    rows: usize,
    bins: OnceLock<Bins>,
}

impl Features {
    /// From rows `[n, p]`.
    pub fn new(x: ArrayView2<'_, f64>) -> Self {
        let columns = x.columns().into_iter().map(|column| column.iter().map(|x| *x as f32).collect()).collect();
        Self { columns, rows: x.nrows(), bins: OnceLock::new() }
    }

    /// Some of the rows.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        let columns = self.columns.iter().map(|column| rows.iter().map(|i| column[*i]).collect()).collect();
        Self { columns, rows: rows.len(), bins: OnceLock::new() }
    }

    /// Rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    fn bins(&self) -> &Bins {
        self.bins.get_or_init(|| Bins::new(&self.columns))
    }
}

/// A fitted model.
#[derive(Debug, Clone)]
pub struct Boosting {
    classes: Vec<u32>,
    start: Vec<f64>,
    /// The trees of each score, round after round.
    trees: Vec<Vec<Tree>>,
    /// The class of each row that it was fitted to.
    fitted: Vec<u32>,
    /// Of each feature; they sum to 1, or are all 0 where no tree splits.
    pub importances: Vec<f64>,
}

impl Boosting {
    /// From features and the class of each row.
    pub fn fit(features: &Features, labels: &[u32], builder: Builder) -> Self {
        Self::fit_rounds(features, labels, builder, ROUNDS)
    }

    fn fit_rounds(features: &Features, labels: &[u32], builder: Builder, rounds: usize) -> Self {
        let (classes, places) = present(labels);
        let (n, v) = (labels.len(), classes.len());
        let mut counts = vec![0_usize; v];
        places.iter().for_each(|k| counts[*k as usize] += 1);
        let share = |k: usize| counts[k] as f64 / n as f64;
        let mut start: Vec<f64> = match v {
            0 | 1 => Vec::new(),
            2 => vec![(share(1) / share(0)).ln()],
            _ => (0..v).map(|k| share(k).ln()).collect(),
        };
        if start.len() > 1 {
            let mean = start.iter().sum::<f64>() / v as f64;
            start.iter_mut().for_each(|s| *s -= mean);
        }
        let factor = RATE * if v == 2 { 1.0 } else { (v as f64 - 1.0) / v as f64 };
        let ground = Ground { bins: features.bins(), columns: &features.columns, builder, packing: Packing::new(n), factor };
        let mut fits: Vec<Fit> = (0..start.len()).map(|k| Fit::new(k, v, &places, start[k], features.columns.len())).collect();
        let spaces = Mutex::new(Vec::<Workspace>::new());
        let mut inverses = vec![0.0; n];
        for _ in 0..if v < 2 || features.columns.is_empty() { 0 } else { rounds } {
            weigh(&mut fits, &mut inverses);
            fits.par_iter_mut().with_min_len(1 + WORTH / (n + 1)).for_each(|fit| {
                let mut space = spaces.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
                fit.round(&ground, &inverses, &mut space);
                spaces.lock().unwrap_or_else(PoisonError::into_inner).push(space);
            });
        }
        let mut importances = vec![0.0; features.columns.len()];
        fits.iter().for_each(|fit| importances.iter_mut().zip(&fit.importances).for_each(|(all, own)| *all += own));
        // The number of trees that split cancels.
        let total: f64 = importances.iter().sum();
        if total > 0.0 {
            importances.iter_mut().for_each(|s| *s /= total);
        }
        let scores: Vec<&[f64]> = fits.iter().map(|fit| &fit.scores[..]).collect();
        let fitted = decided(&classes, &scores, n);
        Self { classes, start, trees: fits.into_iter().map(|fit| fit.trees).collect(), fitted, importances }
    }

    /// Scores F of some rows, score after score: `[scores][n]`.
    pub fn scores(&self, features: &Features) -> Vec<Vec<f64>> {
        let one = |(start, trees): (&f64, &Vec<Tree>)| {
            let mut scores = vec![*start; features.rows];
            trees.iter().for_each(|tree| tree.add_to(&features.columns, &mut scores));
            scores
        };
        self.start.par_iter().zip(&self.trees).map(one).collect()
    }

    /// The class of each row.
    pub fn predict(&self, features: &Features) -> Vec<u32> {
        let scores = self.scores(features);
        let scores: Vec<&[f64]> = scores.iter().map(|scores| &scores[..]).collect();
        decided(&self.classes, &scores, features.rows)
    }

    /// The class of each row that it was fitted to.
    pub fn fitted(&self) -> &[u32] {
        &self.fitted
    }
}

/// The class with the largest score in each row.
fn decided(classes: &[u32], scores: &[&[f64]], rows: usize) -> Vec<u32> {
    let place = |i: usize| match scores {
        [] => 0,
        [score] => usize::from(score[i] > 0.0),
        _ => largest(scores.iter().map(|s| s[i])),
    };
    (0..rows).map(|i| classes.get(place(i)).copied().unwrap_or(0)).collect()
}

/// What one score is fitted in.
struct Fit {
    /// The rows of its class.
    own: Vec<u32>,
    scores: Vec<f64>,
    /// exp(F − largest F), before they are divided by their sum; then the residuals.
    weights: Vec<f64>,
    trees: Vec<Tree>,
    importances: Vec<f64>,
}

impl Fit {
    fn new(k: usize, classes: usize, places: &[u32], start: f64, features: usize) -> Self {
        let class = if classes == 2 { 1 } else { k as u32 };
        let own = (0..places.len() as u32).filter(|i| places[*i as usize] == class).collect();
        let n = places.len();
        Self { own, scores: vec![start; n], weights: vec![0.0; n], trees: Vec::new(), importances: vec![0.0; features] }
    }

    /// One tree, on r = 1[y=k] − p.
    fn round(&mut self, ground: &Ground<'_>, inverses: &[f64], space: &mut Workspace) {
        self.weights.iter_mut().zip(inverses).for_each(|(w, inverse)| *w *= -inverse);
        self.own.iter().for_each(|row| self.weights[*row as usize] += 1.0);
        self.trees.push(ground.grow(&self.weights, &mut self.scores, &mut self.importances, space));
    }
}

/// Weights of all scores, and the inverse of their sums over scores.
fn weigh(fits: &mut [Fit], inverses: &mut [f64]) {
    if let [fit] = fits {
        fit.weights.fill(1.0);
        wide(
            #[inline(always)]
            || {
                for (inverse, f) in inverses.iter_mut().zip(&fit.scores) {
                    *inverse = 1.0 / (1.0 + exp(-f));
                }
            },
        );
        return;
    }
    inverses.par_chunks_mut(BLOCK).enumerate().for_each(|(block, top)| {
        top.fill(f64::NEG_INFINITY);
        fits.iter().for_each(|fit| top.iter_mut().zip(&fit.scores[block * BLOCK..]).for_each(|(top, f)| *top = top.max(*f)));
    });
    let top = &inverses;
    fits.par_iter_mut().with_min_len(1 + WORTH / (top.len() + 1)).for_each(|fit| {
        wide(
            #[inline(always)]
            || {
                for ((w, f), top) in fit.weights.iter_mut().zip(&fit.scores).zip(top.iter()) {
                    *w = exp(f - top);
                }
            },
        );
    });
    inverses.par_chunks_mut(BLOCK).enumerate().for_each(|(block, sums)| {
        sums.fill(0.0);
        fits.iter().for_each(|fit| sums.iter_mut().zip(&fit.weights[block * BLOCK..]).for_each(|(sum, w)| *sum += w));
        sums.iter_mut().for_each(|sum| *sum = sum.recip());
    });
}

#[cfg(test)]
mod tests;
