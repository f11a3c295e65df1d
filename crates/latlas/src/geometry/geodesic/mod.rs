//! Geodesics between two latents, and the logarithmic map Log_a(b) = ċ(0).
//!
//! Several starts (the straight line, arcs, a path of the graph) descend to curves of least discrete energy, coarse ones first; saddles
//! are left along a direction of descent, duplicates merged, and the lowest are kept and refined. Newton shooting then confirms them by the
//! equation of geodesics to 10⁻¹⁰, or the lengths of two levels that agree ([`Confirmation`]). A curve that is confirmed is the shortest of all as
//! soon as its energy is below those of the others; only what is not confirmed is refined further. Its length is compared with the quadrature of
//! the curve. Every distance has a bracket: the chord |F(a) − F(b)| below (0 for a form), and above the quadrature length of a curve that exists,
//! with its error.
//!
//! What is found is a shortest one among the geodesics that the starts lead to; no search of finitely many starts can promise more.
//! At a geodesic E = L² and the speed is constant; both are told. A search that fails gives its reason and the best curve, never the straight
//! line as if it were the answer.

mod finish;
mod search;

use ndarray::{Array1, Array2, ArrayView2, Axis, Slice};

use super::energy::EnergyOptions;
use super::exponential::ExpOptions;
use super::manifold::Manifold;
use super::status::Status;
use crate::error::{Error, Result};

/// What makes a curve of least energy a geodesic that is converged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Confirmation {
    /// A shot along it that ends at b.
    Shooting,
    /// Its length at two levels, both of sixth order, and by quadrature: equal to this share of it. Where they are not at the last level, and
    /// where there is no F, a shot that ends at b to a tenth of this share.
    Agreement(f64),
}

impl Confirmation {
    /// For a relative error of lengths: below 10⁻⁸ a shot is cheaper than a level more.
    pub fn to(tolerance: f64) -> Self {
        if tolerance < 1e-8 { Self::Shooting } else { Self::Agreement(tolerance) }
    }
}

/// How to search.
#[derive(Debug, Clone)]
pub struct GeodesicOptions {
    /// Segments of the curves, level by level; at least four each. Twice as many where the map has kinks. Where Hessians are not factored
    /// ([`EnergyOptions::dense`]), half of the first and the first.
    pub levels: Vec<usize>,
    /// What is asked of a curve.
    pub confirmation: Confirmation,
    /// Of the descent at one level.
    pub energy: EnergyOptions,
    /// How far arcs reach to the sides, in |b − a|; each on both sides.
    pub arcs: Vec<f64>,
    /// Codes `[n, d]`, over which the graph is laid that gives a start; without them two latents have a grid, more have none.
    pub codes: Option<Array2<f64>>,
    /// Neighbours of each point of the graph.
    pub neighbours: usize,
    /// Geodesics of one pair that are followed beyond a level.
    pub competitors: usize,
    /// Rounds of shooting.
    pub shots: usize,
    /// |Exp_a(v) − b| at which shooting is done, in units of max(1, |b|).
    pub residual: f64,
    /// Of the exponential map.
    pub exp: ExpOptions,
}

impl Default for GeodesicOptions {
    fn default() -> Self {
        Self {
            levels: vec![16, 64, 128],
            confirmation: Confirmation::Shooting,
            energy: EnergyOptions::default(),
            arcs: vec![0.35, 0.7],
            codes: None,
            neighbours: 8,
            competitors: 4,
            shots: 20,
            residual: 1e-10,
            exp: ExpOptions { max_steps: 1000, ..ExpOptions::default() },
        }
    }
}

/// A connecting geodesic, or what came of the search.
#[derive(Debug, Clone)]
pub struct Geodesic {
    /// The curve `[N+1, d]`, at equal times.
    pub nodes: Array2<f64>,
    /// Log_a(b) = ċ(0) `[d]`, by shooting where it converged.
    pub velocity: Array1<f64>,
    /// In units of F.
    pub length: f64,
    /// How far it may be off as the length of a local geodesic: quadrature, and the difference to shooting.
    pub length_error: f64,
    /// ∫ |ċ|² dt.
    pub energy: f64,
    /// E/L² − 1 ≥ 0 of the curve.
    pub energy_excess: f64,
    /// (largest − smallest)/mean speed.
    pub speed_variation: f64,
    /// No curve is shorter.
    pub lower: f64,
    /// Some curve is no longer.
    pub upper: f64,
    /// |Exp_a(ċ(0)) − b|; NaN where no shot confirmed it.
    pub residual: f64,
    /// The Morse index of the curve among curves with the same ends.
    pub index: usize,
    /// Newton steps on the way to this curve.
    pub steps: usize,
    /// How it ended.
    pub status: Status,
    /// Further local geodesics, by length.
    pub competing: Vec<Competing>,
}

/// Another local geodesic between the same points.
#[derive(Debug, Clone)]
pub struct Competing {
    /// `[N+1, d]`.
    pub nodes: Array2<f64>,
    /// By quadrature.
    pub length: f64,
    /// 0 for one that is shortest among its neighbours.
    pub index: usize,
}

/// Pairs that are searched together.
const BATCH: usize = 64;

/// A geodesic for each pair of rows of a and b `[n, d]`.
///
/// # Errors
/// Arrays that do not fit, levels below four segments; those of the metric.
pub fn geodesics(
    manifold: &dyn Manifold,
    a: ArrayView2<'_, f64>,
    b: ArrayView2<'_, f64>,
    options: &GeodesicOptions,
) -> Result<Vec<Geodesic>> {
    let (n, d) = a.dim();
    if b.dim() != (n, d) || d != manifold.dim() {
        let what = format!("{} has {} latents, got end points {:?} and {:?}", manifold.name(), manifold.dim(), a.dim(), b.dim());
        return Err(Error::Shape { what, hint: Some("one end for each beginning".into()) });
    }
    if options.levels.is_empty() || options.levels.iter().any(|n| *n < 4) {
        return Err(Error::Input { what: format!("levels of {:?} segments", options.levels), hint: Some("four or more each".into()) });
    }
    let mut all = Vec::with_capacity(n);
    for start in (0..n).step_by(BATCH) {
        let rows = Slice::from(start..n.min(start + BATCH));
        all.extend(search::batch(manifold, a.slice_axis(Axis(0), rows), b.slice_axis(Axis(0), rows), options)?);
    }
    Ok(all)
}
