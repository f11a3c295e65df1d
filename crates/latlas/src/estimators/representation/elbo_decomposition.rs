//! What the rate of an encoder consists of: information about the data, dependence of the codes, and misfit of each code.
//!
//! ```text
//! E KL(q(z|x) ‖ p) = I(x; z) + TC(q) + Σ_l KL(q(z_l) ‖ p(z_l)),   q(z) = (1/n) Σ_j q(z|x_j)
//! ```
//!
//! - p is the standard normal, q(z|x) a normal with the given means and log variances. The mixture holds all rows (a sample
//!   where that is too dear: `components`) and is evaluated at a draw for each of up to 2,000 rows.
//! - Shape: [4]: rate in closed form, information, total correlation, sum of the codes' own divergences. `sum` is what the
//!   last three make at the same draws, to be compared with the rate; `information_without_own` leaves each row's own
//!   component out of the mixture. Per code: `rate_of_code`, `active` (rate above 0.01), `variance_of_means`.
//! - Unit: nats. Range: ≥ 0 but for sampling noise.
//! - Invariances: order of rows and codes.
//! - Cost: points × components × codes exponentials.
//! - Bias: with the own component I(x; z) is at most ln n and too low (`saturates-at-ln-n`), without it too high; the truth
//!   lies between. What I loses the total correlation gains.
//! - Standard errors: over rows.
//!
//! References: Hoffman and Johnson, ELBO Surgery (2016). Chen, Li, Grosse and Duvenaud, Isolating Sources of Disentanglement
//! in Variational Autoencoders (2018).

use serde_json::json;

use super::CHEN;
use crate::codes::{CodeSet, Effort, Mean, Score, Scored};
use crate::error::Result;
use crate::estimators::{Better, Card, Need};

/// The parts of the rate.
pub struct ElboDecomposition;

/// A code of a larger rate is active.
const ACTIVE: f64 = 0.01;
/// I(x; z) this near to ln n is at its ceiling.
const NEAR: f64 = 1.0;

impl Score for ElboDecomposition {
    const CARD: Card = Card {
        id: "elbo-decomposition",
        group: "representation",
        title: "Parts of the rate of an encoder",
        unit: "nats",
        range: "≥ 0",
        better: Better::Neither,
        needs: &[Need::Codes, Need::CodesLogvar],
        invariances: &["order of rows and codes"],
        references: &["Hoffman, Johnson: ELBO Surgery: Yet Another Way to Carve up the Variational Evidence Lower Bound (2016)", CHEN],
        source: include_str!("elbo_decomposition.rs"),
    };
    const EFFORT: Effort = Effort::Batches;
    const HAS_NULL: bool = false;

    fn score(set: &CodeSet) -> Result<Scored> {
        let Some(parts) = set.decomposition() else { return Ok(Scored::undefined("no-posterior")) };
        let moments = [parts.rate, parts.information, parts.total_correlation, parts.dimension_wise];
        let errors = moments.iter().map(|m| m.standard_error).collect();
        let described = |m: &Mean| json!({ "value": m.value, "standard_error": m.standard_error });
        let mut scored = Scored { vector: Some((moments.iter().map(|m| m.value).collect(), errors, "part")), ..Scored::value(f64::NAN) };
        let ceiling = (parts.components as f64).ln();
        if parts.information.value > ceiling - NEAR {
            let message = format!("{:.2} nats of at most ln {} = {ceiling:.2}", parts.information.value, parts.components);
            scored = scored.with_caveat("saturates-at-ln-n", message);
        }
        let rates: Vec<f64> = parts.rate_of_code.iter().map(|m| m.value).collect();
        let active: Vec<usize> = (0..rates.len()).filter(|l| rates[*l] > ACTIVE).collect();
        Ok(scored
            .with("component", json!(["rate", "information", "total-correlation", "dimension-wise"]))
            .with("order", json!([0, 1, 2, 3]))
            .with("sum", described(&parts.sum))
            .with("information_without_own", described(&parts.information_without_own))
            .with("rate_of_code", json!(rates))
            .with("active", json!(active))
            .with("variance_of_means", json!(parts.mean_variance))
            .with("components", json!(parts.components)))
    }
}
