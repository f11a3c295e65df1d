//! Quantities: pure functions of one sample. Any of them gets mean, standard error, quantiles, a histogram and a column
//! of a table for nothing. One file and one table line each.

mod column_norms;
mod gaussian_curvature;
mod isometry_defect;
mod jacobian_condition;
mod jacobian_energy;
mod local_dimension;
mod log_likelihood;
mod log_volume;
mod magnification;
mod metric_condition;
mod metric_effective_rank;
mod off_diagonal_share;
mod orthogonal_jacobian_penalty;
mod participation_ratio;
mod spectrum;
mod tensor_magnitude;

use ndarray::Array2;

pub use column_norms::ColumnNorms;
pub use gaussian_curvature::GaussianCurvature;
pub use isometry_defect::IsometryDefect;
pub use jacobian_condition::JacobianCondition;
pub use jacobian_energy::JacobianEnergy;
pub use local_dimension::{LocalDimension, effective_rank};
pub use log_likelihood::LogLikelihood;
pub use log_volume::LogVolume;
pub use magnification::Magnification;
pub use metric_condition::MetricCondition;
pub use metric_effective_rank::MetricEffectiveRank;
pub use off_diagonal_share::OffDiagonalShare;
pub use orthogonal_jacobian_penalty::OrthogonalJacobianPenalty;
pub use participation_ratio::ParticipationRatio;
pub use spectrum::Spectrum;
pub use tensor_magnitude::TensorMagnitude;

use crate::card::Card;
use crate::context::Context;
use crate::error::Result;
use crate::geometry;
use crate::probe::{Fault, Probe};

/// A pure function of one sample with named columns.
pub trait Quantity: Send + Sync + 'static {
    /// What it is.
    const CARD: Card;

    /// Whether it exists for this model.
    fn check(context: &Context) -> Result<()> {
        context.require(&Self::CARD)
    }

    /// The names of its columns; one column makes a scalar.
    fn columns(context: &Context) -> Vec<String>;

    /// One row a sample.
    fn evaluate(probe: &Probe<'_>) -> Result<Rows>;
}

/// The values of a quantity for a batch.
#[derive(Debug, Clone)]
pub struct Rows {
    /// `[n, columns]`; NaN is missing.
    pub values: Array2<f64>,
    /// Why a sample has no values.
    pub faults: Vec<Option<Fault>>,
}

/// A line of the table.
#[derive(Clone, Copy)]
pub struct Entry {
    /// What it is.
    pub card: Card,
    /// [`Quantity::check`].
    pub check: fn(&Context) -> Result<()>,
    /// [`Quantity::columns`].
    pub columns: fn(&Context) -> Vec<String>,
    /// [`Quantity::evaluate`].
    pub evaluate: fn(&Probe<'_>) -> Result<Rows>,
}

const fn entry<Q: Quantity>() -> Entry {
    Entry { card: Q::CARD, check: Q::check, columns: Q::columns, evaluate: Q::evaluate }
}

/// All quantities.
pub const TABLE: &[Entry] = &[
    entry::<ColumnNorms>(),
    entry::<LogVolume>(),
    entry::<Magnification>(),
    entry::<LogLikelihood>(),
    entry::<Spectrum>(),
    entry::<LocalDimension>(),
    entry::<OffDiagonalShare>(),
    entry::<OrthogonalJacobianPenalty>(),
    entry::<TensorMagnitude>(),
    entry::<JacobianCondition>(),
    entry::<MetricCondition>(),
    entry::<MetricEffectiveRank>(),
    entry::<ParticipationRatio>(),
    entry::<IsometryDefect>(),
    entry::<JacobianEnergy>(),
    entry::<GaussianCurvature>(),
];

/// Below this share of the largest, a singular value of a frame in double precision counts as none.
const RANK_TOLERANCE: f64 = 1e-10;

/// One value a sample from the frame of the run's metric, which some values need to be of full rank.
fn of_frame(probe: &Probe<'_>, full_rank: bool, value: impl Fn(&geometry::Factor) -> f64) -> Result<Rows> {
    let factors = probe.frame_factors()?;
    let fault = |factor: &geometry::Factor| match () {
        () if !factor.is_finite() => Some(Fault::NonFinite),
        () if full_rank && factor.rank(RANK_TOLERANCE) < factor.singular_values.len() => Some(Fault::RankDeficient),
        () => None,
    };
    let values = Array2::from_shape_fn((factors.len(), 1), |(s, _)| value(&factors[s]));
    Ok(Rows { values, faults: factors.iter().map(fault).collect() })
}

/// One value a sample from the lengths of its columns and the squared cosines between them, pair by pair (i < j); pairs
/// with a dead column are left out.
fn of_pairs(probe: &Probe<'_>, value: impl Fn(&[f64], &mut dyn Iterator<Item = (usize, usize, f64)>) -> f64) -> Result<Rows> {
    let (angles, log_norms) = (probe.angles()?, probe.log_norms()?);
    let d = probe.context().latent_dim;
    let faults = (0..probe.len()).map(|s| Ok((!probe.is_finite(s)?).then_some(Fault::NonFinite))).collect::<Result<_>>()?;
    let of = |s: usize| {
        let lengths: Vec<f64> = log_norms.row(s).iter().map(|x| x.exp()).collect();
        let indices = (0..d).flat_map(|i| (i + 1..d).map(move |j| (i, j)));
        let mut pairs = indices.zip(&angles[s].squared_cosines).map(|((i, j), x)| (i, j, *x)).filter(|(.., x)| !x.is_nan());
        value(&lengths, &mut pairs)
    };
    Ok(Rows { values: Array2::from_shape_fn((probe.len(), 1), |(s, _)| of(s)), faults })
}
