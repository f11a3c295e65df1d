//! A decoder run backwards: the latents whose decoded value is nearest to given data, where no encoder was given.
//!
//! ```text
//! z ← z + argmin_δ ‖J(z) δ − (x − g(z))‖² + λ ‖D δ‖²,   D = diag(‖Jᵢ‖)
//! ```
//!
//! Damped Gauss–Newton steps (Levenberg 1944, Marquardt 1963) by QR, from the prior's mean and, for rows that did not
//! arrive, from a few draws. A row whose relative residual ‖x − g(z)‖/‖x‖ stays above the gate has no latents: it is NaN.

use ndarray::{Array2, ArrayView1, ArrayView2, Axis};
use rayon::prelude::*;

use super::{Decoder, Encoder, Posterior};
use crate::error::{Error, Result};
use crate::linalg;

/// The inverse of a decoder, as far as it has one.
pub struct Inverse<'a> {
    decoder: &'a dyn Decoder,
    /// The largest accepted ‖x − g(z)‖/‖x‖.
    gate: f64,
    /// Where to begin, one row a try.
    starts: Array2<f64>,
}

/// Steps of one try.
const STEPS: usize = 60;
/// Values of Jacobians that are held at once.
const LARGEST: usize = 1 << 22;

/// One row on its way.
struct Row {
    index: usize,
    latents: Vec<f64>,
    /// ‖x − g(z)‖.
    residual: f64,
    damping: f64,
    arrived: bool,
}

impl<'a> Inverse<'a> {
    /// Of a decoder; `starts [tries, d]`.
    ///
    /// # Errors
    /// Starts of another width than the latents.
    pub fn new(decoder: &'a dyn Decoder, gate: f64, starts: Array2<f64>) -> Result<Self> {
        if starts.ncols() != decoder.latent_dim() || starts.is_empty() {
            let (d, got) = (decoder.latent_dim(), starts.dim());
            return Err(Error::Shape { what: format!("starts of an inversion have the shape [tries, {d}], got {got:?}"), hint: None });
        }
        Ok(Self { decoder, gate, starts })
    }

    /// One try for some rows of the data; gives latents and relative residual of each.
    fn descend(
        &self,
        data: ArrayView2<'_, f64>,
        condition: Option<ArrayView2<'_, f64>>,
        start: ArrayView1<'_, f64>,
    ) -> Result<Vec<(Vec<f64>, f64)>> {
        let norm = |x: ArrayView1<'_, f64>| linalg::log_norm(&x.to_vec()).exp();
        let of = |which: &[usize]| condition.map(|rows| rows.select(Axis(0), which));
        let mut rows: Vec<Row> = (0..data.nrows())
            .map(|index| Row { index, latents: start.to_vec(), residual: f64::INFINITY, damping: 1e-3, arrived: false })
            .collect();
        for _ in 0..STEPS {
            let mut moving: Vec<&mut Row> = rows.iter_mut().filter(|row| !row.arrived).collect();
            if moving.is_empty() {
                break;
            }
            let which: Vec<usize> = moving.iter().map(|row| row.index).collect();
            let conditions = of(&which);
            let latents = Array2::from_shape_fn((moving.len(), start.len()), |(r, i)| moving[r].latents[i]);
            let at = self.decoder.linearize(latents.view(), conditions.as_ref().map(|c| c.view()))?;
            let columns = at.columns()?;
            let gaps = &data.select(Axis(0), &which) - at.decoded()?;
            moving.par_iter_mut().enumerate().for_each(|(r, row)| {
                row.residual = norm(gaps.row(r));
                let step = step(columns.index_axis(Axis(0), r), gaps.row(r), row.damping);
                step.iter().zip(&mut row.latents).for_each(|(step, z)| *z += step);
            });
            let tried = Array2::from_shape_fn((moving.len(), start.len()), |(r, i)| moving[r].latents[i]);
            let decoded = self.decoder.decode(tried.view(), conditions.as_ref().map(|c| c.view()))?;
            for (r, row) in moving.iter_mut().enumerate() {
                let residual = norm((&data.row(row.index) - &decoded.row(r)).view());
                let tiny = 1e-12 * norm(data.row(row.index));
                if residual < row.residual {
                    // A residual that no longer shrinks is as small as the decoder's precision lets it be.
                    row.arrived = residual <= tiny || row.residual - residual <= 1e-6 * row.residual;
                    row.residual = residual;
                    row.damping = (row.damping * 0.2).max(1e-15);
                } else {
                    row.latents = latents.row(r).to_vec();
                    row.arrived = !row.residual.is_finite() || row.residual <= tiny || row.damping > 1e8;
                    row.damping *= 10.0;
                }
            }
        }
        Ok(rows
            .into_iter()
            .map(|row| {
                let size = norm(data.row(row.index));
                let relative = if size > 0.0 { row.residual / size } else { row.residual };
                (row.latents, if relative.is_nan() { f64::INFINITY } else { relative })
            })
            .collect())
    }
}

