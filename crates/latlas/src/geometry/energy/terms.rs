//! The energy of curves on a manifold, and its derivatives.

use ndarray::{Array1, Array2, Array3, ArrayView2, Axis, Slice};

use super::pieces::Pieces;
use super::running::Running;
use crate::error::Result;
use crate::geometry::banded::Banded;
use crate::geometry::manifold::{Steps, chunks};
use crate::models::Decoder;

/// The energy on a manifold.
pub struct Energy<'a> {
    pub steps: Steps<'a>,
    /// How the energy follows from values of F.
    pub pieces: Pieces,
    /// Whether second derivatives can be relied on.
    pub exact: bool,
}

/// Derivatives of ½ Σ |s|² with respect to the inner nodes.
pub struct Terms {
    pub gradient: Vec<f64>,
    pub hessian: Banded,
    /// Mixed derivatives in an inner node and b `[d, d]`, where there are some.
    pub end: Vec<(usize, Array2<f64>)>,
    /// Whether the Hessian has its second derivatives of F.
    pub exact: bool,
}

impl Energy<'_> {
    /// Steps `[N, m]` of each curve, whose Σ |t|² is the energy over N.
    pub fn steps(&self, curves: &[&Array2<f64>]) -> Result<Vec<Array2<f64>>> {
        let Some(nodes) = curves.first().map(|curve| curve.nrows()) else { return Ok(Vec::new()) };
        let views: Vec<ArrayView2<'_, f64>> = curves.iter().map(|curve| curve.view()).collect();
        match &self.steps {
            Steps::Image(f) => {
                let images = f.decode(stacked(&views).view(), None)?;
                Ok((0..curves.len()).map(|c| self.pieces.steps(rows(images.view(), c * nodes..(c + 1) * nodes))).collect())
            }
            Steps::Midpoint(step) => {
                let steps = step.decode(segments(&views).view(), None)?;
                Ok((0..curves.len()).map(|c| rows(steps.view(), c * (nodes - 1)..(c + 1) * (nodes - 1)).to_owned()).collect())
            }
        }
    }

    /// Gradients and Hessians, those without second derivatives of F where they are not wanted or not `exact`.
    pub fn terms(&self, curves: &[&Running], second: bool) -> Result<Vec<Terms>> {
        let Some((n, d)) = size(curves) else { return Ok(Vec::new()) };
        let second = second && self.exact;
        let width = (self.pieces.segments() + 1) * d - 1;
        let blank = || Terms {
            gradient: vec![0.0; (n - 1) * d],
            hessian: Banded::zeros((n - 1) * d, width),
            end: Vec::new(),
            exact: second == self.exact,
        };
        let mut all: Vec<Terms> = curves.iter().map(|_| blank()).collect();
        match &self.steps {
            Steps::Image(f) => {
                // Columns of the nodes of a piece, by node.
                let mut piece: Vec<Array2<f64>> = Vec::new();
                Self::each(
                    *f,
                    &after_first(curves),
                    second,
                    |row| self.rest(curves, row),
                    |row, columns, mut second, pull| {
                        let (terms, node) = (&mut all[row / n], row % n + 1);
                        let first = self.pieces.first(node);
                        // The last node of one piece is the first of the next; a is none.
                        if node == first + 1 {
                            piece = piece.pop().filter(|_| first > 0).into_iter().collect();
                        }
                        for (earlier, of) in (first.max(1)..node).zip(&piece) {
                            let mixed = products(of, &columns) * self.pieces.stiffness(earlier, node);
                            terms.mixed(earlier - 1, node - 1, &mixed, n);
                        }
                        if node < n {
                            second.scaled_add(self.pieces.stiffness(node, node), &products(&columns, &columns));
                            terms.own(node - 1, second.view(), &pull);
                        }
                        piece.push(columns);
                    },
                )?;
            }
            Steps::Midpoint(step) => {
                let own = |row: usize| curves[row / n].steps.row(row % n).to_owned();
                let views: Vec<_> = curves.iter().map(|curve| curve.nodes.view()).collect();
                Self::each(*step, &segments(&views), second, own, |row, columns, second, pull| {
                    let (terms, i) = (&mut all[row / n], row % n);
                    let block = columns.dot(&columns.t()) + second;
                    let part = |k: usize, l: usize| Array2::from_shape_fn((d, d), |(row, column)| block[[k * d + row, l * d + column]]);
                    let half = |k: usize| Array1::from_shape_fn(d, |row| pull[k * d + row]);
                    if i > 0 {
                        terms.own(i - 1, part(0, 0).view(), &half(0));
                        terms.mixed(i - 1, i, &part(0, 1), n);
                    }
                    if i + 1 < n {
                        terms.own(i, part(1, 1).view(), &half(1));
                    }
                })?;
            }
        }
        Ok(all)
    }

    /// Gradients alone, each `[(N − 1) d]`: no Jacobian is formed.
    pub fn gradients(&self, curves: &[&Running]) -> Result<Vec<Vec<f64>>> {
        let Some((n, d)) = size(curves) else { return Ok(Vec::new()) };
        let mut all = vec![vec![0.0; (n - 1) * d]; curves.len()];
        let mut add = |curve: usize, i: usize, pull: &[f64]| {
            all[curve][i * d..(i + 1) * d].iter_mut().zip(pull).for_each(|(g, p)| *g += p);
        };
        match &self.steps {
            Steps::Image(f) => {
                let pulled = pull(*f, &after_first(curves), |row| self.rest(curves, row))?;
                for (row, pull) in pulled.outer_iter().enumerate().filter(|(row, _)| row % n + 1 < n) {
                    add(row / n, row % n, &pull.to_vec());
                }
            }
            Steps::Midpoint(step) => {
                let views: Vec<_> = curves.iter().map(|curve| curve.nodes.view()).collect();
                let pulled = pull(*step, &segments(&views), |row| curves[row / n].steps.row(row % n).to_owned())?;
                for (row, pull) in pulled.outer_iter().enumerate() {
                    let (pull, i) = (pull.to_vec(), row % n);
                    if i > 0 {
                        add(row / n, i - 1, &pull[..d]);
                    }
                    if i + 1 < n {
                        add(row / n, i, &pull[d..]);
                    }
                }
            }
        }
        Ok(all)
    }

    /// Bᵀ t at the node of a row of [`after_first`]; 0 at b.
    fn rest(&self, curves: &[&Running], row: usize) -> Array1<f64> {
        let n = curves[0].nodes.nrows() - 1;
        let (steps, node) = (&curves[row / n].steps, row % n + 1);
        if node < n { self.pieces.pull(steps, node) } else { Array1::zeros(steps.ncols()) }
    }

    /// For each row of z in order: the columns of Df, the Hessian of ⟨w, f⟩ (0 where it is left out), and Dfᵀ w, for a weight w each.
    fn each(
        f: &dyn Decoder,
        z: &Array2<f64>,
        second: bool,
        weight: impl Fn(usize) -> Array1<f64>,
        mut done: impl FnMut(usize, Array2<f64>, Array2<f64>, Array1<f64>),
    ) -> Result<()> {
        let d = z.ncols();
        let mut row = 0;
        for (_, part) in chunks(z.view(), d * f.ambient_dim()) {
            let weights = weights(row, part.nrows(), f.ambient_dim(), &weight);
            let at = f.linearize(part, None)?;
            let (columns, second) =
                if second { at.columns_and_hessian(weights.view())? } else { (at.columns()?, Array3::zeros((part.nrows(), d, d))) };
            for (i, columns) in columns.outer_iter().enumerate() {
                let pull = columns.dot(&weights.row(i));
                done(row + i, columns.to_owned(), second.index_axis(Axis(0), i).to_owned(), pull);
            }
            row += part.nrows();
        }
        Ok(())
    }
}

