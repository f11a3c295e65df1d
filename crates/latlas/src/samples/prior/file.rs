//! Priors as people write them: by name, or as a file.

use std::path::Path;

use serde::Deserialize;
use serde_json::json;

use super::Prior;
use crate::data::finite_rows;
use crate::error::{Error, Result};

impl Prior {
    /// Reads `normal`, `uniform`, `uniform:LO,HI`, a `.json` file that describes a prior, or a file of latents
    /// `[m, d]` to draw from.
    ///
    /// The file is an object with the keys `mean`, `std` (diagonal), `weights`, `means`, `stds` (mixture; weights equal
    /// and standard deviations 1 when not given), or `low`, `high` (uniform).
    pub fn parse(text: &str) -> Result<Self> {
        let (kind, parameters) = text.split_once(':').unwrap_or((text, ""));
        match kind {
            "normal" if parameters.is_empty() => return Ok(Self::Normal),
            "uniform" if parameters.is_empty() => return Ok(Self::Uniform { low: 0.0, high: 1.0 }),
            "uniform" => {
                let ends: Vec<f64> = parameters.split(',').filter_map(|p| p.trim().parse().ok()).collect();
                return match ends[..] {
                    [low, high] => Self::Uniform { low, high }.checked("--prior"),
                    _ => Err(Error::Input {
                        what: format!("prior {text:?} has no two ends"),
                        hint: Some("write uniform:LOW,HIGH, such as uniform:-1,1".into()),
                    }),
                };
            }
            _ => {}
        }
        let path = Path::new(text);
        match path.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase).as_deref() {
            Some("json") => {}
            None => {
                return Err(Error::Input {
                    what: format!("{text:?} is not a prior"),
                    hint: Some("normal, uniform:LOW,HIGH, a .json file (diagonal or mixture), or a file of latents to draw from".into()),
                });
            }
            Some(_) => return Self::empirical(&finite_rows(&crate::data::read(text)?, "prior", None)?),
        }
        let bytes = std::fs::read(path).map_err(|source| Error::Io { action: "read", path: path.into(), source })?;
        Self::from_json(&bytes, text)
    }

    /// The prior that a JSON object describes; `name` is the file's name in errors.
    pub fn from_json(bytes: &[u8], name: &str) -> Result<Self> {
        let format = |what: String| Error::Format {
            path: name.into(),
            what,
            hint: Some(r#"such as {"mean": [0, 0], "std": [1, 0.5]} or {"weights": [0.5, 0.5], "means": [[-1, 0], [1, 0]]}"#.into()),
        };
        let file: PriorFile = serde_json::from_slice(bytes).map_err(|e| format(format!("not a prior: {e}")))?;
        let prior = match file {
            PriorFile { low: Some(low), high: Some(high), .. } => Self::Uniform { low, high },
            PriorFile { means: Some(means), weights, stds, std, .. } => {
                let weights = weights.unwrap_or_else(|| vec![1.0 / means.len() as f64; means.len()]);
                let total: f64 = weights.iter().sum();
                let weights = weights.iter().map(|w| w / total).collect();
                let one = || std.clone().unwrap_or_else(|| vec![1.0; means.first().map_or(0, Vec::len)]);
                let stds = stds.unwrap_or_else(|| vec![one(); means.len()]);
                Self::Mixture { weights, means, stds }
            }
            PriorFile { mean: Some(mean), std, .. } => {
                let std = std.unwrap_or_else(|| vec![1.0; mean.len()]);
                Self::Diagonal { mean, std }
            }
            PriorFile { std: Some(std), .. } => Self::Diagonal { mean: vec![0.0; std.len()], std },
            _ => return Err(format("neither mean, std, means nor low, high in it".into())),
        };
        prior.checked(name)
    }
}

impl Prior {
    /// The JSON object that [`Prior::from_json`] reads; `None` for N(0, I), which has a name, and for rows, which have a file.
    pub fn to_json(&self) -> Option<String> {
        let object = match self {
            Self::Normal | Self::Empirical { .. } => return None,
            Self::Uniform { low, high } => json!({ "low": low, "high": high }),
            Self::Diagonal { mean, std } => json!({ "mean": mean, "std": std }),
            Self::Mixture { weights, means, stds } => json!({ "weights": weights, "means": means, "stds": stds }),
        };
        Some(format!("{object:#}\n"))
    }
}

/// The file of [`Prior::parse`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PriorFile {
    #[serde(rename = "type")]
    _kind: Option<String>,
    low: Option<f64>,
    high: Option<f64>,
    mean: Option<Vec<f64>>,
    std: Option<Vec<f64>>,
    weights: Option<Vec<f64>>,
    means: Option<Vec<Vec<f64>>>,
    stds: Option<Vec<Vec<f64>>>,
}
