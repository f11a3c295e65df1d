//! Distances along a graph over codes: an upper bound of every distance at once, and starts for geodesics.
//!
//! Each point is joined to its k nearest others (by |z|, either way round); components are joined by the shortest links between them, which
//! are counted. An edge weighs the length of its straight segment by quadrature, with the error estimate added, or the chord |F(a) − F(b)|.
//! With lengths, the shortest path is a curve that exists, so its length is an upper bound of the distance; chords are not. Dijkstra (1959)
//! from one to all; from one to one A* (Hart, Nilsson and Raphael, 1968) with |F(x) − F(goal)|, which no path from x undercuts.
//! Graph distances are too long, by more in more dimensions: the edges are too few to go straight.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use ndarray::{Array2, ArrayView2, Axis};
use rayon::prelude::*;

use super::curve::Curves;
use super::manifold::Manifold;
use crate::error::{Error, Result};

/// What an edge weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weights {
    /// The length of its segment: path lengths are upper bounds.
    Lengths,
    /// |F(a) − F(b)|: cheap, for a first idea of a path. Lengths where there is no F.
    Chords,
}

/// A graph over latents.
#[derive(Debug, Clone)]
pub struct LatentGraph {
    /// `[n, d]`.
    points: Array2<f64>,
    /// F(z) `[n, D]`, where the metric has an F.
    images: Option<Array2<f64>>,
    /// Neighbours of each with the weights of their edges.
    edges: Vec<Vec<(usize, f64)>>,
    /// Links that were added between components.
    links: usize,
}

/// A shortest path of the graph.
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    /// Points from the first to the last.
    pub nodes: Vec<usize>,
    /// The sum of its edges.
    pub length: f64,
    /// Points that the search had to settle.
    pub settled: usize,
}

impl LatentGraph {
    /// Over points `[n, d]`, each joined to its k nearest.
    ///
    /// # Errors
    /// Fewer than two points, or of another width; those of the metric.
    pub fn new(manifold: &dyn Manifold, points: ArrayView2<'_, f64>, k: usize, weights: Weights) -> Result<Self> {
        let (n, d) = points.dim();
        if n < 2 || d != manifold.dim() {
            let what = format!("a graph needs two points with {} latents, got {:?}", manifold.dim(), points.dim());
            return Err(Error::Shape { what, hint: None });
        }
        let mut pairs = neighbours(points, k);
        let links = join(points, &mut pairs);
        let images = manifold.embedding().map(|f| f.decode(points, None)).transpose()?;
        let lengths: Vec<f64> = match (&images, weights) {
            (Some(images), Weights::Chords) => pairs.iter().map(|&(i, j)| distance(images.row(i), images.row(j))).collect(),
            _ => segments(manifold, points, &pairs)?,
        };
        let mut edges = vec![Vec::new(); n];
        for (&(i, j), length) in pairs.iter().zip(lengths) {
            // What is not finite cannot be walked.
            if f64::is_finite(length) {
                edges[i].push((j, length));
                edges[j].push((i, length));
            }
        }
        Ok(Self { points: points.to_owned(), images, edges, links })
    }

    /// The points `[n, d]`.
    pub fn points(&self) -> ArrayView2<'_, f64> {
        self.points.view()
    }

    /// How many links between components were added.
    pub fn links(&self) -> usize {
        self.links
    }

    /// How many edges there are.
    pub fn edges(&self) -> usize {
        self.edges.iter().map(Vec::len).sum::<usize>() / 2
    }

    /// Lengths of the shortest paths from one point to all `[n]`; ∞ where there is none.
    pub fn from(&self, source: usize) -> Vec<f64> {
        self.search(source, None).0
    }

    /// The shortest path between two points; `None` where there is none.
    pub fn path(&self, source: usize, goal: usize) -> Option<Path> {
        let (lengths, before, settled) = self.search(source, Some(goal));
        let length = lengths[goal];
        if !length.is_finite() {
            return None;
        }
        let mut nodes = vec![goal];
        while let Some(&last) = nodes.last()
            && last != source
        {
            nodes.push(before[last]);
        }
        nodes.reverse();
        Some(Path { nodes, length, settled })
    }

    /// Bounds of the distances between all points: chords |F(a) − F(b)| (0 without an F) and lengths of shortest paths, both `[n, n]`.
    /// The latter are upper bounds for a graph of [`Weights::Lengths`], ∞ where no path joins two points.
    pub fn bracket(&self) -> [Array2<f64>; 2] {
        let n = self.points.nrows();
        let chord = |i: usize, j: usize| self.images.as_ref().map_or(0.0, |images| distance(images.row(i), images.row(j)));
        let rows: Vec<[Vec<f64>; 2]> = (0..n).into_par_iter().map(|i| [(0..n).map(|j| chord(i, j)).collect(), self.from(i)]).collect();
        let of = |which: usize| Array2::from_shape_fn((n, n), |(i, j)| rows[i][which][j]);
        let (lower, mut upper) = (of(0), of(1));
        // Sums in the other order differ by rounding.
        for i in 0..n {
            for j in 0..i {
                let least = f64::min(upper[[i, j]], upper[[j, i]]);
                (upper[[i, j]], upper[[j, i]]) = (least, least);
            }
        }
        [lower, upper]
    }

    /// Dijkstra, or A* towards a goal: lengths, who comes before whom, and how many were settled.
    fn search(&self, source: usize, goal: Option<usize>) -> (Vec<f64>, Vec<usize>, usize) {
        let n = self.points.nrows();
        let left = |i: usize| match (goal, &self.images) {
            (Some(goal), Some(images)) => distance(images.row(i), images.row(goal)),
            _ => 0.0,
        };
        let (mut lengths, mut before, mut settled) = (vec![f64::INFINITY; n], vec![source; n], vec![false; n]);
        let mut heap = BinaryHeap::from([Open { reach: left(source), point: source }]);
        lengths[source] = 0.0;
        let mut count = 0;
        while let Some(Open { point, .. }) = heap.pop() {
            if std::mem::replace(&mut settled[point], true) {
                continue;
            }
            count += 1;
            if goal == Some(point) {
                break;
            }
            for &(next, length) in &self.edges[point] {
                let length = lengths[point] + length;
                if !settled[next] && length < lengths[next] {
                    (lengths[next], before[next]) = (length, point);
                    heap.push(Open { reach: length + left(next), point: next });
                }
            }
        }
        (lengths, before, count)
    }
}

