//! The command line: groups of options that the verbs share. A verb takes only the groups that have an effect on it.

use std::num::NonZeroUsize;

use clap::{Args, Command, ValueEnum};
use latlas::run::{ClassWeights, Dtype, Sampling, Settings};
use latlas::settings::{Builder, Preset};

use crate::commands::VERBS;
use crate::failure::{Failure, Outcome};
use crate::gate::Gate;

/// The whole command.
pub fn command() -> Command {
    Command::new("latlas")
        .version(env!("CARGO_PKG_VERSION"))
        .about("An atlas of your generative model's latent space")
        .after_help(
            "Exit codes: 0 done · 1 the run failed · 2 bad usage or input · 3 unsupported model · 4 a gate does not hold.\n\
             Start with `latlas report` (the built-in digits model) or `latlas inspect MODEL.onnx`.",
        )
        .subcommand_required(true)
        .arg_required_else_help(true)
        .disable_help_subcommand(true)
        .subcommands(VERBS.iter().map(|verb| (verb.command)(verb.name)))
}

/// How to speak.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub struct Talk {
    /// Say nothing but data and errors
    #[arg(long, short)]
    pub quiet: bool,
    /// Colours in tables
    #[arg(long, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub color: Color,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs)]
pub enum Color {
    Auto,
    Always,
    Never,
}

/// What to take from a model file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
#[command(next_help_heading = "Model")]
pub struct ModelOptions {
    /// Input that takes the latents, where the file has several
    #[arg(long, value_name = "NAME")]
    pub input: Option<String>,
    /// Input that takes the condition
    #[arg(long, value_name = "NAME")]
    pub condition_input: Option<String>,
    /// Output to look at, as the file computes it
    #[arg(long, value_name = "NAME")]
    pub output: Option<String>,
    /// Output with the mean of p(x|z); guessed from names and shapes otherwise
    #[arg(long, value_name = "NAME", conflicts_with = "output")]
    pub mean: Option<String>,
    /// Output with its log variance
    #[arg(long, value_name = "NAME")]
    pub logvar: Option<String>,
    /// Output with its standard deviation
    #[arg(long, value_name = "NAME", conflicts_with = "logvar")]
    pub std: Option<String>,
    /// Output with the logits of p(x|z)
    #[arg(long, value_name = "NAME")]
    pub logits: Option<String>,
    /// Output with log |det df/dz| (flows)
    #[arg(long, value_name = "NAME")]
    pub log_det: Option<String>,
    /// Start at this tensor instead of at the inputs (repeatable)
    #[arg(long, value_name = "TENSOR")]
    pub from_tensor: Vec<String>,
    /// End at this tensor instead of at the outputs (repeatable)
    #[arg(long, value_name = "TENSOR")]
    pub to_tensor: Vec<String>,
}

/// Where the samples come from.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Samples")]
pub struct SampleOptions {
    /// Latents, one a row: FILE.npy, FILE.npz:KEY, FILE.safetensors:KEY, FILE.csv, IDX(.gz) or builtin:NAME
    #[arg(long, value_name = "FILE")]
    pub latents: Option<String>,
    /// Latents to draw from the prior
    #[arg(long, value_name = "N", conflicts_with = "latents")]
    pub samples: Option<usize>,
    /// normal, uniform, uniform:LO,HI, a .json or .npz file (diagonal, mixture) or a file of latents to draw from
    #[arg(long, value_name = "PRIOR")]
    pub prior: Option<String>,
    /// Where latents come from: drawn from the prior, or the data through the encoder
    #[arg(long, value_enum, default_value_t = LatentSource::Prior, value_name = "SOURCE", conflicts_with = "latents")]
    pub sampling: LatentSource,
    /// Data, one sample a row, in the units of the decoder
    #[arg(long, value_name = "FILE")]
    pub data: Option<String>,
    /// ONNX file of the encoder, data → latents
    #[arg(long, value_name = "FILE")]
    pub encoder: Option<String>,
    /// Class labels of the data
    #[arg(long, value_name = "FILE", requires = "data")]
    pub labels: Option<String>,
    /// The decoder's second input: one row a sample, or one row for all
    #[arg(long, value_name = "FILE")]
    pub condition: Option<String>,
    /// A further model at the same data, for the estimators that compare models (repeatable)
    #[arg(long, value_name = "MODEL.onnx")]
    pub other: Vec<String>,
    /// Its encoder, where there is one; a model without is inverted (repeatable, in the order of the models)
    #[arg(long, value_name = "FILE")]
    pub other_encoder: Vec<String>,
    /// Standard deviations of the noise that the models were trained with, the first model's first: how many directions of
    /// the data stay, and how many grow with the noise
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub noise: Vec<f64>,
    /// Jacobians [n, D, d] instead of a model; a .npz file with `jac` may also hold z, x, log_det, condition and prior_std;
    /// - for chunks on standard input, each as `np.save` writes it
    #[arg(long, value_name = "FILE")]
    pub jacobians: Option<String>,
    /// In which order the axes of each of these Jacobians are
    #[arg(long, value_enum, default_value_t = Axes::DataLatent, value_name = "ORDER", requires = "jacobians")]
    pub axes: Axes,
    /// Turn decoded values into another unit: a factor, or a file with one for each value. --data and encoders are in it too
    #[arg(long, value_name = "SCALE")]
    pub data_scale: Option<String>,
}

