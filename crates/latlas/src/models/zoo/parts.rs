//! What a model's graphs are made of: named parameters that several graphs share, and inputs that say what feeds them.

use std::collections::BTreeMap;
use std::sync::Arc;

use latlas_graph::ops::Binary;
use latlas_graph::{Axis, Builder, Data, Graph, NodeId, Port, Rows, Tensor};

use crate::random::{Purpose, Stream};

/// How a parameter starts.
#[derive(Debug, Clone, PartialEq)]
pub enum Start {
    /// The same number everywhere.
    Filled(f64),
    /// Uniform between −bound and bound.
    Uniform(f64),
}

/// A parameter of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Dotted path, such as `decoder.0.weight`.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Its values, row-major.
    pub values: Vec<f32>,
}

/// The parameters of a model, in the order in which its graphs asked for them first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parameters {
    seed: u64,
    drawn: u64,
    list: Vec<Parameter>,
    by_name: BTreeMap<String, usize>,
}

impl Parameters {
    /// None yet; random starts are keyed by the seed and by what was drawn before.
    pub fn new(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// All of them.
    pub fn list(&self) -> &[Parameter] {
        &self.list
    }

    /// All of them, to be changed.
    pub fn list_mut(&mut self) -> &mut [Parameter] {
        &mut self.list
    }

    /// Gives a parameter other values; nothing where no graph asked for it or their number differs.
    pub fn set(&mut self, name: &str, values: &[f32]) {
        if let Some(&known) = self.by_name.get(name)
            && self.list[known].values.len() == values.len()
        {
            self.list[known].values.copy_from_slice(values);
        }
    }

    /// The position of a parameter, which is made if no graph asked for it before.
    fn find_or_start(&mut self, name: &str, shape: &[usize], start: &Start) -> usize {
        if let Some(&known) = self.by_name.get(name) {
            debug_assert_eq!(self.list[known].shape, shape, "two shapes of {name}");
            return known;
        }
        let n: usize = shape.iter().product();
        let values = match start {
            Start::Filled(value) => vec![*value as f32; n],
            Start::Uniform(bound) => {
                let mut stream = Stream::new(self.seed, Purpose::Weights, self.drawn, 1);
                self.drawn += n as u64;
                (0..n).map(|_| ((2.0 * stream.uniform() - 1.0) * bound) as f32).collect()
            }
        };
        self.by_name.insert(name.into(), self.list.len());
        self.list.push(Parameter { name: name.into(), shape: shape.to_vec(), values });
        self.list.len() - 1
    }
}

/// What an input of a training graph is given in each step.
#[derive(Debug, Clone, PartialEq)]
pub enum Feed {
    /// Rows of the data.
    Data,
    /// The label of each row, one-hot.
    Labels,
    /// Standard normal numbers, fresh in each step.
    Normal,
    /// Uniform numbers in (0, 1), fresh in each step.
    Uniform,
    /// Flat positions in `[samples, width]` that reorder every column by itself over the samples, fresh in each step.
    Shuffle,
    /// Zeros: what a value may be moved by.
    Zeros,
    /// A number that follows a schedule over the steps.
    Scheduled(super::Ramp),
    /// A parameter, by position.
    Parameter(usize),
}

/// Builds one graph of a model.
///
/// In a training graph parameters and noise are inputs; in a graph to be saved parameters are constants, so that the file is
/// complete in itself.
pub struct Parts<'a> {
    /// The arena.
    pub b: Builder,
    parameters: &'a mut Parameters,
    /// What each input of the graph is given, in order; `None` in a graph to be saved.
    feeds: Option<Vec<Feed>>,
    known: BTreeMap<usize, NodeId>,
    rows: Rows,
    axis: Axis,
}

impl<'a> Parts<'a> {
    /// For training; samples of a batch do not see each other.
    pub fn training(parameters: &'a mut Parameters) -> Self {
        let b = Builder::new();
        Self { b, parameters, feeds: Some(vec![]), known: BTreeMap::new(), rows: Rows::SAMPLE, axis: Axis::SAMPLE }
    }

