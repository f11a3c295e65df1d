//! Factors of variation: what kind each is, and the class of every row.

use serde::{Deserialize, Serialize};

use super::bins::{BINS, equal_width};
use crate::error::{Error, Result};

/// A row without a label.
pub const MISSING: u32 = u32::MAX;
/// More values than this make no classes, unless it is said that they do.
const MOST_VALUES: usize = 256;

/// What the values of a factor mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Names.
    Categorical,
    /// Steps.
    Ordinal,
    /// Any number. Where classes are needed it is cut into 20 equal bins.
    Continuous,
}

impl Kind {
    /// From one word of the command line; `None` for `auto`.
    ///
    /// # Errors
    /// Any other word.
    pub fn parse(word: &str) -> Result<Option<Self>> {
        match word.trim() {
            "auto" => Ok(None),
            "categorical" => Ok(Some(Self::Categorical)),
            "ordinal" => Ok(Some(Self::Ordinal)),
            "continuous" => Ok(Some(Self::Continuous)),
            other => Err(Error::Input {
                what: format!("there is no kind of factor {other:?}"),
                hint: Some("write categorical, ordinal, continuous or auto for each factor, with commas between".into()),
            }),
        }
    }

    /// As the command line says it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Categorical => "categorical",
            Self::Ordinal => "ordinal",
            Self::Continuous => "continuous",
        }
    }
}

/// A factor over some rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Factor {
    /// What its values mean.
    pub kind: Kind,
    /// Classes: its values, or bins of them.
    pub classes: usize,
    /// The class of each row, or [`MISSING`].
    pub index: Vec<u32>,
    /// The value of each row; NaN where it is missing.
    pub raw: Vec<f64>,
}

impl Factor {
    /// Some of its rows.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        let index = rows.iter().map(|i| self.index[*i]).collect();
        Self { index, raw: rows.iter().map(|i| self.raw[*i]).collect(), ..*self }
    }

    /// Rows with a label.
    pub fn labelled(&self) -> Vec<usize> {
        (0..self.index.len()).filter(|i| self.index[*i] != MISSING).collect()
    }

    /// Whether it takes at least two values.
    pub fn varies(&self) -> bool {
        let mut labels = self.index.iter().filter(|label| **label != MISSING);
        labels.next().is_some_and(|first| labels.any(|label| label != first))
    }

    /// The share of the most common class among the labelled rows: what guessing it gives.
    pub fn largest_share(&self) -> f64 {
        let mut counts = vec![0_usize; self.classes];
        self.index.iter().filter(|label| **label != MISSING).for_each(|label| counts[*label as usize] += 1);
        let total: usize = counts.iter().sum();
        counts.into_iter().max().unwrap_or(0) as f64 / total.max(1) as f64
    }
}

/// The k-th factor from its values in all rows.
///
/// Whole numbers are steps, other numbers are continuous, unless `declared` says otherwise.
///
/// # Errors
/// More than 256 values, or more than a tenth of the rows, unless declared: every row would be a class of its own.
pub fn factor(k: usize, raw: Vec<f64>, declared: Option<Kind>) -> Result<Factor> {
    if let Some(x) = raw.iter().find(|x| x.is_infinite()) {
        return Err(Error::Input {
            what: format!("factor {k} holds {x}"),
            hint: Some("values are finite; a missing label is NaN or an empty cell".into()),
        });
    }
    let mut values: Vec<f64> = raw.iter().copied().filter(|x| !x.is_nan()).collect();
    let n = values.len();
    values.sort_by(f64::total_cmp);
    values.dedup();
    let is_whole = values.iter().all(|x| x.fract() == 0.0);
    let kind = declared.unwrap_or(if is_whole { Kind::Ordinal } else { Kind::Continuous });
    if kind == Kind::Continuous {
        let labelled: Vec<f64> = raw.iter().copied().filter(|x| !x.is_nan()).collect();
        let mut bins = equal_width(&labelled, BINS).into_iter();
        let index = raw.iter().map(|x| if x.is_nan() { MISSING } else { bins.next().map_or(MISSING, u32::from) }).collect();
        // Few values are their own bins.
        return Ok(if values.len() <= BINS { of_values(kind, raw, &values) } else { Factor { kind, classes: BINS, index, raw } });
    }
    if declared.is_none() && (values.len() > MOST_VALUES || (values.len() > 2 && values.len() * 10 > n)) {
        return Err(Error::Input {
            what: format!("factor {k} has {} different values in {n} rows: as classes, nearly every row would be its own", values.len()),
            hint: Some("declare what it is with --factor-kinds: categorical, ordinal or continuous for each factor".into()),
        });
    }
    Ok(of_values(kind, raw, &values))
}

fn of_values(kind: Kind, raw: Vec<f64>, values: &[f64]) -> Factor {
    let place = |x: &f64| if x.is_nan() { MISSING } else { values.partition_point(|v| v < x) as u32 };
    Factor { kind, classes: values.len().max(1), index: raw.iter().map(place).collect(), raw }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn kinds_are_guessed_or_declared() {
        let steps = factor(0, [3.0, 5.0, 3.0, f64::NAN].repeat(10), None).unwrap();
        assert_eq!((steps.kind, steps.classes, &steps.index[..4]), (Kind::Ordinal, 2, &[0, 1, 0, MISSING][..]));
        let real: Vec<f64> = (0..100).map(|i| f64::from(i) / 7.0).collect();
        let bins = factor(0, real.clone(), None).unwrap();
        assert_eq!((bins.kind, bins.classes, bins.index[99]), (Kind::Continuous, 20, 19));
        assert_eq!(factor(0, real, Some(Kind::Categorical)).unwrap().classes, 100);
    }

    #[test]
    fn numbers_that_are_no_classes_are_refused() {
        let error = factor(3, (0..1000).map(f64::from).collect(), None).unwrap_err();
        assert!(error.to_string().contains("factor 3 has 1000"));
        assert!(factor(0, vec![f64::INFINITY], None).is_err());
    }

    #[test]
    fn constants_do_not_vary() {
        assert!(!factor(0, vec![2.0, f64::NAN, 2.0], None).unwrap().varies());
        assert!(factor(0, vec![2.0, 1.0], None).unwrap().varies());
    }
}
