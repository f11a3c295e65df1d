//! The executor against the reference interpreter, on random graphs of every operation.
#![allow(clippy::unwrap_used, clippy::too_many_lines)]

use std::sync::Arc;

use proptest::prelude::*;

use super::{Options, Program, Real};
use crate::evaluate::evaluate;
use crate::lower::{self, Sliding};
use crate::ops::{Binary, Contraction, Convolution, Face, IndexMap, Unary};
use crate::{Axis, Builder, Error, Graph, NodeId, Op, Port, Rows, Tensor};

/// A small generator of choices (xorshift64*), so that a graph follows from one number.
struct Choices(u64);

impl Choices {
    fn next(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % n
    }

    fn of<V: Copy>(&mut self, values: &[V]) -> V {
        values[self.next(values.len())]
    }

    /// Multiples of 1/64 in [−2, 2], exact in both types.
    fn numbers(&mut self, n: usize) -> Vec<f64> {
        (0..n).map(|_| self.next(257) as f64 / 64.0 - 2.0).collect()
    }

    fn shape(&mut self, sizes: &[usize]) -> Vec<usize> {
        (0..self.next(4)).map(|_| self.of(sizes)).collect()
    }
}

/// Grows random graphs.
struct Garden {
    b: Builder,
    axes: Vec<Axis>,
    /// Nodes to build on, and whether they are exact: made of inputs without rounding.
    nodes: Vec<(NodeId, bool)>,
    /// Nodes to look at.
    seen: Vec<NodeId>,
    c: Choices,
}

/// Sizes of item axes: small ones, and ones that reach the blocked matrix product.
const SMALL: &[usize] = &[1, 2, 3, 3, 4, 5, 13];
const LARGE: &[usize] = &[1, 9, 24, 33];

impl Garden {
    fn new(seed: u64, sizes: &[usize]) -> Self {
        let mut b = Builder::new();
        // Equal sizes, so that every one can be renamed to every other.
        let axes: Vec<Axis> = ["tangent", "probe", "draw"].iter().map(|name| b.axis(name, 3).unwrap()).collect();
        let mut garden = Self { b, axes, nodes: vec![], seen: vec![], c: Choices(seed | 1) };
        for i in 0..4 {
            let shape = garden.c.shape(sizes);
            let rows = if i == 0 { Rows::SAMPLE } else { garden.rows() };
            let input = garden.b.input(&format!("x{i}"), rows, &shape, &shape);
            garden.nodes.push((input, true));
            let shape = garden.c.shape(sizes);
            let value = garden.c.numbers(shape.iter().product());
            let constant = garden.b.constant(Tensor::new(shape, value));
            garden.nodes.push((constant, true));
        }
        garden
    }

    fn rows(&mut self) -> Rows {
        let mut rows = if self.c.next(3) > 0 { Rows::SAMPLE } else { Rows::NONE };
        for i in 0..self.axes.len() {
            if self.c.next(3) == 0 {
                rows = rows.union(Rows::of(self.axes[i]));
            }
        }
        rows
    }

    fn pick(&mut self) -> (NodeId, bool) {
        // Late nodes are likelier, so that graphs grow deep.
        let n = self.nodes.len();
        let at = if self.c.next(2) == 0 { self.c.next(n) } else { n - 1 - self.c.next(n.min(5)) };
        self.nodes[at]
    }

    fn pick_exact(&mut self) -> NodeId {
        loop {
            if let (node, true) = self.pick() {
                return node;
            }
        }
    }

    /// A random node brought to a shape by a random table.
    fn shaped(&mut self, shape: &[usize]) -> (NodeId, bool) {
        let (x, exact) = self.pick();
        if self.b.shape(x) == shape {
            return (x, exact);
        }
        (self.through_table(x, shape), exact)
    }

    fn through_table(&mut self, x: NodeId, shape: &[usize]) -> NodeId {
        let map = self.table(self.b.shape(x).iter().product(), shape);
        self.b.map(x, map)
    }

    fn table(&mut self, sources: usize, shape: &[usize]) -> IndexMap {
        let n: usize = shape.iter().product();
        let table: Vec<u32> = match self.c.next(3) {
            0 => (0..n).map(|i| if i < sources { i as u32 } else { IndexMap::NOWHERE }).collect(),
            _ => (0..n).map(|_| if self.c.next(5) == 0 { IndexMap::NOWHERE } else { self.c.next(sources) as u32 }).collect(),
        };
        IndexMap::table(shape, table)
    }

    fn axis(&mut self) -> Axis {
        self.c.of(&[Axis::SAMPLE, self.axes[0], self.axes[1], self.axes[2]])
    }

