//! The result of a run, as data, as JSON, as plots and as a page.

pub mod atlas;
mod codes;
pub(crate) mod colour;
pub(crate) mod extra;
mod headline;
pub mod html;
pub mod image;
pub mod json;
mod laws;
pub mod maps;
pub(crate) mod number;
mod overlap;
pub mod plot;
#[allow(clippy::module_inception)] // The type that the folder is about.
mod report;
pub mod schema;
pub mod table;
pub(crate) mod text;

pub use atlas::{Atlas, PageOptions};
pub use report::{InputRecord, Report};
