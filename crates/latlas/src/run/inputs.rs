//! What goes into a run, and whether it fits together.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use ndarray::{Array2, Axis, Dimension, Slice};
use sha2::{Digest, Sha256};

use super::CodeInputs;
use crate::accumulators::Moments;
use crate::context::{Context, Order};
use crate::error::{Error, Result};
use crate::geometry::{Manifold, PullbackManifold};
use crate::index_sets;
use crate::models::{Decoder, Encoder, Inverse, Jacobians};
use crate::probe::{Batch, Next, Probe};
use crate::report::InputRecord;
use crate::samples::Prior;
use crate::settings::{OrderSource, Sampling, Settings};

/// Further models at most.
const MOST_OTHERS: usize = 64;
/// Starting points of an inversion.
const TRIES: u64 = 6;

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

/// Samples of the first look at the entropies that fixes the order of the latents.
const PILOT: usize = 64;

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

    /// Standard deviations of the codes of the data, within the classes where there are labels, averaged over them as
    /// variances. Empty without data and an encoder of the same latents.
    pub(super) fn code_spread(&self, latent_dim: usize) -> Result<Vec<f64>> {
        const ROWS: usize = 4096;
        let encoder = self.encoder.as_ref().filter(|encoder| encoder.latent_dim() == latent_dim);
        let (Some(encoder), Some(data)) = (encoder, &self.data) else { return Ok(Vec::new()) };
        let mut classes: BTreeMap<i64, Moments> = BTreeMap::new();
        for start in (0..data.nrows()).step_by(ROWS) {
            let rows = Slice::from(start..(start + ROWS).min(data.nrows()));
            let condition = self
                .condition
                .as_ref()
                .map(|c| if c.nrows() == data.nrows() { c.slice_axis(Axis(0), rows) } else { c.slice_axis(Axis(0), Slice::from(..1)) });
            let batch = data.slice_axis(Axis(0), rows);
            let condition = condition.as_ref().and_then(|c| c.broadcast((batch.nrows(), c.ncols())));
            for (row, code) in encoder.encode(batch, condition)?.mean.outer_iter().enumerate() {
                let class = self.labels.as_ref().map_or(0, |labels| labels[start + row]);
                classes.entry(class).or_default().push(code);
            }
        }
        let spread = |i: usize| {
            let variances: Vec<f64> = classes.values().filter_map(|moments| moments.get(i).variance()).collect();
            (variances.iter().sum::<f64>() / variances.len() as f64).sqrt()
        };
        Ok((0..encoder.latent_dim()).map(spread).collect())
    }

    /// The order in which cores grow, from the settings; entropies are looked at in batches of so many samples.
    pub(super) fn order(&self, context: &Context, batch: usize) -> Result<Order> {
        let d = context.latent_dim;
        let source = &context.settings.order;
        let samples = match source {
            OrderSource::Native => 0,
            OrderSource::Given(text) => return Ok(Order { source: source.name().into(), latents: index_sets::order(text, d)? }),
            OrderSource::Pilot => PILOT.min(context.n_samples),
            OrderSource::TwoPass => context.n_samples,
        };
        let mut entropies = Moments::default();
        for start in (0..samples).step_by(batch) {
            let probe = self.probe_alone(context, start, batch.min(samples - start))?;
            for s in 0..probe.len() {
                entropies.push(&probe.entropies(s)?);
            }
        }
        let entropy = |i: usize| Some(entropies.get(i).mean()).filter(|x| !x.is_nan()).unwrap_or(f64::NEG_INFINITY);
        let mut latents: Vec<usize> = (0..d).collect();
        latents.sort_by(|a, b| entropy(*b).total_cmp(&entropy(*a)));
        Ok(Order { source: source.name().into(), latents })
    }

    /// The samples `start .. start + len` of the run, and beside them the same data in the other models where they are needed.
    pub(super) fn probe<'a>(&'a self, context: &'a Context, start: usize, len: usize, with_others: bool) -> Result<Probe<'a>> {
        let probe = self.probe_alone(context, start, len)?;
        if !with_others || self.others.is_empty() {
            return Ok(probe);
        }
        let data = match (context.sampling, &probe.batch().data) {
            (Sampling::Data, Some(data)) => data.clone(),
            _ => probe.decoded()?.clone(),
        };
        let mut others = Vec::new();
        for (k, other) in self.others.iter().enumerate() {
            let mut batch = probe.batch().clone();
            batch.condition = batch.condition.filter(|_| other.decoder.condition_dim().is_some());
            let latents = encode(&*other.decoder, other.encoder.as_deref(), &data, batch.condition.as_ref(), &context.settings)?;
            batch.latents = Some(latents);
            others.push(Probe::new(Cow::Owned(context.of_other(k)), &*other.decoder, batch)?);
        }
        Ok(probe.beside(others))
    }

    fn probe_alone<'a>(&'a self, context: &'a Context, start: usize, len: usize) -> Result<Probe<'a>> {
        self.probe_of(context, &(start..start + len).collect::<Vec<_>>())
    }

    /// Some samples of the run, ascending, at least one.
    pub(super) fn probe_of<'a>(&'a self, context: &'a Context, samples: &[usize]) -> Result<Probe<'a>> {
        let (start, len) = (samples[0], samples.len());
        let condition = self
            .condition
            .as_ref()
            .map(|c| if c.nrows() == 1 && context.n_samples != 1 { c.select(Axis(0), &vec![0; len]) } else { c.select(Axis(0), samples) });
        let mut batch = Batch { start: start as u64, len, latents: None, condition, data: None, labels: None, next: None };
        batch.latents = match (context.sampling, &self.latents) {
            (_, Some(latents)) => Some(latents.select(Axis(0), samples)),
            (Sampling::Prior, None) => {
                let draw = |s: &usize| self.prior.draw(context.settings.seed, *s as u64..*s as u64 + 1, context.latent_dim);
                let draws: Vec<Array2<f64>> = samples.iter().map(draw).collect();
                Some(Array2::from_shape_fn((len, context.latent_dim), |(s, i)| draws[s][[0, i]]))
            }
            (Sampling::Data, None) => match (&self.decoder, &self.data) {
                (Some(decoder), Some(data)) => {
                    let data = data.select(Axis(0), samples);
                    let latents = encode(&**decoder, self.encoder.as_deref(), &data, batch.condition.as_ref(), &context.settings)?;
                    batch.labels = self.labels.as_ref().map(|labels| samples.iter().map(|s| labels[*s]).collect());
                    batch.data = Some(data);
                    Some(latents)
                }
                _ => None,
            },
            (Sampling::Given, None) => None,
        };
        let last = samples[len - 1];
        if last == start + len - 1 && last.is_multiple_of(2) && last + 1 < context.n_samples {
            batch.next = self.next(context, last + 1)?;
        }
        match (&self.decoder, &self.jacobians) {
            (Some(decoder), _) => Ok(Probe::new(Cow::Borrowed(context), &**decoder, batch)?.on(self.manifold())),
            (None, Some(jacobians)) => Ok(Probe::over(Cow::Borrowed(context), None, Box::new(jacobians.at(samples)), batch)),
            (None, None) => Err(input("no decoder was given", "give an ONNX file, or Jacobians with --jacobians")),
        }
    }

    /// A sample alone, without what follows from it.
    fn next(&self, context: &Context, sample: usize) -> Result<Option<Next>> {
        let rows = Slice::from(sample..=sample);
        let latents = match (context.sampling, &self.latents, &self.decoder, &self.data) {
            (_, Some(latents), ..) => latents.slice_axis(Axis(0), rows).to_owned(),
            (Sampling::Prior, ..) => self.prior.draw(context.settings.seed, sample as u64..sample as u64 + 1, context.latent_dim),
            (Sampling::Data, _, Some(decoder), Some(data)) => {
                let all = |c: &Array2<f64>| if c.nrows() == 1 { c.clone() } else { c.slice_axis(Axis(0), rows).to_owned() };
                let (data, condition) = (data.slice_axis(Axis(0), rows).to_owned(), self.condition.as_ref().map(all));
                encode(&**decoder, self.encoder.as_deref(), &data, condition.as_ref(), &context.settings)?
            }
            _ => return Ok(None),
        };
        let label = self.labels.as_ref().filter(|_| context.sampling == Sampling::Data).map(|labels| labels[sample]);
        Ok(Some(Next { latents: latents.row(0).to_owned(), label }))
    }

    /// A digest of everything that values depend on beside the settings: records, arrays and prior.
    pub(super) fn fingerprint(&self) -> String {
        let mut digest = Sha256::new();
        for record in &self.records {
            digest.update(format!("{}\0{}\0{:?}\0", record.role, record.sha256, record.shape));
        }
        digest.update(format!("{:?}", self.prior));
        digest.update(format!("{:?}", self.manifold.as_ref().map(|manifold| manifold.name())));
        let arrays = [&self.latents, &self.data, &self.condition];
        for array in arrays {
            hash_array(&mut digest, array.as_ref());
        }
        hash_array(&mut digest, self.jacobians.as_ref().map(|given| &given.values));
        hash_array(&mut digest, self.jacobians.as_ref().and_then(|given| given.decoded.as_ref()));
        hash_array(&mut digest, self.jacobians.as_ref().and_then(|given| given.log_det.as_ref()));
        self.codes.hash(&mut digest);
        digest.update(format!("{:?}", self.labels));
        crate::data::hexadecimal(&digest.finalize())
    }

    fn sampling(&self, settings: &Settings) -> Result<(Sampling, usize)> {
        if let Some(jacobians) = &self.jacobians {
            let n = jacobians.values.dim().0;
            if let Some(rows) = self.latents.as_ref().map(Array2::nrows).filter(|rows| *rows != n) {
                return Err(shape(format!("there are {n} Jacobians and {rows} rows of latents")));
            }
            return Ok((Sampling::Given, n));
        }
        match (&self.latents, settings.sampling) {
            (Some(latents), _) => Ok((Sampling::Given, latents.nrows())),
            (None, Sampling::Prior) => Ok((Sampling::Prior, settings.samples)),
            (None, Sampling::Data) => match &self.data {
                Some(data) => Ok((Sampling::Data, data.nrows())),
                None => Err(input("latents of the data need data", "give --data, and --encoder if there is one")),
            },
            (None, Sampling::Given) => Err(input("no latents were given", "give --latents, or let them be drawn from the prior")),
        }
    }

    fn check_others(&self, ambient_dim: usize) -> Result<()> {
        if self.others.len() > MOST_OTHERS {
            return Err(input(&format!("{} further models were given", self.others.len()), &format!("give at most {MOST_OTHERS}")));
        }
        for (k, other) in self.others.iter().enumerate() {
            let (d, big_d) = (other.decoder.latent_dim(), other.decoder.ambient_dim());
            if big_d != ambient_dim {
                return Err(Error::Shape {
                    what: format!("the decoder gives {ambient_dim} values a sample, further model {} gives {big_d}", k + 1),
                    hint: Some("models are compared at the same data, in the same units".into()),
                });
            }
            if let Some(encoder) = other.encoder.as_ref().filter(|e| e.data_dim() != big_d || e.latent_dim() != d) {
                let (takes, gives) = (encoder.data_dim(), encoder.latent_dim());
                return Err(shape(format!(
                    "further model {} maps {d} latents to {big_d} values, its encoder {takes} values to {gives} latents",
                    k + 1
                )));
            }
        }
        Ok(())
    }

    fn check_data(&self, ambient_dim: usize, sampling: Sampling) -> Result<()> {
        let Some(data) = &self.data else { return Ok(()) };
        check_finite("data", data)?;
        let width = data.ncols();
        if width != ambient_dim {
            return Err(shape(format!("the decoder gives {ambient_dim} values a sample, the data has {width}")));
        }
        if let Some(encoder) = self.encoder.as_ref().filter(|e| e.data_dim() != width) {
            return Err(shape(format!("the encoder takes {} values a row, the data has {width}", encoder.data_dim())));
        }
        if let Some(labels) = self.labels.as_ref().filter(|l| l.len() != data.nrows()) {
            return Err(shape(format!("there are {} labels and {} rows of data", labels.len(), data.nrows())));
        }
        let latent_dims = self.decoder.as_ref().zip(self.encoder.as_ref()).map(|(d, e)| (d.latent_dim(), e.latent_dim()));
        match latent_dims {
            Some((d, e)) if d != e && sampling == Sampling::Data => {
                Err(shape(format!("the decoder takes {d} latents a sample, the encoder gives {e}")))
            }
            _ => Ok(()),
        }
    }
}

