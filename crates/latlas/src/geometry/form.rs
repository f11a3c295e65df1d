//! Metrics in the form M(z) = A(z)ᵀA(z) whose frame A is not the Jacobian of a map.
//!
//! A form is given as a graph (z, v) ↦ A(z) v, linear in v; the terms of the equation of geodesics are transformations of it
//! (see [`manifold`](super::manifold)). The Fisher–Rao metric of N(μ, diag σ²) is A v = (Jμ v / σ, √2 Jσ v / σ) (Rao, 1945;
//! Skovgaard, *A Riemannian geometry of the multivariate normal model*, 1984), the half-plane of Poincaré A v = v / y.

use std::sync::OnceLock;

use latlas_graph::ops::Binary;
use latlas_graph::transform::{jvp, vjp};
use latlas_graph::{Builder, Graph, NodeId, Port, Rows, Tensor, lower};
use ndarray::{Array3, ArrayView2, ArrayView3};

use super::embedding::{self, Embedding};
use super::manifold::{Manifold, Motion, Steps};
use crate::error::{Error, Result};
use crate::models::onnx::Options;
use crate::models::onnx::compiled::{Compiled, array2, array3};
use crate::models::{OnnxDecoder, Smoothness};
use crate::settings::Dtype;

/// Latents with the metric |A(z) v|² of a frame A.
pub struct FormManifold {
    name: String,
    /// Inputs z and v, output A(z) v.
    form: Graph,
    smoothness: Smoothness,
    frames: OnceLock<Compiled>,
    motion: OnceLock<Compiled>,
    step: OnceLock<OnnxDecoder>,
}

impl FormManifold {
    /// Of a form that `write` writes into a builder from z and v, both of shape `[d]`.
    ///
    /// # Errors
    /// Those of `write`.
    pub fn new(name: &str, d: usize, write: impl FnOnce(&mut Builder, NodeId, NodeId) -> Result<NodeId>) -> Result<Self> {
        let mut b = Builder::new();
        let z = b.input("z", Rows::SAMPLE, &[d], &[d]);
        let v = b.input("v", Rows::SAMPLE, &[d], &[d]);
        let node = write(&mut b, z, v)?;
        let form = finish(b, node);
        Ok(Self::over(name, form, Smoothness::Smooth))
    }

    fn over(name: &str, form: Graph, smoothness: Smoothness) -> Self {
        Self { name: name.into(), form, smoothness, frames: OnceLock::new(), motion: OnceLock::new(), step: OnceLock::new() }
    }

    /// The Fisher–Rao metric of a decoder's N(μ, diag σ²).
    ///
    /// # Errors
    /// A decoder without a spread or with a condition.
    pub fn gaussian_fisher(decoder: &OnnxDecoder) -> Result<Self> {
        let (mut b, z, outputs) = embedding::over_latents(decoder)?;
        let (mean, sigma) = embedding::mean_and_spread(&mut b, &outputs, decoder.heads(), &Embedding::GaussianFisher)?;
        let (shape, item) = (b.graph().inputs[0].shape.clone(), b.shape(z).to_vec());
        let v = b.input("v", Rows::SAMPLE, &shape, &item);
        let pushed = jvp(&mut b, &[(z, v)], &[mean, sigma])?;
        let mut scaled = Vec::new();
        for (tangent, factor) in pushed.into_iter().zip([1.0, 2.0_f64.sqrt()]) {
            let tangent = tangent.unwrap_or_else(|| b.filled_like(sigma, 0.0));
            let over = b.binary(Binary::Div, tangent, sigma);
            scaled.push(lower::times(&mut b, over, factor));
        }
        let node = b.concat(&scaled, 0);
        let mut form = finish(b, node);
        form.operators.clone_from(&decoder.graph().operators);
        let smoothness = if form.has_kinks() { Smoothness::PiecewiseSmooth } else { Smoothness::Smooth };
        Ok(Self::over(Embedding::GaussianFisher.name(), form, smoothness))
    }

