//! What can go wrong in the library.

use std::path::PathBuf;

/// The result type of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a question could not be answered.
///
/// An error says what, where, what was expected and what was found; [`Error::hint`] says what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The model cannot be loaded, transformed or run.
    #[error("{path}: {source}", path = .path.display())]
    Model {
        /// The model file.
        path: PathBuf,
        /// Why.
        source: latlas_graph::Error,
    },
    /// The graph engine refused something that has no file.
    #[error(transparent)]
    Graph(#[from] latlas_graph::Error),
    /// A file cannot be read or written.
    #[error("cannot {action} {path}: {source}", path = .path.display())]
    Io {
        /// `read`, `write`, `create`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A data file is not what its name or its user says.
    #[error("{path}: {what}", path = .path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong: expected and got.
        what: String,
        /// What the user can do.
        hint: Option<String>,
    },
    /// Arrays do not fit each other or the model.
    #[error("{what}")]
    Shape {
        /// In full: "decoder gives 784 values a sample, the data has 3072".
        what: String,
        /// What the user can do.
        hint: Option<String>,
    },
    /// The input is not usable: a name that does not exist, an option out of range, something that is missing.
    #[error("{what}")]
    Input {
        /// What, expected and got.
        what: String,
        /// What the user can do.
        hint: Option<String>,
    },
    /// Too few samples for an estimate with an uncertainty.
    #[error("{estimator} needs at least {needed} usable samples, got {got}")]
    TooFewSamples {
        /// Estimator id.
        estimator: String,
        /// The least number.
        needed: usize,
        /// What was there.
        got: usize,
    },
    /// Too many samples were unusable.
    #[error("{bad} of {seen} samples are unusable ({reasons}), more than the accepted share of {accepted}")]
    TooManyBadSamples {
        /// Unusable samples.
        bad: usize,
        /// Samples seen.
        seen: usize,
        /// Counts by reason.
        reasons: String,
        /// The accepted share, between 0 and 1.
        accepted: f64,
    },
    /// States that cannot be merged or resumed.
    #[error("{what}")]
    State {
        /// What differs or is damaged.
        what: String,
        /// What the user can do.
        hint: Option<String>,
    },
}

impl Error {
    /// What the user can do about it, where there is something to say.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Model { source, .. } | Self::Graph(source) => source.hint(),
            Self::Format { hint, .. } | Self::Shape { hint, .. } | Self::Input { hint, .. } | Self::State { hint, .. } => hint.clone(),
            Self::TooFewSamples { .. } => Some("give more latents, or raise --samples".into()),
            Self::TooManyBadSamples { .. } => Some("look at the reasons; --max-bad accepts a larger share".into()),
            Self::Io { .. } => None,
        }
    }
}
