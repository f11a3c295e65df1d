//! Codes of the data near a plane.

use ndarray::{Array1, Array2, ArrayView2, Axis};

use super::place;
use crate::error::Result;
use crate::run::Inputs;

/// Codes of evenly spaced rows of the data.
pub(super) struct Codes {
    /// `[m, d]`.
    pub points: Array2<f64>,
    /// A class for each, an index into `classes`; empty without labels.
    pub labels: Vec<usize>,
    /// Names of the classes, sorted as numbers.
    pub classes: Vec<String>,
    /// Rows of the data.
    pub rows: usize,
    /// Which of them the codes are of.
    kept: Vec<usize>,
}

/// Codes drawn at most.
const MOST: usize = 2000;

impl Codes {
    /// Of the data; none without an encoder of d latents.
    pub fn of(inputs: &Inputs, latent_dim: usize) -> Result<Self> {
        let is_of_these = inputs.encoder.as_ref().is_some_and(|encoder| encoder.latent_dim() == latent_dim);
        let rows = inputs.data.as_ref().filter(|_| is_of_these).map_or(0, Array2::nrows);
        let kept: Vec<usize> = if rows <= MOST { (0..rows).collect() } else { (0..MOST).map(|k| k * rows / MOST).collect() };
        let points = if kept.is_empty() { None } else { encode(inputs, &kept)? };
        let points = points.unwrap_or_else(|| Array2::zeros((0, latent_dim)));
        let (labels, classes) = classes(inputs.labels.as_deref(), &kept, rows);
        Ok(Self { points, labels, classes, rows, kept })
    }

    /// The codes of three rows of the data and what to call them: those chosen, one from the middle of each of the first three classes, or of
    /// rows far apart.
    pub fn three(&self, inputs: &Inputs, chosen: Option<[usize; 3]>) -> Result<(Array2<f64>, [String; 3])> {
        let by_class =
            (self.classes.len() >= 3 && self.labels.len() == self.kept.len()).then(|| [0, 1, 2].map(|class| self.kept[self.middle(class)]));
        let rows = chosen.or(by_class).unwrap_or_else(|| place::spread(self.rows));
        place::check(rows, self.rows, "data")?;
        let points = encode(inputs, &rows)?.unwrap_or_else(|| Array2::zeros((3, self.points.ncols())));
        let label = |row: usize| inputs.labels.as_ref().and_then(|labels| labels.get(row));
        Ok((
            points,
            rows.map(|row| format!("row {row} of the data{}", label(row).map_or_else(String::new, |label| format!(", label {label}")))),
        ))
    }

    /// The code that lies nearest to the mean of its class.
    fn middle(&self, class: usize) -> usize {
        let of_class: Vec<usize> = (0..self.labels.len()).filter(|i| self.labels[*i] == class).collect();
        let mean = self.points.select(Axis(0), &of_class).mean_axis(Axis(0)).unwrap_or_else(|| Array1::zeros(self.points.ncols()));
        let distance = |i: usize| (&self.points.row(i) - &mean).mapv(|x| x * x).sum();
        of_class.into_iter().min_by(|a, b| distance(*a).total_cmp(&distance(*b))).unwrap_or(0)
    }
}

/// Codes of rows of the data under their conditions.
fn encode(inputs: &Inputs, rows: &[usize]) -> Result<Option<Array2<f64>>> {
    let (Some(encoder), Some(data)) = (&inputs.encoder, &inputs.data) else { return Ok(None) };
    let condition = inputs.condition.as_ref().and_then(|c| match c.nrows() {
        1 => Some(c.select(Axis(0), &vec![0; rows.len()])),
        n if n == data.nrows() => Some(c.select(Axis(0), rows)),
        _ => None,
    });
    let selected = data.select(Axis(0), rows);
    Ok(Some(encoder.encode(selected.view(), condition.as_ref().map(|c| c.view()))?.mean))
}