    /// Poincaré's half-plane, M = I/y² at (x, y), y > 0: curvature −1, distance arcosh(1 + |a − b|²/(2 y_a y_b)).
    ///
    /// # Errors
    /// None that its graph could give.
    pub fn half_plane() -> Result<Self> {
        Self::new("half-plane", 2, |b, z, v| {
            let height = b.constant(Tensor::new([2], [1.0, 1.0]));
            let height = b.take(z, height);
            Ok(b.binary(Binary::Div, v, height))
        })
    }

    /// ports of (z, v): A(z) v, and A(z) column by column.
    fn frames_program(&self) -> Result<&Compiled> {
        kept(&self.frames, || {
            let mut b = Builder::from_graph(self.form.clone());
            let (v, r) = (self.form.inputs[1].node, self.form.outputs[0].clone());
            let columns = columns(&mut b, v, r.node)?;
            let outputs = vec![r.clone(), Port { name: "frame".into(), node: columns, ..r }];
            Compiled::new(&b.finish(outputs), Dtype::F64)
        })
    }

    /// Ports of (z, v): A(z) column by column, ṙ and τ.
    fn motion_program(&self) -> Result<&Compiled> {
        kept(&self.motion, || {
            let mut b = Builder::from_graph(self.form.clone());
            let (z, v, r) = (self.form.inputs[0].node, self.form.inputs[1].node, self.form.outputs[0].clone());
            let frame = columns(&mut b, v, r.node)?;
            let turning = jvp(&mut b, &[(z, v)], &[r.node])?.swap_remove(0).unwrap_or_else(|| b.filled_like(r.node, 0.0));
            // r and v held fixed: τ = ∇_z ⟨r, A v⟩ − d/dt (Aᵀ r).
            let fixed = b.detach(r.node);
            let pulled = vjp(&mut b, &[(r.node, fixed)], &[z, v])?;
            let along_z = pulled[0].unwrap_or_else(|| b.filled_like(z, 0.0));
            let moved = match pulled[1] {
                Some(co) => jvp(&mut b, &[(z, v)], &[co])?.swap_remove(0),
                None => None,
            };
            let torsion = match moved {
                Some(moved) => b.binary(Binary::Sub, along_z, moved),
                None => along_z,
            };
            let d = b.shape(z).to_vec();
            let ports = [("frame", frame, r.shape.clone()), ("turning", turning, r.shape), ("torsion", torsion, d)];
            let ports = ports.map(|(name, node, shape)| Port { name: name.into(), node, shape, default: None });
            Compiled::new(&b.finish(ports.into()), Dtype::F64)
        })
    }

    /// (a, b) ↦ A((a + b)/2) (b − a).
    fn write_step(&self) -> Result<OnnxDecoder> {
        let d = self.dim();
        let mut b = Builder::new();
        let ends = b.input("ends", Rows::SAMPLE, &[2 * d], &[2 * d]);
        let mut half = |from: usize| {
            let places = b.constant(Tensor::new([d], (from..from + d).map(|i| i as f64).collect::<Vec<_>>()));
            b.take(ends, places)
        };
        let (first, last) = (half(0), half(d));
        let sum = b.binary(Binary::Add, first, last);
        let (middle, difference) = (lower::times(&mut b, sum, 0.5), b.binary(Binary::Sub, last, first));
        let mut inputs = Vec::new();
        for (i, value) in [middle, difference].into_iter().enumerate() {
            let shape = self.form.node(self.form.inputs[i].node).shape.clone();
            inputs.push((i, b.reshape(value, &shape)));
        }
        let mut node = b.graft(&self.form, &inputs)?[0];
        // A decoder has no fewer values than latents; zeros change no length.
        if self.frame_dim() < 2 * d {
            let zeros = b.filled(&[2 * d - self.frame_dim()], 0.0);
            let step = b.reshape(node, &[self.frame_dim()]);
            node = b.concat(&[step, zeros], 0);
        }
        OnnxDecoder::from_graph(&self.name, finish(b, node), &Options::with_dtype(Dtype::F64))
    }

