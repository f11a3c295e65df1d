//! What states of one run have in common.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::Inputs;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::report::InputRecord;

/// What two states must have in common to merge, and which chunks are done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::run) struct Header {
    pub version: String,
    pub ids: Vec<String>,
    pub context: Context,
    pub chunk: usize,
    pub shards: usize,
    /// Shard → the first chunk that is not done.
    pub done: BTreeMap<usize, usize>,
    pub records: Vec<InputRecord>,
    pub fingerprint: String,
    pub instruction_sets: BTreeSet<String>,
}

impl Header {
    /// All chunks of the run.
    pub fn chunks(&self) -> usize {
        self.context.n_samples.div_ceil(self.chunk)
    }

    /// The chunks of one shard.
    pub fn chunks_of(&self, shard: usize) -> Range<usize> {
        let edge = |shard: usize| (self.chunks() as u128 * shard as u128 / self.shards as u128) as usize;
        edge(shard)..edge(shard + 1)
    }

    pub(super) fn samples_of(&self, chunks: &Range<usize>) -> Range<usize> {
        let edge = |chunk: usize| (chunk * self.chunk).min(self.context.n_samples);
        edge(chunks.start)..edge(chunks.end)
    }

    pub(super) fn check_inputs(&self, inputs: &Inputs) -> Result<()> {
        let Context { order, code_spread, principal, codes, settings, .. } = self.context.clone();
        let context = Context { principal, order, codes, code_spread, ..inputs.context(&settings)? };
        let same = inputs.fingerprint() == self.fingerprint && context == self.context;
        if same { Ok(()) } else { Err(differs("model or inputs")) }
    }

    pub(super) fn check_same_run(&self, other: &Self) -> Result<()> {
        let (a, b) = (&self.context, &other.context);
        let differences = [
            ("version of Latlas", self.version != other.version),
            ("estimators", self.ids != other.ids),
            ("model or inputs", self.fingerprint != other.fingerprint || self.records != other.records),
            ("settings", a.settings != b.settings || self.chunk != other.chunk),
            ("number of shards", self.shards != other.shards),
            ("model or inputs", a != b),
        ];
        differences.iter().find(|(_, differs)| *differs).map_or(Ok(()), |(what, _)| Err(differs(what)))
    }

    /// Every setting that a value depends on.
    pub(super) fn settings(&self) -> BTreeMap<String, Json> {
        let context = &self.context;
        let settings = &context.settings;
        let prior_term = context.prior_term().name();
        let prior = match &context.prior {
            crate::samples::Prior::Uniform { low, high } => json!({ "name": context.prior.name(), "low": low, "high": high }),
            prior => json!({ "name": prior.name() }),
        };
        let values = json!({
            "samples": context.n_samples, "seed": settings.seed, "chunk": self.chunk, "max_bad": settings.max_bad,
            "dtype": settings.dtype, "level": settings.level, "sampling": context.sampling, "prior": prior,
            "latent_dim": context.latent_dim, "ambient_dim": context.ambient_dim, "estimators": self.ids,
            "jacobian": context.method()["jacobian"], "sketch": settings.sketch, "inversion_gate": settings.inversion_gate, "prior_term": prior_term,
            "instruction_set": self.instruction_sets,
            "sets": settings.sets, "partition": settings.partition, "noise_scale": settings.noise_scale,
            "other_sets": settings.other_sets, "noises": settings.noises, "spread_cut": settings.spread_cut, "order": if context.order.latents.is_empty() { None } else { Some(&context.order.source) },
        });
        let mut values: BTreeMap<String, Json> = match values {
            Json::Object(map) => map.into_iter().collect(),
            _ => BTreeMap::new(),
        };
        if let Some(codes) = &context.codes {
            values.insert("preset".into(), json!(codes.options.preset));
            values.insert("builder".into(), json!(codes.options.builder));
        }
        values
    }
}

pub(super) fn differs(what: &str) -> Error {
    Error::State {
        what: format!("the states belong to different runs: the {what} differ"),
        hint: Some("run all shards with the same command but for --shard and --state".into()),
    }
}

/// On one of these, equal runs give equal bits.
pub(super) fn instruction_set() -> String {
    // Kernels run on the one, the factorisations of matrices always on the other.
    let (kernels, machine) = (latlas_graph::execute::Isa::current(), latlas_graph::execute::Isa::best());
    let level = if kernels == machine { machine.name().to_string() } else { format!("{}/{}", kernels.name(), machine.name()) };
    format!("{}-{level}", std::env::consts::ARCH)
}