/// The axes of a given Jacobian.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Axes {
    /// [D, d]
    #[default]
    DataLatent,
    /// [d, D]
    LatentData,
}

/// Codes of data and the factors that made it.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Codes")]
pub struct CodeOptions {
    /// Codes of data [n, L]; where none are given, --data goes through --encoder
    #[arg(long, value_name = "FILE")]
    pub codes: Option<String>,
    /// Log variances [n, L] of the posterior whose means the codes are
    #[arg(long, value_name = "FILE", requires = "codes")]
    pub codes_logvar: Option<String>,
    /// Codes of every combination of the factors once: [v1, …, vK, L]
    #[arg(long, value_name = "FILE")]
    pub code_table: Option<String>,
    /// Factors of variation [n, K], one row for each row of codes or data; NaN or an empty cell is a missing label
    #[arg(long, value_name = "FILE")]
    pub factors: Option<String>,
    /// What each factor is: categorical, ordinal, continuous or auto, with commas between
    #[arg(long, value_name = "KINDS")]
    pub factor_kinds: Option<String>,
    /// Codes to test with [default: a random 30 % of --codes]
    #[arg(long, value_name = "FILE", requires = "codes")]
    pub test_codes: Option<String>,
    /// Their factors
    #[arg(long, value_name = "FILE", requires = "test_codes")]
    pub test_factors: Option<String>,
    /// Constants and conventions of the scores of codes
    #[arg(long, value_enum, default_value_t = PresetName::Latlas, value_name = "NAME")]
    pub preset: PresetName,
    /// How boosted trees find their splits [default: exact for study-2019, histogram for latlas]
    #[arg(long, value_enum, value_name = "HOW")]
    pub builder: Option<BuilderName>,
}

/// Constants and conventions of the scores of codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
#[allow(missing_docs)]
pub enum PresetName {
    #[default]
    Latlas,
    #[value(name = "study-2019")]
    Study2019,
}

/// How boosted trees find their splits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs)]
pub enum BuilderName {
    Exact,
    Histogram,
}

impl CodeOptions {
    /// Adds to the settings of a run.
    pub fn onto(&self, settings: Settings) -> Settings {
        let preset = match self.preset {
            PresetName::Latlas => Preset::Latlas,
            PresetName::Study2019 => Preset::Study2019,
        };
        let builder = self.builder.map(|builder| match builder {
            BuilderName::Exact => Builder::Exact,
            BuilderName::Histogram => Builder::Histogram,
        });
        Settings { preset, builder, ..settings }
    }
}

/// Where latents come from when none are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs)]
pub enum LatentSource {
    Prior,
    Data,
}

impl From<LatentSource> for Sampling {
    fn from(source: LatentSource) -> Self {
        match source {
            LatentSource::Prior => Self::Prior,
            LatentSource::Data => Self::Data,
        }
    }
}

/// How to compute. Values depend on these and on the inputs, never on the number of threads.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Running")]
pub struct RunOptions {
    /// Type in which the decoder runs; sums and factorisations are always f64
    #[arg(long, value_enum, default_value_t = Precision::F32)]
    pub dtype: Precision,
    /// Samples a chunk; it orders the sums
    #[arg(long, value_name = "N")]
    pub chunk: Option<usize>,
    #[command(flatten)]
    pub threads: Threads,
}

/// How many cores to use.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Running")]
pub struct Threads {
    /// Threads; all cores by default
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
}

impl Threads {
    /// Sets the number of threads for everything that follows.
    pub fn start(&self) -> Outcome {
        let Some(threads) = self.threads else { return Ok(()) };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.get()).build_global();
        pool.map_err(|error| Failure::usage(format!("--threads {threads}: {error}"), "leave it out to use all cores"))
    }
}

