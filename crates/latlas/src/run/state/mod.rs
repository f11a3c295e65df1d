//! The state of a run: what is remembered of the chunks that are done.

mod header;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;
use serde_json::json;

use super::principal::principal;
use super::{Inputs, Sampling, Settings};
use crate::accumulators::{Covariance, Merge, Ordered, Summary};
use crate::caveat::Caveat;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::estimators::{self, AnyEstimator, AnyState, Card, Need};
use crate::invariants::{self, Laws, Place};
use crate::report::Report;
pub(super) use header::Header;
use header::{differs, instruction_set};

/// One of several equal parts of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// From 0.
    pub index: usize,
    /// How many there are.
    pub of: usize,
}

impl Shard {
    /// The whole run.
    pub const WHOLE: Self = Self { index: 0, of: 1 };
}

/// What is remembered of the chunks that are done. States of different shards of one run merge.
pub struct State {
    pub(super) header: Header,
    pub(super) selection: Arc<Selection>,
    pub(super) chunks: Ordered<Partial>,
}

pub(super) type Selection = Vec<(&'static Card, Box<dyn AnyEstimator>)>;

/// What is remembered of some neighbouring chunks.
pub(super) struct Partial {
    pub selection: Arc<Selection>,
    pub states: Vec<AnyState>,
    pub laws: Laws,
    pub latents: Covariance,
}

impl Partial {
    fn new(selection: &Arc<Selection>) -> Self {
        let states = selection.iter().map(|(_, estimator)| estimator.start()).collect();
        Self { selection: Arc::clone(selection), states, laws: Laws::default(), latents: Covariance::default() }
    }
}

impl Merge for Partial {
    fn merge(&mut self, later: &Self) {
        for (((_, estimator), state), later) in self.selection.iter().zip(&mut self.states).zip(&later.states) {
            estimator.merge(state, later);
        }
        self.laws.merge(&later.laws);
        self.latents.merge(&later.latents);
    }
}

/// Bytes that the Jacobian columns of a batch may take, which are held at once …
const BATCH_BYTES: usize = 8 << 20;
/// … and may take where a batch then has a sample for every latent, as columns of different samples need.
const LARGEST_BATCH_BYTES: usize = 32 << 20;
/// Samples that a batch has at least, so that columns of different samples can be compared.
const SMALLEST_BATCH: usize = 2;
/// Samples that a batch or a chunk has at most.
const CHUNK_SAMPLES: usize = 256;
/// Chunks that a run of large Jacobians is cut into: states that wait to be merged are few, and threads find enough to do.
const CHUNKS: usize = 16;
/// Above this number of latents their correlations are not watched.
const WATCHED_LATENTS: usize = 512;

impl State {
    /// The state of a shard before its first chunk.
    ///
    /// # Errors
    /// Those of [`super::run`] that can be told before running.
    pub fn begin(ids: &[String], inputs: &Inputs, settings: &Settings, shard: Shard) -> Result<Self> {
        if shard.index >= shard.of {
            return Err(Error::Input {
                what: format!("shard {} of {} does not exist", shard.index + 1, shard.of),
                hint: Some("write --shard 1/4 … 4/4".into()),
            });
        }
        let mut context = inputs.context(settings)?;
        if estimators::named(ids).any(|card| card.needs.contains(&Need::Codes)) {
            let is_attacked = estimators::named(ids).any(|card| card.id == "rotation-attack");
            context.codes = inputs.shared_codes(settings, is_attacked)?;
        }
        let selection = Arc::new(estimators::select(ids, &context)?);
        let batch = batch(&context, &selection);
        let chunk = settings.chunk.unwrap_or_else(|| context.n_samples.div_ceil(CHUNKS).clamp(1, CHUNK_SAMPLES).max(batch));
        if selection.iter().any(|(_, estimator)| estimator.needs_order()) {
            context.order = inputs.order(&context, batch.min(chunk))?;
        }
        if let Some(data) = inputs.data.as_ref().filter(|_| selection.iter().any(|(card, _)| card.needs.contains(&Need::Data))) {
            context.principal = principal(data, context.latent_dim)?;
        }
        if context.sampling != Sampling::Data && selection.iter().any(|(_, estimator)| estimator.needs_code_spread()) {
            context.code_spread = inputs.code_spread(context.latent_dim)?;
        }
        let mut header = Header {
            version: env!("CARGO_PKG_VERSION").into(),
            ids: selection.iter().map(|(card, _)| card.id.to_string()).collect(),
            context,
            chunk,
            shards: shard.of,
            done: BTreeMap::new(),
            records: inputs.records.clone(),
            fingerprint: inputs.fingerprint(),
            instruction_sets: BTreeSet::from([instruction_set()]),
        };
        header.done.insert(shard.index, header.chunks_of(shard.index).start);
        Ok(Self { header, selection, chunks: Ordered::default() })
    }

    /// Does what is left of this state's shards. `checkpoint` is called now and then with the state so far, to save it.
    ///
    /// # Errors
    /// Other inputs than the state began with; what goes wrong in the model or in `checkpoint`.
    pub fn advance(&mut self, inputs: &Inputs, progress: &dyn Fn(usize, usize), checkpoint: &dyn Fn(&Self) -> Result<()>) -> Result<()> {
        self.header.check_inputs(inputs)?;
        let samples = |chunks: &Range<usize>| self.header.samples_of(chunks).len();
        let shards: Vec<usize> = self.header.done.keys().copied().collect();
        let all: usize = shards.iter().map(|shard| samples(&self.header.chunks_of(*shard))).sum();
        let mut done: usize = shards.iter().map(|s| samples(&(self.header.chunks_of(*s).start..self.header.done[s]))).sum();
        progress(done, all);
        let batch = batch(&self.header.context, &self.selection);
        for shard in shards {
            let Range { start, end } = self.header.chunks_of(shard);
            let mut laws = if self.header.done[&shard] == start && start < end { self.check_spots(inputs)? } else { Laws::default() };
            while self.header.done[&shard] < end {
                // A wave has a chunk a thread, so that no more than these are held at once; where Jacobians are large, threads
                // share a batch instead.
                let next = self.header.done[&shard];
                let threads = rayon::current_num_threads();
                let wave = next..end.min(next + if batch == SMALLEST_BATCH { (threads / batch).max(1) } else { threads });
                let partials: Vec<_> = wave.clone().into_par_iter().map(|chunk| self.observe(inputs, chunk)).collect();
                for (chunk, partial) in wave.clone().zip(partials) {
                    let mut partial = partial?;
                    partial.laws.merge(&std::mem::take(&mut laws));
                    self.chunks.insert(chunk as u64, partial);
                }
                self.header.done.insert(shard, wave.end);
                done += self.header.samples_of(&wave).len();
                progress(done, all);
                checkpoint(self)?;
            }
        }
        Ok(())
    }

    /// The saved state in place of this one, which has only begun, to go on with.
    ///
    /// # Errors
    /// Another model, setting, version or shard.
    pub fn resume(self, saved: Self) -> Result<Self> {
        self.header.check_same_run(&saved.header)?;
        if self.header.done.keys().ne(saved.header.done.keys()) {
            return Err(differs("shards"));
        }
        Ok(saved)
    }

    /// Adds the state of other shards of the same run.
    ///
    /// # Errors
    /// Another model, setting or version, or a shard that is there already.
    pub fn merge(&mut self, other: Self) -> Result<()> {
        self.header.check_same_run(&other.header)?;
        if let Some(shard) = other.header.done.keys().find(|shard| self.header.done.contains_key(shard)) {
            return Err(Error::State {
                what: format!("shard {} of {} is there twice", shard + 1, self.header.shards),
                hint: Some("merge the state of every shard once".into()),
            });
        }
        self.header.done.extend(&other.header.done);
        self.header.instruction_sets.extend(other.header.instruction_sets);
        self.chunks.absorb(other.chunks);
        Ok(())
    }

    /// The shards that are missing or not finished, from 0.
    pub fn missing(&self) -> Vec<usize> {
        let finished = |shard: &usize| self.header.done.get(shard) == Some(&self.header.chunks_of(*shard).end);
        (0..self.header.shards).filter(|shard| !finished(shard)).collect()
    }

    /// The number of shards of the run.
    pub fn shards(&self) -> usize {
        self.header.shards
    }

    /// The report of the whole run.
    ///
    /// # Errors
    /// Missing shards, or what [`super::run`] says of the samples.
    pub fn finish(self) -> Result<Report> {
        let missing = self.missing();
        if missing.is_empty() {
            return self.finish_partial();
        }
        let names = missing.iter().take(20).map(|shard| (shard + 1).to_string()).collect::<Vec<_>>().join(", ");
        Err(Error::State {
            what: format!("of {} shards, {} are missing or not finished: {names}", self.header.shards, missing.len()),
            hint: Some("run them and merge their states, or take what is there with --partial".into()),
        })
    }

    /// The report of the shards that are there.
    ///
    /// # Errors
    /// What [`super::run`] says of the samples.
    pub fn finish_partial(self) -> Result<Report> {
        Ok(self.finish_with_rows()?.0)
    }

    /// The report of the shards that are there, and for each estimate the rows of its samples that were kept.
    pub(super) fn finish_with_rows(self) -> Result<(Report, Vec<Option<Summary>>)> {
        let missing: Vec<usize> = self.missing().iter().map(|shard| shard + 1).collect();
        let Self { header, selection, chunks } = self;
        let context = &header.context;
        let nothing = (context.n_samples == 0).then(|| Partial::new(&selection));
        let Some(partial) = chunks.fold().or(nothing) else {
            return Err(Error::TooFewSamples { estimator: "a run".into(), needed: 1, got: 0 });
        };
        let (mut estimates, mut rows) = (Vec::new(), Vec::new());
        for ((_, estimator), state) in selection.iter().zip(partial.states) {
            estimates.push(estimator.finish(context, &state)?);
            rows.push(estimator.take_rows(state));
        }
        let match_prior = invariants::latents_match_prior(context, &partial.latents);
        if let Some(law) = match_prior.as_ref().filter(|law| !law.holds) {
            let message = format!("mean, spread or correlation differ by {:.2} from the {} prior", law.worst, context.prior.name());
            for estimate in &mut estimates {
                estimate.caveats.push(Caveat::new("off-prior-latents", message.clone()));
            }
        }
        if header.instruction_sets.len() > 1 {
            let sets = header.instruction_sets.iter().cloned().collect::<Vec<_>>().join(", ");
            for estimate in &mut estimates {
                estimate.caveats.push(Caveat::new("mixed-instruction-sets", sets.clone()));
            }
        }
        let mut settings = header.settings();
        if !missing.is_empty() {
            settings.insert("missing_shards".into(), json!(missing));
        }
        let mut citations: Vec<String> = Vec::new();
        for reference in selection.iter().flat_map(|(card, _)| card.references) {
            if !citations.iter().any(|c| c == reference) {
                citations.push((*reference).to_string());
            }
        }
        let invariants = partial.laws.finish(context).into_iter().chain(match_prior).collect();
        Ok((Report { inputs: header.records, settings, estimates, invariants, citations }, rows))
    }

    /// The laws that are looked at closely at a few samples of the run, the same ones in every shard. What they need of memory
    /// (a model in double precision, whole Jacobians where the run has only sketches) is free again before the first chunk.
    fn check_spots(&self, inputs: &Inputs) -> Result<Laws> {
        let context = &self.header.context;
        let exact = Context { settings: Settings { sketch: None, ..context.settings.clone() }, ..context.clone() };
        let spots = invariants::spots(context);
        let probe = inputs.probe_of(&exact, &spots)?;
        let whole = inputs.probe_of(&exact, &spots[..spots.len().min(invariants::whole_spots(context))])?;
        let mut laws = Laws::default();
        laws.check_spots(&Place { context, probe: &probe, whole: &whole, encoder: inputs.encoder.as_deref() })?;
        if let (None, Some(decoder)) = (context.settings.sketch, &inputs.decoder) {
            decoder.release_products();
        }
        Ok(laws)
    }

    fn observe(&self, inputs: &Inputs, chunk: usize) -> Result<Partial> {
        let context = &self.header.context;
        let samples = self.header.samples_of(&(chunk..chunk + 1));
        let mut partial = Partial::new(&self.selection);
        let batch = batch(context, &self.selection);
        for start in samples.clone().step_by(batch) {
            self.observe_batch(inputs, start..samples.end.min(start + batch), &mut partial)?;
        }
        Ok(partial)
    }

    fn observe_batch(&self, inputs: &Inputs, samples: Range<usize>, partial: &mut Partial) -> Result<()> {
        let needs_others = self.selection.iter().any(|(card, _)| card.needs.contains(&Need::Other));
        let probe = inputs.probe(&self.header.context, samples.start, samples.len(), needs_others)?;
        for ((_, estimator), state) in self.selection.iter().zip(&mut partial.states) {
            estimator.observe(&probe, state)?;
        }
        partial.laws.check(&probe)?;
        if let Some(latents) = probe.batch().latents.as_ref().filter(|z| z.ncols() <= WATCHED_LATENTS) {
            latents.outer_iter().for_each(|z| partial.latents.push(&z.to_vec()));
        }
        Ok(())
    }
}

/// Samples whose Jacobians are held at once.
fn batch(context: &Context, selection: &Selection) -> usize {
    // A sketch holds its probes, which are longer than what comes of them.
    let width = if context.settings.sketch.is_some() { context.latent_dim.max(context.ambient_dim) } else { context.latent_dim };
    let pairs = if selection.iter().any(|(_, estimator)| estimator.needs_pairs()) { context.latent_dim } else { 0 };
    let columns = width.saturating_mul(context.rows()).max(pairs.saturating_mul(pairs) / 4).saturating_mul(size_of::<f64>());
    let within = |bytes: usize| bytes / columns.max(1);
    let one_a_latent = if context.latent_dim <= within(LARGEST_BATCH_BYTES) { context.latent_dim } else { 0 };
    within(BATCH_BYTES).max(one_a_latent).clamp(SMALLEST_BATCH, CHUNK_SAMPLES)
}
