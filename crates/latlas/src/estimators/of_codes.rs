//! An estimator of any score of codes: its value with an interval, beside what chance gives and what a random turn gives.
//!
//! The interval comes from the score's own formula, from 100 sets of resampled rows (sums), or from five thinned sets
//! (learners), whose spread is scaled to the number of rows:
//!
//! ```text
//! s.e.² = Var(thinned) (m/n)/(1 − m/n) + the binomial part of the test rows
//! ```
//!
//! Its null: the same score of shuffled factors, and of standardised codes that are turned at random.

use std::marker::PhantomData;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::summarize::{blank, number};
use super::{Card, Estimator};
use crate::accumulators::{Accumulator, Moment};
use crate::caveat::Caveat;
use crate::codes::{CodeSet, Effort, Score, Scored};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::estimate::{Estimate, Value};
use crate::probe::Probe;
use crate::special_functions::normal_quantile;

/// The estimator of a score.
pub struct OfCodes<S>(PhantomData<S>);

/// What is remembered of samples: nothing. Codes are there before the run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Nothing;

impl Accumulator for Nothing {
    fn merge(&mut self, _: &Self) {}

    fn count(&self) -> usize {
        0
    }
}

/// Rows below which an interval is itself uncertain.
const FEW: usize = 30;

impl<S: Score> Estimator for OfCodes<S> {
    const CARD: Card = S::CARD;
    type State = Nothing;

    fn new(context: &Context) -> Result<Self> {
        context.require(&S::CARD)?;
        Ok(Self(PhantomData))
    }

    fn observe(&self, _: &Probe<'_>, _: &mut Nothing) -> Result<()> {
        Ok(())
    }

    fn finish(&self, context: &Context, _: &Nothing) -> Result<Estimate> {
        let codes = codes(context, S::CARD.id)?;
        let set = if S::EFFORT == Effort::Fits { codes.learners() } else { codes };
        let scored = S::score(set)?;
        let error = if scored.vector.is_some() || scored.undefined.is_some() || !scored.value.is_finite() {
            None
        } else {
            Some(error::<S>(set, &scored)?)
        };
        let null = if S::HAS_NULL && error.is_some() { Some(null::<S>(set, scored.value)?) } else { None };
        let mut estimate = frame(&S::CARD, context, codes, set);
        if let Some((vector, errors, axis)) = scored.vector {
            estimate.value = Value::Vector(vector);
            estimate.axes = vec![axis.into()];
            with_errors(&mut estimate, Value::Vector(errors));
        } else {
            estimate.value = Value::Scalar(scored.value);
            if let Some(error) = error.filter(|e| e.is_finite()) {
                with_errors(&mut estimate, Value::Scalar(error));
            }
        }
        estimate.caveats.extend(scored.caveats);
        estimate.extra.extend(scored.extra);
        if let Some(reason) = scored.undefined {
            estimate.extra.insert("undefined".into(), json!(reason));
        }
        if let Some(null) = null {
            estimate.extra.insert("null".into(), null);
        }
        Ok(estimate)
    }
}

/// The codes of a run.
pub(crate) fn codes<'a>(context: &'a Context, id: &str) -> Result<&'a CodeSet> {
    let lacking = || Error::Input { what: format!("{id} needs codes"), hint: Some("give some with --codes".into()) };
    context.codes.as_deref().ok_or_else(lacking)
}

