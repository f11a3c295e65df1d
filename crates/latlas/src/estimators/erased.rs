//! Estimators of any type side by side in one table and one run.

use std::any::Any;

use super::{Card, Estimator};
use crate::accumulators::{Accumulator, Summary};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::estimate::Estimate;
use crate::probe::Probe;

/// A line of the table.
#[derive(Clone, Copy)]
pub struct Entry {
    /// What it is.
    pub card: Card,
    /// [`Estimator::new`].
    pub make: fn(&Context) -> Result<Box<dyn AnyEstimator>>,
}

/// The table line of an estimator.
pub const fn entry<E: Estimator>() -> Entry {
    fn make<E: Estimator>(context: &Context) -> Result<Box<dyn AnyEstimator>> {
        Ok(Box::new(E::new(context)?))
    }
    Entry { card: E::CARD, make: make::<E> }
}

/// The state of some estimator.
pub type AnyState = Box<dyn Any + Send + Sync>;

/// An [`Estimator`] of any type. States must come from the same estimator; others are ignored.
pub trait AnyEstimator: Send + Sync {
    /// An empty state.
    fn start(&self) -> AnyState;
    /// [`Estimator::NEEDS_PAIRS`].
    fn needs_pairs(&self) -> bool;
    /// [`Estimator::NEEDS_ORDER`].
    fn needs_order(&self) -> bool;
    /// [`Estimator::NEEDS_CODE_SPREAD`].
    fn needs_code_spread(&self) -> bool;
    /// [`Estimator::observe`].
    fn observe(&self, probe: &Probe<'_>, state: &mut AnyState) -> Result<()>;
    /// [`Accumulator::merge`].
    fn merge(&self, state: &mut AnyState, later: &AnyState);
    /// [`Estimator::finish`].
    fn finish(&self, context: &Context, state: &AnyState) -> Result<Estimate>;
    /// The rows of the samples whose means are the value, where the state keeps such.
    fn take_rows(&self, state: AnyState) -> Option<Summary>;
    /// The state as bytes.
    fn save(&self, state: &AnyState) -> Result<Vec<u8>>;
    /// The state from bytes, which are not trusted.
    fn load(&self, bytes: &[u8]) -> Result<AnyState>;
}

impl<E: Estimator> AnyEstimator for E {
    fn start(&self) -> AnyState {
        Box::new(E::State::default())
    }

    fn needs_pairs(&self) -> bool {
        E::NEEDS_PAIRS
    }

    fn needs_order(&self) -> bool {
        E::NEEDS_ORDER
    }

    fn needs_code_spread(&self) -> bool {
        E::NEEDS_CODE_SPREAD
    }

    fn observe(&self, probe: &Probe<'_>, state: &mut AnyState) -> Result<()> {
        state.downcast_mut().map_or(Ok(()), |state| Estimator::observe(self, probe, state))
    }

    fn merge(&self, state: &mut AnyState, later: &AnyState) {
        if let (Some(state), Some(later)) = (state.downcast_mut::<E::State>(), later.downcast_ref()) {
            state.merge(later);
        }
    }

    fn finish(&self, context: &Context, state: &AnyState) -> Result<Estimate> {
        state.downcast_ref().map_or_else(|| Err(foreign(E::CARD.id)), |state| Estimator::finish(self, context, state))
    }

    fn take_rows(&self, state: AnyState) -> Option<Summary> {
        state.downcast::<E::State>().ok().and_then(|state| state.into_rows())
    }

    fn save(&self, state: &AnyState) -> Result<Vec<u8>> {
        let state = state.downcast_ref::<E::State>().ok_or_else(|| foreign(E::CARD.id))?;
        postcard::to_stdvec(state).map_err(|_| foreign(E::CARD.id))
    }

    fn load(&self, bytes: &[u8]) -> Result<AnyState> {
        let state: E::State = postcard::from_bytes(bytes).map_err(|_| foreign(E::CARD.id))?;
        Ok(Box::new(state))
    }
}

fn foreign(id: &str) -> Error {
    Error::State { what: format!("the state of {id} is damaged, or of another estimator"), hint: None }
}
