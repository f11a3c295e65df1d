//! Two and more models at the same data.

use std::sync::Arc;

use crate::explicit::{Explicit, bits, of, settings};
use latlas::data::builtin_model;
use latlas::error::Error;
use latlas::estimate::Estimate;
use latlas::models::onnx::Options;
use latlas::models::{Decoder, Encoder, OnnxDecoder, OnnxEncoder, Posterior};
use latlas::run::{Dtype, Inputs, Other, Sampling, Settings, run};
use ndarray::{Array2, ArrayView2};

const BOTH: [&str; 2] = ["cross-mutual-information", "dimension-matching"];

/// (1 + s z₀)(cos a z₁, sin a z₁) and a third axis, with the latents in another order and of other scales.
fn polar(order: [usize; 3], scale: [f64; 3]) -> Explicit {
    let inner = move |z: &[f64]| order.map(|k| z[k]).into_iter().zip(scale).map(|(z, s)| z * s).collect::<Vec<_>>();
    let f = move |z: &[f64]| {
        let u = inner(z);
        vec![(3.0 + u[0]) * u[1].cos(), (3.0 + u[0]) * u[1].sin(), u[2]]
    };
    let jacobian = move |z: &[f64]| {
        let u = inner(z);
        let columns = [[u[1].cos(), u[1].sin(), 0.0], [-(3.0 + u[0]) * u[1].sin(), (3.0 + u[0]) * u[1].cos(), 0.0], [0.0, 0.0, 1.0]];
        let mut rows = vec![0.0; 9];
        for (j, k) in order.into_iter().enumerate() {
            (0..3).for_each(|row| rows[3 * row + k] = columns[j][row] * scale[j]);
        }
        rows
    };
    Explicit::new(3, 3, f, jacobian)
}

fn inputs(first: Explicit, others: Vec<Explicit>) -> Inputs {
    let others = others.into_iter().map(|decoder| Other { decoder: Arc::new(decoder), encoder: None }).collect();
    Inputs { decoder: Some(Arc::new(first)), others, ..Inputs::default() }
}

fn both(inputs: &Inputs, settings: &Settings) -> [Estimate; 2] {
    let report = run(&BOTH.map(String::from), inputs, settings, &|_, _| {}).unwrap();
    assert!(report.invariants.iter().all(|law| law.holds), "{:?}", report.invariants);
    BOTH.map(|id| report.estimate(id).unwrap().clone())
}

fn matrix(estimate: &Estimate, key: &str) -> Vec<Vec<f64>> {
    serde_json::from_value(estimate.extra["mean_cos2"][key].clone()).unwrap()
}

fn scalar(estimate: &Estimate) -> f64 {
    crate::explicit::vector(&estimate.value)[0]
}

const SCALES: [f64; 3] = [0.3, 0.4, 1.0];

#[test]
fn latents_in_another_order_are_found_by_inverting_the_other_model() {
    let inputs = inputs(polar([0, 1, 2], SCALES), vec![polar([2, 0, 1], [0.15, 0.8, 2.0])]);
    let [cross, matching] = both(&inputs, &settings(200));
    let cosines = matrix(&cross, "value");
    for (i, expected) in [2, 0, 1].into_iter().enumerate() {
        for (j, cosine) in cosines[i].iter().enumerate() {
            assert!((cosine - f64::from(u8::from(j == expected))).abs() < 1e-6, "{cosines:?}");
        }
    }
    assert_eq!(matching.extra["pairs"][0]["permutation"], serde_json::json!([2, 0, 1]));
    assert!((scalar(&matching) - 1.0).abs() < 1e-6);
    assert_eq!(matching.extra["matched_share"], serde_json::json!([1.0, 1.0, 1.0]));
    assert!(matching.extra["pairs"][0]["chance"].as_f64().unwrap() < 0.95);
}

#[test]
fn a_model_against_itself_is_one_on_the_diagonal() {
    let [cross, matching] = both(&inputs(polar([0, 1, 2], SCALES), vec![polar([0, 1, 2], SCALES)]), &settings(100));
    let cosines = matrix(&cross, "value");
    assert!((0..3).all(|i| (cosines[i][i] - 1.0).abs() < 1e-9), "{cosines:?}");
    let latlas::estimate::Value::Matrix(information) = &cross.value else { panic!() };
    assert!((0..3).all(|i| information[i][i] > 10.0 && information[i][(i + 1) % 3].abs() < 1e-6), "{information:?}");
    assert!((scalar(&matching) - 1.0).abs() < 1e-6);
}

