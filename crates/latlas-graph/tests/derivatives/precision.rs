//! The executor in single and in double precision against the reference, on every operation and its derivatives.

use latlas_graph::evaluate::evaluate;
use latlas_graph::execute::{Options, Program};
use latlas_graph::ops::Face;
use latlas_graph::transform::{jvp, vjp};
use latlas_graph::{Builder, Graph, NodeId, Op, Rows};

use super::cases::{Case, all};
use super::{Primal, Random, SAMPLES, port};

/// The value, its tangents along two directions and the adjoints of three cotangents, with their inputs.
fn everything(case: &Case) -> (Graph, Vec<Vec<f64>>) {
    let random = &mut Random(11);
    let primal = Primal::new(case, random);
    let (mut b, inputs, y) = case.build();
    let (tangent, probe) = (b.axis("tangent", 2).unwrap(), b.axis("probe", 3).unwrap());
    let mut values = primal.point.clone();
    let mut seed = |b: &mut Builder, of: NodeId, rows: Rows| {
        let shape = b.shape(of).to_vec();
        let node = b.input("seed", rows, &shape, &shape);
        values.push(random.array(b.graph().row_count(rows, SAMPLES) * b.graph().node(node).item_len(), -1.0, 1.0));
        node
    };
    let wrt: Vec<NodeId> = primal.differentiable().into_iter().map(|i| inputs[i]).collect();
    let mut seeds = vec![];
    for &x in &wrt {
        let rows = b.rows(x).union(Rows::of(tangent));
        seeds.push((x, seed(&mut b, x, rows)));
    }
    let rows = b.rows(y).union(Rows::of(probe));
    let cotangent = seed(&mut b, y, rows);
    let mut nodes = vec![y];
    nodes.extend(jvp(&mut b, &seeds, &[y]).unwrap().into_iter().flatten());
    nodes.extend(vjp(&mut b, &[(y, cotangent)], &wrt).unwrap().into_iter().flatten());
    (b.finish(nodes.into_iter().map(|node| port("value", node)).collect()), values)
}

fn worst(expected: &[f64], got: impl Iterator<Item = f64>) -> f64 {
    let largest = expected.iter().fold(0.0_f64, |most, x| most.max(x.abs())).max(1e-3);
    expected.iter().zip(got).fold(0.0, |worst, (x, y)| worst.max((x - y).abs() / largest))
}

#[test]
fn the_executor_agrees_with_the_reference() {
    for case in all() {
        let (graph, values) = everything(&case);
        let reference = evaluate(&graph, SAMPLES, &values).unwrap();
        let inputs: Vec<&[f64]> = values.iter().map(Vec::as_slice).collect();
        let mut double = vec![];
        Program::<f64>::compile(&graph, &Options::default()).unwrap().run(SAMPLES, &inputs, &mut double).unwrap();
        let narrow: Vec<Vec<f32>> = values.iter().map(|v| v.iter().map(|&x| x as f32).collect()).collect();
        let inputs: Vec<&[f32]> = narrow.iter().map(Vec::as_slice).collect();
        let mut single = vec![];
        Program::<f32>::compile(&graph, &Options::default()).unwrap().run(SAMPLES, &inputs, &mut single).unwrap();
        for (i, expected) in reference.iter().enumerate() {
            assert_eq!(expected.len(), double[i].len(), "{}, output {i}", case.name);
            let (in_double, in_single) =
                (worst(expected, double[i].iter().copied()), worst(expected, single[i].iter().map(|&x| f64::from(x))));
            assert!(in_double <= 1e-13, "{}, output {i}: {in_double:e} in f64", case.name);
            assert!(in_single <= 1e-5, "{}, output {i}: {in_single:e} in f32", case.name);
        }
    }
}

#[test]
fn convolutions_equal_their_decomposition() {
    let mut faces = [0; 3];
    for case in all() {
        let (mut b, inputs, y) = case.build();
        let Op::Convolve(convolution, face, sum_rows) = b.graph().node(y).op.clone() else { continue };
        faces[[Face::Value, Face::Data, Face::Weight].iter().position(|f| *f == face).unwrap()] += 1;
        let values = Primal::new(&case, &mut Random(12)).point;
        let parts = convolution.decompose(&mut b, face, inputs[0], inputs[1], sum_rows);
        assert_eq!((b.rows(parts), b.shape(parts)), (b.rows(y), b.shape(y)), "{}", case.name);
        let graph = b.finish(vec![port("whole", y), port("parts", parts)]);
        let out = evaluate(&graph, SAMPLES, &values).unwrap();
        let error = worst(&out[0], out[1].iter().copied());
        assert!(error <= 1e-14, "{}: {error:e}", case.name);
    }
    assert!(faces.iter().all(|&n| n >= 7), "{faces:?}");
}
