//! The geometry of a latent space: the metric that a decoder induces, and the curves that follow from it.
//!
//! A metric is a frame A(z) with M = AᵀA ([`Manifold`]): that of an embedding F of the decoder's outputs ([`Embedding`],
//! [`PullbackManifold`]), or of a form without one ([`FormManifold`]). Nothing else differs between metrics. All of it runs in
//! double precision.

mod curvature;
mod curve;
pub mod dormand_prince;
pub mod embedding;
pub mod exponential;
mod factor;
mod form;
pub mod manifold;
mod pullback;
mod roughness;
mod status;
mod transport;

pub use curvature::gaussian_curvature;
pub use curve::{Curves, Measured};
pub use embedding::{Embedding, embed};
pub use exponential::{ExpOptions, Shot, exp, exp_along};
pub use factor::Factor;
pub use form::FormManifold;
pub use manifold::{Acceleration, Manifold, Motion};
pub use pullback::PullbackManifold;
pub use roughness::{Roughness, roughness};
pub use status::{Reason, Status};
pub use transport::{Transported, transport};
