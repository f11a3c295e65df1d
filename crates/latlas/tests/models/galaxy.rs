//! The spline flow of the galaxies: stiff, with its own log-determinants.

use std::sync::Arc;

use crate::fixture::{error, matrix, options, path, vector};
use latlas::linalg::{log_volume, r_factor};
use latlas::models::{Decoder, Linearization, OnnxDecoder, OnnxEncoder};
use latlas::run::{Inputs, Settings, run};
use latlas::samples::Prior;
use latlas::settings::Dtype;
use ndarray::Axis;

const CHECK: &str = "galaxy_flow.check.npz";

fn flow(file: &str, dtype: Dtype) -> OnnxDecoder {
    OnnxDecoder::load(&path(file), &options(dtype)).unwrap()
}

#[test]
fn both_directions_agree() {
    for (file, input, output, log_det) in
        [("galaxy_flow_inverse.onnx", "x", "z", "log_det"), ("galaxy_flow.onnx", "sample_z", "sample_x", "sample_log_det")]
    {
        let (input, expected, log_det) = (matrix(CHECK, input), matrix(CHECK, output), vector(CHECK, log_det));
        for (dtype, value, logarithm) in [(Dtype::F64, 1e-9, 1e-9), (Dtype::F32, 1e-3, 5e-3)] {
            let flow = flow(file, dtype);
            let got = flow.decode(input.view(), None).unwrap();
            assert!(error(&got, &expected) < value, "{file} {dtype:?} {}", error(&got, &expected));
            let heads = flow.log_det(input.view(), None).unwrap().unwrap();
            let gap = heads.iter().zip(&log_det).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(gap < logarithm, "{file} {dtype:?} log_det {gap}");
        }
        // The head is the log-volume of the Jacobian, but for a constant: the file holds Σ log scale in single precision.
        let mut offsets = Vec::new();
        let columns = flow(file, Dtype::F64).linearize(input.view(), None).unwrap().columns().unwrap();
        for (s, expected) in log_det.iter().enumerate() {
            let got = log_volume(r_factor(columns.index_axis(Axis(0), s)).view());
            offsets.push(got - expected);
        }
        assert!(offsets.iter().all(|o| o.abs() < 2e-7 && (o - offsets[0]).abs() < 1e-10), "{file}: {offsets:?}");
    }
}

#[test]
fn mean_log_likelihood_of_all_galaxies() {
    let galaxies = latlas::data::read(&path("galaxies.npy").display().to_string()).unwrap();
    let galaxies = latlas::data::rows(&galaxies, "galaxies", Some(7)).unwrap();
    assert_eq!(galaxies.nrows(), 100_000);
    for (dtype, tolerance) in [(Dtype::F32, 5e-4), (Dtype::F64, 1e-5)] {
        let flow = flow("galaxy_flow_inverse.onnx", dtype);
        let log_det = flow.log_det(galaxies.view(), None).unwrap().unwrap();
        // The base density is uniform on [−5, 5]⁷.
        let log_p = log_det.iter().sum::<f64>() / 1e5 - 7.0 * 10.0_f64.ln();
        assert!((log_p - 5.715_762).abs() < tolerance, "{dtype:?}: {log_p}");
        assert!((log_p - 5.7157).abs() < 5e-4, "{dtype:?}: {log_p}");
    }
}

#[test]
fn a_run_knows_the_flow_and_its_inverse() {
    let inputs = Inputs {
        decoder: Some(Arc::new(flow("galaxy_flow.onnx", Dtype::F64))),
        encoder: Some(Arc::new(OnnxEncoder::load(&path("galaxy_flow_inverse.onnx"), &options(Dtype::F64)).unwrap())),
        prior: Prior::Uniform { low: -5.0, high: 5.0 },
        ..Inputs::default()
    };
    let settings = Settings { dtype: Dtype::F64, samples: 2000, ..Settings::default() };
    let report = run(&["entropy".into()], &inputs, &settings, &|_, _| {}).unwrap();
    let total = report.estimate("total-entropy").unwrap();
    // −6.231 ± 0.008 from 100,000 samples.
    let latlas::estimate::Value::Scalar(entropy) = total.value else { panic!("not a scalar") };
    let Some(latlas::estimate::Value::Scalar(error)) = total.standard_error else { panic!("no standard error") };
    assert!((entropy + 6.231).abs() < 4.0 * error.hypot(0.008), "{entropy} ± {error}");
    for id in ["flow-log-det", "round-trip", "finite-differences", "adjoint", "hadamard"] {
        let law = report.invariants.iter().find(|law| law.id == id).unwrap();
        assert!(law.holds, "{law:?}");
    }
}

#[test]
fn the_head_of_the_other_direction_is_found_out() {
    // The inverse's log-determinant has the other sign at the same point.
    struct Reversed(OnnxDecoder);
    struct ReversedAt<'a>(Box<dyn Linearization + 'a>, Vec<f64>);
    impl Linearization for ReversedAt<'_> {
        fn decoded(&self) -> latlas::Result<&ndarray::Array2<f64>> {
            self.0.decoded()
        }
        fn log_det(&self) -> latlas::Result<Option<&[f64]>> {
            Ok(Some(&self.1))
        }
        fn jvp(&self, tangents: ndarray::ArrayView3<'_, f64>) -> latlas::Result<ndarray::Array3<f64>> {
            self.0.jvp(tangents)
        }
        fn vjp(&self, cotangents: ndarray::ArrayView3<'_, f64>) -> latlas::Result<ndarray::Array3<f64>> {
            self.0.vjp(cotangents)
        }
        fn columns(&self) -> latlas::Result<ndarray::Array3<f64>> {
            self.0.columns()
        }
    }
    impl Decoder for Reversed {
        fn latent_dim(&self) -> usize {
            7
        }
        fn ambient_shape(&self) -> &[usize] {
            &[7]
        }
        fn linearize<'a>(
            &'a self,
            latents: ndarray::ArrayView2<'_, f64>,
            condition: Option<ndarray::ArrayView2<'_, f64>>,
        ) -> latlas::Result<Box<dyn Linearization + 'a>> {
            let at = self.0.linearize(latents, condition)?;
            let log_det = at.log_det()?.unwrap().iter().map(|x| -x).collect();
            Ok(Box::new(ReversedAt(at, log_det)))
        }
        fn cost(&self) -> latlas::models::Cost {
            self.0.cost()
        }
    }
    let inputs = Inputs {
        decoder: Some(Arc::new(Reversed(flow("galaxy_flow.onnx", Dtype::F64)))),
        prior: Prior::Uniform { low: -5.0, high: 5.0 },
        ..Inputs::default()
    };
    let settings = Settings { dtype: Dtype::F64, samples: 50, ..Settings::default() };
    let report = run(&["total-entropy".into()], &inputs, &settings, &|_, _| {}).unwrap();
    assert!(report.invariants.iter().any(|law| law.id == "flow-log-det" && !law.holds));
}
