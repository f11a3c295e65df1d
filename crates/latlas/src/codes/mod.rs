//! Codes of data, the factors that made it, and, lazily and once, everything known of both.
//!
//! A [`CodeSet`] is to scores of codes what a probe is to scores of a decoder: whoever asks first for joint counts or a fit
//! pays, the rest share. Whatever is done to a set, such as shuffling its factors, turning its codes or drawing its rows
//! anew, gives another set, so that a score is one function of a set and its null, its interval and its answer to an attack
//! need no code of their own.

pub mod batches;
mod bins;
mod counts;
mod decomposition;
pub mod energy;
mod factors;
mod fits;
mod given;
pub mod importance;
mod information;
mod interventions;
pub mod ladder;
mod moments;
mod oddities;
mod replicates;
mod score;
mod shared;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use ndarray::{Array2, Axis};

pub use bins::{BINS, equal_width, range};
pub use counts::JointCounts;
pub use decomposition::Decomposition;
pub use factors::{Factor, Kind, MISSING, factor};
pub use fits::{Boosted, Explicit, Fits};
pub use given::{Given, Matrix, TableGiven};
pub use information::{BestTwo, Information};
pub use interventions::{Grid, Interventions};
pub use moments::{Mean, Spread, standardised};
pub use replicates::{ATTACK_ANGLES, Effort, FITS_ROWS, orthogonal, pair_turn};
pub use score::{Heat, Score, Scored};
pub use shared::SharedCodes;

use crate::caveat::Caveat;
use crate::error::{Error, Result};
use crate::random::{Purpose, set_apart};
use crate::settings::{Builder, Preset, Settings};

/// The share of test rows where none are given.
const TEST_SHARE: f64 = 0.3;
/// Codes and factors of some rows.
#[derive(Debug, Clone)]
pub struct Part {
    /// `[n, L]`.
    pub codes: Arc<Array2<f64>>,
    /// K of them, each of n rows.
    pub factors: Arc<Vec<Factor>>,
}

impl Part {
    /// n.
    pub fn rows(&self) -> usize {
        self.codes.nrows()
    }

    /// Code l.
    pub fn code(&self, l: usize) -> Vec<f64> {
        self.codes.column(l).to_vec()
    }

    /// Some of the rows.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        let factors = self.factors.iter().map(|factor| factor.select(rows)).collect();
        Self { codes: Arc::new(self.codes.select(Axis(0), rows)), factors: Arc::new(factors) }
    }
}

/// How scores are computed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// Key of all random streams.
    pub seed: u64,
    /// Level of intervals.
    pub level: f64,
    /// Constants and conventions.
    pub preset: Preset,
    /// How trees find their splits.
    pub builder: Builder,
}

/// Means and log variances of the posterior q(z|x) of every row.
#[derive(Debug, Clone)]
pub struct Posterior {
    /// `[n, L]`.
    pub mean: Array2<f64>,
    /// `[n, L]`.
    pub log_variance: Array2<f64>,
}

/// Codes, factors, and what is known of them.
#[derive(Debug)]
pub struct CodeSet {
    /// How scores are computed.
    pub options: Options,
    /// Rows to learn from; whatever needs no test uses these.
    pub train: Part,
    /// Rows to test with.
    pub test: Part,
    /// Number of each code among those given.
    pub code_ids: Vec<usize>,
    /// Number of each factor among those given.
    pub factor_ids: Vec<usize>,
    /// Codes and factors that were given.
    pub given: (usize, usize),
    /// What follows from the codes themselves.
    pub caveats: Vec<Caveat>,
    /// Rows left out, by reason.
    pub dropped: BTreeMap<String, usize>,
    /// Rows that were looked at.
    pub n_seen: usize,
    /// Codes of a whole grid of factors.
    pub grid: Option<Grid>,
    /// Pairs of codes that repeat each other.
    pub repeated: Vec<(usize, usize)>,
    /// Whether it was made from another set, for a null or an interval.
    pub is_replicate: bool,
    /// The posterior behind the codes.
    pub posterior: Option<Arc<Posterior>>,
    /// Mean log p(x) of the model behind the codes at each angle of the rotation attack, where it was computed.
    pub likelihood: Option<Arc<Vec<f64>>>,
    cells: Cells,
}

/// What is known.
#[derive(Debug, Default)]
struct Cells {
    information: OnceLock<Information>,
    fits: Fits,
    decomposition: OnceLock<Option<Decomposition>>,
    replicates: replicates::Replicates,
}

