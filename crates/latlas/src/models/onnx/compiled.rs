//! A graph compiled in a number type, from and to arrays of doubles.

use std::sync::{Mutex, PoisonError};

use latlas_graph::execute::{self, Options, Program, Real};
use latlas_graph::{Axis, Graph};
use ndarray::{Array2, Array3};

use crate::error::{Error, Result};
use crate::settings::Dtype;

/// A program that takes and gives doubles, whatever it computes in.
pub enum Compiled {
    F32(Program<f32>, Pool<f32>),
    F64(Program<f64>, Pool<f64>),
}

/// Output buffers that are not in use.
type Pool<T> = Mutex<Vec<Vec<Vec<T>>>>;

impl Compiled {
    /// Compiles a graph.
    pub fn new(graph: &Graph, dtype: Dtype) -> Result<Self> {
        Ok(match dtype {
            Dtype::F32 => Self::F32(Program::compile(graph, &Options::default())?, Pool::default()),
            Dtype::F64 => Self::F64(Program::compile(graph, &Options::default())?, Pool::default()),
        })
    }

    /// What a run costs.
    pub fn cost(&self) -> execute::Cost {
        match self {
            Self::F32(program, _) => program.cost(),
            Self::F64(program, _) => program.cost(),
        }
    }

    /// The program, if it runs in single precision.
    pub fn single(&self) -> Option<&Program<f32>> {
        if let Self::F32(program, _) = self { Some(program) } else { None }
    }

    /// The program, if it runs in double precision.
    pub fn double(&self) -> Option<&Program<f64>> {
        if let Self::F64(program, _) = self { Some(program) } else { None }
    }

    /// How many outputs there are.
    pub fn outputs(&self) -> usize {
        match self {
            Self::F32(program, _) => program.graph().outputs.len(),
            Self::F64(program, _) => program.graph().outputs.len(),
        }
    }

    /// Some outputs, widened: pairs (output, k) with k the rows of it that each sample has. Outputs that do not vary over the
    /// samples or over their further axis are repeated.
    pub fn run(&self, n: usize, arguments: &[Vec<f64>], outputs: &[(usize, usize)]) -> Result<Vec<Vec<f64>>> {
        match self {
            Self::F32(program, pool) => {
                let narrowed: Vec<Vec<f32>> = arguments.iter().map(|a| a.iter().map(|x| *x as f32).collect()).collect();
                let views: Vec<&[f32]> = narrowed.iter().map(Vec::as_slice).collect();
                run(program, pool, n, &views, outputs)
            }
            Self::F64(program, pool) => {
                let views: Vec<&[f64]> = arguments.iter().map(Vec::as_slice).collect();
                run(program, pool, n, &views, outputs)
            }
        }
    }
}

fn run<T: Real>(program: &Program<T>, pool: &Pool<T>, n: usize, arguments: &[&[T]], outputs: &[(usize, usize)]) -> Result<Vec<Vec<f64>>> {
    let mut buffers = pool.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
    program.run(n, arguments, &mut buffers)?;
    let widened = outputs.iter().map(|&(output, k)| spread(program.graph(), output, n, k, &buffers[output], Real::to_f64)).collect();
    pool.lock().unwrap_or_else(PoisonError::into_inner).push(buffers);
    Ok(widened)
}

/// One output as it is; repeated where it does not vary over the samples or over its k further rows.
pub(crate) fn take<T: Real>(program: &Program<T>, n: usize, arguments: &[&[T]], (output, k): (usize, usize)) -> Result<Vec<T>> {
    let mut buffers = Vec::new();
    program.run(n, arguments, &mut buffers)?;
    let values = buffers.swap_remove(output);
    let whole = n * k * program.graph().node(program.graph().outputs[output].node).item_len();
    Ok(if values.len() == whole { values } else { spread(program.graph(), output, n, k, &values, |x| x) })
}

/// `[rows it has.., item]` → `[n, k, item]`, each value through `f`.
fn spread<T: Real, U>(graph: &Graph, output: usize, n: usize, k: usize, values: &[T], f: impl Fn(T) -> U) -> Vec<U> {
    let node = graph.node(graph.outputs[output].node);
    let item = node.item_len();
    if values.len() == n * k * item {
        return values.iter().map(|x| f(*x)).collect();
    }
    let over_samples = node.rows.contains(Axis::SAMPLE);
    let over_tangents = node.rows.iter().any(|axis| axis != Axis::SAMPLE);
    let mut wide = Vec::with_capacity(n * k * item);
    for s in 0..n {
        for t in 0..k {
            let row = match (over_samples, over_tangents) {
                (true, true) => s * k + t,
                (true, false) => s,
                (false, true) => t,
                (false, false) => 0,
            };
            wide.extend(values[row * item..][..item].iter().map(|x| f(*x)));
        }
    }
    wide
}

/// Values as `[rows, columns]`.
pub(crate) fn array2(rows: usize, columns: usize, values: Vec<f64>) -> Result<Array2<f64>> {
    let got = values.len();
    Array2::from_shape_vec((rows, columns), values)
        .map_err(|_| Error::Shape { what: format!("the model gave {got} values, expected [{rows}, {columns}]"), hint: None })
}

/// Values in a shape of three axes.
pub(crate) fn array3(shape: (usize, usize, usize), values: Vec<f64>) -> Result<Array3<f64>> {
    let got = values.len();
    Array3::from_shape_vec(shape, values)
        .map_err(|_| Error::Shape { what: format!("the model gave {got} values, expected {shape:?}"), hint: None })
}
