//! Three small cases whose instructions `cargo dev bench instructions` counts: `instructions CASE RUNS`.
//!
//! Compiling is counted too, so the count of a run is what one more of them adds.

use std::error::Error;

use latlas_graph::execute::{Options, Program, Real};
use latlas_graph::lower::{Sliding, conv_transpose, relu};
use latlas_graph::ops::{Binary, Contraction, Unary};
use latlas_graph::{Builder, Graph, NodeId, Port, Result, Rows, Tensor};

/// A constant like a trained weight: entries without a pattern, of a size that keeps activations near one.
fn weight(b: &mut Builder, dims: &[usize], before: usize) -> NodeId {
    let scale = 1.0 / (before as f64).sqrt();
    let values: Vec<f64> = (0..dims.iter().product::<usize>()).map(|i| (i as f64 * 1.7).sin() * scale).collect();
    b.constant(Tensor::new(dims, values))
}

fn linear(b: &mut Builder, x: NodeId, after: usize) -> NodeId {
    let before = b.shape(x)[0];
    let w = weight(b, &[after, before], before);
    b.contract(w, x, Contraction { a: vec![0, 1], b: vec![1], out: vec![0], sum_rows: Rows::NONE })
}

fn decoder(b: Builder, x: NodeId) -> Graph {
    let shape = b.shape(x).to_vec();
    b.finish(vec![Port { name: "x".into(), node: x, shape, default: None }])
}

/// The Jacobian of 8-128-128-196, tanh.
fn perceptron() -> Result<Graph> {
    let mut b = Builder::new();
    let z = b.input("z", Rows::SAMPLE, &[8], &[8]);
    let h = linear(&mut b, z, 128);
    let h = b.unary(Unary::Tanh, h);
    let h = linear(&mut b, h, 128);
    let h = b.unary(Unary::Tanh, h);
    let x = linear(&mut b, h, 196);
    decoder(b, x).jacobian(0, &[0])
}

/// The Jacobian of two transposed convolutions 32-32-1 from 4×4 to 16×16, ReLU.
fn convolutions() -> Result<Graph> {
    let mut b = Builder::new();
    let z = b.input("z", Rows::SAMPLE, &[6], &[6]);
    let h = linear(&mut b, z, 512);
    let h = relu(&mut b, h);
    let mut h = b.reshape(h, &[1, 32, 4, 4]);
    for (channels, side) in [(32, 8), (1, 16)] {
        let w = weight(&mut b, &[32, channels, 4, 4], 128);
        let twice = Sliding { strides: vec![2, 2], before: vec![1, 1], after: vec![1, 1], ..Sliding::unit(&[4, 4]) };
        h = conv_transpose(&mut b, h, w, None, &twice, 1, &[side, side])?;
        if channels > 1 {
            h = relu(&mut b, h);
        }
    }
    decoder(b, h).jacobian(0, &[0])
}

/// A cotangent pulled back through four affine couplings of 32 dimensions.
fn couplings() -> Result<Graph> {
    let mut b = Builder::new();
    let z = b.input("z", Rows::SAMPLE, &[32], &[32]);
    let half = |b: &mut Builder, x: NodeId, first: usize| {
        let at: Vec<i64> = (first..first + 16).map(|i| i as i64).collect();
        let index = b.constant(Tensor::new([16], at.iter().map(|&i| i as f64).collect::<Vec<_>>()));
        b.take(x, index)
    };
    let (mut left, mut right) = (half(&mut b, z, 0), half(&mut b, z, 16));
    for _ in 0..4 {
        let h = linear(&mut b, left, 64);
        let h = b.unary(Unary::Tanh, h);
        let both = linear(&mut b, h, 32);
        let (s, t) = (half(&mut b, both, 0), half(&mut b, both, 16));
        let scale = b.unary(Unary::Exp, s);
        let scaled = b.binary(Binary::Mul, right, scale);
        (left, right) = (b.binary(Binary::Add, scaled, t), left);
    }
    let x = b.concat(&[left, right], 0);
    decoder(b, x).vjp_graph(0, 0, 1)
}

fn run<T: Real>(graph: &Graph, n: usize, runs: usize) -> Result<()> {
    let program = Program::<T>::compile(graph, &Options { tile: Some(n), ..Options::default() })?;
    let port = |node: NodeId| (0..n * graph.node(node).item_len()).map(|i| T::from_f64((i as f64 * 0.7).sin())).collect();
    let inputs: Vec<Vec<T>> = graph.inputs.iter().map(|p| port(p.node)).collect();
    let inputs: Vec<&[T]> = inputs.iter().map(Vec::as_slice).collect();
    let mut outputs = vec![];
    for _ in 0..runs {
        program.run(n, &inputs, &mut outputs)?;
    }
    std::hint::black_box(outputs);
    Ok(())
}

fn main() -> std::result::Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    // `cargo bench` starts every bench target; without a case there is nothing to do.
    let (Some(case), Some(runs)) = (arguments.next(), arguments.next()) else { return Ok(()) };
    let runs = runs.parse()?;
    match case.as_str() {
        "perceptron" => run::<f32>(&perceptron()?, 16, runs)?,
        "convolutions" => run::<f32>(&convolutions()?, 4, runs)?,
        "couplings" => run::<f64>(&couplings()?, 16, runs)?,
        _ => return Err(format!("no such case: {case}").into()),
    }
    Ok(())
}
