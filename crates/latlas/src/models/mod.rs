//! Models: what maps latents to data and back.

pub mod arrays;
pub mod closed_form;
pub mod decoder;
pub mod encoder;
pub mod inverse;
pub mod onnx;
pub mod section;
pub mod zoo;

pub use arrays::Jacobians;
pub use decoder::{Cost, Decoder, Linearization, Smoothness};
pub use encoder::{Encoder, Posterior};
pub use inverse::Inverse;
pub use onnx::{OnnxDecoder, OnnxEncoder};
