//! Times Jacobians of convolutional decoders: `cargo run --release --example decoder_jacobians [CASE] [MODEL.onnx]`.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::time::Instant;

use latlas_graph::execute::{Options, Program, Real};
use latlas_graph::lower::{self, Sliding};
use latlas_graph::onnx::{LoadOptions, load};
use latlas_graph::ops::{Binary, Contraction, IndexMap, Unary};
use latlas_graph::{Builder, Graph, NodeId, Op, Port, Rows, Tensor};

/// Numbers in (−1, 1) that look random, times `scale`.
fn numbers(n: usize, scale: f64) -> Vec<f64> {
    (0..n).map(|i| ((i as f64 * 0.754_877_666).fract() + (i as f64 * 0.569_840_29).fract() - 1.0) * scale).collect()
}

fn weight(b: &mut Builder, shape: &[usize], fan_in: usize) -> NodeId {
    b.constant(Tensor::new(shape, numbers(shape.iter().product(), (3.0 / fan_in as f64).sqrt())))
}

fn dense(b: &mut Builder, x: NodeId, out: usize) -> NodeId {
    let depth = b.shape(x)[0];
    let (w, bias) = (weight(b, &[out, depth], depth), weight(b, &[out], 10));
    let y = b.contract(x, w, Contraction { a: vec![0], b: vec![1, 0], out: vec![1], sum_rows: Rows::NONE });
    b.binary(Binary::Add, y, bias)
}

fn relu(b: &mut Builder, x: NodeId) -> NodeId {
    let shape = b.shape(x).to_vec();
    let zero = b.filled(&shape, 0.0);
    let mask = b.binary(Binary::Less, zero, x);
    b.select(mask, x, zero)
}

fn up(b: &mut Builder, x: NodeId, out: usize) -> NodeId {
    let shape = b.shape(x).to_vec();
    let mut s = Sliding::unit(&[4, 4]);
    (s.strides, s.before, s.after) = (vec![2, 2], vec![1, 1], vec![1, 1]);
    let (w, bias) = (weight(b, &[shape[1], out, 4, 4], shape[1] * 4), weight(b, &[out], 10));
    lower::conv_transpose(b, x, w, Some(bias), &s, 1, &[shape[2] * 2, shape[3] * 2]).unwrap()
}

fn conv3(b: &mut Builder, x: NodeId, out: usize) -> NodeId {
    let depth = b.shape(x)[1];
    let mut s = Sliding::unit(&[3, 3]);
    (s.before, s.after) = (vec![1, 1], vec![1, 1]);
    let (w, bias) = (weight(b, &[out, depth, 3, 3], depth * 9), weight(b, &[out], 10));
    lower::conv(b, x, w, Some(bias), &s, 1).unwrap()
}

fn group_norm(b: &mut Builder, x: NodeId) -> NodeId {
    let shape = b.shape(x).to_vec();
    let y = lower::group_standardize(b, x, 8, 1e-5).unwrap();
    let (scale, bias) = (weight(b, &[1, shape[1], 1, 1], 1), weight(b, &[1, shape[1], 1, 1], 10));
    lower::scale_and_shift(b, y, Some(scale), Some(bias)).unwrap()
}

fn doubled(b: &mut Builder, x: NodeId) -> NodeId {
    let shape = b.shape(x).to_vec();
    let new = [1, shape[1], shape[2] * 2, shape[3] * 2];
    let old = shape.clone();
    let map: IndexMap = lower::index_map(&new, |at| Some((at[1] * old[2] + at[2] / 2) * old[3] + at[3] / 2)).unwrap();
    b.map(x, map)
}

/// Adjacent halves of a residual block: norm, SiLU, convolution, twice, and a shortcut.
fn block(b: &mut Builder, x: NodeId, out: usize) -> NodeId {
    let mut y = x;
    for _ in 0..2 {
        y = group_norm(b, y);
        let gate = b.unary(Unary::Sigmoid, y);
        y = b.binary(Binary::Mul, y, gate);
        y = conv3(b, y, out);
    }
    let shape = b.shape(x).to_vec();
    let x = if shape[1] == out {
        x
    } else {
        let w = weight(b, &[out, shape[1], 1, 1], shape[1]);
        lower::conv(b, x, w, None, &Sliding::unit(&[1, 1]), 1).unwrap()
    };
    b.binary(Binary::Add, x, y)
}

fn decoder(d: usize, grow: impl FnOnce(&mut Builder, NodeId) -> NodeId) -> Graph {
    let mut b = Builder::new();
    let z = b.input("z", Rows::SAMPLE, &[d], &[d]);
    let x = grow(&mut b, z);
    let shape = b.shape(x).to_vec();
    b.finish(vec![Port { name: "x".into(), node: x, shape, default: None }])
}