/// The sets of a further model with so many latents: its own, or those of the first model as far as it has such latents.
fn other_sets(settings: &Settings, groups: &[Vec<usize>], latent_dim: usize) -> Result<Vec<Vec<usize>>> {
    if settings.other_sets.is_empty() {
        return Ok(groups.iter().filter(|set| set.iter().all(|i| *i < latent_dim)).cloned().collect());
    }
    settings.other_sets.iter().map(|text| index_sets::set(text, latent_dim)).collect()
}

/// Latents of some data: by the encoder, or by inverting the decoder; NaN where that fails.
fn encode(
    decoder: &dyn Decoder,
    encoder: Option<&dyn Encoder>,
    data: &Array2<f64>,
    condition: Option<&Array2<f64>>,
    settings: &Settings,
) -> Result<Array2<f64>> {
    let condition = condition.map(|rows| rows.view());
    if let Some(encoder) = encoder {
        return Ok(encoder.encode(data.view(), condition)?.mean);
    }
    // The first try begins at the mean, the others at draws that are the same for all data.
    let mut starts = Prior::Normal.draw(settings.seed, 0..TRIES, decoder.latent_dim());
    starts.row_mut(0).fill(0.0);
    Ok(Inverse::new(decoder, settings.inversion_gate, starts)?.encode(data.view(), condition)?.mean)
}

