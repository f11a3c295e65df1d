//! Running a composite on one sample, for the tests of this folder.
#![allow(clippy::unwrap_used)]

use crate::evaluate::evaluate;
use crate::{Builder, NodeId, Port, Result, Rows};

/// The value of `f` at an item `x` of `shape`.
pub fn run(x: &[f64], shape: &[usize], f: impl FnOnce(&mut Builder, NodeId) -> Result<NodeId>) -> Vec<f64> {
    let mut b = Builder::new();
    let input = b.input("x", Rows::SAMPLE, shape, shape);
    let y = f(&mut b, input).unwrap();
    let shape = b.shape(y).to_vec();
    let graph = b.finish(vec![Port { name: "y".into(), node: y, shape, default: None }]);
    evaluate(&graph, 1, &[x.to_vec()]).unwrap().remove(0)
}

/// Asserts that a composite of one argument is a function of numbers.
pub fn check_pointwise(points: &[f64], f: impl Fn(&mut Builder, NodeId) -> NodeId, exact: impl Fn(f64) -> f64) {
    let got = run(points, &[points.len()], |b, x| Ok(f(b, x)));
    assert_close(&got, &points.iter().map(|&x| exact(x)).collect::<Vec<_>>(), 1e-14);
}

/// Asserts that two lists are equal, to a tolerance relative to each entry (absolute below 0.1).
pub fn assert_close(got: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(got.len(), expected.len());
    for (i, (&g, &e)) in got.iter().zip(expected).enumerate() {
        assert!((g - e).abs() <= tolerance * e.abs().max(0.1), "entry {i}: got {g}, expected {e}");
    }
}
