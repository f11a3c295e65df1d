//! The size of everything that the model can make: the entropy of its image.
//!
//! ```text
//! H = E[ −log p(z) + log |J(z)| ],   log |J| = ½ log det JᵀJ
//! ```
//!
//! With a standard normal prior this is d·h₀ + E log |J|, h₀ = ½ log(2πe) = 1.4189. For a flow it is the differential
//! entropy of the model's distribution; for d < D the entropy on the manifold g(ℝᵈ), in units of its d-dimensional volume.
//!
//! - Shape: scalar. Unit: nats (`per_dim`: divided by d). Range: any sign.
//! - Invariances: any volume-preserving reparametrisation of the latents together with their prior leaves it, rotations of
//!   an isotropic prior among them; an orthogonal map of the data leaves it; multiplying the data by c adds d log |c|.
//! - Samples where J loses rank have log |J| = −∞: they are counted (`rank-deficient`) and left out. Columns that are exactly
//!   zero are left out of the volume, with the caveat `dead-column` and the mean number of live ones.
//! - Cost: one Jacobian and one QR a sample. Needs d ≤ D.
//! - Bias: none; standard error s/√n and Student's interval.
//!
//! References: Galperin and Köthe, Analyzing Generative Models by Manifold Entropic Metrics (2024). Caterini et al.,
//! Rectangular Flows for Manifold Learning (2021).

use super::{declare_convention, insert};
use crate::accumulators::Summary;
use crate::caveat::Caveat;
use crate::context::Context;
use crate::error::Result;
use crate::estimate::Estimate;
use crate::estimators::summarize::number;
use crate::estimators::{Better, Card, Columns, Estimator, Need, estimate};
use crate::probe::Probe;

/// H.
pub struct TotalEntropy;

impl Estimator for TotalEntropy {
    const CARD: Card = Card {
        id: "total-entropy",
        group: "entropy",
        title: "Total entropy of the image",
        unit: "nats",
        range: "any sign",
        better: Better::Neither,
        needs: &[Need::Decoder],
        invariances: &["orthogonal maps of the data", "permutations of the latents"],
        references: &[
            "Galperin, Köthe: Analyzing Generative Models by Manifold Entropic Metrics (2024)",
            "Caterini, Loaiza-Ganem, Pleiss, Cunningham: Rectangular Flows for Manifold Learning (2021)",
        ],
        source: include_str!("total_entropy.rs"),
    };
    /// Rows: −log p + log |J|, log |J|, number of live columns.
    type State = Summary;

    fn new(context: &Context) -> Result<Self> {
        context.require(&Self::CARD)?;
        context.require_volume(&Self::CARD)?;
        Ok(Self)
    }

    fn observe(&self, probe: &Probe<'_>, state: &mut Summary) -> Result<()> {
        for (s, factor) in probe.factors()?.iter().enumerate() {
            let row = [probe.joint_surprisal(s, &factor.live) + factor.log_volume, factor.log_volume, factor.live.len() as f64];
            state.push(probe.key(s).into(), probe.volume_fault(s)?.map_or(Ok(&row[..]), |fault| Err(fault.reason())));
        }
        Ok(())
    }

    fn finish(&self, context: &Context, state: &Summary) -> Result<Estimate> {
        let mut estimate = estimate(&Self::CARD, context, state, &Columns::Scalar(0))?;
        let d = context.latent_dim as f64;
        let (entropy, live) = (state.moments.get(0), state.moments.get(2).mean());
        insert(&mut estimate, "geometric", number(state.moments.get(1).mean()));
        insert(&mut estimate, "per_dim", number(entropy.mean() / d));
        insert(&mut estimate, "per_dim_standard_error", number(entropy.standard_error().unwrap_or(f64::NAN) / d));
        if live < d {
            insert(&mut estimate, "live_columns", number(live));
            let message = format!("over the live columns only, {live:.3} of {d} on average; with the dead ones it is −∞");
            estimate.caveats.push(Caveat::new("dead-column", message));
        }
        declare_convention(&mut estimate, context);
        Ok(estimate)
    }
}