    fn step(&mut self) {
        let (x, exact) = self.pick();
        let shape = self.b.shape(x).to_vec();
        let n: usize = shape.iter().product();
        let grown = match self.c.next(16) {
            0 => {
                let f = self.c.of(&[Unary::Neg, Unary::Abs, Unary::Tanh, Unary::Sigmoid, Unary::Softplus, Unary::Erf, Unary::Sin]);
                (self.b.unary(f, x), exact && matches!(f, Unary::Neg | Unary::Abs))
            }
            1 => {
                let x = self.pick_exact();
                let f = self.c.of(&[Unary::Floor, Unary::Ceil, Unary::RoundEven, Unary::Trunc, Unary::Sign, Unary::Not, Unary::IsNan]);
                (self.b.unary(f, x), true)
            }
            2 | 3 => {
                let (y, _) = self.shaped(&shape);
                let f = self.c.of(&[Binary::Add, Binary::Sub, Binary::Mul, Binary::MulAnnihilating]);
                return self.soften(|b| b.binary(f, x, y));
            }
            4 => {
                let (x, y) = (self.pick_exact(), self.pick_exact());
                let y = {
                    let shape = self.b.shape(x).to_vec();
                    self.through_table(y, &shape)
                };
                let f = self.c.of(&[Binary::Less, Binary::LessOrEqual, Binary::Equal, Binary::And, Binary::Or, Binary::Xor]);
                (self.b.binary(f, x, y), true)
            }
            5 => {
                let ((y, also), mask) = (self.shaped(&shape), self.pick_exact());
                let mask = self.through_table(mask, &shape);
                (self.b.select(mask, x, y), exact && also)
            }
            6 if n > 0 => match self.c.next(5) {
                0 => {
                    let to = self.c.shape(SMALL);
                    (self.through_table(x, &to), exact)
                }
                1 => (self.b.reshape(x, &[n]), exact),
                2 if shape.len() > 1 => {
                    let mut order: Vec<usize> = (0..shape.len()).collect();
                    order.rotate_left(1);
                    (self.b.transpose(x, &order), exact)
                }
                3 => (self.b.expand(x, &[&[2], &shape[..]].concat()), exact),
                // A flip.
                _ => (self.b.map(x, IndexMap::strided(&[n], n - 1, &[-1])), exact),
            },
            7 if n > 0 => match self.c.next(2) {
                0 if !shape.is_empty() => {
                    let axis = self.c.next(shape.len());
                    return self.soften(|b| b.sum(x, &[axis]));
                }
                _ => {
                    let to = self.c.shape(SMALL);
                    let map = self.table(to.iter().product(), &shape);
                    return self.soften(|b| b.scatter(x, map, &to));
                }
            },
            8 if !shape.is_empty() => {
                let ((y, also), axis) = (self.shaped(&shape), self.c.next(shape.len()));
                (self.b.concat(&[x, y, x], axis), exact && also)
            }
            9 => {
                let index = self.pick_exact();
                let index = self.b.unary(Unary::Floor, index);
                if self.c.next(2) == 0 {
                    // Out of range is NaN, which the reference and we must agree on; replace it before going on.
                    let taken = self.b.take(x, index);
                    self.seen.push(taken);
                    let is_nan = self.b.unary(Unary::IsNan, taken);
                    let shape = self.b.shape(taken).to_vec();
                    let zero = self.b.filled(&shape, 0.0);
                    (self.b.select(is_nan, zero, taken), exact)
                } else {
                    let shape = self.b.shape(index).to_vec();
                    let (y, _) = self.shaped(&shape);
                    return self.soften(|b| b.put(y, index, &[3, 2]));
                }
            }
            10 => {
                let axis = self.axis();
                // Sums over samples end a path, so they are rarer.
                if axis == Axis::SAMPLE && self.c.next(4) > 0 {
                    return;
                }
                return self.soften(|b| b.row_sum(x, axis));
            }
            11 => {
                let (from, to) = (self.c.of(&self.axes.clone()), self.c.of(&self.axes.clone()));
                if self.b.rows(x).contains(to) {
                    return;
                }
                (self.b.rename(x, from, to), exact)
            }
            12 => return self.contract(),
            13 => return self.convolve(),
            14 => {
                let x = self.pick_exact();
                let n: usize = self.b.shape(x).iter().product();
                let shape = [self.c.next(3) + 1, self.c.next(4) + 1];
                let windows = self.table(n, &shape);
                let largest = self.c.next(2) == 0;
                (self.b.arg_extreme(x, windows, largest), true)
            }
            15 => {
                let axis = self.c.of(&self.axes.clone());
                if self.b.rows(x).contains(axis) {
                    (self.b.stack(x, axis), exact)
                } else if shape.first() == Some(&3) {
                    (self.b.unstack(x, axis), exact)
                } else {
                    return;
                }
            }
            _ => (self.b.detach(x), exact),
        };
        self.nodes.push(grown);
    }

