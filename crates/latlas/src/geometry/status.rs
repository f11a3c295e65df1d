//! What became of a search on a manifold. A failed one says so; it never returns a number without a flag.

use serde::{Deserialize, Serialize};

/// The outcome of a geodesic, an exponential or a logarithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// To the tolerance that was asked for.
    Converged,
    /// The curve minimises the discrete energy, but was not confirmed by the differential equation.
    EnergyOnly(Reason),
    /// A critical point of the energy with so many directions of descent.
    Saddle(usize),
    /// The best that was found is returned, and is not to be trusted.
    Failed(Reason),
}

/// Why a search stopped early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Reason {
    /// The Jacobian loses rank, so some directions have no length.
    RankLoss,
    /// The curve left the box that was declared.
    LeftDomain,
    /// The step became too small to go on.
    StepTooSmall,
    /// The limit of steps or iterations was reached.
    MaxIter,
    /// The error estimate, or the drift of a speed that is constant, stayed far above the tolerance.
    Unresolved,
    /// Newton shooting did not end at the goal.
    ShootingDiverged,
    /// The decoder is made of linear pieces, whose kinks no second derivative sees.
    NonSmooth,
    /// No path in the graph joins the end points.
    Disconnected,
    /// So many latents that curves are not confirmed by the equation of geodesics.
    Dimension,
    /// A value that is not finite.
    NonFinite,
}

impl Status {
    /// `converged`, `energy-only`, `saddle` or `failed`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Converged => "converged",
            Self::EnergyOnly(_) => "energy-only",
            Self::Saddle(_) => "saddle",
            Self::Failed(_) => "failed",
        }
    }

    /// Why, where there is a reason.
    pub fn reason(self) -> Option<Reason> {
        match self {
            Self::EnergyOnly(reason) | Self::Failed(reason) => Some(reason),
            Self::Converged | Self::Saddle(_) => None,
        }
    }

    /// Whether the answer meets its tolerance.
    pub fn is_converged(self) -> bool {
        self == Self::Converged
    }
}

impl Reason {
    /// In kebab-case, as files and reports have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::RankLoss => "rank-loss",
            Self::LeftDomain => "left-domain",
            Self::StepTooSmall => "step-too-small",
            Self::MaxIter => "max-iter",
            Self::Unresolved => "unresolved",
            Self::ShootingDiverged => "shooting-diverged",
            Self::NonSmooth => "non-smooth",
            Self::Disconnected => "disconnected",
            Self::Dimension => "dimension",
            Self::NonFinite => "non-finite",
        }
    }
}
