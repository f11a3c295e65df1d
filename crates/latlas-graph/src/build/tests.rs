//! Rules of the builder, one by one and at random: whatever is written, its value and type stay.

use super::*;
use crate::evaluate::{Value, evaluate, evaluate_node};

fn port(node: NodeId) -> Port {
    Port { name: "y".into(), node, shape: vec![], default: None }
}

fn start(shape: &[usize]) -> (Builder, NodeId) {
    let mut b = Builder::new();
    let x = b.input("x", Rows::SAMPLE, shape, shape);
    (b, x)
}

#[test]
fn equal_nodes_are_one() {
    let (mut b, x) = start(&[3]);
    let y = b.input("y", Rows::SAMPLE, &[3], &[3]);
    assert_eq!(b.constant(Tensor::new([3], [1.0, 2.0, 3.0])), b.constant(Tensor::new([3], [1.0, 2.0, 3.0])));
    assert_eq!(b.constant(Tensor::new([2], [1.0, 1.0])), b.filled(&[2], 1.0), "by content, not by storage");
    assert_ne!(b.filled(&[2], 0.0), b.filled(&[2], -0.0));
    assert_eq!(b.binary(Binary::Mul, x, y), b.binary(Binary::Mul, y, x));
    assert_ne!(b.binary(Binary::Sub, x, y), b.binary(Binary::Sub, y, x));
}

#[test]
fn what_does_nothing_is_not_written() {
    let (mut b, x) = start(&[2, 3]);
    assert_eq!(b.with_scalar(Binary::Add, x, 0.0), x);
    assert_eq!(b.with_scalar(Binary::Mul, x, 1.0), x);
    assert_eq!(b.with_scalar(Binary::Div, x, 1.0), x);
    assert_eq!(b.with_scalar(Binary::Pow, x, 1.0), x);
    let negative = b.unary(Unary::Neg, x);
    assert_eq!(b.unary(Unary::Neg, negative), x);
    assert_eq!(b.with_scalar(Binary::Mul, x, -1.0), negative);
    let turned = b.transpose(x, &[1, 0]);
    assert_eq!(b.transpose(turned, &[1, 0]), x);
    let flat = b.reshape(x, &[6]);
    assert_eq!(b.reshape(flat, &[2, 3]), x);
    assert_eq!(b.concat(&[x], 0), x);
    let yes = b.filled(&[2, 3], 1.0);
    assert_eq!(b.select(yes, x, negative), x);
    let no = b.filled(&[2, 3], 0.0);
    assert_eq!(b.select(no, x, negative), negative);
    let comparison = b.binary(Binary::Less, x, negative);
    assert_eq!(b.detach(comparison), comparison);
    let joined = b.concat(&[x, negative], 0);
    assert_eq!(b.map(joined, IndexMap::strided(&[2, 3], 6, &[3, 1])), negative, "one part of a concatenation");
}

#[test]
fn no_rule_hides_what_is_not_finite() {
    let (mut b, x) = start(&[1]);
    let product = b.with_scalar(Binary::Mul, x, 0.0);
    let difference = b.binary(Binary::Sub, x, x);
    let zero = b.filled(&[1], 0.0);
    let safe = b.binary(Binary::MulAnnihilating, x, zero);
    let graph = b.finish(vec![port(product), port(difference), port(safe)]);
    let out = evaluate(&graph, 1, &[vec![f64::INFINITY]]).unwrap();
    assert!(out[0][0].is_nan() && out[1][0].is_nan());
    assert_eq!(out[2][0], 0.0);
}

#[test]
fn types_are_kept_where_values_would_do() {
    let (mut b, x) = start(&[1]);
    let tangent = b.axis("tangent", 1).unwrap();
    let seeds = b.unit_seeds(tangent, &[1]);
    let widened = b.binary(Binary::Mul, x, seeds);
    assert_eq!(b.rows(widened), Rows::SAMPLE.union(Rows::of(tangent)), "a factor of one along an axis of length one");
}

#[test]
fn constants_fold_unless_that_makes_them_large() {
    let (mut b, _) = start(&[1]);
    let half = b.filled(&[4], 0.5);
    let wave = b.constant(Tensor::new([4], [0.0, 1.0, 2.0, 3.0]));
    let product = b.binary(Binary::Mul, half, wave);
    assert_eq!(product, b.constant(Tensor::new([4], [0.0, 0.5, 1.0, 1.5])));
    let large = b.expand(half, &[100_000, 4]);
    assert_eq!(b.uniform(large), Some(0.5), "equal elements cost nothing");
    let kept = b.expand(wave, &[100_000, 4]);
    assert!(matches!(b.graph().node(kept).op, Op::Map(_)));
}

