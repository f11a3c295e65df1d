//! The latent space as a Riemannian manifold.
//!
//! Every metric here has the form M(z) = A(z)ᵀA(z) with a frame A(z) `[m, d]`: the Jacobian of an embedding F, or the rows of a
//! form such as diag(1/σ) D(μ, √2 σ). Lengths, volumes and solves go through A (its QR factorisation or its singular values) and
//! never through M⁻¹, whose condition number is the square of A's.
//!
//! With r(t) = A(z + t v) v the equation of geodesics is
//!
//! ```text
//! c̈ = −A⁺ ṙ + M⁻¹ τ,     τ = ∇_z ⟨r, A(z) v⟩ − (dA/dt)ᵀ r   (v and r held fixed)
//! ```
//!
//! For an embedding ṙ = H[v, v], the second directional derivative of F, and the torsion τ vanishes because ∂ᵢ∂ⱼF = ∂ⱼ∂ᵢF: then
//! c̈ = −J⁺ H[ċ, ċ], acceleration orthogonal to the surface (do Carmo, *Riemannian Geometry*, 1992, chapter 3).
//!
//! Everything is batch-first; a batch shares one call of one compiled graph.

use ndarray::{Array2, Array3, ArrayView2, ArrayView3, Axis, Slice};
use rayon::prelude::*;

use super::factor::Factor;
use crate::error::Result;
use crate::linalg;
use crate::models::{Decoder, Smoothness};

/// What the equation of geodesics needs at points z moving with velocities v.
#[derive(Debug, Clone)]
pub struct Motion {
    /// A(z) column by column: `[n, d, m]`.
    pub frames: Array3<f64>,
    /// ṙ, the derivative of A(z + t v) v: `[n, m]`.
    pub turning: Array2<f64>,
    /// τ `[n, d]`; `None` where it vanishes.
    pub torsion: Option<Array2<f64>>,
}