/// The built-in digits model has an encoder, so both sides get the very same latents.
#[test]
fn digits_against_themselves() {
    let read = Options::with_dtype(Dtype::F32);
    let decoder: Arc<dyn Decoder> = Arc::new(OnnxDecoder::from_bytes("digits", builtin_model("digits-vae").unwrap(), &read).unwrap());
    let encoder = || Arc::new(OnnxEncoder::from_bytes("encoder", builtin_model("digits-encoder").unwrap(), &read).unwrap());
    let data = latlas::data::finite_rows(&latlas::data::read("builtin:digits").unwrap(), "data", None).unwrap();
    let inputs = Inputs {
        others: vec![Other { decoder: Arc::clone(&decoder), encoder: Some(encoder()) }],
        decoder: Some(decoder),
        encoder: Some(encoder()),
        data: Some(data),
        ..Inputs::default()
    };
    let settings = Settings { sampling: Sampling::Data, ..Settings::default() };
    let report = run(&["entropy".into()], &inputs, &settings, &|_, _| {}).unwrap();
    let cross = report.estimate("cross-mutual-information").unwrap();
    let cosines = matrix(cross, "value");
    assert!((cosines[0][0] - 1.0).abs() < 1e-12 && (cosines[1][1] - 1.0).abs() < 1e-12);
    let latlas::estimate::Value::Matrix(information) = &cross.value else { panic!() };
    assert_eq!((information[0][0], information[1][1]), (f64::INFINITY, f64::INFINITY));
    assert!(information[0][1].is_finite() && cross.caveats.iter().any(|c| c.id == "unresolved-parallel"));
    assert!((scalar(report.estimate("dimension-matching").unwrap()) - 1.0).abs() < 1e-9);
}

#[test]
fn cross_information_of_known_angles_and_unequal_sizes() {
    // Two columns in the plane of the first two axes, at 30° and 60° to the only column of the other.
    let (a, b) = (30.0_f64.to_radians(), 60.0_f64.to_radians());
    let first = Explicit::linear(2, vec![a.cos(), b.cos(), a.sin(), -b.sin(), 0.0, 0.0]);
    let [cross, matching] = both(
        &inputs(first, vec![Explicit::linear(1, vec![2.0, 0.0, 0.0])]),
        &Settings { max_bad: 1.0, inversion_gate: 1.0, ..settings(40) },
    );
    let latlas::estimate::Value::Matrix(information) = &cross.value else { panic!() };
    assert!((information[0][0] + a.sin().ln()).abs() < 1e-12 && (information[1][0] + b.sin().ln()).abs() < 1e-12, "{information:?}");
    assert_eq!(matching.extra["pairs"][0]["permutation"], serde_json::json!([0, null]));
    assert!((matching.extra["pairs"][0]["matched"].as_f64().unwrap() - 0.75).abs() < 1e-12);
}