#[test]
fn finishing_drops_what_no_output_needs() {
    let (mut b, x) = start(&[2]);
    let unused = b.input("unused", Rows::SAMPLE, &[2], &[2]);
    let dead = b.unary(Unary::Exp, unused);
    b.unary(Unary::Sin, dead);
    let y = b.unary(Unary::Tanh, x);
    let graph = b.finish(vec![port(y)]);
    assert_eq!(graph.nodes().len(), 3);
    assert_eq!(graph.node(graph.inputs[1].node).op, Op::Input(1));
    assert_eq!(graph.node(graph.outputs[0].node).op, Op::Unary(Unary::Tanh));
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }

    fn table(&mut self, shape: &[usize], below: usize) -> IndexMap {
        let len = shape.iter().product::<usize>();
        let one = |r: &mut Self| if r.below(8) == 0 { IndexMap::NOWHERE } else { r.below(below) as u32 };
        IndexMap::table(shape, (0..len).map(|_| one(self)).collect())
    }
}

/// A random operation on what there is: what it should be, written out, and what the builder made of it.
fn random_step(b: &mut Builder, nodes: &[NodeId], r: &mut Random) -> (Node, NodeId) {
    let x = nodes[r.below(nodes.len())];
    let same: Vec<NodeId> = nodes.iter().copied().filter(|&n| b.shape(n) == b.shape(x)).collect();
    let shape = b.shape(x).to_vec();
    let len: usize = shape.iter().product();
    let raw = |b: &Builder, op: Op, operands: Vec<NodeId>, shape: Vec<usize>| Node { op, rows: b.union(&operands), operands, shape };
    match r.below(9) {
        0 => {
            let map = match r.below(3) {
                0 => IndexMap::reshape(&[len]),
                1 => IndexMap::strided(&[2, len], 0, &[0, 1]),
                _ => r.table(&[2, 3], len),
            };
            (raw(b, Op::Map(Arc::new(map.clone())), vec![x], map.shape().to_vec()), b.map(x, map))
        }
        1 => {
            let order: Vec<usize> = (0..shape.len()).rev().collect();
            let new: Vec<usize> = order.iter().map(|&i| shape[i]).collect();
            let steps = crate::ops::contiguous(&shape);
            let map = IndexMap::strided(&new, 0, &order.iter().map(|&i| steps[i]).collect::<Vec<_>>());
            (raw(b, Op::Map(Arc::new(map)), vec![x], new), b.transpose(x, &order))
        }
        2 => {
            let (target, map) = if r.below(2) == 0 { (vec![4], r.table(&shape, 4)) } else { (vec![len + 1], IndexMap::reshape(&shape)) };
            (raw(b, Op::Scatter(Arc::new(map.clone())), vec![x], target.clone()), b.scatter(x, map, &target))
        }
        3 => {
            let y = same[r.below(same.len())];
            let parts = if r.below(3) == 0 { vec![x] } else { vec![x, y] };
            let axis = shape.len() - 1;
            let mut joined = shape.clone();
            joined[axis] *= parts.len();
            (raw(b, Op::Concat(axis), parts.clone(), joined), b.concat(&parts, axis))
        }
        4 | 5 => {
            let value = [0.0, 1.0, -1.0, 2.0, 3.0, 0.5][r.below(6)];
            let constant = b.filled(&shape, value);
            let other = if r.below(3) == 0 { same[r.below(same.len())] } else { constant };
            let f = [Binary::Add, Binary::Sub, Binary::Mul, Binary::MulAnnihilating, Binary::Div, Binary::Pow][r.below(6)];
            let (p, q) = if r.below(2) == 0 { (x, other) } else { (other, x) };
            (raw(b, Op::Binary(f), vec![p, q], shape), b.binary(f, p, q))
        }
        6 => (raw(b, Op::Unary(Unary::Neg), vec![x], shape), b.unary(Unary::Neg, x)),
        7 => {
            let other = same[r.below(same.len())];
            let mask = b.filled(&shape, r.below(2) as f64);
            let mask = if r.below(2) == 0 { mask } else { b.binary(Binary::Less, x, other) };
            (raw(b, Op::Select, vec![x, other, mask], shape), b.select(mask, x, other))
        }
        _ => {
            let positions: Vec<f64> = (0..4).map(|_| r.below(len) as f64).collect();
            let index = b.constant(Tensor::new([4], positions));
            (raw(b, Op::Take, vec![x, index], vec![4]), b.take(x, index))
        }
    }
}

