//! Normalizing flows: an invertible map f from data to latents, trained by maximum likelihood.
//!
//! ```text
//! −log p(x) = ½ |z|² + (d/2) log 2π − log |det ∂f/∂x|,   z = f(x)
//! ```
//!
//! A flow is a chain of blocks: an affine map of each value whose start whitens the first batch (ActNorm, Kingma and Dhariwal 2018), a
//! permutation, and a [`Coupling`]. Two terms may be added to the loss (Galperin and Köthe 2024):
//! - `total-correlation`: α times Σᵢ log‖Jᵢ‖ − log|det J| of the decoder's Jacobian J at z, which is 0 where its columns are
//!   orthogonal (reverse over forward mode);
//! - `core`, `reconstruction`: λ‖f⁻¹(z with all but the first values 0) − x‖²/d, which makes these carry the data.

mod coupling;
mod spline;

use latlas_graph::ops::{Binary, Contraction, Unary};
use latlas_graph::{NodeId, Rows, Tensor, lower};
use serde::{Deserialize, Serialize};

use super::jacobian::pushed;
use super::layers::{Activation, squared_norm, total};
use super::{Feed, Jacobian, JacobianPenalty, Model, Parameters, Parts, Ramp, Start, Term};
use crate::error::{Error, Result};
use crate::random::{Purpose, by_key, hash};
use crate::special_functions::HALF_LOG_TAU;

pub use coupling::{Coupling, Direction};

/// How values are ordered between couplings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Permutation {
    /// The other way round.
    #[default]
    Reverse,
    /// Drawn once for each block.
    Random,
}

/// A flow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Flow {
    /// Number of blocks.
    pub blocks: usize,
    /// The map of each.
    pub coupling: Coupling,
    /// Widths of the hidden layers of a coupling's network.
    pub hidden: Vec<usize>,
    /// Between them.
    pub activation: Activation,
    /// Bins of a spline.
    pub bins: usize,
    /// A spline is the identity beyond ± this.
    pub bound: f64,
    /// The order of the values.
    pub permutation: Permutation,
    /// An affine map of each value in every block.
    pub act_norm: bool,
    /// Classes that it is conditioned on; 0: none.
    pub classes: usize,
    /// Weight α of the total correlation.
    pub total_correlation: f64,
    /// Weight λ of the reconstruction from the core.
    pub reconstruction: f64,
    /// How many latents make up the core.
    pub core: usize,
    /// What is asked of the decoder's Jacobian.
    pub jacobian: Jacobian,
}

impl Default for Flow {
    fn default() -> Self {
        Self {
            blocks: 8,
            coupling: Coupling::default(),
            hidden: vec![64, 64],
            activation: Activation::Relu,
            bins: 8,
            bound: 5.0,
            permutation: Permutation::default(),
            act_norm: false,
            classes: 0,
            total_correlation: 0.0,
            reconstruction: 0.0,
            core: 1,
            jacobian: Jacobian::default(),
        }
    }
}

/// Values `from..from + len` of an item `[d]`.
fn columns(p: &mut Parts<'_>, x: NodeId, from: usize, len: usize) -> Result<NodeId> {
    Ok(p.b.map(x, lower::index_map(&[len], |at| Some(from + at[0]))?))
}

impl Flow {
    /// The source of each value in a block.
    fn order(&self, block: usize, d: usize) -> Vec<usize> {
        match self.permutation {
            Permutation::Reverse => (0..d).rev().collect(),
            Permutation::Random => by_key(0..d, |i| hash(block as u64, Purpose::Weights, (d * block + i) as u64)),
        }
    }

