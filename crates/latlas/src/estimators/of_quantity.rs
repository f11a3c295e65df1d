//! Any quantity as an estimator: mean ± standard error, quantiles, histogram.

use std::marker::PhantomData;

use super::{Card, Columns, Estimator, estimate};
use crate::accumulators::Summary;
use crate::context::Context;
use crate::error::Result;
use crate::estimate::Estimate;
use crate::probe::Probe;
use crate::quantities::{Quantity, Rows};

/// The mean of a quantity over the samples.
pub struct OfQuantity<Q>(PhantomData<Q>);

impl<Q: Quantity> Estimator for OfQuantity<Q> {
    const CARD: Card = Q::CARD;
    type State = Summary;

    fn new(context: &Context) -> Result<Self> {
        Q::check(context)?;
        Ok(Self(PhantomData))
    }

    fn observe(&self, probe: &Probe<'_>, state: &mut Summary) -> Result<()> {
        push_rows(probe, &Q::evaluate(probe)?, state);
        Ok(())
    }

    fn finish(&self, context: &Context, state: &Summary) -> Result<Estimate> {
        let names = Q::columns(context);
        let columns = if names.len() == 1 { Columns::Scalar(0) } else { Columns::Vector(0..names.len(), "column") };
        let mut estimate = estimate(&Q::CARD, context, state, &columns)?;
        if names.len() > 1 {
            estimate.extra.insert("columns".into(), serde_json::json!(names));
        }
        Ok(estimate)
    }
}

/// Takes the rows of a batch in.
pub(super) fn push_rows(probe: &Probe<'_>, rows: &Rows, state: &mut Summary) {
    for (s, (row, fault)) in rows.values.outer_iter().zip(&rows.faults).enumerate() {
        let row = row.to_vec();
        state.push(probe.key(s).into(), fault.map_or(Ok(&row[..]), |fault| Err(fault.reason())));
    }
}
