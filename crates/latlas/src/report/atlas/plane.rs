//! The latent plane of a decoder with two latents.

use ndarray::{Array2, Array3, ArrayView1, Axis};

use super::{Source, into_grid};
use crate::error::Result;
use crate::report::maps::{self, Maps};
use crate::run::Inputs;
use crate::samples::Prior;

/// The plane of two latents.
#[derive(Debug, Clone)]
pub struct Plane {
    /// Lower and upper end in each latent.
    pub extent: [(f64, f64); 2],
    /// Mean and standard deviation of the prior in each latent.
    pub prior: [(f64, f64); 2],
    /// log |J| at the centres of an even grid, row j at the j-th value of latent 1: `[rows, columns]`.
    pub log_volume: Array2<f64>,
    /// Maps of the metric over the same grid, where the latents have one.
    pub maps: Option<Maps>,
    /// Decoded samples at the centres of a coarser grid, laid out alike: `[rows, columns, D]`.
    pub decoded: Option<Array3<f64>>,
    /// Codes of the data `[m, 2]`.
    pub codes: Array2<f64>,
    /// A class for each code, an index into `classes`; empty without labels.
    pub labels: Vec<usize>,
    /// Names of the classes.
    pub classes: Vec<String>,
    /// Rows of data from which the codes were taken evenly.
    pub rows: usize,
}

/// Codes drawn on the plane at most.
const MOST_CODES: usize = 2000;
/// Pictures along each side of the plane.
const PICTURES: usize = 15;

impl Source<'_> {
    /// Maps it, with pictures where the output is one.
    pub fn plane(&self, inputs: &Inputs, pictures: bool, grid: usize) -> Result<Plane> {
        let prior = [inputs.prior.mean_and_std(0), inputs.prior.mean_and_std(1)];
        let (codes, kept, rows) = codes(inputs)?;
        let extent = [0, 1].map(|i| extent(&inputs.prior, prior[i], codes.column(i)));
        let (labels, classes) = classes(inputs.labels.as_deref(), &kept, rows);
        let points = lattice(extent, grid);
        let mut volumes = Vec::with_capacity(points.nrows());
        self.in_batches(points.view(), 2 * self.decoder.ambient_dim(), |_, batch, condition| {
            let columns = self.decoder.linearize(batch, condition)?.columns()?;
            volumes.extend(columns.outer_iter().map(|c| log_area(c.row(0), c.row(1))));
            Ok(())
        })?;
        let log_volume = Array2::from_shape_vec((grid, grid), volumes).unwrap_or_default();
        let decoded = if pictures {
            let decoded = self.decode(lattice(extent, PICTURES).view())?;
            Some(into_grid(decoded, PICTURES, PICTURES))
        } else {
            None
        };
        let maps = inputs.manifold().map(|manifold| maps::maps(&*manifold, points.view(), codes.view())).transpose()?;
        Ok(Plane { extent, prior, log_volume, maps, decoded, codes, labels, classes, rows })
    }
}

/// The interval of a latent that a map should show: 3 standard deviations of the prior, wider where codes lie outside, but
/// never beyond 6, so that single outliers do not shrink the rest; the support of a bounded prior.
fn extent(prior: &Prior, (mean, deviation): (f64, f64), codes: ArrayView1<'_, f64>) -> (f64, f64) {
    if let Prior::Uniform { low, high } = prior {
        return (*low, *high);
    }
    let deviation = if deviation > 0.0 { deviation } else { 1.0 };
    let far = codes.iter().filter(|z| z.is_finite()).map(|z| (z - mean).abs() / deviation).fold(3.0, f64::max);
    let reach = (1.03 * far).min(6.0) * deviation;
    (mean - reach, mean + reach)
}