    /// Looks at a value as it is, and goes on with a bounded one.
    fn soften(&mut self, grow: impl FnOnce(&mut Builder) -> NodeId) {
        let raw = grow(&mut self.b);
        self.seen.push(raw);
        let soft = self.b.unary(Unary::Tanh, raw);
        self.nodes.push((soft, false));
    }

    fn sum_rows(&mut self, a: NodeId, b: NodeId) -> Rows {
        let both = self.b.rows(a).union(self.b.rows(b));
        both.iter().filter(|&axis| self.c.next(if axis == Axis::SAMPLE { 8 } else { 3 }) == 0).fold(Rows::NONE, |r, a| r.union(Rows::of(a)))
    }

    fn contract(&mut self) {
        let ((a, _), (b, _)) = (self.pick(), self.pick());
        let (in_a, in_b) = (self.b.shape(a).to_vec(), self.b.shape(b).to_vec());
        let labels_a: Vec<u8> = (0..in_a.len() as u8).collect();
        let mut labels_b: Vec<u8> = vec![];
        for (i, size) in in_b.iter().enumerate() {
            let same = labels_a.iter().find(|&&l| in_a[l as usize] == *size && !labels_b.contains(&l)).copied();
            labels_b.push(same.filter(|_| self.c.next(4) > 0).unwrap_or(10 + i as u8));
        }
        let mut out: Vec<u8> = vec![];
        for &label in labels_a.iter().chain(labels_b.iter().filter(|l| **l >= 10)) {
            let shared = labels_a.contains(&label) && labels_b.contains(&label);
            if !shared || self.c.next(3) == 0 {
                out.insert(self.c.next(out.len() + 1), label);
            }
        }
        let sum_rows = self.sum_rows(a, b);
        self.soften(|builder| builder.contract(a, b, Contraction { a: labels_a, b: labels_b, out, sum_rows }));
    }

    fn convolve(&mut self) {
        let rank = self.c.next(3);
        let mut axis = |choices: &[usize]| -> Vec<usize> { (0..rank).map(|_| self.c.of(choices)).collect() };
        let (input, kernel, strides, dilations, pads) =
            (axis(&[3, 4, 5, 7]), axis(&[1, 2, 3]), axis(&[1, 1, 2, 3]), axis(&[1, 1, 2]), axis(&[0, 1, 2]));
        let extent = |i: usize| (input[i] + 2 * pads[i]).saturating_sub(dilations[i] * (kernel[i] - 1) + 1) / strides[i] + 1;
        let output: Vec<usize> = (0..rank).map(extent).collect();
        let groups = self.c.of(&[1, 1, 2]);
        let (in_channels, out_channels) = (groups * self.c.of(&[1, 2, 3]), groups * self.c.of(&[1, 2, 4]));
        let c = Convolution { in_channels, out_channels, groups, input, output, kernel, strides, dilations, pads };
        let x = [&[in_channels], &c.input[..]].concat();
        let y = [&[out_channels], &c.output[..]].concat();
        let w = [&[out_channels, in_channels / groups], &c.kernel[..]].concat();
        let (face, a, b) = match self.c.next(3) {
            0 => (Face::Value, x, w),
            1 => (Face::Data, y, w),
            _ => (Face::Weight, x, y),
        };
        let ((a, _), (b, _)) = (self.shaped(&a), self.shaped(&b));
        let sum_rows = if face == Face::Weight { self.sum_rows(a, b) } else { Rows::NONE };
        self.soften(|builder| builder.convolve(a, b, &Arc::new(c), face, sum_rows));
    }

    fn graph(mut self) -> Graph {
        let all: Vec<NodeId> = self.nodes.iter().map(|n| n.0).chain(self.seen.iter().copied()).collect();
        // Some values only, so that the others share memory and join chains; twice the same one now and then.
        let mut outputs = vec![];
        for _ in 0..6 {
            let node = if self.c.next(3) == 0 { self.c.of(&all) } else { all[all.len() - 1 - self.c.next(all.len().min(6))] };
            outputs.push(Port { name: format!("y{}", outputs.len()), node, shape: self.b.shape(node).to_vec(), default: None });
        }
        self.b.finish(outputs)
    }
}

