//! One graph written into another: composition, ensembles, a fixed condition.

use crate::{Axis, Builder, Error, Graph, NodeId, Op, Result};

impl Builder {
    /// Writes `graph` into this one, its inputs replaced by values of this one, and gives the nodes of its outputs.
    ///
    /// `inputs` are pairs (position in the graph's inputs, value); a value has as many elements as the input and any rows.
    /// Inputs that are not named take the value of their own.
    ///
    /// # Errors
    /// [`Error::Shape`] for a value of another size; [`Error::Graph`] for an input without a value, and for a graph with row
    /// axes beside the samples (a derivative), which would have to be told from those of this one.
    pub fn graft(&mut self, graph: &Graph, inputs: &[(usize, NodeId)]) -> Result<Vec<NodeId>> {
        if graph.axes().len() > 1 {
            let names: Vec<&str> = graph.axes()[1..].iter().map(|axis| axis.name.as_str()).collect();
            return Err(Error::Graph { what: format!("a graph with the row axes {names:?} cannot be written into another") });
        }
        let live = graph.live();
        let mut written: Vec<Option<NodeId>> = vec![None; graph.nodes().len()];
        for (i, node) in graph.nodes().iter().enumerate().filter(|(i, _)| live[*i]) {
            let copy = match node.op {
                Op::Input(position) => self.entering(graph, position, inputs)?,
                Op::Count(_) => self.count(Axis::SAMPLE),
                _ => {
                    // Operands stand before the node and are live with it.
                    let operands: Vec<NodeId> = node.operands.iter().filter_map(|o| written[o.index()]).collect();
                    self.again(node, &operands)
                }
            };
            written[i] = Some(copy);
        }
        Ok(graph.outputs.iter().filter_map(|port| written[port.node.index()]).collect())
    }

    /// The value that enters an input, in the shape of its node.
    fn entering(&mut self, graph: &Graph, position: usize, inputs: &[(usize, NodeId)]) -> Result<NodeId> {
        let port = &graph.inputs[position];
        let shape = &graph.node(port.node).shape;
        let given = inputs.iter().find(|(input, _)| *input == position).map(|(_, value)| *value);
        let value = match (given, &port.default) {
            (Some(value), _) => value,
            (None, Some(default)) => self.constant((**default).clone()),
            (None, None) => return Err(Error::Graph { what: format!("input {:?} was given no value", port.name) }),
        };
        let got = self.shape(value);
        if got.iter().product::<usize>() != shape.iter().product() {
            return Err(Error::Shape { what: format!("input {:?}", port.name), expected: format!("{shape:?}"), got: format!("{got:?}") });
        }
        Ok(self.reshape(value, shape))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::evaluate::evaluate;
    use crate::ops::{Binary, Unary};
    use crate::{Port, Rows, Tensor};

    fn port(name: &str, node: NodeId, shape: &[usize]) -> Port {
        Port { name: name.into(), node, shape: shape.into(), default: None }
    }

    /// (x, c) ↦ (sin x + c, x c).
    fn pair() -> Graph {
        let mut b = Builder::new();
        let (x, c) = (b.input("x", Rows::SAMPLE, &[2], &[2]), b.input("c", Rows::SAMPLE, &[2], &[2]));
        let sin = b.unary(Unary::Sin, x);
        let (sum, product) = (b.binary(Binary::Add, sin, c), b.binary(Binary::Mul, x, c));
        b.finish(vec![port("sum", sum, &[2]), port("product", product, &[2])])
    }

    #[test]
    fn a_composition_is_the_composition() {
        let mut b = Builder::from_graph(pair());
        let (x, c) = (b.graph().inputs[0].node, b.graph().outputs[1].node);
        let outer = b.graft(&pair(), &[(0, c), (1, x)]).unwrap();
        let graph = b.finish(vec![port("y", outer[0], &[2])]);
        let out = evaluate(&graph, 1, &[vec![0.5, -2.0], vec![3.0, 0.25]]).unwrap();
        let expected = [1.5_f64.sin() + 0.5, (-0.5_f64).sin() - 2.0];
        assert!(out[0].iter().zip(expected).all(|(got, expected)| (got - expected).abs() < 1e-15), "{out:?}");
    }

    #[test]
    fn a_fixed_input_is_folded_and_a_missing_one_refused() {
        let mut b = Builder::new();
        let x = b.input("x", Rows::SAMPLE, &[1, 2], &[1, 2]);
        let c = b.constant(Tensor::new([2], [1.0, 1.0]));
        let written = b.graft(&pair(), &[(0, x), (1, c)]).unwrap();
        let graph = b.finish(vec![port("product", written[1], &[2])]);
        assert!(graph.nodes().iter().all(|node| !matches!(node.op, Op::Binary(Binary::Mul))), "x · 1 is x");
        let mut b = Builder::new();
        let x = b.input("x", Rows::SAMPLE, &[2], &[2]);
        assert!(matches!(b.graft(&pair(), &[(0, x)]), Err(Error::Graph { .. })));
        let wide = b.filled(&[3], 0.0);
        assert!(matches!(b.graft(&pair(), &[(0, x), (1, wide)]), Err(Error::Shape { .. })));
        assert!(matches!(b.graft(&pair().jacobian(0, &[0]).unwrap(), &[(0, x), (1, x)]), Err(Error::Graph { .. })));
    }
}
