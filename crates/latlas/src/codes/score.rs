//! A score of codes: one function of a set.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::{CodeSet, Effort};
use crate::card::Card;
use crate::caveat::Caveat;
use crate::error::Result;

/// A function of a set of codes. Its null, its interval and its answer to an attack follow from other sets.
pub trait Score: Send + Sync + 'static {
    /// What it is.
    const CARD: Card;
    /// How dear it is.
    const EFFORT: Effort;
    /// The best value, where there is one.
    const BEST: Option<f64> = None;
    /// Whether random turns and shuffles say anything of it.
    const HAS_NULL: bool = true;

    /// The value with its parts.
    ///
    /// # Errors
    /// What keeps it from being asked at all.
    fn score(set: &CodeSet) -> Result<Scored>;
}

/// The value of a score with its parts.
#[derive(Debug, Clone, Default)]
pub struct Scored {
    /// NaN where it is undefined.
    pub value: f64,
    /// Instead of one value several with their errors, over an axis of this name.
    pub vector: Option<(Vec<f64>, Vec<f64>, &'static str)>,
    /// Why it is undefined.
    pub undefined: Option<&'static str>,
    /// Its standard error, where there is a formula.
    pub standard_error: Option<f64>,
    /// What a test with finitely many rows adds to the error beside that of the training rows.
    pub test_error: f64,
    /// What to know of it.
    pub caveats: Vec<Caveat>,
    /// Further results.
    pub extra: BTreeMap<String, Json>,
}

/// A matrix of codes and factors that a report draws.
pub struct Heat<'a> {
    /// What an entry is.
    pub name: &'a str,
    /// Its unit.
    pub unit: &'a str,
    /// `[l][k]`.
    pub values: &'a [Vec<f64>],
}

impl Scored {
    /// A number.
    pub fn value(value: f64) -> Self {
        Self { value, ..Self::default() }
    }

    /// No number, and why.
    pub fn undefined(reason: &'static str) -> Self {
        Self { value: f64::NAN, undefined: Some(reason), ..Self::default() }
    }

    /// Adds a caveat.
    #[must_use]
    pub fn with_caveat(mut self, id: &str, message: impl Into<String>) -> Self {
        self.caveats.push(Caveat::new(id, message));
        self
    }

    /// Adds a further result.
    #[must_use]
    pub fn with(mut self, name: &str, json: Json) -> Self {
        self.extra.insert(name.into(), json);
        self
    }

    /// Adds numbers, one for each factor in use; others are undefined.
    #[must_use]
    pub fn per_factor(self, set: &CodeSet, values: &[f64]) -> Self {
        let spread = spread_out(values, &set.factor_ids, set.given.1);
        self.with("per_factor", spread)
    }

    /// Adds numbers, one for each code in use; others are undefined.
    #[must_use]
    pub fn per_code(self, set: &CodeSet, values: &[f64]) -> Self {
        let spread = spread_out(values, &set.code_ids, set.given.0);
        self.with("per_code", spread)
    }

    /// Adds the matrix behind the score, a row for each code and a column for each factor that are in use.
    #[must_use]
    pub fn matrix(self, set: &CodeSet, heat: &Heat<'_>) -> Self {
        let rows: Vec<Json> = heat.values.iter().map(|row| row.iter().map(|x| number(*x)).collect()).collect();
        let object = json!({ "name": heat.name, "unit": heat.unit, "codes": set.code_ids, "factors": set.factor_ids, "values": rows });
        self.with("matrix", object)
    }
}

fn spread_out(values: &[f64], ids: &[usize], n: usize) -> Json {
    let mut all = vec![Json::Null; n];
    for (id, value) in ids.iter().zip(values) {
        all[*id] = number(*value);
    }
    Json::Array(all)
}

fn number(x: f64) -> Json {
    if x.is_nan() {
        Json::Null
    } else if x.is_finite() {
        json!(x)
    } else {
        json!(if x > 0.0 { "inf" } else { "-inf" })
    }
}
