//! How many operations derivatives take beside the graph they are made of.

use latlas_graph::execute::{Cost, cost};
use latlas_graph::onnx::{LoadOptions, load};
use latlas_graph::ops::{Binary, Contraction, Unary};
use latlas_graph::transform::taylor;
use latlas_graph::{Builder, Graph, NodeId, Port, Rows, Tensor};

use super::models::model;

/// The trained models, and one export of each kind.
fn models() -> Vec<(String, Graph)> {
    let trained = ["digits_vae.onnx", "digits_encoder.onnx", "galaxy_flow.onnx", "galaxy_flow_inverse.onnx", "dcgan_faces.onnx"];
    let mut all: Vec<(String, Graph)> = trained.iter().filter_map(|name| Some(((*name).to_owned(), model(name)?))).collect();
    for name in ["attention", "convolutional", "heads", "residual", "sequence", "spline"] {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/models/{name}.dynamo.many.onnx"));
        all.push((name.to_owned(), load(&path, &LoadOptions::default()).unwrap()));
    }
    all
}

/// First and second derivative of the first output along one direction a sample.
fn taylor_graph(graph: &Graph) -> Graph {
    let mut b = Builder::from_graph(graph.clone());
    let (x, y) = (&graph.inputs[0], &graph.outputs[0]);
    let direction = b.input("direction", Rows::SAMPLE, &x.shape, &graph.node(x.node).shape);
    let (first, second) = taylor(&mut b, x.node, direction, &[y.node]).unwrap()[0];
    let port = |(name, node): (&str, NodeId)| Port { name: name.into(), node, ..y.clone() };
    let derivatives = [("first", first), ("second", second)].into_iter().filter_map(|(name, node)| Some(port((name, node?))));
    b.finish(std::iter::once(y.clone()).chain(derivatives).collect())
}

#[test]
#[allow(clippy::print_stdout)]
fn one_direction_takes_a_few_times_the_operations_of_a_decode() {
    for (name, graph) in models() {
        let of = |graph: &Graph| cost(graph).unwrap();
        let primal = of(&Builder::from_graph(graph.clone()).finish(vec![graph.outputs[0].clone()]));
        let derived = [
            ("jvp", of(&graph.jvp_graph(0, &[0], 1).unwrap()), 2.1),
            ("vjp", of(&graph.vjp_graph(0, 0, 1).unwrap()), 2.1),
            ("taylor", of(&taylor_graph(&graph)), 3.3),
        ];
        for (what, derived, most) in derived {
            let ratio = derived.flops_per_sample / primal.flops_per_sample;
            let shares = derived.by_kind.iter().zip(&primal.by_kind).map(|(d, p)| format!("{} {:.2}", d.0, d.1 / p.1.max(1.0)));
            println!(
                "{name}: {what} takes {ratio:.2} times the operations and {:.2} times the bytes ({})",
                derived.moved_bytes_per_sample() / primal.moved_bytes_per_sample(),
                shares.collect::<Vec<_>>().join(", ")
            );
            assert!(ratio <= most, "{name}: {what} takes {ratio:.2} times the operations");
        }
    }
}

#[test]
fn what_does_not_depend_on_the_latent_runs_once() {
    // x = tanh(W z) · g(c) with a deep g: the Jacobian for z must not repeat g for each tangent.
    let build = |depth: usize| {
        let mut b = Builder::new();
        let z = b.input("z", Rows::SAMPLE, &[8], &[8]);
        let c = b.input("c", Rows::SAMPLE, &[64], &[64]);
        let dense = |b: &mut Builder, x: NodeId, n: usize| {
            let weight = b.constant(Tensor::new([n, 64], (0..n * 64).map(|i| ((i * 37 % 101) as f64 - 50.0) / 100.0).collect::<Vec<_>>()));
            let y = b.contract(x, weight, Contraction { a: vec![0], b: vec![0, 1], out: vec![1], sum_rows: Rows::NONE });
            b.unary(Unary::Tanh, y)
        };
        let condition = (0..depth).fold(c, |x, _| dense(&mut b, x, 64));
        let moved = dense(&mut b, z, 8);
        let x = b.binary(Binary::Mul, moved, condition);
        b.finish(vec![Port { name: "x".into(), node: x, shape: vec![64], default: None }])
    };
    let of = |graph: &Graph| -> Cost { cost(graph).unwrap() };
    let once = of(&build(4)).flops_per_sample - of(&build(1)).flops_per_sample;
    assert!(once > 3.0 * 2.0 * 64.0 * 64.0);
    let in_jacobian = of(&build(4).jacobian(0, &[0]).unwrap()).flops_per_sample - of(&build(1).jacobian(0, &[0]).unwrap()).flops_per_sample;
    assert_eq!(in_jacobian, once);
}
