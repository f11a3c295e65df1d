//! Where the search for a geodesic starts: the straight line, arcs beside it, the great circle about the origin, near which a normal prior
//! of many latents lies, and a path of the graph.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis, concatenate};

use super::energy::norm;
use super::graph::{LatentGraph, Weights};
use super::manifold::Manifold;
use crate::error::{Error, Result};
use crate::linalg;

/// Points of a side of the grid in a plane of latents without codes.
const SIDE: usize = 32;
/// How far the grid reaches beyond the end points, in their extent.
const MARGIN: f64 = 0.5;

/// Curves `[N+1, d]` from a to b.
pub(super) struct Starts {
    graph: Option<LatentGraph>,
    /// The first point of the graph that is an end point: a of pair i is 2 i further, b after it.
    first: usize,
    /// Up to two principal directions of the codes `[k, d]`.
    directions: Option<Array2<f64>>,
    arcs: Vec<f64>,
}

impl Starts {
    /// For pairs a, b `[n, d]`; over codes where there are some, and over a grid for two latents.
    pub fn new(
        manifold: &dyn Manifold,
        [a, b]: [ArrayView2<'_, f64>; 2],
        codes: Option<ArrayView2<'_, f64>>,
        neighbours: usize,
        arcs: &[f64],
    ) -> Result<Self> {
        let d = manifold.dim();
        let points = match codes {
            Some(codes) => Some(codes.to_owned()),
            None if d == 2 && manifold.embedding().is_some() => grid(a, b),
            None => None,
        };
        let mut starts = Self { graph: None, first: 0, directions: None, arcs: arcs.to_vec() };
        if let Some(points) = points {
            starts.first = points.nrows();
            let ends = Array2::from_shape_fn((2 * a.nrows(), d), |(i, j)| if i % 2 == 0 { a[[i / 2, j]] } else { b[[i / 2, j]] });
            let all = concatenate(Axis(0), &[points.view(), ends.view()])
                .map_err(|_| Error::Shape { what: format!("codes are {:?} for {d} latents", points.dim()), hint: None })?;
            starts.graph = Some(LatentGraph::new(manifold, all.view(), neighbours, Weights::Chords)?);
        }
        if let (Some(codes), true) = (codes, d > 2) {
            let centred = &codes - &codes.mean_axis(Axis(0)).unwrap_or_else(|| Array1::zeros(d));
            if centred.nrows() > 2 {
                starts.directions = Some(linalg::svd(centred.view())?.v.t().to_owned());
            }
        }
        Ok(starts)
    }

    /// All starts of pair i with N segments.
    pub fn of(&self, i: usize, a: ArrayView1<'_, f64>, b: ArrayView1<'_, f64>, segments: usize) -> Vec<Array2<f64>> {
        let along = &b - &a;
        let extent = norm(&along);
        let line = |h: f64, normal: &Array1<f64>| {
            Array2::from_shape_fn((segments + 1, a.len()), |(k, j)| {
                let t = k as f64 / segments as f64;
                let ends = if k == segments { b[j] } else { a[j] + t * along[j] };
                if k == 0 || k == segments { ends } else { ends + h * (std::f64::consts::PI * t).sin() * normal[j] }
            })
        };
        let mut curves = vec![line(0.0, &Array1::zeros(a.len()))];
        for normal in self.normals(&along) {
            for h in &self.arcs {
                curves.extend([h * extent, -h * extent].map(|h| line(h, &normal)));
            }
        }
        curves.extend(great_circle(a, b, segments));
        if let Some(graph) = &self.graph
            && let Some(path) = graph.path(self.first + 2 * i, self.first + 2 * i + 1)
            && path.nodes.len() > 2
        {
            curves.push(resampled(&graph.points().select(Axis(0), &path.nodes), segments));
        }
        curves
    }

    /// One unit vector across the line in a plane, two in more dimensions.
    fn normals(&self, along: &Array1<f64>) -> Vec<Array1<f64>> {
        let d = along.len();
        let mut basis = vec![along / norm(along)];
        let axis = |k: usize| Array1::from_shape_fn(d, |j| f64::from(u8::from(j == k)));
        let directions = self.directions.iter().flat_map(|directions| directions.outer_iter().map(|row| row.to_owned()));
        for candidate in directions.chain((0..d).map(axis)) {
            if basis.len() == d.min(3) {
                break;
            }
            let across = basis.iter().fold(candidate.clone(), |rest, unit| &rest - &(unit * unit.dot(&rest)));
            let length = norm(&across);
            if length > 0.3 * norm(&candidate) {
                basis.push(across / length);
            }
        }
        basis.split_off(1)
    }
}

/// Directions on the great circle, norms in between (Shoemake's slerp, 1985); in a plane arcs do as well. `None` where a and b are nearly one
/// direction, or opposite.
fn great_circle(a: ArrayView1<'_, f64>, b: ArrayView1<'_, f64>, segments: usize) -> Option<Array2<f64>> {
    let size = |x: ArrayView1<'_, f64>| x.dot(&x).sqrt();
    let (from, to) = (size(a), size(b));
    let angle = (a.dot(&b) / (from * to)).clamp(-1.0, 1.0).acos();
    if a.len() < 3 || !(0.1..3.0).contains(&angle) {
        return None;
    }
    Some(Array2::from_shape_fn((segments + 1, a.len()), |(k, j)| {
        let t = k as f64 / segments as f64;
        let direction = (((1.0 - t) * angle).sin() * a[j] / from + (t * angle).sin() * b[j] / to) / angle.sin();
        match k {
            0 => a[j],
            _ if k == segments => b[j],
            _ => ((1.0 - t) * from + t * to) * direction,
        }
    }))
}

/// A grid over the box of the end points and a margin; `None` where they are one point or not finite.
fn grid(a: ArrayView2<'_, f64>, b: ArrayView2<'_, f64>) -> Option<Array2<f64>> {
    let ends = a.outer_iter().chain(b.outer_iter());
    let (mut low, mut high) = ([f64::INFINITY; 2], [f64::NEG_INFINITY; 2]);
    for end in ends.filter(|end| end.iter().all(|x| x.is_finite())) {
        for j in 0..2 {
            (low[j], high[j]) = (low[j].min(end[j]), high[j].max(end[j]));
        }
    }
    let extent = (high[0] - low[0]).max(high[1] - low[1]);
    let usable = extent > 0.0 && extent.is_finite();
    let at = |j: usize, k: usize| {
        let (low, high) = (low[j] - MARGIN * extent, high[j] + MARGIN * extent);
        low + (high - low) * k as f64 / (SIDE - 1) as f64
    };
    usable.then(|| Array2::from_shape_fn((SIDE * SIDE, 2), |(i, j)| at(j, if j == 0 { i / SIDE } else { i % SIDE })))
}

/// N + 1 points of a polyline at equal distances.
fn resampled(line: &Array2<f64>, segments: usize) -> Array2<f64> {
    let mut reached = vec![0.0];
    for k in 1..line.nrows() {
        reached.push(reached[k - 1] + norm(&(&line.row(k) - &line.row(k - 1))));
    }
    let total = reached[line.nrows() - 1];
    let mut nodes = Array2::zeros((segments + 1, line.ncols()));
    let mut piece = 0;
    for (k, mut node) in nodes.outer_iter_mut().enumerate() {
        let at = total * k as f64 / segments as f64;
        while piece + 2 < line.nrows() && reached[piece + 1] < at {
            piece += 1;
        }
        let share = ((at - reached[piece]) / (reached[piece + 1] - reached[piece])).clamp(0.0, 1.0);
        let share = if share.is_finite() { share } else { 1.0 };
        node.assign(&(&line.row(piece) * (1.0 - share) + &line.row(piece + 1) * share));
    }
    nodes.row_mut(segments).assign(&line.row(line.nrows() - 1));
    nodes
}
