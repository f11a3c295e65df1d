//! Volumes, angles and singular values of the samples of a probe.

use std::sync::OnceLock;

use ndarray::{Array2, Axis};
use rayon::prelude::*;

use super::{Angles, Factor, Fault, Probe, Sweep, once};
use crate::error::{Error, Result};
use crate::linalg;

impl Probe<'_> {
    /// QR factorisations, one a sample. Columns below the rounding floor to those before them make the volume zero.
    ///
    /// # Errors
    /// For d > D there is no volume.
    pub fn factors(&self) -> Result<&[Factor]> {
        let (columns, log_norms) = (self.columns()?, self.log_norms()?);
        if self.context.latent_dim > self.context.ambient_dim {
            return Err(Error::Shape {
                what: format!(
                    "volumes need d ≤ D: the decoder maps {} latents to {} values",
                    self.context.latent_dim, self.context.ambient_dim
                ),
                hint: None,
            });
        }
        let factor = |s: usize| Factor::new(columns.index_axis(Axis(0), s), log_norms.row(s), self.context());
        once(&self.factors, || {
            let mut factors: Vec<_> = (0..self.len()).into_par_iter().map(factor).collect();
            if self.context.takes_log_det() {
                for (factor, log_det) in factors.iter_mut().zip(self.linearization.log_det()?.into_iter().flatten()) {
                    factor.log_volume = if log_det.is_finite() { *log_det } else { f64::NEG_INFINITY };
                }
            }
            Ok(factors)
        })
        .map(Vec::as_slice)
    }

    /// The angles between the columns of each sample, pair by pair.
    pub fn angles(&self) -> Result<&[Angles]> {
        let (columns, log_norms) = (self.columns()?, self.log_norms()?);
        // R has the same angles as J and fewer rows.
        let has_factors = self.context.latent_dim <= self.context.ambient_dim && self.context.settings.sketch.is_none();
        let factors = if has_factors { Some(self.factors()?) } else { None };
        let of = |s: usize| Angles::new(columns.index_axis(Axis(0), s), log_norms.row(s), factors.map(|f| &f[s]), self.context());
        once(&self.angles, || Ok((0..self.len()).into_par_iter().map(of).collect())).map(Vec::as_slice)
    }

    /// Log-volumes of all cores and details in the order of the latents themselves.
    ///
    /// # Errors
    /// For d > D there is no volume.
    pub fn native_sweeps(&self) -> Result<&[Sweep]> {
        let order: Vec<usize> = (0..self.context.latent_dim).collect();
        self.swept(&self.native, &order)
    }

    /// Log-volumes of all cores and details in the order that the run has fixed.
    ///
    /// # Errors
    /// For d > D there is no volume.
    pub fn sweeps(&self) -> Result<&[Sweep]> {
        self.swept(&self.sweeps, &self.context.order.latents)
    }

    fn swept<'c>(&self, cell: &'c OnceLock<Vec<Sweep>>, order: &[usize]) -> Result<&'c [Sweep]> {
        let factors = self.factors()?;
        once(cell, || Ok(factors.par_iter().map(|factor| factor.sweep(order)).collect())).map(Vec::as_slice)
    }

    /// Why sample s has no volume, if it has none.
    pub fn volume_fault(&self, s: usize) -> Result<Option<Fault>> {
        Ok(if !self.is_finite(s)? {
            Some(Fault::NonFinite)
        } else if self.factors()?[s].log_volume == f64::NEG_INFINITY {
            Some(Fault::RankDeficient)
        } else {
            None
        })
    }

    /// Singular values of J, descending, `[n, min(d, D)]`; NaN for samples that are not finite.
    pub fn singular_values(&self) -> Result<&Array2<f64>> {
        let (columns, big_d) = (self.columns()?, self.context.ambient_dim);
        let rank = self.context.latent_dim.min(big_d);
        // For a tall J the small R has the same singular values.
        let factors = if self.context.latent_dim <= big_d { Some(self.factors()?) } else { None };
        once(&self.singular_values, || {
            let of = |s: usize| -> Result<Vec<f64>> {
                if !self.is_finite(s)? {
                    return Ok(vec![f64::NAN; rank]);
                }
                let mut values = match factors {
                    Some(factors) => linalg::singular_values(factors[s].r.view())?,
                    None => linalg::singular_values(columns.index_axis(Axis(0), s))?,
                };
                values.resize(rank, 0.0);
                Ok(values)
            };
            let rows = (0..self.len()).into_par_iter().map(of).collect::<Result<Vec<_>>>()?;
            Ok(Array2::from_shape_fn((self.len(), rank), |(s, k)| rows[s][k]))
        })
    }
}
