//! Scores that hold a factor fixed, the parts of the rate, and the attack.

use latlas::data::builtin_model;
use latlas::data::sprites::{self, Style};
use latlas::error::Result;
use latlas::estimate::{Estimate, Value};
use latlas::models::encoder::Posterior;
use latlas::models::onnx::Options;
use latlas::models::{Encoder, OnnxDecoder, OnnxEncoder};
use latlas::run::{CodeInputs, Dtype, Inputs, Settings};
use latlas::settings::Preset;
use ndarray::{Array2, ArrayView2};
use std::sync::Arc;

use crate::rows::{Rows, caveats, close, entries, estimate, numbers, scalar};

/// The codes of a whole grid.
fn table(sizes: &[usize], code: impl Fn(&[f64]) -> Vec<f64>) -> Inputs {
    let rows = Rows::grid(sizes, 1, code);
    Inputs { codes: CodeInputs { table: Some((sizes.to_vec(), rows.codes)), ..CodeInputs::default() }, ..Inputs::default() }
}

fn study(inputs: &Inputs, id: &str) -> Estimate {
    estimate(inputs, id, &Settings { preset: Preset::Study2019, ..Settings::default() })
}

/// The matrix of an estimate lies within a tolerance of the expected one.
fn assert_near(found: &Estimate, expected: &[&[f64]], tolerance: f64) {
    for (found, expected) in entries(found).iter().zip(expected) {
        for (x, e) in found.iter().zip(*expected) {
            assert!((x - e).abs() < tolerance, "{x} {e}");
        }
    }
}

#[test]
fn aligned_codes_of_a_grid() {
    let grid = table(&[2, 3], <[f64]>::to_vec);
    let beta = study(&grid, "beta-vae-score");
    close(scalar(&beta), 1.0);
    // Rows are codes: the mean difference is 0 where the code's own factor is shared. 15,000 batches of 64 pairs.
    assert_near(&beta, &[&[0.0, 0.5], &[8.0 / 9.0, 0.0]], 0.005);
    assert!(caveats(&beta).contains(&"saturated") && !caveats(&beta).contains(&"not-full-grid"));
    close(scalar(&study(&grid, "factor-vae-score")), 1.0);
    // 10,000 rows are drawn, in which the factors are independent only nearly.
    assert!((scalar(&study(&grid, "mig")) - 1.0).abs() < 2e-3);
}

#[test]
fn mixed_codes_of_a_grid() {
    let grid = table(&[2, 2, 4], |y| vec![2.0 * y[0] + y[1], 4.0 * y[0] + y[2]]);
    // Fixing a, b, c leaves ratios (.2, .238), (.8, 1), (1, .762): codes 0, 0 and 1 vote, so one of two factors is lost.
    let factor = study(&grid, "factor-vae-score");
    assert!((scalar(&factor) - 2.0 / 3.0).abs() < 0.05, "{}", scalar(&factor));
}

#[test]
fn leaning_codes_of_a_grid() {
    let sign = |y: f64| 2.0 * y - 1.0;
    let grid = table(&[2, 2], |y| vec![sign(y[0]) + 0.5 * sign(y[1]), sign(y[1]) + 0.5 * sign(y[0])]);
    let beta = study(&grid, "beta-vae-score");
    assert_near(&beta, &[&[0.5, 1.0], &[1.0, 0.5]], 0.01);
    close(scalar(&beta), 1.0);
    close(scalar(&study(&grid, "factor-vae-score")), 1.0);
}

#[test]
fn rows_stand_in_for_a_grid() {
    let rows = Rows::grid(&[2, 3], 40, <[f64]>::to_vec);
    for id in ["beta-vae-score", "factor-vae-score"] {
        let found = rows.estimate(id, Preset::Latlas);
        close(scalar(&found), 1.0);
        assert!(caveats(&found).contains(&"not-full-grid"));
        let null = &found.extra["null"]["shuffled"]["value"];
        assert!((null.as_f64().unwrap() - 0.5).abs() < 0.15, "{null}");
    }
}

