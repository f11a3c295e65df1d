//! Jacobians in a cheaper order: the same numbers for fewer operations, and nothing changes where there is no cheaper one.

use latlas_graph::evaluate::evaluate;
use latlas_graph::execute::{Options, Program, cost};
use latlas_graph::onnx::{LoadOptions, load_bytes, save};
use latlas_graph::ops::{Binary, Contraction, IndexMap, Unary};
use latlas_graph::transform::{Elimination, vjp};
use latlas_graph::{Builder, Graph, NodeId, Port, Rows, Tensor};

use super::models::model;
use super::{Random, distance, norm};

/// How the scales of a coupling are kept in bounds.
#[derive(Clone, Copy, Debug)]
enum Clamp {
    None,
    Tanh,
    Arctangent,
}

/// What stands between two couplings.
#[derive(Clone, Copy, Debug)]
enum Between {
    Exchange,
    Reversal,
    Permutation,
}

/// A flow of affine couplings, y₂ = x₂ · exp(s(x₁)) + t(x₁): its width, how wide the half that is seen and the subnet are.
struct Couplings {
    width: usize,
    seen: usize,
    hidden: usize,
    depth: usize,
    clamp: Clamp,
    between: Between,
}

fn dense(b: &mut Builder, x: NodeId, from: usize, to: usize, random: &mut Random) -> NodeId {
    let scale = 1.0 / (from as f64).sqrt();
    let weight = b.constant(Tensor::new([from, to], random.array(from * to, -scale, scale)));
    let bias = b.constant(Tensor::new([to], random.array(to, -0.5, 0.5)));
    let product = b.contract(x, weight, Contraction { a: vec![0], b: vec![0, 1], out: vec![1], sum_rows: Rows::NONE });
    b.binary(Binary::Add, product, bias)
}

impl Couplings {
    fn graph(&self, random: &mut Random) -> Graph {
        let Self { width, seen, hidden, .. } = *self;
        let part = |start: usize, len: usize| IndexMap::strided(&[len], start, &[1]);
        let mut b = Builder::new();
        let z = b.input("z", Rows::SAMPLE, &[width], &[width]);
        let mut x = z;
        for _ in 0..self.depth {
            let (first, second) = (b.map(x, part(0, seen)), b.map(x, part(seen, width - seen)));
            let h = dense(&mut b, first, seen, hidden, random);
            let h = b.unary(Unary::Tanh, h);
            let both = dense(&mut b, h, hidden, 2 * (width - seen), random);
            let (s, t) = (b.map(both, part(0, width - seen)), b.map(both, part(width - seen, width - seen)));
            let s = match self.clamp {
                Clamp::None => s,
                Clamp::Tanh => {
                    let tanh = b.unary(Unary::Tanh, s);
                    b.with_scalar(Binary::Mul, tanh, 1.5)
                }
                Clamp::Arctangent => {
                    let angle = b.unary(Unary::Atan, s);
                    b.with_scalar(Binary::Mul, angle, 0.636)
                }
            };
            let scale = b.unary(Unary::Exp, s);
            let scaled = b.binary(Binary::Mul, second, scale);
            let moved = b.binary(Binary::Add, scaled, t);
            x = match self.between {
                Between::Exchange => b.concat(&[moved, first], 0),
                _ => b.concat(&[first, moved], 0),
            };
            let mut order: Vec<u32> = (0..width as u32).rev().collect();
            match self.between {
                Between::Exchange => {}
                Between::Reversal => x = b.map(x, IndexMap::table(&[width], order)),
                Between::Permutation => {
                    (1..width).rev().for_each(|i| order.swap(i, random.below(i + 1)));
                    x = b.map(x, IndexMap::table(&[width], order));
                }
            }
        }
        b.finish(vec![Port { name: "x".into(), node: x, shape: vec![width], default: None }])
    }
}

/// Flows of several shapes, all with blocks.
fn flows() -> Vec<(String, Graph)> {
    let mut flows = vec![];
    for (i, clamp) in [Clamp::None, Clamp::Tanh, Clamp::Arctangent].into_iter().enumerate() {
        for (j, between) in [Between::Exchange, Between::Reversal, Between::Permutation].into_iter().enumerate() {
            let (depth, width) = (1 + (i + j) % 4, [12, 13, 20][j]);
            let shape = Couplings { width, seen: [6, 5, 10][i], hidden: 48, depth, clamp, between };
            let name = format!("{depth} couplings of {width}, {clamp:?}, {between:?}");
            flows.push((name, shape.graph(&mut Random(10 * i as u64 + j as u64))));
        }
    }
    flows
}

fn plain(graph: &Graph) -> Graph {
    graph.jacobian_in_order(0, &[0], &Elimination::default()).unwrap()
}

#[test]
fn blocks_change_no_jacobian_of_a_coupling_flow() {
    for (name, graph) in flows() {
        let order = graph.elimination(0, &[0]);
        assert!(!order.blocks.is_empty(), "{name}: no block was chosen");
        let z = Random(3).array(2 * graph.inputs[0].shape[0], -1.0, 1.0);
        let expected = evaluate(&plain(&graph), 2, std::slice::from_ref(&z)).unwrap();
        let derived = graph.jacobian(0, &[0]).unwrap();
        let got = evaluate(&derived, 2, std::slice::from_ref(&z)).unwrap();
        assert_eq!(expected[0], got[0], "{name}");
        let error = distance(&expected[1], &got[1]) / norm(&expected[1]);
        assert!(error < 1e-12, "{name}: {error:e}");
        let mut run = vec![];
        Program::<f64>::compile(&derived, &Options::default()).unwrap().run(2, &[&z], &mut run).unwrap();
        let error = distance(&run[1], &got[1]) / norm(&got[1]);
        assert!(error < 1e-12, "{name}, executed: {error:e}");
    }
}

