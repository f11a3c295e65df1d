//! How a core of latents separates from the detail that is left: all nested cores at once.
//!
//! ```text
//! H_core(C) = E[ −log p + log |J_{π(1..C)}| ],   H_detail(C) = E[ −log p + log |J_{π(C+1..d)}| ],   C = 0 … d
//! I(C) = H_core(C) + H_detail(C) − H ≥ 0
//! ```
//!
//! π is an order of the latents that is fixed before the run (`latent_order`, with its source): by falling entropy over the first
//! samples, over all in a pass of their own, or as given. A good representation puts most entropy into a small core
//! (alignment) and keeps I(C) small (disentanglement): the core then moves the data in directions of its own.
//!
//! - Value: I(C), shape [d + 1], zero at both ends. Unit: nats. Range: ≥ 0 (Fischer's inequality at every sample). `h_core`,
//!   `h_detail` [d + 1] and `chain` [d] beside it, all with standard errors: the k-th chain term
//!   I({π(k)}, {π(1..k−1)}) = log ‖J_π(k)‖ − log |R_kk| says what latent π(k) shares with those before it; their sum is the
//!   total correlation.
//! - `native`: I(C) in the latents' own order, in which the blocks of an architecture show.
//! - `null`: I(C) for columns in independent random directions.
//! - Invariances: orthogonal maps of the data and scaling of each latent leave I(C); so does any reparametrisation within
//!   the core or within the detail.
//! - Dead columns add nothing to a volume (caveat `dead-column`). Samples that lose rank are counted and left out.
//! - Cost: one Jacobian and one QR in the latents' own order, then factorisations of R: one for the core and one for the
//!   detail side of each order, each of d³ operations, whatever D is. Needs d ≤ D.
//! - Bias: none; standard error s/√n and Student's interval.
//!
//! References: Galperin and Köthe, Analyzing Generative Models by Manifold Entropic Metrics (2024).

use serde_json::json;

use super::{declare_convention, insert};
use crate::accumulators::Summary;
use crate::caveat::Caveat;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::estimate::Estimate;
use crate::estimators::null::Null;
use crate::estimators::summarize::{insert_vector, number, numbers};
use crate::estimators::{Better, Card, Columns, Estimator, Need, estimate};
use crate::probe::{Probe, Sweep};

/// H_core, H_detail and I for every core size.
pub struct CoreDetail;

impl Estimator for CoreDetail {
    const CARD: Card = Card {
        id: "core-detail",
        group: "entropy",
        title: "Information between core and detail",
        unit: "nats",
        range: "≥ 0",
        better: Better::Lower,
        needs: &[Need::Decoder],
        invariances: &["orthogonal maps of the data", "scaling of each latent"],
        references: &["Galperin, Köthe: Analyzing Generative Models by Manifold Entropic Metrics (2024)"],
        source: include_str!("core_detail.rs"),
    };
    const NEEDS_ORDER: bool = true;
    /// Rows: I `[d + 1]`, H_core `[d + 1]`, H_detail `[d + 1]`, chain terms `[d]`, I in the latents' own order `[d + 1]`, the
    /// number of live columns.
    type State = Summary;

    fn new(context: &Context) -> Result<Self> {
        context.require(&Self::CARD)?;
        context.require_volume(&Self::CARD)?;
        if context.rows() < context.latent_dim {
            context.require_jacobian(&Self::CARD)?;
        }
        if context.latent_dim < 2 {
            return Err(Error::Shape { what: format!("{} needs two latents, the decoder has one", Self::CARD.id), hint: None });
        }
        Ok(Self)
    }

    fn observe(&self, probe: &Probe<'_>, state: &mut Summary) -> Result<()> {
        let context = probe.context();
        let d = context.latent_dim;
        let native: Vec<usize> = (0..d).collect();
        let order = &context.order.latents;
        let (log_norms, factors) = (probe.log_norms()?, probe.factors()?);
        for (s, (sweep, own)) in probe.sweeps()?.iter().zip(probe.native_sweeps()?).enumerate() {
            if let Some(fault) = probe.volume_fault(s)? {
                state.push(probe.key(s).into(), Err(fault.reason()));
                continue;
            }
            let live = &factors[s].live;
            let prior = Surprisals::new(probe, s, order, live);
            let mut row = prior.shared(sweep);
            row.extend(sweep.core.iter().zip(&prior.core).map(|(volume, surprisal)| volume + surprisal));
            row.extend(sweep.detail.iter().zip(&prior.detail).map(|(volume, surprisal)| volume + surprisal));
            row.extend(order.iter().enumerate().map(|(k, i)| {
                if log_norms[[s, *i]] == f64::NEG_INFINITY { f64::NAN } else { log_norms[[s, *i]] - (sweep.core[k + 1] - sweep.core[k]) }
            }));
            row.extend(Surprisals::new(probe, s, &native, live).shared(own));
            row.push(live.len() as f64);
            state.push_keeping(d + 1, probe.key(s).into(), Ok(&row));
        }
        Ok(())
    }

