//! Any bytes, read as a model: an error or a graph, never a panic, a hang or more than a gigabyte.

#![no_main]

use latlas_graph::onnx::{LoadOptions, load_bytes};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let options = LoadOptions { parameters: bytes.len() % 2 == 1, ..LoadOptions::default() };
    if let Ok(graph) = load_bytes(bytes.to_vec(), None, &options) {
        // What was loaded is consistent: every operand stands before its node, every port names a node.
        for (i, node) in graph.nodes().iter().enumerate() {
            assert!(node.operands.iter().all(|o| o.index() < i));
        }
        assert!(graph.inputs.iter().chain(&graph.outputs).all(|port| port.node.index() < graph.nodes().len()));
        assert!(graph.outputs.iter().all(|p| p.shape.iter().product::<usize>() == graph.node(p.node).item_len()));
    }
});