#[test]
fn gram_matrices_and_penalties_are_the_same_in_any_order() {
    for (name, graph) in flows().into_iter().step_by(2) {
        let z = Random(4).array(2 * graph.inputs[0].shape[0], -1.0, 1.0);
        let jacobian = &evaluate(&plain(&graph), 2, std::slice::from_ref(&z)).unwrap()[1];
        let gram = &evaluate(&graph.gram(0, &[0]).unwrap(), 2, std::slice::from_ref(&z)).unwrap()[1];
        let d = graph.inputs[0].shape[0];
        let column = |n: usize, t: usize| &jacobian[(n * d + t) * d..][..d];
        let expected: Vec<f64> = (0..2 * d * d).map(|i| super::dot(column(i / (d * d), i / d % d), column(i / (d * d), i % d))).collect();
        let error = distance(gram, &expected) / norm(&expected);
        assert!(error < 1e-12, "{name}, Gram: {error:e}");

        // ∂/∂z Σ ‖J‖², by reverse mode over either order.
        let gradient = |derived: Graph| {
            let mut b = Builder::from_graph(derived);
            let (z_node, j) = (b.graph().inputs[0].node, b.graph().outputs[1].node);
            let squares = b.binary(Binary::Mul, j, j);
            let mut sum = b.sum(squares, &[0]);
            let axes: Vec<_> = b.rows(sum).iter().filter(|axis| *axis != latlas_graph::Axis::SAMPLE).collect();
            for axis in axes {
                sum = b.row_sum(sum, axis);
            }
            let one = b.filled_like(sum, 1.0);
            let pulled = vjp(&mut b, &[(sum, one)], &[z_node]).unwrap()[0].unwrap();
            let graph = b.finish(vec![super::port("gradient", pulled)]);
            evaluate(&graph, 2, std::slice::from_ref(&z)).unwrap().remove(0)
        };
        let (expected, got) = (gradient(plain(&graph)), gradient(graph.jacobian(0, &[0]).unwrap()));
        let error = distance(&expected, &got) / norm(&expected);
        assert!(error < 1e-11, "{name}, penalty: {error:e}");
    }
}

#[test]
fn a_jacobian_of_blocks_is_saved_as_onnx() {
    for (name, graph) in flows().into_iter().step_by(4) {
        let derived = graph.jacobian(0, &[0]).unwrap();
        let z = Random(5).array(2 * graph.inputs[0].shape[0], -1.0, 1.0);
        let expected = evaluate(&derived, 2, std::slice::from_ref(&z)).unwrap();
        let read = load_bytes(save(&derived).unwrap(), None, &LoadOptions::default()).unwrap();
        let got = evaluate(&read, 2, std::slice::from_ref(&z)).unwrap();
        // The file holds single precision.
        let error = distance(&expected[1], &got[1]) / norm(&expected[1]);
        assert!(error < 1e-6, "{name}: {error:e}");
    }
}

#[test]
#[allow(clippy::print_stdout)]
fn a_flow_of_784_dimensions_takes_less_than_half_the_operations() {
    let shape = Couplings { width: 784, seen: 392, hidden: 512, depth: 12, clamp: Clamp::Tanh, between: Between::Exchange };
    let graph = shape.graph(&mut Random(1));
    let order = graph.elimination(0, &[0]);
    assert_eq!(order.blocks.len(), 12);
    assert!(order.blocks.iter().all(|block| block.inside.blocks.len() == 1), "each is itself a product of two");
    let of = |graph: &Graph| cost(graph).unwrap().flops_per_sample;
    let (plain, chosen) = (of(&plain(&graph)), of(&graph.jacobian(0, &[0]).unwrap()));
    println!("{:.2} GFLOP plainly, {:.2} in blocks: {:.2} times fewer", plain / 1e9, chosen / 1e9, plain / chosen);
    assert!(plain / chosen >= 2.2, "{:.2} times fewer", plain / chosen);
}

#[test]
#[allow(clippy::print_stdout)]
fn no_model_takes_more_operations_than_plainly() {
    for name in ["digits_vae.onnx", "digits_encoder.onnx", "galaxy_flow.onnx", "galaxy_flow_inverse.onnx", "dcgan_faces.onnx"] {
        let Some(graph) = model(name) else { continue };
        for output in 0..graph.outputs.len() {
            let start = std::time::Instant::now();
            let order = graph.elimination(0, &[output]);
            let time = start.elapsed();
            let plain = graph.jacobian_in_order(0, &[output], &Elimination::default()).unwrap();
            let chosen = graph.jacobian(0, &[output]).unwrap();
            let of = |graph: &Graph| cost(graph).unwrap().flops_per_sample;
            println!(
                "{name}, output {output}: {} blocks, {:.3} of the operations; chosen in {time:?}",
                order.blocks.len(),
                of(&chosen) / of(&plain)
            );
            assert!(of(&chosen) <= of(&plain), "{name}");
            if !name.starts_with("galaxy") {
                assert_eq!(order, Elimination::default(), "{name}");
                assert_eq!(chosen, plain, "{name}");
            }
        }
    }
}
