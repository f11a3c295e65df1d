//! The closed forms as ONNX files, so that importer, transformations and geometry are tested together, in both precisions.

use latlas::geometry::Embedding;
use latlas::models::closed_form::ClosedForm;
use latlas::models::{OnnxDecoder, onnx::Options};
use latlas::settings::Dtype;
use latlas_graph::onnx::{save, save_double};

use crate::spaces::{points, surface};

const SURFACES: [&str; 7] =
    ["linear:a=2,0/1,1/0,3", "complex-exponential", "cylinder", "sphere", "stereographic", "paraboloid", "two-bumps"];

#[test]
fn a_file_has_the_geometry_of_its_formula() {
    let (z, v) = (points(6, [-0.9, -0.9], [0.9, 0.9]), points(6, [-1.0, -1.0], [1.0, 1.0]));
    for name in SURFACES {
        let written = ClosedForm::named(name).unwrap().into_written().unwrap();
        let exact = surface(name);
        let graph = written.graph();
        for (bytes, dtype, tolerance) in
            [(save_double(graph), Dtype::F64, 1e-14), (save(graph), Dtype::F64, 1e-6), (save(graph), Dtype::F32, 1e-5)]
        {
            let decoder = OnnxDecoder::from_bytes("surface.onnx", &bytes.unwrap(), &Options::with_dtype(dtype)).unwrap();
            let file = Embedding::Auto.manifold(&decoder).unwrap();
            let (got, expected) = (file.metric_at(z.view()).unwrap(), latlas::geometry::Manifold::metric_at(&exact, z.view()).unwrap());
            let scale = expected.fold(1.0, |m: f64, x| m.max(x.abs()));
            let worst = (&got - &expected).fold(0.0, |m: f64, x| m.max(x.abs()));
            assert!(worst <= tolerance * scale, "{name} {dtype:?}: {worst} of {scale}");
            let got = file.acceleration(z.view(), v.view()).unwrap().values;
            let expected = latlas::geometry::Manifold::acceleration(&exact, z.view(), v.view()).unwrap().values;
            let scale = expected.fold(1.0, |m: f64, x| m.max(x.abs()));
            let worst = (&got - &expected).fold(0.0, |m: f64, x| m.max(x.abs()));
            assert!(worst <= 100.0 * tolerance * scale, "{name} {dtype:?}: {worst} of {scale}");
        }
    }
}

/// A net of linear pieces: the equation of geodesics would answer with a straight line, so it is refused.
#[test]
fn linear_pieces_are_refused_by_name() {
    use latlas_graph::ops::Contraction;
    use latlas_graph::{Builder, Port, Rows, Tensor, lower};
    let mut b = Builder::new();
    let z = b.input("z", Rows::SAMPLE, &[2], &[2]);
    let w = b.constant(Tensor::new([5, 2], (0..10).map(|i| f64::from(i).sin()).collect::<Vec<_>>()));
    let y = b.contract(w, z, Contraction { a: vec![0, 1], b: vec![1], out: vec![0], sum_rows: Rows::NONE });
    let relu = lower::relu(&mut b, y);
    let bytes = save(&b.finish(vec![Port { name: "x".into(), node: relu, shape: vec![5], default: None }])).unwrap();
    let decoder = OnnxDecoder::from_bytes("relu.onnx", &bytes, &Options::with_dtype(Dtype::F64)).unwrap();
    let manifold = Embedding::Auto.manifold(&decoder).unwrap();
    assert_eq!(manifold.smoothness(), latlas::models::Smoothness::PiecewiseLinear);
    let z = points(3, [-1.0, -1.0], [1.0, 1.0]);
    let shots = latlas::geometry::exp(&*manifold, z.view(), z.view(), &latlas::geometry::ExpOptions::default()).unwrap();
    let refused = latlas::geometry::Status::Failed(latlas::geometry::Reason::NonSmooth);
    assert!(shots.iter().all(|shot| shot.status == refused), "{shots:?}");
    assert!(manifold.metric_at(z.view()).unwrap().iter().all(|x| x.is_finite()), "the metric itself exists");
}
