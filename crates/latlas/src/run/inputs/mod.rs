//! What goes into a run, and what all of its samples share.

mod checks;
mod fingerprint;
mod probes;

use std::sync::Arc;

use ndarray::Array2;

use super::CodeInputs;
use crate::context::{Context, Order};
use crate::error::{Error, Result};
use crate::geometry::{Manifold, PullbackManifold};
use crate::index_sets;
use crate::models::{Decoder, Encoder, Jacobians};
use crate::report::InputRecord;
use crate::samples::Prior;
use crate::settings::{Sampling, Settings};
use checks::{check_finite, check_settings};
pub(super) use fingerprint::hash_array;

/// What goes into a run: a decoder or Jacobians, and what belongs to them.
#[derive(Clone, Default)]
pub struct Inputs {
    /// z → x.
    pub decoder: Option<Arc<dyn Decoder>>,
    /// x → z.
    pub encoder: Option<Arc<dyn Encoder>>,
    /// The declared distribution of the latents; they are drawn from it when none are given.
    pub prior: Prior,
    /// `[n, d]`.
    pub latents: Option<Array2<f64>>,
    /// `[m, D]`.
    pub data: Option<Array2<f64>>,
    /// One a row of data.
    pub labels: Option<Vec<i64>>,
    /// `[n, c]`, or `[1, c]` for all samples, for conditional decoders.
    pub condition: Option<Array2<f64>>,
    /// Instead of a decoder.
    pub jacobians: Option<Jacobians>,
    /// Further models, asked at the same data.
    pub others: Vec<Other>,
    /// The metric of the latents; the pull-back of the decoder in double precision when not set.
    pub manifold: Option<Arc<dyn Manifold>>,
    /// Codes of data and the factors that made it.
    pub codes: CodeInputs,
    /// Where all of this came from.
    pub records: Vec<InputRecord>,
}

/// A further model beside the first one.
#[derive(Clone)]
pub struct Other {
    /// z → x, with as many values a sample as the first one.
    pub decoder: Arc<dyn Decoder>,
    /// x → z; without one the decoder is inverted.
    pub encoder: Option<Arc<dyn Encoder>>,
}

impl Inputs {
    /// What all samples of a run over these inputs share.
    ///
    /// # Errors
    /// Inputs that do not fit each other, values that are not finite, no samples.
    pub fn context(&self, settings: &Settings) -> Result<Context> {
        check_settings(settings)?;
        let (latent_dim, ambient_dim) = match (&self.decoder, &self.jacobians) {
            (Some(_), Some(_)) => {
                return Err(input("both a decoder and Jacobians were given", "give one of them"));
            }
            (Some(decoder), None) => (decoder.latent_dim(), decoder.ambient_dim()),
            (None, Some(jacobians)) => (jacobians.values.dim().2, jacobians.values.dim().1),
            (None, None) if self.has_codes() => (0, 0),
            (None, None) => return Err(input("no decoder was given", "give an ONNX file, or Jacobians with --jacobians")),
        };
        let is_without_model = self.decoder.is_none() && self.jacobians.is_none();
        if is_without_model && self.latents.is_some() {
            return Err(input("latents were given without a decoder", "codes of data are --codes"));
        }
        if is_without_model {
            return self.context_of_codes(settings);
        }
        if latent_dim == 0 || ambient_dim == 0 {
            return Err(shape(format!("the decoder maps {latent_dim} latents to {ambient_dim} values a sample")));
        }
        let (sampling, n_samples) = self.sampling(settings)?;
        if n_samples == 0 {
            return Err(Error::TooFewSamples { estimator: "a run".into(), needed: 1, got: 0 });
        }
        if let Some(dim) = self.prior.dim().filter(|dim| *dim != latent_dim) {
            return Err(shape(format!("the decoder takes {latent_dim} latents a sample, the prior has {dim}")));
        }
        if let Some(latents) = &self.latents {
            if latents.ncols() != latent_dim {
                let got = latents.ncols();
                return Err(shape(format!("the decoder takes {latent_dim} latents a sample, the latents have {got} columns")));
            }
            check_finite("latents", latents)?;
        }
        self.check_data(ambient_dim, sampling)?;
        self.check_others(ambient_dim)?;
        let width = self.decoder.as_ref().and_then(|d| d.condition_dim());
        if let (Some(width), None) = (width, &self.condition) {
            let what = format!("the decoder needs a condition of {width} values a sample");
            return Err(input(&what, "give it with --condition"));
        }
        if let Some(condition) = &self.condition {
            match width {
                Some(width) if width == condition.ncols() => {}
                Some(width) => {
                    let got = condition.ncols();
                    return Err(shape(format!("the decoder takes {width} values of condition a sample, the condition has {got}")));
                }
                // It only tells the classes of given Jacobians.
                None if self.jacobians.is_some() => {}
                None => return Err(input("a condition was given, but the decoder takes none", "leave --condition out")),
            }
            check_finite("condition", condition)?;
            if condition.nrows() != 1 && condition.nrows() != n_samples {
                let rows = condition.nrows();
                return Err(shape(format!("{n_samples} samples need 1 or {n_samples} rows of the condition, it has {rows}")));
            }
        }
        Ok(Context { n_samples, sampling, conditional: self.condition.is_some(), ..self.facts(settings, latent_dim, ambient_dim)? })
    }

