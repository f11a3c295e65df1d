//! The batch axis through numeric operators: a tracked batch must give what a fixed one does, or be refused.

#![allow(clippy::unwrap_used)]

use crate::Error;
use crate::evaluate::evaluate;
use crate::onnx::proto::AttributeProto;
use crate::onnx::tests::{Model, int, list};

fn numbers(n: usize) -> Vec<f64> {
    (0..n).map(|i| (i as f64 * 0.7 + 0.3).sin() * 2.0).collect()
}

fn weights(shape: &[i64]) -> Vec<f32> {
    (0..shape.iter().product::<i64>()).map(|i| (i as f32 * 1.3).cos() + 1.5).collect()
}

fn text(name: &str, s: &str) -> AttributeProto {
    AttributeProto { name: name.into(), s: Some(s.to_owned().into()), kind: 3, ..Default::default() }
}

/// One operator on `z` of shape `[N, item..]` and weights; `N` is −1 for a tracked batch.
struct Trial<'a> {
    op: &'a str,
    item: &'a [i64],
    weights: &'a [&'a [i64]],
    attributes: &'a [AttributeProto],
    /// Whether z is transposed first, so that the batch is the last axis.
    last: bool,
}

impl Trial<'_> {
    fn model(&self, batch: i64, opset: i64) -> Model {
        let shape: Vec<i64> = [&[batch], self.item].concat();
        let mut model = Model::new(opset).input("z", &shape);
        let mut inputs = vec!["z".to_owned()];
        if self.last {
            let order: Vec<i64> = (1..shape.len() as i64).chain([0]).collect();
            model = model.node("Transpose", &["z"], &["t"], &[list("perm", &order)]);
            inputs = vec!["t".to_owned()];
        }
        for (i, shape) in self.weights.iter().enumerate() {
            // An empty shape stands for z itself.
            if shape.is_empty() {
                inputs.push("z".into());
            } else {
                inputs.push(format!("w{i}"));
                model = model.floats(&format!("w{i}"), shape, &weights(shape));
            }
        }
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        model.node(self.op, &inputs, &["y"], self.attributes).output("y")
    }

    /// The value for three samples, tracked and fixed.
    fn agrees(&self, opset: i64) {
        let (tracked, fixed) = (self.model(-1, opset).load().unwrap(), self.model(3, opset).load().unwrap());
        let z = [numbers(3 * self.item.iter().product::<i64>() as usize)];
        let (got, expected) = (evaluate(&tracked, 3, &z).unwrap().remove(0), evaluate(&fixed, 1, &z).unwrap().remove(0));
        // The sample is outermost in memory, wherever the batch was.
        let shape = &fixed.node(fixed.outputs[0].node).shape;
        let item = &tracked.node(tracked.outputs[0].node).shape;
        let axis = (0..shape.len()).find(|&i| shape[i] != item[i]).unwrap();
        let (inner, outer) = (shape[axis + 1..].iter().product::<usize>(), shape[..axis].iter().product::<usize>());
        assert_eq!(got.len(), expected.len(), "{}", self.op);
        for (i, e) in expected.iter().enumerate() {
            let (before, sample, after) = (i / inner / 3, i / inner % 3, i % inner);
            let g = got[(sample * outer + before) * inner + after];
            assert!((g - e).abs() <= 1e-12 * e.abs().max(1.0), "{} at {i}: {g} and {e}", self.op);
        }
    }

    fn mixes(&self) {
        let error = self.model(-1, 17).load().unwrap_err();
        assert!(matches!(&error, Error::MixesSamples { op, .. } if op == self.op), "{}: {error}", self.op);
    }
}

const PLAIN: Trial<'_> = Trial { op: "", item: &[4], weights: &[], attributes: &[], last: false };

