//! Which geometry the outputs of a decoder are given: the options, and the latent space that they make.

use std::collections::BTreeMap;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use latlas::data;
use latlas::error::Error;
use latlas::geometry::{Embedding, Manifold, PullbackManifold, Reason, Status};
use latlas::run::Dtype;

use crate::args::{ModelOptions, Precision, Talk, Threads};
use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::models;
use crate::shelf::Shelf;

/// What lengths are measured in.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Geometry")]
pub struct GeometryOptions {
    /// What lengths are measured in: auto is gaussian (mean and standard deviation) where the decoder has a spread, otherwise mean; bernoulli,
    /// categorical, poisson and gaussian-fisher are Fisher–Rao metrics of its outputs; ensemble and feature take further models
    #[arg(long, value_enum, default_value_t = Space::Auto, value_name = "NAME", conflicts_with = "output")]
    pub embedding: Space,
    /// Further decoders over the same latents, for --embedding ensemble
    #[arg(long, value_name = "A.onnx,B.onnx", value_delimiter = ',')]
    pub ensemble: Vec<String>,
    /// A model that takes what the decoder gives, for --embedding feature
    #[arg(long, value_name = "FEATURE.onnx")]
    pub feature: Option<String>,
}

/// The embeddings by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs)]
pub enum Space {
    Auto,
    Mean,
    Gaussian,
    GaussianFisher,
    Bernoulli,
    Categorical,
    Poisson,
    Ensemble,
    Feature,
}

impl GeometryOptions {
    /// By the name of the embedding.
    ///
    /// # Errors
    /// A name that does not exist.
    pub fn new(embedding: &str, ensemble: Vec<String>, feature: Option<String>) -> Outcome<Self> {
        let embedding = Space::from_str(embedding, true).map_err(|_| {
            let names = Space::value_variants().iter().filter_map(|space| Some(space.to_possible_value()?.get_name().to_string()));
            let names: Vec<String> = names.collect();
            let hint = crate::suggest::hint(embedding, names.iter().map(String::as_str), &format!("there is {}", names.join(", ")));
            Failure::usage(format!("no embedding `{embedding}`"), hint)
        })?;
        Ok(Self { embedding, ensemble, feature })
    }

    /// Refuses an embedding that a formula does not have.
    ///
    /// # Errors
    /// One that needs more than a mean.
    pub fn only_mean(&self, name: &str) -> Outcome {
        if matches!(self.embedding, Space::Auto | Space::Mean) {
            return Ok(());
        }
        Err(Failure::usage(format!("{name} has a mean alone"), "take --embedding mean"))
    }

    /// As the library takes it; further models are read.
    pub fn embedding(&self, dtype: Dtype, shelf: &Shelf) -> Outcome<Embedding> {
        let unused = |given: bool, option: &str, space: Space| {
            if !given || self.embedding == space {
                return Ok(());
            }
            let what = format!("--{option} has an effect with --embedding {option} only");
            Err(Failure::usage(what, "name that embedding, or leave it out"))
        };
        unused(!self.ensemble.is_empty(), "ensemble", Space::Ensemble)?;
        unused(self.feature.is_some(), "feature", Space::Feature)?;
        Ok(match self.embedding {
            Space::Auto => Embedding::Auto,
            Space::Mean => Embedding::Mean,
            Space::Gaussian => Embedding::Gaussian,
            Space::GaussianFisher => Embedding::GaussianFisher,
            Space::Bernoulli => Embedding::Bernoulli,
            Space::Categorical => Embedding::Categorical,
            Space::Poisson => Embedding::Poisson,
            Space::Ensemble => {
                if self.ensemble.is_empty() {
                    return Err(Failure::usage("an ensemble needs further decoders", "name them with --ensemble A.onnx,B.onnx"));
                }
                let member = |spec: &String| {
                    let decoder = models::onnx_decoder(spec, &ModelOptions::default(), dtype, shelf)?;
                    Ok((Arc::new(decoder.graph().clone()), decoder.heads().clone()))
                };
                Embedding::Ensemble(self.ensemble.iter().map(member).collect::<Outcome<_>>()?)
            }
            Space::Feature => {
                let Some(spec) = &self.feature else {
                    return Err(Failure::usage(
                        "features need a model that takes what the decoder gives",
                        "name it with --feature FEATURE.onnx",
                    ));
                };
                let model = models::encoder(spec, dtype, shelf)?;
                let heads = model.heads();
                Embedding::Feature(Arc::clone(model.graph()), heads.latent, heads.mean)
            }
        })
    }
}

