//! Another unit of the data: x ← s·x, one factor for each value, as a change of the graph, so that every derivative,
//! spread and log-determinant follows by itself.

use std::sync::Arc;

use latlas_graph::ops::Binary;
use latlas_graph::{Builder, NodeId, Port, Rows, Tensor};

use super::{OnnxDecoder, OnnxEncoder};
use crate::error::{Error, Result};
use crate::models::arrays::factors;
use crate::models::{Decoder, Encoder};

impl OnnxDecoder {
    /// The decoder followed by x ↦ s·x: its mean, spread and log-determinant in the new unit. One factor stands for all values.
    ///
    /// # Errors
    /// Factors that are zero, not finite or of another number; logits, which have no unit.
    pub fn with_data_scale(&self, scale: &[f64]) -> Result<Self> {
        let (graph, heads) = (self.graph(), self.heads());
        if heads.logits.is_some() {
            return Err(Error::Input {
                what: "a data scale was given, but the decoder gives logits, which have no unit".into(),
                hint: Some("leave --data-scale out".into()),
            });
        }
        let scale = factors(scale, self.ambient_dim())?;
        let output = self.output;
        let mut b = Builder::from_graph(graph.clone());
        let mut outputs = graph.outputs.clone();
        let logarithms: Vec<f64> = scale.iter().map(|s| s.abs().ln()).collect();
        let total = logarithms.iter().sum::<f64>();
        let spread: Vec<f64> = scale.iter().map(|s| s.abs()).collect();
        let doubled: Vec<f64> = logarithms.iter().map(|l| 2.0 * l).collect();
        let changes = [
            (Some(output), Binary::Mul, scale.to_vec()),
            (heads.std, Binary::Mul, spread),
            (heads.logvar, Binary::Add, doubled),
            (heads.log_det, Binary::Add, vec![total]),
        ];
        for (head, f, values) in changes.into_iter().filter_map(|(head, f, values)| Some((head?, f, values))) {
            let node = with(&mut b, outputs[head].node, f, values);
            let (was, is) = (outputs[head].shape.iter().product::<usize>(), b.shape(node).iter().product::<usize>());
            let shape = if was == is { outputs[head].shape.clone() } else { vec![is] };
            outputs[head] = Port { node, shape, ..outputs[head].clone() };
        }
        let mut scaled = b.finish(outputs);
        scaled.operators.clone_from(&graph.operators);
        self.with_graph(Arc::new(scaled), output)
    }
}

impl OnnxEncoder {
    /// The encoder after x ↦ x/s: it takes data in the unit of a decoder [`OnnxDecoder::with_data_scale`].
    ///
    /// # Errors
    /// Those of the decoder.
    pub fn with_data_scale(&self, scale: &[f64]) -> Result<Self> {
        let inverse = factors(scale, self.data_dim())?.iter().map(|s| s.recip()).collect();
        let (graph, data) = (self.graph(), self.heads().latent);
        let mut b = Builder::new();
        let enter = |port: &Port| b.input(&port.name, Rows::SAMPLE, &port.shape, &graph.node(port.node).shape);
        let mut given: Vec<(usize, NodeId)> = graph.inputs.iter().map(enter).enumerate().collect();
        given[data].1 = with(&mut b, given[data].1, Binary::Mul, inverse);
        let written = b.graft(graph, &given)?;
        let outputs = graph.outputs.iter().zip(written).map(|(port, node)| Port { node, ..port.clone() }).collect();
        let mut scaled = b.finish(outputs);
        scaled.operators.clone_from(&graph.operators);
        Ok(self.with_graph(Arc::new(scaled)))
    }
}

/// f of each value and a number of its own; a lone value meets all of them.
fn with(b: &mut Builder, x: NodeId, f: Binary, numbers: Vec<f64>) -> NodeId {
    let is_lone = b.shape(x).iter().product::<usize>() == 1;
    let shape = if is_lone { vec![numbers.len()] } else { b.shape(x).to_vec() };
    let lone = b.reshape(x, &if is_lone { vec![1] } else { shape.clone() });
    let x = b.expand(lone, &shape);
    let numbers = b.constant(Tensor::new(shape, numbers));
    b.binary(f, x, numbers)
}
