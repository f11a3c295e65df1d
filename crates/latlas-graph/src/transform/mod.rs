//! Derivatives as transformations, graph to graph; they compose.

mod elimination;
mod flow;
mod graphs;
mod jvp;
mod second;
mod vjp;

pub use elimination::{Block, Elimination};
pub use jvp::jvp;
pub use vjp::vjp;

use crate::{Builder, NodeId, Op, Result};

/// A first and a second derivative; `None` is zero.
pub type Derivatives = (Option<NodeId>, Option<NodeId>);

/// First and second derivative at t = 0 of t ↦ f(x + t·v), for each output f and each direction v in `direction`.
///
/// It is `jvp` twice along the same row axes, which gives the diagonal.
///
/// # Errors
/// Those of [`jvp`].
pub fn taylor(b: &mut Builder, x: NodeId, direction: NodeId, outputs: &[NodeId]) -> Result<Vec<Derivatives>> {
    let first = jvp(b, &[(x, direction)], outputs)?;
    let present: Vec<NodeId> = first.iter().flatten().copied().collect();
    let mut second = jvp(b, &[(x, direction)], &present)?.into_iter();
    Ok(first.into_iter().map(|d| (d, d.and_then(|_| second.next().flatten()))).collect())
}

/// The derivative of node y, a scalar function, for one of its operands; `None` where it is identically zero.
fn slope(b: &mut Builder, y: NodeId, position: usize) -> Option<NodeId> {
    let node = b.graph().node(y);
    let slope = match (&node.op, &node.operands[..]) {
        (Op::Unary(f), &[x]) => f.function().derivative?(b, x, y),
        (Op::Binary(f), &[p, q]) => f.function().derivative?(b, position, [p, q], y),
        _ => return None,
    };
    (b.uniform(slope) != Some(0.0)).then_some(slope)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::evaluate::evaluate;
    use crate::ops::{Binary, Contraction, Unary};
    use crate::{Axis, Error, Graph, Port, Rows, Tensor};

    fn port(name: &str, node: NodeId) -> Port {
        Port { name: name.into(), node, shape: vec![], default: None }
    }

    /// tanh(W z) with W `[3, 2]`.
    fn layer() -> Graph {
        let mut b = Builder::new();
        let z = b.input("z", Rows::SAMPLE, &[2], &[2]);
        let w = b.constant(Tensor::new([3, 2], [1.0, 2.0, -1.0, 0.5, 0.25, -2.0]));
        let h = b.contract(w, z, Contraction { a: vec![0, 1], b: vec![1], out: vec![0], sum_rows: Rows::NONE });
        let y = b.unary(Unary::Tanh, h);
        b.finish(vec![port("y", y)])
    }

    #[test]
    fn the_jacobian_and_gram_of_a_layer_are_exact() {
        let z = vec![0.3, -0.2, 0.1, 0.7];
        let jacobian = layer().jacobian(0, &[0]).unwrap();
        assert_eq!(jacobian.outputs[1].name, "y.jacobian");
        let out = evaluate(&jacobian, 2, std::slice::from_ref(&z)).unwrap();
        let gram = evaluate(&layer().gram(0, &[0]).unwrap(), 2, &[z]).unwrap();
        let w = [1.0, 2.0, -1.0, 0.5, 0.25, -2.0];
        let y = &out[0];
        let column = |n: usize, t: usize| (0..3).map(move |i| (1.0 - y[n * 3 + i].powi(2)) * w[i * 2 + t]);
        for n in 0..2 {
            for t in 0..2 {
                for (i, expected) in column(n, t).enumerate() {
                    assert!((out[1][(n * 2 + t) * 3 + i] - expected).abs() < 1e-15);
                }
                for u in 0..2 {
                    let expected: f64 = column(n, t).zip(column(n, u)).map(|(a, b)| a * b).sum();
                    assert!((gram[1][(n * 2 + t) * 2 + u] - expected).abs() < 1e-14);
                }
            }
        }
    }

    #[test]
    fn tangents_of_a_linear_layer_are_its_folded_weights() {
        let jacobian = layer().jacobian(0, &[0]).unwrap();
        let contractions = jacobian.nodes().iter().filter(|n| matches!(n.op, Op::Contract(_))).count();
        assert_eq!(contractions, 1, "only the primal one is left");
    }

    #[test]
    fn a_cotangent_without_samples_counts_them() {
        // loss = Σ over samples of w · x with w a parameter: ∂loss/∂(w + x-free term c) is the number of samples.
        let mut b = Builder::new();
        let x = b.input("x", Rows::SAMPLE, &[], &[]);
        let c = b.input("c", Rows::NONE, &[], &[]);
        let y = b.binary(Binary::Add, x, c);
        let loss = b.row_sum(y, Axis::SAMPLE);
        let one = b.filled(&[], 1.0);
        let pulled = vjp(&mut b, &[(loss, one)], &[c, x]).unwrap();
        let graph = b.finish(vec![port("c", pulled[0].unwrap()), port("x", pulled[1].unwrap())]);
        let out = evaluate(&graph, 5, &[vec![0.0; 5], vec![0.0]]).unwrap();
        assert_eq!(out, vec![vec![5.0], vec![1.0]], "and the samples' own cotangent does not vary over samples");
    }

    #[test]
    fn the_gram_of_a_gram_along_the_same_axis_is_refused() {
        let gram = layer().gram(0, &[0]).unwrap();
        let mut b = Builder::from_graph(gram.clone());
        let same = gram.axes().iter().position(|axis| axis.name == "tangent").unwrap();
        let seeds = b.unit_seeds(Axis(same as u8), &[2]);
        let outcome = jvp(&mut b, &[(gram.inputs[0].node, seeds)], &[gram.outputs[1].node]);
        assert!(matches!(outcome, Err(Error::Graph { .. })), "its two axes would become one");
    }

    #[test]
    fn seeds_that_reuse_an_axis_are_refused() {
        let mut b = Builder::new();
        let x = b.input("x", Rows::SAMPLE, &[], &[]);
        let loss = b.row_sum(x, Axis::SAMPLE);
        assert!(matches!(vjp(&mut b, &[(loss, x)], &[x]), Err(Error::Graph { .. })));
        let c = b.input("c", Rows::NONE, &[], &[]);
        let y = b.binary(Binary::Mul, x, c);
        let sum = b.row_sum(y, Axis::SAMPLE);
        assert!(matches!(jvp(&mut b, &[(c, x)], &[sum]), Err(Error::Graph { .. })));
        let wide = b.filled(&[2], 0.0);
        assert!(matches!(jvp(&mut b, &[(c, wide)], &[sum]), Err(Error::Shape { .. })));
        assert!(matches!(vjp(&mut b, &[(loss, wide)], &[x]), Err(Error::Shape { .. })));
    }
}
