//! A batch of samples and, lazily and once, everything known of it.

mod angles;
mod densities;
mod factor;
mod volumes;

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use ndarray::{Array1, Array2, Array3, ArrayView2, Axis};
use rayon::prelude::*;

pub use angles::{Angles, first_of, pairs};
pub(crate) use angles::{NEARLY_PARALLEL, sine};
pub use factor::{Factor, Sweep};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::geometry::{self, Manifold};
use crate::linalg;
use crate::models::{Decoder, Linearization};
use crate::random::{Purpose, hash};
use crate::sketch;

/// A batch: whoever asks first for a Jacobian or a factorisation pays, the rest share.
///
/// In a run with a sketch the columns are those of VJ in place of J, and log lengths and log volumes come corrected, so
/// that their means over V are those of J (see [`crate::sketch`]).
pub struct Probe<'a> {
    context: Cow<'a, Context>,
    batch: Batch,
    others: Vec<Probe<'a>>,
    decoder: Option<&'a dyn Decoder>,
    linearization: Box<dyn Linearization + 'a>,
    columns: OnceLock<Array3<f64>>,
    log_norms: OnceLock<Array2<f64>>,
    factors: OnceLock<Vec<Factor>>,
    angles: OnceLock<Vec<Angles>>,
    native: OnceLock<Vec<Sweep>>,
    sweeps: OnceLock<Vec<Sweep>>,
    singular_values: OnceLock<Array2<f64>>,
    manifold: Option<Arc<dyn Manifold>>,
    frame_factors: OnceLock<Vec<geometry::Factor>>,
}

/// The samples of a probe as they were drawn or given.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// Index of the first sample in the run.
    pub start: u64,
    /// How many there are.
    pub len: usize,
    /// `[n, d]`; given Jacobians may come without.
    pub latents: Option<Array2<f64>>,
    /// `[n, c]` for conditional decoders.
    pub condition: Option<Array2<f64>>,
    /// `[n, D]`, rows that belong to these latents.
    pub data: Option<Array2<f64>>,
    /// One a sample.
    pub labels: Option<Vec<i64>>,
    /// The sample after the last one, where the last has an even index: the other half of a pair that a chunk divides.
    pub next: Option<Next>,
}

/// A sample of which there is no more than this.
#[derive(Debug, Clone)]
pub struct Next {
    /// `[d]`.
    pub latents: Array1<f64>,
    /// Its label.
    pub label: Option<i64>,
}

/// Why a sample is of no use for a quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The decoder gave a value that is not finite.
    NonFinite,
    /// The live columns of the Jacobian are linearly dependent.
    RankDeficient,
    /// A model without an encoder does not reach the data.
    InversionFailed,
}

impl Fault {
    /// The reason as reports count it.
    pub fn reason(self) -> &'static str {
        match self {
            Self::NonFinite => "non-finite",
            Self::RankDeficient => "rank-deficient",
            Self::InversionFailed => "inversion-failed",
        }
    }
}

impl<'a> Probe<'a> {
    /// A decoder at some points.
    pub fn new(context: impl Into<Cow<'a, Context>>, decoder: &'a dyn Decoder, batch: Batch) -> Result<Self> {
        let latents = batch.latents.as_ref().ok_or_else(|| Error::Input { what: "a decoder needs latents".into(), hint: None })?;
        let linearization = decoder.linearize(latents.view(), batch.condition.as_ref().map(|rows| rows.view()))?;
        Ok(Self::over(context, Some(decoder), linearization, batch))
    }

    /// A linearisation that is already there, such as given Jacobians.
    pub fn over(
        context: impl Into<Cow<'a, Context>>,
        decoder: Option<&'a dyn Decoder>,
        linearization: Box<dyn Linearization + 'a>,
        batch: Batch,
    ) -> Self {
        Self {
            context: context.into(),
            batch,
            others: Vec::new(),
            decoder,
            linearization,
            columns: OnceLock::new(),
            log_norms: OnceLock::new(),
            factors: OnceLock::new(),
            angles: OnceLock::new(),
            native: OnceLock::new(),
            sweeps: OnceLock::new(),
            singular_values: OnceLock::new(),
            manifold: None,
            frame_factors: OnceLock::new(),
        }
    }

    /// What all samples of the run share.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// The same data in further models.
    #[must_use]
    pub fn beside(mut self, others: Vec<Self>) -> Self {
        self.others = others;
        self
    }

    /// With a metric on the latents.
    #[must_use]
    pub fn on(mut self, manifold: Option<Arc<dyn Manifold>>) -> Self {
        self.manifold = manifold;
        self
    }

    /// The latents with their metric, and where the samples lie.
    ///
    /// # Errors
    /// A run without such a metric.
    pub fn manifold(&self) -> Result<(&dyn Manifold, ArrayView2<'_, f64>)> {
        match (&self.manifold, &self.batch.latents) {
            (Some(manifold), Some(latents)) => Ok((&**manifold, latents.view())),
            _ => Err(Error::Input { what: "there is no metric on the latents".into(), hint: Some("give an ONNX file".into()) }),
        }
    }