/// What a step from a to b is in the space of a frame: the pieces of a curve's energy.
pub enum Steps<'a> {
    /// F(b) − F(a), from F.
    Image(&'a dyn Decoder),
    /// A((a + b)/2) (b − a), a function of (a, b) `[2d]`.
    Midpoint(&'a dyn Decoder),
}

/// Bytes of frames that are held at a time …
const FRAME_BYTES: usize = 16 << 20;
/// … though of as many points at least: threads share them.
const LEAST_POINTS: usize = 8;

/// Latents with a metric M(z) = A(z)ᵀA(z).
pub trait Manifold: Send + Sync {
    /// The embedding's name: lengths compare only under the same one.
    fn name(&self) -> &str;

    /// d.
    fn dim(&self) -> usize;

    /// m, the rows of a frame.
    fn frame_dim(&self) -> usize;

    /// Whether the equation of geodesics can be trusted: pieces that are linear have none.
    fn smoothness(&self) -> Smoothness;

    /// F, where the metric is the pull-back of flat space: then |F(a) − F(b)| is a lower bound of every distance.
    fn embedding(&self) -> Option<&dyn Decoder> {
        None
    }

    /// F in single precision, for first ideas of a curve; `None` where it has no such twin.
    fn draft(&self) -> Option<&dyn Decoder> {
        None
    }

    /// Steps between points, for the energy of curves.
    ///
    /// # Errors
    /// A metric that has none.
    fn steps(&self) -> Result<Steps<'_>> {
        self.embedding().map(Steps::Image).ok_or_else(|| crate::error::Error::Input {
            what: format!("the energy of curves under {} is not known", self.name()),
            hint: None,
        })
    }

    /// A(z) column by column: `[n, d]` → `[n, d, m]`.
    ///
    /// # Errors
    /// Latents of another width.
    fn frames(&self, z: ArrayView2<'_, f64>) -> Result<Array3<f64>>;

    /// A(z) v: `[n, d]`, `[n, k, d]` → `[n, k, m]`.
    ///
    /// # Errors
    /// Arrays that do not fit.
    fn push(&self, z: ArrayView2<'_, f64>, v: ArrayView3<'_, f64>) -> Result<Array3<f64>>;

    /// What the equation of geodesics needs at z `[n, d]` with velocities v `[n, d]`.
    ///
    /// # Errors
    /// Arrays that do not fit; an embedding without second derivatives.
    fn motion(&self, z: ArrayView2<'_, f64>, v: ArrayView2<'_, f64>) -> Result<Motion>;

    /// M(z): `[n, d]` → `[n, d, d]`.
    ///
    /// # Errors
    /// Those of [`Manifold::frames`].
    fn metric_at(&self, z: ArrayView2<'_, f64>) -> Result<Array3<f64>> {
        let d = self.dim();
        let mut metric = Array3::zeros((z.nrows(), d, d));
        for (rows, part) in chunks(z, d * self.frame_dim()) {
            let frames = self.frames(part)?;
            for (mut metric, frame) in metric.slice_axis_mut(Axis(0), rows).outer_iter_mut().zip(frames.outer_iter()) {
                metric.assign(&frame.dot(&frame.t()));
            }
        }
        Ok(metric)
    }

    /// The factorisations of A(z): `[n, d]` → n of them.
    ///
    /// # Errors
    /// Those of [`Manifold::frames`].
    fn factors(&self, z: ArrayView2<'_, f64>) -> Result<Vec<Factor>> {
        let mut factors = Vec::with_capacity(z.nrows());
        for (_, part) in chunks(z, self.dim() * self.frame_dim()) {
            let frames = self.frames(part)?;
            let each = (0..part.nrows()).into_par_iter().map(|i| Factor::new(linalg::r_factor(frames.index_axis(Axis(0), i))));
            factors.extend(each.collect::<Result<Vec<_>>>()?);
        }
        Ok(factors)
    }

    /// log √det M(z), the log-volume in nats `[n]`; −∞ without full rank.
    ///
    /// # Errors
    /// Those of [`Manifold::frames`].
    fn log_volume(&self, z: ArrayView2<'_, f64>) -> Result<Vec<f64>> {
        Ok(self.factors(z)?.iter().map(Factor::log_volume).collect())
    }

    /// |v|_M = |A v| `[n]`, for z and v `[n, d]`.
    ///
    /// # Errors
    /// Those of [`Manifold::push`].
    fn speed(&self, z: ArrayView2<'_, f64>, v: ArrayView2<'_, f64>) -> Result<Vec<f64>> {
        let mut speeds = Vec::with_capacity(z.nrows());
        for (rows, part) in chunks(z, self.frame_dim()) {
            let pushed = self.push(part, v.slice_axis(Axis(0), rows).insert_axis(Axis(1)))?;
            speeds.extend(pushed.outer_iter().map(|pushed| pushed.row(0).dot(&pushed.row(0)).sqrt()));
        }
        Ok(speeds)
    }

    /// ⟨u, v⟩_M = ⟨A u, A v⟩ `[n]`, for z, u and v `[n, d]`.
    ///
    /// # Errors
    /// Those of [`Manifold::push`].
    fn inner(&self, z: ArrayView2<'_, f64>, u: ArrayView2<'_, f64>, v: ArrayView2<'_, f64>) -> Result<Vec<f64>> {
        let mut products = Vec::with_capacity(z.nrows());
        for (rows, part) in chunks(z, 2 * self.frame_dim()) {
            let (u, v) = (u.slice_axis(Axis(0), rows), v.slice_axis(Axis(0), rows));
            let both = ndarray::stack(Axis(1), &[u, v]).map_err(|_| misfit(&u, &v))?;
            let pushed = self.push(part, both.view())?;
            products.extend(pushed.outer_iter().map(|pair| pair.row(0).dot(&pair.row(1))));
        }
        Ok(products)
    }

    /// c̈ at z `[n, d]` with ċ = v `[n, d]`, and R of each frame.
    ///
    /// Not finite where the frame has lost rank entirely or is not finite itself; how near that is, R tells.
    ///
    /// # Errors
    /// Those of [`Manifold::motion`].
    fn acceleration(&self, z: ArrayView2<'_, f64>, v: ArrayView2<'_, f64>) -> Result<Acceleration> {
        let d = self.dim();
        let mut all = Acceleration { values: Array2::zeros((z.nrows(), d)), triangles: Vec::with_capacity(z.nrows()) };
        for (rows, part) in chunks(z, (d + 1) * self.frame_dim()) {
            let motion = self.motion(part, v.slice_axis(Axis(0), rows))?;
            let mut values = all.values.slice_axis_mut(Axis(0), rows);
            for (i, mut value) in values.outer_iter_mut().enumerate() {
                let (solution, triangle) = motion.solve(i);
                value.assign(&ndarray::aview1(&solution));
                all.triangles.push(triangle);
            }
        }
        Ok(all)
    }
}

/// c̈ of a batch.
#[derive(Debug, Clone)]
pub struct Acceleration {
    /// c̈ `[n, d]`.
    pub values: Array2<f64>,
    /// R of A = QR at each point, `[d, d]`: M = RᵀR.
    pub triangles: Vec<Array2<f64>>,
}

impl Motion {
    /// c̈ of one sample and R of its frame: the least-squares solution by the R of the frame with ṙ as a further column, whose last
    /// column is Qᵀṙ.
    pub(super) fn solve(&self, i: usize) -> (Vec<f64>, Array2<f64>) {
        let (_, d, m) = self.frames.dim();
        let mut columns = Array2::zeros((d + 1, m));
        columns.slice_axis_mut(Axis(0), Slice::from(..d)).assign(&self.frames.index_axis(Axis(0), i));
        columns.row_mut(d).assign(&self.turning.row(i));
        let r = linalg::r_factor(columns.view());
        // A frame with fewer rows than columns has a triangle with zeros at its end: no solution.
        let triangle = Array2::from_shape_fn((d, d), |(i, j)| if i < m { r[[i, j]] } else { 0.0 });
        let projected: Vec<f64> = (0..d).map(|i| if i < m { -r[[i, d]] } else { 0.0 }).collect();
        let mut solution = linalg::solve_upper(triangle.view(), &projected);
        if let Some(torsion) = &self.torsion {
            // M⁻¹ τ = R⁻¹ R⁻ᵀ τ.
            let half = linalg::solve_upper_transposed(triangle.view(), &torsion.row(i).to_vec());
            let torsion = linalg::solve_upper(triangle.view(), &half);
            solution.iter_mut().zip(torsion).for_each(|(x, t)| *x += t);
        }
        (solution, triangle)
    }
}

/// Rows of z in chunks whose frames, of `values` numbers a row, take bounded memory.
pub(super) fn chunks(z: ArrayView2<'_, f64>, values: usize) -> impl Iterator<Item = (Slice, ArrayView2<'_, f64>)> {
    let (n, size) = (z.nrows(), (FRAME_BYTES / (values.max(1) * size_of::<f64>())).max(LEAST_POINTS));
    (0..n).step_by(size).map(move |start| {
        let rows = Slice::from(start..n.min(start + size));
        let mut part = z;
        part.slice_axis_inplace(Axis(0), rows);
        (rows, part)
    })
}

fn misfit(u: &ArrayView2<'_, f64>, v: &ArrayView2<'_, f64>) -> crate::error::Error {
    crate::error::Error::Shape { what: format!("vectors of shapes {:?} and {:?} at the same points", u.dim(), v.dim()), hint: None }
}