/// Labels of the kept rows as indices into sorted class names.
fn classes(labels: Option<&[i64]>, kept: &[usize], rows: usize) -> (Vec<usize>, Vec<String>) {
    let Some(labels) = labels.filter(|l| l.len() == rows && !kept.is_empty()) else { return (Vec::new(), Vec::new()) };
    let mut names: Vec<i64> = kept.iter().map(|row| labels[*row]).collect();
    names.sort_unstable();
    names.dedup();
    let index = kept.iter().map(|row| names.binary_search(&labels[*row]).unwrap_or(0)).collect();
    (index, names.iter().map(i64::to_string).collect())
}

/// Codes from which on their density is worth estimating.
const FEWEST: usize = 50;
/// Points whose density is below that of this share of the codes have no data near them.
const QUANTILE: f64 = 0.01;

/// Whether the density of the codes at each point reaches its 1 % quantile among the codes themselves; `None` with few codes.
///
/// The density is a sum of bells of Scott's bandwidth n^(−1/(d+4)) times the standard deviation in each latent (Scott, *Multivariate Density
/// Estimation*, 1992); a code does not count for itself. Logarithms keep it apart from zero in many dimensions.
pub(super) fn are_near(points: ArrayView2<'_, f64>, codes: ArrayView2<'_, f64>) -> Option<Vec<bool>> {
    let (n, d) = codes.dim();
    if n < FEWEST {
        return None;
    }
    let share = (n as f64).powf(-1.0 / (d + 4) as f64);
    let widths = codes.std_axis(Axis(0), 1.0).mapv(|std| (share * std).max(f64::MIN_POSITIVE.sqrt()));
    let scaled = &codes / &widths;
    let log_density = |z: ndarray::ArrayView1<'_, f64>, but: Option<usize>| -> f64 {
        let exponent = |i: usize| -0.5 * z.iter().zip(scaled.row(i)).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
        let exponents: Vec<f64> = (0..n).filter(|i| Some(*i) != but).map(exponent).collect();
        let largest = exponents.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        largest + exponents.iter().map(|e| (e - largest).exp()).sum::<f64>().ln()
    };
    let mut own: Vec<f64> = scaled.outer_iter().enumerate().map(|(i, c)| log_density(c, Some(i))).collect();
    own.sort_by(f64::total_cmp);
    let least = own[((n - 1) as f64 * QUANTILE).round() as usize];
    Some((&points / &widths).outer_iter().map(|z| log_density(z, None) >= least).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_sorted_names() {
        assert_eq!(classes(Some(&[7, -1, 7, 3]), &[0, 1, 3], 4), (vec![2, 0, 1], vec!["-1".into(), "3".into(), "7".into()]));
        assert_eq!(classes(Some(&[7]), &[0, 1], 2), (vec![], vec![]));
    }

    #[test]
    fn points_without_codes_are_known_as_such() {
        let codes = Array2::from_shape_fn((400, 2), |(k, i)| (k as f64 * if i == 0 { 0.618_033_988_7 } else { 0.754_877_666_2 }).fract());
        let points = Array2::from_shape_fn((100, 2), |(p, i)| if i == 0 { (p % 10) as f64 - 4.5 } else { (p / 10) as f64 - 4.5 });
        let known = are_near(points.view(), codes.view()).unwrap();
        assert!(known[55], "the middle of the codes");
        assert_eq!(known.iter().filter(|k| **k).count(), 1, "and nothing a unit away: {known:?}");
        assert_eq!(are_near(points.view(), codes.slice_axis(Axis(0), (..9).into())), None);
    }

    #[test]
    fn in_many_dimensions_codes_are_near_their_like() {
        let codes = crate::samples::Prior::Normal.draw(3, 0..300, 60);
        let others = crate::samples::Prior::Normal.draw(4, 0..100, 60);
        let near = are_near(others.view(), codes.view()).unwrap();
        assert!(near.iter().filter(|k| **k).count() > 90);
        assert!(are_near((&others * 3.0).view(), codes.view()).unwrap().iter().all(|k| !k));
    }
}
