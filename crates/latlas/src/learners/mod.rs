//! Small learners, written so that the same rows give the same bits: gradient boosting, logistic regression, the linear
//! support-vector machine on one number, and ranks.
//!
//! They know nothing of codes and factors: features are columns, labels are indices of classes.

// What loops on wide vectors call has to become part of them: see `vectors::wide`.
#![allow(clippy::inline_always)]

pub mod boosting;
pub mod linear_svm;
pub mod logistic;
pub mod ranks;
mod vectors;

pub use boosting::{Boosting, Features};
pub use linear_svm::LinearSvm;
pub use logistic::Logistic;

/// The place of the largest entry; the first of equal ones, 0 where there is none.
pub fn largest(values: impl IntoIterator<Item = f64>) -> usize {
    let mut best = (0, f64::NEG_INFINITY);
    for (i, x) in values.into_iter().enumerate() {
        if x > best.1 {
            best = (i, x);
        }
    }
    best.0
}

/// The share of labels that were found.
pub fn accuracy(found: &[u32], labels: &[u32]) -> f64 {
    let right = found.iter().zip(labels).filter(|(a, b)| a == b).count();
    right as f64 / labels.len() as f64
}

/// The classes that occur, ascending, and for each row its place among them.
pub fn present(labels: &[u32]) -> (Vec<u32>, Vec<u32>) {
    let mut classes = labels.to_vec();
    classes.sort_unstable();
    classes.dedup();
    let place = |label: &u32| classes.binary_search(label).unwrap_or(0) as u32;
    let places = labels.iter().map(place).collect();
    (classes, places)
}