impl Terms {
    /// Adds what belongs to inner node i alone.
    fn own(&mut self, i: usize, block: ArrayView2<'_, f64>, gradient: &Array1<f64>) {
        let d = gradient.len();
        for row in 0..d {
            self.gradient[i * d + row] += gradient[row];
            (0..=row).for_each(|column| self.hessian.add(i * d + row, i * d + column, block[[row, column]]));
        }
    }

    /// Adds what belongs to inner nodes k < i `[d, d]`; the last of them is b.
    fn mixed(&mut self, k: usize, i: usize, block: &Array2<f64>, n: usize) {
        if i + 1 == n {
            self.end.push((k, block.clone()));
            return;
        }
        let d = block.nrows();
        for ((row, column), value) in block.indexed_iter() {
            self.hessian.add(i * d + column, k * d + row, *value);
        }
    }
}

/// Dfᵀ w `[n, d]` for a weight w each.
fn pull(f: &dyn Decoder, z: &Array2<f64>, weight: impl Fn(usize) -> Array1<f64>) -> Result<Array2<f64>> {
    let mut pulled = Array2::zeros(z.dim());
    for (rows, part) in chunks(z.view(), f.ambient_dim()) {
        let weights = weights(rows.start as usize, part.nrows(), f.ambient_dim(), &weight).insert_axis(Axis(1));
        let found = f.linearize(part, None)?.vjp(weights.view())?;
        pulled.slice_axis_mut(Axis(0), rows).assign(&found.index_axis(Axis(1), 0));
    }
    Ok(pulled)
}

fn weights(first: usize, n: usize, width: usize, weight: &impl Fn(usize) -> Array1<f64>) -> Array2<f64> {
    let mut weights = Array2::zeros((n, width));
    weights.outer_iter_mut().enumerate().for_each(|(i, mut w)| w.assign(&weight(first + i)));
    weights
}

/// N and d of curves that are all alike.
fn size(curves: &[&Running]) -> Option<(usize, usize)> {
    curves.first().map(|curve| (curve.nodes.nrows() - 1, curve.nodes.ncols()))
}

/// Inner nodes and b, whose Jacobian the last mixed derivative needs: `[m · N, d]`.
fn after_first(curves: &[&Running]) -> Array2<f64> {
    let inner: Vec<_> = curves.iter().map(|curve| rows(curve.nodes.view(), 1..curve.nodes.nrows())).collect();
    stacked(&inner)
}

/// A Bᵀ of the columns of two frames `[d, m]`: few long inner products, for which packing costs more than it gains.
fn products(a: &Array2<f64>, b: &Array2<f64>) -> Array2<f64> {
    if a.nrows() > 8 { a.dot(&b.t()) } else { Array2::from_shape_fn((a.nrows(), b.nrows()), |(i, j)| a.row(i).dot(&b.row(j))) }
}

fn stacked(parts: &[ArrayView2<'_, f64>]) -> Array2<f64> {
    ndarray::concatenate(Axis(0), parts).unwrap_or_default()
}

fn rows(mut of: ArrayView2<'_, f64>, range: std::ops::Range<usize>) -> ArrayView2<'_, f64> {
    of.slice_axis_inplace(Axis(0), Slice::from(range));
    of
}

/// (cᵢ, cᵢ₊₁) of all segments: `[m · N, 2d]`.
fn segments(curves: &[ArrayView2<'_, f64>]) -> Array2<f64> {
    let (from, to): (Vec<_>, Vec<_>) = curves.iter().map(|c| (rows(*c, 0..c.nrows() - 1), rows(*c, 1..c.nrows()))).unzip();
    ndarray::concatenate(Axis(1), &[stacked(&from).view(), stacked(&to).view()]).unwrap_or_default()
}
