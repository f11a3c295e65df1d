//! Orders and modes mixed: they all agree, and with what is known in closed form.

use latlas_graph::evaluate::evaluate;
use latlas_graph::ops::{Binary, Unary};
use latlas_graph::transform::{jvp, vjp};
use latlas_graph::{Axis, Builder, NodeId, Rows};

use super::cases::{Case, all};
use super::{Primal, Random, SAMPLES, distance, norm, port, spread};

/// Σ over everything of y²: second derivatives of linear operations too, and one number to pull back.
fn energy(b: &mut Builder, y: NodeId) -> NodeId {
    let square = b.binary(Binary::Mul, y, y);
    let axes: Vec<usize> = (0..b.shape(y).len()).collect();
    let sum = b.sum(square, &axes);
    let sum = b.reshape(sum, &[]);
    let rows: Vec<Axis> = b.rows(sum).iter().collect();
    rows.into_iter().fold(sum, |sum, axis| b.row_sum(sum, axis))
}

/// The Hessian of the energy times v, in three ways; and its third derivative along v, v, in two.
fn products(case: &Case, primal: &Primal<'_>, random: &mut Random) -> Option<Vec<Vec<f64>>> {
    let (mut b, inputs, y) = case.build();
    let loss = energy(&mut b, y);
    let wrt: Vec<NodeId> = primal.differentiable().into_iter().map(|i| inputs[i]).collect();
    let mut values = primal.point.clone();
    let mut seeds = vec![];
    for &x in &wrt {
        let (rows, shape) = (b.rows(x), b.shape(x).to_vec());
        seeds.push((x, b.input("v", rows, &shape, &shape)));
        values.push(random.array(b.graph().row_count(rows, SAMPLES) * b.graph().node(x).item_len(), -1.0, 1.0));
    }
    let one = b.filled(&[], 1.0);
    let gradient: Vec<NodeId> = vjp(&mut b, &[(loss, one)], &wrt).unwrap().into_iter().collect::<Option<_>>()?;
    let forward_over_reverse = jvp(&mut b, &seeds, &gradient).unwrap();

    let slope = jvp(&mut b, &seeds, &[loss]).unwrap()[0]?;
    let reverse_over_forward = vjp(&mut b, &[(slope, one)], &wrt).unwrap();

    // ⟨∇L, v⟩ pulled back: reverse over reverse.
    let mut inner = None;
    for (&g, &(_, v)) in gradient.iter().zip(&seeds) {
        let product = b.binary(Binary::Mul, g, v);
        let axes: Vec<usize> = (0..b.shape(product).len()).collect();
        let sum = b.sum(product, &axes);
        let mut sum = b.reshape(sum, &[]);
        for axis in b.rows(v).iter().collect::<Vec<_>>() {
            sum = b.row_sum(sum, axis);
        }
        inner = Some(inner.map_or(sum, |all| b.binary(Binary::Add, all, sum)));
    }
    let reverse_over_reverse = vjp(&mut b, &[(inner?, one)], &wrt).unwrap();

    let curvature = jvp(&mut b, &seeds, &[slope]).unwrap()[0]?;
    let reverse_twice_forward = vjp(&mut b, &[(curvature, one)], &wrt).unwrap();
    let products: Vec<NodeId> = forward_over_reverse.iter().copied().collect::<Option<_>>()?;
    let twice_forward_reverse = jvp(&mut b, &seeds, &products).unwrap();

    let groups = [forward_over_reverse, reverse_over_forward, reverse_over_reverse, reverse_twice_forward, twice_forward_reverse];
    let targets: Vec<(Rows, usize)> = wrt.iter().map(|&x| (b.rows(x), b.graph().node(x).item_len())).collect();
    let ports = groups.iter().flatten().flatten().map(|&node| port("product", node)).collect();
    let graph = b.finish(ports);
    let mut out = evaluate(&graph, SAMPLES, &values).unwrap().into_iter().zip(&graph.outputs);
    let mut gathered = vec![];
    for group in groups {
        let mut all = vec![];
        for (node, &(rows, item)) in group.iter().zip(&targets) {
            match node {
                Some(_) => {
                    let (value, port) = out.next().unwrap();
                    all.extend(spread(&graph, port.node, &value, rows));
                }
                None => all.extend(vec![0.0; graph.row_count(rows, SAMPLES) * item]),
            }
        }
        gathered.push(all);
    }
    Some(gathered)
}

