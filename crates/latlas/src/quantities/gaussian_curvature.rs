//! How curved the surface of decoded points is, for two latents.
//!
//! ```text
//! K = (⟨n₁₁, n₂₂⟩ − |n₁₂|²)/det M,   nⱼₖ the part of ∂ⱼ∂ₖF normal to the surface
//! ```
//!
//! The curvature that the metric itself knows of: 0 for anything that a sheet of paper can be bent to, 1/R² on a sphere, negative on a saddle.
//! Where K > 0 geodesics that leave a point meet again, and the shortest way between far points need not be unique.
//!
//! - Shape: one value a sample. Unit: inverse squared unit of the embedding. Range: any sign.
//! - Invariances: any smooth change of the latents; orthogonal maps of the data.
//! - Cost: a Jacobian and three second directional derivatives, about 12 decodes. Needs two latents and an embedding (no form).
//! - A decoder of linear pieces has K = 0 wherever it exists; its curvature sits in the kinks, which this does not see.
//!
//! References: Gauss, Disquisitiones generales circa superficies curvas (1827). Shao, Kumar and Fletcher, The Riemannian Geometry of Deep
//! Generative Models (2018).

use ndarray::Array2;

use super::{Quantity, Rows};
use crate::card::{Better, Card, Need};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::geometry::gaussian_curvature;
use crate::probe::{Fault, Probe};

/// K.
pub struct GaussianCurvature;

impl Quantity for GaussianCurvature {
    const CARD: Card = Card {
        id: "gaussian-curvature",
        group: "geometry",
        title: "Gaussian curvature",
        unit: "1/out^2",
        range: "any sign",
        better: Better::Neither,
        needs: &[Need::Manifold],
        invariances: &["any smooth change of the latents", "orthogonal maps of the data"],
        references: &["Shao, Kumar, Fletcher: The Riemannian Geometry of Deep Generative Models (2018)"],
        source: include_str!("gaussian_curvature.rs"),
    };

    fn check(context: &Context) -> Result<()> {
        context.require(&Self::CARD)?;
        match context.latent_dim {
            2 if context.has_second_derivatives => Ok(()),
            2 => Err(Error::Input {
                what: format!("{} needs second derivatives of an embedding, and there are none", Self::CARD.id),
                hint: Some("give an ONNX file, and an embedding other than gaussian-fisher".into()),
            }),
            d => Err(Error::Input { what: format!("{} needs two latents, the decoder has {d}", Self::CARD.id), hint: None }),
        }
    }

    fn columns(_: &Context) -> Vec<String> {
        vec!["gaussian-curvature".into()]
    }

    fn evaluate(probe: &Probe<'_>) -> Result<Rows> {
        let (manifold, latents) = probe.manifold()?;
        let values = gaussian_curvature(manifold, latents)?;
        let fault = |k: &f64| (!k.is_finite()).then_some(Fault::NonFinite);
        Ok(Rows { faults: values.iter().map(fault).collect(), values: Array2::from_shape_fn((values.len(), 1), |(s, _)| values[s]) })
    }
}
