//! What is given of codes, as plain data that a state can keep, and whether it fits together.

use std::collections::BTreeMap;
use std::sync::Arc;

use ndarray::{Array2, Axis, concatenate};
use serde::{Deserialize, Serialize};

use super::{Grid, Kind, Part, Posterior, factor, shape};
use crate::error::{Error, Result};
use crate::settings::Settings;

/// The accepted share of rows without a finite code, where the run does not say otherwise.
const MOST_BAD: f64 = 0.01;

/// Rows of numbers. A missing label equals a missing label.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Matrix {
    columns: usize,
    values: Vec<f64>,
}

impl PartialEq for Matrix {
    fn eq(&self, other: &Self) -> bool {
        let same = |(a, b): (&f64, &f64)| a.to_bits() == b.to_bits();
        self.columns == other.columns && self.values.len() == other.values.len() && self.values.iter().zip(&other.values).all(same)
    }
}

impl From<&Array2<f64>> for Matrix {
    fn from(array: &Array2<f64>) -> Self {
        Self { columns: array.ncols(), values: array.iter().copied().collect() }
    }
}

impl Matrix {
    /// As an array; nothing where the data is damaged.
    pub fn array(&self) -> Array2<f64> {
        let rows = self.values.len().checked_div(self.columns).unwrap_or(0);
        Array2::from_shape_vec((rows, self.columns), self.values.clone()).unwrap_or_else(|_| Array2::zeros((0, self.columns)))
    }
}

/// Codes of every combination of some factors once, the last factor fastest.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TableGiven {
    /// How many values each factor has.
    pub sizes: Vec<usize>,
    /// `[product of the sizes, L]`.
    pub codes: Matrix,
}

/// What was given of codes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Given {
    /// `[n, L]`: the rows to learn from, or all.
    pub codes: Matrix,
    /// `[n, K]`.
    pub factors: Option<Matrix>,
    /// A kind for each factor; guessed where it is `None` or left out.
    pub kinds: Vec<Option<Kind>>,
    /// `[m, L]`.
    pub test_codes: Option<Matrix>,
    /// `[m, K]`.
    pub test_factors: Option<Matrix>,
    /// Log variances of the posterior `[n, L]`, whose means the codes are.
    pub log_variance: Option<Matrix>,
    /// Codes of a whole grid.
    pub table: Option<TableGiven>,
    /// Mean log p(x) of the model at each angle of the rotation attack.
    pub likelihood: Option<Vec<f64>>,
}

/// All rows, those to learn from first.
pub struct Whole {
    pub part: Part,
    /// The first test row, where they were given apart.
    pub test_from: Option<usize>,
    pub seen: usize,
    pub dropped: BTreeMap<String, usize>,
    pub grid: Option<Grid>,
    pub posterior: Option<Posterior>,
}

