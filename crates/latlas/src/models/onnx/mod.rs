//! ONNX files as decoders and encoders.

pub(crate) mod compiled;
mod decoder;
mod encoder;
mod file;
mod heads;
mod native;
mod network;
mod units;

pub use decoder::OnnxDecoder;
pub use encoder::OnnxEncoder;
pub use file::ModelFile;
pub use heads::Heads;
pub use native::{Ask, Native};

use crate::settings::Dtype;

/// How to read a model file: what its inputs and outputs are. What is not named is guessed from names and shapes.
#[derive(Debug, Clone)]
pub struct Options {
    /// Cut the model here: these tensors become its inputs.
    pub from_tensors: Vec<String>,
    /// Cut the model here: these tensors become its outputs.
    pub to_tensors: Vec<String>,
    /// The input that takes latents (or data, for an encoder).
    pub latent: Option<String>,
    /// The input that takes the condition.
    pub condition: Option<String>,
    /// The output that is x, or the mean of p(x|z) (of q(z|x), for an encoder).
    pub mean: Option<String>,
    /// The output that is the log variance.
    pub logvar: Option<String>,
    /// The output that is the standard deviation.
    pub std: Option<String>,
    /// The output that is the logits of a Bernoulli or categorical p(x|z).
    pub logits: Option<String>,
    /// The output that is log |det ∂x/∂z|.
    pub log_det: Option<String>,
    /// Type in which the model runs.
    pub dtype: Dtype,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            from_tensors: Vec::new(),
            to_tensors: Vec::new(),
            latent: None,
            condition: None,
            mean: None,
            logvar: None,
            std: None,
            logits: None,
            log_det: None,
            dtype: Dtype::F32,
        }
    }
}

impl Options {
    /// All as guessed, in this type.
    pub fn with_dtype(dtype: Dtype) -> Self {
        Self { dtype, ..Self::default() }
    }
}
