//! Every embedding against the metric that it stands for.

use std::sync::Arc;

use latlas::geometry::{Curves, Embedding};
use latlas::models::{Decoder, OnnxDecoder, onnx::Options};
use latlas::settings::Dtype;
use latlas_graph::ops::{Contraction, Unary};
use latlas_graph::{Builder, Port, Rows, Tensor};
use ndarray::{Array2, ArrayView2, Axis, array};

use crate::spaces::{digits, points};

const D: usize = 5;

/// z ↦ head names with W tanh(z)-like layers: two latents, five outputs each.
fn decoder(heads: &[(&str, Option<Unary>)], names: &Options) -> OnnxDecoder {
    let mut b = Builder::new();
    let z = b.input("z", Rows::SAMPLE, &[2], &[2]);
    let mut ports = Vec::new();
    for (k, (name, f)) in heads.iter().enumerate() {
        let weights: Vec<f64> = (0..2 * D).map(|i| ((i * 7 + k * 5 + 1) as f64).sin()).collect();
        let w = b.constant(Tensor::new([D, 2], weights));
        let y = b.contract(w, z, Contraction { a: vec![0, 1], b: vec![1], out: vec![0], sum_rows: Rows::NONE });
        let node = f.map_or(y, |f| b.unary(f, y));
        ports.push(Port { name: (*name).into(), node, shape: vec![D], default: None });
    }
    OnnxDecoder::from_graph("test", b.finish(ports), &Options { dtype: Dtype::F64, ..names.clone() }).unwrap()
}

fn metric(decoder: &OnnxDecoder, embedding: Embedding, z: &Array2<f64>) -> Vec<Array2<f64>> {
    let manifold = embedding.manifold(decoder).unwrap();
    manifold.metric_at(z.view()).unwrap().outer_iter().map(|m| m.to_owned()).collect()
}

/// Values and Jacobians of an output at each point.
fn jacobians(decoder: &OnnxDecoder, output: &str, z: &Array2<f64>) -> Vec<(Vec<f64>, Array2<f64>)> {
    let decoder = decoder.with_output(output).unwrap();
    let at = decoder.linearize(z.view(), None).unwrap();
    let (values, jacobians) = (at.decoded().unwrap().clone(), at.jacobian().unwrap());
    values.outer_iter().zip(jacobians.outer_iter()).map(|(x, j)| (x.to_vec(), j.to_owned())).collect()
}

/// Jᵀ W J.
fn weighted(j: ArrayView2<'_, f64>, weights: &Array2<f64>) -> Array2<f64> {
    j.t().dot(weights).dot(&j)
}

fn diagonal(values: impl Iterator<Item = f64>) -> Array2<f64> {
    Array2::from_diag(&values.collect::<ndarray::Array1<f64>>())
}

fn assert_close(got: &[Array2<f64>], expected: impl Iterator<Item = Array2<f64>>) {
    for (got, expected) in got.iter().zip(expected) {
        assert!((got - &expected).iter().all(|e| e.abs() < 1e-13 * (1.0 + expected.sum().abs())), "{got} {expected}");
    }
}

#[test]
fn fisher_metrics_are_weighted_by_their_variances() {
    let z = points(4, [-1.5, -1.5], [1.5, 1.5]);
    let sigmoid = |l: &f64| 1.0 / (1.0 + (-l).exp());
    let named = Options { logits: Some("l".into()), ..Options::default() };
    let logits = decoder(&[("l", None)], &named);
    let bernoulli = metric(&logits, Embedding::Bernoulli, &z);
    let expected = |(l, j): (Vec<f64>, Array2<f64>)| weighted(j.view(), &diagonal(l.iter().map(|l| sigmoid(l) * (1.0 - sigmoid(l)))));
    assert_close(&bernoulli, jacobians(&logits, "l", &z).into_iter().map(expected));
    // The same from probabilities: by the logits behind a sigmoid.
    let probabilities = decoder(&[("p", Some(Unary::Sigmoid))], &Options::default());
    assert_close(&metric(&probabilities, Embedding::Bernoulli, &z), bernoulli.into_iter());

    let categorical = metric(&logits, Embedding::Categorical, &z);
    let expected = |(l, j): (Vec<f64>, Array2<f64>)| {
        let total: f64 = l.iter().map(|l| l.exp()).sum();
        let p: ndarray::Array1<f64> = l.iter().map(|l| l.exp() / total).collect();
        let outer = p.view().insert_axis(Axis(1)).dot(&p.view().insert_axis(Axis(0)));
        weighted(j.view(), &(diagonal(p.iter().copied()) - outer))
    };
    assert_close(&categorical, jacobians(&logits, "l", &z).into_iter().map(expected));

    let rates = decoder(&[("r", Some(Unary::Exp))], &Options::default());
    let expected = |(r, j): (Vec<f64>, Array2<f64>)| weighted(j.view(), &diagonal(r.iter().map(|r| 1.0 / r)));
    assert_close(&metric(&rates, Embedding::Poisson, &z), jacobians(&rates, "r", &z).into_iter().map(expected));
}

#[test]
fn saturated_bernoulli_outputs_stay_finite() {
    let named = Options { logits: Some("l".into()), ..Options::default() };
    let far = array![[800.0, -300.0], [-5000.0, 40.0]];
    let metric = metric(&decoder(&[("l", None)], &named), Embedding::Bernoulli, &far);
    assert!(metric.iter().flatten().all(|x| x.is_finite() && x.abs() < 1e-6), "{metric:?}");
}