#[test]
fn second_and_third_orders_agree_in_every_mode() {
    let mut checked = 0;
    for case in all() {
        let random = &mut Random(4);
        let primal = Primal::new(&case, random);
        let Some(products) = products(&case, &primal, random) else { continue };
        checked += 1;
        for (name, a, b) in [("reverse over forward", 0, 1), ("reverse over reverse", 0, 2), ("third order", 3, 4)] {
            let error = distance(&products[a], &products[b]);
            let scale = norm(&products[a]).max(1e-3);
            assert!(error <= 1e-12 * scale, "{}, {name}: {:e}", case.name, error / scale);
        }
    }
    assert!(checked > 60, "only {checked} cases have second derivatives");
}

/// exp(sin x) and its first three derivatives.
#[test]
fn three_orders_of_a_known_function() {
    let mut b = Builder::new();
    let x = b.input("x", Rows::SAMPLE, &[], &[]);
    let sine = b.unary(Unary::Sin, x);
    let y = b.unary(Unary::Exp, sine);
    let one = b.filled(&[], 1.0);
    let mut forward = vec![y];
    for order in 0..3 {
        forward.push(jvp(&mut b, &[(x, one)], &[forward[order]]).unwrap()[0].unwrap());
    }
    let mut reverse = vec![y];
    for order in 0..3 {
        reverse.push(vjp(&mut b, &[(reverse[order], one)], &[x]).unwrap()[0].unwrap());
    }
    let graph = b.finish(forward.into_iter().chain(reverse).map(|node| port("d", node)).collect());
    let points = vec![-1.0, 0.2, 2.5];
    let out = evaluate(&graph, 3, std::slice::from_ref(&points)).unwrap();
    for (i, x) in points.into_iter().enumerate() {
        let (s, c) = x.sin_cos();
        let truth = [1.0, c, c * c - s, c * c * c - 3.0 * s * c - c].map(|factor| factor * s.exp());
        for order in 0..4 {
            for mode in [0, 4] {
                assert!((out[mode + order][i] - truth[order]).abs() < 1e-14, "order {order} at {x}");
            }
        }
    }
}

/// Along one axis twice is the diagonal of along two.
#[test]
fn the_same_axis_twice_is_the_diagonal() {
    let mut b = Builder::new();
    let x = b.input("x", Rows::SAMPLE, &[2], &[2]);
    let (first, second) = (b.axis("first", 2).unwrap(), b.axis("second", 2).unwrap());
    let (u, v) = (b.unit_seeds(first, &[2]), b.unit_seeds(second, &[2]));
    let product = b.map(x, latlas_graph::ops::IndexMap::strided(&[2], 1, &[-1]));
    let product = b.binary(Binary::Mul, product, x);
    let y = b.unary(Unary::Exp, product);
    let du = jvp(&mut b, &[(x, u)], &[y]).unwrap()[0].unwrap();
    let diagonal = jvp(&mut b, &[(x, u)], &[du]).unwrap()[0].unwrap();
    let full = jvp(&mut b, &[(x, v)], &[du]).unwrap()[0].unwrap();
    let graph = b.finish(vec![port("diagonal", diagonal), port("full", full)]);
    let out = evaluate(&graph, 1, &[vec![0.3, -0.8]]).unwrap();
    for t in 0..2 {
        for i in 0..2 {
            assert_eq!(out[0][t * 2 + i], out[1][(t * 2 + t) * 2 + i]);
        }
    }
    let (p, q): (f64, f64) = (0.3, -0.8);
    assert!((out[1][2] - (p * q).exp() * (1.0 + p * q)).abs() < 1e-15, "the mixed derivative of exp(pq)");
}
