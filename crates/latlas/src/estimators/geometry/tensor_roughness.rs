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
//! - Paths are made of samples 0 and 1, 2 and 3, …: 64 of them, fewer for dear decoders, at least 4, so none shares an
//!   end with another and their spread gives the standard error. A path that meets a point without full rank is left out and counted.
//!   With labels, paths within a class and between classes are told apart in `same_class` and `cross_class`.
//! - Invariances: orthogonal maps of the data and of the latents; `affine` and `variation` also one scale for all latents.
//! - Cost: 65 or 17 Jacobians of the embedding a path.
//! - Bias: sums over points are a little below the integrals; the change when every second point is left out is told as `discretisation`.
//!
//! References: Pennec, Fillard and Ayache, A Riemannian framework for tensor computing (2006). Arsigny, Fillard, Pennec and Ayache,
//! Log-Euclidean metrics for fast and simple calculus on diffusion tensors (2006).

use ndarray::Array2;
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
        let batch = probe.batch();
        let firsts: Vec<usize> = (0..probe.len()).filter(|s| probe.key(*s).1.is_multiple_of(2) && probe.key(*s).1 < 2 * paths).collect();
        let label = |s: usize| batch.labels.as_ref().map(|labels| labels[s]);
        let (mut ends, mut kinds) = (Vec::new(), Vec::new());
        for &s in &firsts {
            let (end, other) = match &batch.next {
                _ if s + 1 < probe.len() => (latents.row(s + 1), label(s + 1)),
                Some(next) => (next.latents.view(), next.label),
                // The last sample of all is alone.
                None => break,
            };
            ends.push(end);
            kinds.push(label(s).zip(other).map(|(one, other)| one == other));
        }
        if ends.is_empty() {
            return Ok(());
        }
        let d = latents.ncols();
        let from = Array2::from_shape_fn((ends.len(), d), |(i, j)| latents[[firsts[i], j]]);
        let to = Array2::from_shape_fn((ends.len(), d), |(i, j)| ends[i][j]);
        let found = roughness(manifold, from.view(), to.view(), points)?;
        for ((s, path), same) in firsts.into_iter().zip(found).zip(kinds) {
            let row = path.map(|path| {
                let all = [path.variation, path.affine, path.lipschitz];
                // NaN is missing.
                let where_it_is = |kind: bool| all.map(|x| if same == Some(kind) { x } else { f64::NAN });
                [all, where_it_is(true), where_it_is(false)].concat()
            });
            state.paths.push(probe.key(s).into(), row.as_deref().ok_or(Fault::RankDeficient.reason()));
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
        for (name, first) in [("same_class", 3), ("cross_class", 6)] {
            let of = |i: usize| state.paths.moments.get(first + i);
            if of(0).count() > 0 {
                let means: Vec<_> = (0..3).map(|i| number(of(i).mean())).collect();
                let errors: Vec<_> = (0..3).map(|i| number(of(i).standard_error().unwrap_or(f64::NAN))).collect();
                estimate.extra.insert(name.into(), json!({ "mean": means, "standard_error": errors, "paths": of(0).count() }));
            }
        }
        estimate.extra.insert("embedding".into(), json!(context.manifold));
        Ok(estimate)
    }
}
