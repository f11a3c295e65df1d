//! Quantities: pure functions of one sample. Any of them gets mean, standard error, quantiles, a histogram and a column
//! of a table for nothing. One file and one table line each.

mod column_norms;
mod log_volume;
mod spectrum;

use ndarray::Array2;

pub use column_norms::ColumnNorms;
pub use log_volume::LogVolume;
pub use spectrum::Spectrum;

use crate::card::Card;
use crate::context::Context;
use crate::error::Result;
use crate::probe::{Fault, Probe};

/// A pure function of one sample with named columns.
pub trait Quantity: Send + Sync + 'static {
    /// What it is.
    const CARD: Card;

    /// Whether it exists for this model.
    fn check(context: &Context) -> Result<()> {
        context.require(&Self::CARD)
    }

    /// The names of its columns; one column makes a scalar.
    fn columns(context: &Context) -> Vec<String>;

    /// One row a sample.
    fn evaluate(probe: &Probe<'_>) -> Result<Rows>;
}

/// The values of a quantity for a batch.
#[derive(Debug, Clone)]
pub struct Rows {
    /// `[n, columns]`; NaN is missing.
    pub values: Array2<f64>,
    /// Why a sample has no values.
    pub faults: Vec<Option<Fault>>,
}

/// A line of the table.
#[derive(Clone, Copy)]
pub struct Entry {
    /// What it is.
    pub card: Card,
    /// [`Quantity::columns`].
    pub columns: fn(&Context) -> Vec<String>,
    /// [`Quantity::evaluate`].
    pub evaluate: fn(&Probe<'_>) -> Result<Rows>,
}

const fn entry<Q: Quantity>() -> Entry {
    Entry { card: Q::CARD, columns: Q::columns, evaluate: Q::evaluate }
}

/// All quantities.
pub const TABLE: &[Entry] = &[entry::<ColumnNorms>(), entry::<LogVolume>(), entry::<Spectrum>()];
