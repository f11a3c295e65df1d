//! Another unit of the data: x ← s·x.

use latlas::models::onnx::Options;
use latlas::models::{Decoder, Encoder, OnnxDecoder, OnnxEncoder};
use latlas::run::Dtype;
use ndarray::{Array1, Array2, Axis};

fn options() -> Options {
    Options::with_dtype(Dtype::F64)
}

#[test]
fn spread_density_and_jacobian_follow_the_unit() {
    let bytes = latlas::data::builtin_model("digits-vae").unwrap();
    let plain = OnnxDecoder::from_bytes("digits", bytes, &options()).unwrap();
    let scale: Vec<f64> = (0..64).map(|j| if j % 3 == 0 { -0.5 } else { 1.0 + f64::from(j) / 10.0 }).collect();
    let scaled = plain.with_data_scale(&scale).unwrap();
    let z = Array2::from_shape_fn((5, 2), |(s, i)| (s as f64 - 2.0) * 0.4 + i as f64 * 0.3);
    let s = Array1::from(scale.clone());
    let (at, was) = (scaled.linearize(z.view(), None).unwrap(), plain.linearize(z.view(), None).unwrap());
    assert!((at.decoded().unwrap() - &(was.decoded().unwrap() * &s)).iter().all(|gap| gap.abs() < 1e-12));
    let expected = was.jacobian().unwrap() * s.view().insert_axis(Axis(1));
    assert!((at.jacobian().unwrap() - expected).iter().all(|gap| gap.abs() < 1e-12));
    // p(s·x|z) = p(x|z) / Π |s|.
    let x = was.decoded().unwrap().mapv(|x| x + 0.1);
    let density = |decoder: &OnnxDecoder, x: &Array2<f64>| decoder.log_density(x.view(), z.view(), None).unwrap().unwrap();
    let volume: f64 = scale.iter().map(|s| s.abs().ln()).sum();
    for (new, old) in density(&scaled, &(&x * &s)).iter().zip(density(&plain, &x)) {
        assert!((new + volume - old).abs() < 1e-9, "{new} {old}");
    }
    for wrong in [vec![], vec![0.0], vec![f64::NAN], vec![1.0; 63]] {
        assert!(plain.with_data_scale(&wrong).is_err());
    }
}

#[test]
fn a_flow_and_its_inverse_stay_inverse() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let flow = OnnxDecoder::load(&folder.join("galaxy_flow.onnx"), &options()).unwrap();
    let inverse = OnnxEncoder::load(&folder.join("galaxy_flow_inverse.onnx"), &options()).unwrap();
    let scale: Vec<f64> = (1..=flow.ambient_dim()).map(|j| j as f64).collect();
    let z = Array2::from_shape_fn((4, flow.latent_dim()), |(s, i)| ((s * 5 + i) as f64).sin());
    let condition = flow.condition_dim().map(|c| Array2::zeros((4, c)));
    let condition = condition.as_ref().map(|c| c.view());
    let scaled = flow.with_data_scale(&scale).unwrap();
    let x = scaled.decode(z.view(), condition).unwrap();
    let back = inverse.with_data_scale(&scale).unwrap().encode(x.view(), condition).unwrap().mean;
    assert!((back - &z).iter().all(|gap| gap.abs() < 1e-5));
    let volume: f64 = scale.iter().map(|s| s.ln()).sum();
    let log_det = |flow: &OnnxDecoder| flow.log_det(z.view(), condition).unwrap().unwrap();
    assert!(log_det(&scaled).iter().zip(log_det(&flow)).all(|(new, old)| (new - volume - old).abs() < 1e-9));
}