#[test]
fn operators_along_features_leave_the_batch_alone() {
    let image: &[i64] = &[4, 6];
    let five: &[&[i64]] = &[&[4], &[4], &[4], &[4]];
    for (op, item, weights, attributes) in [
        ("Relu", image, &[][..], vec![]),
        ("PRelu", image, &[&[4, 1][..]][..], vec![]),
        ("Mod", image, &[&[6]], vec![int("fmod", 1)]),
        ("Max", image, &[&[1, 6], &[]], vec![]),
        ("Softmax", image, &[], vec![int("axis", -1)]),
        ("LogSoftmax", image, &[], vec![int("axis", 1)]),
        ("ReduceMean", image, &[], vec![list("axes", &[1]), int("keepdims", 0)]),
        ("ReduceProd", image, &[], vec![list("axes", &[1, 2])]),
        ("ReduceMax", image, &[], vec![list("axes", &[2]), int("keepdims", 0)]),
        ("ReduceLogSumExp", image, &[], vec![list("axes", &[-1])]),
        ("ArgMax", image, &[], vec![int("axis", 2), int("keepdims", 0)]),
        ("Conv", image, &[&[2, 4, 3], &[2]], vec![list("pads", &[1, 1])]),
        ("Conv", image, &[&[4, 2, 3]], vec![int("group", 2), list("strides", &[2])]),
        ("ConvTranspose", image, &[&[4, 2, 3]], vec![list("strides", &[2]), list("output_padding", &[1])]),
        ("MaxPool", image, &[], vec![list("kernel_shape", &[2])]),
        ("AveragePool", image, &[], vec![list("kernel_shape", &[3]), list("pads", &[1, 1]), list("strides", &[2])]),
        ("GlobalAveragePool", image, &[], vec![]),
        ("BatchNormalization", image, five, vec![]),
        ("InstanceNormalization", image, &[&[4], &[4]], vec![]),
        ("LayerNormalization", image, &[&[6], &[6]], vec![]),
        ("LRN", image, &[], vec![int("size", 3)]),
        ("LpNormalization", image, &[], vec![]),
        ("MatMul", image, &[&[6, 3]], vec![]),
        ("MatMul", image, &[&[6]], vec![]),
        ("MatMul", image, &[&[5, 1, 6, 3]], vec![]),
        ("Gemm", &[4], &[&[4, 3], &[3]], vec![]),
        ("Einsum", image, &[&[6, 3]], vec![text("equation", "bij,jk->bki")]),
        ("Einsum", image, &[&[6, 3]], vec![text("equation", "bij,jk->kbi")]),
        ("Einsum", image, &[&[]], vec![text("equation", "bij,bkj->bik")]),
        ("Einsum", image, &[&[]], vec![text("equation", "...j,...j->...")]),
    ] {
        Trial { op, item, weights, attributes: &attributes, last: false }.agrees(17);
    }
    Trial { op: "GroupNormalization", item: &[4, 6], weights: &[&[4], &[4]], attributes: &[int("num_groups", 2)], last: false }.agrees(21);
    Trial { op: "RMSNormalization", item: &[4, 6], weights: &[&[6]], attributes: &[], last: false }.agrees(23);
    Trial { op: "Softmax", item: &[4, 6], weights: &[], attributes: &[int("axis", 1)], last: false }.agrees(11);
}

#[test]
fn the_batch_may_be_last() {
    for (op, weights, attributes) in [
        ("Tanh", &[][..], vec![]),
        ("Softmax", &[], vec![int("axis", 0)]),
        ("ReduceSumSquare", &[], vec![list("axes", &[0]), int("keepdims", 0)]),
        ("ReduceL2", &[], vec![list("axes", &[1]), int("keepdims", 1)]),
        ("Einsum", &[&[4, 3][..]], vec![text("equation", "ijb,ik->bkj")]),
    ] {
        Trial { op, item: &[4, 5], weights, attributes: &attributes, last: true }.agrees(17);
    }
    Trial { weights: &[&[4, 3]], attributes: &[int("transA", 1)], last: true, op: "Gemm", ..PLAIN }.agrees(17);
}

#[test]
fn operators_along_the_batch_are_refused() {
    for (op, weights, attributes) in [
        ("Softmax", &[][..], vec![int("axis", 0)]),
        ("ReduceMean", &[], vec![list("axes", &[0])]),
        ("ReduceMax", &[], vec![]),
        ("ArgMin", &[], vec![]),
        ("LayerNormalization", &[&[4][..]], vec![int("axis", 0)]),
        ("MeanVarianceNormalization", &[], vec![list("axes", &[0])]),
        ("Einsum", &[&[]], vec![text("equation", "bi,bj->ij")]),
        ("Einsum", &[&[]], vec![text("equation", "bi,ci->bc")]),
        ("Einsum", &[], vec![text("equation", "bi->i")]),
    ] {
        Trial { op, weights, attributes: &attributes, ..PLAIN }.mixes();
    }
    Trial { op: "MatMul", weights: &[&[]], last: true, ..PLAIN }.mixes();
    Trial { op: "BatchNormalization", weights: &[&[1], &[1], &[1], &[1]], last: true, ..PLAIN }.mixes();
    Trial { op: "Softmax", attributes: &[int("axis", 0)], ..PLAIN }.mixes();
}
