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

mod exact;
mod histogram;
mod tree;

use std::sync::OnceLock;

use ndarray::ArrayView2;
use rayon::prelude::*;

use super::{largest, present};
use crate::settings::Builder;
pub use tree::Tree;
use tree::{Grown, Leaf};

/// Rounds.
const ROUNDS: usize = 100;
/// What of each leaf is taken.
const RATE: f64 = 0.1;

/// Features of some rows, prepared once for all fits over them.
pub struct Features {
    /// Feature after feature.
    columns: Vec<Vec<f32>>,
    rows: usize,
    sorted: OnceLock<Vec<Vec<u32>>>,
    binned: OnceLock<histogram::Binned>,
}

impl Features {
    /// From rows `[n, p]`.
    pub fn new(x: ArrayView2<'_, f64>) -> Self {
        let columns = x.columns().into_iter().map(|column| column.iter().map(|x| *x as f32).collect()).collect();
        Self { columns, rows: x.nrows(), sorted: OnceLock::new(), binned: OnceLock::new() }
    }

    /// Some of the rows.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        let columns = self.columns.iter().map(|column| rows.iter().map(|i| column[*i]).collect()).collect();
        Self { columns, rows: rows.len(), sorted: OnceLock::new(), binned: OnceLock::new() }
    }

    /// Rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Rows in ascending order of each feature, equal ones in their own order.
    fn sorted(&self) -> &[Vec<u32>] {
        self.sorted.get_or_init(|| {
            let order = |column: &Vec<f32>| {
                let mut order: Vec<u32> = (0..self.rows as u32).collect();
                order.sort_by(|a, b| column[*a as usize].total_cmp(&column[*b as usize]).then(a.cmp(b)));
                order
            };
            self.columns.par_iter().map(order).collect()
        })
    }

    fn binned(&self) -> &histogram::Binned {
        self.binned.get_or_init(|| histogram::Binned::new(&self.columns, self.sorted()))
    }
}

/// A fitted model.
#[derive(Debug, Clone)]
pub struct Boosting {
    classes: Vec<u32>,
    start: Vec<f64>,
    /// Round after round, a tree for each score.
    trees: Vec<Vec<Tree>>,
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
        let scores = match v {
            0 | 1 => 0,
            2 => 1,
            v => v,
        };
        let mut start: Vec<f64> = match scores {
            0 => Vec::new(),
            1 => vec![(share(1) / share(0)).ln()],
            _ => (0..v).map(|k| share(k).ln()).collect(),
        };
        if scores > 1 {
            let mean = start.iter().sum::<f64>() / v as f64;
            start.iter_mut().for_each(|s| *s -= mean);
        }
        let mut importances = Importances::new(features.columns.len());
        let mut state = State::new(&start, &places, n);
        let mut trees = Vec::new();
        for _ in 0..if scores == 0 { 0 } else { rounds } {
            state.probabilities();
            let grown = state.round(features, builder);
            grown.iter().for_each(|grown| importances.add(grown));
            trees.push(grown.into_iter().map(|grown| grown.tree).collect());
        }
        Self { classes, start, trees, importances: importances.finish() }
    }

    /// Scores F of some rows, score after score: `[scores][n]`.
    pub fn scores(&self, features: &Features) -> Vec<Vec<f64>> {
        let one = |k: usize| {
            let mut scores = vec![self.start[k]; features.rows];
            for round in &self.trees {
                round[k].add_to(&features.columns, RATE, &mut scores);
            }
            scores
        };
        (0..self.start.len()).into_par_iter().map(one).collect()
    }

    /// The class of each row.
    pub fn predict(&self, features: &Features) -> Vec<u32> {
        let scores = self.scores(features);
        let place = |i: usize| match scores.len() {
            0 => 0,
            1 => usize::from(scores[0][i] > 0.0),
            _ => largest(scores.iter().map(|s| s[i])),
        };
        (0..features.rows).map(|i| self.classes.get(place(i)).copied().unwrap_or(0)).collect()
    }

    /// The share of rows whose class is predicted.
    pub fn accuracy(&self, features: &Features, labels: &[u32]) -> f64 {
        let right = self.predict(features).iter().zip(labels).filter(|(a, b)| a == b).count();
        right as f64 / labels.len() as f64
    }
}

/// Scores and probabilities while fitting.
struct State<'a> {
    places: &'a [u32],
    /// `[scores][n]`.
    scores: Vec<Vec<f64>>,
    probabilities: Vec<Vec<f64>>,
}

impl<'a> State<'a> {
    fn new(start: &[f64], places: &'a [u32], n: usize) -> Self {
        let scores: Vec<Vec<f64>> = start.iter().map(|s| vec![*s; n]).collect();
        Self { places, probabilities: scores.clone(), scores }
    }

    fn probabilities(&mut self) {
        if let [scores] = &self.scores[..] {
            self.probabilities[0] = scores.iter().map(|f| 1.0 / (1.0 + (-f).exp())).collect();
            return;
        }
        let mut top = vec![f64::NEG_INFINITY; self.places.len()];
        for scores in &self.scores {
            top.iter_mut().zip(scores).for_each(|(top, f)| *top = top.max(*f));
        }
        self.probabilities.par_iter_mut().zip(&self.scores).for_each(|(p, scores)| {
            p.iter_mut().zip(scores).zip(&top).for_each(|((p, f), top)| *p = (f - top).exp());
        });
        let mut sums = vec![0.0; self.places.len()];
        for p in &self.probabilities {
            sums.iter_mut().zip(p).for_each(|(sum, p)| *sum += p);
        }
        self.probabilities.par_iter_mut().for_each(|p| p.iter_mut().zip(&sums).for_each(|(p, sum)| *p /= sum));
    }

    /// One tree for each score, added to the scores.
    fn round(&mut self, features: &Features, builder: Builder) -> Vec<Grown> {
        let v = self.scores.len();
        let leaf = if v == 1 { Leaf { factor: 1.0 } } else { Leaf { factor: (v as f64 - 1.0) / v as f64 } };
        let places = self.places;
        let one = |(k, (scores, p)): (usize, (&mut Vec<f64>, &Vec<f64>))| {
            let class = if v == 1 { 1 } else { k as u32 };
            let residuals: Vec<f64> = places.iter().zip(p).map(|(y, p)| f64::from(u8::from(*y == class)) - p).collect();
            let grown = match builder {
                Builder::Exact => exact::grow(&features.columns, features.sorted(), &residuals, leaf),
                Builder::Histogram => histogram::grow(features.binned(), &residuals, leaf),
            };
            scores.iter_mut().zip(&grown.leaf_of).for_each(|(f, leaf)| *f += RATE * grown.tree.value(*leaf));
            grown
        };
        self.scores.par_iter_mut().zip(&self.probabilities).enumerate().map(one).collect()
    }
}

/// Sums of gains over trees.
struct Importances {
    sums: Vec<f64>,
}

impl Importances {
    fn new(features: usize) -> Self {
        Self { sums: vec![0.0; features] }
    }

    fn add(&mut self, grown: &Grown) {
        grown.gains.iter().for_each(|(feature, gain)| self.sums[*feature] += gain);
    }

    fn finish(mut self) -> Vec<f64> {
        // The number of trees that split cancels.
        let total: f64 = self.sums.iter().sum();
        if total > 0.0 {
            self.sums.iter_mut().for_each(|s| *s /= total);
        }
        self.sums
    }
}

#[cfg(test)]
mod tests;
