//! Samples of a run as probes, and what the first look at them tells.

use std::borrow::Cow;
use std::collections::BTreeMap;

use ndarray::{Array2, Axis, Slice};

use super::{Inputs, input};
use crate::accumulators::Moments;
use crate::context::{Context, Order};
use crate::error::Result;
use crate::index_sets;
use crate::models::{Decoder, Encoder, Inverse};
use crate::probe::{Batch, Next, Probe};
use crate::samples::Prior;
use crate::settings::{OrderSource, Sampling, Settings};

/// Starting points of an inversion.
const TRIES: u64 = 6;
/// Samples of the first look at the entropies that fixes the order of the latents.
const PILOT: usize = 64;

impl Inputs {
    /// Standard deviations of the codes of the data, within the classes where there are labels, averaged over them as
    /// variances. Empty without data and an encoder of the same latents.
    pub(in crate::run) fn code_spread(&self, latent_dim: usize) -> Result<Vec<f64>> {
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
    pub(in crate::run) fn order(&self, context: &Context, batch: usize) -> Result<Order> {
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
    pub(in crate::run) fn probe<'a>(&'a self, context: &'a Context, start: usize, len: usize, with_others: bool) -> Result<Probe<'a>> {
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
    pub(in crate::run) fn probe_of<'a>(&'a self, context: &'a Context, samples: &[usize]) -> Result<Probe<'a>> {
        let (start, len) = (samples[0], samples.len());
        let condition = self
            .condition
            .as_ref()
            .map(|c| if c.nrows() == 1 && context.n_samples != 1 { c.select(Axis(0), &vec![0; len]) } else { c.select(Axis(0), samples) });
        let mut batch = Batch { start: start as u64, len, latents: None, condition, data: None, labels: None, next: None };
        batch.latents = match (context.sampling, &self.latents) {
            (_, Some(latents)) => Some(latents.select(Axis(0), samples)),
            (Sampling::Prior, None) => Some(self.prior.draw(context.settings.seed, samples.iter().map(|s| *s as u64), context.latent_dim)),
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
