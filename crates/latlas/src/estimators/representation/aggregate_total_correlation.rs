//! Total correlation of the aggregate posterior: how far the codes of all data together are from independent.
//!
//! ```text
//! TC(q) = KL(q(z) ‖ Π_l q(z_l)),   q(z) = (1/n) Σ_j q(z|x_j)
//! ```
//!
//! - Found at draws from the mixture of given normal posteriors, as in `elbo-decomposition`. Unlike the Gaussian total
//!   correlation it sees dependence of any form.
//! - Shape: scalar. Unit: nats. Range: ≥ 0 but for sampling noise.
//! - Invariances: order of rows and codes, affine maps of a code together with its variance.
//! - Cost: none beside `elbo-decomposition`.
//! - Bias: upwards where posteriors are narrow and rows few: the mixture then looks like separate points. At most ln n times
//!   the number of codes less one.
//! - Standard error: over rows.
//!
//! References: Watanabe, Information Theoretical Analysis of Multivariate Correlation (1960). Chen, Li, Grosse and Duvenaud,
//! Isolating Sources of Disentanglement in Variational Autoencoders (2018).

use serde_json::json;

use super::CHEN;
use crate::codes::{CodeSet, Effort, Score, Scored};
use crate::error::Result;
use crate::estimators::{Better, Card, Need};

/// TC(q).
pub struct AggregateTotalCorrelation;

impl Score for AggregateTotalCorrelation {
    const CARD: Card = Card {
        id: "aggregate-total-correlation",
        group: "representation",
        title: "Total correlation of the aggregate posterior",
        unit: "nats",
        range: "≥ 0",
        better: Better::Lower,
        needs: &[Need::Codes, Need::CodesLogvar],
        invariances: &["order of rows and codes"],
        references: &["Watanabe: Information Theoretical Analysis of Multivariate Correlation (1960)", CHEN],
        source: include_str!("aggregate_total_correlation.rs"),
    };
    const EFFORT: Effort = Effort::Batches;
    const HAS_NULL: bool = false;

    fn score(set: &CodeSet) -> Result<Scored> {
        let Some(parts) = set.decomposition() else { return Ok(Scored::undefined("no-posterior")) };
        let standard_error = Some(parts.total_correlation.standard_error);
        let scored = Scored { standard_error, ..Scored::value(parts.total_correlation.value) };
        Ok(scored.with("components", json!(parts.components)).with("points", json!(parts.total_correlation.count)))
    }
}
