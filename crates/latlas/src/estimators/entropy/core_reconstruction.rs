//! How much of the data a core of latents brings back when all others rest at the mean of their prior.
//!
//! ```text
//! error(C) = E ‖g(z_C, m_C̄) − x‖²,   C = the first latents of the order π, m = the mean of the prior
//! ```
//!
//! The curve belongs beside the entropy spectrum: a latent that carries entropy should lower the error when it joins the core.
//! It falls to the decoder's own error at C = d. Where x is data, it is encoded; where latents are drawn, x is what the
//! decoder makes of them, and the error at C = d is zero.
//!
//! - Value: error(C) for the core sizes in `c` (all of them up to d = 32, else 33 of them). Unit: data units squared. Range: ≥ 0.
//! - `per_value` is divided by D; `latent_order` is π, by falling entropy over the first samples unless ordered otherwise.
//! - Invariances: orthogonal maps of the data.
//! - Cost: one decode for each core size.
//! - Bias: none; standard error s/√n and Student's interval.
//!
//! References: Galperin and Köthe, Analyzing Generative Models by Manifold Entropic Metrics (2024). Hinton and Salakhutdinov,
//! Reducing the Dimensionality of Data with Neural Networks (2006).

use serde_json::json;

use super::insert;
use crate::accumulators::Summary;
use crate::caveat::Caveat;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::estimate::Estimate;
use crate::estimators::summarize::numbers;
use crate::estimators::{Better, Card, Columns, Estimator, Need, estimate};
use crate::probe::{Fault, Probe};

/// E ‖g(z_C, m) − x‖².
pub struct CoreReconstruction;

/// Core sizes at most.
const MOST_SIZES: usize = 33;

fn sizes(d: usize) -> Vec<usize> {
    if d < MOST_SIZES { (0..=d).collect() } else { (0..MOST_SIZES).map(|k| k * d / (MOST_SIZES - 1)).collect() }
}

impl Estimator for CoreReconstruction {
    const CARD: Card = Card {
        id: "core-reconstruction",
        group: "entropy",
        title: "Reconstruction error of nested cores",
        unit: "1",
        range: "≥ 0",
        better: Better::Lower,
        needs: &[Need::Decoder],
        invariances: &["orthogonal maps of the data"],
        references: &[
            "Galperin, Köthe: Analyzing Generative Models by Manifold Entropic Metrics (2024)",
            "Hinton, Salakhutdinov: Reducing the Dimensionality of Data with Neural Networks (2006)",
        ],
        source: include_str!("core_reconstruction.rs"),
    };
    const NEEDS_ORDER: bool = true;
    /// Rows: the error of each core size.
    type State = Summary;

    fn new(context: &Context) -> Result<Self> {
        context.require(&Self::CARD)?;
        if !context.has_decoder {
            return Err(Error::Input {
                what: format!("{} needs a decoder that can be asked", Self::CARD.id),
                hint: Some("give it as an ONNX file".into()),
            });
        }
        Ok(Self)
    }

    fn observe(&self, probe: &Probe<'_>, state: &mut Summary) -> Result<()> {
        let (context, batch) = (probe.context(), probe.batch());
        let (Some(decoder), Some(latents)) = (probe.decoder(), &batch.latents) else { return Ok(()) };
        let target = match &batch.data {
            Some(data) => data,
            None => probe.decoded()?,
        };
        let condition = batch.condition.as_ref().map(|rows| rows.view());
        let mut resting = latents.clone();
        for (i, mut column) in resting.columns_mut().into_iter().enumerate() {
            column.fill(context.prior.mean_and_std(i).0);
        }
        let mut rows = vec![Vec::new(); probe.len()];
        let mut joined = 0;
        for size in sizes(context.latent_dim) {
            for i in &context.order.latents[joined..size] {
                resting.column_mut(*i).assign(&latents.column(*i));
            }
            joined = size;
            let gap = decoder.decode(resting.view(), condition)? - target;
            // A decoder need not be defined where some latents rest at the mean.
            let finite = |x: f64| if x.is_finite() { x } else { f64::NAN };
            rows.iter_mut().zip(gap.outer_iter()).for_each(|(row, gap)| row.push(finite(gap.dot(&gap))));
        }
        for (s, row) in rows.iter().enumerate() {
            let usable = probe.has_latent(s) && row.last().is_some_and(|x| x.is_finite());
            state.push(probe.key(s).into(), if usable { Ok(row) } else { Err(Fault::NonFinite.reason()) });
        }
        Ok(())
    }

    fn finish(&self, context: &Context, state: &Summary) -> Result<Estimate> {
        let sizes = sizes(context.latent_dim);
        let mut estimate = estimate(&Self::CARD, context, state, &Columns::Vector(0..sizes.len(), "core-size"))?;
        // Decoded values are exact on both sides of a kink.
        estimate.caveats.retain(|caveat| caveat.id != "kink-at-relu");
        let per_value: Vec<f64> = (0..sizes.len()).map(|k| state.moments.get(k).mean() / context.ambient_dim as f64).collect();
        let undefined: Vec<usize> = (0..sizes.len()).filter(|&k| state.moments.get(k).count() < state.used()).map(|k| sizes[k]).collect();
        if !undefined.is_empty() {
            let message =
                format!("cores of {undefined:?} latents decode to values that are not finite at some samples, which are left out");
            estimate.caveats.push(Caveat::new("undefined-core", message));
        }
        insert(&mut estimate, "c", json!(sizes));
        insert(&mut estimate, "per_value", numbers(&per_value));
        insert(&mut estimate, "latent_order", json!(context.order.latents));
        insert(&mut estimate, "order_source", json!(context.order.source));
        // Entries are listed by core size, not by value.
        insert(&mut estimate, "order", json!((0..sizes.len()).collect::<Vec<_>>()));
        Ok(estimate)
    }
}

#[cfg(test)]
mod tests {
    use super::sizes;

    #[test]
    fn core_sizes_reach_from_nothing_to_everything() {
        assert_eq!(sizes(3), [0, 1, 2, 3]);
        let many = sizes(784);
        assert!(many.len() == 33 && many[0] == 0 && many[32] == 784 && many.windows(2).all(|w| w[0] < w[1]));
    }
}
