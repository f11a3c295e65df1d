//! What all samples of a run share: settings, sizes, the prior, and what was given.

use serde::{Deserialize, Serialize};

use crate::card::{Card, Need};
use crate::error::{Error, Result};
use crate::samples::Prior;
use crate::settings::{Sampling, Settings};

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
    /// How entropies get their prior term.
    pub fn prior_term(&self) -> PriorTerm {
        let closed_form = (0..self.latent_dim).all(|i| self.prior.marginal_entropy(i).is_some());
        match self.prior {
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
                Need::Encoder => (self.has_encoder, "an encoder", "give one with --encoder"),
                Need::Data => (self.has_data, "data", "give some with --data"),
                Need::Labels => (self.has_labels, "labels", "give some with --labels"),
                Need::Codes => (false, "codes", "give some with --codes"),
                Need::Factors => (false, "factors", "give some with --factors"),
            };
            if !there {
                return Err(Error::Input { what: format!("{} needs {what}", card.id), hint: Some(hint.into()) });
            }
        }
        Ok(())
    }

    /// Volumes of the image exist only for d ≤ D.
    pub fn require_volume(&self, card: &Card) -> Result<()> {
        let (d, big_d) = (self.latent_dim, self.ambient_dim);
        if d <= big_d {
            return Ok(());
        }
        Err(Error::Shape {
            what: format!("{} needs d ≤ D: the decoder maps {d} latents to {big_d} values, so their volume is zero everywhere", card.id),
            hint: Some("manifold-entropy (per latent) stays valid; is this file an encoder?".into()),
        })
    }

    /// The rounding floor: a column whose sine to the span of the columns before it is below this counts as parallel.
    pub fn parallel_floor(&self) -> f64 {
        4.0 * self.settings.dtype.jacobian_error()
    }
}
