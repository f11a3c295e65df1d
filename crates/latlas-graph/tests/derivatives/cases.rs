//! One case or more for every operation: what it is applied to, and how.

use std::sync::Arc;

use latlas_graph::ops::{Binary, Contraction, Convolution, Face, IndexMap, Unary};
use latlas_graph::{Axis, Builder, Graph, NodeId, Rows};

use super::{Random, SAMPLES};

/// How an input is filled.
pub enum Fill {
    /// Random numbers from an interval; differentiable.
    Interval(f64, f64),
    /// 0 or 1.
    Mask,
    /// Positions below a number, each a few times.
    Index(usize),
}

/// An input: what it varies over, the shape of its item, its numbers.
pub struct Input(pub Rows, pub Vec<usize>, pub Fill);

impl Input {
    pub fn is_differentiable(&self) -> bool {
        matches!(self.2, Fill::Interval(..))
    }
}

type Build = dyn Fn(&mut Builder, &[NodeId]) -> NodeId;

/// An operation with its inputs.
pub struct Case {
    pub name: String,
    pub inputs: Vec<Input>,
    build: Box<Build>,
}

impl Case {
    /// A builder with the axes, the inputs and the result.
    pub fn build(&self) -> (Builder, Vec<NodeId>, NodeId) {
        let (mut b, ..) = start();
        let nodes: Vec<NodeId> = self.inputs.iter().map(|Input(rows, shape, _)| b.input("x", *rows, shape, shape)).collect();
        let y = (self.build)(&mut b, &nodes);
        (b, nodes, y)
    }

    /// Random values of the inputs.
    pub fn point(&self, graph: &Graph, random: &mut Random) -> Vec<Vec<f64>> {
        let values = |Input(rows, shape, fill): &Input| {
            let len = graph.row_count(*rows, SAMPLES) * shape.iter().product::<usize>();
            let mut one = || match fill {
                Fill::Interval(low, high) => random.uniform(*low, *high),
                Fill::Mask => random.below(2) as f64,
                Fill::Index(n) => random.below(*n) as f64,
            };
            (0..len).map(|_| one()).collect()
        };
        self.inputs.iter().map(values).collect()
    }
}

/// A builder with `sample` and two further row axes.
fn start() -> (Builder, Axis, Axis) {
    let mut b = Builder::new();
    let (p, q) = (b.axis("p", 2).unwrap(), b.axis("q", 2).unwrap());
    (b, p, q)
}

fn case(name: impl Into<String>, inputs: Vec<Input>, build: impl Fn(&mut Builder, &[NodeId]) -> NodeId + 'static) -> Case {
    Case { name: name.into(), inputs, build: Box::new(build) }
}

fn any(rows: Rows, shape: &[usize]) -> Input {
    Input(rows, shape.to_vec(), Fill::Interval(-1.0, 1.0))
}

/// Every operation.
pub fn all() -> Vec<Case> {
    let mut all = scalar();
    all.extend(structural());
    all.extend(bilinear());
    all
}

fn scalar() -> Vec<Case> {
    let (_, p, _) = start();
    let s = Rows::SAMPLE;
    let unary = Unary::TABLE.iter().map(|line| {
        let input = Input(s, vec![2, 3], Fill::Interval(line.interval.0, line.interval.1));
        case(line.name, vec![input], move |b, x| b.unary(line.f, x[0]))
    });
    // Every pair of rows: equal, one inside the other, crossing, none.
    let pairs = [(s, s), (s, Rows::NONE), (Rows::of(p), s), (s.union(Rows::of(p)), Rows::of(p))];
    let binary = Binary::TABLE.iter().flat_map(move |line| {
        pairs.map(|(rows_a, rows_b)| {
            let input = |rows, (low, high)| Input(rows, vec![3], Fill::Interval(low, high));
            let inputs = vec![input(rows_a, line.intervals[0]), input(rows_b, line.intervals[1])];
            case(format!("{} over {rows_a:?}, {rows_b:?}", line.name), inputs, move |b, x| b.binary(line.f, x[0], x[1]))
        })
    });
    unary.chain(binary).collect()
}

fn table(shape: &[usize], below: usize, seed: u64) -> IndexMap {
    let random = &mut Random(seed);
    let len = shape.iter().product::<usize>();
    let one = |random: &mut Random| if random.below(5) == 0 { IndexMap::NOWHERE } else { random.below(below) as u32 };
    IndexMap::table(shape, (0..len).map(|_| one(random)).collect())
}

