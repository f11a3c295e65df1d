//! Laws that must hold if the numbers are right, checked in every run and reported with the worst value seen.
//!
//! Some are checked at every sample, the costly ones at a few spots: the samples whose hash of (seed, index) is smallest,
//! so that they are the same whatever the chunks and shards. One file and one table line each.

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
use std::sync::OnceLock;

use ndarray::{Array2, Array3, Axis};
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
    /// What is accepted, for this run.
    pub tolerance: fn(&Context) -> f64,
    /// The worst violation in a batch, ≥ 0; `None` where there was nothing to check.
    pub check: fn(&Place<'_, '_>) -> Result<Option<f64>>,
}

/// Where a law is checked.
pub struct Place<'p, 'a> {
    /// All samples of the batch.
    pub probe: &'p Probe<'a>,
    /// Which of them are looked at closely.
    pub spots: &'p [usize],
    /// x → z, if it was given.
    pub encoder: Option<&'p dyn Encoder>,
    columns: OnceLock<Array3<f64>>,
}

/// All laws that are checked batch by batch.
const TABLE: &[Law] = &[
    hadamard::LAW,
    fischer::LAW,
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
    /// Checks a batch.
    pub(crate) fn check(&mut self, probe: &Probe<'_>, spots: &[usize], encoder: Option<&dyn Encoder>) -> Result<()> {
        let place = Place { probe, spots, encoder, columns: OnceLock::new() };
        for law in TABLE {
            if let Some(worst) = (law.check)(&place)? {
                self.note(law.id, worst);
            }
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
        TABLE.iter().filter_map(invariant).collect()
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

/// The decoder and the latents and conditions of some samples of a batch; `None` without any, or without a decoder.
type Points<'a> = Option<(&'a dyn Decoder, Array2<f64>, Option<Array2<f64>>)>;

impl<'a> Place<'_, 'a> {
    fn points(&self) -> Points<'a> {
        let decoder = self.probe.decoder()?;
        let batch = self.probe.batch();
        let latents = batch.latents.as_ref().filter(|_| !self.spots.is_empty())?.select(Axis(0), self.spots);
        Some((decoder, latents, batch.condition.as_ref().map(|c| c.select(Axis(0), self.spots))))
    }

    /// The whole Jacobians of the spots, column by column `[spots, d, D]`; made once. Empty without a decoder.
    fn spot_columns(&self) -> Result<&Array3<f64>> {
        if let Some(columns) = self.columns.get() {
            return Ok(columns);
        }
        let columns = match self.points() {
            Some((decoder, latents, condition)) => decoder.linearize(latents.view(), condition.as_ref().map(|c| c.view()))?.columns()?,
            None => Array3::default((0, 0, 0)),
        };
        Ok(self.columns.get_or_init(|| columns))
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
