//! The result of a run, as data, as JSON, as plots and as a page.

mod report;

pub use report::{InputRecord, Report};