/// Says what became of searches: how many converged, and why the others did not.
pub fn tell(console: Console, embedding: &str, statuses: impl Iterator<Item = Status>) {
    let mut counts = BTreeMap::new();
    let mut all = 0;
    for status in statuses {
        all += 1;
        let reason = status.reason().map_or(String::new(), |reason| format!(" ({})", reason.name()));
        *counts.entry(format!("{}{reason}", status.name())).or_insert(0) += 1;
    }
    let counts: Vec<String> = counts.into_iter().map(|(what, n)| format!("{n} {what}")).collect();
    console.note(&format!("{all} under the embedding {embedding}: {}", counts.join(", ")));
}

/// Statuses and reasons as arrays of words.
pub fn words(statuses: impl Iterator<Item = Status>) -> [(&'static str, Vec<&'static str>); 2] {
    let (names, reasons) = statuses.map(|status| (status.name(), status.reason().map_or("none", Reason::name))).unzip();
    [("status", names), ("reason", reasons)]
}

/// What every verb of a latent space takes, beside its own arrays.
#[derive(Debug, Args)]
pub struct SpaceOptions {
    /// Type in which the decoder runs
    #[arg(long, value_enum, default_value_t = Precision::F64)]
    dtype: Precision,
    #[command(flatten)]
    geometry: GeometryOptions,
    #[command(flatten)]
    threads: Threads,
    #[command(flatten)]
    model: ModelOptions,
    #[command(flatten)]
    talk: Talk,
}

impl SpaceOptions {
    /// Where the verb speaks.
    pub fn console(&self) -> Console {
        Console::new(&self.talk)
    }

    /// Opens the latent space of a model, and tells what was guessed of it.
    pub fn open(&self, decoder: &str, condition: Option<&str>) -> Outcome<Arc<dyn Manifold>> {
        self.threads.start()?;
        let space = manifold(decoder, &self.model, &self.geometry, condition, self.dtype.into())?;
        self.console().notes(&space.notes);
        Ok(space.manifold)
    }
}

/// A latent space with its metric.
pub struct LatentSpace {
    /// The metric.
    pub manifold: Arc<dyn Manifold>,
    /// What was guessed of the model.
    pub notes: Vec<String>,
}

/// The latent space of a model that was named on the command line, in double precision.
pub fn manifold(
    spec: &str,
    model: &ModelOptions,
    geometry: &GeometryOptions,
    condition: Option<&str>,
    dtype: Dtype,
) -> Outcome<LatentSpace> {
    if let Some(form) = models::closed_form(spec, model)? {
        geometry.only_mean(spec)?;
        return Ok(LatentSpace { manifold: Arc::new(PullbackManifold::new("mean", Arc::new(form.into_written()?))?), notes: Vec::new() });
    }
    let shelf = &Shelf::default();
    let mut decoder = models::onnx_decoder(spec, model, dtype, shelf)?;
    let notes = models::notes_of(&decoder);
    if let Some(spec) = condition {
        let rows = data::finite_rows(&data::read(spec)?, "the decoder takes a condition", None)?;
        if rows.nrows() != 1 {
            let what = format!("a geometry belongs to one condition, {spec} holds {}", rows.nrows());
            return Err(Error::Shape { what, hint: Some("give one row".into()) }.into());
        }
        decoder = Arc::new(decoder.at_condition(&rows.row(0).to_vec())?);
    }
    if let Some(name) = &model.output {
        return Ok(LatentSpace { manifold: Arc::new(PullbackManifold::new(name.as_str(), Arc::new(decoder.with_output(name)?))?), notes });
    }
    Ok(LatentSpace { manifold: geometry.embedding(dtype, shelf)?.manifold(&decoder)?, notes })
}