#[test]
fn constant_codes_never_vote_and_none_score_nothing() {
    let grid = table(&[2, 3], |y| vec![7.0, y[0], y[1]]);
    let factor = study(&grid, "factor-vae-score");
    close(scalar(&factor), 1.0);
    assert_eq!(factor.extra["active_codes"], serde_json::json!([1, 2]));
    // Votes stand under the codes' own numbers.
    let votes = entries(&factor);
    assert!(votes[0].iter().all(|x| *x == 0.0) && votes[1][0] > 0.0 && votes[2][1] > 0.0);
    let constant = table(&[2, 3], |_| vec![7.0, 7.0]);
    close(scalar(&study(&constant, "factor-vae-score")), 0.0);
    let lone = table(&[4], |y| vec![y[0], 2.0 * y[0]]);
    close(scalar(&study(&lone, "factor-vae-score")), 1.0);
    close(scalar(&study(&lone, "beta-vae-score")), 1.0);
    let one = table(&[2, 2], |y| vec![y[0] + 2.0 * y[1]]);
    assert!((scalar(&study(&one, "factor-vae-score")) - 0.5).abs() < 0.03);
}

#[test]
fn the_parts_of_the_rate_of_a_linear_encoder() {
    use latlas::random::{Purpose, Stream};
    // x ~ N(0, 1), q(z|x) = N(a x, diag s): everything is Gaussian.
    for (a, s, [information, correlation, own, rate]) in [
        ([0.8, 0.8], [0.36, 0.36], [0.758_174, 0.263_478, 0.0, 1.021_651]),
        ([0.6, 0.3], [0.5, 0.8], [0.302_841, 0.021_626, 0.008_678, 0.333_145]),
    ] {
        let mut stream = Stream::new(2, Purpose::Directions, 0, 1);
        let x: Vec<f64> = (0..8000).map(|_| stream.normal()).collect();
        let codes = Array2::from_shape_fn((x.len(), 2), |(i, l)| a[l] * x[i]);
        let log_variance = Array2::from_shape_fn((x.len(), 2), |(_, l)| f64::ln(s[l]));
        let codes = CodeInputs { codes: Some(codes), log_variance: Some(log_variance), ..CodeInputs::default() };
        let inputs = Inputs { codes, ..Inputs::default() };
        let found = estimate(&inputs, "elbo-decomposition", &Settings::default());
        let (Value::Vector(values), Some(Value::Vector(errors))) = (&found.value, &found.standard_error) else { panic!() };
        for (k, expected) in [rate, information, correlation, own].into_iter().enumerate() {
            assert!((values[k] - expected).abs() < 4.0 * errors[k] + 0.01, "part {k}: {} ± {} {expected}", values[k], errors[k]);
        }
        let sum = found.extra["sum"]["value"].as_f64().unwrap();
        assert!((values[1] + values[2] + values[3] - sum).abs() < 1e-9);
        let tc = estimate(&inputs, "aggregate-total-correlation", &Settings::default());
        assert_eq!(scalar(&tc), values[2]);
    }
}

#[test]
fn the_rate_of_a_code_is_known() {
    let codes = CodeInputs {
        codes: Some(Array2::ones((50, 1))),
        log_variance: Some(Array2::from_elem((50, 1), 0.25_f64.ln())),
        ..CodeInputs::default()
    };
    let found = estimate(
        &Inputs { codes, ..Inputs::default() },
        "elbo-decomposition",
        &Settings { preset: Preset::Study2019, ..Settings::default() },
    );
    close(numbers(&found.extra["rate_of_code"])[0], 0.818_147);
}

#[test]
fn the_attack_lowers_scores_and_leaves_the_probe_and_the_likelihood() {
    let read = Options::with_dtype(Dtype::F32);
    let decoder = OnnxDecoder::from_bytes("digits-vae", builtin_model("digits-vae").unwrap(), &read).unwrap();
    let encoder = OnnxEncoder::from_bytes("digits-encoder", builtin_model("digits-encoder").unwrap(), &read).unwrap();
    let data = latlas::data::read("builtin:digits").unwrap();
    let labels = latlas::data::read("builtin:digits:labels").unwrap();
    let inputs = Inputs {
        decoder: Some(Arc::new(decoder)),
        encoder: Some(Arc::new(encoder)),
        data: Some(latlas::data::rows(&data, "data", None).unwrap()),
        labels: Some(labels.values.iter().map(|y| *y as i64).collect()),
        ..Inputs::default()
    };
    let found = estimate(&inputs, "rotation-attack", &Settings { samples: 16, ..Settings::default() });
    let change = found.extra["likelihood_change"].as_f64().unwrap();
    assert!(change < 1e-9, "{change}");
    let likelihood = numbers(&found.extra["log_likelihood"]);
    assert!((40.0..55.0).contains(&likelihood[0]), "{}", likelihood[0]);
    let Value::Matrix(rows) = &found.value else { panic!() };
    let probe = &rows[5];
    assert!(probe.iter().filter(|x| x.is_finite()).all(|x| (x - probe[0]).abs() < 1e-3), "{probe:?}");
}