    fn finish(&self, context: &Context, state: &Summary) -> Result<Estimate> {
        let (d, of) = (context.latent_dim, |i: usize| state.moments.get(i));
        let sizes = d + 1;
        let mut estimate = estimate(&Self::CARD, context, state, &Columns::Vector(0..sizes, "core-size"))?;
        insert(&mut estimate, "c", json!((0..sizes).collect::<Vec<_>>()));
        // Entries are listed by core size, not by value.
        insert(&mut estimate, "order", json!((0..sizes).collect::<Vec<_>>()));
        insert(&mut estimate, "latent_order", json!(context.order.latents));
        insert(&mut estimate, "order_source", json!(context.order.source));
        insert_vector(&mut estimate, "h_core", (sizes..2 * sizes).map(of));
        insert_vector(&mut estimate, "h_detail", (2 * sizes..3 * sizes).map(of));
        insert_vector(&mut estimate, "chain", (3 * sizes..3 * sizes + d).map(of));
        insert_vector(&mut estimate, "native", (3 * sizes + d..4 * sizes + d).map(of));
        let null: Vec<f64> = (0..sizes).map(|c| Null::blocks(context.ambient_dim, &[c, d - c]).mean).collect();
        insert(&mut estimate, "null", numbers(&null));
        let live = of(4 * sizes + d).mean();
        if live < d as f64 {
            insert(&mut estimate, "live_columns", number(live));
            let message = format!("over the live columns only, {live:.3} of {d} on average");
            estimate.caveats.push(Caveat::new("dead-column", message));
        }
        declare_convention(&mut estimate, context);
        if let Some(convention) = estimate.extra.get_mut("convention") {
            convention["order"] = json!(context.order.source);
        }
        Ok(estimate)
    }
}

/// −log p of every core and every detail of an order at one sample, dead latents left out.
struct Surprisals {
    core: Vec<f64>,
    detail: Vec<f64>,
}

impl Surprisals {
    fn new(probe: &Probe<'_>, s: usize, order: &[usize], live: &[usize]) -> Self {
        let d = order.len();
        let is_live = |i: &usize| live.binary_search(i).is_ok();
        if probe.context().prior.is_factorised() {
            let marginals = probe.surprisals(s);
            let mut core = vec![0.0; d + 1];
            for (k, i) in order.iter().enumerate() {
                core[k + 1] = core[k] + if is_live(i) { marginals[*i] } else { 0.0 };
            }
            let detail = core.iter().map(|sum| core[d] - sum).collect();
            return Self { core, detail };
        }
        let of = |latents: &[usize]| {
            let latents: Vec<usize> = latents.iter().copied().filter(is_live).collect();
            if latents.is_empty() { 0.0 } else { probe.joint_surprisal(s, &latents) }
        };
        Self { core: (0..=d).map(|c| of(&order[..c])).collect(), detail: (0..=d).map(|c| of(&order[c..])).collect() }
    }

    /// What core and detail share of the volume and of the prior.
    fn shared(&self, sweep: &Sweep) -> Vec<f64> {
        let total = self.core.last().unwrap_or(&0.0) + sweep.core.last().unwrap_or(&0.0);
        let core = self.core.iter().zip(&sweep.core).map(|(prior, volume)| prior + volume);
        let detail = self.detail.iter().zip(&sweep.detail).map(|(prior, volume)| prior + volume);
        let last = self.core.len() - 1;
        // Nothing shares nothing, without rounding.
        let shared = core.zip(detail).enumerate();
        shared.map(|(c, (core, detail))| if c == 0 || c == last { 0.0 } else { core + detail - total }).collect()
    }
}
