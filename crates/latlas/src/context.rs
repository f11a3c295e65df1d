//! What all samples of a run share: settings, sizes, the prior, and what was given.

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::card::{Card, Need};
use crate::codes::SharedCodes;
use crate::error::{Error, Result};
use crate::samples::Prior;
use crate::settings::{Sampling, Settings};
use crate::sketch::volume_bias;

/// What all samples of a run share. It is saved with a state, so that a state alone makes a report.
#[allow(clippy::struct_excessive_bools)] // Each is a fact of its own about what was given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Context {
    /// The settings.
    pub settings: Settings,
    /// d.
    pub latent_dim: usize,
    /// D.
    pub ambient_dim: usize,
    /// Samples of the whole run.
    pub n_samples: usize,
    /// Where the latents come from in the end.
    pub sampling: Sampling,
    /// Their declared distribution; rows of an empirical one are not kept here.
    pub prior: Prior,
    /// Whether every sample comes with its latents (given Jacobians may have none).
    pub has_latents: bool,
    /// Whether a decoder is there that can be asked for more than its Jacobians.
    pub has_decoder: bool,
    /// Whether every sample comes with its decoded values (given Jacobians may have none).
    #[serde(default)]
    pub has_values: bool,
    /// Whether an encoder was given.
    pub has_encoder: bool,
    /// Whether data was given.
    pub has_data: bool,
    /// Whether labels were given.
    pub has_labels: bool,
    /// Whether the decoder is conditional.
    pub conditional: bool,
    /// Whether the decoder's derivative jumps somewhere.
    pub has_kinks: bool,
    /// Principal components of the data; found where an estimator of the run needs data.
    pub principal: Option<Principal>,
    /// Latents of each further model that is asked at the same data.
    pub others: Vec<usize>,
    /// The embedding whose metric the latents have, by its name; `None` where there is no such metric.
    #[serde(default)]
    pub manifold: Option<String>,
    /// Whether that embedding can be differentiated twice.
    #[serde(default)]
    pub has_second_derivatives: bool,
    /// Whether the decoder itself gives log |det ∂x/∂z|.
    pub has_log_det: bool,
    /// Sets of latents that were asked for.
    pub sets: Vec<Vec<usize>>,
    /// Sets of latents of each further model, to be compared with those of the first.
    pub other_sets: Vec<Vec<Vec<usize>>>,
    /// Blocks of the partition that was asked for; empty without one.
    pub partition: Vec<Vec<usize>>,
    /// In which cores grow; empty where no estimator of the run needs it.
    pub order: Order,
    /// Codes and factors, where scores of codes were asked for.
    pub codes: Option<SharedCodes>,
    /// Standard deviations of the codes of the data, within the classes where there are labels; empty where they are not
    /// needed or not known.
    pub code_spread: Vec<f64>,
}

/// An order of the latents that is fixed before the run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Order {
    /// `pilot`, `two-pass`, `native` or `given`.
    pub source: String,
    /// All latents, the first of the core first.
    pub latents: Vec<usize>,
}

/// Principal components of the data.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Principal {
    /// Rows that they were found from.
    pub rows: usize,
    /// log σₖ, falling, `[d]`; −∞ where the data has no such direction.
    pub log_deviations: Vec<f64>,
    /// Of these.
    pub standard_errors: Vec<f64>,
    /// Mean squared distance of the rows to the span of the first C components, C = 0 … d.
    pub left_over: Vec<f64>,
}

/// How the prior's part of an entropy, E[−log p], is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PriorTerm {
    /// In closed form.
    Analytic,
    /// As the average of −log p over the samples. Under the data this makes a cross-entropy.
    Sampled,
    /// Not at all, since the density is not known: entropies are reported without it.
    None,
}

impl PriorTerm {
    /// As reports say it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Analytic => "analytic",
            Self::Sampled => "sampled",
            Self::None => "none",
        }
    }
}

impl Context {
    /// The groups of latents that were asked for: the blocks of the partition, then the sets that are none of them.
    pub fn groups(&self) -> Vec<Vec<usize>> {
        let mut groups = self.partition.clone();
        groups.extend(self.sets.iter().filter(|set| !self.partition.contains(set)).cloned());
        groups
    }

    /// How entropies get their prior term.
    pub fn prior_term(&self) -> PriorTerm {
        let closed_form = (0..self.latent_dim).all(|i| self.prior.marginal_entropy(i).is_some());
        match self.prior {
            _ if self.settings.drop_h0 => PriorTerm::None,
            Prior::Empirical { .. } => PriorTerm::None,
            _ if closed_form && self.sampling != Sampling::Data => PriorTerm::Analytic,
            _ if self.has_latents => PriorTerm::Sampled,
            _ => PriorTerm::None,
        }
    }