impl CodeSet {
    /// From what was given.
    ///
    /// # Errors
    /// Arrays that do not fit each other, factors that are no classes, too many rows without a finite code.
    pub fn new(given: &Given, settings: &Settings) -> Result<Self> {
        let options = Options {
            seed: settings.seed,
            level: settings.level,
            preset: settings.preset,
            builder: settings.builder.unwrap_or(settings.preset.builder()),
        };
        let whole = given.check(settings)?;
        let (train, test) = match whole.test_from {
            Some(first) => ((0..first).collect::<Vec<_>>(), (first..whole.part.rows()).collect::<Vec<_>>()),
            None => set_apart(options.seed, Purpose::Split, whole.part.rows(), TEST_SHARE),
        };
        let set = Self {
            options,
            train: whole.part.select(&train),
            test: whole.part.select(&test),
            code_ids: (0..whole.part.codes.ncols()).collect(),
            factor_ids: (0..whole.part.factors.len()).collect(),
            given: (whole.part.codes.ncols(), whole.part.factors.len()),
            caveats: Vec::new(),
            dropped: whole.dropped,
            n_seen: whole.seen,
            grid: whole.grid,
            repeated: Vec::new(),
            is_replicate: false,
            posterior: whole.posterior.map(Arc::new),
            likelihood: given.likelihood.clone().map(Arc::new),
            cells: Cells::default(),
        };
        Ok(set.looked_at())
    }

    /// L.
    pub fn n_codes(&self) -> usize {
        self.train.codes.ncols()
    }

    /// K.
    pub fn n_factors(&self) -> usize {
        self.train.factors.len()
    }

    /// Whether the constants of the study hold.
    pub fn is_study(&self) -> bool {
        self.options.preset == Preset::Study2019
    }

    /// Joint counts of all codes and factors of the training rows, and what follows from them.
    pub fn information(&self) -> &Information {
        self.cells.information.get_or_init(|| Information::new(&self.train, self.is_study()))
    }

    /// The parts of the rate of the posterior; `None` without one.
    pub fn decomposition(&self) -> Option<&Decomposition> {
        self.cells.decomposition.get_or_init(|| Decomposition::of(self)).as_ref()
    }

    /// Learners that were fitted to this set.
    pub fn fits(&self) -> &Fits {
        &self.cells.fits
    }

    /// Factors that take more than one value in the training rows, by their place.
    pub fn varying_factors(&self) -> Vec<usize> {
        (0..self.n_factors()).filter(|k| self.train.factors[*k].varies()).collect()
    }

    /// Codes that take more than one value in the training rows, by their place.
    pub fn varying_codes(&self) -> Vec<usize> {
        (0..self.n_codes()).filter(|l| Spread::of(&self.train.code(*l)).varies()).collect()
    }

    /// Codes without those that repeat an earlier one, by their place.
    pub fn distinct_codes(&self) -> Vec<usize> {
        (0..self.n_codes()).filter(|l| !self.repeated.iter().any(|(_, later)| later == l)).collect()
    }

    /// The same with other rows and without what is known.
    fn with(&self, train: Part, test: Part) -> Self {
        Self {
            train,
            test,
            code_ids: self.code_ids.clone(),
            factor_ids: self.factor_ids.clone(),
            caveats: Vec::new(),
            dropped: BTreeMap::new(),
            grid: self.grid.clone(),
            repeated: Vec::new(),
            is_replicate: true,
            posterior: None,
            likelihood: None,
            cells: Cells::default(),
            ..*self
        }
    }
}

/// An error of arrays that do not fit.
fn shape(what: String, hint: &str) -> Error {
    Error::Shape { what, hint: Some(hint.into()) }
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// A set from codes and factors, all rows to learn from and to test with.
    pub fn set(codes: Array2<f64>, factors: Array2<f64>, preset: Preset) -> CodeSet {
        let given = Given {
            codes: Matrix::from(&codes),
            factors: Some(Matrix::from(&factors)),
            test_codes: Some(Matrix::from(&codes)),
            test_factors: Some(Matrix::from(&factors)),
            ..Given::default()
        };
        CodeSet::new(&given, &Settings { preset, ..Settings::default() }).unwrap()
    }

    #[test]
    fn splits_are_random_and_whole() {
        let (train, test) = set_apart(3, Purpose::Split, 1000, TEST_SHARE);
        assert_eq!((train.len(), test.len()), (700, 300));
        let mut all = [train, test.clone()].concat();
        all.sort_unstable();
        assert_eq!(all, (0..1000).collect::<Vec<_>>());
        assert!(test.iter().filter(|i| **i < 500).count() > 100);
    }
}
