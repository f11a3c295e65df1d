//! Learners fitted to a set, each once.

use std::sync::OnceLock;

use ndarray::{Array2, ArrayView2, Axis, concatenate};
use rayon::prelude::*;

use super::{CodeSet, Part, standardised};
use crate::learners::logistic::Effort;
use crate::learners::ranks::auc;
use crate::learners::{Boosting, Features, LinearSvm, Logistic, accuracy};

/// Rows that a learner trains on and is tested with at most.
const MOST_ROWS: [usize; 2] = [10_000, 5_000];
/// Folds of the choice between penalties.
const FOLDS: usize = 5;
/// Penalties to choose from, 1e-4 to 1e4.
const PENALTIES: usize = 10;
/// Test rows that are looked up at once.
const BLOCK: usize = 1024;

/// Fits that were made.
#[derive(Debug, Default)]
pub struct Fits {
    boosted: OnceLock<Vec<Option<Boosted>>>,
    logistic: OnceLock<Vec<Option<f64>>>,
    svm: OnceLock<Vec<Vec<Option<f64>>>>,
    explicit: OnceLock<Vec<Option<Explicit>>>,
    capped: OnceLock<Option<Box<CodeSet>>>,
}

/// Boosted trees for one factor.
#[derive(Debug, Clone)]
pub struct Boosted {
    /// Of each code.
    pub importances: Vec<f64>,
    /// Share of training rows whose class is found.
    pub train_accuracy: f64,
    /// Share of test rows.
    pub test_accuracy: f64,
}

/// How well a linear model ranks each value of one factor.
#[derive(Debug, Clone)]
pub struct Explicit {
    /// Mean AUC over values, training rows.
    pub train: f64,
    /// Mean AUC over values, test rows.
    pub test: f64,
    /// Values without a test row of their own or of another.
    pub missing: usize,
    /// Whether the fit reached its tolerance.
    pub converged: bool,
}

/// The rows of a factor that have a label, and the labels.
fn labelled(part: &Part, k: usize) -> (Vec<usize>, Vec<u32>) {
    let factor = &part.factors[k];
    let rows = factor.labelled();
    let labels = rows.iter().map(|i| factor.index[*i]).collect();
    (rows, labels)
}

fn select(x: ArrayView2<'_, f64>, rows: &[usize]) -> Array2<f64> {
    if rows.len() == x.nrows() { x.to_owned() } else { x.select(Axis(0), rows) }
}

impl CodeSet {
    /// The rows that learners take: all, or a keyed sample of 10,000 to learn from and 5,000 to test with.
    pub fn learners(&self) -> &CodeSet {
        let [train, test] = MOST_ROWS;
        let capped = self.fits().capped.get_or_init(|| {
            let is_larger = self.train.rows() > train || self.test.rows() > test;
            is_larger.then(|| Box::new(self.thinned_to(train, 1 << 21).tests_thinned_to(test)))
        });
        capped.as_deref().unwrap_or(self)
    }

    /// Boosted trees for each factor that varies; `None` for others.
    pub fn boosted(&self) -> &[Option<Boosted>] {
        self.fits().boosted.get_or_init(|| {
            let features = [&self.train, &self.test].map(|part| Features::new(part.codes.view()));
            let one = |k: usize| {
                let [(train_rows, train), (test_rows, test)] = [&self.train, &self.test].map(|part| labelled(part, k));
                if !self.train.factors[k].varies() {
                    return None;
                }
                let [thin, thin_test] = [(&features[0], &train_rows), (&features[1], &test_rows)]
                    .map(|(all, rows)| (rows.len() < all.rows()).then(|| all.select(rows)));
                let fit = Boosting::fit(thin.as_ref().unwrap_or(&features[0]), &train, self.options.builder);
                Some(Boosted {
                    train_accuracy: accuracy(fit.fitted(), &train),
                    test_accuracy: accuracy(&fit.predict(thin_test.as_ref().unwrap_or(&features[1])), &test),
                    importances: fit.importances,
                })
            };
            (0..self.n_factors()).into_par_iter().map(one).collect()
        })
    }

    /// Test accuracy of a logistic regression for each factor that varies, its penalty chosen by five folds.
    pub fn logistic(&self) -> &[Option<f64>] {
        self.fits().logistic.get_or_init(|| {
            let one = |k: usize| {
                let [(train_rows, train), (test_rows, test)] = [&self.train, &self.test].map(|part| labelled(part, k));
                self.train.factors[k].varies().then(|| {
                    let x = select(self.train.codes.view(), &train_rows);
                    cross_validated(x.view(), &train).accuracy(select(self.test.codes.view(), &test_rows).view(), &test)
                })
            };
            (0..self.n_factors()).map(one).collect()
        })
    }

