//! What imported graphs compute, against values written out by hand.

use super::{Model, int, list, node};
use crate::evaluate::evaluate;
use crate::onnx::LoadOptions;
use crate::onnx::proto::{AttributeProto, FunctionProto, GraphProto, NodeProto, OperatorSetIdProto, TensorProto};
use crate::{Error, Tensor};

/// The first output of a model with one input, on `n` samples.
fn run(model: &Model, n: usize, z: &[f64]) -> Vec<f64> {
    evaluate(&model.load().unwrap(), n, &[z.to_vec()]).unwrap().remove(0)
}

fn counting(n: usize) -> Vec<f64> {
    (1..=n).map(|i| i as f64).collect()
}

fn graph_attribute(name: &str, nodes: Vec<NodeProto>, output: &str) -> AttributeProto {
    let output = vec![super::info(output, &[])];
    let graph = GraphProto { node: nodes, output, ..Default::default() };
    AttributeProto { name: name.into(), g: Some(Box::new(graph)), kind: 5, ..Default::default() }
}

#[test]
fn shape_arithmetic_of_view_and_chunk_folds() {
    // z.view(z.shape[0], z.shape[1] // 2, 2).chunk(2, 1)[1], as the older exporter writes it.
    let model = Model::new(17)
        .input("z", &[-1, 8])
        .ints("zero", &[], &[0])
        .ints("one", &[], &[1])
        .ints("two", &[], &[2])
        .ints("axis", &[1], &[0])
        .ints("half", &[1], &[2])
        .ints("four", &[1], &[4])
        .ints("ax1", &[1], &[1])
        .node("Shape", &["z"], &["s"], &[])
        .node("Gather", &["s", "zero"], &["n"], &[])
        .node("Gather", &["s", "one"], &["d"], &[])
        .node("Div", &["d", "two"], &["h"], &[])
        .node("Unsqueeze", &["n", "axis"], &["n1"], &[])
        .node("Unsqueeze", &["h", "axis"], &["h1"], &[])
        .node("Concat", &["n1", "h1", "half"], &["shape"], &[int("axis", 0)])
        .node("Reshape", &["z", "shape"], &["v"], &[])
        .node("Slice", &["v", "half", "four", "ax1"], &["x"], &[])
        .output("x");
    let graph = model.load().unwrap();
    assert_eq!(graph.outputs[0].shape, [2, 2]);
    assert_eq!(run(&model, 2, &counting(16)), [5.0, 6.0, 7.0, 8.0, 13.0, 14.0, 15.0, 16.0]);
    // Nothing of the arithmetic is left.
    assert_eq!(graph.live().iter().filter(|&&l| l).count(), 2);
}

#[test]
fn whole_batches_may_be_joined_and_taken_apart() {
    // Two batches behind each other ([2N, 3]), each half scaled on its own, and added.
    let both = Model::new(17)
        .input("z", &[-1, 3])
        .floats("k", &[1], &[10.0])
        .node("Mul", &["z", "k"], &["y"], &[])
        .node("Concat", &["z", "y"], &["both"], &[int("axis", 0)])
        .node("Split", &["both"], &["a", "b"], &[int("axis", 0)])
        .node("Sub", &["b", "a"], &["x"], &[])
        .output("x");
    assert_eq!(run(&both, 2, &counting(6)), [9.0, 18.0, 27.0, 36.0, 45.0, 54.0]);
    // Half of each batch is another matter.
    let halves = Model::new(17)
        .input("z", &[-1, 3])
        .node("Concat", &["z", "z"], &["both"], &[int("axis", 0)])
        .node("Split", &["both"], &["a", "b", "c"], &[int("axis", 0)])
        .output("a");
    assert!(halves.load().is_err());
}

#[test]
fn the_shape_of_mixed_samples_may_be_asked_for() {
    let model = Model::new(17)
        .input("z", &[-1, 3])
        .ints("first", &[], &[0])
        .node("Gather", &["z", "first"], &["row"], &[])
        .node("Size", &["row"], &["d"], &[])
        .node("Cast", &["d"], &["k"], &[int("to", 1)])
        .node("Mul", &["z", "k"], &["x"], &[])
        .output("x");
    assert_eq!(run(&model, 1, &[1.0, 2.0, 4.0]), [3.0, 6.0, 12.0]);
    let used = model.node("Add", &["x", "row"], &["y"], &[]).output("y");
    let Error::MixesSamples { op, .. } = used.load().unwrap_err() else { panic!() };
    assert_eq!(op, "Gather");
}