    /// For training on batches of so many samples, which may see each other: the batch is a row axis of fixed size.
    ///
    /// # Errors
    /// The number of row axes is limited.
    pub fn training_together(parameters: &'a mut Parameters, batch: usize) -> latlas_graph::Result<Self> {
        let mut parts = Self::training(parameters);
        parts.axis = parts.b.axis("batch", batch)?;
        parts.rows = Rows::of(parts.axis);
        Ok(parts)
    }

    /// For a file.
    pub fn file(parameters: &'a mut Parameters) -> Self {
        Self { feeds: None, ..Self::training(parameters) }
    }

    /// The axis of the samples.
    pub fn axis(&self) -> Axis {
        self.axis
    }

    /// A parameter; the first graph that asks decides how it starts.
    pub fn parameter(&mut self, name: &str, shape: &[usize], start: &Start) -> NodeId {
        let index = self.parameters.find_or_start(name, shape, start);
        if let Some(&node) = self.known.get(&index) {
            return node;
        }
        let node = if let Some(feeds) = &mut self.feeds {
            feeds.push(Feed::Parameter(index));
            self.b.input(name, Rows::NONE, shape, shape)
        } else {
            let values: Arc<[f32]> = self.parameters.list[index].values.as_slice().into();
            self.b.constant(Tensor::from_data(shape, Data::F32(values)))
        };
        self.known.insert(index, node);
        node
    }

    /// An input with a value for each sample.
    pub fn input(&mut self, name: &str, shape: &[usize], feed: Feed) -> NodeId {
        if let Some(feeds) = &mut self.feeds {
            feeds.push(feed);
        }
        self.b.input(name, self.rows, shape, shape)
    }

    /// x as one node that everything after it goes through, for derivatives with respect to it.
    ///
    /// The builder reads the parts of a concatenation past it, and a derivative with respect to the concatenation would miss what flows
    /// there. So x is moved by an input that is given zeros.
    pub fn entry(&mut self, x: NodeId) -> NodeId {
        let shape = self.b.shape(x).to_vec();
        let shift = self.input("shift", &shape, Feed::Zeros);
        self.b.binary(Binary::Add, x, shift)
    }

    /// A number that is the same for all samples and follows a schedule.
    pub fn scheduled(&mut self, name: &str, ramp: super::Ramp) -> NodeId {
        if let Some(value) = ramp.constant() {
            return self.b.constant(Tensor::scalar(value));
        }
        if let Some(feeds) = &mut self.feeds {
            feeds.push(Feed::Scheduled(ramp));
        }
        self.b.input(name, Rows::NONE, &[], &[])
    }

    /// The mean of a value over the batch; what has one value for all stays as it is.
    pub fn mean_over_batch(&mut self, x: NodeId) -> NodeId {
        if !self.b.rows(x).contains(self.axis) {
            return x;
        }
        let sum = self.b.row_sum(x, self.axis);
        let count = self.b.count(self.axis);
        let shape = self.b.shape(x).to_vec();
        let count = self.b.expand(count, &shape);
        self.b.binary(Binary::Div, sum, count)
    }

    /// The graph with these outputs, and what feeds its inputs.
    pub fn finish(self, outputs: Vec<(String, NodeId)>) -> (Graph, Vec<Feed>) {
        let port = |(name, node): (String, NodeId)| {
            let shape = self.b.shape(node).to_vec();
            Port { name, node, shape, default: None }
        };
        let ports = outputs.into_iter().map(port).collect();
        (self.b.finish(ports), self.feeds.unwrap_or_default())
    }

    /// The nodes in this graph of the parameters whose names are wanted, with their positions.
    pub fn parameter_nodes(&self, wanted: impl Fn(&str) -> bool) -> Vec<(usize, NodeId)> {
        let known = self.known.iter().filter(|(index, _)| wanted(&self.parameters.list[**index].name));
        known.map(|(&index, &node)| (index, node)).collect()
    }
}
