//! An atlas of your generative model's latent space.

#![forbid(unsafe_code)]

pub mod accumulators;
pub mod card;
pub mod caveat;
pub mod context;
pub mod data;
pub mod error;
pub mod estimate;
pub mod estimators;
pub mod invariants;
pub mod linalg;
pub mod models;
pub mod probe;
pub mod quantities;
pub mod random;
pub mod report;
pub mod run;
pub mod samples;
pub mod settings;
pub mod special_functions;

pub use error::{Error, Result};