#[test]
fn what_depends_on_the_number_of_samples_is_refused_as_data() {
    let model = Model::new(17)
        .input("z", &[-1, 3])
        .ints("first", &[], &[0])
        .node("Shape", &["z"], &["s"], &[])
        .node("Gather", &["s", "first"], &["n"], &[])
        .node("Cast", &["n"], &["k"], &[int("to", 1)])
        .node("Div", &["z", "k"], &["x"], &[])
        .output("x");
    assert!(matches!(model.load().unwrap_err(), Error::MixesSamples { .. }));
}

#[test]
fn a_constant_repeated_for_every_sample_is_no_mixing() {
    let model = Model::new(17)
        .input("z", &[-1, 2])
        .floats("token", &[1, 2], &[7.0, 8.0])
        .ints("minus", &[2], &[-1, -1])
        .node("Shape", &["z"], &["s"], &[])
        .node("Expand", &["token", "s"], &["tokens"], &[])
        .node("Concat", &["tokens", "z"], &["x"], &[int("axis", 1)])
        .output("x");
    assert_eq!(run(&model, 2, &[1.0, 2.0, 3.0, 4.0]), [7.0, 8.0, 1.0, 2.0, 7.0, 8.0, 3.0, 4.0]);
}

#[test]
fn a_fixed_batch_and_none_at_all_need_no_tracking() {
    for shape in [vec![1, 4], vec![4], vec![4, 1]] {
        let model = Model::new(17)
            .input("z", &shape)
            .ints("s", &[2], &[2, 2])
            .node("Reshape", &["z", "s"], &["m"], &[])
            .node("Transpose", &["m"], &["x"], &[])
            .output("x");
        assert_eq!(run(&model, 2, &counting(8)), [1.0, 3.0, 2.0, 4.0, 5.0, 7.0, 6.0, 8.0], "{shape:?}");
    }
}

#[test]
fn computed_indices_pick_and_write() {
    // The index is −1, 0 or 1 by the sign of the last column; −1 is the last element.
    let model = Model::new(17)
        .input("z", &[-1, 3])
        .ints("last", &[1], &[2])
        .node("Gather", &["z", "last"], &["c"], &[int("axis", 1)])
        .node("Sign", &["c"], &["sign"], &[])
        .node("Cast", &["sign"], &["i"], &[int("to", 7)])
        .node("GatherElements", &["z", "i"], &["picked"], &[int("axis", 1)])
        .node("ScatterElements", &["z", "i", "picked"], &["written"], &[int("axis", 1)])
        .floats("k", &[1], &[100.0])
        .node("Mul", &["picked", "k"], &["more"], &[])
        .node("ScatterElements", &["written", "i", "more"], &["x"], &[int("axis", 1)])
        .output("x");
    let got = run(&model, 3, &[1.0, 2.0, 3.0, 4.0, 5.0, -6.0, 7.0, 8.0, 0.0]);
    assert_eq!(got, [1.0, 200.0, 3.0, 4.0, 5.0, -600.0, 700.0, 8.0, 0.0]);
}

