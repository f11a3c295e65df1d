//! Every face over random geometry against the reference, alone and between neighbours that share its order.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use proptest::prelude::*;

use crate::evaluate::evaluate;
use crate::execute::{Options, Program, Real};
use crate::ops::{Binary, Convolution, Face, IndexMap, Unary};
use crate::{Builder, Graph, NodeId, Port, Rows};

/// A geometry with at least one output position along each axis, unless an axis is empty.
fn convolution() -> impl Strategy<Value = Convolution> {
    let axis = (0usize..12, 1usize..8, 1usize..4, 1usize..4, 0usize..4, 0usize..4);
    (proptest::collection::vec(axis, 0..4), 1usize..4, 1usize..20, 1usize..20, any::<bool>()).prop_map(
        |(axes, groups, in_channels, out_channels, narrow)| {
            let mut c = Convolution {
                in_channels: groups * if narrow { in_channels.min(3) } else { in_channels },
                out_channels: groups * if narrow { out_channels.min(2) } else { out_channels },
                groups,
                input: vec![],
                output: vec![],
                kernel: vec![],
                strides: vec![],
                dilations: vec![],
                pads: vec![],
            };
            let small = axes.len() > 2;
            for (input, mut kernel, stride, mut dilation, pad, after) in axes {
                let mut input = if small { input.min(5) } else { input };
                if small {
                    (kernel, dilation) = (kernel.min(3), dilation.min(2));
                }
                let extent = dilation * (kernel - 1) + 1;
                if input > 0 {
                    input = input.max(extent.saturating_sub(pad + after));
                }
                let output = if input == 0 { 0 } else { (input + pad + after - extent) / stride + 1 };
                c.input.push(input);
                c.output.push(output);
                c.kernel.push(kernel);
                c.strides.push(stride);
                c.dilations.push(dilation);
                c.pads.push(pad);
            }
            c
        },
    )
}

fn shapes(c: &Convolution) -> [Vec<usize>; 3] {
    let x = [&[c.in_channels], &c.input[..]].concat();
    let y = [&[c.out_channels], &c.output[..]].concat();
    [x, y, [&[c.out_channels, c.in_channels / c.groups], &c.kernel[..]].concat()]
}

fn numbers(n: usize, seed: usize) -> Vec<f64> {
    (0..n).map(|i| f64::from(((i + 7 * seed) * 7919 % 257) as i32 - 128) / 64.0).collect()
}

/// A face of inputs alone; with a constant weight; between functions and a doubled image; and all with the rows given.
fn graph(c: &Convolution, face: Face, first: Rows, second: Rows, b: &mut Builder) -> Vec<NodeId> {
    let [x, y, w] = shapes(c);
    let (one, other) = match face {
        Face::Value => (x, w.clone()),
        Face::Data => (y, w.clone()),
        Face::Weight => (x, y),
    };
    let (one, other) = (b.input("a", first, &one, &one), b.input("b", second, &other, &other));
    let c = Arc::new(c.clone());
    let sum_rows = if face == Face::Weight { Rows::SAMPLE.intersection(first.union(second)) } else { Rows::NONE };
    let mut seen = vec![b.convolve(one, other, &c, face, sum_rows)];
    if face == Face::Weight {
        return seen;
    }
    let constant = b.constant(crate::Tensor::new(w.clone(), numbers(w.iter().product(), 3)));
    let soft = b.unary(Unary::Tanh, one);
    let value = b.convolve(soft, constant, &c, face, Rows::NONE);
    let mask = b.unary(Unary::Sigmoid, value);
    let gated = b.binary(Binary::Mul, value, mask);
    // Back through the other face, so that a value lies between two convolutions.
    let back = if face == Face::Value { Face::Data } else { Face::Value };
    let returned = b.convolve(gated, constant, &c, back, Rows::NONE);
    let shape = b.shape(returned).to_vec();
    let both = b.binary(Binary::Add, returned, soft);
    let last = shape.len().saturating_sub(1);
    seen.push(b.sum(both, &[0]));
    seen.push(b.sum(both, &(1..shape.len()).collect::<Vec<_>>()));
    let doubled: Vec<usize> = shape.iter().enumerate().map(|(i, &n)| if i == last && i > 0 { 2 * n } else { n }).collect();
    let width = doubled[last];
    let table = (0..doubled.iter().product::<usize>()).map(|i| if last == 0 { i } else { i / width * (width / 2) + i % width / 2 });
    let map = IndexMap::table(&doubled, table.map(|i| i as u32).collect());
    let image = b.map(both, map.clone());
    let image = b.unary(Unary::Sigmoid, image);
    seen.push(b.scatter(image, map, &shape));
    let flat = b.reshape(gated, &[b.shape(gated).iter().product()]);
    seen.push(b.unary(Unary::Neg, flat));
    seen
}

fn close<T: Real>(graph: &Graph, n: usize, tolerance: f64) -> Result<(), TestCaseError> {
    let size = |port: &Port| graph.row_count(graph.node(port.node).rows, n) * graph.node(port.node).item_len();
    let inputs: Vec<Vec<f64>> = graph.inputs.iter().enumerate().map(|(i, port)| numbers(size(port), i)).collect();
    let expected = evaluate(graph, n, &inputs).unwrap();
    let narrow: Vec<Vec<T>> = inputs.iter().map(|x| x.iter().map(|&x| T::from_f64(x)).collect()).collect();
    let narrow: Vec<&[T]> = narrow.iter().map(Vec::as_slice).collect();
    let program = Program::<T>::compile(graph, &Options { tile: Some(3), ..Options::default() }).unwrap();
    let mut outputs: Vec<Vec<T>> = vec![];
    for _ in 0..2 {
        outputs.iter_mut().flatten().for_each(|x| *x = T::NAN);
        program.run(n, &narrow, &mut outputs).unwrap();
        for (i, (expected, got)) in expected.iter().zip(&outputs).enumerate() {
            prop_assert_eq!(expected.len(), got.len(), "output {}", i);
            let scale = expected.iter().fold(1.0, |m: f64, x| m.max(x.abs()));
            for (at, (e, g)) in expected.iter().zip(got).enumerate() {
                let fine = (e - g.to_f64()).abs() <= tolerance * scale;
                prop_assert!(fine, "output {} element {}: expected {}, got {:?}", i, at, e, g);
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, max_shrink_iters: 300, ..ProptestConfig::default() })]

    #[test]
    fn every_face_agrees_with_the_reference(
        c in convolution(),
        face in prop_oneof![Just(Face::Value), Just(Face::Data), Just(Face::Weight)],
        (first, second) in (0usize..4, 0usize..4),
        n in 0usize..6,
    ) {
        let mut b = Builder::new();
        let tangent = b.axis("tangent", 3).unwrap();
        let rows = |i: usize| [Rows::NONE, Rows::SAMPLE, Rows::of(tangent), Rows::SAMPLE.union(Rows::of(tangent))][i];
        let seen = graph(&c, face, rows(first), rows(second), &mut b);
        let ports = seen.iter().map(|&node| Port { name: format!("y{}", node.index()), node, shape: b.shape(node).to_vec(), default: None });
        let graph = { let ports = ports.collect(); b.finish(ports) };
        if crate::execute::cost(&graph).is_ok_and(|c| c.flops_per_sample * n as f64 + c.flops_once < 5e6) {
            close::<f64>(&graph, n, 1e-12)?;
            close::<f32>(&graph, n, 3e-4)?;
        }
    }
}
