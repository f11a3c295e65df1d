//! What principal components of the data would carry: the linear baseline of the entropy spectrum.
//!
//! ```text
//! Hₖ = h₀ + log σₖ,   σₖ the standard deviation of the data along its k-th principal component
//! ```
//!
//! For a linear decoder along its principal axes this is its spectrum, in the same units and with the same h₀ = ½ log(2πe).
//! A spectrum that falls more steeply than this line packs the data into fewer directions than any linear model can.
//!
//! - Shape: [d], falling. Unit: nats. Range: any sign, −∞ where the data has no such direction.
//! - `log_deviations` is log σₖ; `left_over` [d + 1] the mean squared distance of the data to the span of the first C
//!   components, to be read beside `core-reconstruction`. Principal components are orthogonal: their total correlation is 0.
//! - Invariances: orthogonal maps of the data; multiplying the data by c adds log |c|.
//! - Needs data. At most 2,000 rows of it are used, evenly chosen (`n_used`).
//! - Cost: one eigendecomposition before the run.
//! - Bias: the largest σₖ are a little high and the smallest low at few rows. Standard errors are asymptotic, for data of any
//!   distribution and components that are not equal.
//!
//! References: Jolliffe, Principal Component Analysis (2002). Davis, Asymptotic Theory for Principal Component Analysis:
//! Non-normal Case (1977).

use serde_json::json;

use super::insert;
use crate::accumulators::Summary;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::estimate::{Estimate, Value};
use crate::estimators::summarize::numbers;
use crate::estimators::{Better, Card, Columns, Estimator, Need, estimate};
use crate::probe::Probe;
use crate::special_functions::{NORMAL_ENTROPY, normal_quantile};

/// h₀ + log σₖ.
pub struct PcaBaseline;

impl Estimator for PcaBaseline {
    const CARD: Card = Card {
        id: "pca-baseline",
        group: "entropy",
        title: "Entropy of the data's principal components",
        unit: "nats",
        range: "any sign",
        better: Better::Neither,
        needs: &[Need::Decoder, Need::Data],
        invariances: &["orthogonal maps of the data"],
        references: &[
            "Jolliffe: Principal Component Analysis (2002)",
            "Davis: Asymptotic Theory for Principal Component Analysis: Non-normal Case (1977)",
        ],
        source: include_str!("pca_baseline.rs"),
    };
    /// Rows: 0. What counts is known before the run.
    type State = Summary;

    fn new(context: &Context) -> Result<Self> {
        context.require(&Self::CARD)?;
        Ok(Self)
    }

    fn observe(&self, probe: &Probe<'_>, state: &mut Summary) -> Result<()> {
        (0..probe.len()).for_each(|s| state.push(probe.key(s).into(), Ok(&[0.0])));
        Ok(())
    }

    fn finish(&self, context: &Context, state: &Summary) -> Result<Estimate> {
        let Some(principal) = &context.principal else {
            return Err(Error::TooFewSamples { estimator: Self::CARD.id.into(), needed: 2, got: 1 });
        };
        let mut estimate = estimate(&Self::CARD, context, state, &Columns::Scalar(0))?;
        estimate.extra.clear();
        // Nothing here comes from the decoder.
        estimate.caveats.retain(|caveat| caveat.id != "kink-at-relu" && caveat.id != "too-few-samples");
        let value: Vec<f64> = principal.log_deviations.iter().map(|x| NORMAL_ENTROPY + x).collect();
        let errors: Vec<f64> = principal.standard_errors.clone();
        let half = normal_quantile(0.5 + 0.5 * context.settings.level);
        let end = |sign: f64| Value::Vector(value.iter().zip(&errors).map(|(x, e)| x + sign * half * e).collect());
        estimate.interval = Some((end(-1.0), end(1.0)));
        (estimate.n_used, estimate.n_seen) = (principal.rows, principal.rows);
        estimate.axes = vec!["component".into()];
        insert(&mut estimate, "log_deviations", numbers(&principal.log_deviations));
        insert(&mut estimate, "left_over", numbers(&principal.left_over));
        insert(&mut estimate, "order", json!((0..value.len()).collect::<Vec<_>>()));
        estimate.value = Value::Vector(value);
        estimate.standard_error = Some(Value::Vector(errors));
        Ok(estimate)
    }
}