/// Columns along axes of ten dimensions, some of them tilted towards those of the other model.
#[test]
fn sets_of_latents_of_two_models() {
    let (a, b) = (0.7_f64, 1.1_f64);
    let axes = |columns: &[&[(usize, f64)]]| {
        let mut rows = vec![0.0; 10 * columns.len()];
        columns.iter().enumerate().for_each(|(i, column)| column.iter().for_each(|(row, x)| rows[row * columns.len() + i] = *x));
        Explicit::linear(columns.len(), rows)
    };
    // S = {0, 1} spans the first two axes; T = {0, 2} of the other model meets them at the angles a and b.
    let first = || axes(&[&[(0, 2.0), (1, 1.0)], &[(1, -3.0)], &[(7, 1.0)]]);
    let other = || axes(&[&[(0, a.cos()), (2, a.sin())], &[(8, 5.0)], &[(1, 4.0 * b.cos()), (3, 4.0 * b.sin())], &[(9, 1.0)]]);
    let inputs = || Inputs {
        decoder: Some(Arc::new(first())),
        others: vec![Other { decoder: Arc::new(other()), encoder: Some(Arc::new(Formula(10, 4, |_| vec![0.0; 4]))) }],
        ..Inputs::default()
    };
    let with = |sets: &[&str], other_sets: &[&str], sketch, samples| {
        let list = |sets: &[&str]| sets.iter().map(|set| (*set).to_string()).collect();
        let settings = Settings { sets: list(sets), other_sets: list(other_sets), sketch, ..settings(samples) };
        run(&["cross-mutual-information".into()], &inputs(), &settings, &|_, _| {})
    };
    let report = with(&["0-1", "2"], &["0,2", "1,3"], None, 20).unwrap();
    let blocks = report.estimates[0].extra["blocks"].as_array().unwrap();
    assert_eq!(blocks.len(), 4);
    let number = |block: &serde_json::Value, path: [&str; 2]| block[path[0]].get(path[1]).unwrap_or(&block[path[0]]).as_f64().unwrap();
    let truth = -(a.sin() * b.sin()).ln();
    assert!((number(&blocks[0], ["value", ""]) - truth).abs() < 1e-12, "{}", blocks[0]);
    assert!((number(&blocks[0], ["overlap", "value"]) - 0.5 * (a.cos().powi(2) + b.cos().powi(2))).abs() < 1e-12);
    assert_eq!(
        (&blocks[0]["s"], &blocks[0]["t"], &blocks[0]["other"]),
        (&serde_json::json!([0, 1]), &serde_json::json!([0, 2]), &serde_json::json!(0))
    );
    assert!(blocks[1..].iter().all(|block| number(block, ["value", ""]).abs() < 1e-12), "{blocks:?}");
    let null = number(&blocks[0], ["null", "value"]);
    assert!((null - block_null(10, 2, 2)).abs() < 1e-9, "{null}");

    // The same sets where the other model has no sets of its own, as far as it has such latents.
    let same = with(&["0,2", "3"], &[], None, 20);
    assert!(same.unwrap_err().to_string().contains("there is no latent 3 among 3"));
    let same = with(&["0-1"], &[], None, 20).unwrap();
    assert_eq!(same.estimates[0].extra["blocks"][0]["t"], serde_json::json!([0, 1]));
    let wrong = with(&["0"], &["4"], None, 20).unwrap_err().to_string();
    assert!(wrong.contains("there is no latent 4 among 4"), "{wrong}");

    // The same probes for both models.
    let sketched = with(&["0-1"], &["0,2"], Some(6), 40_000).unwrap();
    let block = &sketched.estimates[0].extra["blocks"][0];
    let (got, error) = (number(block, ["value", ""]), number(block, ["standard_error", ""]));
    assert!((got - truth).abs() < 4.0 * error && error < 0.01, "{got} ± {error}, exact {truth}");
}

/// ½ [F(p) + F(q) − F(p + q)], F(n) = Σ_{i<n} ψ((D − i)/2).
fn block_null(big_d: usize, p: usize, q: usize) -> f64 {
    let f = |n: usize| (0..n).map(|i| latlas::special_functions::digamma((big_d - i) as f64 / 2.0)).sum::<f64>();
    0.5 * (f(p) + f(q) - f(p + q))
}

/// Models of a curved surface in three dimensions that was blurred with growing noise.
#[test]
fn noises_tell_the_local_dimension() {
    // Across the surface the data is as wide as the noise, which differs a little from place to place.
    let blurred = |noise: f64| {
        Explicit::new(3, 3, <[f64]>::to_vec, move |z| {
            let wide = noise * (1.0 + 0.3 * z[0].sin());
            vec![2.0, 0.0, 0.0, 0.0, 1.0 + 0.2 * z[1].cos(), 0.0, 0.1 * z[0], 0.0, wide]
        })
    };
    let noises = vec![0.01, 0.02, 0.04];
    let others = noises[1..]
        .iter()
        .map(|noise| Other { decoder: Arc::new(blurred(*noise)), encoder: Some(Arc::new(Formula(3, 3, <[f64]>::to_vec))) });
    let inputs = Inputs { others: others.collect(), ..crate::explicit::inputs(blurred(noises[0])) };
    let with = Settings { noises, ..settings(200) };
    let report = run(&["local-dimension-by-noise".into()], &inputs, &with, &|_, _| {}).unwrap();
    let (value, _) = of(&report, "local-dimension-by-noise");
    let slopes: Vec<f64> = serde_json::from_value(report.estimates[0].extra["slopes"].clone()).unwrap();
    assert_eq!(value, [2.0]);
    assert!(slopes[0].abs() < 0.01 && slopes[1].abs() < 0.01 && (slopes[2] - 1.0).abs() < 0.01, "{slopes:?}");
    for (noises, what) in [
        (vec![0.1, 0.2], "3 models need as many noises, got 2"),
        (vec![0.1, 0.0, 0.2], "no positive number"),
        (vec![0.1; 3], "are the same"),
    ] {
        let error = run(&["local-dimension-by-noise".into()], &inputs, &Settings { noises, ..settings(20) }, &|_, _| {}).unwrap_err();
        assert!(error.to_string().contains(what), "{error}");
    }
    // Without noises the group leaves it out.
    assert!(run(&["entropy".into()], &inputs, &settings(20), &|_, _| {}).unwrap().estimate("local-dimension-by-noise").is_none());
}