    /// f or its inverse on values `[d]`, and log |det| of it `[]`.
    ///
    /// # Errors
    /// Those of the layers.
    pub fn run(&self, p: &mut Parts<'_>, x: NodeId, condition: Option<NodeId>, way: Direction) -> Result<(NodeId, NodeId)> {
        let d = p.b.shape(x)[0];
        let (mut h, mut log_det) = (x, p.b.filled(&[], 0.0));
        let blocks: Vec<usize> = if way == Direction::Encode { (0..self.blocks).collect() } else { (0..self.blocks).rev().collect() };
        for block in blocks {
            let name = format!("flow.{block}");
            let order = self.order(block, d);
            let steps = if way == Direction::Encode { [0, 1, 2] } else { [2, 1, 0] };
            for step in steps {
                let part = match step {
                    0 if self.act_norm => Some(act_norm(p, &name, h, way)),
                    0 => None,
                    1 => {
                        let mut sources = order.clone();
                        if way == Direction::Decode {
                            order.iter().enumerate().for_each(|(to, &from)| sources[from] = to);
                        }
                        h = p.b.map(h, lower::index_map(&[d], |at| Some(sources[at[0]]))?);
                        None
                    }
                    _ => Some(coupling::couple(p, self, &name, h, condition, way)?),
                };
                if let Some((values, part)) = part {
                    h = values;
                    log_det = p.b.binary(Binary::Add, log_det, part);
                }
            }
        }
        Ok((h, log_det))
    }
}

/// Excess of the decoder's column norms over its volume: Σ log‖Jᵢ‖ − log|det J| at z.
fn excess(p: &mut Parts<'_>, z: NodeId, x: NodeId, log_det: NodeId) -> Result<NodeId> {
    let d = p.b.shape(z)[0];
    let axis = p.b.axis("tangent", d)?;
    let seeds = p.b.unit_seeds(axis, &[d]);
    let columns = pushed(p, z, seeds, x)?;
    let b = &mut p.b;
    let norm = b.contract(columns, columns, Contraction { a: vec![0], b: vec![0], out: vec![], sum_rows: Rows::NONE });
    let log = b.unary(Unary::Log, norm);
    let half = lower::times(b, log, 0.5);
    let sum = b.row_sum(half, axis);
    // log |det J| of the decoder is minus that of the encoder at the same point.
    Ok(b.binary(Binary::Sub, sum, log_det))
}

/// y = (x + bias) · exp(scale), value by value.
fn act_norm(p: &mut Parts<'_>, name: &str, x: NodeId, way: Direction) -> (NodeId, NodeId) {
    let shape = p.b.shape(x).to_vec();
    let scale = p.parameter(&format!("{name}.act-norm.scale"), &shape, &Start::Filled(0.0));
    let bias = p.parameter(&format!("{name}.act-norm.bias"), &shape, &Start::Filled(0.0));
    let log_det = total(p, scale);
    let b = &mut p.b;
    match way {
        Direction::Encode => {
            let (moved, factor) = (b.binary(Binary::Add, x, bias), b.unary(Unary::Exp, scale));
            (b.binary(Binary::Mul, moved, factor), log_det)
        }
        Direction::Decode => {
            let minus = b.unary(Unary::Neg, scale);
            let factor = b.unary(Unary::Exp, minus);
            let scaled = b.binary(Binary::Mul, x, factor);
            (b.binary(Binary::Sub, scaled, bias), b.unary(Unary::Neg, log_det))
        }
    }
}

impl Model for Flow {
    fn check(&self, shape: &[usize]) -> Result<()> {
        let d: usize = shape.iter().product();
        let fail = |what: String, hint: &str| Err(Error::Input { what, hint: Some(hint.into()) });
        if d < 2 {
            return fail(format!("a coupling splits its values in two, and a sample has {d}"), "give data with at least 2 values a sample");
        }
        if self.blocks == 0 {
            return fail("a flow needs at least one block".into(), "raise the number of blocks");
        }
        if self.coupling == Coupling::Spline && (self.bins < 2 || self.bins > 500) {
            return fail(format!("a spline cannot have {} bins", self.bins), "take 2 to 500");
        }
        if !(self.bound > 0.0 && self.bound.is_finite()) {
            return fail(format!("the bound of a spline cannot be {}", self.bound), "give a positive number");
        }
        if self.reconstruction != 0.0 && (self.core == 0 || self.core >= d) {
            return fail(format!("a core of {} of {d} latents", self.core), "take at least one and fewer than all");
        }
        Ok(())
    }