#[test]
fn turns_of_gaussian_codes_are_silent_and_of_others_fire() {
    use latlas::random::{Purpose, Stream};
    let cloud = |uniform: bool| {
        let mut stream = Stream::new(4, Purpose::Directions, 0, 1);
        let codes = Array2::from_shape_simple_fn((4000, 2), || {
            if uniform { if stream.uniform() < 0.5 { -1.0 } else { 1.0 } } else { stream.normal() }
        });
        let factors = codes.mapv(|z| f64::from(u8::from(z > 0.0)));
        let inputs =
            Inputs { codes: CodeInputs { codes: Some(codes), factors: Some(factors), ..CodeInputs::default() }, ..Inputs::default() };
        estimate(&inputs, "rotation-attack", &Settings::default())
    };
    let p = |found: &Estimate| numbers(&found.extra["p_value"])[9];
    let (gaussian, corners) = (cloud(false), cloud(true));
    assert!(p(&gaussian) > 0.01 && p(&corners) < 0.01, "{} {}", p(&gaussian), p(&corners));
    let Value::Matrix(rows) = &gaussian.value else { panic!() };
    assert!(rows[0][0] > 0.8 && rows[0][9] < 0.1, "{:?}", rows[0]);
    assert!(rows[6].iter().all(|tc| *tc < 0.01));
}

/// Area and centre of a sprite.
struct Moments;

impl Encoder for Moments {
    fn data_dim(&self) -> usize {
        Style::Plain.width()
    }

    fn latent_dim(&self) -> usize {
        3
    }

    fn encode(&self, data: ArrayView2<'_, f64>, _: Option<ArrayView2<'_, f64>>) -> Result<Posterior> {
        let mut mean = Array2::zeros((data.nrows(), 3));
        for (picture, mut code) in data.outer_iter().zip(mean.outer_iter_mut()) {
            let (mut area, mut x, mut y) = (0.0, 0.0, 0.0);
            for (place, on) in picture.iter().enumerate() {
                area += on;
                x += on * (place % sprites::SIDE) as f64;
                y += on * (place / sprites::SIDE) as f64;
            }
            (code[0], code[1], code[2]) = (area / 100.0, x / area / 10.0, y / area / 10.0);
        }
        Ok(Posterior { mean, logvar: None })
    }
}

#[test]
fn all_sprites_go_through_an_encoder() {
    let codes = CodeInputs { sprites: Some(Style::Plain), ..CodeInputs::default() };
    let inputs = Inputs { encoder: Some(Arc::new(Moments)), codes, ..Inputs::default() };
    let report = latlas::run::run(&["factor-vae-score".into(), "mig".into()], &inputs, &Settings::default(), &|_, _| ()).unwrap();
    let factor = report.estimate("factor-vae-score").unwrap();
    assert!(!caveats(factor).contains(&"not-full-grid") && caveats(factor).contains(&"constant-factor"));
    // Positions are told by the centre, scale and shape by the area, orientation by nothing.
    let votes = entries(factor);
    assert!(votes[1][3] > 0.9 * votes[1].iter().sum::<f64>() / 2.0 && votes[2][4] > 0.9 * votes[2].iter().sum::<f64>() / 2.0, "{votes:?}");
    let mig = report.estimate("mig").unwrap();
    let gaps = numbers(&mig.extra["per_factor"]);
    assert!(gaps[4] > 0.5 && gaps[5] > 0.5 && gaps[3] < 0.1, "{gaps:?}");
}