#[test]
fn random_graphs_keep_their_values_and_types() {
    const N: usize = 2;
    for seed in 0..300 {
        let r = &mut Random(seed);
        let mut b = Builder::new();
        let p = b.axis("p", 2).unwrap();
        let inputs = [
            b.input("x", Rows::SAMPLE, &[2, 3], &[2, 3]),
            b.input("y", Rows::of(p), &[2, 3], &[2, 3]),
            b.input("z", Rows::NONE, &[4], &[4]),
        ];
        let values: Vec<Vec<f64>> = inputs
            .iter()
            .map(|&i| {
                (0..b.graph().row_count(b.rows(i), N) * b.graph().node(i).item_len()).map(|_| r.below(90) as f64 / 40.0 - 1.0).collect()
            })
            .collect();
        let mut nodes = inputs.to_vec();
        for _ in 0..12 {
            let (raw, made) = random_step(&mut b, &nodes, r);
            assert_eq!((b.rows(made), b.shape(made)), (raw.rows, &raw.shape[..]), "{:?}", raw.op);
            let all: Vec<NodeId> = raw.operands.iter().copied().chain([made]).collect();
            let graph = Graph { outputs: all.iter().map(|&n| port(n)).collect(), ..b.graph().clone() };
            let mut out = evaluate(&graph, N, &values).unwrap();
            let got = out.pop().unwrap();
            let operands: Vec<Value<'_>> = raw.operands.iter().zip(&out).map(|(&o, data)| Value { node: graph.node(o), data }).collect();
            let expected = evaluate_node(&raw, &operands, &|axis| graph.axis_size(axis, N));
            for (x, y) in got.iter().zip(&expected) {
                let close = (x - y).abs() <= 1e-13 * y.abs() || x == y || (x.is_nan() && y.is_nan());
                assert!(close, "seed {seed}, {:?}: {x} instead of {y}", raw.op);
            }
            if raw.shape.iter().product::<usize>() <= 24 {
                nodes.push(made);
            }
        }
    }
}

/// Images repeated by `factors` along their axes, as nearest upsampling does.
fn upsampled(b: &mut Builder, x: NodeId, factors: &[usize]) -> NodeId {
    let shape = b.shape(x).to_vec();
    let split: Vec<usize> = [shape[0]].into_iter().chain(shape[1..].iter().zip(factors).flat_map(|(&n, &s)| [n, s])).collect();
    let apart: Vec<usize> = [shape[0]].into_iter().chain(shape[1..].iter().flat_map(|&n| [n, 1])).collect();
    let x = b.reshape(x, &apart);
    let x = b.expand(x, &split);
    b.reshape(x, &[shape[0]].into_iter().chain(shape[1..].iter().zip(factors).map(|(&n, &s)| n * s)).collect::<Vec<_>>())
}

#[test]
fn a_convolution_of_an_upsampling_needs_fewer_taps() {
    for (kernel, pads, dilations, factors) in [
        (vec![3, 3], vec![1, 1], vec![1, 1], vec![2, 2]),
        (vec![5, 3], vec![2, 0], vec![1, 2], vec![3, 2]),
        (vec![4], vec![1], vec![1], vec![2]),
        (vec![3, 1, 2], vec![1, 0, 1], vec![1, 1, 1], vec![2, 1, 3]),
    ] {
        let (channels, low) = (vec![2, 3], [3, 2, 2][..kernel.len()].to_vec());
        let input: Vec<usize> = low.iter().zip(&factors).map(|(n, s)| n * s).collect();
        let output: Vec<usize> = (0..kernel.len()).map(|i| input[i] + 2 * pads[i] - dilations[i] * (kernel[i] - 1)).collect();
        let form = Convolution {
            in_channels: channels[0],
            out_channels: channels[1],
            groups: 1,
            strides: vec![1; kernel.len()],
            output,
            input,
            kernel,
            dilations,
            pads,
        };
        let mut b = Builder::new();
        let item = [&channels[..1], &low[..]].concat();
        let x = b.input("x", Rows::SAMPLE, &item, &item);
        let weight = [&[channels[1], channels[0]], &form.kernel[..]].concat();
        let w = b.input("w", Rows::NONE, &weight, &weight);
        let wide = upsampled(&mut b, x, &factors);
        let y = b.convolve(wide, w, &Arc::new(form.clone()), Face::Value, Rows::NONE);
        assert!(matches!(b.graph().node(y).op, Op::Convolve(_, Face::Data, _)), "{form:?}");
        let reference = form.decompose(&mut b, Face::Value, wide, w, Rows::NONE);
        let graph = b.finish(vec![port(y), port(reference)]);
        let numbers = |n: usize| (0..n).map(|i| ((i * 7 + 3) as f64).sin()).collect::<Vec<f64>>();
        let values = evaluate(&graph, 2, &[numbers(2 * item.iter().product::<usize>()), numbers(weight.iter().product())]).unwrap();
        let difference = values[0].iter().zip(&values[1]).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(difference < 1e-13, "{form:?}: {difference}");
    }
}

#[test]
fn functions_of_repeated_elements_are_computed_once() {
    let (mut b, x) = start(&[1, 3]);
    let y = b.input("y", Rows::SAMPLE, &[1, 3], &[1, 3]);
    let (wide, other) = (b.expand(x, &[4, 3]), b.expand(y, &[4, 3]));
    let sum = b.binary(Binary::Add, wide, other);
    let result = b.unary(Unary::Tanh, sum);
    let narrow = b.binary(Binary::Add, x, y);
    let narrow = b.unary(Unary::Tanh, narrow);
    let expected = b.expand(narrow, &[4, 3]);
    assert_eq!(result, expected);
    let different = b.input("z", Rows::SAMPLE, &[4, 3], &[4, 3]);
    let sum = b.binary(Binary::Add, wide, different);
    assert!(matches!(b.graph().node(sum).op, Op::Binary(Binary::Add)), "what is not repeated stays");
}
