//! How much the metric tensor changes along paths between samples.
//!
//! ```text
//! variation = Σ |Δ log √det M| / length
//! affine    = Σ |log(Mᵢ^−½ Mᵢ₊₁ Mᵢ^−½)|_F / length
//! lipschitz = max |log Mᵢ₊₁ − log Mᵢ|_F / |Δz|
//! ```
//!
//! Along straight latent paths between pairs of consecutive samples, 65 points each (17 where a Jacobian takes more than 10⁹ operations). A decoder with a smooth metric has short and few
//! detours, and solvers for geodesics converge on it; a rough one has neither. `variation` is 0 exactly where volumes are constant, `affine`
//! where the whole tensor is.
//!
//! - Shape: three values, means over the paths, with quantiles beside them. Unit: per unit of the embedding; `lipschitz` per unit of the latents.
//!   Range: ≥ 0.
//! - Paths are made of samples 0 and 1, 2 and 3, …: 64 of them, fewer for dear decoders, at least 4 (pairs that a chunk divides are left out), so none shares an
//!   end with another and their spread gives the standard error. A path that meets a point without full rank is left out and counted.
//! - Invariances: orthogonal maps of the data and of the latents; `affine` and `variation` also one scale for all latents.
//! - Cost: 65 or 17 Jacobians of the embedding a path.
//! - Bias: sums over points are a little below the integrals; the change when every second point is left out is told as `discretisation`.
//!
//! References: Pennec, Fillard and Ayache, A Riemannian framework for tensor computing (2006). Arsigny, Fillard, Pennec and Ayache,
//! Log-Euclidean metrics for fast and simple calculus on diffusion tensors (2006).

use ndarray::{Array2, ArrayView2, Axis};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::accumulators::{Accumulator, Moments, Summary};
use crate::context::Context;
use crate::error::Result;
use crate::estimate::Estimate;
use crate::estimators::{Better, Card, Columns, Estimator, Need, estimate, number};
use crate::geometry::roughness;
use crate::probe::{Fault, Probe};

/// Operations of a Jacobian from which on a path has few points.
const DEAR: f64 = 1e9;
/// Operations that all paths may take …
const BUDGET: f64 = 2e12;
/// … though there are so many paths at least, and at most.
const PATHS: (f64, f64) = (4.0, 64.0);
/// What the three values are.
const NAMES: [&str; 3] = ["variation", "affine", "lipschitz"];

/// Changes of the metric along paths.
pub struct TensorRoughness;

/// Rows of the paths, and how much their discretisation matters.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    paths: Summary,
    errors: Moments,
}

impl Accumulator for State {
    fn merge(&mut self, later: &Self) {
        self.paths.merge(&later.paths);
        self.errors.merge(&later.errors);
    }

    fn count(&self) -> usize {
        self.paths.count()
    }
}

impl Estimator for TensorRoughness {
    const CARD: Card = Card {
        id: "tensor-roughness",
        group: "geometry",
        title: "Change of the metric along paths",
        unit: "1",
        range: "≥ 0",
        better: Better::Lower,
        needs: &[Need::Manifold],
        invariances: &["orthogonal maps of the data", "orthogonal maps of the latents"],
        references: &[
            "Pennec, Fillard, Ayache: A Riemannian framework for tensor computing (2006)",
            "Arsigny, Fillard, Pennec, Ayache: Log-Euclidean metrics for fast and simple calculus on diffusion tensors (2006)",
        ],
        source: include_str!("tensor_roughness.rs"),
    };
    type State = State;

    fn new(context: &Context) -> Result<Self> {
        context.require(&Self::CARD)?;
        Ok(Self)
    }

    fn observe(&self, probe: &Probe<'_>, state: &mut State) -> Result<()> {
        let (manifold, latents) = probe.manifold()?;
        // They follow from the model alone, never from a clock.
        let cost = probe.decoder().map_or(0.0, |decoder| decoder.cost().jacobian).max(1.0);
        let points = if cost > DEAR { 17 } else { 65 };
        let paths = (BUDGET / (cost * points as f64)).clamp(PATHS.0, PATHS.1) as u64;
        // Pairs by their index in the run: a chunk that begins with an odd one leaves it out.
        let firsts: Vec<usize> = (0..probe.len().saturating_sub(1))
            .filter(|s| {
                let (_, index) = probe.key(*s);
                index.is_multiple_of(2) && index < 2 * paths
            })
            .collect();
        if firsts.is_empty() {
            return Ok(());
        }
        let ends: Vec<usize> = firsts.iter().map(|s| s + 1).collect();
        let select = |rows: &[usize], latents: ArrayView2<'_, f64>| -> Array2<f64> { latents.select(Axis(0), rows) };
        let found = roughness(manifold, select(&firsts, latents).view(), select(&ends, latents).view(), points)?;
        for (s, path) in firsts.into_iter().zip(found) {
            let row = path.map(|path| [path.variation, path.affine, path.lipschitz]);
            state.paths.push(probe.key(s).into(), row.as_ref().map(|row| &row[..]).ok_or(Fault::RankDeficient.reason()));
            if let Some(path) = path {
                state.errors.push(&[path.error]);
            }
        }
        Ok(())
    }

    fn finish(&self, context: &Context, state: &State) -> Result<Estimate> {
        let mut estimate = estimate(&Self::CARD, context, &state.paths, &Columns::Vector(0..3, "measure"))?;
        estimate.extra.insert("columns".into(), json!(NAMES));
        estimate.extra.insert("discretisation".into(), number(state.errors.get(0).mean()));
        estimate.extra.insert("embedding".into(), json!(context.manifold));
        Ok(estimate)
    }
}
