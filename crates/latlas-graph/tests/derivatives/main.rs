//! Derivative contracts over every operation: the tables are walked, so that a new line is covered by itself.

#![allow(clippy::unwrap_used)]

mod branches;
mod cases;
mod elimination;
mod export;
mod models;
mod operations;
mod orders;
mod precision;

use cases::{Case, all};
use latlas_graph::evaluate::evaluate;
use latlas_graph::transform::{jvp, taylor, vjp};
use latlas_graph::{Axis, Builder, Graph, NodeId, Port, Rows};

const SAMPLES: usize = 3;

/// SplitMix64 (Steele, Lea & Flood 2014): small, and the same everywhere.
struct Random(u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn below(&mut self, n: usize) -> usize {
        (self.bits() % n as u64) as usize
    }

    fn array(&mut self, len: usize, low: f64, high: f64) -> Vec<f64> {
        (0..len).map(|_| self.uniform(low, high)).collect()
    }
}

fn port(name: &str, node: NodeId) -> Port {
    Port { name: name.into(), node, shape: vec![], default: None }
}

/// A value repeated along the row axes that its node lacks and `rows` has.
fn spread(graph: &Graph, node: NodeId, values: &[f64], rows: Rows) -> Vec<f64> {
    let (own, item) = (graph.node(node).rows, graph.node(node).item_len());
    assert!(own.minus(rows).is_empty(), "{own:?} is wider than {rows:?}");
    let axes: Vec<Axis> = rows.iter().collect();
    let size = |axis: Axis| graph.axis_size(axis, SAMPLES);
    let mut all = Vec::new();
    for row in 0..graph.row_count(rows, SAMPLES) {
        let mut rest = row;
        let mut at = vec![0; axes.len()];
        for (i, &axis) in axes.iter().enumerate().rev() {
            at[i] = rest % size(axis);
            rest /= size(axis);
        }
        let own_row = axes.iter().zip(&at).filter(|(a, _)| own.contains(**a)).fold(0, |sum, (&a, &i)| sum * size(a) + i);
        all.extend_from_slice(&values[own_row * item..][..item]);
    }
    all
}

/// Row `index` along the last axis of `rows` of a `[rows.., item]` array.
fn slice_last(values: &[f64], size: usize, item: usize, index: usize) -> Vec<f64> {
    values.chunks(size * item).flat_map(|block| block[index * item..][..item].to_vec()).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
}

/// The primal graph of a case, and a way to move its differentiable inputs.
struct Primal<'a> {
    case: &'a Case,
    graph: Graph,
    point: Vec<Vec<f64>>,
}

impl<'a> Primal<'a> {
    fn new(case: &'a Case, random: &mut Random) -> Self {
        let (b, _, y) = case.build();
        let graph = b.finish(vec![port("y", y)]);
        let point = case.point(&graph, random);
        Self { case, graph, point }
    }

    /// f(x + t·v).
    fn at(&self, t: f64, directions: &[Vec<f64>]) -> Vec<f64> {
        let moved: Vec<Vec<f64>> =
            self.point.iter().zip(directions).map(|(x, v)| x.iter().zip(v).map(|(x, v)| x + t * v).collect()).collect();
        evaluate(&self.graph, SAMPLES, &moved).unwrap().remove(0)
    }

    /// Directions that are zero except along the inputs in `along`.
    fn directions(&self, along: &[usize], random: &mut Random) -> Vec<Vec<f64>> {
        let zero_or = |(i, x): (usize, &Vec<f64>)| if along.contains(&i) { random.array(x.len(), -1.0, 1.0) } else { vec![0.0; x.len()] };
        self.point.iter().enumerate().map(zero_or).collect()
    }

    fn differentiable(&self) -> Vec<usize> {
        (0..self.point.len()).filter(|&i| self.case.inputs[i].is_differentiable()).collect()
    }
}

/// The best agreement with differences over a scan of steps: large ones cross into the next term, small ones cancel.
fn best_over_steps(derivative: &[f64], scale: f64, difference: impl Fn(f64) -> Vec<f64>) -> f64 {
    let steps = [1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5, 1e-5, 3e-6, 1e-6, 1e-7];
    let error = |h| distance(derivative, &difference(h)) / norm(derivative).max(scale);
    steps.into_iter().map(error).fold(f64::INFINITY, f64::min)
}

#[test]
fn forward_mode_agrees_with_central_differences() {
    for case in all() {
        let random = &mut Random(1);
        let primal = Primal::new(&case, random);
        let (mut b, inputs, y) = case.build();
        let tangent = b.axis("tangent", 2).unwrap();
        let mut seeds = vec![];
        let (first, second) = (primal.directions(&primal.differentiable(), random), primal.directions(&primal.differentiable(), random));
        let mut values = primal.point.clone();
        for i in primal.differentiable() {
            let (rows, shape) = (b.rows(inputs[i]), b.shape(inputs[i]).to_vec());
            seeds.push((inputs[i], b.input("v", rows.union(Rows::of(tangent)), &shape, &shape)));
            let item = shape.iter().product::<usize>().max(1);
            values.push(first[i].chunks(item).zip(second[i].chunks(item)).flat_map(|(u, v)| [u, v].concat()).collect());
        }
        let Some(dy) = jvp(&mut b, &seeds, &[y]).unwrap()[0] else {
            for v in [&first, &second] {
                assert_eq!(primal.at(1e-3, v), primal.at(-1e-3, v), "{}: no tangent, but it moves", case.name);
            }
            continue;
        };
        let (rows, item) = (b.rows(y).union(Rows::of(tangent)), b.graph().node(y).item_len());
        let graph = b.finish(vec![port("dy", dy)]);
        let pushed = evaluate(&graph, SAMPLES, &values).unwrap().remove(0);
        let pushed = spread(&graph, graph.outputs[0].node, &pushed, rows);
        for (t, v) in [first, second].iter().enumerate() {
            let derivative = slice_last(&pushed, 2, item, t);
            let difference = |h: f64| primal.at(h, v).iter().zip(primal.at(-h, v)).map(|(p, m)| (p - m) / (2.0 * h)).collect();
            let error = best_over_steps(&derivative, 1e-3, difference);
            assert!(error <= 1e-7, "{}: {error:e}", case.name);
        }
    }
}

