//! Accuracy by number of labels, and the share of it that few labels give.

use rayon::prelude::*;
use serde_json::{Value as Json, json};

use super::{CodeSet, FITS_ROWS, Scored};

/// What is fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Learner {
    Logistic,
    Boosted,
}

/// Numbers of labels.
pub const SIZES: [usize; 4] = [10, 100, 1000, 10_000];
/// Draws of a thousand labels for logistic regression, whose choice of penalty is dear.
const FEW_DRAWS: usize = 3;

/// Accuracy of every factor for each draw of so many labels.
struct Rung {
    draws: Vec<Vec<f64>>,
}

impl Learner {
    /// Test accuracy for each factor that varies in the whole set.
    fn accuracies(self, set: &CodeSet, factors: &[usize]) -> Vec<f64> {
        // Where a draw has one class, that class is what is predicted.
        let constant = |k: usize| {
            let only = set.train.factors[k].index.iter().find(|y| **y != super::MISSING);
            let test = &set.test.factors[k];
            let rows = test.labelled();
            rows.iter().filter(|i| Some(&test.index[**i]) == only).count() as f64 / rows.len() as f64
        };
        let found: Vec<Option<f64>> = match self {
            Self::Logistic => set.logistic().to_vec(),
            Self::Boosted => set.boosted().iter().map(|fit| fit.as_ref().map(|fit| fit.test_accuracy)).collect(),
        };
        factors.iter().map(|k| found[*k].unwrap_or_else(|| constant(*k))).collect()
    }
}

impl Rung {
    /// `None` where there are not so many rows.
    fn new(set: &CodeSet, learner: Learner, size: usize, factors: &[usize]) -> Option<Self> {
        let n = set.train.rows();
        if size > n {
            return None;
        }
        if size == n {
            return Some(Self { draws: vec![learner.accuracies(set, factors)] });
        }
        let sets = set.draws(size);
        let count = if learner == Learner::Logistic && size >= FITS_ROWS { FEW_DRAWS } else { sets.len() };
        Some(Self { draws: sets[..count].par_iter().map(|draw| learner.accuracies(draw, factors)).collect() })
    }

    fn means(&self) -> Vec<f64> {
        self.draws.iter().map(|draw| mean(draw)).collect()
    }

    fn mean(&self) -> f64 {
        mean(&self.means())
    }

    /// What the mean of a single draw scatters by.
    fn spread(&self) -> f64 {
        let means = self.means();
        let centre = mean(&means);
        (means.iter().map(|x| (x - centre).powi(2)).sum::<f64>() / (means.len().max(2) - 1) as f64).sqrt()
    }

    /// The worst factor of the mean over draws.
    fn minimum(&self) -> f64 {
        let of = |k: usize| self.draws.iter().map(|draw| draw[k]).sum::<f64>() / self.draws.len() as f64;
        (0..self.draws[0].len()).map(of).fold(f64::INFINITY, f64::min)
    }

    /// Spread of draws and the binomial part of the test rows.
    fn error(&self, set: &CodeSet, factors: &[usize]) -> f64 {
        let of = |place: usize| self.draws.iter().map(|draw| draw[place]).sum::<f64>() / self.draws.len() as f64;
        let variance = |(place, k): (usize, &usize)| of(place) * (1.0 - of(place)) / set.test.factors[*k].labelled().len() as f64;
        let binomial = factors.iter().enumerate().map(variance).sum::<f64>().sqrt() / factors.len() as f64;
        (self.spread() / (self.draws.len() as f64).sqrt()).hypot(binomial)
    }
}

fn mean(x: &[f64]) -> f64 {
    x.iter().sum::<f64>() / x.len() as f64
}

/// The ladder of a learner.
pub fn ladder(set: &CodeSet, learner: Learner) -> Scored {
    let factors = set.varying_factors();
    let rungs: Vec<Option<Rung>> = SIZES.iter().map(|size| Rung::new(set, learner, *size, &factors)).collect();
    let each = |of: &dyn Fn(&Rung) -> f64| rungs.iter().map(|rung| rung.as_ref().map_or(f64::NAN, of)).collect::<Vec<f64>>();
    let numbers = |x: Vec<f64>| Json::Array(x.into_iter().map(|x| if x.is_finite() { json!(x) } else { Json::Null }).collect());
    let all = Rung::new(set, learner, set.train.rows(), &factors).map_or(f64::NAN, |rung| rung.mean());
    let mut scored =
        Scored { vector: Some((each(&Rung::mean), each(&|rung| rung.error(set, &factors)), "labels")), ..Scored::value(f64::NAN) };
    scored = scored.with("labels", json!(SIZES)).with("order", json!([3, 2, 1, 0])).with("minimum", numbers(each(&Rung::minimum)));
    scored = scored.with("draws", json!(rungs.iter().map(|rung| rung.as_ref().map_or(0, |rung| rung.draws.len())).collect::<Vec<_>>()));
    let majority: Vec<f64> = factors.iter().map(|k| set.test.factors[*k].largest_share()).collect();
    scored = scored.with("majority", json!(mean(&majority)));
    if rungs.iter().any(Option::is_none) {
        scored = scored.with("undefined", json!("fewer rows than labels"));
    }
    scored.with("all_rows", json!({ "rows": set.train.rows(), "accuracy": all }))
}

/// The share of the accuracy with many labels that a hundred give.
pub fn efficiency(set: &CodeSet, learner: Learner) -> Scored {
    let factors = set.varying_factors();
    let many = SIZES[3].min(set.train.rows());
    let (Some(few), Some(all)) = (Rung::new(set, learner, SIZES[1], &factors), Rung::new(set, learner, many, &factors)) else {
        return Scored::undefined("fewer-rows-than-labels");
    };
    if all.mean() == 0.0 {
        return Scored::undefined("nothing-is-ever-right");
    }
    let ratio = few.mean() / all.mean();
    let relative = |rung: &Rung| rung.error(set, &factors) / rung.mean();
    let error = ratio * relative(&few).hypot(relative(&all));
    let scored = Scored { standard_error: Some(error), ..Scored::value(ratio) };
    scored.with("spread_of_draws", json!(few.spread() / all.mean())).with("rows", json!([SIZES[1], many]))
}
