//! An atlas of your generative model's latent space.
//!
//! The folders are a pipeline, in order: a model ([`models`]), data and latents for it ([`data`], [`samples`]), a batch and
//! all that is known of it ([`probe`]), pure functions of a sample ([`quantities`]), running sums that merge
//! ([`accumulators`]), estimators with their uncertainty ([`estimators`]), the run that drives them ([`run`](mod@run)), and what
//! people look at ([`report`]).
//!
//! ```
//! use std::sync::Arc;
//! use latlas::models::{OnnxDecoder, onnx::Options};
//! use latlas::run::{Inputs, Settings, run};
//!
//! let file = latlas::data::builtin_model("digits-vae").ok_or("not built in")?;
//! let decoder = OnnxDecoder::from_bytes("digits-vae", file, &Options::default())?;
//! let inputs = Inputs { decoder: Some(Arc::new(decoder)), ..Inputs::default() };
//! let report = run(&["entropy".into()], &inputs, &Settings::default(), &|_done, _all| ())?;
//! let overlap = report.estimate("total-correlation").ok_or("not estimated")?;
//! assert_eq!(overlap.n_used, 1000);
//! println!("{:?} ± {:?} {}", overlap.value, overlap.standard_error, overlap.unit);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

pub mod accumulators;
pub mod assignment;
pub mod card;
pub mod caveat;
pub mod codes;
pub mod context;
pub mod cross;
pub mod data;
pub mod error;
pub mod estimate;
pub mod estimators;
pub mod geometry;
pub mod index_sets;
pub mod invariants;
pub mod learners;
pub mod linalg;
pub mod models;
pub mod probe;
pub mod quantities;
pub mod random;
pub mod report;
pub mod reproduce;
pub mod run;
pub mod samples;
pub mod settings;
pub mod sketch;
pub mod special_functions;
pub mod training;

pub use error::{Error, Result};
