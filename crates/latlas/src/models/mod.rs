//! Models: what maps latents to data and back.

pub mod decoder;

pub use decoder::{Cost, Decoder, Linearization};
