//! Which programs a network has: derivatives of its graph, compiled when they are first needed.

use std::sync::{Arc, PoisonError};

use latlas_graph::transform::{jvp, vjp};
use latlas_graph::{Builder, Graph, Port, Rows};

use super::Network;
use crate::error::Result;
use crate::models::onnx::compiled::Compiled;

/// What a program computes; the first number is an output of the graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    Value(usize),
    Columns(usize),
    /// With this many tangents that are the same for all samples.
    Block(usize, usize),
    Jvp(usize, usize),
    Vjp(usize, usize),
    /// First and second derivatives along so many directions.
    Second(usize, usize),
    /// The Jacobian, and the second derivative along one direction.
    Motion(usize),
    /// Of the output's inner product with weights.
    Hessian(usize),
    /// The Jacobian, and the Hessian of the output's inner product with weights.
    Bending(usize),
}

impl Network {
    /// Whether the intermediate values of a program fit.
    pub fn is_within_budget(&self, purpose: Purpose) -> Result<bool> {
        Ok(self.program(purpose)?.cost().bytes_per_sample <= self.budget)
    }

    /// A program, compiled when it is first needed.
    pub fn program(&self, purpose: Purpose) -> Result<Arc<Compiled>> {
        // Compiling under the lock: a second thread waits rather than doing it again.
        let mut programs = self.programs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(program) = programs.get(&purpose) {
            return Ok(Arc::clone(program));
        }
        let graph = self.derived(purpose)?;
        let compiled = Arc::new(Compiled::new(&graph, self.dtype)?);
        programs.insert(purpose, Arc::clone(&compiled));
        Ok(compiled)
    }

    pub(super) fn derived(&self, purpose: Purpose) -> Result<Graph> {
        let (graph, input) = (&self.graph, self.input);
        Ok(match purpose {
            Purpose::Value(output) => Builder::from_graph((**graph).clone()).finish(vec![graph.outputs[output].clone()]),
            Purpose::Columns(output) => graph.jacobian(input, &[output])?,
            Purpose::Block(output, tangents) => self.block(output, tangents)?,
            Purpose::Jvp(output, k) => graph.jvp_graph(input, &[output], k)?,
            Purpose::Vjp(output, k) => self.pulled(output, k)?,
            Purpose::Second(output, k) => graph.second_graph(input, output, k)?,
            Purpose::Motion(output) => graph.motion_graph(input, output)?,
            Purpose::Hessian(output) => graph.hessian_graph(input, output)?,
            Purpose::Bending(output) => self.bending(output)?,
        })
    }

    /// Derivatives along tangents that all samples share, so that what follows from them alone is computed once.
    fn block(&self, output: usize, tangents: usize) -> Result<Graph> {
        let mut b = Builder::from_graph((*self.graph).clone());
        let (from, to) = (&self.graph.inputs[self.input], &self.graph.outputs[output]);
        let rows = Rows::of(b.axis("tangent", tangents)?);
        let seeds = b.input("tangents", rows, &from.shape, &self.graph.node(from.node).shape);
        let pushed = jvp(&mut b, &[(from.node, seeds)], &[to.node])?.swap_remove(0);
        let node = pushed.unwrap_or_else(|| b.filled_like(to.node, 0.0));
        Ok(b.finish(vec![Port { node, ..to.clone() }]))
    }

    /// Ports with the columns of an output's Jacobian, and of the gradient's of its inner product with weights: forward over reverse mode
    /// needs the columns of all values on the way, so both share them.
    fn bending(&self, output: usize) -> Result<Graph> {
        let mut b = Builder::from_graph((*self.graph).clone());
        let (from, to) = (&self.graph.inputs[self.input], &self.graph.outputs[output]);
        let item = self.graph.node(from.node).shape.clone();
        let weights = b.input("weights", Rows::SAMPLE, &to.shape, &self.graph.node(to.node).shape);
        let gradient = vjp(&mut b, &[(to.node, weights)], &[from.node])?.swap_remove(0);
        let gradient = gradient.unwrap_or_else(|| b.filled_like(from.node, 0.0));
        let axis = b.axis("tangent", self.width())?;
        let seeds = b.unit_seeds(axis, &item);
        let pushed = jvp(&mut b, &[(from.node, seeds)], &[to.node, gradient])?;
        let mut ports = Vec::new();
        for (pushed, (node, port)) in pushed.into_iter().zip([(to.node, to), (gradient, from)]) {
            let node = pushed.unwrap_or_else(|| b.filled_like(node, 0.0));
            ports.push(Port { node, ..port.clone() });
        }
        Ok(b.finish(ports))
    }

    /// An output, cotangents of it pulled back to the input, and what goes beside it.
    fn pulled(&self, output: usize, k: usize) -> Result<Graph> {
        let mut b = Builder::from_graph((*self.graph).clone());
        let (from, to) = (&self.graph.inputs[self.input], &self.graph.outputs[output]);
        let rows = Rows::SAMPLE.union(Rows::of(b.axis("probe", k)?));
        let cotangents = b.input("cotangents", rows, &to.shape, &self.graph.node(to.node).shape);
        let pulled = vjp(&mut b, &[(to.node, cotangents)], &[from.node])?.swap_remove(0);
        let node = pulled.unwrap_or_else(|| b.filled_like(from.node, 0.0));
        let beside = self.beside.map(|beside| self.graph.outputs[beside].clone());
        Ok(b.finish([to.clone(), Port { node, ..from.clone() }].into_iter().chain(beside).collect()))
    }
}
