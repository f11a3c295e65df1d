//! A graph with its programs, compiled when they are first needed and kept.

mod programs;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use latlas_graph::Graph;
use latlas_graph::execute;
use ndarray::{Array2, Array3, ArrayView2, ArrayView3};

use super::compiled::{Compiled, array2, array3};
use crate::error::{Error, Result};
use crate::models::Cost;
use crate::settings::Dtype;
pub use programs::Purpose;

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
