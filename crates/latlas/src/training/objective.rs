//! A model's loss and its gradient as one compiled graph.

use latlas_graph::execute::{Options, Program};
use latlas_graph::ops::Binary;
use latlas_graph::transform::vjp;
use latlas_graph::{Graph, NodeId, Tensor};

use crate::error::Result;
use crate::models::zoo::{ADVERSARY, Feed, Model, Parameters, Parts, Ramp, Term};

/// The loss of a batch, its terms, and its gradient for each parameter.
pub struct Objective {
    program: Program<f32>,
    feeds: Vec<Feed>,
    terms: Vec<(&'static str, Ramp)>,
    /// Which parameter each gradient belongs to.
    gradients: Vec<usize>,
    outputs: Vec<Vec<f32>>,
    scheduled: Vec<[f32; 1]>,
}

/// What one evaluation of an objective found.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// Σ weight · term.
    pub loss: f64,
    /// Means over the batch, in order of [`Objective::terms`].
    pub terms: Vec<f64>,
}

impl Objective {
    /// Builds and compiles the loss of data items of `shape`, with its gradient if `with_gradient`.
    ///
    /// # Errors
    /// Those of the model and of the graph.
    pub fn new(
        model: &dyn Model,
        parameters: &mut Parameters,
        shape: &[usize],
        batch: usize,
        tile: usize,
        with_gradient: bool,
    ) -> Result<Self> {
        let mut p = if model.couples_samples() { Parts::training_together(parameters, batch)? } else { Parts::training(parameters) };
        let x = p.input("x", shape, Feed::Data);
        let terms = model.terms(&mut p, x)?;
        Self::compile(p, &terms, tile, |name| with_gradient && !name.starts_with(ADVERSARY))
    }

    /// The same for the loss of the model's adversary, if it has one: its gradient is for the adversary's parameters alone.
    ///
    /// # Errors
    /// Those of the model and of the graph.
    pub fn adversary(model: &dyn Model, parameters: &mut Parameters, shape: &[usize], batch: usize, tile: usize) -> Result<Option<Self>> {
        let mut p = Parts::training_together(parameters, batch)?;
        let x = p.input("x", shape, Feed::Data);
        let Some(loss) = model.adversary(&mut p, x)? else { return Ok(None) };
        let terms = [Term::new("adversary", loss)];
        Ok(Some(Self::compile(p, &terms, tile, |name| name.starts_with(ADVERSARY))?))
    }

    /// The weighted sum of terms, with its gradient for the parameters that follow it.
    fn compile(mut p: Parts<'_>, terms: &[Term], tile: usize, follows: impl Fn(&str) -> bool) -> Result<Self> {
        let mut outputs = vec![];
        let mut loss: Option<NodeId> = None;
        for (i, term) in terms.iter().enumerate() {
            let mean = p.mean_over_batch(term.value);
            outputs.push((format!("term.{}", term.name), mean));
            if term.weight.constant() == Some(0.0) {
                continue;
            }
            let weight = p.scheduled(&format!("weight.{i}"), term.weight);
            let weighted = p.b.binary(Binary::Mul, mean, weight);
            loss = Some(loss.map_or(weighted, |sum| p.b.binary(Binary::Add, sum, weighted)));
        }
        let loss = loss.unwrap_or_else(|| p.b.constant(Tensor::scalar(0.0)));
        let mut gradients = vec![];
        let nodes = p.parameter_nodes(follows);
        if !nodes.is_empty() {
            let wrt: Vec<NodeId> = nodes.iter().map(|n| n.1).collect();
            let one = p.b.constant(Tensor::scalar(1.0));
            for ((index, _), gradient) in nodes.iter().zip(vjp(&mut p.b, &[(loss, one)], &wrt)?) {
                let Some(gradient) = gradient else { continue };
                gradients.push(*index);
                outputs.push((format!("gradient.{index}"), gradient));
            }
        }
        let (graph, feeds): (Graph, Vec<Feed>) = p.finish(outputs);
        let program = Program::compile(&graph, &Options { tile: Some(tile), ..Options::default() })?;
        let terms = terms.iter().map(|term| (term.name, term.weight)).collect();
        let scheduled = vec![[0.0]; feeds.len()];
        Ok(Self { program, feeds, terms, gradients, outputs: vec![], scheduled })
    }

    /// Names of the terms.
    pub fn terms(&self) -> impl Iterator<Item = &'static str> {
        self.terms.iter().map(|term| term.0)
    }

    /// The weight of each term at a step.
    pub fn weights(&self, step: u64) -> impl Iterator<Item = f64> {
        self.terms.iter().map(move |(_, ramp)| ramp.at(step))
    }

    /// The graph: terms, then gradients.
    pub fn graph(&self) -> &Graph {
        self.program.graph()
    }

    /// For each gradient the position of its parameter and that of its output in the graph.
    pub fn gradient_outputs(&self) -> impl Iterator<Item = (usize, usize)> {
        self.gradients.iter().enumerate().map(|(at, &parameter)| (parameter, self.terms.len() + at))
    }

    /// What the inputs are given, each with its number of values a sample.
    pub fn feeds(&self) -> impl Iterator<Item = (&Feed, usize)> {
        self.feeds.iter().zip(&self.program.graph().inputs).map(|(feed, port)| (feed, port.shape.iter().product()))
    }

    /// Evaluates it on `n` samples. `given` holds the arrays of the inputs that are neither parameters nor scheduled numbers, in
    /// order.
    ///
    /// # Errors
    /// Arrays of a wrong size.
    pub fn run(&mut self, n: usize, step: u64, given: &[Vec<f32>], parameters: &Parameters) -> Result<Evaluation> {
        for (feed, value) in self.feeds.iter().zip(&mut self.scheduled) {
            if let Feed::Scheduled(ramp) = feed {
                value[0] = ramp.at(step) as f32;
            }
        }
        let mut given = given.iter();
        let inputs: Vec<&[f32]> = self
            .feeds
            .iter()
            .zip(&self.scheduled)
            .map(|(feed, scheduled)| match feed {
                Feed::Parameter(i) => parameters.list()[*i].values.as_slice(),
                Feed::Scheduled(_) => scheduled,
                Feed::Data | Feed::Labels | Feed::Normal | Feed::Uniform | Feed::Shuffle | Feed::Zeros => {
                    given.next().map_or(&[][..], Vec::as_slice)
                }
            })
            .collect();
        self.program.run(n, &inputs, &mut self.outputs)?;
        let terms: Vec<f64> = self.outputs.iter().take(self.terms.len()).map(|value| f64::from(value[0])).collect();
        let weighted = terms.iter().zip(&self.terms).filter(|(_, (_, ramp))| ramp.constant() != Some(0.0));
        let loss = weighted.map(|(value, (_, ramp))| value * ramp.at(step)).sum();
        Ok(Evaluation { loss, terms })
    }

    /// The gradients of the last run: position of the parameter, values.
    pub fn gradients(&self) -> impl Iterator<Item = (usize, &[f32])> {
        self.gradients.iter().copied().zip(self.outputs[self.terms.len().min(self.outputs.len())..].iter().map(Vec::as_slice))
    }
}
