//! Whole graphs of second derivatives, with named ports.

use super::graphs::{TANGENT, or_zero};
use super::{jvp, taylor, vjp};
use crate::{Builder, Graph, NodeId, Port, Result, Rows, Tensor};

impl Graph {
    /// An output f, then its first and second derivatives along `k` directions v of a further input `directions`, rows
    /// {sample, tangent}: ports `NAME`, `NAME.jvp` (Jv) and `NAME.second` (H[v, v], the second derivative of t ↦ f(z + t v)).
    ///
    /// # Errors
    /// Those of [`jvp`]; the number of row axes is limited.
    pub fn second_graph(&self, input: usize, output: usize, k: usize) -> Result<Self> {
        let mut b = Builder::from_graph(self.clone());
        let (from, to) = (&self.inputs[input], &self.outputs[output]);
        let axis = b.axis(TANGENT, k)?;
        let v = b.input("directions", Rows::SAMPLE.union(Rows::of(axis)), &from.shape, &self.node(from.node).shape);
        let (first, second) = taylor(&mut b, from.node, v, &[to.node])?.swap_remove(0);
        let derived = or_zero(&mut b, &[to.node, to.node], &[first, second], axis);
        Ok(b.finish(vec![to.clone(), derived_port(to, "jvp", derived[0]), derived_port(to, "second", derived[1])]))
    }

    /// An output f, its Jacobian, and its second derivative along one direction v a sample of a further input `direction`:
    /// ports `NAME`, `NAME.jacobian` with rows {sample, tangent} as in [`Graph::jacobian`], and `NAME.second` with rows
    /// {sample}. What the equation of a geodesic needs, with one primal pass.
    ///
    /// # Errors
    /// Those of [`jvp`]; the number of row axes is limited.
    pub fn motion_graph(&self, input: usize, output: usize) -> Result<Self> {
        let mut b = Builder::from_graph(self.jacobian(input, &[output])?);
        let (from, to, columns) = (b.graph().inputs[input].clone(), b.graph().outputs[0].clone(), b.graph().outputs[1].clone());
        let item = b.shape(from.node).to_vec();
        let v = b.input("direction", Rows::SAMPLE, &from.shape, &item);
        let second = taylor(&mut b, from.node, v, &[to.node])?.swap_remove(0).1;
        let node = second.unwrap_or_else(|| b.filled_like(to.node, 0.0));
        let second = derived_port(&to, "second", node);
        Ok(b.finish(vec![to, columns, second]))
    }

    /// The Hessian of ⟨w, f⟩ for an output f and the weights w of a further input `weights`, one set a sample: port
    /// `INPUT.hessian`, rows {sample, tangent}, items those of the input. Forward over reverse mode.
    ///
    /// # Errors
    /// Those of [`vjp`] and [`jvp`]; the number of row axes is limited.
    pub fn hessian_graph(&self, input: usize, output: usize) -> Result<Self> {
        let mut b = Builder::from_graph(self.clone());
        let (from, to) = (&self.inputs[input], &self.outputs[output]);
        let weights = b.input("weights", Rows::SAMPLE, &to.shape, &self.node(to.node).shape);
        let gradient = vjp(&mut b, &[(to.node, weights)], &[from.node])?.swap_remove(0);
        let item = self.node(from.node).shape.clone();
        let axis = b.axis(TANGENT, item.iter().product())?;
        let seeds = b.unit_seeds(axis, &item);
        let pushed = gradient.map(|g| jvp(&mut b, &[(from.node, seeds)], &[g])).transpose()?.and_then(|mut p| p.swap_remove(0));
        let node = pushed.unwrap_or_else(|| {
            let dims: Vec<usize> = std::iter::once(b.graph().axis_size(axis, 1)).chain(item.iter().copied()).collect();
            b.constant_rows(Tensor::filled(&dims, 0.0), Rows::of(axis))
        });
        let name = format!("{}.hessian", from.name);
        Ok(b.finish(vec![Port { name, node, shape: from.shape.clone(), default: None }]))
    }

