//! The settings of a run: every value in a report follows from these and the inputs.

use serde::{Deserialize, Serialize};

/// The settings of a run; every value in a report follows from these and the inputs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Samples drawn from the prior when no latents are given.
    pub samples: usize,
    /// Key of all random streams.
    pub seed: u64,
    /// Samples a chunk; follows from the sizes of the model when not set. It orders sums, so it is a setting.
    pub chunk: Option<usize>,
    /// The largest accepted share of unusable samples.
    pub max_bad: f64,
    /// Type in which the decoder runs.
    pub dtype: Dtype,
    /// Level of confidence intervals.
    pub level: f64,
    /// Where latents come from when none are given.
    #[serde(default)]
    pub sampling: Sampling,
    /// Random probes a sample that stand in for its whole Jacobian (see [`crate::sketch`]); all of it when not set.
    #[serde(default)]
    pub sketch: Option<usize>,
    /// Sets of latents whose entropies and overlaps are wanted, as [`crate::index_sets::set`] reads them.
    #[serde(default)]
    pub sets: Vec<String>,
    /// The same for the further models; the sets and the partition of the first model when empty.
    #[serde(default)]
    pub other_sets: Vec<String>,
    /// A partition of all latents, as [`crate::index_sets::partition`] reads it.
    #[serde(default)]
    pub partition: Option<String>,
    /// The order in which cores grow.
    #[serde(default)]
    pub order: OrderSource,
    /// Scale of the noise or quantisation of the data: a latent that moves the data by less per standard deviation of its
    /// own is not active.
    #[serde(default)]
    pub noise_scale: Option<f64>,
    /// Latents whose codes have a smaller standard deviation than this look unused; found from the largest gap when not set.
    #[serde(default)]
    pub spread_cut: Option<f64>,
    /// Report entropies without the prior's term E[−log p].
    #[serde(default)]
    pub drop_h0: bool,
    /// Standard deviations of the noise that the models were trained with, the first model's first.
    #[serde(default)]
    pub noises: Vec<f64>,
    /// The largest relative residual ‖x − g(z)‖/‖x‖ at which a decoder without an encoder counts as inverted.
    pub inversion_gate: f64,
    /// The constants by which scores of codes are computed.
    #[serde(default)]
    pub preset: Preset,
    /// How boosted trees find their splits; follows from the preset when not set.
    #[serde(default)]
    pub builder: Option<Builder>,
}

/// A set of constants and conventions by which scores of codes are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// Codes and factors that do not vary are left out first, information is corrected for bias, trees use histograms.
    #[default]
    Latlas,
    /// Those of Locatello and others (2019): every code counts, plug-in information, exact trees.
    #[serde(rename = "study-2019")]
    Study2019,
}

impl Preset {
    /// As the command line says it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Latlas => "latlas",
            Self::Study2019 => "study-2019",
        }
    }

    /// How its trees find their splits.
    pub fn builder(self) -> Builder {
        match self {
            Self::Latlas => Builder::Histogram,
            Self::Study2019 => Builder::Exact,
        }
    }
}

/// How boosted trees find their splits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Builder {
    /// Between all neighbouring values.
    Exact,
    /// Between 255 quantile bins.
    Histogram,
}

impl Builder {
    /// As reports say it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Histogram => "histogram",
        }
    }
}

/// Where the order of the latents comes from in which nested cores grow.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum OrderSource {
    /// By falling entropy over the first samples of the run.
    #[default]
    Pilot,
    /// By falling entropy over all samples, at the cost of a second pass.
    TwoPass,
    /// Their own.
    Native,
    /// Given, as [`crate::index_sets::order`] reads it.
    Given(String),
}

impl OrderSource {
    /// As reports say it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Pilot => "pilot",
            Self::TwoPass => "two-pass",
            Self::Native => "native",
            Self::Given(_) => "given",
        }
    }
}

impl From<&str> for OrderSource {
    fn from(text: &str) -> Self {
        match text {
            "pilot" => Self::Pilot,
            "two-pass" => Self::TwoPass,
            "native" => Self::Native,
            given => Self::Given(given.into()),
        }
    }
}

/// Type in which the decoder runs; sums, norms and factorisations are always `f64`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Dtype {
    F32,
    F64,
}

impl Dtype {
    /// `f32` or `f64`.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F64 => "f64",
        }
    }

    /// The relative error that a Jacobian computed in this type is trusted to have: below four times this, the sine of
    /// the angle between a column and the columns before it cannot be told from zero.
    pub fn jacobian_error(self) -> f64 {
        match self {
            Self::F32 => 1e-6,
            Self::F64 => 1e-14,
        }
    }
}

/// Where latents come from when none are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sampling {
    /// Drawn from the prior: averages of the model.
    #[default]
    Prior,
    /// The data through the encoder: averages under the data; entropies become cross-entropies.
    Data,
    /// Given, one row a sample.
    Given,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            samples: 1000,
            seed: 0,
            chunk: None,
            max_bad: 0.05,
            dtype: Dtype::F32,
            level: 0.95,
            sampling: Sampling::Prior,
            sketch: None,
            sets: Vec::new(),
            other_sets: Vec::new(),
            partition: None,
            order: OrderSource::Pilot,
            noise_scale: None,
            spread_cut: None,
            drop_h0: false,
            noises: Vec::new(),
            inversion_gate: 1e-3,
            preset: Preset::Latlas,
            builder: None,
        }
    }
}