    /// Whether what an estimator needs was given.
    pub fn require(&self, card: &Card) -> Result<()> {
        for need in card.needs {
            let (there, what, hint) = match need {
                Need::Decoder => (self.latent_dim > 0, "a decoder", "give an ONNX file, or Jacobians with --jacobians"),
                Need::Manifold => (self.manifold.is_some(), "a metric on the latents", "give an ONNX file, and one condition at most"),
                Need::Other => (!self.others.is_empty(), "a second model", "give one with --other"),
                Need::Encoder => (self.has_encoder, "an encoder", "give one with --encoder"),
                Need::Data => (self.has_data, "data", "give some with --data"),
                Need::Labels => (self.has_labels, "labels", "give some with --labels"),
                Need::Codes => (self.codes.is_some(), "codes", "give some with --codes, or data with --data and --encoder"),
                Need::CodesLogvar => {
                    let there = self.codes.as_ref().is_some_and(|codes| codes.posterior.is_some());
                    (there, "log variances of the codes", "give them with --codes-logvar, or an encoder that has them")
                }
                Need::Factors => {
                    let there = self.codes.as_ref().is_some_and(|codes| codes.given.1 > 0);
                    (there, "factors", "give some with --factors, or labels of the data")
                }
            };
            if !there {
                return Err(Error::Input { what: format!("{} needs {what}", card.id), hint: Some(hint.into()) });
            }
        }
        Ok(())
    }

    /// Volumes of the image exist only for d ≤ D, and a sketch knows them from d probes on or from the model itself.
    pub fn require_volume(&self, card: &Card) -> Result<()> {
        let (id, d, big_d) = (card.id, self.latent_dim, self.ambient_dim);
        if d > big_d {
            return Err(Error::Shape {
                what: format!("{id} needs d ≤ D: the decoder maps {d} latents to {big_d} values, so their volume is zero everywhere"),
                hint: Some(if self.has_decoder {
                    "manifold-entropy (per latent) stays valid; is this file an encoder?".into()
                } else {
                    "manifold-entropy (per latent) stays valid; are the axes [n, d, D]? then say --axes latent-data".into()
                }),
            });
        }
        match self.settings.sketch {
            Some(m) if m < d && !self.takes_log_det() => Err(Error::Input {
                what: format!("{id} needs the volume of {d} columns, and a sketch of {m} probes has none"),
                hint: Some(format!("take --sketch {d} or more, leave --sketch out, or name a flow's log-determinant with --log-det")),
            }),
            _ => Ok(()),
        }
    }

    /// What needs the Jacobian itself cannot do with a sketch of it.
    pub fn require_jacobian(&self, card: &Card) -> Result<()> {
        match self.settings.sketch {
            None => Ok(()),
            Some(m) => Err(Error::Input {
                what: format!("{} needs the whole Jacobian, not a sketch of {m} probes", card.id),
                hint: Some("leave --sketch out".into()),
            }),
        }
    }

    /// A sketch must have at least this many probes.
    pub fn require_probes(&self, card: &Card, least: usize) -> Result<()> {
        match self.settings.sketch {
            Some(m) if m < least => Err(Error::Input {
                what: format!("{} needs a sketch of at least {least} probes, not {m}", card.id),
                hint: Some(format!("take --sketch {least} or more, or leave it out")),
            }),
            _ => Ok(()),
        }
    }

    /// The context of the k-th further model.
    #[must_use]
    pub fn of_other(&self, k: usize) -> Self {
        let latent_dim = self.others.get(k).copied().unwrap_or(0);
        Self {
            latent_dim,
            prior: Prior::Normal,
            sampling: Sampling::Given,
            has_latents: true,
            others: Vec::new(),
            other_sets: Vec::new(),
            ..self.clone()
        }
    }

    /// Rows of the matrix whose columns stand for the latents: D of the Jacobian, or m of its sketch.
    pub fn rows(&self) -> usize {
        self.settings.sketch.unwrap_or(self.ambient_dim)
    }

    /// Whether volumes are the model's own log-determinants: in a sketch of a flow that gives them.
    pub fn takes_log_det(&self) -> bool {
        self.settings.sketch.is_some() && self.has_log_det && self.latent_dim == self.ambient_dim
    }

    /// What the log-volume of p columns must be lowered by: c(p, m) of [`crate::sketch`], or 0 without a sketch.
    pub fn volume_bias(&self, p: usize) -> f64 {
        self.settings.sketch.map_or(0.0, |m| volume_bias(p, m))
    }

    /// What the overlap log |J_S| + log |J_T| − log |J_S∪T| of p and q columns must be lowered by.
    pub fn overlap_bias(&self, p: usize, q: usize) -> f64 {
        self.volume_bias(p) + self.volume_bias(q) - self.volume_bias(p + q)
    }

    /// How Jacobians were had, for `extra`.
    pub fn method(&self) -> Json {
        let jacobian = match (self.settings.sketch, self.has_decoder) {
            (Some(_), _) => "vjp-sketch",
            (None, true) => "jvp",
            (None, false) => "given",
        };
        let volume = if self.takes_log_det() { "log-det" } else { "qr" };
        json!({
            "jacobian": jacobian, "sketch_m": self.settings.sketch, "volume": volume,
            "dtype_model": self.settings.dtype.name(), "dtype_sum": "f64",
        })
    }

    /// The rounding floor: a column whose sine to the span of the columns before it is below this counts as parallel.
    pub fn parallel_floor(&self) -> f64 {
        4.0 * self.settings.dtype.jacobian_error()
    }
}