#[test]
fn a_spread_adds_its_own_metric() {
    let z = points(4, [-1.5, -1.5], [1.5, 1.5]);
    let with_log = decoder(&[("mean", None), ("logvar", None)], &Options::default());
    let with_std = decoder(&[("mean", None), ("std", Some(Unary::Exp))], &Options::default());
    for model in [&with_log, &with_std] {
        let means = jacobians(model, "mean", &z);
        let spreads = jacobians(model, &model.graph().outputs[1].name, &z);
        let sigma = |(s, j): &(Vec<f64>, Array2<f64>)| -> (Vec<f64>, Array2<f64>) {
            if model.heads().std.is_some() {
                return (s.clone(), j.clone());
            }
            let s: Vec<f64> = s.iter().map(|log| (0.5 * log).exp()).collect();
            let scaled = diagonal(s.iter().map(|s| 0.5 * s)).dot(j);
            (s, scaled)
        };
        let pairs: Vec<_> = means.into_iter().zip(spreads.iter().map(sigma)).collect();
        let expected = pairs.iter().map(|((_, jm), (_, js))| jm.t().dot(jm) + js.t().dot(js));
        assert_close(&metric(model, Embedding::Gaussian, &z), expected.clone());
        assert_close(&metric(model, Embedding::Auto, &z), expected);
        let precision = |s: &[f64]| diagonal(s.iter().map(|s| 1.0 / (s * s)));
        let fisher = pairs.iter().map(|((_, jm), (s, js))| weighted(jm.view(), &precision(s)) + weighted(js.view(), &precision(s)) * 2.0);
        assert_close(&metric(model, Embedding::GaussianFisher, &z), fisher);
        let mean = pairs.iter().map(|((_, jm), _)| jm.t().dot(jm));
        assert_close(&metric(model, Embedding::Mean, &z), mean);
    }
    let mean = decoder(&[("x", None)], &Options::default());
    for embedding in [Embedding::Gaussian, Embedding::GaussianFisher] {
        assert!(embedding.manifold(&mean).is_err(), "there is no spread");
    }
}

#[test]
fn ensembles_average_and_features_compose() {
    let z = points(4, [-1.0, -1.0], [1.0, 1.0]);
    let (first, second) =
        (decoder(&[("x", None)], &Options::default()), decoder(&[("unused", None), ("x", Some(Unary::Tanh))], &Options::default()));
    let second =
        OnnxDecoder::from_graph("second", second.graph().clone(), &Options { mean: Some("x".into()), ..Options::with_dtype(Dtype::F64) })
            .unwrap();
    let members = vec![(Arc::new(second.graph().clone()), second.heads().clone())];
    let own = metric(&first, Embedding::Mean, &z).into_iter().zip(metric(&second, Embedding::Mean, &z));
    assert_close(&metric(&first, Embedding::Ensemble(members), &z), own.map(|(a, b)| (a + b) * 0.5));

    // φ(x) = tanh(x) after x = W z is the decoder tanh(W z).
    let mut b = Builder::new();
    let x = b.input("x", Rows::SAMPLE, &[D], &[D]);
    let tanh = b.unary(Unary::Tanh, x);
    let feature = b.finish(vec![Port { name: "phi".into(), node: tanh, shape: vec![D], default: None }]);
    let composed = decoder(&[("x", Some(Unary::Tanh))], &Options::default());
    let got = metric(&first, Embedding::Feature(Arc::new(feature), 0, 0), &z);
    assert_close(&got, metric(&composed, Embedding::Mean, &z).into_iter());
}

/// Heads that are the latents themselves: distances between distributions are known.
#[test]
fn families_of_distributions_have_their_distances() {
    let mut b = Builder::new();
    let z = b.input("z", Rows::SAMPLE, &[1], &[1]);
    let graph = b.finish(vec![Port { name: "x".into(), node: z, shape: vec![1], default: None }]);
    let identity = OnnxDecoder::from_graph("identity", graph, &Options::with_dtype(Dtype::F64)).unwrap();
    let along = |embedding: Embedding, a: f64, b: f64| {
        let manifold = embedding.manifold(&identity).unwrap();
        Curves::straight(array![[a]].view(), array![[b]].view(), 64).unwrap().measure(&*manifold).unwrap()[0].length
    };
    // One latent: every curve between two points is the geodesic.
    assert!((along(Embedding::Bernoulli, 0.1, 0.9) - 1.854_590_436).abs() < 1e-9);
    assert!((along(Embedding::Poisson, 4.0, 9.0) - 2.0).abs() < 1e-12);
}

#[test]
fn the_digits_have_a_metric_under_every_name() {
    let decoder = digits();
    let z = points(3, [-1.0, -1.0], [1.0, 1.0]);
    for embedding in [Embedding::Auto, Embedding::Mean] {
        let name = embedding.name();
        let manifold = embedding.manifold(&decoder).unwrap();
        assert!(manifold.log_volume(z.view()).unwrap().iter().all(|v| v.is_finite()), "{name}");
    }
    // Its means are no probabilities, and the metric of probabilities says so by values that are not finite.
    let outside = Embedding::Bernoulli.manifold(&decoder).unwrap();
    assert!(outside.factors(z.view()).unwrap().iter().all(|factor| !factor.is_finite()));
}