/// argmin ‖Jδ − gap‖² + λ‖Dδ‖², by QR of J over √λ D; `columns [d, D]`.
fn step(columns: ArrayView2<'_, f64>, gap: ArrayView1<'_, f64>, damping: f64) -> Vec<f64> {
    let (d, big_d) = columns.dim();
    let lengths: Vec<f64> = columns.outer_iter().map(|column| column.dot(&column).sqrt()).collect();
    let stacked = Array2::from_shape_fn((d, big_d + d), |(i, j)| {
        if j < big_d {
            columns[[i, j]]
        } else if j == big_d + i {
            damping.sqrt() * if lengths[i] > 0.0 { lengths[i] } else { 1.0 }
        } else {
            0.0
        }
    });
    if stacked.iter().any(|x| !x.is_finite()) || gap.iter().any(|x| !x.is_finite()) {
        return vec![0.0; d];
    }
    let linalg::Qr { q, r } = linalg::qr(stacked.view());
    let right: Vec<f64> = q.outer_iter().map(|q| q.iter().zip(gap).map(|(q, gap)| q * gap).sum()).collect();
    linalg::solve_upper(r.view(), &right)
}

impl Encoder for Inverse<'_> {
    fn data_dim(&self) -> usize {
        self.decoder.ambient_dim()
    }

    fn latent_dim(&self) -> usize {
        self.decoder.latent_dim()
    }

    fn encode(&self, data: ArrayView2<'_, f64>, condition: Option<ArrayView2<'_, f64>>) -> Result<Posterior> {
        let (n, d, big_d) = (data.nrows(), self.latent_dim(), self.data_dim());
        if data.ncols() != big_d {
            let got = data.ncols();
            return Err(Error::Shape { what: format!("the decoder gives {big_d} values a sample, the data has {got}"), hint: None });
        }
        let mut best = vec![(vec![f64::NAN; d], f64::INFINITY); n];
        let block = (LARGEST / (d * big_d)).max(1);
        for start in self.starts.outer_iter() {
            let open: Vec<usize> = (0..n).filter(|row| best[*row].1 > self.gate).collect();
            for rows in open.chunks(block) {
                let condition = condition.map(|c| c.select(Axis(0), rows));
                let found = self.descend(data.select(Axis(0), rows).view(), condition.as_ref().map(|c| c.view()), start)?;
                for (row, found) in rows.iter().zip(found) {
                    if found.1 < best[*row].1 {
                        best[*row] = found;
                    }
                }
            }
        }
        let mean = Array2::from_shape_fn((n, d), |(row, i)| if best[row].1 <= self.gate { best[row].0[i] } else { f64::NAN });
        Ok(Posterior { mean, logvar: None })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::models::closed_form::ClosedForm;
    use ndarray::array;

    #[test]
    fn points_of_the_image_are_found_and_others_are_not() {
        let decoder = ClosedForm::named("swiss-roll").unwrap();
        let d = decoder.latent_dim();
        let z = Array2::from_shape_fn((9, d), |(s, i)| ((s * 3 + i) as f64 * 0.7).sin());
        let x = decoder.decode(z.view(), None).unwrap();
        let starts = Array2::from_shape_fn((4, d), |(s, i)| if s == 0 { 0.0 } else { ((s + i) as f64 * 2.3).sin() });
        let inverse = Inverse::new(&decoder, 1e-6, starts).unwrap();
        let found = inverse.encode(x.view(), None).unwrap().mean;
        let back = decoder.decode(found.view(), None).unwrap();
        assert!((&back - &x).iter().all(|e| e.abs() < 1e-5), "{back} {x}");
        let far = &x + 50.0;
        assert!(inverse.encode(far.view(), None).unwrap().mean.iter().all(|z| z.is_nan()));
    }

    #[test]
    fn a_linear_decoder_takes_one_step_or_two() {
        let step = step(array![[2.0, 0.0, 1.0], [1.0, 1.0, 0.0]].view(), array![3.0, -1.0, 2.0].view(), 1e-30);
        assert!((step[0] - 2.0).abs() < 1e-12 && (step[1] + 1.0).abs() < 1e-12, "{step:?}");
    }
}