fn structural() -> Vec<Case> {
    let (_, p, q) = start();
    let (s, of_p) = (Rows::SAMPLE, Rows::of(p));
    let both = s.union(of_p);
    vec![
        case("map by table", vec![any(s, &[6])], |b, x| b.map(x[0], table(&[2, 4], 6, 7))),
        case("map by strides", vec![any(both, &[4, 3])], |b, x| b.map(x[0], IndexMap::strided(&[2, 3, 2], 1, &[6, 1, 0]))),
        case("transpose", vec![any(s, &[2, 3, 2])], |b, x| b.transpose(x[0], &[2, 0, 1])),
        case("expand", vec![any(s, &[3, 1])], |b, x| b.expand(x[0], &[2, 3, 4])),
        case("scatter by table", vec![any(s, &[2, 4])], |b, x| b.scatter(x[0], table(&[2, 4], 5, 8), &[5])),
        case("sum", vec![any(both, &[2, 3, 4])], |b, x| b.sum(x[0], &[0, 2])),
        case("injective scatter", vec![any(s, &[2, 2])], |b, x| b.scatter(x[0], IndexMap::strided(&[2, 2], 1, &[1, 3]), &[7])),
        case("concat first", vec![any(s, &[2, 2]), any(Rows::NONE, &[1, 2]), any(of_p, &[3, 2])], |b, x| b.concat(x, 0)),
        case("concat last", vec![any(s, &[2, 1]), any(s, &[2, 3])], |b, x| b.concat(x, 1)),
        case("concat with a part at rest", vec![any(s, &[2, 1]), Input(s, vec![2, 2], Fill::Mask), any(s, &[2, 3])], |b, x| b.concat(x, 1)),
        case("select", vec![any(s, &[5]), any(of_p, &[5]), Input(s, vec![5], Fill::Mask)], |b, x| b.select(x[2], x[0], x[1])),
        case("select one branch", vec![any(s, &[5]), Input(both, vec![5], Fill::Mask)], |b, x| {
            let zero = b.filled_like(x[0], 0.0);
            b.select(x[1], zero, x[0])
        }),
        case("take", vec![any(s, &[2, 3]), Input(both, vec![4], Fill::Index(6))], |b, x| b.take(x[0], x[1])),
        case("take of a weight", vec![any(Rows::NONE, &[6]), Input(s, vec![4], Fill::Index(6))], |b, x| b.take(x[0], x[1])),
        case("put", vec![any(s, &[4]), Input(s, vec![4], Fill::Index(3))], |b, x| b.put(x[0], x[1], &[3])),
        case("put into rows", vec![any(Rows::NONE, &[4]), Input(s, vec![4], Fill::Index(6))], |b, x| b.put(x[0], x[1], &[2, 3])),
        case("row sum", vec![any(both, &[3])], move |b, x| b.row_sum(x[0], p)),
        case("sample sum", vec![any(s, &[3])], |b, x| b.row_sum(x[0], Axis::SAMPLE)),
        case("sum over absent rows", vec![any(of_p, &[3])], |b, x| b.row_sum(x[0], Axis::SAMPLE)),
        case("rename", vec![any(both, &[3])], move |b, x| b.rename(x[0], p, q)),
        case("stack the last row axis", vec![any(both, &[3])], move |b, x| b.stack(x[0], p)),
        case("stack another row axis", vec![any(both.union(Rows::of(q)), &[3, 2])], move |b, x| b.stack(x[0], p)),
        case("stack an absent axis", vec![any(s, &[3])], move |b, x| b.stack(x[0], p)),
        case("unstack into the last row axis", vec![any(s, &[2, 3])], move |b, x| b.unstack(x[0], p)),
        case("unstack into another row axis", vec![any(s.union(Rows::of(q)), &[2, 3])], move |b, x| b.unstack(x[0], p)),
        case("max over windows", vec![any(s, &[2, 3])], |b, x| {
            let index = b.arg_extreme(x[0], table(&[4, 5], 6, 9), true);
            b.take(x[0], index)
        }),
        case("position of the minimum", vec![any(s, &[6])], |b, x| b.arg_extreme(x[0], table(&[4, 5], 6, 10), false)),
        // What is detached must cancel, as the shift in a softmax does.
        case("detached shift", vec![any(s, &[3])], |b, x| {
            let shift = b.sum(x[0], &[0]);
            let shift = b.expand(shift, &[3]);
            let shift = b.detach(shift);
            let shifted = b.binary(Binary::Sub, x[0], shift);
            let weights = b.unary(Unary::Exp, shifted);
            let total = b.sum(weights, &[0]);
            let total = b.expand(total, &[3]);
            b.binary(Binary::Div, weights, total)
        }),
    ]
}

