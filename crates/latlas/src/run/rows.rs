//! Values of single samples: the rows of quantities over a run's samples, for maps and for whatever a summary hides.

use std::collections::BTreeMap;

use ndarray::{Array2, Axis, concatenate};
use rayon::prelude::*;

use super::Inputs;
use crate::error::{Error, Result};
use crate::quantities::{self, Entry, Rows};
use crate::settings::Settings;

/// Samples that are looked at together.
const TOGETHER: usize = 16;

/// A quantity at every sample of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleRows {
    /// Of the quantity.
    pub id: &'static str,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// `[n, columns]`; NaN where a sample has no value.
    pub values: Array2<f64>,
    /// How many samples have no values, by reason.
    pub dropped: BTreeMap<&'static str, usize>,
}

/// Latents of some samples, where they are known, and the rows of each quantity there.
type Batch = (Option<Array2<f64>>, Vec<Rows>);

/// The named quantities at every sample, and the latents `[n, d]` where they are known. Unlike a run this holds n rows.
///
/// # Errors
/// A name that is no quantity, one that does not exist for this model, and those of [`super::run`].
pub fn rows(
    ids: &[String],
    inputs: &Inputs,
    settings: &Settings,
    progress: &dyn Fn(usize, usize),
) -> Result<(Option<Array2<f64>>, Vec<SampleRows>)> {
    let context = inputs.context(settings)?;
    let entries = ids.iter().map(|id| named(id)).collect::<Result<Vec<_>>>()?;
    for entry in &entries {
        (entry.check)(&context)?;
    }
    if context.n_samples == 0 {
        return Err(Error::TooFewSamples { estimator: "rows of quantities".into(), needed: 1, got: 0 });
    }
    let batches: Vec<usize> = (0..context.n_samples).step_by(TOGETHER).collect();
    let mut done = Vec::new();
    for wave in batches.chunks(rayon::current_num_threads()) {
        progress(wave[0], context.n_samples);
        let evaluated: Vec<Result<Batch>> = wave
            .par_iter()
            .map(|start| {
                let probe = inputs.probe(&context, *start, TOGETHER.min(context.n_samples - start), false)?;
                let rows = entries.iter().map(|entry| (entry.evaluate)(&probe)).collect::<Result<_>>()?;
                Ok((probe.batch().latents.clone(), rows))
            })
            .collect();
        done.extend(evaluated.into_iter().collect::<Result<Vec<_>>>()?);
    }
    progress(context.n_samples, context.n_samples);
    let latents = done.iter().map(|(latents, _)| latents.as_ref()).collect::<Option<Vec<_>>>();
    let latents = latents.map(|parts| joined(parts.into_iter())).transpose()?;
    let of = |(k, entry): (usize, &&Entry)| {
        let mut dropped = BTreeMap::new();
        for fault in done.iter().flat_map(|(_, rows)| &rows[k].faults).flatten() {
            *dropped.entry(fault.reason()).or_insert(0) += 1;
        }
        let values = joined(done.iter().map(|(_, rows)| &rows[k].values))?;
        Ok(SampleRows { id: entry.card.id, columns: (entry.columns)(&context), values, dropped })
    };
    let rows = entries.iter().enumerate().map(of).collect::<Result<_>>()?;
    Ok((latents, rows))
}

/// Estimates that are the mean of a quantity of another name, but for the prior's term.
const MEANS: [(&str, &str); 2] = [("manifold-entropy", "column-norms"), ("total-entropy", "log-volume")];

fn named(id: &str) -> Result<&'static Entry> {
    let wanted = MEANS.iter().find(|(mean, _)| *mean == id).map_or(id, |(_, quantity)| quantity);
    quantities::TABLE.iter().find(|entry| entry.card.id == wanted).ok_or_else(|| {
        let known: Vec<&str> = MEANS.iter().map(|(mean, _)| *mean).chain(quantities::TABLE.iter().map(|entry| entry.card.id)).collect();
        let hint = format!("single samples have values for {}", known.join(", "));
        Error::Input { what: format!("`{id}` has no value for a single sample"), hint: Some(hint) }
    })
}

fn joined<'a>(parts: impl Iterator<Item = &'a Array2<f64>>) -> Result<Array2<f64>> {
    let views: Vec<_> = parts.map(|part| part.view()).collect();
    concatenate(Axis(0), &views).map_err(|error| Error::Shape { what: format!("rows of batches do not fit: {error}"), hint: None })
}
