//! Programs against each other.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::data::builtin_model;
use latlas_graph::onnx::{LoadOptions, load_bytes};
use latlas_graph::ops::Contraction;
use latlas_graph::{Builder, NodeId, Port, Rows, Tensor};

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
        network.vjp(0, z.view(), None, cotangents.view()).unwrap().derivative.outer_iter().all(|g| g.row(3) == ndarray::array![9.0, 12.0])
    );
}
