//! What each latent does to the data on average.
//!
//! ```text
//! J̄ᵢ = E Jᵢ(z),   coherence = ‖E Jᵢ‖² / E ‖Jᵢ‖²
//! ```
//!
//! A non-linear counterpart of an eigenface: the mean change of every data value per unit of latent i, drawn as an image
//! where the data is one. A coherence near 1 says that the latent does the same everywhere, near 0 that it does different
//! things at different points, so that its mean shows little (latents are then not global coordinates of one source).
//!
//! - `mean_decoded` [D] is E x over the same samples, for a decoder that can be asked. With classes told apart each has its own.
//! - Shape: [d, D]. Unit: data units per latent unit. Range: any sign; coherence in [0, 1].
//! - Invariances: equivariant: a linear map of the data maps the columns alike; the coherence is unchanged by orthogonal
//!   maps and scaling.
//! - Bias: none for the columns. The coherence of n samples is high by about (1 − coherence)/n; `coherence_null` 1/n is what
//!   directions without any coherence give.
//! - Cost: one Jacobian a sample, d·D running sums. Standard error s/√n of each entry.
//!
//! References: Galperin and Köthe, Analyzing Generative Models by Manifold Entropic Metrics (2024).

use serde::{Deserialize, Serialize};

use super::insert;
use crate::accumulators::{Accumulator, Moments, Summary};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::estimate::Estimate;
use crate::estimators::summarize::{number, numbers};
use crate::estimators::{Better, Card, Estimator, Need, estimate_matrix};
use crate::probe::{Fault, Probe};

/// E Jᵢ.
pub struct AveragedColumns;

/// Moments of every entry of J.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct State {
    /// Rows: ‖Jᵢ‖² `[d]`.
    summary: Summary,
    columns: Moments,
    /// Of x `[D]`; empty without a decoder.
    decoded: Moments,
}

/// Entries of J whose moments are kept at most: 50 MB a state.
const LARGEST: usize = 1 << 21;

impl Accumulator for State {
    fn merge(&mut self, later: &Self) {
        self.summary.merge(&later.summary);
        self.columns.merge(&later.columns);
        self.decoded.merge(&later.decoded);
    }

    fn count(&self) -> usize {
        self.summary.count()
    }
}

impl Estimator for AveragedColumns {
    const CARD: Card = Card {
        id: "averaged-columns",
        group: "entropy",
        title: "Averaged Jacobian columns",
        unit: "1",
        range: "any sign",
        better: Better::Neither,
        needs: &[Need::Decoder],
        invariances: &[],
        references: &["Galperin, Köthe: Analyzing Generative Models by Manifold Entropic Metrics (2024)"],
        source: include_str!("averaged_columns.rs"),
    };
    type State = State;

    fn new(context: &Context) -> Result<Self> {
        context.require(&Self::CARD)?;
        context.require_jacobian(&Self::CARD)?;
        let (d, big_d) = (context.latent_dim, context.ambient_dim);
        if d.checked_mul(big_d).is_none_or(|entries| entries > LARGEST) {
            return Err(Error::Shape {
                what: format!("averaged-columns keeps moments of d × D = {d} × {big_d} entries, more than the limit of {LARGEST}"),
                hint: Some("the other estimators of the group keep far less".into()),
            });
        }
        Ok(Self)
    }

    fn observe(&self, probe: &Probe<'_>, state: &mut State) -> Result<()> {
        let columns = probe.columns()?;
        let decoded = if probe.context().has_values { Some(probe.decoded()?) } else { None };
        for (s, jacobian) in columns.outer_iter().enumerate() {
            if probe.is_finite(s)? {
                let squares: Vec<f64> = jacobian.outer_iter().map(|column| column.iter().map(|x| x * x).sum()).collect();
                state.summary.push_keeping(0, probe.key(s).into(), Ok(&squares));
                state.columns.push(jacobian.iter());
                if let Some(decoded) = decoded {
                    state.decoded.push(decoded.row(s).iter());
                }
            } else {
                state.summary.push(probe.key(s).into(), Err(Fault::NonFinite.reason()));
            }
        }
        Ok(())
    }

    fn finish(&self, context: &Context, state: &State) -> Result<Estimate> {
        let (d, big_d) = (context.latent_dim, context.ambient_dim);
        let moment = |i: usize, j: usize| state.columns.get(i * big_d + j);
        let mut estimate = estimate_matrix(&Self::CARD, context, &state.summary, moment, (d, big_d), ["latent", "ambient"])?;
        let coherence: Vec<f64> = (0..d)
            .map(|i| {
                let mean_square: f64 = (0..big_d).map(|j| moment(i, j).mean().powi(2)).sum();
                mean_square / state.summary.moments.get(i).mean()
            })
            .collect();
        insert(&mut estimate, "coherence", numbers(&coherence));
        if context.has_values {
            insert(&mut estimate, "mean_decoded", numbers(&(0..big_d).map(|j| state.decoded.get(j).mean()).collect::<Vec<_>>()));
        }
        insert(&mut estimate, "coherence_null", number(1.0 / state.summary.used() as f64));
        Ok(estimate)
    }
}