    /// Whether the second derivatives of an output vanish wherever they exist: it is linear, or made of linear pieces.
    ///
    /// # Errors
    /// Those of [`jvp`].
    pub fn is_piecewise_linear(&self, input: usize, output: usize) -> Result<bool> {
        let graph = self.motion_graph(input, output)?;
        let second = graph.outputs[2].node;
        Ok(Builder::from_graph(graph).uniform(second) == Some(0.0))
    }
}

fn derived_port(port: &Port, suffix: &str, node: NodeId) -> Port {
    Port { name: format!("{}.{suffix}", port.name), node, shape: port.shape.clone(), default: None }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::evaluate::evaluate;
    use crate::lower;
    use crate::ops::{Binary, Unary};

    fn port(name: &str, node: NodeId, shape: &[usize]) -> Port {
        Port { name: name.into(), node, shape: shape.into(), default: None }
    }

    /// (u, v) ↦ (u³, eᵛ) ∘ rotation-free: second derivatives 6u du², eᵛ dv²; a Hessian that is diagonal.
    fn smooth() -> Graph {
        let mut b = Builder::new();
        let z = b.input("z", Rows::SAMPLE, &[2], &[2]);
        let cube = lower::power(&mut b, z, 3.0);
        let exp = b.unary(Unary::Exp, z);
        let mask = b.constant(Tensor::new([2], [1.0, 0.0]));
        let y = b.select(mask, cube, exp);
        let twisted = b.binary(Binary::Mul, y, y);
        b.finish(vec![port("y", y, &[2]), port("square", twisted, &[2])])
    }

    #[test]
    fn second_derivatives_are_exact() {
        let (u, v) = (0.5_f64, 0.3_f64);
        let z = vec![u, v];
        let out = evaluate(&smooth().second_graph(0, 0, 2).unwrap(), 1, &[z.clone(), vec![1.0, 0.0, 2.0, -1.0]]).unwrap();
        let expected = [6.0 * u, 0.0, 24.0 * u, v.exp()];
        assert!(out[2].iter().zip(expected).all(|(got, expected)| (got - expected).abs() < 1e-14), "{out:?}");
        let motion = evaluate(&smooth().motion_graph(0, 0).unwrap(), 1, &[z.clone(), vec![2.0, -1.0]]).unwrap();
        assert_eq!((&motion[0], motion[2].as_slice()), (&out[0], &out[2][2..]));
        assert!((motion[1][0] - 3.0 * u * u).abs() < 1e-15 && motion[1][1] == 0.0);
        let hessian = evaluate(&smooth().hessian_graph(0, 1).unwrap(), 1, &[z, vec![0.5, 3.0]]).unwrap();
        let expected = [0.5 * 30.0 * u.powi(4), 0.0, 0.0, 3.0 * 4.0 * (2.0 * v).exp()];
        assert!(hessian[0].iter().zip(expected).all(|(got, expected)| (got - expected).abs() < 1e-13), "{hessian:?}");
    }

    #[test]
    fn linear_pieces_are_found() {
        let mut b = Builder::new();
        let z = b.input("z", Rows::SAMPLE, &[2], &[2]);
        let relu = lower::relu(&mut b, z);
        let twice = lower::times(&mut b, relu, 2.0);
        let square = b.binary(Binary::Mul, relu, relu);
        let graph = b.finish(vec![port("linear", twice, &[2]), port("square", square, &[2])]);
        assert!(graph.is_piecewise_linear(0, 0).unwrap());
        assert!(!graph.is_piecewise_linear(0, 1).unwrap());
        let zero = evaluate(&graph.hessian_graph(0, 0).unwrap(), 1, &[vec![1.0, 1.0], vec![1.0, 1.0]]).unwrap();
        assert_eq!(zero[0], [0.0; 4]);
    }
}