    /// Test accuracy of a linear machine on each code alone for each factor that varies, `[l][k]`.
    pub fn svm(&self) -> &[Vec<Option<f64>>] {
        self.fits().svm.get_or_init(|| {
            let one = |l: usize, k: usize| {
                let [(train_rows, train), (test_rows, test)] = [&self.train, &self.test].map(|part| labelled(part, k));
                self.train.factors[k].varies().then(|| {
                    let pick = |part: &Part, rows: &[usize]| rows.iter().map(|i| part.codes[[*i, l]]).collect::<Vec<f64>>();
                    let svm = LinearSvm::fit(&pick(&self.train, &train_rows), &train);
                    let found: Vec<u32> = pick(&self.test, &test_rows).iter().map(|z| svm.predict(*z)).collect();
                    accuracy(&found, &test)
                })
            };
            (0..self.n_codes()).into_par_iter().map(|l| (0..self.n_factors()).map(|k| one(l, k)).collect()).collect()
        })
    }

    /// How well each value of each factor that varies is ranked by a logistic regression on standardised codes.
    pub fn explicit(&self) -> &[Option<Explicit>] {
        self.fits().explicit.get_or_init(|| {
            let [x, test] = [&self.train, &self.test].map(|part| standardised(&part.codes, &self.train.codes));
            (0..self.n_factors()).map(|k| self.explicit_factor(k, x.view(), test.view())).collect()
        })
    }

    fn explicit_factor(&self, k: usize, x: ArrayView2<'_, f64>, test: ArrayView2<'_, f64>) -> Option<Explicit> {
        if !self.train.factors[k].varies() {
            return None;
        }
        let [(train_rows, train_labels), (test_rows, test_labels)] = [&self.train, &self.test].map(|part| labelled(part, k));
        let (x, test) = (select(x, &train_rows), select(test, &test_rows));
        let fit = Logistic::fit(x.view(), &train_labels, 1.0, Effort::FULL, None);
        let mean = |x: &Array2<f64>, labels: &[u32]| {
            let blocks: Vec<usize> = (0..x.nrows()).step_by(BLOCK).collect();
            let rows = |start: usize| (start..(start + BLOCK).min(x.nrows())).map(|i| fit.probabilities(x.row(i))).collect::<Vec<_>>();
            let probabilities: Vec<Vec<f64>> = blocks.into_par_iter().flat_map_iter(rows).collect();
            let of = |place: usize| {
                let scores: Vec<f64> = probabilities.iter().map(|p| p[place]).collect();
                auc(&scores, |i| labels[i] == fit.classes()[place])
            };
            let areas: Vec<Option<f64>> = (0..fit.classes().len()).into_par_iter().map(of).collect();
            let known: Vec<f64> = areas.iter().flatten().copied().collect();
            (known.iter().sum::<f64>() / known.len() as f64, areas.len() - known.len())
        };
        let ((train, _), (test, missing)) = (mean(&x, &train_labels), mean(&test, &test_labels));
        Some(Explicit { train, test, missing, converged: fit.converged })
    }
}

/// A logistic regression whose penalty is the smallest C with the best mean accuracy over contiguous folds.
fn cross_validated(x: ArrayView2<'_, f64>, labels: &[u32]) -> Logistic {
    let n = x.nrows();
    let folds = FOLDS.min(n);
    let penalties: Vec<f64> = (0..PENALTIES).map(|i| 10_f64.powf(-4.0 + 8.0 * i as f64 / (PENALTIES - 1) as f64)).collect();
    let edge = |fold: usize| fold * (n / folds) + fold.min(n % folds);
    let accuracies = |fold: usize| {
        let held = edge(fold)..edge(fold + 1);
        let rest = [0..held.start, held.end..n].map(|rows| x.slice_axis(Axis(0), rows.into()));
        let train = concatenate(Axis(0), &rest).unwrap_or_default();
        let own = [&labels[..held.start], &labels[held.end..]].concat();
        let (held_x, held_y) = (x.slice_axis(Axis(0), held.clone().into()), &labels[held]);
        let mut last: Option<Logistic> = None;
        let along = |c: &f64| {
            let fit = Logistic::fit(train.view(), &own, *c, Effort::ROUGH, last.as_ref());
            let accuracy = fit.accuracy(held_x, held_y);
            last = Some(fit);
            accuracy
        };
        penalties.iter().map(along).collect::<Vec<f64>>()
    };
    let all: Vec<Vec<f64>> = (0..folds).into_par_iter().map(accuracies).collect();
    let mean = |i: usize| all.iter().map(|fold| fold[i]).sum::<f64>();
    let best = crate::learners::largest((0..PENALTIES).map(mean));
    Logistic::fit(x, labels, penalties[best], Effort::FULL, None)
}