fn check_settings(settings: &Settings) -> Result<()> {
    if !(settings.level > 0.0 && settings.level < 1.0) {
        return Err(input(&format!("the level of intervals is {}, outside (0, 1)", settings.level), "such as 0.95"));
    }
    if !(0.0..=1.0).contains(&settings.max_bad) {
        return Err(input(&format!("the accepted share of bad samples is {}, outside [0, 1]", settings.max_bad), "such as 0.05"));
    }
    if settings.sketch == Some(0) {
        return Err(input("a sketch of 0 probes", "leave --sketch out, or give at least 1"));
    }
    if settings.chunk == Some(0) {
        return Err(input("a chunk of 0 samples", "leave --chunk out, or give at least 1"));
    }
    for (name, scale) in [("scale of the noise", settings.noise_scale), ("cut between spreads", settings.spread_cut)] {
        if let Some(scale) = scale.filter(|scale| !(scale.is_finite() && *scale > 0.0)) {
            return Err(input(&format!("the {name} is {scale}"), "give a positive number"));
        }
    }
    Ok(())
}

fn check_finite(name: &str, array: &Array2<f64>) -> Result<()> {
    match array.indexed_iter().find(|(_, x)| !x.is_finite()) {
        None => Ok(()),
        Some(((row, column), x)) => Err(input(
            &format!("the {name} hold {x} in row {row}, column {column}; every value must be finite"),
            "remove or replace such rows",
        )),
    }
}

pub(super) fn hash_array<D: Dimension>(digest: &mut Sha256, array: Option<&ndarray::Array<f64, D>>) {
    let Some(array) = array else { return digest.update("none") };
    digest.update(format!("{:?}", array.shape()));
    // Hashing goes faster in blocks than value by value.
    let mut block = Vec::with_capacity(1 << 16);
    for x in array {
        block.extend_from_slice(&x.to_le_bytes());
        if block.len() == 1 << 16 {
            digest.update(&block);
            block.clear();
        }
    }
    digest.update(&block);
}

fn input(what: &str, hint: &str) -> Error {
    Error::Input { what: what.into(), hint: Some(hint.into()) }
}

fn shape(what: String) -> Error {
    Error::Shape { what, hint: None }
}
