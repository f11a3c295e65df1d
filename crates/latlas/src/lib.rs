//! An atlas of your generative model's latent space.

#![forbid(unsafe_code)]

pub mod accumulators;
pub mod caveat;
pub mod error;
pub mod estimate;
pub mod estimators;
pub mod models;
pub mod probe;
pub mod report;
pub mod run;
