//! The discrete energy of curves, and its minimisation.
//!
//! For nodes c₀ = a, c₁ … c_N = b and chords sᵢ = F(cᵢ₊₁) − F(cᵢ), or sᵢ = A(m) (cᵢ₊₁ − cᵢ) with m the midpoint for a form,
//!
//! ```text
//! E = N Σ |sᵢ|²,   ½ ∂/∂cᵢ Σ |s|² = Jᵢᵀ rᵢ,   rᵢ = Σⱼ Kᵢⱼ F(cⱼ),   K = tridiag(−1, 2, −1)
//! Hessian of ½ Σ |s|²:  Kᵢⱼ JᵢᵀJⱼ, and Σₐ rᵢₐ D²Fₐ(cᵢ) on the diagonal
//! ```
//!
//! Where F is smooth and Hessians are factored, polynomials through five values take the place of chords (`pieces`): another K, and an energy
//! of sixth order. Up to [`EnergyOptions::dense`] latents by Newton's method with factors of that Hessian (`newton`), above by steps that learn
//! it from gradients (`quasi_newton`). Curves share calls of the graph; each has its own damping or length of step. The chords of a curve are
//! too short, by a share that falls like N⁻², so the energy of few nodes has minima that refinement removes (Hauberg, *Only Bayes should learn
//! a manifold*, 2018, has the first-order form).

mod newton;
mod pieces;
mod quasi_newton;
mod running;
mod terms;

use ndarray::{Array1, Array2};

use self::pieces::Pieces;
use self::terms::Energy;
use super::manifold::{Manifold, Motion, Steps};
use crate::error::Result;
use crate::models::Smoothness;

/// When to stop.
#[derive(Debug, Clone, PartialEq)]
pub struct EnergyOptions {
    /// The most Newton steps of one curve at one level, rejected ones included.
    pub max_steps: usize,
    /// Of max |∂E/∂c| · |b − a| / E.
    pub tolerance: f64,
    /// The most latents of which Hessians are factored.
    pub dense: usize,
}

impl Default for EnergyOptions {
    fn default() -> Self {
        Self { max_steps: 100, tolerance: 1e-9, dense: 64 }
    }
}

/// How a descent ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The gradient vanishes.
    Stationary,
    /// No step lowers the energy by more than rounding: what a minimum at kinks looks like.
    Flat,
    MaxSteps,
    NonFinite,
    /// Another curve between the same points is on its way to the same minimum.
    Merged,
}

/// A curve of least energy, or as far as it came.
#[derive(Debug, Clone)]
pub(super) struct Descent {
    /// `[N+1, d]`.
    pub nodes: Array2<f64>,
    /// E.
    pub energy: f64,
    /// Whether that is of sixth order, and not of chords.
    pub is_fine: bool,
    pub steps: usize,
    pub end: End,
    /// Negative eigenvalues of the Hessian: the Morse index.
    pub index: usize,
    /// A direction of negative curvature `[N+1, d]`, its largest entry 1, where there is one.
    pub escape: Option<Array2<f64>>,
    /// The derivative of ċ(0) with respect to b `[d, d]`; `None` where the Hessian is singular or not known.
    pub sensitivity: Option<Array2<f64>>,
}

/// Curves of least energy from each start `[N+1, d]`, all with the same N. A start has an owner: of curves with one owner that come
/// together, one goes on. `far` says that starts are far from their minima.
pub(super) fn minimise(
    manifold: &dyn Manifold,
    starts: Vec<(usize, Array2<f64>)>,
    far: bool,
    options: &EnergyOptions,
) -> Result<Vec<Descent>> {
    let exact = manifold.smoothness() == Smoothness::Smooth;
    if manifold.dim() > options.dense {
        // Kinks leave so few digits of a minimum that single precision is enough for it.
        let draft = manifold.draft().filter(|_| !exact).map(Steps::Image);
        let steps = draft.map_or_else(|| manifold.steps(), Ok)?;
        return quasi_newton::minimise(manifold, &Energy { steps, pieces: Pieces::chords(), exact }, starts, far, options);
    }
    let (steps, segments) = (manifold.steps()?, starts.first().map_or(0, |(_, nodes)| nodes.nrows() - 1));
    let pieces = if exact && matches!(steps, Steps::Image(_)) { Pieces::smooth(segments) } else { Pieces::chords() };
    newton::minimise(&Energy { steps, pieces, exact }, starts, far, options)
}

/// ċ(0) of a curve of least energy `[N+1, d]`: what its energy changes by where a moves, ∂E/∂a = −2 M ċ(0), is as exact as the energy.
/// `None` for a form.
pub(super) fn departure(manifold: &dyn Manifold, nodes: &Array2<f64>) -> Result<Option<Array1<f64>>> {
    let Some(f) = manifold.embedding() else { return Ok(None) };
    let n = nodes.nrows() - 1;
    let pieces = Pieces::smooth(n);
    let few = nodes.slice_axis(ndarray::Axis(0), (..=pieces.segments()).into());
    let turning = pieces.pull(&pieces.steps(f.decode(few, None)?.view()), 0) * n as f64;
    let frames = manifold.frames(nodes.slice_axis(ndarray::Axis(0), (..1).into()))?;
    let motion = Motion { frames, turning: turning.insert_axis(ndarray::Axis(0)), torsion: None };
    // The least-squares solution v of J v = −r.
    Ok(Some(Array1::from(motion.solve(0).0)))
}

pub(super) fn norm(x: &Array1<f64>) -> f64 {
    x.dot(x).sqrt()
}