/// Codes of evenly spaced rows of the data, their row numbers, and the number of rows.
fn codes(inputs: &Inputs) -> Result<(Array2<f64>, Vec<usize>, usize)> {
    let (Some(encoder), Some(data)) = (&inputs.encoder, &inputs.data) else { return Ok((Array2::zeros((0, 2)), Vec::new(), 0)) };
    let rows = data.nrows();
    let kept: Vec<usize> = if rows <= MOST_CODES { (0..rows).collect() } else { (0..MOST_CODES).map(|k| k * rows / MOST_CODES).collect() };
    let selected = data.select(Axis(0), &kept);
    let condition = inputs.condition.as_ref().and_then(|c| match c.nrows() {
        1 => Some(c.select(Axis(0), &vec![0; kept.len()])),
        n if n == rows => Some(c.select(Axis(0), &kept)),
        _ => None,
    });
    let codes = encoder.encode(selected.view(), condition.as_ref().map(|c| c.view()))?.mean;
    Ok(if codes.ncols() == 2 { (codes, kept, rows) } else { (Array2::zeros((0, 2)), Vec::new(), 0) })
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

/// The centres of the cells of an even grid over the plane, latent 0 fastest: `[cells², 2]`.
fn lattice(extent: [(f64, f64); 2], cells: usize) -> Array2<f64> {
    let centre = |(low, high): (f64, f64), k: usize| low + (high - low) * (k as f64 + 0.5) / cells as f64;
    Array2::from_shape_fn((cells * cells, 2), |(point, i)| centre(extent[i], if i == 0 { point % cells } else { point / cells }))
}

/// ½ log det of the Gram matrix of two vectors, from the part of one that is orthogonal to the other.
fn log_area(a: ArrayView1<'_, f64>, b: ArrayView1<'_, f64>) -> f64 {
    let (a, b) = if a.dot(&a) >= b.dot(&b) { (a, b) } else { (b, a) };
    let length = a.dot(&a).sqrt();
    if length == 0.0 {
        return f64::NEG_INFINITY;
    }
    let direction = &a / length;
    let mut rest = b.to_owned();
    // Twice: the first pass leaves a rounding error along `a` that matters for nearly parallel columns.
    for _ in 0..2 {
        let along = direction.dot(&rest);
        rest.scaled_add(-along, &direction);
    }
    length.ln() + 0.5 * rest.dot(&rest).ln()
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn areas_of_parallelograms() {
        let area = |a: [f64; 3], b: [f64; 3]| log_area(array![a[0], a[1], a[2]].view(), array![b[0], b[1], b[2]].view());
        assert!((area([2.0, 0.0, 0.0], [5.0, 3.0, 0.0]) - 6f64.ln()).abs() < 1e-14);
        let tiny = 1e-9;
        assert!((area([1.0, 0.0, 0.0], [1.0, tiny, 0.0]) - tiny.ln()).abs() < 1e-9);
        assert_eq!(area([0.0; 3], [1.0, 0.0, 0.0]), f64::NEG_INFINITY);
    }

    #[test]
    fn lattices_are_centred_and_row_by_row() {
        let points = lattice([(-1.0, 1.0), (0.0, 4.0)], 2);
        assert_eq!(points, array![[-0.5, 1.0], [0.5, 1.0], [-0.5, 3.0], [0.5, 3.0]]);
    }

    #[test]
    fn maps_reach_to_the_codes_but_not_to_outliers() {
        let reach = |codes: &[f64]| extent(&Prior::Normal, (0.0, 1.0), ArrayView1::from(codes)).1;
        assert!((reach(&[0.5]) - 3.09).abs() < 1e-9);
        assert!((reach(&[-4.0]) - 4.12).abs() < 1e-9);
        assert!((reach(&[100.0]) - 6.0).abs() < 1e-9);
        assert_eq!(extent(&Prior::Uniform { low: 0.0, high: 2.0 }, (1.0, 0.5), array![9.0].view()), (0.0, 2.0));
    }

    #[test]
    fn classes_are_sorted_names() {
        assert_eq!(classes(Some(&[7, -1, 7, 3]), &[0, 1, 3], 4), (vec![2, 0, 1], vec!["-1".into(), "3".into(), "7".into()]));
        assert_eq!(classes(Some(&[7]), &[0, 1], 2), (vec![], vec![]));
    }
}
