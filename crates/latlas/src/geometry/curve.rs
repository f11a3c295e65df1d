//! Curves through nodes, and their lengths by quadrature.
//!
//! A chord sum is always shorter than the curve; lengths here are ∫ |A ċ| dt of an explicit curve, by the rule of Gauss and Kronrod
//! with 3 and 7 points on each segment, whose difference is the error estimate.

use ndarray::{Array2, Array3, ArrayView2, ArrayView3, Axis};

use super::manifold::Manifold;
use crate::error::{Error, Result};

/// Curves c: [0, 1] → latents as cubic pieces between equally spaced nodes, given there with their velocities.
#[derive(Debug, Clone)]
pub struct Curves {
    /// `[m, N+1, d]`.
    pub nodes: Array3<f64>,
    /// dc/dt at the nodes: `[m, N+1, d]`.
    pub velocities: Array3<f64>,
}

/// What quadrature finds of a curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// ∫ |ċ|_M dt, in units of F.
    pub length: f64,
    /// How far the quadrature may be off.
    pub length_error: f64,
    /// ∫ |ċ|²_M dt ≥ length², with equality at constant speed.
    pub energy: f64,
    /// (largest − smallest)/mean speed over the points of the rule.
    pub speed_variation: f64,
}

/// Points of the rule on [−1, 1] with their weights of 7 and of 3 points (Kronrod, 1965).
const RULE: [(f64, f64, f64); 7] = [
    (-0.960_491_268_708_020_3, 0.104_656_226_026_467_27, 0.0),
    (-0.774_596_669_241_483_4, 0.268_488_089_868_333_44, 5.0 / 9.0),
    (-0.434_243_749_346_802_55, 0.401_397_414_775_962_2, 0.0),
    (0.0, 0.450_916_538_658_474_15, 8.0 / 9.0),
    (0.434_243_749_346_802_55, 0.401_397_414_775_962_2, 0.0),
    (0.774_596_669_241_483_4, 0.268_488_089_868_333_44, 5.0 / 9.0),
    (0.960_491_268_708_020_3, 0.104_656_226_026_467_27, 0.0),
];

impl Curves {
    /// With velocities dc/dt that are known at the nodes.
    ///
    /// # Errors
    /// Fewer than two nodes, or arrays that do not fit.
    pub fn new(nodes: Array3<f64>, velocities: Array3<f64>) -> Result<Self> {
        if nodes.dim().1 < 2 || nodes.dim() != velocities.dim() {
            let what = format!("curves need two nodes and a velocity at each, got {:?} and {:?}", nodes.dim(), velocities.dim());
            return Err(Error::Shape { what, hint: None });
        }
        Ok(Self { nodes, velocities })
    }

    /// The twice continuously differentiable cubic spline through nodes `[m, N+1, d]`, whose third derivative is continuous at the
    /// second and the last but one ("not a knot"; de Boor, 1978); up to four nodes give one polynomial.
    ///
    /// # Errors
    /// Fewer than two nodes.
    pub fn through(nodes: ArrayView3<'_, f64>) -> Result<Self> {
        let velocities = slopes(nodes)?;
        Self::new(nodes.to_owned(), velocities)
    }

    /// Straight lines from a to b `[m, d]` in `segments` pieces.
    ///
    /// # Errors
    /// End points that do not fit.
    pub fn straight(a: ArrayView2<'_, f64>, b: ArrayView2<'_, f64>, segments: usize) -> Result<Self> {
        if a.dim() != b.dim() {
            return Err(Error::Shape { what: format!("end points are {:?} and {:?}", a.dim(), b.dim()), hint: None });
        }
        let (m, d) = a.dim();
        let segments = segments.max(1);
        let nodes = Array3::from_shape_fn((m, segments + 1, d), |(c, i, j)| {
            let t = i as f64 / segments as f64;
            (1.0 - t) * a[[c, j]] + t * b[[c, j]]
        });
        let velocities = Array3::from_shape_fn(nodes.dim(), |(c, _, j)| b[[c, j]] - a[[c, j]]);
        Self::new(nodes, velocities)
    }

    /// Segments of each curve.
    pub fn segments(&self) -> usize {
        self.nodes.dim().1 - 1
    }

    /// Positions and velocities of all curves at one t in [0, 1]: twice `[m, d]`.
    pub fn at(&self, t: f64) -> (Array2<f64>, Array2<f64>) {
        let n = self.segments();
        let segment = ((t * n as f64).floor().max(0.0) as usize).min(n - 1);
        self.on(segment, t * n as f64 - segment as f64)
    }

    /// Positions and velocities at u in [0, 1] of a segment.
    fn on(&self, segment: usize, u: f64) -> (Array2<f64>, Array2<f64>) {
        let h = 1.0 / self.segments() as f64;
        let node = |i: usize| self.nodes.index_axis(Axis(1), segment + i);
        let slope = |i: usize| self.velocities.index_axis(Axis(1), segment + i);
        let (u2, u3) = (u * u, u * u * u);
        let position = &node(0) * (2.0 * u3 - 3.0 * u2 + 1.0)
            + &node(1) * (3.0 * u2 - 2.0 * u3)
            + &slope(0) * (h * (u3 - 2.0 * u2 + u))
            + &slope(1) * (h * (u3 - u2));
        let velocity =
            (&node(1) - &node(0)) * ((6.0 * u - 6.0 * u2) / h) + &slope(0) * (3.0 * u2 - 4.0 * u + 1.0) + &slope(1) * (3.0 * u2 - 2.0 * u);
        (position, velocity)
    }

