//! The pull-back of flat space through an embedding F: M = JᵀJ, and c̈ = −J⁺ H[ċ, ċ].

use std::sync::{Arc, OnceLock};

use ndarray::{Array3, ArrayView2, ArrayView3};

use super::manifold::{Manifold, Motion};
use crate::error::{Error, Result};
use crate::models::{Decoder, Smoothness};

/// Latents with the metric JᵀJ of an embedding.
pub struct PullbackManifold {
    name: String,
    embedding: Arc<dyn Decoder>,
    smoothness: OnceLock<Smoothness>,
    draft: OnceLock<Option<Arc<dyn Decoder>>>,
}

impl PullbackManifold {
    /// Of a map without a condition, which `name` stands for beside every number.
    ///
    /// # Errors
    /// A decoder with a condition, which must be fixed first.
    pub fn new(name: impl Into<String>, embedding: Arc<dyn Decoder>) -> Result<Self> {
        if let Some(width) = embedding.condition_dim() {
            return Err(Error::Input {
                what: format!("the geometry of a decoder with a condition ({width} values) belongs to one condition"),
                hint: Some("give one row with --condition".into()),
            });
        }
        Ok(Self { name: name.into(), embedding, smoothness: OnceLock::new(), draft: OnceLock::new() })
    }
}

impl Manifold for PullbackManifold {
    fn name(&self) -> &str {
        &self.name
    }

    fn dim(&self) -> usize {
        self.embedding.latent_dim()
    }

    fn frame_dim(&self) -> usize {
        self.embedding.ambient_dim()
    }

    fn smoothness(&self) -> Smoothness {
        // A graph whose second derivatives cannot be written has none that could be relied on.
        *self.smoothness.get_or_init(|| self.embedding.smoothness().unwrap_or(Smoothness::PiecewiseLinear))
    }

    fn embedding(&self) -> Option<&dyn Decoder> {
        Some(&*self.embedding)
    }

    fn draft(&self) -> Option<&dyn Decoder> {
        self.draft.get_or_init(|| self.embedding.in_single_precision()).as_deref()
    }

    fn frames(&self, z: ArrayView2<'_, f64>) -> Result<Array3<f64>> {
        self.embedding.linearize(z, None)?.columns()
    }

    fn push(&self, z: ArrayView2<'_, f64>, v: ArrayView3<'_, f64>) -> Result<Array3<f64>> {
        self.embedding.linearize(z, None)?.jvp(v)
    }

    fn motion(&self, z: ArrayView2<'_, f64>, v: ArrayView2<'_, f64>) -> Result<Motion> {
        let (frames, turning) = self.embedding.linearize(z, None)?.columns_and_second(v)?;
        Ok(Motion { frames, turning, torsion: None })
    }
}
