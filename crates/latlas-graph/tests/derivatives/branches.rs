//! A branch that is not taken poisons nothing: Where around functions that are not finite there, in every mode.

use latlas_graph::evaluate::evaluate;
use latlas_graph::ops::{Binary, Unary};
use latlas_graph::transform::{jvp, vjp};
use latlas_graph::{Builder, NodeId, Rows};

use super::port;

type Function = fn(&mut Builder, NodeId) -> NodeId;

/// A function, a point where it is not finite or overflows, a point where it is used, and its two derivatives there.
fn functions() -> Vec<(&'static str, Function, f64, f64, [f64; 2])> {
    let log: Function = |b, x| b.unary(Unary::Log, x);
    let x_log_x: Function = |b, x| {
        let log = b.unary(Unary::Log, x);
        b.binary(Binary::Mul, x, log)
    };
    let sqrt: Function = |b, x| b.unary(Unary::Sqrt, x);
    let exp: Function = |b, x| b.unary(Unary::Exp, x);
    vec![
        ("log x", log, 0.0, 2.0, [0.5, -0.25]),
        ("log x", log, -1.0, 2.0, [0.5, -0.25]),
        ("x log x", x_log_x, 0.0, 2.0, [2_f64.ln() + 1.0, 0.5]),
        ("x log x", x_log_x, -3.0, 2.0, [2_f64.ln() + 1.0, 0.5]),
        ("sqrt x", sqrt, 0.0, 4.0, [0.25, -1.0 / 32.0]),
        ("sqrt x", sqrt, -1.0, 4.0, [0.25, -1.0 / 32.0]),
        ("exp x", exp, 800.0, 1.0, [std::f64::consts::E, std::f64::consts::E]),
    ]
}

#[test]
fn what_is_not_taken_does_not_poison_what_is() {
    for (name, f, outside, inside, derivatives) in functions() {
        let mut b = Builder::new();
        let x = b.input("x", Rows::SAMPLE, &[], &[]);
        let chosen = b.input("chosen", Rows::SAMPLE, &[], &[]);
        let y = f(&mut b, x);
        let zero = b.filled(&[], 0.0);
        let y = b.select(chosen, y, zero);
        let one = b.filled(&[], 1.0);
        let reverse = vjp(&mut b, &[(y, one)], &[x]).unwrap()[0].unwrap();
        let forward = jvp(&mut b, &[(x, one)], &[y]).unwrap()[0].unwrap();
        let reverse_twice = vjp(&mut b, &[(reverse, one)], &[x]).unwrap()[0].unwrap();
        let forward_over_reverse = jvp(&mut b, &[(x, one)], &[reverse]).unwrap()[0].unwrap();
        let reverse_over_forward = vjp(&mut b, &[(forward, one)], &[x]).unwrap()[0].unwrap();
        let forward_twice = jvp(&mut b, &[(x, one)], &[forward]).unwrap()[0].unwrap();
        let first = [reverse, forward];
        let second = [reverse_twice, forward_over_reverse, reverse_over_forward, forward_twice];
        let graph = b.finish(first.into_iter().chain(second).map(|node| port("d", node)).collect());
        let out = evaluate(&graph, 2, &[vec![outside, inside], vec![0.0, 1.0]]).unwrap();
        for (i, values) in out.iter().enumerate() {
            assert_eq!(values[0], 0.0, "{name} at {outside}, derivative {i}");
            let truth = derivatives[usize::from(i >= 2)];
            assert!((values[1] - truth).abs() < 1e-14 * truth.abs().max(1.0), "{name} at {inside}, derivative {i}: {}", values[1]);
        }
    }
}