    /// What all samples share where there are codes and no model: no sample at all.
    fn context_of_codes(&self, settings: &Settings) -> Result<Context> {
        if let (Some(encoder), Some(data)) = (&self.encoder, &self.data) {
            check_finite("data", data)?;
            if encoder.data_dim() != data.ncols() {
                return Err(shape(format!("the encoder takes {} values a row, the data has {}", encoder.data_dim(), data.ncols())));
            }
        }
        self.facts(settings, 0, 0)
    }

    /// What was given, whatever samples there are.
    fn facts(&self, settings: &Settings, latent_dim: usize, ambient_dim: usize) -> Result<Context> {
        let manifold = self.manifold();
        let sets = settings.sets.iter().map(|text| index_sets::set(text, latent_dim)).collect::<Result<Vec<_>>>()?;
        let partition = settings.partition.as_ref().map_or(Ok(Vec::new()), |text| index_sets::partition(text, latent_dim))?;
        let mut context = Context {
            settings: settings.clone(),
            latent_dim,
            ambient_dim,
            n_samples: 0,
            sampling: Sampling::Given,
            prior: self.prior.without_rows(),
            has_latents: self.decoder.is_some() || self.latents.is_some(),
            has_decoder: self.decoder.is_some(),
            has_values: self.decoder.is_some() || self.jacobians.as_ref().is_some_and(|given| given.decoded.is_some()),
            has_encoder: self.encoder.is_some(),
            has_data: self.data.is_some(),
            has_labels: self.labels.is_some(),
            conditional: false,
            has_kinks: self.decoder.as_ref().is_some_and(|d| d.has_kinks()),
            principal: None,
            others: self.others.iter().map(|other| other.decoder.latent_dim()).collect(),
            manifold: manifold.as_ref().map(|manifold| manifold.name().to_string()),
            has_second_derivatives: manifold.is_some_and(|m| m.embedding().is_some_and(Decoder::has_second_derivatives)),
            has_log_det: match (&self.decoder, &self.jacobians) {
                (Some(decoder), _) => decoder.has_log_det(),
                (None, given) => given.as_ref().is_some_and(|given| given.log_det.is_some()),
            },
            sets,
            other_sets: Vec::new(),
            partition,
            order: Order::default(),
            codes: None,
            code_spread: Vec::new(),
        };
        let of_other = |other: &Other| other_sets(settings, &context.groups(), other.decoder.latent_dim());
        context.other_sets = self.others.iter().map(of_other).collect::<Result<_>>()?;
        Ok(context)
    }

    /// The latents with their metric: what was given, or the pull-back of a decoder without a condition.
    pub fn manifold(&self) -> Option<Arc<dyn Manifold>> {
        let of_decoder = || {
            let decoder = self.decoder.as_ref()?;
            let precise = decoder.in_double_precision().unwrap_or_else(|| Arc::clone(decoder));
            Some(Arc::new(PullbackManifold::new("mean", precise).ok()?) as Arc<dyn Manifold>)
        };
        self.manifold.clone().or_else(of_decoder)
    }
}

/// The sets of a further model with so many latents: its own, or those of the first model as far as it has such latents.
fn other_sets(settings: &Settings, groups: &[Vec<usize>], latent_dim: usize) -> Result<Vec<Vec<usize>>> {
    if settings.other_sets.is_empty() {
        return Ok(groups.iter().filter(|set| set.iter().all(|i| *i < latent_dim)).cloned().collect());
    }
    settings.other_sets.iter().map(|text| index_sets::set(text, latent_dim)).collect()
}

fn input(what: &str, hint: &str) -> Error {
    Error::Input { what: what.into(), hint: Some(hint.into()) }
}

fn shape(what: String) -> Error {
    Error::Shape { what, hint: None }
}
