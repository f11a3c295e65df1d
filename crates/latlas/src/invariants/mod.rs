//! Laws that must hold if the numbers are right, checked in every run and reported with the worst value seen.
//!
//! Some are checked at every sample, the costly ones at a few spots before the run: the samples whose hash of (seed, index) is
//! smallest, so that they are the same whatever the chunks and shards. One file and one table line each.

mod adjoint;
mod batch_independence;
mod decomposition;
mod finite_differences;
mod fischer;
mod flow_log_det;
mod hadamard;
mod latents_match_prior;
mod repeatability;
mod round_trip;
mod sketch;

use std::collections::BTreeMap;

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

pub use latents_match_prior::latents_match_prior;

use crate::context::Context;
use crate::error::Result;
use crate::estimate::Invariant;
use crate::models::{Decoder, Encoder};
use crate::probe::Probe;
use crate::random::{Purpose, hash};
use crate::settings::Dtype;

/// A law: an id, what is accepted, and how far a batch is from it.
pub struct Law {
    /// Stable id.
    pub id: &'static str,
    /// Whether it looks at whole Jacobians.
    pub of_jacobians: bool,
    /// What is accepted, for this run.
    pub tolerance: fn(&Context) -> f64,
    /// The worst violation in a batch, ≥ 0; `None` where there was nothing to check.
    pub check: fn(&Place<'_, '_>) -> Result<Option<f64>>,
}

/// Where a law is checked.
pub struct Place<'p, 'a> {
    /// What all samples of the run share.
    pub context: &'p Context,
    /// Some samples; at spots without a sketch.
    pub probe: &'p Probe<'a>,
    /// Those of them whose whole Jacobians may be asked for.
    pub whole: &'p Probe<'a>,
    /// x → z, if it was given.
    pub encoder: Option<&'p dyn Encoder>,
}

/// Laws of every sample.
const EVERYWHERE: &[Law] = &[hadamard::LAW, fischer::LAW];

/// Laws that are looked at closely at a few samples.
const AT_SPOTS: &[Law] = &[
    decomposition::LAW,
    finite_differences::LAW,
    adjoint::LAW,
    batch_independence::LAW,
    repeatability::LAW,
    flow_log_det::LAW,
    round_trip::LAW,
    sketch::LAW,
];

/// How many samples of a run are looked at closely.
const SPOTS: usize = 4;

/// The worst violation of each law so far.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Laws(BTreeMap<String, f64>);

impl Laws {
    /// Checks the laws of every sample on a batch.
    pub(crate) fn check(&mut self, probe: &Probe<'_>) -> Result<()> {
        let place = Place { context: probe.context(), probe, whole: probe, encoder: None };
        EVERYWHERE.iter().try_for_each(|law| self.check_law(law, &place))
    }

    /// Checks the other laws at spots.
    pub(crate) fn check_spots(&mut self, place: &Place<'_, '_>) -> Result<()> {
        // Side by side, but those that share Jacobians in turn.
        let of = |of_jacobians: bool| {
            let mut laws = Self::default();
            AT_SPOTS.iter().filter(|law| law.of_jacobians == of_jacobians).try_for_each(|law| laws.check_law(law, place)).map(|()| laws)
        };
        let (jacobians, points) = rayon::join(|| of(true), || of(false));
        self.merge(&jacobians?);
        self.merge(&points?);
        Ok(())
    }

    fn check_law(&mut self, law: &Law, place: &Place<'_, '_>) -> Result<()> {
        if let Some(worst) = (law.check)(place)? {
            self.note(law.id, worst);
        }
        Ok(())
    }

    /// Takes in what another part of the run has seen.
    pub(crate) fn merge(&mut self, later: &Self) {
        later.0.iter().for_each(|(id, worst)| self.note(id, *worst));
    }

    /// In the order of the table; those that had nothing to check are left out.
    pub(crate) fn finish(&self, context: &Context) -> Vec<Invariant> {
        let invariant = |law: &Law| {
            let (worst, tolerance) = (*self.0.get(law.id)?, (law.tolerance)(context));
            Some(Invariant { id: law.id.into(), holds: worst <= tolerance, worst, tolerance })
        };
        EVERYWHERE.iter().chain(AT_SPOTS).filter_map(invariant).collect()
    }

    fn note(&mut self, id: &str, worst: f64) {
        // What cannot be compared is as bad as can be.
        let worst = if worst.is_nan() { f64::INFINITY } else { worst };
        let entry = self.0.entry(id.into()).or_default();
        *entry = entry.max(worst);
    }
}

/// The samples of a run that are looked at closely, ascending.
pub fn spots(context: &Context) -> Vec<usize> {
    let mut smallest: Vec<(u64, usize)> = Vec::new();
    for index in 0..context.n_samples {
        let key = (hash(context.settings.seed, Purpose::Spots, index as u64), index);
        if smallest.len() < SPOTS || smallest.last().is_some_and(|last| key < *last) {
            smallest.push(key);
            smallest.sort_unstable();
            smallest.truncate(SPOTS);
        }
    }
    let mut spots: Vec<usize> = smallest.into_iter().map(|(_, index)| index).collect();
    spots.sort_unstable();
    spots
}

/// At how many spots, the first ones, whole Jacobians are asked for: one where the run sketches, since a Jacobian can cost as
/// much as hundreds of sketches.
pub fn whole_spots(context: &Context) -> usize {
    if context.settings.sketch.is_some() { 1 } else { 2 }
}

/// A decoder, and the latents and conditions of some samples; `None` without any, or without a decoder.
type Points<'a> = Option<(&'a dyn Decoder, ArrayView2<'a, f64>, Option<ArrayView2<'a, f64>>)>;

impl<'p> Place<'p, '_> {
    fn points(&self) -> Points<'p> {
        let batch = self.probe.batch();
        let latents = batch.latents.as_ref().filter(|latents| !latents.is_empty())?;
        Some((self.probe.decoder()?, latents.view(), batch.condition.as_ref().map(|rows| rows.view())))
    }
}

/// A tolerance for each type in which the decoder may run.
fn by_dtype(context: &Context, f32: f64, f64: f64) -> f64 {
    match context.settings.dtype {
        Dtype::F32 => f32,
        Dtype::F64 => f64,
    }
}

/// ‖a − b‖ / max(‖a‖, ‖b‖), 0 for two zeros.
fn relative_difference<'x>(a: impl IntoIterator<Item = &'x f64>, b: impl IntoIterator<Item = &'x f64>) -> f64 {
    let (mut difference, mut size_a, mut size_b) = (0.0, 0.0, 0.0);
    for (a, b) in a.into_iter().zip(b) {
        difference += (a - b) * (a - b);
        size_a += a * a;
        size_b += b * b;
    }
    let size: f64 = f64::max(size_a, size_b);
    if difference == 0.0 { 0.0 } else { (difference / size).sqrt() }
}
