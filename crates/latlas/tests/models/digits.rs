//! The built-in VAE of the digits.

use std::sync::Arc;

use crate::fixture::{cube, error, matrix, options};
use latlas::data::builtin_model;
use latlas::geometry::Embedding;
use latlas::models::{Decoder, Encoder, OnnxDecoder, OnnxEncoder};
use latlas::run::{Inputs, Settings, run};
use latlas::settings::{Dtype, Sampling};

const CHECK: &str = "digits_vae.check.npz";

fn decoder(dtype: Dtype) -> OnnxDecoder {
    OnnxDecoder::from_bytes("digits-vae", builtin_model("digits-vae").unwrap(), &options(dtype)).unwrap()
}

fn encoder(dtype: Dtype) -> OnnxEncoder {
    OnnxEncoder::from_bytes("digits-encoder", builtin_model("digits-encoder").unwrap(), &options(dtype)).unwrap()
}

#[test]
fn values_jacobians_and_metric_agree() {
    let z = matrix(CHECK, "z");
    for (dtype, tolerance) in [(Dtype::F64, 1e-9), (Dtype::F32, 1e-4)] {
        let decoder = decoder(dtype);
        let at = decoder.linearize(z.view(), None).unwrap();
        assert!(error(&at.jacobian().unwrap(), &cube(CHECK, "jacobian_mean")) < tolerance);
        assert!(error(at.decoded().unwrap(), &matrix(CHECK, "mean")) < tolerance);
        let logvar = decoder.with_output("logvar").unwrap();
        let at = logvar.linearize(z.view(), None).unwrap();
        assert!(error(&at.jacobian().unwrap(), &cube(CHECK, "jacobian_logvar")) < tolerance);
        assert!(error(at.decoded().unwrap(), &matrix(CHECK, "logvar")) < tolerance);
        let gram = |embedding: Embedding| {
            let decoder = embedding.of(&decoder).unwrap();
            decoder.linearize(z.view(), None).unwrap().gram().unwrap()
        };
        let expected = cube(CHECK, "expected_metric");
        for (got, expected) in gram(Embedding::Auto).outer_iter().zip(expected.outer_iter()) {
            assert!(error(got, expected) < tolerance);
        }
        assert_eq!(gram(Embedding::Auto), gram(Embedding::Gaussian));
        let mean = decoder.linearize(z.view(), None).unwrap().gram().unwrap();
        assert_eq!(gram(Embedding::Mean), mean);
    }
}

#[test]
fn the_encoder_agrees() {
    let x = matrix(CHECK, "x");
    for (dtype, tolerance) in [(Dtype::F64, 1e-9), (Dtype::F32, 1e-4)] {
        let posterior = encoder(dtype).encode(x.view(), None).unwrap();
        assert!(error(&posterior.mean, &matrix(CHECK, "z_mean")) < tolerance);
        assert!(error(posterior.logvar.as_ref().unwrap(), &matrix(CHECK, "z_logvar")) < tolerance);
    }
}

#[test]
fn products_agree_with_the_jacobian() {
    let z = matrix(CHECK, "z");
    let decoder = decoder(Dtype::F64);
    let at = decoder.linearize(z.view(), None).unwrap();
    let tangents = ndarray::Array3::from_shape_fn((8, 3, 2), |(s, k, i)| (s + 2 * k + 5 * i) as f64 * 0.1 - 0.7);
    let cotangents = ndarray::Array3::from_shape_fn((8, 2, 64), |(s, k, i)| ((s + 3 * k + i) as f64).sin());
    let columns = at.columns().unwrap();
    let (jvp, vjp) = (at.jvp(tangents.view()).unwrap(), at.vjp(cotangents.view()).unwrap());
    for s in 0..8 {
        let of = |a: &ndarray::Array3<f64>| a.index_axis(ndarray::Axis(0), s).to_owned();
        assert!(error(&of(&jvp), &of(&tangents).dot(&of(&columns))) < 1e-12);
        assert!(error(&of(&vjp), &of(&cotangents).dot(&of(&columns).t())) < 1e-12);
    }
}

#[test]
fn entropies_hold_in_either_precision_with_all_laws() {
    let report = |dtype| {
        let inputs = Inputs { decoder: Some(Arc::new(decoder(dtype))), encoder: Some(Arc::new(encoder(dtype))), ..Inputs::default() };
        run(&["entropy".into()], &inputs, &Settings { dtype, ..Settings::default() }, &|_, _| {}).unwrap()
    };
    let (single, double) = (report(Dtype::F32), report(Dtype::F64));
    for (a, b) in single.estimates.iter().zip(&double.estimates) {
        let (a, b) = (format!("{:?}", a.value), format!("{:?}", b.value));
        let numbers = |t: &str| {
            t.split(['[', ']', '(', ')', ',', ' ']).filter_map(|w| w.parse::<f64>().ok()).filter(|x| !x.is_nan()).collect::<Vec<_>>()
        };
        assert!(error(&numbers(&a), &numbers(&b)) < 1e-5, "{a} {b}");
    }
    for law in single.invariants.iter().chain(&double.invariants) {
        assert!(law.holds, "{law:?}");
    }
    let ids: Vec<&str> = double.invariants.iter().map(|law| law.id.as_str()).collect();
    assert_eq!(ids, ["hadamard", "fischer", "decomposition", "finite-differences", "adjoint", "batch-independence", "repeatability"]);
    assert!(double.invariants.iter().any(|law| law.id == "finite-differences" && law.worst < 1e-8));
}

#[test]
fn averages_under_the_data_are_cross_entropies() {
    let data = latlas::data::read("builtin:digits").unwrap();
    let data = latlas::data::rows(&data, "data", Some(64)).unwrap();
    let inputs = Inputs {
        decoder: Some(Arc::new(decoder(Dtype::F64))),
        encoder: Some(Arc::new(encoder(Dtype::F64))),
        data: Some(data),
        ..Inputs::default()
    };
    let settings = Settings { dtype: Dtype::F64, sampling: Sampling::Data, ..Settings::default() };
    let report = run(&["entropy".into()], &inputs, &settings, &|_, _| {}).unwrap();
    let total = report.estimate("total-entropy").unwrap();
    assert_eq!(total.n_seen, 1797);
    assert_eq!(total.extra["convention"]["prior_term"], "sampled");
    assert_eq!(total.extra["convention"]["cross_entropy"], true);
}

#[test]
fn threads_and_shards_do_not_change_a_bit() {
    use latlas::run::{Shard, run_shard};
    let inputs = Inputs { decoder: Some(Arc::new(decoder(Dtype::F32))), ..Inputs::default() };
    let (ids, settings) = (["entropy".to_string()], Settings { chunk: Some(100), ..Settings::default() });
    let with_threads = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        format!("{:?}", pool.install(|| run(&ids, &inputs, &settings, &|_, _| {})).unwrap())
    };
    let reference = with_threads(1);
    assert_eq!(with_threads(2), reference);
    assert_eq!(with_threads(3), reference);
    let mut shards = (0..4).map(|index| run_shard(&ids, &inputs, &settings, Shard { index, of: 4 }, &|_, _| {}).unwrap());
    let mut state = shards.next().unwrap();
    shards.for_each(|shard| state.merge(shard).unwrap());
    assert_eq!(format!("{:?}", state.finish().unwrap()), reference);
}
