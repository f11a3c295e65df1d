//! Trained models: their derivatives stay small, agree in both modes, and are left for other runtimes.

use std::path::Path;
use std::time::Instant;

use latlas_graph::evaluate::evaluate;
use latlas_graph::execute::{Options, Program};
use latlas_graph::onnx::{Layout, LoadOptions, load, save_with};
use latlas_graph::transform::{jvp, vjp};
use latlas_graph::{Builder, Error, Graph, NodeId, Op, Port, Rows};

use super::export::{arrays, leave};
use super::{Random, distance, norm};

/// The models that lie beside the library's tests; `None` where this crate stands alone.
pub fn model(name: &str) -> Option<Graph> {
    let folders = ["../latlas/assets", "../latlas/tests/fixtures", "../../target/data"];
    let path = folders.iter().map(|f| Path::new(env!("CARGO_MANIFEST_DIR")).join(f).join(name)).find(|p| p.exists());
    let Some(path) = path else {
        eprintln!("{name} is not here: not checked");
        return None;
    };
    match load(&path, &LoadOptions::default()) {
        Ok(graph) => Some(graph),
        Err(Error::Unsupported { operators }) => panic!("{name}: {operators:?}"),
        Err(error) => panic!("{name}: {error}"),
    }
}

/// Nodes that compute: no reshapes, inputs or constants.
fn size(b: &Builder, from: &[NodeId]) -> usize {
    let reach = b.graph().reach(from);
    let computes = |i: &usize| {
        let node = &b.graph().nodes()[*i];
        let reshape = matches!(&node.op, Op::Map(map) if map.is_identity(b.graph().node(node.operands[0]).item_len()));
        !reshape && !matches!(node.op, Op::Input(_) | Op::Constant(_) | Op::Count(_))
    };
    (0..reach.len()).filter(|&i| reach[i]).filter(computes).count()
}

/// A step of forward mode along one axis, or of reverse mode with a fresh probe, on several outputs.
fn step(b: &mut Builder, x: NodeId, outputs: &[NodeId], forward: bool) -> Vec<NodeId> {
    let shape = b.shape(x).to_vec();
    let found = if forward {
        let axis = b.axis("tangent", b.graph().node(x).item_len()).unwrap();
        let seeds = b.unit_seeds(axis, &shape);
        jvp(b, &[(x, seeds)], outputs).unwrap()
    } else {
        let seeds: Vec<(NodeId, NodeId)> = outputs
            .iter()
            .map(|&y| {
                let shape = b.shape(y).to_vec();
                (y, b.input("u", Rows::SAMPLE, &shape, &shape))
            })
            .collect();
        vjp(b, &seeds, &[x]).unwrap()
    };
    found.into_iter().flatten().collect()
}

#[test]
#[allow(clippy::print_stdout)]
fn derivatives_of_models_stay_small() {
    // The most that jvp, jvp² (diagonal and full), vjp and jvp∘vjp may have of the size of f, in tenths.
    for name in ["digits_vae.onnx", "digits_encoder.onnx", "galaxy_flow.onnx", "galaxy_flow_inverse.onnx", "dcgan_faces.onnx"] {
        let Some(graph) = model(name) else { continue };
        let outputs: Vec<NodeId> = graph.outputs.iter().map(|port| port.node).collect();
        let x = graph.inputs[0].node;
        let mut b = Builder::from_graph(graph);
        let f = size(&b, &outputs);
        let start = Instant::now();
        let first = step(&mut b, x, &outputs, true);
        let time = start.elapsed();
        let second = step(&mut b, x, &first, true);
        let axes: Vec<_> = b.rows(first[0]).iter().collect();
        let shape = b.shape(x).to_vec();
        let again = b.unit_seeds(axes[axes.len() - 1], &shape);
        let diagonal: Vec<NodeId> = jvp(&mut b, &[(x, again)], &first).unwrap().into_iter().flatten().collect();
        let reverse = step(&mut b, x, &outputs, false);
        let mixed = step(&mut b, x, &reverse, true);
        let sizes =
            [&first[..], &[&first[..], &diagonal].concat(), &[&first[..], &second].concat(), &reverse, &[&reverse[..], &mixed].concat()];
        let sizes = sizes.map(|more| size(&b, &[&outputs[..], more].concat()));
        println!("{name}: f {f}, then {sizes:?}; jvp in {time:?}");
        for (size, most) in sizes.into_iter().zip([26, 45, 55, 28, 70]) {
            assert!(size <= most * f / 10 + 4, "{name}: {size} nodes from {f}");
        }
    }
}