#[test]
fn reverse_mode_is_the_transpose_of_forward_mode() {
    for case in all() {
        let random = &mut Random(2);
        let primal = Primal::new(&case, random);
        let (mut b, inputs, y) = case.build();
        let (tangent, probe) = (b.axis("tangent", 2).unwrap(), b.axis("probe", 3).unwrap());
        let wrt: Vec<NodeId> = primal.differentiable().into_iter().map(|i| inputs[i]).collect();
        let mut fresh = |b: &mut Builder, of: NodeId, axis: Axis| {
            let (rows, shape) = (b.rows(of).union(Rows::of(axis)), b.shape(of).to_vec());
            let node = b.input("seed", rows, &shape, &shape);
            let len = b.graph().row_count(rows, SAMPLES) * b.graph().node(node).item_len();
            (node, random.array(len, -1.0, 1.0))
        };
        let mut values = primal.point.clone();
        let mut seeds = vec![];
        for &x in &wrt {
            let (node, v) = fresh(&mut b, x, tangent);
            seeds.push((x, node));
            values.push(v);
        }
        let (cotangent, u) = fresh(&mut b, y, probe);
        values.push(u.clone());
        let pushed = jvp(&mut b, &seeds, &[y]).unwrap()[0];
        let pulled = vjp(&mut b, &[(y, cotangent)], &wrt).unwrap();
        let Some(pushed) = pushed else {
            assert!(pulled.iter().all(Option::is_none), "{}: forward is zero, reverse is not", case.name);
            continue;
        };
        let rows_of = |b: &Builder, node: NodeId, axis: Axis| b.rows(node).union(Rows::of(axis));
        let y_rows = (rows_of(&b, y, tangent), b.graph().node(y).item_len());
        let x_rows: Vec<(Rows, usize)> = wrt.iter().map(|&x| (rows_of(&b, x, probe), b.graph().node(x).item_len())).collect();
        let mut ports = vec![port("pushed", pushed)];
        ports.extend(pulled.iter().flatten().map(|&node| port("pulled", node)));
        let graph = b.finish(ports);
        let mut out = evaluate(&graph, SAMPLES, &values).unwrap().into_iter().zip(&graph.outputs);
        let mut next = |(rows, item): (Rows, usize)| {
            let (value, port) = out.next().unwrap();
            (spread(&graph, port.node, &value, rows), item)
        };
        let (pushed, y_item) = next(y_rows);
        let pulled: Vec<Option<(Vec<f64>, usize)>> = pulled.iter().zip(x_rows).map(|(p, x)| p.map(|_| next(x))).collect();
        for t in 0..2 {
            for p in 0..3 {
                let (jv, u) = (slice_last(&pushed, 2, y_item, t), slice_last(&u, 3, y_item, p));
                let forward = dot(&u, &jv);
                let mut reverse = 0.0;
                let mut scale = norm(&u) * norm(&jv);
                for (i, pulled) in pulled.iter().enumerate() {
                    let Some((pulled, item)) = pulled else { continue };
                    let (jtu, v) = (slice_last(pulled, 3, *item, p), slice_last(&values[primal.point.len() + i], 2, *item, t));
                    reverse += dot(&jtu, &v);
                    scale += norm(&jtu) * norm(&v);
                }
                assert!((forward - reverse).abs() <= 1e-12 * scale, "{}: {forward} forward, {reverse} reverse", case.name);
            }
        }
    }
}

#[test]
fn second_coefficients_agree_with_second_differences() {
    for case in all() {
        let random = &mut Random(3);
        let primal = Primal::new(&case, random);
        for i in primal.differentiable() {
            let v = primal.directions(&[i], random);
            let (mut b, inputs, y) = case.build();
            let (rows, shape) = (b.rows(inputs[i]), b.shape(inputs[i]).to_vec());
            let direction = b.input("v", rows, &shape, &shape);
            let (_, second) = taylor(&mut b, inputs[i], direction, &[y]).unwrap()[0];
            let y_rows = b.rows(y);
            let derivative = match second {
                None => vec![0.0; primal.at(0.0, &v).len()],
                Some(second) => {
                    let graph = b.finish(vec![port("second", second)]);
                    let values: Vec<Vec<f64>> = primal.point.iter().chain([&v[i]]).cloned().collect();
                    let out = evaluate(&graph, SAMPLES, &values).unwrap().remove(0);
                    spread(&graph, graph.outputs[0].node, &out, y_rows)
                }
            };
            let middle = primal.at(0.0, &v);
            let difference = |h: f64| {
                let (plus, minus) = (primal.at(h, &v), primal.at(-h, &v));
                (0..middle.len()).map(|i| ((plus[i] - middle[i]) - (middle[i] - minus[i])) / (h * h)).collect()
            };
            let error = best_over_steps(&derivative, norm(&middle).max(1e-3), difference);
            assert!(error <= 1e-5, "{} along input {i}: {error:e}", case.name);
        }
    }
}