fn case_c() -> Graph {
    decoder(10, |b, z| {
        let h = dense(b, z, 256);
        let h = relu(b, h);
        let h = dense(b, h, 1024);
        let h = relu(b, h);
        let mut h = b.reshape(h, &[1, 64, 4, 4]);
        for out in [64, 32, 32] {
            h = up(b, h, out);
            h = relu(b, h);
        }
        let h = up(b, h, 1);
        b.unary(Unary::Sigmoid, h)
    })
}

fn case_resnet() -> Graph {
    decoder(64, |b, z| {
        let h = dense(b, z, 256 * 16);
        let mut h = b.reshape(h, &[1, 256, 4, 4]);
        h = block(b, h, 256);
        for out in [256, 128, 64] {
            h = doubled(b, h);
            h = block(b, h, out);
        }
        h = group_norm(b, h);
        let gate = b.unary(Unary::Sigmoid, h);
        h = b.binary(Binary::Mul, h, gate);
        let h = conv3(b, h, 3);
        b.unary(Unary::Sigmoid, h)
    })
}

fn show(graph: &Graph) {
    let live = graph.live();
    for (i, node) in graph.nodes().iter().enumerate().filter(|(i, _)| live[*i]) {
        let rows: Vec<&str> = node.rows.iter().map(|a| &graph.axes()[a.index()].name[..1]).collect();
        let operands: Vec<usize> = node.operands.iter().map(|o| o.index()).collect();
        let op = match &node.op {
            Op::Constant(t) => format!("Constant {:?}", t.dims()),
            Op::Map(m) => format!("Map {}", if m.is_identity(graph.node(node.operands[0]).item_len()) { "view" } else { "" }),
            Op::Scatter(_) => "Scatter".into(),
            Op::Convolve(c, face, _) => format!("Convolve {face:?} k{:?} s{:?}", c.kernel, c.strides),
            other => format!("{other:?}"),
        };
        println!("{i:4} {:<8} {:?} {operands:?} {op}", rows.concat(), node.shape);
    }
}

fn time<T: Real>(name: &str, graph: &Graph, n: usize) {
    let program = Program::<T>::compile(graph, &Options::default()).unwrap();
    let cost = program.cost();
    let flop = cost.flops_per_sample * n as f64;
    let products: f64 = cost.by_kind.iter().filter(|k| k.0.starts_with("con")).map(|k| k.1 * n as f64).sum();
    let inputs: Vec<Vec<T>> = graph
        .inputs
        .iter()
        .map(|p| {
            numbers(graph.row_count(graph.node(p.node).rows, n) * graph.node(p.node).item_len(), 1.5)
                .iter()
                .map(|&x| T::from_f64(x))
                .collect()
        })
        .collect();
    let inputs: Vec<&[T]> = inputs.iter().map(Vec::as_slice).collect();
    let mut outputs = vec![];
    let mut times = vec![];
    let start = Instant::now();
    while times.len() < 3 || (start.elapsed().as_secs_f64() < 3.0 && times.len() < 200) {
        let now = Instant::now();
        program.run(n, &inputs, &mut outputs).unwrap();
        times.push(now.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    let median = times[times.len() / 2];
    let type_name = std::any::type_name::<T>();
    let sum: f64 = outputs.iter().flatten().map(|x| x.to_f64().abs()).sum();
    println!(
        "{name:<16} {type_name} n {n:3} tile {:3} {:9.3} ms  {:6.1} GFLOP/s in products, {:6.1} in all, checksum {sum:.9e}",
        program.tile(),
        median * 1e3,
        products / median / 1e9,
        flop / median / 1e9,
    );
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let wanted = arguments.next().unwrap_or_default();
    let mut cases: Vec<(&str, Graph, usize)> = vec![("c", case_c(), 32), ("resnet", case_resnet(), 1)];
    if let Some(path) = arguments.next() {
        cases.push(("file", load(path.as_ref(), &LoadOptions::default()).unwrap(), 1));
    }
    for (name, graph, n) in cases {
        let jobs = [
            ("jacobian", graph.jacobian(0, &[0]).unwrap(), n),
            ("forward", graph.clone(), n * 8),
            ("vjp", graph.vjp_graph(0, 0, 1).unwrap(), n * 8),
        ];
        for (what, graph, n) in jobs {
            let label = format!("{name}.{what}");
            if wanted == format!("show.{label}") {
                show(&graph);
            }
            if label.starts_with(&wanted) {
                rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap().install(|| {
                    time::<f32>(&label, &graph, n);
                    time::<f64>(&label, &graph, n);
                });
            }
        }
    }
}