#[test]
fn labels_look_up_rows_of_a_table() {
    let mut model = Model::new(17)
        .input("y", &[-1])
        .floats("table", &[3, 2], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
        .node("Gather", &["table", "y"], &["x"], &[])
        .output("x");
    model.graph().input[0].r#type.as_mut().unwrap().tensor_type.as_mut().unwrap().elem_type = 7;
    assert_eq!(run(&model, 4, &[2.0, 0.0, 1.0, -1.0]), [5.0, 6.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
}

#[test]
fn elements_chosen_by_a_condition_stay_finite_where_it_does_not_hold() {
    // y = 0; y[z > 0] = log(z[z > 0])
    let model = Model::new(17)
        .input("z", &[-1, 2])
        .floats("zero", &[], &[0.0])
        .node("Greater", &["z", "zero"], &["mask"], &[])
        .node("NonZero", &["mask"], &["nz"], &[])
        .node("Transpose", &["nz"], &["i"], &[list("perm", &[1, 0])])
        .node("GatherND", &["z", "i"], &["chosen"], &[])
        .node("Log", &["chosen"], &["log"], &[])
        .node("Mul", &["z", "zero"], &["base"], &[])
        .node("ScatterND", &["base", "i", "log"], &["x"], &[])
        .output("x");
    assert_eq!(run(&model, 2, &[1.0, -1.0, 0.0, 1.0_f64.exp()]), [0.0, -0.0, 0.0, 1.0]);
    let slope = model.load().unwrap().jacobian(0, &[0]).unwrap();
    let jacobian = evaluate(&slope, 1, &[vec![-3.0, 4.0]]).unwrap().remove(1);
    assert_eq!(jacobian, [0.0, 0.0, 0.0, 0.25]);
    // The list of chosen elements itself has no fixed size, nor has its mean a meaning for one sample.
    let listed = LoadOptions { to_tensors: vec!["log".into()], ..Default::default() };
    assert!(matches!(model.load_with(&listed).unwrap_err(), Error::Node { .. }));
    let mean = model.node("ReduceMean", &["log"], &["m"], &[]).node("Add", &["x", "m"], &["y"], &[]).output("y");
    assert!(matches!(mean.load().unwrap_err(), Error::MixesSamples { .. }));
}

#[test]
fn branches_with_a_known_condition_are_inlined() {
    // squeeze: `if shape[1] == 1 { squeeze } else { identity }`, reading the outer tensor.
    let build = |width: i64| {
        let then = vec![node("Neg", &["z"], &["t"], &[])];
        let otherwise = vec![node("Frobnicate", &["z"], &["e"], &[])];
        Model::new(17)
            .input("z", &[-1, width])
            .ints("one", &[], &[1])
            .node("Shape", &["z"], &["s"], &[])
            .node("Gather", &["s", "one"], &["d"], &[])
            .node("Equal", &["d", "one"], &["c"], &[])
            .node("If", &["c"], &["x"], &[graph_attribute("then_branch", then, "t"), graph_attribute("else_branch", otherwise, "e")])
            .output("x")
    };
    assert_eq!(run(&build(1), 1, &[2.0]), [-2.0]);
    assert!(matches!(build(2).load().unwrap_err(), Error::Unsupported { .. }));
}

/// f(x) = x · alpha + x, an operator of a domain of its own, with an attribute that the call may set.
fn with_function(depth_of_itself: bool) -> Model {
    let alpha = AttributeProto { name: "value_float".into(), ref_attr_name: "alpha".into(), kind: 1, ..Default::default() };
    let mut body =
        vec![node("Constant", &[], &["a"], &[alpha]), node("Mul", &["x", "a"], &["ax"], &[]), node("Add", &["ax", "x"], &["y"], &[])];
    if depth_of_itself {
        body.push(NodeProto { domain: "own".into(), ..node("F", &["y"], &["w"], &[]) });
    }
    let default = AttributeProto { name: "alpha".into(), f: Some(2.0), kind: 1, ..Default::default() };
    let mut model = Model::new(17).input("z", &[-1, 2]).output("x");
    model.proto.functions.push(FunctionProto {
        name: "F".into(),
        domain: "own".into(),
        input: vec!["x".into()],
        output: vec![if depth_of_itself { "w".into() } else { "y".into() }],
        node: body,
        opset_import: vec![OperatorSetIdProto { domain: String::new(), version: 17 }],
        attribute_proto: vec![default],
        ..Default::default()
    });
    let ten = AttributeProto { name: "alpha".into(), f: Some(10.0), kind: 1, ..Default::default() };
    model.graph().node.push(NodeProto { domain: "own".into(), ..node("F", &["z"], &["h"], &[]) });
    model.graph().node.push(NodeProto { domain: "own".into(), ..node("F", &["h"], &["x"], &[ten]) });
    model
}

#[test]
fn functions_of_the_file_are_inlined() {
    assert_eq!(run(&with_function(false), 1, &[1.0, 2.0]), [33.0, 66.0]);
    assert!(matches!(with_function(true).load().unwrap_err(), Error::Limit { .. }));
}

#[test]
fn an_input_may_be_given_a_value() {
    let model = Model::new(17).input("z", &[-1, 2]).input("t", &[1]).node("Mul", &["z", "t"], &["x"], &[]).output("x");
    assert_eq!(model.load().unwrap().inputs.len(), 2);
    let bound = LoadOptions { constants: vec![("t".into(), Tensor::new([1], [3.0]))], ..Default::default() };
    let graph = model.load_with(&bound).unwrap();
    assert_eq!(evaluate(&graph, 1, &[vec![1.0, 2.0]]).unwrap()[0], [3.0, 6.0]);
}

#[test]
fn half_precision_weights_are_widened() {
    let bits = |x: f32| i32::from(half::f16::from_f32(x).to_bits());
    let brain = |x: f32| half::bf16::from_f32(x).to_bits().to_le_bytes();
    let mut model = Model::new(17).input("z", &[-1, 2]).node("Add", &["z", "w"], &["y"], &[]).node("Add", &["y", "v"], &["x"], &[]);
    let half =
        TensorProto { name: "w".into(), dims: vec![2], data_type: 10, int32_data: vec![bits(0.5), bits(-2.0)], ..Default::default() };
    let raw = [brain(1.0), brain(3.0)].concat();
    let brain = TensorProto { name: "v".into(), dims: vec![2], data_type: 16, raw_data: Some(raw.into()), ..Default::default() };
    model.graph().initializer.extend([half, brain]);
    assert_eq!(run(&model.output("x"), 1, &[0.0, 0.0]), [1.5, 1.0]);
}
