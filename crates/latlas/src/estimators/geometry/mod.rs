//! The geometry of the latent space: maps of its metric, and how it changes.

mod tensor_roughness;

pub use tensor_roughness::TensorRoughness;

use super::erased::entry;
use super::{Entry, OfQuantity};
use crate::quantities::{
    GaussianCurvature, IsometryDefect, JacobianCondition, JacobianEnergy, MetricCondition, MetricEffectiveRank, ParticipationRatio,
    TensorMagnitude,
};

/// All estimators of the group, in the order of a report.
pub const TABLE: &[Entry] = &[
    entry::<OfQuantity<TensorMagnitude>>(),
    entry::<OfQuantity<JacobianCondition>>(),
    entry::<OfQuantity<MetricCondition>>(),
    entry::<OfQuantity<MetricEffectiveRank>>(),
    entry::<OfQuantity<ParticipationRatio>>(),
    entry::<OfQuantity<IsometryDefect>>(),
    entry::<OfQuantity<JacobianEnergy>>(),
    entry::<OfQuantity<GaussianCurvature>>(),
    entry::<TensorRoughness>(),
];