    fn check(&self, z: &ArrayView2<'_, f64>, v: (usize, usize)) -> Result<()> {
        if z.ncols() == self.dim() && v == z.dim() {
            return Ok(());
        }
        let what = format!("{} has {} latents, got points {:?} and vectors {v:?}", self.name, self.dim(), z.dim());
        Err(Error::Shape { what, hint: None })
    }
}

impl Manifold for FormManifold {
    fn name(&self) -> &str {
        &self.name
    }

    fn dim(&self) -> usize {
        self.form.node(self.form.inputs[0].node).item_len()
    }

    fn frame_dim(&self) -> usize {
        self.form.node(self.form.outputs[0].node).item_len()
    }

    fn smoothness(&self) -> Smoothness {
        self.smoothness
    }

    fn steps(&self) -> Result<Steps<'_>> {
        if let Some(step) = self.step.get() {
            return Ok(Steps::Midpoint(step));
        }
        let step = self.write_step()?;
        Ok(Steps::Midpoint(self.step.get_or_init(|| step)))
    }

    fn frames(&self, z: ArrayView2<'_, f64>) -> Result<Array3<f64>> {
        self.check(&z, z.dim())?;
        let (n, d) = z.dim();
        let columns = self.frames_program()?.run(n, &[z.iter().copied().collect(), vec![0.0; n * d]], &[(1, d)])?.swap_remove(0);
        array3((n, d, self.frame_dim()), columns)
    }

    fn push(&self, z: ArrayView2<'_, f64>, v: ArrayView3<'_, f64>) -> Result<Array3<f64>> {
        let (n, k, d) = v.dim();
        self.check(&z, (n, d))?;
        // One row a vector: the points are repeated.
        let points = z.outer_iter().flat_map(|z| std::iter::repeat_n(z, k)).flatten().copied().collect();
        let pushed = self.frames_program()?.run(n * k, &[points, v.iter().copied().collect()], &[(0, 1)])?.swap_remove(0);
        array3((n, k, self.frame_dim()), pushed)
    }

    fn motion(&self, z: ArrayView2<'_, f64>, v: ArrayView2<'_, f64>) -> Result<Motion> {
        self.check(&z, v.dim())?;
        let ((n, d), m) = (z.dim(), self.frame_dim());
        let arguments = [z.iter().copied().collect(), v.iter().copied().collect()];
        let mut parts = self.motion_program()?.run(n, &arguments, &[(0, d), (1, 1), (2, 1)])?.into_iter();
        let mut next = || parts.next().unwrap_or_default();
        Ok(Motion { frames: array3((n, d, m), next())?, turning: array2(n, m, next())?, torsion: Some(array2(n, d, next())?) })
    }
}

/// The columns of what is linear in v.
fn columns(b: &mut Builder, v: NodeId, r: NodeId) -> Result<NodeId> {
    let shape = b.shape(v).to_vec();
    let axis = b.axis("tangent", shape.iter().product())?;
    let seeds = b.unit_seeds(axis, &shape);
    let pushed = jvp(b, &[(v, seeds)], &[r])?.swap_remove(0);
    Ok(pushed.unwrap_or_else(|| b.filled_like(r, 0.0)))
}

fn finish(mut b: Builder, node: NodeId) -> Graph {
    let len = b.graph().node(node).item_len();
    let node = b.reshape(node, &[len]);
    b.finish(vec![Port { name: "form".into(), node, shape: vec![len], default: None }])
}

fn kept(cell: &OnceLock<Compiled>, make: impl FnOnce() -> Result<Compiled>) -> Result<&Compiled> {
    if let Some(compiled) = cell.get() {
        return Ok(compiled);
    }
    let compiled = make()?;
    Ok(cell.get_or_init(|| compiled))
}
