//! A graph with its programs, compiled when they are first needed and kept.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use latlas_graph::execute;
use latlas_graph::transform::{jvp, vjp};
use latlas_graph::{Builder, Graph, Port, Rows};
use ndarray::{Array2, Array3, ArrayView2, ArrayView3};

use super::compiled::{Compiled, array2, array3};
use crate::error::{Error, Result};
use crate::models::Cost;
use crate::settings::Dtype;

/// Of [`Network::budget`].
const BUDGET: usize = 256 << 20;

/// A graph of one sample, an input that is differentiated, and an optional condition.
pub struct Network {
    pub graph: Arc<Graph>,
    pub input: usize,
    pub condition: Option<usize>,
    pub dtype: Dtype,
    /// An output of the graph that reverse mode gives on its way.
    pub beside: Option<usize>,
    /// Bytes of intermediate values that the tile of one thread may take for all tangents at once; beyond it the columns of
    /// a Jacobian are made in blocks.
    budget: usize,
    programs: Mutex<BTreeMap<Purpose, Arc<Compiled>>>,
}

/// What a pass for derivatives gives.
pub struct Pass {
    /// The output `[n, width]`.
    pub value: Array2<f64>,
    /// `[n, k, …]`.
    pub derivative: Array3<f64>,
    /// [`Network::beside`] `[n, width]`, in reverse mode.
    pub beside: Option<Array2<f64>>,
}

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
    pub fn new(graph: Arc<Graph>, input: usize, condition: Option<usize>, dtype: Dtype) -> Self {
        Self { graph, input, condition, dtype, beside: None, budget: BUDGET, programs: Mutex::default() }
    }

    /// Elements of one sample of the input.
    pub fn width(&self) -> usize {
        self.graph.inputs[self.input].shape.iter().product()
    }

    /// Elements of one sample of the condition.
    pub fn condition_width(&self) -> Option<usize> {
        self.condition.map(|i| self.graph.inputs[i].shape.iter().product())
    }

    /// Elements of one sample of an output.
    pub fn output_width(&self, output: usize) -> usize {
        self.graph.outputs[output].shape.iter().product()
    }

    /// An output: `[n, width]`.
    pub fn value(&self, output: usize, x: ArrayView2<'_, f64>, condition: Option<ArrayView2<'_, f64>>) -> Result<Array2<f64>> {
        let program = self.program(Purpose::Value(output))?;
        let values = program.run(x.nrows(), &self.arguments(x, condition)?, &[(0, 1)])?.swap_remove(0);
        array2(x.nrows(), self.output_width(output), values)
    }

    /// An output, and its Jacobian column by column `[n, d, D]`.
    pub fn columns(&self, output: usize, x: ArrayView2<'_, f64>, condition: Option<ArrayView2<'_, f64>>) -> Result<Pass> {
        let (n, d, width) = (x.nrows(), self.width(), self.output_width(output));
        let program = self.program(Purpose::Columns(output))?;
        let cost = program.cost();
        let block = (self.budget / (cost.bytes_per_sample / d).max(1)).max(1);
        if block >= d {
            let results = program.run(n, &self.arguments(x, condition)?, &[(0, 1), (1, d)])?;
            return Pass::of(results, (n, d, width));
        }
        let mut columns = Array3::zeros((n, d, width));
        for start in (0..d).step_by(block) {
            let end = d.min(start + block);
            let seeds = Array2::from_shape_fn((end - start, d), |(t, i)| f64::from(u8::from(start + t == i)));
            let mut arguments = self.arguments(x, condition)?;
            arguments.push(seeds.iter().copied().collect());
            let program = self.program(Purpose::Block(output, end - start))?;
            let part = program.run(n, &arguments, &[(0, end - start)])?.swap_remove(0);
            let part = array3((n, end - start, width), part)?;
            columns.slice_axis_mut(ndarray::Axis(1), (start..end).into()).assign(&part);
        }
        Ok(Pass { value: self.value(output, x, condition)?, derivative: columns, beside: None })
    }

    /// Df v: `[n, k, d]` → `[n, k, D]`.
    pub fn jvp(
        &self,
        output: usize,
        x: ArrayView2<'_, f64>,
        condition: Option<ArrayView2<'_, f64>>,
        tangents: ArrayView3<'_, f64>,
    ) -> Result<Pass> {
        let (takes, gives) = (self.width(), self.output_width(output));
        self.along(|k| Purpose::Jvp(output, k), x, condition, ("tangents", tangents, takes), gives)
    }

    /// Dfᵀ u: `[n, k, D]` → `[n, k, d]`.
    pub fn vjp(
        &self,
        output: usize,
        x: ArrayView2<'_, f64>,
        condition: Option<ArrayView2<'_, f64>>,
        cotangents: ArrayView3<'_, f64>,
    ) -> Result<Pass> {
        let (takes, gives) = (self.output_width(output), self.width());
        self.along(|k| Purpose::Vjp(output, k), x, condition, ("cotangents", cotangents, takes), gives)
    }

    /// Df v and D²f\[v, v\]: `[n, k, d]` → twice `[n, k, D]`.
    pub fn second(
        &self,
        output: usize,
        x: ArrayView2<'_, f64>,
        condition: Option<ArrayView2<'_, f64>>,
        directions: ArrayView3<'_, f64>,
    ) -> Result<[Array3<f64>; 2]> {
        let k = directions.dim().1;
        let wanted = [(1, k), (2, k)];
        let [first, second] = self.with(Purpose::Second(output, k), x, condition, ("directions", directions, self.width()), wanted)?;
        let shape = (x.nrows(), k, self.output_width(output));
        Ok([array3(shape, first)?, array3(shape, second)?])
    }

    /// The columns `[n, d, D]` and D²f\[v, v\] `[n, D]` along one direction a sample: `[n, d]`.
    pub fn columns_and_second(
        &self,
        output: usize,
        x: ArrayView2<'_, f64>,
        condition: Option<ArrayView2<'_, f64>>,
        direction: ArrayView2<'_, f64>,
    ) -> Result<(Array3<f64>, Array2<f64>)> {
        let (n, d, width) = (x.nrows(), self.width(), self.output_width(output));
        let along = direction.insert_axis(ndarray::Axis(1));
        if !self.is_within_budget(Purpose::Motion(output))? {
            let [_, second] = self.second(output, x, condition, along)?;
            let columns = self.columns(output, x, condition)?.derivative;
            return Ok((columns, second.index_axis_move(ndarray::Axis(1), 0)));
        }
        let [columns, second] = self.with(Purpose::Motion(output), x, condition, ("directions", along, d), [(1, d), (2, 1)])?;
        Ok((array3((n, d, width), columns)?, array2(n, width, second)?))
    }

    /// The Hessian of ⟨w, f⟩: `[n, D]` → `[n, d, d]`.
    pub fn hessian(
        &self,
        output: usize,
        x: ArrayView2<'_, f64>,
        condition: Option<ArrayView2<'_, f64>>,
        weights: ArrayView2<'_, f64>,
    ) -> Result<Array3<f64>> {
        let (n, d) = (x.nrows(), self.width());
        let given = ("weights", weights.insert_axis(ndarray::Axis(1)), self.output_width(output));
        let [hessian] = self.with(Purpose::Hessian(output), x, condition, given, [(0, d)])?;
        array3((n, d, d), hessian)
    }

    /// The columns of the Jacobian and the Hessian of ⟨w, f⟩, `[n, d, D]` and `[n, d, d]`, with one primal pass.
    pub fn columns_and_hessian(
        &self,
        output: usize,
        x: ArrayView2<'_, f64>,
        condition: Option<ArrayView2<'_, f64>>,
        weights: ArrayView2<'_, f64>,
    ) -> Result<(Array3<f64>, Array3<f64>)> {
        let (n, d, width) = (x.nrows(), self.width(), self.output_width(output));
        if !self.is_within_budget(Purpose::Bending(output))? {
            return Ok((self.columns(output, x, condition)?.derivative, self.hessian(output, x, condition, weights)?));
        }
        let given = ("weights", weights.insert_axis(ndarray::Axis(1)), width);
        let [columns, hessian] = self.with(Purpose::Bending(output), x, condition, given, [(0, d), (1, d)])?;
        Ok((array3((n, d, width), columns)?, array3((n, d, d), hessian)?))
    }

    /// Whether second derivatives vanish wherever they exist.
    pub fn is_piecewise_linear(&self, output: usize) -> Result<bool> {
        Ok(self.graph.is_piecewise_linear(self.input, output)?)
    }

    /// k vectors a sample through a derivative: `[n, k, takes]` → `[n, k, gives]`.
    fn along(
        &self,
        purpose: impl Fn(usize) -> Purpose,
        x: ArrayView2<'_, f64>,
        condition: Option<ArrayView2<'_, f64>>,
        vectors: (&str, ArrayView3<'_, f64>, usize),
        gives: usize,
    ) -> Result<Pass> {
        let (n, k) = (x.nrows(), vectors.1.dim().1);
        let arguments = self.arguments_with(x, condition, vectors)?;
        let program = self.program(purpose(k))?;
        let wanted = [(0, 1), (1, k), (2, 1)];
        Pass::of(program.run(n, &arguments, &wanted[..program.outputs()])?, (n, k, gives))
    }

    /// Outputs of a program that takes vectors `[n, k, takes]` beside the inputs, each by its number and how many rows it has a sample.
    fn with<const OUTPUTS: usize>(
        &self,
        purpose: Purpose,
        x: ArrayView2<'_, f64>,
        condition: Option<ArrayView2<'_, f64>>,
        vectors: (&str, ArrayView3<'_, f64>, usize),
        wanted: [(usize, usize); OUTPUTS],
    ) -> Result<[Vec<f64>; OUTPUTS]> {
        let arguments = self.arguments_with(x, condition, vectors)?;
        let mut derived = self.program(purpose)?.run(x.nrows(), &arguments, &wanted)?.into_iter();
        Ok(wanted.map(|_| derived.next().unwrap_or_default()))
    }

    /// Forgets the programs of [`Network::jvp`] and [`Network::vjp`], with what they alone hold of packed weights.
    pub fn release_products(&self) {
        let mut programs = self.programs.lock().unwrap_or_else(PoisonError::into_inner);
        programs.retain(|purpose, _| !matches!(purpose, Purpose::Jvp(..) | Purpose::Vjp(..)));
    }

    /// Operations for one sample.
    pub fn cost(&self, output: usize) -> Result<Cost> {
        let of = |purpose| Ok::<_, Error>(execute::cost(&self.derived(purpose)?)?.flops_per_sample);
        Ok(Cost { decode: of(Purpose::Value(output))?, jacobian: of(Purpose::Columns(output))? })
    }

    /// The inputs of the graph in its order, and vectors `[n, k, takes]` behind them.
    fn arguments_with(
        &self,
        x: ArrayView2<'_, f64>,
        condition: Option<ArrayView2<'_, f64>>,
        (what, vectors, takes): (&str, ArrayView3<'_, f64>, usize),
    ) -> Result<Vec<Vec<f64>>> {
        check_vectors(what, &vectors, x.nrows(), takes)?;
        let mut arguments = self.arguments(x, condition)?;
        arguments.push(vectors.iter().copied().collect());
        Ok(arguments)
    }

    /// The inputs of the graph in its order.
    fn arguments(&self, x: ArrayView2<'_, f64>, condition: Option<ArrayView2<'_, f64>>) -> Result<Vec<Vec<f64>>> {
        let mut arguments = vec![Vec::new(); self.graph.inputs.len()];
        if x.ncols() != self.width() {
            let (expected, got, name) = (self.width(), x.ncols(), &self.graph.inputs[self.input].name);
            return Err(Error::Shape { what: format!("input {name:?} takes {expected} values a sample, got {got}"), hint: None });
        }
        arguments[self.input] = x.iter().copied().collect();
        match (self.condition, condition) {
            (None, None) => {}
            (Some(i), Some(c)) if c.nrows() == x.nrows() && Some(c.ncols()) == self.condition_width() => {
                arguments[i] = c.iter().copied().collect();
            }
            (Some(i), Some(c)) => {
                let (port, n) = (&self.graph.inputs[i], x.nrows());
                let what =
                    format!("condition {:?}: expected [{n}, {:?}], got {:?}", port.name, self.condition_width().unwrap_or(0), c.dim());
                return Err(Error::Shape { what, hint: None });
            }
            (Some(i), None) => {
                let port = &self.graph.inputs[i];
                return Err(Error::Input {
                    what: format!("the model needs a condition: input {:?} {:?}", port.name, port.shape),
                    hint: Some("give it with --condition".into()),
                });
            }
            (None, Some(_)) => {
                return Err(Error::Input { what: "a condition was given, but the model takes none".into(), hint: None });
            }
        }
        Ok(arguments)
    }

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

    fn derived(&self, purpose: Purpose) -> Result<Graph> {
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

impl Pass {
    fn of(results: Vec<Vec<f64>>, shape: (usize, usize, usize)) -> Result<Self> {
        let mut results = results.into_iter();
        let rows = |values: Vec<f64>| array2(shape.0, values.len() / shape.0.max(1), values);
        let value = rows(results.next().unwrap_or_default())?;
        let derivative = array3(shape, results.next().unwrap_or_default())?;
        Ok(Self { value, derivative, beside: results.next().map(rows).transpose()? })
    }
}

fn check_vectors(what: &str, vectors: &ArrayView3<'_, f64>, n: usize, width: usize) -> Result<()> {
    let dim = vectors.dim();
    if dim.0 == n && dim.2 == width && dim.1 > 0 {
        return Ok(());
    }
    Err(Error::Shape { what: format!("{what}: expected [{n}, k, {width}], got [{}, {}, {}]", dim.0, dim.1, dim.2), hint: None })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::data::builtin_model;
    use latlas_graph::onnx::{LoadOptions, load_bytes};
    use latlas_graph::ops::Contraction;
    use latlas_graph::{NodeId, Tensor};

    fn port(name: &str, node: NodeId, shape: &[usize]) -> Port {
        Port { name: name.into(), node, shape: shape.into(), default: None }
    }

    #[test]
    fn blocks_of_columns_are_the_columns() {
        let graph = Arc::new(load_bytes(builtin_model("digits-encoder").unwrap(), None, &LoadOptions::default()).unwrap());
        let mut network = Network::new(graph, 0, None, Dtype::F64);
        let x = Array2::from_shape_fn((3, 64), |(s, i)| ((s * 64 + i) as f64).sin().abs());
        let Pass { value: whole, derivative: columns, .. } = network.columns(0, x.view(), None).unwrap();
        network.budget = network.program(Purpose::Columns(0)).unwrap().cost().bytes_per_sample / 5;
        let Pass { value: in_blocks, derivative: columns_in_blocks, .. } = network.columns(0, x.view(), None).unwrap();
        assert!(network.programs.lock().unwrap().keys().any(|purpose| matches!(purpose, Purpose::Block(0, k) if *k < 64)));
        assert!((whole - in_blocks).iter().all(|e| e.abs() < 1e-13));
        assert!((columns - columns_in_blocks).iter().all(|e| e.abs() < 1e-13));
    }

    #[test]
    fn one_pass_has_both_derivatives() {
        let graph = Arc::new(load_bytes(builtin_model("digits-vae").unwrap(), None, &LoadOptions::default()).unwrap());
        let network = Network::new(graph, 0, None, Dtype::F64);
        let z = Array2::from_shape_fn((3, 2), |(s, i)| ((s * 2 + i) as f64).sin());
        let weights = Array2::from_shape_fn((3, 64), |(s, i)| ((s * 64 + i) as f64).cos());
        for output in 0..2 {
            let (columns, hessian) = network.columns_and_hessian(output, z.view(), None, weights.view()).unwrap();
            let apart = columns - network.columns(output, z.view(), None).unwrap().derivative;
            assert!(apart.iter().all(|e| e.abs() < 1e-13));
            let apart = &hessian - network.hessian(output, z.view(), None, weights.view()).unwrap();
            assert!(apart.iter().all(|e| e.abs() < 1e-12) && hessian.iter().any(|h| h.abs() > 1e-3));
        }
    }

    /// A linear layer has one Jacobian for all samples, an output without the latent none; both are given for every sample.
    #[test]
    fn what_does_not_vary_is_repeated() {
        let mut b = Builder::new();
        let z = b.input("z", Rows::SAMPLE, &[2], &[2]);
        let w = b.constant(Tensor::new([3, 2], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
        let x = b.contract(w, z, Contraction { a: vec![0, 1], b: vec![1], out: vec![0], sum_rows: Rows::NONE });
        let constant = b.filled(&[2], 7.0);
        let graph = b.finish(vec![port("x", x, &[3]), port("constant", constant, &[2])]);
        let network = Network::new(graph.into(), 0, None, Dtype::F64);
        let z = ndarray::array![[1.0, 0.0], [0.5, -1.0]];
        let Pass { value: x, derivative: columns, .. } = network.columns(0, z.view(), None).unwrap();
        assert_eq!(x, ndarray::array![[1.0, 3.0, 5.0], [-1.5, -2.5, -3.5]]);
        assert!(columns.outer_iter().all(|c| c == ndarray::array![[1.0, 3.0, 5.0], [2.0, 4.0, 6.0]]));
        let Pass { value: constant, derivative: columns, .. } = network.columns(1, z.view(), None).unwrap();
        assert_eq!(constant, Array2::from_elem((2, 2), 7.0));
        assert_eq!(columns, Array3::<f64>::zeros((2, 2, 2)));
        let cotangents = Array3::from_elem((2, 4, 3), 1.0);
        assert!(
            network
                .vjp(0, z.view(), None, cotangents.view())
                .unwrap()
                .derivative
                .outer_iter()
                .all(|g| g.row(3) == ndarray::array![9.0, 12.0])
        );
    }
}