#[test]
fn rows_that_the_other_model_does_not_reach_are_counted() {
    let curve = Explicit::new(1, 2, |z| vec![z[0], 0.2 * z[0]], |_| vec![1.0, 0.2]);
    let inputs = inputs(Explicit::linear(2, vec![1.0, 0.0, 0.0, 1.0]), vec![curve]);
    let error = run(&["cross-mutual-information".into()], &inputs, &settings(50), &|_, _| {}).unwrap_err();
    assert!(matches!(&error, Error::TooManyBadSamples { reasons, .. } if reasons.contains("50 inversion-failed")), "{error}");
    let lenient = Settings { inversion_gate: 0.9, max_bad: 0.9, ..settings(50) };
    let report = run(&["cross-mutual-information".into()], &inputs, &lenient, &|_, _| {}).unwrap();
    assert!(report.estimates[0].n_used > 0 && report.estimates[0].dropped["inversion-failed"] > 0);
}

#[test]
fn data_without_an_encoder_is_inverted() {
    let decoder = polar([0, 1, 2], SCALES);
    let z = Array2::from_shape_fn((60, 3), |(s, i)| ((s * 3 + i) as f64 * 0.77).sin());
    let data = decoder.decode(z.view(), None).unwrap();
    let inputs = Inputs { data: Some(data), ..crate::explicit::inputs(decoder) };
    let settings = Settings { sampling: Sampling::Data, ..settings(1) };
    let report = run(&["manifold-entropy".into()], &inputs, &settings, &|_, _| {}).unwrap();
    let given = Inputs { latents: Some(z), data: None, ..inputs };
    let expected = run(&["manifold-entropy".into()], &given, &Settings { sampling: Sampling::Prior, ..settings }, &|_, _| {}).unwrap();
    let geometric =
        |report: &latlas::report::Report| -> Vec<f64> { serde_json::from_value(report.estimates[0].extra["geometric"].clone()).unwrap() };
    assert_eq!(report.estimates[0].n_used, 60);
    assert!(geometric(&report).iter().zip(geometric(&expected)).all(|(a, b)| (a - b).abs() < 1e-6));
}

/// Columns that turn by chance: the stability is about zero, and three runs say so as well.
#[test]
fn unrelated_models_are_at_chance() {
    let turning = |phase: f64, rate: f64| {
        Explicit::new(
            2,
            2,
            move |z| vec![z[0] + 0.0 * phase, z[1]],
            move |z| {
                let angle = phase + rate * z[0] + 1.7 * rate * z[1];
                vec![angle.cos(), -angle.sin(), angle.sin(), angle.cos()]
            },
        )
    };
    let others = vec![turning(1.0, 19.0), turning(2.0, 31.0)];
    let others = others
        .into_iter()
        .map(|decoder| Other { decoder: Arc::new(decoder), encoder: Some(Arc::new(Formula(2, 2, <[f64]>::to_vec))) })
        .collect();
    let inputs = Inputs { decoder: Some(Arc::new(turning(0.0, 7.0))), others, ..Inputs::default() };
    let report = run(&["dimension-matching".into()], &inputs, &settings(4000), &|_, _| {}).unwrap();
    let (value, error) = of(&report, "dimension-matching");
    assert!(value[0].abs() < 0.05 && error[0] < 0.05, "{value:?} ± {error:?}");
    assert_eq!(report.estimates[0].extra["pairs"].as_array().map(Vec::len), Some(3));
}