    /// The factorisations of the metric's frames, one a sample, in double precision.
    ///
    /// # Errors
    /// Those of [`Probe::manifold`].
    pub fn frame_factors(&self) -> Result<&[geometry::Factor]> {
        let (manifold, latents) = self.manifold()?;
        once(&self.frame_factors, || manifold.factors(latents)).map(Vec::as_slice)
    }

    /// The same data in further models, where an estimator of the run needs them.
    pub fn others(&self) -> &[Self] {
        &self.others
    }

    /// Whether sample s has latents; only a model that was inverted may miss them.
    pub fn has_latent(&self, s: usize) -> bool {
        self.batch.latents.as_ref().is_none_or(|z| z.row(s).iter().all(|z| !z.is_nan()))
    }

    /// The samples as drawn or given.
    pub fn batch(&self) -> &Batch {
        &self.batch
    }

    /// n.
    pub fn len(&self) -> usize {
        self.batch.len
    }

    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.batch.len == 0
    }

    /// The decoder, if it can be asked.
    pub fn decoder(&self) -> Option<&'a dyn Decoder> {
        self.decoder
    }

    /// Df(z) as an operator.
    pub fn linearization(&self) -> &dyn Linearization {
        &*self.linearization
    }

    /// f(z) `[n, D]`.
    pub fn decoded(&self) -> Result<&Array2<f64>> {
        self.linearization.decoded()
    }

    /// A hash of (seed, index of sample s in the run), and that index.
    pub fn key(&self, s: usize) -> (u64, u64) {
        let index = self.batch.start + s as u64;
        (hash(self.context.settings.seed, Purpose::Reservoir, index), index)
    }

    /// Whether sample s is one of those whose columns are mixed with other samples' to see what chance gives: up to 200 of
    /// the run, evenly spaced, in batches of more than one.
    pub fn is_for_permutation(&self, s: usize) -> bool {
        const SAMPLES: usize = 200;
        let every = self.context.n_samples.div_ceil(SAMPLES).max(1) as u64;
        self.len() > 1 && self.context.settings.sketch.is_none() && (self.batch.start + s as u64).is_multiple_of(every)
    }

    /// Jacobian columns `[n, d, D]`, or those of its sketch `[n, d, m]`.
    pub fn columns(&self) -> Result<&Array3<f64>> {
        once(&self.columns, || {
            let Context { settings, latent_dim, ambient_dim, .. } = self.context();
            let columns = match settings.sketch {
                None => self.linearization.columns()?,
                Some(m) => {
                    let probes = sketch::probes(settings.seed, Purpose::Sketch, self.batch.start, (self.len(), m, *ambient_dim));
                    sketch::columns(self.linearization(), &probes)?
                }
            };
            let expected = (self.len(), *latent_dim, self.context.rows());
            if columns.dim() != expected {
                let got = columns.dim();
                return Err(Error::Shape { what: format!("the Jacobian's columns are {got:?}, expected {expected:?}"), hint: None });
            }
            Ok(if columns.is_standard_layout() { columns } else { columns.as_standard_layout().into_owned() })
        })
    }

    /// log ‖Jᵢ‖ `[n, d]`: −∞ for a dead column; all NaN for a sample with a value that is not finite.
    pub fn log_norms(&self) -> Result<&Array2<f64>> {
        let columns = self.columns()?;
        once(&self.log_norms, || {
            let (d, bias) = (self.context.latent_dim, self.context.volume_bias(1));
            let mut norms = Array2::zeros((self.len(), d));
            let rows: Vec<_> = norms.axis_iter_mut(Axis(0)).zip(columns.outer_iter()).enumerate().collect();
            rows.into_par_iter().for_each(|(s, (mut norms, columns))| {
                for (norm, column) in norms.iter_mut().zip(columns.outer_iter()) {
                    *norm = column.as_slice().map_or(f64::NAN, linalg::log_norm) - bias;
                }
                if norms.iter().any(|x| x.is_nan() || *x == f64::INFINITY) || !self.has_latent(s) {
                    norms.fill(f64::NAN);
                }
            });
            Ok(norms)
        })
    }

    /// Whether all derivatives of sample s are finite.
    pub fn is_finite(&self, s: usize) -> Result<bool> {
        Ok(self.log_norms()?.row(s).iter().all(|x| !x.is_nan()))
    }
}

/// What the cell holds, made first if need be; an error is not kept.
fn once<T>(cell: &OnceLock<T>, make: impl FnOnce() -> Result<T>) -> Result<&T> {
    if let Some(value) = cell.get() {
        return Ok(value);
    }
    let value = make()?;
    Ok(cell.get_or_init(|| value))
}