    /// Length, energy and evenness of each curve under a metric.
    ///
    /// # Errors
    /// Those of [`Manifold::push`].
    pub fn measure(&self, manifold: &dyn Manifold) -> Result<Vec<Measured>> {
        let (m, _, d) = self.nodes.dim();
        let n = self.segments();
        // Curve-major: the speeds of one curve lie together.
        let (mut z, mut v) = (Array3::zeros((n * RULE.len(), m, d)), Array3::zeros((n * RULE.len(), m, d)));
        for segment in 0..n {
            for (k, (x, ..)) in RULE.iter().enumerate() {
                let (position, velocity) = self.on(segment, 0.5 * (x + 1.0));
                z.index_axis_mut(Axis(0), segment * RULE.len() + k).assign(&position);
                v.index_axis_mut(Axis(0), segment * RULE.len() + k).assign(&velocity);
            }
        }
        let rows = |a: Array3<f64>| {
            let a = a.permuted_axes([1, 0, 2]).as_standard_layout().into_owned();
            a.into_shape_with_order((m * n * RULE.len(), d)).unwrap_or_default()
        };
        let speeds = manifold.speed(rows(z).view(), rows(v).view())?;
        Ok(speeds.chunks(n * RULE.len()).map(|speeds| measured(speeds, n)).collect())
    }
}

/// From the speeds at all points of the rule on n segments.
fn measured(speeds: &[f64], n: usize) -> Measured {
    let half = 0.5 / n as f64;
    let (mut length, mut coarse, mut energy) = (0.0, 0.0, 0.0);
    for segment in speeds.chunks(RULE.len()) {
        for (speed, (_, fine, rough)) in segment.iter().zip(RULE) {
            length += half * fine * speed;
            coarse += half * rough * speed;
            energy += half * fine * speed * speed;
        }
    }
    let (least, most) = speeds.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), s| (least.min(*s), most.max(*s)));
    let speed_variation = if length > 0.0 { (most - least) / length } else { 0.0 };
    Measured { length, length_error: (length - coarse).abs() + 1e-15 * length, energy, speed_variation }
}

/// Slopes of the not-a-knot spline by one tridiagonal solve for all curves.
fn slopes(nodes: ArrayView3<'_, f64>) -> Result<Array3<f64>> {
    let (m, count, d) = nodes.dim();
    if count < 2 {
        return Err(Error::Shape { what: format!("a curve needs two nodes, got {count}"), hint: None });
    }
    let (n, h) = (count - 1, 1.0 / (count - 1) as f64);
    let y = |i: usize| nodes.index_axis(Axis(1), i).to_owned();
    let rise = |i: usize| (y(i + 1) - y(i)) / h;
    let mut slopes = Array3::zeros((m, count, d));
    let mut set = |i: usize, slope: &Array2<f64>| slopes.index_axis_mut(Axis(1), i).assign(slope);
    match n {
        1 => (0..2).for_each(|i| set(i, &rise(0))),
        2 => {
            let (first, second) = (rise(0), rise(1));
            let turn = &second - &first;
            set(0, &(&first - &(&turn * 0.5)));
            set(1, &((&first + &second) * 0.5));
            set(2, &(&second + &(&turn * 0.5)));
        }
        _ => {
            // s₀ + 2s₁ = (5Δ₀ + Δ₁)/2 at the ends, sᵢ₋₁ + 4sᵢ + sᵢ₊₁ = 3(Δᵢ₋₁ + Δᵢ) between them.
            let (mut diagonal, mut right) = (vec![1.0; count], Vec::with_capacity(count));
            right.push((rise(0) * 5.0 + rise(1)) * 0.5);
            right.extend((1..n).map(|i| (rise(i - 1) + rise(i)) * 3.0));
            right.push((rise(n - 1) * 5.0 + rise(n - 2)) * 0.5);
            let upper = |i: usize| if i == 0 { 2.0 } else { 1.0 };
            for i in 1..count {
                let (lower, middle) = if i == n { (2.0, 1.0) } else { (1.0, 4.0) };
                let factor = lower / diagonal[i - 1];
                diagonal[i] = middle - factor * upper(i - 1);
                let carried = &right[i - 1] * factor;
                right[i] -= &carried;
            }
            let mut next = &right[n] / diagonal[n];
            set(n, &next);
            for i in (0..n).rev() {
                next = (&right[i] - &(&next * upper(i))) / diagonal[i];
                set(i, &next);
            }
        }
    }
    Ok(slopes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// A spline reproduces cubics exactly, whatever the number of nodes from four on.
    #[test]
    fn cubics_are_reproduced() {
        for count in [4, 5, 9, 33] {
            let cubic = |t: f64| 1.0 - 2.0 * t + 3.0 * t * t - 4.0 * t * t * t;
            let nodes = Array3::from_shape_fn((2, count, 1), |(c, i, _)| cubic(i as f64 / (count - 1) as f64) * (c as f64 + 1.0));
            let curves = Curves::through(nodes.view()).unwrap();
            for t in [0.0, 0.13, 0.5, 0.77, 1.0] {
                let (z, v) = curves.at(t);
                assert!(
                    (z[[1, 0]] - 2.0 * cubic(t)).abs() < 1e-13 && (v[[0, 0]] - (-2.0 + 6.0 * t - 12.0 * t * t)).abs() < 1e-11,
                    "{count} {t}"
                );
            }
        }
        let line = Curves::straight(ndarray::array![[0.0, 1.0]].view(), ndarray::array![[2.0, 1.0]].view(), 3).unwrap();
        assert_eq!(line.at(0.25).0, ndarray::array![[0.5, 1.0]]);
        assert_eq!(Curves::through(line.nodes.view()).unwrap().at(0.9).1.mapv(|x| (x * 1e12).round() / 1e12), ndarray::array![[2.0, 0.0]]);
    }
}