/// Everything but the value: `codes` were given, `set` is what of them was used.
pub(crate) fn frame(card: &Card, context: &Context, codes: &CodeSet, set: &CodeSet) -> Estimate {
    let rows = set.train.rows() + set.test.rows();
    let mut caveats = codes.caveats.clone();
    if set.train.rows() < FEW {
        caveats.push(Caveat::new("too-few-samples", format!("{} rows to learn from", set.train.rows())));
    }
    let bad: usize = codes.dropped.values().sum();
    if bad > 0 {
        caveats.push(Caveat::new("dropped-samples", format!("{bad} of {} rows left out: {bad} non-finite", codes.n_seen)));
    }
    if set.train.rows() < codes.train.rows() || set.test.rows() < codes.test.rows() {
        let message = format!(
            "{} of {} rows to learn from, {} of {} to test with",
            set.train.rows(),
            codes.train.rows(),
            set.test.rows(),
            codes.test.rows()
        );
        caveats.push(Caveat::new("subsampled-rows", message));
    }
    let (preset, builder) = (codes.options.preset, codes.options.builder);
    let method = json!({ "preset": preset, "builder": builder, "train_rows": set.train.rows(), "test_rows": set.test.rows() });
    Estimate {
        n_used: rows,
        n_seen: codes.n_seen,
        dropped: codes.dropped.clone(),
        caveats,
        extra: [("method".to_string(), method)].into(),
        ..blank(card, context)
    }
}

/// Standard errors, and the normal interval that follows.
pub(crate) fn with_errors(estimate: &mut Estimate, errors: Value) {
    let half = normal_quantile(0.5 + 0.5 * estimate.level);
    let shift = |sign: f64| match (&estimate.value, &errors) {
        (Value::Scalar(x), Value::Scalar(e)) => Value::Scalar(x + sign * half * e),
        (Value::Vector(x), Value::Vector(e)) => Value::Vector(x.iter().zip(e).map(|(x, e)| x + sign * half * e).collect()),
        (value, _) => value.clone(),
    };
    estimate.interval = Some((shift(-1.0), shift(1.0)));
    estimate.standard_error = Some(errors);
}

/// The score of every set, in order; undefined ones left out.
fn values<S: Score>(sets: &[CodeSet]) -> Result<Moment> {
    let values: Vec<f64> = sets.par_iter().map(|set| Ok(S::score(set)?.value)).collect::<Result<_>>()?;
    let mut moment = Moment::default();
    values.into_iter().for_each(|x| moment.push(x));
    Ok(moment)
}

fn error<S: Score>(set: &CodeSet, scored: &Scored) -> Result<f64> {
    if let Some(error) = scored.standard_error {
        return Ok(error.hypot(scored.test_error));
    }
    let n = set.train.rows() as f64;
    let spread = |sets: &[CodeSet]| -> Result<(f64, f64)> {
        let m = sets.first().map_or(0, |set| set.train.rows()) as f64;
        Ok((values::<S>(sets)?.standard_deviation().unwrap_or(f64::NAN), m / n))
    };
    if S::EFFORT == Effort::Sums {
        let (spread, share) = spread(set.resampled())?;
        return Ok(spread * share.sqrt());
    }
    let (spread, share) = spread(set.thinned())?;
    Ok((spread * (share / (1.0 - share)).sqrt()).hypot(scored.test_error))
}

fn null<S: Score>(set: &CodeSet, value: f64) -> Result<Json> {
    let chance_sets = if S::CARD.needs.contains(&super::Need::Factors) { set.shuffled(S::EFFORT) } else { set.scattered() };
    let turned_sets = set.turned(S::EFFORT);
    let (chance, turned) = (values::<S>(chance_sets)?, values::<S>(turned_sets)?);
    let described = |sets: &[CodeSet], moment: &Moment| {
        let rows = sets.first().map_or(0, |set| set.train.rows());
        let deviation = moment.standard_deviation().unwrap_or(f64::NAN);
        json!({ "value": number(moment.mean()), "standard_deviation": number(deviation), "sets": moment.count(), "rows": rows })
    };
    let corrected = S::BEST.map_or(Json::Null, |best| number((value - chance.mean()) / (best - chance.mean())));
    let z_score = |moment: &Moment| number((value - moment.mean()) / moment.standard_deviation().unwrap_or(f64::NAN));
    Ok(json!({
        "value": number(chance.mean()),
        "shuffled": described(chance_sets, &chance), "turned": described(turned_sets, &turned),
        "chance_corrected": corrected, "z_score": z_score(&chance), "z_score_of_turns": z_score(&turned),
    }))
}