fn random_graph(seed: u64, steps: usize) -> Graph {
    let mut garden = Garden::new(seed, SMALL);
    (0..steps).for_each(|_| garden.step());
    garden.graph()
}

fn run<T: Real>(graph: &Graph, n: usize, inputs: &[Vec<f64>], tile: Option<usize>, threads: usize) -> crate::Result<Vec<Vec<T>>> {
    run_with(graph, n, inputs, &Options { tile, ..Options::default() }, threads)
}

fn run_with<T: Real>(graph: &Graph, n: usize, inputs: &[Vec<f64>], options: &Options, threads: usize) -> crate::Result<Vec<Vec<T>>> {
    let program = Program::<T>::compile(graph, options)?;
    let inputs: Vec<Vec<T>> = inputs.iter().map(|x| x.iter().map(|&x| T::from_f64(x)).collect()).collect();
    let inputs: Vec<&[T]> = inputs.iter().map(Vec::as_slice).collect();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| {
        // What an earlier run left in buffers must not matter.
        let mut outputs = vec![vec![T::NAN; 7]; graph.outputs.len()];
        program.run(n, &inputs, &mut outputs)?;
        let first = outputs.clone();
        outputs.iter_mut().flatten().for_each(|x| *x = T::NAN);
        program.run(n, &inputs, &mut outputs)?;
        let bits = |o: &[Vec<T>]| o.iter().flatten().map(|x| x.to_f64().to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&first), bits(&outputs), "two runs differ");
        Ok(outputs)
    })
}

fn close(expected: &[Vec<f64>], got: &[Vec<impl Real>], tolerance: f64) -> Result<(), TestCaseError> {
    prop_assert_eq!(expected.len(), got.len());
    for (i, (expected, got)) in expected.iter().zip(got).enumerate() {
        prop_assert_eq!(expected.len(), got.len(), "output {}", i);
        let scale = expected.iter().filter(|x| x.is_finite()).fold(1.0, |m: f64, x| m.max(x.abs()));
        for (at, (&e, g)) in expected.iter().zip(got).enumerate() {
            let g = g.to_f64();
            let fine = if e.is_nan() { g.is_nan() } else { e == g || (e - g).abs() <= tolerance * scale };
            prop_assert!(fine, "output {} element {}: expected {}, got {}", i, at, e, g);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, max_shrink_iters: 400, ..ProptestConfig::default() })]

    #[test]
    fn random_graphs_agree_with_the_reference(seed in any::<u64>(), steps in 1usize..24, n in 0usize..9) {
        let graph = random_graph(seed, steps);
        let mut c = Choices(seed.rotate_left(17) | 1);
        let inputs: Vec<Vec<f64>> = graph.inputs.iter().map(|port| {
            let node = graph.node(port.node);
            c.numbers(graph.row_count(node.rows, n) * node.item_len())
        }).collect();
        match run::<f64>(&graph, n, &inputs, None, 1) {
            // A value for each sample that needs a finished sum: right to refuse, and always refused.
            Err(Error::Graph { .. }) => prop_assert!(run::<f32>(&graph, n, &inputs, Some(2), 2).is_err()),
            Err(other) => prop_assert!(false, "{}", other),
            Ok(one) => {
                let expected = evaluate(&graph, n, &inputs).unwrap();
                close(&expected, &one, 1e-12)?;
                let three = run::<f64>(&graph, n, &inputs, Some(3), 1)?;
                close(&expected, &three, 1e-12)?;
                let threads = run::<f64>(&graph, n, &inputs, Some(3), 3)?;
                let bits = |o: &[Vec<f64>]| o.iter().flatten().map(|x| x.to_bits()).collect::<Vec<_>>();
                prop_assert_eq!(bits(&three), bits(&threads), "threads change the result");
                close(&expected, &run::<f32>(&graph, n, &inputs, Some(2), 1)?, 2e-4)?;
                let pieces = Options { tile: Some(1), piece: Some(1 + steps % 2) };
                close(&expected, &run_with::<f64>(&graph, n, &inputs, &pieces, 2)?, 1e-12)?;
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, max_shrink_iters: 50, ..ProptestConfig::default() })]

    #[test]
    fn large_contractions_agree_with_the_reference(seed in any::<u64>(), n in 1usize..6) {
        let mut garden = Garden::new(seed, LARGE);
        // The raw values are the outputs.
        (0..3).for_each(|_| garden.contract());
        garden.nodes.clear();
        let graph = garden.graph();
        // The reference steps through every multiplication; leave out what takes it seconds.
        if crate::execute::cost(&graph).is_ok_and(|c| c.flops_per_sample * n as f64 + c.flops_once < 2e7) {
            let mut c = Choices(seed.rotate_left(17) | 1);
            let inputs: Vec<Vec<f64>> = graph.inputs.iter().map(|port| {
                let node = graph.node(port.node);
                c.numbers(graph.row_count(node.rows, n) * node.item_len())
            }).collect();
            if let Ok(got) = run::<f64>(&graph, n, &inputs, Some(4), 1) {
                close(&evaluate(&graph, n, &inputs).unwrap(), &got, 1e-11)?;
                close(&evaluate(&graph, n, &inputs).unwrap(), &run::<f32>(&graph, n, &inputs, None, 1)?, 2e-4)?;
            }
        }
    }
}

