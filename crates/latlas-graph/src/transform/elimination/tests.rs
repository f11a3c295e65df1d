//! Every block that could be chosen gives the same Jacobian, whether it is cheap or not.

use std::path::Path;

use super::*;
use crate::evaluate::evaluate;
use crate::onnx::{LoadOptions, load};

/// The largest difference of two Jacobians, relative to the largest entry.
fn difference(graph: &Graph, outputs: &[usize], order: &Elimination) -> f64 {
    let n = 2;
    let len = n * graph.node(graph.inputs[0].node).item_len();
    let z: Vec<f64> = (0..len).map(|i| (i as f64 * 0.7 + 0.3).sin()).collect();
    let jacobian = |order: &Elimination| {
        let derived = graph.jacobian_in_order(0, outputs, order).unwrap();
        evaluate(&derived, n, std::slice::from_ref(&z)).unwrap().split_off(outputs.len())
    };
    let (plain, got) = (jacobian(&Elimination::default()), jacobian(order));
    let largest = plain.iter().flatten().fold(0.0_f64, |m, x| m.max(x.abs()));
    let worst = plain.iter().flatten().zip(got.iter().flatten()).map(|(a, b)| (a - b).abs());
    worst.fold(0.0, |m, d| if d.is_nan() || d > m { d } else { m }) / largest
}

#[test]
fn every_block_of_exported_models_gives_the_same_jacobian() {
    let mut tried = 0;
    for name in ["attention.dynamo.many", "residual.script.many", "convolutional.dynamo.many", "heads.script.one", "spline.script.many"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/models/{name}.onnx"));
        let graph = load(&path, &LoadOptions::default()).unwrap();
        let outputs: Vec<usize> = (0..graph.outputs.len()).collect();
        let nodes: Vec<NodeId> = graph.outputs.iter().map(|port| port.node).collect();
        let x = graph.inputs[0].node;
        let flow = Flow::new(&graph, x, &nodes);
        let mut of_model = 0;
        for from in flow.entries(x, None) {
            for (to, into) in flow.exits(from, None) {
                // The reference interpreter is slow, and blocks of thousands of elements are never worth it.
                if graph.node(from).item_len() > 128 || of_model >= 24 {
                    continue;
                }
                of_model += 1;
                let order = Elimination { blocks: vec![Block { from, into, to, inside: Elimination::default() }] };
                let difference = difference(&graph, &outputs, &order);
                assert!(difference < 1e-12, "{name}, block {from:?} to {to:?}: {difference:e}");
            }
        }
        tried += of_model;
    }
    assert!(tried >= 20, "{tried} blocks");
}
