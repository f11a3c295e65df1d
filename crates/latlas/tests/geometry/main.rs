//! The geometry of latent spaces against closed forms.

#![allow(clippy::unwrap_used, clippy::type_complexity)]

mod embeddings;
mod exponential;
mod files;
mod geodesics;
mod graph;
mod lengths;
mod maps;
mod metrics;
mod sections;
mod spaces;
mod transport;