    fn terms(&self, p: &mut Parts<'_>, x: NodeId) -> Result<Vec<Term>> {
        let d = p.b.shape(x).iter().product::<usize>();
        let flat = p.b.reshape(x, &[d]);
        let condition = (self.classes > 0).then(|| p.input("condition", &[self.classes], Feed::Labels));
        let (z, log_det) = self.run(p, flat, condition, Direction::Encode)?;
        let square = squared_norm(p, z);
        let half = lower::times(&mut p.b, square, 0.5);
        let energy = lower::plus(&mut p.b, half, d as f64 * HALF_LOG_TAU);
        let mut terms = vec![Term::new("negative-log-likelihood", p.b.binary(Binary::Sub, energy, log_det))];
        if self.total_correlation != 0.0 {
            let z = p.entry(z);
            let (back, volume) = self.run(p, z, condition, Direction::Decode)?;
            let correlation = excess(p, z, back, volume)?;
            terms.push(Term::weighted("total-correlation", correlation, Ramp::fixed(self.total_correlation)));
        }
        if self.reconstruction != 0.0 {
            let mask: Vec<f64> = (0..d).map(|i| f64::from(u8::from(i < self.core))).collect();
            let mask = p.b.constant(Tensor::new([d], mask));
            let core = p.b.binary(Binary::Mul, z, mask);
            let (back, _) = self.run(p, core, condition, Direction::Decode)?;
            let difference = p.b.binary(Binary::Sub, back, flat);
            let error = squared_norm(p, difference);
            let mean = lower::times(&mut p.b, error, 1.0 / d as f64);
            terms.push(Term::weighted("reconstruction", mean, Ramp::fixed(self.reconstruction)));
        }
        if self.jacobian.penalty != JacobianPenalty::None {
            let z = p.entry(z);
            let (back, _) = self.run(p, z, condition, Direction::Decode)?;
            terms.extend(self.jacobian.term(p, z, back)?);
        }
        Ok(terms)
    }

    /// The first ActNorm takes the first batch to mean 0 and variance 1. Couplings start as the identity, so all later ones find it so
    /// already. A value that does not vary keeps its scale.
    fn start(&self, parameters: &mut Parameters, rows: &[&[f32]]) {
        let Some(first) = rows.first().filter(|_| self.act_norm) else { return };
        let n = rows.len() as f64;
        let moments = |i: usize| {
            let mean = rows.iter().map(|row| f64::from(row[i])).sum::<f64>() / n;
            let variance = rows.iter().map(|row| (f64::from(row[i]) - mean).powi(2)).sum::<f64>() / n;
            (mean, variance)
        };
        let moments: Vec<(f64, f64)> = (0..first.len()).map(moments).collect();
        let bias: Vec<f32> = moments.iter().map(|(mean, _)| -mean as f32).collect();
        let scale: Vec<f32> = moments.iter().map(|(_, v)| if *v > 0.0 { (-0.5 * v.ln()) as f32 } else { 0.0 }).collect();
        parameters.set("flow.0.act-norm.bias", &bias);
        parameters.set("flow.0.act-norm.scale", &scale);
    }

    fn files(&self) -> &'static [&'static str] {
        &["decoder", "encoder"]
    }

    fn file(&self, name: &str, p: &mut Parts<'_>, shape: &[usize]) -> Result<Vec<(String, NodeId)>> {
        let d = shape.iter().product();
        let is_decoder = name == "decoder";
        let from = if is_decoder { p.input("z", &[d], Feed::Normal) } else { p.input("x", shape, Feed::Data) };
        let condition = (self.classes > 0).then(|| p.input("condition", &[self.classes], Feed::Labels));
        let flat = p.b.reshape(from, &[d]);
        let way = if is_decoder { Direction::Decode } else { Direction::Encode };
        let (to, log_det) = self.run(p, flat, condition, way)?;
        Ok(if is_decoder {
            let x = p.b.reshape(to, shape);
            vec![("x".into(), x), ("log_det".into(), log_det)]
        } else {
            vec![("z_mean".into(), to), ("log_det".into(), log_det)]
        })
    }
}
