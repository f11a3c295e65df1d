//! A flat piece of a latent space with the metric that it inherits.

use ndarray::{Array3, ArrayView2, ArrayView3, Axis};

use super::manifold::{Manifold, Motion};
use crate::error::Result;
use crate::models::section::{AffineSubspace, Section};
use crate::models::{Decoder, Smoothness};

/// The metric BᵀM(o + Bᵀs)B of a flat piece: its frame is A Bᵀ, so the equation of geodesics keeps its form, with torsion B τ.
pub struct SectionManifold<'a> {
    whole: &'a dyn Manifold,
    subspace: &'a AffineSubspace,
    embedding: Option<Section<'a>>,
}

impl<'a> SectionManifold<'a> {
    /// Of a latent space with as many latents as the piece lies among.
    pub fn new(whole: &'a dyn Manifold, subspace: &'a AffineSubspace) -> Self {
        Self { whole, subspace, embedding: whole.embedding().map(|embedding| Section::new(embedding, subspace)) }
    }
}

impl Manifold for SectionManifold<'_> {
    fn name(&self) -> &str {
        self.whole.name()
    }

    fn dim(&self) -> usize {
        self.subspace.dim()
    }

    fn frame_dim(&self) -> usize {
        self.whole.frame_dim()
    }

    fn smoothness(&self) -> Smoothness {
        self.whole.smoothness()
    }

    fn embedding(&self) -> Option<&dyn Decoder> {
        self.embedding.as_ref().map(|section| section as &dyn Decoder)
    }

    fn frames(&self, s: ArrayView2<'_, f64>) -> Result<Array3<f64>> {
        self.whole.push(self.subspace.points(s).view(), self.subspace.bases(s.nrows()).view())
    }

    fn push(&self, s: ArrayView2<'_, f64>, v: ArrayView3<'_, f64>) -> Result<Array3<f64>> {
        self.whole.push(self.subspace.points(s).view(), self.subspace.vectors(v).view())
    }

    fn motion(&self, s: ArrayView2<'_, f64>, v: ArrayView2<'_, f64>) -> Result<Motion> {
        let vectors = self.subspace.vectors(v.insert_axis(Axis(1)));
        let whole = self.whole.motion(self.subspace.points(s).view(), vectors.index_axis(Axis(1), 0))?;
        let torsion = whole.torsion.map(|torsion| torsion.dot(&self.subspace.basis.t()));
        Ok(Motion { frames: self.frames(s)?, turning: whole.turning, torsion })
    }
}
