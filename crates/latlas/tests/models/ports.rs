//! What ports of a model file are taken for, and what is refused.

use crate::fixture::{options, path};
use latlas::Error;
use latlas::data::builtin_model;
use latlas::models::onnx::Options;
use latlas::models::{Decoder, OnnxDecoder, OnnxEncoder};
use latlas::settings::Dtype;

fn digits(options: &Options) -> latlas::Result<OnnxDecoder> {
    OnnxDecoder::from_bytes("digits-vae", builtin_model("digits-vae").unwrap(), options)
}

#[test]
fn guesses_are_told() {
    let decoder = digits(&Options::default()).unwrap();
    assert_eq!(decoder.notes(), ["latents: input \"z\" [2]", "x: output \"mean\" [64]", "log variance: output \"logvar\" [64]"]);
    assert_eq!(decoder.sha256().len(), 64);
    let flow = OnnxDecoder::load(&path("galaxy_flow.onnx"), &options(Dtype::F32)).unwrap();
    assert!(flow.notes().contains(&"log-determinant: output \"log_det\" []".to_string()), "{:?}", flow.notes());
    let encoder = OnnxEncoder::from_bytes("e", builtin_model("digits-encoder").unwrap(), &Options::default()).unwrap();
    assert_eq!(encoder.notes()[1..], ["x: output \"z_mean\" [2]", "log variance: output \"z_logvar\" [2]"]);
}

#[test]
fn names_win_over_guesses() {
    let named = Options { mean: Some("logvar".into()), ..Options::default() };
    assert_eq!(digits(&named).unwrap().output().name, "logvar");
    let missing = Options { logvar: Some("spread".into()), ..Options::default() };
    assert!(digits(&missing).is_err_and(|e| e.to_string().contains("no output named \"spread\"")));
}

#[test]
fn an_encoder_is_no_decoder() {
    let error = OnnxDecoder::from_bytes("e.onnx", builtin_model("digits-encoder").unwrap(), &Options::default()).err().unwrap();
    assert!(matches!(error, Error::Shape { .. }) && error.to_string().contains("maps 64 values to 2"), "{error}");
    assert!(error.hint().unwrap().contains("--encoder"));
}

#[test]
fn broken_files_are_model_errors() {
    let bytes = builtin_model("digits-vae").unwrap();
    let error = OnnxDecoder::from_bytes("cut.onnx", &bytes[..1000], &Options::default()).err().unwrap();
    assert!(matches!(error, Error::Model { .. }), "{error}");
    assert!(matches!(OnnxDecoder::load(&path("missing.onnx"), &Options::default()).err().unwrap(), Error::Io { .. }));
}

#[test]
fn wrong_shapes_are_told_in_full() {
    let decoder = digits(&Options::default()).unwrap();
    let wide = ndarray::Array2::zeros((4, 3));
    let error = decoder.decode(wide.view(), None).unwrap_err();
    assert!(error.to_string().contains("takes 2 values a sample, got 3"), "{error}");
    let latents = ndarray::Array2::zeros((4, 2));
    assert!(decoder.decode(latents.view(), Some(wide.view())).is_err());
}

/// x = (z, c·z) as an ONNX file, with the inputs under these names.
fn conditional(latent: &str, condition: &str) -> Vec<u8> {
    use latlas_graph::ops::Binary;
    use latlas_graph::{Builder, Port, Rows, onnx};
    let mut b = Builder::new();
    let z = b.input(latent, Rows::SAMPLE, &[2], &[2]);
    let c = b.input(condition, Rows::SAMPLE, &[2], &[2]);
    let product = b.binary(Binary::Mul, z, c);
    let x = b.concat(&[z, product], 0);
    let graph = b.finish(vec![Port { name: "x".into(), node: x, shape: vec![4], default: None }]);
    onnx::save(&graph).unwrap()
}

#[test]
fn two_inputs_and_none_named() {
    let error = OnnxDecoder::from_bytes("m.onnx", &conditional("a", "b"), &Options::default()).err().unwrap();
    assert!(matches!(error, Error::Input { .. }) && error.to_string().contains("\"a\" [2], \"b\" [2]"), "{error}");
    assert!(error.hint().is_some());
    let named = Options { latent: Some("a".into()), ..Options::default() };
    let decoder = OnnxDecoder::from_bytes("m.onnx", &conditional("a", "b"), &named).unwrap();
    assert_eq!((decoder.latent_dim(), decoder.condition_dim()), (2, Some(2)));
}

#[test]
fn a_condition_reaches_its_input() {
    use latlas::run::{Inputs, Settings, run};
    let options = options(Dtype::F64);
    let decoder = || OnnxDecoder::from_bytes("m.onnx", &conditional("z", "c"), &options).unwrap();
    assert_eq!(decoder().notes()[..2], ["latents: input \"z\" [2]", "condition: input \"c\" [2]"]);
    let inputs = |condition| Inputs { decoder: Some(std::sync::Arc::new(decoder())), condition, ..Inputs::default() };
    let settings = Settings { dtype: Dtype::F64, samples: 40, ..Settings::default() };
    let run = |condition| run(&["entropy".into()], &inputs(condition), &settings, &|_, _| {});
    let without = run(None).unwrap_err();
    assert!(without.to_string().contains("needs a condition of 2 values") && without.hint().is_some(), "{without}");
    assert!(run(Some(ndarray::Array2::zeros((1, 3)))).is_err());
    assert!(run(Some(ndarray::Array2::zeros((7, 2)))).is_err());
    let report = run(Some(ndarray::array![[1.0, 2.0]])).unwrap();
    let latlas::estimate::Value::Vector(entropies) = &report.estimate("manifold-entropy").unwrap().value else { panic!("no vector") };
    // ‖J₁‖² = 1 + c₁², ‖J₂‖² = 1 + c₂².
    let h0 = latlas::special_functions::NORMAL_ENTROPY;
    assert!((entropies[0] - h0 - 0.5 * 2.0_f64.ln()).abs() < 1e-12 && (entropies[1] - h0 - 0.5 * 5.0_f64.ln()).abs() < 1e-12);
    assert_eq!(report.estimates[0].extra["convention"]["conditioning"], "given");
}
