//! A batch of samples and, lazily and once, everything known of it.

mod angles;
mod factor;

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use ndarray::{Array1, Array2, Array3, ArrayView2, Axis};
use rayon::prelude::*;

pub use angles::{Angles, first_of, pairs};
pub(crate) use angles::{NEARLY_PARALLEL, sine};
pub use factor::{Factor, Sweep};

use crate::context::{Context, PriorTerm};
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

    /// −log pᵢ(zᵢ) of sample s for each latent, by the run's [`PriorTerm`]; zeros when there is none.
    pub fn surprisals(&self, s: usize) -> Vec<f64> {
        let Context { prior, latent_dim, .. } = self.context();
        match (self.context.prior_term(), self.latent(s)) {
            (PriorTerm::Analytic, _) => (0..*latent_dim).map(|i| prior.marginal_entropy(i).unwrap_or(f64::NAN)).collect(),
            (PriorTerm::Sampled, Some(z)) => (0..*latent_dim).map(|i| prior.surprisal(&z, i..=i).unwrap_or(f64::NAN)).collect(),
            _ => vec![0.0; *latent_dim],
        }
    }

    /// −log p of sample s over the latents in `live` together, by the run's [`PriorTerm`]; zero when there is none.
    pub fn joint_surprisal(&self, s: usize, live: &[usize]) -> f64 {
        let prior = &self.context.prior;
        match (self.context.prior_term(), self.latent(s)) {
            (PriorTerm::Analytic, _) => live.iter().map(|i| prior.marginal_entropy(*i).unwrap_or(f64::NAN)).sum(),
            (PriorTerm::Sampled, Some(z)) => prior.surprisal(&z, live.iter().copied()).unwrap_or(f64::NAN),
            _ => 0.0,
        }
    }

    /// log p of sample s over the latents in `live` together; NaN without latents or density.
    pub fn log_prior(&self, s: usize, live: &[usize]) -> f64 {
        let surprisal = self.latent(s).and_then(|z| self.context.prior.surprisal(&z, live.iter().copied()));
        surprisal.map_or(f64::NAN, |x| -x)
    }

    /// −log pᵢ + log ‖Jᵢ‖ of sample s for each latent; NaN where the column is dead or the sample not finite.
    pub fn entropies(&self, s: usize) -> Result<Vec<f64>> {
        let live = |x: f64| if x == f64::NEG_INFINITY { f64::NAN } else { x };
        Ok(self.surprisals(s).iter().zip(self.log_norms()?.row(s)).map(|(p, x)| p + live(*x)).collect())
    }

    /// log p_ST − log p_S − log p_T of sample s: what the prior alone makes two groups of latents share. Zero where it
    /// factorises or has no density.
    pub fn shared_surprisal(&self, s: usize, first: &[usize], second: &[usize]) -> f64 {
        if self.context.prior.is_factorised() {
            return 0.0;
        }
        let both = [first, second].concat();
        self.joint_surprisal(s, first) + self.joint_surprisal(s, second) - self.joint_surprisal(s, &both)
    }

    fn latent(&self, s: usize) -> Option<Vec<f64>> {
        self.batch.latents.as_ref().map(|z| z.row(s).to_vec())
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