#[test]
fn a_sketch_of_both_models_agrees_with_their_jacobians() {
    let matrix_of = |phase: f64| (0..24).map(|k| (f64::from(k) * 1.3 + phase).sin()).collect::<Vec<_>>();
    let models = || {
        let other =
            Other { decoder: Arc::new(Explicit::linear(3, matrix_of(0.4))), encoder: Some(Arc::new(Formula(8, 3, |_| vec![0.0; 3]))) };
        Inputs { decoder: Some(Arc::new(Explicit::linear(3, matrix_of(0.0)))), others: vec![other], ..Inputs::default() }
    };
    let with = |sketch, samples| {
        let settings = Settings { sketch, ..settings(samples) };
        run(&["cross-mutual-information".into()], &models(), &settings, &|_, _| {}).unwrap()
    };
    let (exact, sketched) = (with(None, 2), with(Some(5), 40_000));
    let ((truth, _), (got, error)) = (of(&exact, "cross-mutual-information"), of(&sketched, "cross-mutual-information"));
    assert!(
        truth.iter().zip(got.iter().zip(&error)).all(|(t, (g, e))| (t - g).abs() < 4.0 * e && *e < 0.01),
        "{truth:?} {got:?} ± {error:?}"
    );
    let (exact, sketched) = (&exact.estimates[0], &sketched.estimates[0]);
    let errors = matrix(sketched, "standard_error").concat();
    for ((t, g), e) in matrix(exact, "value").concat().iter().zip(matrix(sketched, "value").concat()).zip(errors) {
        assert!((t - g).abs() < 4.0 * e && e < 0.01, "{t} {g} ± {e}");
    }
}

#[test]
fn the_same_bits_on_any_number_of_threads() {
    let inputs = inputs(polar([0, 1, 2], SCALES), vec![polar([2, 0, 1], [0.15, 0.8, 2.0])]);
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let settings = Settings { chunk: Some(9), ..settings(50) };
        pool.install(|| bits(&run(&BOTH.map(String::from), &inputs, &settings, &|_, _| {}).unwrap()))
    };
    assert_eq!(with(1), with(3));
}

#[test]
fn models_must_emit_the_same_data() {
    let inputs = inputs(polar([0, 1, 2], SCALES), vec![Explicit::linear(1, vec![1.0, 2.0])]);
    let error = run(&["dimension-matching".into()], &inputs, &settings(5), &|_, _| {}).unwrap_err();
    assert!(error.to_string().contains("3 values a sample, further model 1 gives 2"), "{error}");
    let alone = crate::explicit::inputs(polar([0, 1, 2], SCALES));
    let error = run(&["dimension-matching".into()], &alone, &settings(5), &|_, _| {}).unwrap_err();
    assert!(error.to_string().contains("second model"), "{error}");
}

/// Intervals of the entries of the cross information cover the truth.
#[test]
fn intervals_cover() {
    // At the angle z₀ between the columns: I = −E log |sin z₀|; for a standard normal z₀ with the columns at 1 + 0.3 z₀.
    let first = || Explicit::new(1, 2, |z| vec![z[0], 0.0], |_| vec![1.0, 0.0]);
    let turning = || Explicit::new(1, 2, |z| vec![z[0], 0.0], |z| vec![(1.0 + 0.1 * z[0]).cos(), (1.0 + 0.1 * z[0]).sin()]);
    let (h, mut truth) = (1e-3, 0.0);
    for k in -8000..8000 {
        let z = (f64::from(k) + 0.5) * h;
        truth -= h * (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt() * (1.0 + 0.1 * z).sin().abs().ln();
    }
    let other = Other { decoder: Arc::new(turning()), encoder: Some(Arc::new(Formula(2, 1, |x| vec![x[0]]))) };
    let inputs = Inputs { decoder: Some(Arc::new(first())), others: vec![other], ..Inputs::default() };
    let mut covered = 0;
    for seed in 0..1000 {
        let settings = Settings { seed, ..settings(100) };
        let report = run(&["cross-mutual-information".into()], &inputs, &settings, &|_, _| {}).unwrap();
        let (low, high) = report.estimates[0].interval.as_ref().unwrap();
        let [low, high] = [low, high].map(|end| crate::explicit::vector(end)[0]);
        covered += usize::from(low <= truth && truth <= high);
    }
    assert!((930..=970).contains(&covered), "{covered}");
}

/// An encoder written down as a formula: D, d, x → z.
struct Formula(usize, usize, fn(&[f64]) -> Vec<f64>);

impl Encoder for Formula {
    fn data_dim(&self) -> usize {
        self.0
    }

    fn latent_dim(&self) -> usize {
        self.1
    }

    fn encode(&self, data: ArrayView2<'_, f64>, _: Option<ArrayView2<'_, f64>>) -> latlas::error::Result<Posterior> {
        let rows: Vec<f64> = data.outer_iter().flat_map(|x| (self.2)(&x.to_vec())).collect();
        Ok(Posterior { mean: Array2::from_shape_vec((data.nrows(), self.1), rows).unwrap(), logvar: None })
    }
}