#[test]
fn both_modes_give_the_same_jacobian_of_models() {
    for name in ["digits_vae.onnx", "galaxy_flow.onnx", "galaxy_flow_inverse.onnx"] {
        let Some(graph) = model(name) else { continue };
        for output in 0..graph.outputs.len() {
            let random = &mut Random(6);
            let (d, k) = (graph.node(graph.inputs[0].node).item_len(), graph.node(graph.outputs[output].node).item_len());
            let z = random.array(2 * d, 0.2, 1.5);
            let forward = graph.jacobian(0, &[output]).unwrap();
            let jacobian = &evaluate(&forward, 2, std::slice::from_ref(&z)).unwrap()[1];
            let reverse = graph.vjp_graph(0, output, k).unwrap();
            let unit = |i: usize| f64::from(u8::from(i / k % k == i % k));
            let pulled = &evaluate(&reverse, 2, &[z, (0..2 * k * k).map(unit).collect()]).unwrap()[1];
            let transposed: Vec<f64> = (0..2 * d * k).map(|i| pulled[i / (d * k) * d * k + i % k * d + i / k % d]).collect();
            let error = distance(jacobian, &transposed) / norm(jacobian);
            assert!(error < 1e-11, "{name}, output {output}: {error:e}");
        }
    }
}

#[test]
fn exported_models_are_left_for_other_runtimes() {
    for (name, n) in [("digits_vae", 16), ("digits_encoder", 16), ("galaxy_flow", 8), ("galaxy_flow_inverse", 8), ("dcgan_faces", 1)] {
        let Some(graph) = model(&format!("{name}.onnx")) else { continue };
        let d = graph.node(graph.inputs[0].node).item_len();
        let z = match name {
            // Rows near the middle of the data, and latents as the prior draws them.
            "galaxy_flow_inverse" => (0..n * d).map(|i| [1.0, 26.9, 26.2, 25.5, 24.9, 24.6, 24.3][i % d] + 0.01 * (i / d) as f64).collect(),
            _ => Random(7).array(n * d, -1.5, 1.5),
        };
        let outputs: Vec<usize> = (0..graph.outputs.len()).collect();
        let rest = vec![Layout::RowsFirst; outputs.len()];
        let mut derived = vec![("decode", graph.clone(), rest.clone(), vec![z.clone()])];
        let last = vec![Layout::ShapeFirst; outputs.len()];
        derived.push(("jacobian", graph.jacobian(0, &outputs).unwrap(), [rest, last].concat(), vec![z.clone()]));
        derived.push(("metric", graph.gram(0, &[0]).unwrap(), vec![], vec![z.clone()]));
        let tangents = Random(8).array(n * 2 * d, -1.0, 1.0);
        derived.push(("jvp", graph.jvp_graph(0, &outputs, 2).unwrap(), vec![], vec![z.clone(), tangents]));
        let cotangents = Random(9).array(n * 3 * graph.node(graph.outputs[0].node).item_len(), -1.0, 1.0);
        derived.push(("vjp", graph.vjp_graph(0, 0, 3).unwrap(), vec![], vec![z, cotangents]));
        for (what, graph, layouts, inputs) in derived {
            let mut values = vec![];
            let borrowed: Vec<&[f64]> = inputs.iter().map(Vec::as_slice).collect();
            Program::<f64>::compile(&graph, &Options::default()).unwrap().run(n, &borrowed, &mut values).unwrap();
            leave(&format!("{name} {what}"), &save_with(&graph, &layouts).unwrap(), &arrays(&graph, n, &inputs, &values, &layouts));
        }
    }
}

/// A port without a shape of its own keeps the tests of this file short.
#[test]
fn an_output_that_does_not_move_has_a_zero_jacobian() {
    let mut b = Builder::new();
    b.input("z", Rows::SAMPLE, &[3], &[3]);
    let y = b.filled(&[2], 5.0);
    let graph = b.finish(vec![Port { name: "y".into(), node: y, shape: vec![2], default: None }]);
    let jacobian = graph.jacobian(0, &[0]).unwrap();
    assert_eq!(evaluate(&jacobian, 1, &[vec![0.0; 3]]).unwrap()[1], vec![0.0; 6]);
}
