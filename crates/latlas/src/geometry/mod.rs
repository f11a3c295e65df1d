//! The geometry of a latent space: the metric that a decoder induces, and the curves that follow from it.
//!
//! A metric is a frame A(z) with M = AᵀA ([`Manifold`]): that of an embedding F of the decoder's outputs ([`Embedding`],
//! [`PullbackManifold`]), or of a form without one ([`FormManifold`]). Nothing else differs between metrics. All of it runs in
//! double precision.

mod banded;
mod curvature;
mod curve;
pub mod dormand_prince;
pub mod embedding;
mod energy;
pub mod exponential;
mod factor;
mod form;
mod geodesic;
mod graph;
pub mod manifold;
mod pullback;
mod roughness;
mod section;
mod shooting;
mod starts;
mod status;
mod transport;

pub use curvature::gaussian_curvature;
pub use curve::{Curves, Measured};
pub use embedding::{Embedding, embed};
pub use energy::EnergyOptions;
pub use exponential::{ExpOptions, Shot, exp, exp_along};
pub use factor::Factor;
pub use form::FormManifold;
pub use geodesic::{Competing, Confirmation, Geodesic, GeodesicOptions, geodesics};
pub use graph::{LatentGraph, Path, Weights};
pub use manifold::{Acceleration, Manifold, Motion, Steps};
pub use pullback::PullbackManifold;
pub use roughness::{Roughness, roughness};
pub use section::SectionManifold;
pub use status::{Reason, Status};
pub use transport::{Transported, transport};