fn contraction(name: &str, a: Input, b: Input, labels: [&'static str; 3], sum_rows: Rows) -> Case {
    case(format!("contract {name}"), vec![a, b], move |builder, x| {
        let [a, b, out] = labels.map(|l| l.as_bytes().to_vec());
        builder.contract(x[0], x[1], Contraction { a, b, out, sum_rows })
    })
}

fn bilinear() -> Vec<Case> {
    let (_, p, q) = start();
    let (s, none, of_p) = (Rows::SAMPLE, Rows::NONE, Rows::of(p));
    let both = s.union(of_p);
    let mut all = vec![
        contraction("gemm", any(s, &[3]), any(none, &[3, 4]), ["i", "io", "o"], none),
        contraction("matmul", any(s, &[2, 3]), any(of_p, &[3, 4]), ["ik", "kj", "ij"], none),
        contraction("attention", any(s, &[2, 3, 2]), any(s, &[2, 4, 2]), ["hqd", "hkd", "hqk"], none),
        contraction("transposed result", any(s, &[2, 3]), any(none, &[3, 4]), ["ik", "kj", "ji"], none),
        contraction("outer", any(s, &[2]), any(s, &[3]), ["i", "j", "ij"], none),
        contraction("inner over rows", any(both, &[3]), any(s, &[3]), ["i", "i", ""], of_p),
        contraction("weight gradient", any(s, &[2]), any(both, &[3]), ["i", "o", "io"], both),
        contraction("sum over absent rows", any(of_p, &[2]), any(none, &[2]), ["i", "i", ""], s),
        contraction("elementwise", any(s, &[3]), any(of_p, &[3]), ["i", "i", "i"], none),
        contraction("scalar", any(s, &[]), any(s, &[2]), ["", "i", "i"], s),
        case("gram", vec![any(both, &[3])], move |b, x| {
            let other = b.rename(x[0], p, q);
            b.contract(x[0], other, Contraction { a: vec![0], b: vec![0], out: vec![], sum_rows: Rows::NONE })
        }),
    ];
    for (name, c) in geometries() {
        let c = Arc::new(c);
        let len = |a: usize, sizes: &[usize]| [&[a], sizes].concat();
        let x = len(c.in_channels, &c.input);
        let y = len(c.out_channels, &c.output);
        let w = [&[c.out_channels, c.in_channels / c.groups][..], &c.kernel].concat();
        let faces = [(Face::Value, &x, &w, none), (Face::Data, &y, &w, none), (Face::Weight, &x, &y, s)];
        for (face, first, second, sum_rows) in faces {
            for (rows_a, rows_b) in [(s, none), (s, of_p), (of_p, s)] {
                let c = c.clone();
                let inputs = vec![any(rows_a, first), any(rows_b, second)];
                all.push(case(format!("convolve {name} {face:?} over {rows_a:?}, {rows_b:?}"), inputs, move |b, x| {
                    b.convolve(x[0], x[1], &c, face, sum_rows)
                }));
            }
        }
    }
    all
}

/// Convolutions of one and two dimensions, with every parameter used.
pub fn geometries() -> Vec<(&'static str, Convolution)> {
    let plain = Convolution {
        in_channels: 2,
        out_channels: 3,
        groups: 1,
        input: vec![5],
        output: vec![3],
        kernel: vec![3],
        strides: vec![1],
        dilations: vec![1],
        pads: vec![0],
    };
    let plane = Convolution {
        input: vec![4, 3],
        output: vec![3, 2],
        kernel: vec![2, 2],
        strides: vec![1; 2],
        dilations: vec![1; 2],
        pads: vec![0; 2],
        ..plain.clone()
    };
    vec![
        ("strided", Convolution { input: vec![6], output: vec![3], strides: vec![2], pads: vec![1], ..plain.clone() }),
        ("dilated", Convolution { dilations: vec![2], pads: vec![2], output: vec![5], ..plain.clone() }),
        ("grouped", Convolution { in_channels: 4, out_channels: 6, groups: 2, ..plane.clone() }),
        ("depthwise", Convolution { in_channels: 3, out_channels: 3, groups: 3, ..plain.clone() }),
        ("uneven plane", Convolution { strides: vec![2, 1], pads: vec![1, 0], output: vec![2, 2], ..plane.clone() }),
        ("plain", plain),
        ("plane", plane),
    ]
}