#[test]
fn random_graphs_are_cut_now_and_then() {
    let is_cut = |seed: &u64| {
        super::pieces::plan(&random_graph(seed * 7919, 12), &Options { tile: Some(1), piece: Some(1) }, 8)
            .is_ok_and(|(plan, _)| plan.pieces.is_some())
    };
    let cut = (0..400).filter(is_cut).count();
    assert!(cut > 20, "{cut} of 400");
}

/// A Jacobian too large for the near cache is cut without being asked, and gives the bits of one that is not.
#[test]
fn a_large_jacobian_is_cut_by_itself() {
    let mut b = Builder::new();
    let z = b.input("z", Rows::SAMPLE, &[24], &[24]);
    let mut numbers = Choices(5);
    let mut weight = |b: &mut Builder, shape: &[usize]| {
        let values: Vec<f64> = numbers.numbers(shape.iter().product()).iter().map(|x| x / 8.0).collect();
        b.constant(Tensor::new(shape, values))
    };
    let w = weight(&mut b, &[8 * 256, 24]);
    let h = b.contract(z, w, Contraction { a: vec![1], b: vec![0, 1], out: vec![0], sum_rows: Rows::NONE });
    let mut h = b.reshape(h, &[1, 8, 16, 16]);
    for channels in [(32, 8), (32, 32), (4, 32)] {
        h = b.unary(Unary::Tanh, h);
        let w = weight(&mut b, &[channels.0, channels.1, 3, 3]);
        let sliding = Sliding { before: vec![1; 2], after: vec![1; 2], ..Sliding::unit(&[3, 3]) };
        h = lower::conv(&mut b, h, w, None, &sliding, 1).unwrap();
    }
    let graph = b.finish(vec![Port { name: "x".into(), node: h, shape: vec![4, 16, 16], default: None }]).jacobian(0, &[0]).unwrap();
    let (plan, tile) = super::pieces::plan(&graph, &Options::default(), 8).unwrap();
    assert!(tile == 1 && plan.pieces.is_some_and(|pieces| pieces.rows <= 12), "{:?}", plan.pieces);
    let inputs = [Choices(9).numbers(3 * 24)];
    let whole = run_with::<f64>(&graph, 3, &inputs, &Options { tile: Some(1), piece: Some(24) }, 1).unwrap();
    assert_eq!(whole, run_with::<f64>(&graph, 3, &inputs, &Options { tile: Some(1), piece: None }, 2).unwrap());
    for piece in [1, 5, 7] {
        let pieces = run_with::<f64>(&graph, 3, &inputs, &Options { tile: Some(1), piece: Some(piece) }, 2).unwrap();
        assert!(whole == pieces, "pieces of {piece}");
    }
}

#[test]
fn every_operation_appears_in_random_graphs() {
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..400 {
        let graph = random_graph(seed * 7919, 20);
        let live = graph.live();
        for node in graph.nodes().iter().zip(live).filter_map(|(node, live)| live.then_some(node)) {
            seen.insert(match &node.op {
                Op::Convolve(_, face, _) => format!("{face:?}"),
                Op::Unary(_) => "Unary".into(),
                other => format!("{other:?}").split(['(', ' ']).next().unwrap_or_default().to_string(),
            });
        }
    }
    let expected = [
        "ArgExtreme",
        "Binary",
        "Concat",
        "Constant",
        "Contract",
        "Count",
        "Data",
        "Detach",
        "Input",
        "Map",
        "Put",
        "Rename",
        "RowSum",
        "Scatter",
        "Select",
        "Stack",
        "Take",
        "Unary",
        "Unstack",
        "Value",
        "Weight",
    ];
    assert_eq!(seen.iter().map(String::as_str).collect::<Vec<_>>(), expected);
}