/// What only statistics need.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Running")]
pub struct StatisticsOptions {
    /// Key of all random streams
    #[arg(long, default_value_t = 0, value_name = "INT")]
    pub seed: u64,
    /// Estimate from M random probes a sample (reverse mode) instead of the whole Jacobian; unbiased, for many latents
    #[arg(long, value_name = "M")]
    pub sketch: Option<usize>,
    /// The largest relative residual at which a model without an encoder counts as inverted [default: 0.001]
    #[arg(long, value_name = "SHARE")]
    pub inversion_gate: Option<f64>,
    /// per-class measures every class by itself and joins them: rows of --condition, --labels of the data, or components of
    /// a mixture --prior
    #[arg(long, value_enum, default_value_t = Conditioning::Marginal, value_name = "HOW")]
    pub conditioning: Conditioning,
    /// What each class counts: equally, or by its frequency
    #[arg(long, value_enum, default_value_t = Weights::Equal, value_name = "HOW")]
    pub class_weights: Weights,
    /// The largest accepted share of unusable samples [default: 0.05]
    #[arg(long, value_name = "SHARE")]
    pub max_bad: Option<f64>,
    /// Exit with 4 unless this holds: 'total-correlation < 3.2', 'manifold-entropy[0] > 1', 'invariants' (repeatable)
    #[arg(long, value_name = "CONDITION")]
    pub gate: Vec<Gate>,
}

/// Which latents to look at together, and in which order.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Latents")]
pub struct LatentOptions {
    /// A set of latents whose entropy and overlap with other sets is wanted, such as 0-3,7 (repeatable)
    #[arg(long, value_name = "SET")]
    pub sets: Vec<String>,
    /// Sets of the further models, to be compared with those of the first (repeatable) [default: the same sets]
    #[arg(long, value_name = "SET")]
    pub other_sets: Vec<String>,
    /// Blocks that together hold every latent: "0-3|4-6|rest"
    #[arg(long, value_name = "BLOCKS")]
    pub partition: Option<String>,
    /// The order in which cores grow: pilot (by entropy over the first samples), two-pass (over all), native, or latents
    /// such as 2,0,1
    #[arg(long, value_name = "ORDER", default_value = "pilot")]
    pub order: String,
    /// Scale of the data's noise or quantisation: latents that move the data by less are not active
    #[arg(long, value_name = "SCALE")]
    pub tau: Option<f64>,
    /// Standard deviation of a code below which a latent looks unused [default: the widest gap]
    #[arg(long, value_name = "STD")]
    pub std_cut: Option<f64>,
    /// Entropies without the prior's term E[−log p]: E log ‖Jᵢ‖ and E log |J| alone
    #[arg(long)]
    pub drop_h0: bool,
}

/// Whether classes are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs)]
pub enum Conditioning {
    Marginal,
    PerClass,
}

/// How much each class counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs)]
pub enum Weights {
    Equal,
    Frequency,
}

impl From<Weights> for ClassWeights {
    fn from(weights: Weights) -> Self {
        match weights {
            Weights::Equal => Self::Equal,
            Weights::Frequency => Self::Frequency,
        }
    }
}

impl StatisticsOptions {
    /// The settings of a run.
    pub fn settings(&self, running: &RunOptions, samples: &SampleOptions, latents: &LatentOptions) -> Settings {
        let default = Settings::default();
        Settings {
            samples: samples.samples.unwrap_or(default.samples),
            seed: self.seed,
            chunk: running.chunk,
            max_bad: self.max_bad.unwrap_or(default.max_bad),
            dtype: running.dtype.into(),
            sampling: samples.sampling.into(),
            sketch: self.sketch,
            sets: latents.sets.clone(),
            other_sets: latents.other_sets.clone(),
            noises: samples.noise.clone(),
            partition: latents.partition.clone(),
            order: latents.order.as_str().into(),
            noise_scale: latents.tau,
            spread_cut: latents.std_cut,
            drop_h0: latents.drop_h0,
            inversion_gate: self.inversion_gate.unwrap_or(default.inversion_gate),
            ..default
        }
    }
}

/// Number types of the decoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs)]
pub enum Precision {
    F32,
    F64,
}

impl From<Precision> for Dtype {
    fn from(precision: Precision) -> Self {
        match precision {
            Precision::F32 => Self::F32,
            Precision::F64 => Self::F64,
        }
    }
}