/// A point that may be settled next; the nearest is the greatest, and equal ones go by their number.
struct Open {
    reach: f64,
    point: usize,
}

impl Ord for Open {
    fn cmp(&self, other: &Self) -> Ordering {
        other.reach.total_cmp(&self.reach).then_with(|| other.point.cmp(&self.point))
    }
}

impl PartialOrd for Open {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Open {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Open {}

/// Lengths of straight segments, with their error.
fn segments(manifold: &dyn Manifold, points: ArrayView2<'_, f64>, pairs: &[(usize, usize)]) -> Result<Vec<f64>> {
    let (from, to): (Vec<usize>, Vec<usize>) = pairs.iter().copied().unzip();
    let (from, to) = (points.select(Axis(0), &from), points.select(Axis(0), &to));
    let measured = Curves::straight(from.view(), to.view(), 1)?.measure(manifold)?;
    Ok(measured.into_iter().map(|m| m.length + m.length_error).collect())
}

/// Pairs (i, j), i < j, of which one is among the k nearest of the other, in order.
fn neighbours(points: ArrayView2<'_, f64>, k: usize) -> Vec<(usize, usize)> {
    let n = points.nrows();
    let k = k.clamp(1, n - 1);
    let nearest = |i: usize| {
        let mut others: Vec<(f64, usize)> = (0..n).filter(|j| *j != i).map(|j| (squared(points.row(i), points.row(j)), j)).collect();
        let order = |a: &(f64, usize), b: &(f64, usize)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
        if k < others.len() {
            others.select_nth_unstable_by(k - 1, order);
            others.truncate(k);
        }
        others.into_iter().map(|(_, j)| (i.min(j), i.max(j))).collect::<Vec<_>>()
    };
    let mut pairs: Vec<(usize, usize)> = (0..n).into_par_iter().flat_map_iter(nearest).collect();
    pairs.par_sort_unstable();
    pairs.dedup();
    pairs
}

/// Adds the shortest link from the component of the first point to another until there is one component: how many.
fn join(points: ArrayView2<'_, f64>, pairs: &mut Vec<(usize, usize)>) -> usize {
    let n = points.nrows();
    let mut component: Vec<usize> = (0..n).collect();
    for &(i, j) in pairs.iter() {
        let (i, j) = (root(&mut component, i), root(&mut component, j));
        component[i.max(j)] = i.min(j);
    }
    let mut links = 0;
    loop {
        let (inside, outside): (Vec<usize>, Vec<usize>) = (0..n).partition(|i| root(&mut component, *i) == 0);
        let shortest = inside
            .par_iter()
            .flat_map_iter(|i| outside.iter().map(move |j| (squared(points.row(*i), points.row(*j)), *i, *j)))
            .min_by(|a, b| a.0.total_cmp(&b.0).then((a.1, a.2).cmp(&(b.1, b.2))));
        let Some((_, i, j)) = shortest else { return links };
        pairs.push((i.min(j), i.max(j)));
        let (i, j) = (root(&mut component, i), root(&mut component, j));
        component[i.max(j)] = i.min(j);
        links += 1;
    }
}

/// The first point of the component of i.
fn root(component: &mut [usize], mut i: usize) -> usize {
    while component[i] != i {
        component[i] = component[component[i]];
        i = component[i];
    }
    i
}

fn squared(a: ndarray::ArrayView1<'_, f64>, b: ndarray::ArrayView1<'_, f64>) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

fn distance(a: ndarray::ArrayView1<'_, f64>, b: ndarray::ArrayView1<'_, f64>) -> f64 {
    squared(a, b).sqrt()
}