impl Given {
    /// Puts everything together.
    pub fn check(&self, settings: &Settings) -> Result<Whole> {
        let codes = self.codes.array();
        let l = codes.ncols();
        let rows_fit = |name: &str, rows: usize, of: &str, expected: usize| {
            let fits = rows == expected;
            if fits {
                Ok(())
            } else {
                Err(shape(format!("there are {expected} rows of {of} and {rows} rows of {name}"), "a row belongs to a row"))
            }
        };
        let factors = self.factors.as_ref().map(Matrix::array);
        if let Some(factors) = &factors {
            rows_fit("factors", factors.nrows(), "codes", codes.nrows())?;
        }
        let log_variance = self.log_variance.as_ref().map(Matrix::array);
        if let Some(v) = &log_variance {
            rows_fit("log variances", v.nrows(), "codes", codes.nrows())?;
            if v.ncols() != l {
                return Err(shape(
                    format!("there are {l} codes a row and {} log variances", v.ncols()),
                    "--codes-logvar belongs to --codes",
                ));
            }
        }
        let (test_codes, test_factors) = match (&self.test_codes, &self.test_factors) {
            (None, None) => (Array2::zeros((0, l)), None),
            (Some(codes), None) if factors.is_none() => (codes.array(), None),
            (Some(codes), Some(factors)) => (codes.array(), Some(factors.array())),
            (codes, _) => {
                let (there, lacking) = if codes.is_some() { ("codes", "factors") } else { ("factors", "codes") };
                return Err(shape(format!("there are test {there} without test {lacking}"), "give both or none"));
            }
        };
        if test_codes.ncols() != l {
            return Err(shape(
                format!("there are {l} codes a row, and {} in the test rows", test_codes.ncols()),
                "both come from one encoder",
            ));
        }
        if let Some(test) = &test_factors {
            rows_fit("test factors", test.nrows(), "test codes", test_codes.nrows())?;
            let k = factors.as_ref().map_or(0, Array2::ncols);
            if test.ncols() != k {
                return Err(shape(format!("there are {k} factors, and {} in the test rows", test.ncols()), "in the same order"));
            }
        }
        let stack = |a: &Array2<f64>, b: &Array2<f64>| {
            concatenate(Axis(0), &[a.view(), b.view()]).map_err(|error| shape(error.to_string(), "rows of one width"))
        };
        let all = stack(&codes, &test_codes)?;
        let labels = match (&factors, &test_factors) {
            (Some(a), Some(b)) => Some(stack(a, b)?),
            (Some(a), None) => Some(a.clone()),
            _ => None,
        };
        let is_kept = |i: usize| {
            all.row(i).iter().all(|z| z.is_finite())
                && log_variance.as_ref().is_none_or(|v| i >= v.nrows() || v.row(i).iter().all(|v| v.is_finite()))
        };
        let kept: Vec<usize> = (0..all.nrows()).filter(|i| is_kept(*i)).collect();
        let bad = all.nrows() - kept.len();
        let accepted = if settings.max_bad == Settings::default().max_bad { MOST_BAD } else { settings.max_bad };
        if bad as f64 > accepted * all.nrows() as f64 {
            return Err(Error::TooManyBadSamples { bad, seen: all.nrows(), reasons: format!("{bad} codes non-finite"), accepted });
        }
        if kept.len() < 2 {
            return Err(Error::TooFewSamples { estimator: "a score of codes".into(), needed: 2, got: kept.len() });
        }
        let dropped = if bad > 0 { BTreeMap::from([("non-finite".to_string(), bad)]) } else { BTreeMap::new() };
        let k = labels.as_ref().map_or(0, Array2::ncols);
        if self.kinds.len() > k {
            return Err(shape(format!("{} kinds were declared for {k} factors", self.kinds.len()), "one kind for each factor"));
        }
        let column =
            |k: usize| labels.as_ref().map(|labels| kept.iter().map(|i| labels[[*i, k]]).collect::<Vec<f64>>()).unwrap_or_default();
        let factors = (0..k).map(|k| factor(k, column(k), self.kinds.get(k).copied().flatten())).collect::<Result<Vec<_>>>()?;
        let grid = self.table.as_ref().map(|table| Grid::new(table, l)).transpose()?;
        if let Some(grid) = grid.as_ref().filter(|grid| grid.sizes().len() != k && k > 0) {
            return Err(shape(format!("there are {k} factors, and {} in the table of codes", grid.sizes().len()), "in the same order"));
        }
        let posterior = log_variance.map(|log_variance| {
            let own: Vec<usize> = kept.iter().copied().filter(|i| *i < codes.nrows()).collect();
            Posterior { mean: codes.select(Axis(0), &own), log_variance: log_variance.select(Axis(0), &own) }
        });
        Ok(Whole {
            test_from: self.test_codes.as_ref().map(|_| kept.iter().filter(|i| **i < codes.nrows()).count()),
            part: Part { codes: Arc::new(all.select(Axis(0), &kept)), factors: Arc::new(factors) },
            seen: all.nrows(),
            dropped,
            grid,
            posterior,
        })
    }
}
