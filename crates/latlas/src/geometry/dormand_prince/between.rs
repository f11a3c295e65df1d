//! The curve between two steps: a polynomial of degree 7 for three stages more.

use ndarray::{Array2, ArrayView1, ArrayView2, Axis};

use super::coefficients::{BETWEEN, FURTHER, STAGES};
use super::{Running, combined};
use crate::error::Result;

/// A step that was accepted.
pub struct Passed {
    /// Of the batch.
    pub row: usize,
    pub sample: usize,
    pub from: f64,
    pub to: f64,
}

/// Fills in the equal times that steps have passed. `base`, `steps` and `slopes` are those of the batch, with the slope after the step last.
#[allow(clippy::op_ref)] // Arrays are not moved.
pub fn fill(
    all: &mut [Running],
    base: &Array2<f64>,
    steps: &Array2<f64>,
    mut slopes: Vec<Array2<f64>>,
    passed: &[Passed],
    f: &mut impl FnMut(&[usize], ArrayView2<'_, f64>) -> Result<Array2<f64>>,
) -> Result<()> {
    let times = |passed: &Passed, segments: usize| {
        let n = segments as f64;
        // The last time needs no polynomial.
        ((passed.from * n).floor() as usize + 1)..=((passed.to * n).floor() as usize).min(segments - 1)
    };
    let inside = |passed: &&Passed| !times(passed, all[passed.sample].track.points.nrows() - 1).is_empty();
    let passed: Vec<&Passed> = passed.iter().filter(inside).collect();
    if passed.is_empty() {
        return Ok(());
    }
    let (rows, who): (Vec<usize>, Vec<usize>) = passed.iter().map(|passed| (passed.row, passed.sample)).unzip();
    let (base, steps) = (base.select(Axis(0), &rows), steps.select(Axis(0), &rows));
    slopes.iter_mut().for_each(|slopes| *slopes = slopes.select(Axis(0), &rows));
    for weights in FURTHER {
        let y = &base + &(combined(&slopes, weights) * &steps);
        slopes.push(f(&who, y.view())?);
    }
    let terms = BETWEEN.map(|weights| combined(&slopes, weights) * &steps);
    let after = &slopes[STAGES.len() + 1];
    for (row, passed) in passed.into_iter().enumerate() {
        let track = &mut all[passed.sample].track;
        let (n, h) = (track.points.nrows() - 1, passed.to - passed.from);
        let (y, end, first, last) = (base.row(row), track.y.view(), slopes[0].row(row), after.row(row));
        let piece: [ArrayView1<'_, f64>; 4] = std::array::from_fn(|k| terms[k].row(row));
        let mut points = Vec::new();
        for k in times(passed, n) {
            let x = (k as f64 / n as f64 - passed.from) / h;
            let (u, rise) = (1.0 - x, &end - &y);
            let tail = (&piece[3] * x + &piece[2]) * u + &piece[1];
            let tail = (tail * x + &piece[0]) * u + &rise * 2.0 - (&last + &first) * h;
            points.push((k, ((tail * x + &first * h - &rise) * u + &rise) * x + &y));
        }
        points.into_iter().for_each(|(k, point)| track.points.row_mut(k).assign(&point));
    }
    Ok(())
}
