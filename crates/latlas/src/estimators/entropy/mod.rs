//! Manifold entropic estimators: how much each latent direction matters, and how entangled directions are.

mod active_dimensions;
mod averaged_columns;
mod block_boundaries;
mod block_mutual_information;
mod core_detail;
mod core_reconstruction;
mod cross_mutual_information;
mod dimension_matching;
mod hidden_dimensions;
mod jacobian_spectrum;
mod local_dimension_by_noise;
mod manifold_entropy;
mod pairwise_mutual_information;
mod pca_baseline;
mod total_correlation;
mod total_entropy;

use serde_json::{Value as Json, json};

pub use active_dimensions::ActiveDimensions;
pub use averaged_columns::AveragedColumns;
pub use block_boundaries::BlockBoundaries;
pub use block_mutual_information::BlockMutualInformation;
pub use core_detail::CoreDetail;
pub use core_reconstruction::CoreReconstruction;
pub use cross_mutual_information::CrossMutualInformation;
pub use dimension_matching::DimensionMatching;
pub use hidden_dimensions::HiddenDimensions;
pub use jacobian_spectrum::JacobianSpectrum;
pub use local_dimension_by_noise::LocalDimensionByNoise;
pub use manifold_entropy::ManifoldEntropy;
pub use pairwise_mutual_information::PairwiseMutualInformation;
pub use pca_baseline::PcaBaseline;
pub use total_correlation::TotalCorrelation;
pub use total_entropy::TotalEntropy;

use super::erased::{Entry, entry};
use super::of_quantity::OfQuantity;
use crate::context::{Context, PriorTerm};
use crate::estimate::Estimate;
use crate::quantities::{LocalDimension, LogLikelihood, LogVolume, OffDiagonalShare, OrthogonalJacobianPenalty};
use crate::settings::Sampling;

/// All of them.
pub const TABLE: &[Entry] = &[
    entry::<ManifoldEntropy>(),
    entry::<TotalEntropy>(),
    entry::<TotalCorrelation>(),
    entry::<PairwiseMutualInformation>(),
    entry::<BlockMutualInformation>(),
    entry::<CoreDetail>(),
    entry::<CoreReconstruction>(),
    entry::<PcaBaseline>(),
    entry::<ActiveDimensions>(),
    entry::<HiddenDimensions>(),
    entry::<BlockBoundaries>(),
    entry::<OfQuantity<LogVolume>>(),
    entry::<OfQuantity<LogLikelihood>>(),
    entry::<JacobianSpectrum>(),
    entry::<OfQuantity<LocalDimension>>(),
    entry::<OfQuantity<OffDiagonalShare>>(),
    entry::<OfQuantity<OrthogonalJacobianPenalty>>(),
    entry::<AveragedColumns>(),
    entry::<CrossMutualInformation>(),
    entry::<DimensionMatching>(),
    entry::<LocalDimensionByNoise>(),
];

/// Says by which convention entropies are meant, and what follows from it.
fn declare_convention(estimate: &mut Estimate, context: &Context) {
    let term = context.prior_term();
    let conditioning = match (context.prior.is_factorised(), context.conditional) {
        (false, _) if term == PriorTerm::Sampled => "marginal",
        (_, true) => "given",
        _ => "none",
    };
    let convention = json!({
        "log_base": "nats",
        "includes_h0": term != PriorTerm::None,
        "per_dim": false,
        "data_units": true,
        "prior_term": term.name(),
        "conditioning": conditioning,
        "cross_entropy": context.sampling == Sampling::Data,
    });
    estimate.extra.insert("convention".into(), convention);
    estimate.extra.insert("method".into(), context.method());
    if term == PriorTerm::None {
        let message = "the prior's density is not known: values are E log of lengths or volumes, without the prior's entropy";
        estimate.caveats.push(crate::caveat::Caveat::new("no-prior-density", message));
    }
}

fn insert(estimate: &mut Estimate, name: &str, value: Json) {
    estimate.extra.insert(name.into(), value);
}
