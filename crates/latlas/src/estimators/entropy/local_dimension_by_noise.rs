//! How many directions the data moves in around a point, from models that were trained on it with different noise.
//!
//! ```text
//! log σₖ(J_m(x)) ≈ aₖ(x) + bₖ(x) log τ_m over models m,   local dimension at x = #{k : bₖ(x) < ½}
//! ```
//!
//! Noise of standard deviation τ thickens the data manifold by τ in every normal direction and leaves the tangent ones as they
//! are. In models of the noisy data the k-th singular value of the Jacobian then grows like τ (slope 1) across the manifold and
//! not at all (slope 0) along it. Counting small slopes gives the intrinsic dimension without knowing any scale, where the
//! noises lie below the curvature and the extent of the data and above what the models resolve.
//!
//! - Shape: scalar, the mean over points. Unit: 1. Range: 0 … min(d, D). `slopes` [k] has the mean of every bₖ with its error,
//!   singular values in falling order; where tangent and normal ones cross between models, ranks change and slopes mix.
//! - Needs further models (`--other`, or `latlas compare`) with as many latents, and the noises, the first model's first
//!   (`--noise 0.01,0.03,0.1`). All are asked at the same data: through encoders, or by inversion.
//! - Invariances: orthogonal maps of the data and of the latents, rescaling of the data, another unit of the noise.
//! - Cost: one Jacobian and one small decomposition of each model a sample.
//! - Bias: none in the slopes if the law above holds; a slope near ½ is counted to either side by chance. Standard error s/√n.
//!
//! References: Horvat and Pfister, Intrinsic Dimensionality Estimation Using Normalizing Flows (2022). Tempczyk et al., LIDL:
//! Local Intrinsic Dimension Estimation Using Approximate Likelihood (2022). Kamkari et al., A Geometric View of Data Complexity
//! (2024).

use serde_json::json;

use super::cross_mutual_information::fault_of_any;
use super::insert;
use crate::accumulators::Summary;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::estimate::Estimate;
use crate::estimators::summarize::insert_vector;
use crate::estimators::{Better, Card, Columns, Estimator, Need, estimate};
use crate::probe::{Fault, Probe};

/// #{k : bₖ < ½}.
pub struct LocalDimensionByNoise {
    /// What the logarithms of a singular value are weighted with to give its slope, model by model.
    weights: Vec<f64>,
}

/// Below it a direction belongs to the manifold.
const BETWEEN: f64 = 0.5;

impl Estimator for LocalDimensionByNoise {
    const CARD: Card = Card {
        id: "local-dimension-by-noise",
        group: "entropy",
        title: "Local intrinsic dimension by noise",
        unit: "1",
        range: "0 … min(d, D)",
        better: Better::Neither,
        needs: &[Need::Decoder, Need::Other],
        invariances: &["orthogonal maps of the data", "orthogonal maps of the latents"],
        references: &[
            "Horvat, Pfister: Intrinsic Dimensionality Estimation Using Normalizing Flows (2022)",
            "Tempczyk et al.: LIDL: Local Intrinsic Dimension Estimation Using Approximate Likelihood (2022)",
            "Kamkari et al.: A Geometric View of Data Complexity: Efficient Local Intrinsic Dimension Estimation with Diffusion Models (2024)",
        ],
        source: include_str!("local_dimension_by_noise.rs"),
    };
    /// Rows: the number of small slopes, then all slopes.
    type State = Summary;

    fn new(context: &Context) -> Result<Self> {
        context.require(&Self::CARD)?;
        context.require_jacobian(&Self::CARD)?;
        let (noises, models) = (&context.settings.noises, 1 + context.others.len());
        let help = |what: String| Error::Input {
            what: format!("{}: {what}", Self::CARD.id),
            hint: Some("give the noise of every model, the first model's first, such as --noise 0.01,0.03,0.1".into()),
        };
        if noises.len() != models {
            return Err(help(format!("{models} models need as many noises, got {}", noises.len())));
        }
        if let Some(noise) = noises.iter().find(|noise| !(noise.is_finite() && **noise > 0.0)) {
            return Err(help(format!("the noise {noise} is no positive number")));
        }
        if let Some(other) = context.others.iter().find(|d| **d != context.latent_dim) {
            return Err(Error::Shape {
                what: format!(
                    "{} compares the same singular values: the models have {} and {other} latents",
                    Self::CARD.id,
                    context.latent_dim
                ),
                hint: None,
            });
        }
        let logs: Vec<f64> = noises.iter().map(|noise| noise.ln()).collect();
        let mean = logs.iter().sum::<f64>() / models as f64;
        let square: f64 = logs.iter().map(|x| (x - mean).powi(2)).sum();
        if square < 1e-12 {
            return Err(help("the noises of all models are the same".into()));
        }
        Ok(Self { weights: logs.iter().map(|x| (x - mean) / square).collect() })
    }

    fn observe(&self, probe: &Probe<'_>, state: &mut Summary) -> Result<()> {
        let spectra = std::iter::once(probe).chain(probe.others()).map(Probe::singular_values).collect::<Result<Vec<_>>>()?;
        for s in 0..probe.len() {
            let slope = |k: usize| -> f64 { self.weights.iter().zip(&spectra).map(|(w, sigma)| w * sigma[[s, k]].ln()).sum() };
            let slopes: Vec<f64> = (0..spectra[0].ncols()).map(slope).collect();
            let fault = fault_of_any(probe, s)?;
            // A direction that is lost in one of the models has no slope.
            let fault = fault.or_else(|| slopes.iter().any(|b| !b.is_finite()).then_some(Fault::RankDeficient));
            let small = slopes.iter().filter(|b| **b < BETWEEN).count() as f64;
            let row: Vec<f64> = std::iter::once(small).chain(slopes).collect();
            state.push(probe.key(s).into(), fault.map_or(Ok(&row[..]), |fault| Err(fault.reason())));
        }
        Ok(())
    }

    fn finish(&self, context: &Context, state: &Summary) -> Result<Estimate> {
        let mut estimate = estimate(&Self::CARD, context, state, &Columns::Scalar(0))?;
        let k = context.latent_dim.min(context.ambient_dim);
        insert_vector(&mut estimate, "slopes", (1..=k).map(|i| state.moments.get(i)));
        insert(&mut estimate, "noises", json!(context.settings.noises));
        insert(&mut estimate, "method", context.method());
        Ok(estimate)
    }
}
