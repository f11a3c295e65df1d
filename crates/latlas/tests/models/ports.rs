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
