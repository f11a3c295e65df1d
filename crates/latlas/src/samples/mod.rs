//! Where latents come from.

pub mod prior;

pub use prior::Prior;
