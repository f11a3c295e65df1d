//! Pairs, groups, cores, counts and boundaries of latents against known answers.

use std::f64::consts::{FRAC_PI_4, FRAC_PI_8};
use std::sync::Arc;

use crate::explicit::{Explicit, inputs, of, settings, vector};
use latlas::error::Result;
use latlas::estimate::Estimate;
use latlas::models::{Encoder, Posterior};
use latlas::report::Report;
use latlas::run::{Inputs, Settings, run};
use latlas::samples::Prior;
use latlas::settings::OrderSource;
use ndarray::{Array1, Array2, Array3, ArrayView2};
use serde_json::Value as Json;

const H0: f64 = 1.418_938_533_204_672_7;

fn with(inputs: &Inputs, settings: &Settings) -> Report {
    run(&["entropy".into()], inputs, settings, &|_, _| {}).unwrap()
}

/// Every estimator of the group on a linear map, with a partition.
fn linear(d: usize, j: Vec<f64>, partition: &str) -> Report {
    let partition = Some(partition.to_string());
    with(&inputs(Explicit::linear(d, j)), &Settings { partition, order: OrderSource::Native, ..settings(40) })
}

fn estimate<'a>(report: &'a Report, id: &str) -> &'a Estimate {
    report.estimate(id).unwrap()
}

fn number(json: &Json) -> f64 {
    json.as_f64().unwrap()
}

fn near(got: f64, expected: f64, tolerance: f64) {
    assert!((got - expected).abs() < tolerance, "{got}, expected {expected}");
}

/// The pairwise information of latents i and j.
fn pair(report: &Report, i: usize, j: usize) -> f64 {
    let matrix = of(report, "pairwise-mutual-information").0;
    let d = (matrix.len() as f64).sqrt() as usize;
    assert!(matrix[i * d + i].is_nan() && (matrix[i * d + j] == matrix[j * d + i] || matrix[i * d + j].is_nan()));
    matrix[i * d + j]
}

#[test]
fn the_plane() {
    let report = linear(2, vec![2., 1., 0., 1.], "0|1");
    let half_log_2 = 0.5 * 2.0_f64.ln();
    near(pair(&report, 0, 1), half_log_2, 1e-12);
    near(of(&report, "block-mutual-information").0[1], half_log_2, 1e-12);
    near(number(&estimate(&report, "total-correlation").extra["partition"]["value"]), half_log_2, 1e-12);
    near(of(&report, "core-detail").0[1], half_log_2, 1e-12);
    near(number(&estimate(&report, "pairwise-mutual-information").extra["r2"][0][1]), 0.5, 1e-12);
    near(number(&estimate(&report, "pairwise-mutual-information").extra["mean_cos2"][0][1]), 0.5, 1e-12);
    let angles = &estimate(&report, "block-mutual-information").extra["blocks"][0]["principal_angles"]["degrees"];
    near(number(&angles[0]), 45.0, 1e-10);
    assert!(report.invariants.iter().all(|law| law.holds), "{:?}", report.invariants);
    assert!(report.invariants.iter().any(|law| law.id == "fischer") && report.invariants.iter().any(|law| law.id == "decomposition"));
}

#[test]
fn three_latents_in_four_dimensions() {
    let report = linear(3, vec![1., 1., 0., 0., 1., 1., 0., 0., 1., 1., 0., 1.], "0-1|2");
    near(pair(&report, 0, 1), 0.143_841_036_2, 1e-10);
    near(pair(&report, 0, 2), 0.091_160_778_4, 1e-10);
    near(pair(&report, 1, 2), 0.091_160_778_4, 1e-10);
    let block = of(&report, "block-mutual-information").0[1];
    near(block, 0.125_657_214_1, 1e-10);
    let correlation = of(&report, "total-correlation").0[0];
    near(pair(&report, 0, 1) + block, correlation, 1e-12);
    near(number(&estimate(&report, "total-correlation").extra["partition"]["value"]), block, 1e-12);
    // Cores in the latents' own order.
    let core = estimate(&report, "core-detail");
    assert_eq!((&core.extra["latent_order"], &core.extra["order_source"]), (&serde_json::json!([0, 1, 2]), &serde_json::json!("native")));
    near(vector(&core.value)[2], block, 1e-12);
    near(number(&core.extra["h_core"][1]), H0 + 0.5 * 2.0_f64.ln(), 1e-12);
    near(number(&core.extra["h_detail"][2]), H0 + 0.5 * 3.0_f64.ln(), 1e-12);
    near(number(&core.extra["h_core"][3]), 3.0 * H0 + 0.5 * 7.0_f64.ln(), 1e-12);
    let chain: f64 = core.extra["chain"].as_array().unwrap().iter().map(number).sum();
    near(chain, correlation, 1e-12);
    near(number(&core.extra["chain"][1]), pair(&report, 0, 1), 1e-12);
    // The entropy of a set that was asked for.
    let sets = Settings { sets: vec!["0,2".into(), "1".into()], ..settings(10) };
    let report = with(&inputs(Explicit::linear(3, vec![1., 1., 0., 0., 1., 1., 0., 0., 1., 1., 0., 1.])), &sets);
    let set = &estimate(&report, "manifold-entropy").extra["sets"][0];
    near(number(&set["value"]), 2.0 * H0 + 0.5 * 5.0_f64.ln(), 1e-12);
    let shared = of(&report, "block-mutual-information").0[1];
    near(shared, 0.5 * (5.0_f64 * 2.0 / 7.0).ln(), 1e-12);
}

#[test]
fn rotated_axes() {
    for (angle, expected) in [(0.0, 0.0), (FRAC_PI_8, 0.317_994_383_4), (FRAC_PI_4, (5.0_f64 / 3.0).ln())] {
        let (sin, cos) = angle.sin_cos();
        let report = linear(2, vec![3.0 * cos, -3.0 * sin, sin, cos], "0|1");
        near(of(&report, "total-correlation").0[0], expected, 1e-10);
        near(pair(&report, 0, 1), expected, 1e-10);
        near(of(&report, "total-entropy").0[0], 3.936_489_355_1, 1e-10);
    }
}

#[test]
fn pairs_and_total_are_not_ordered() {
    for (rho, total, of_pair) in [(0.5, 0.346_573_590_3, 0.143_841_036_2), (-0.499, 2.702_505_830_1, 0.143_175_479_4)] {
        // The columns of the upper triangular root of a matrix of equal cosines.
        let b = f64::sqrt(1.0 - rho * rho);
        let c = (rho - rho * rho) / b;
        let report = linear(3, vec![1., rho, rho, 0., b, c, 0., 0., f64::sqrt(1.0 - rho * rho - c * c)], "0|1|2");
        near(of(&report, "total-correlation").0[0], total, 1e-9);
        near(pair(&report, 0, 2), of_pair, 1e-10);
    }
}

#[test]
fn shears() {
    for (c, expected) in [(0.5, 0.111_571_775_7), (1.0, 0.346_573_590_3), (2.0, 0.804_718_956_2)] {
        near(pair(&linear(2, vec![1., 0., c, 1.], "0|1"), 0, 1), expected, 1e-10);
    }
}

/// Jacobians with independent normal entries: columns in random directions.
fn random_jacobians(n: usize, big_d: usize, d: usize) -> Array3<f64> {
    let draws = Prior::Normal.draw(17, 0..n as u64, big_d * d);
    draws.into_shape_with_order((n, big_d, d)).unwrap()
}

#[test]
fn random_columns_meet_their_null() {
    let given = Inputs { jacobians: Some(random_jacobians(3000, 12, 7).into()), ..Inputs::default() };
    let settings = Settings { partition: Some("0-2|rest".into()), order: OrderSource::Native, ..settings(0) };
    let report = with(&given, &settings);
    let pairs = estimate(&report, "pairwise-mutual-information");
    let mean = &pairs.extra["mean"];
    let null = number(&pairs.extra["null"]["value"]);
    assert!((number(&mean["value"]) - null).abs() < 4.0 * number(&mean["standard_error"]), "{mean} {null}");
    let shuffled = &pairs.extra["permutation_null"];
    assert!((number(&shuffled["value"]) - null).abs() < 4.0 * number(&shuffled["standard_error"]), "{shuffled} {null}");
    for (i, j) in [(0, 1), (2, 5), (5, 6)] {
        assert!((pair(&report, i, j) - null).abs() < 4.0 * 0.06 / 3000_f64.sqrt(), "{i} {j}");
    }
    let block = &estimate(&report, "block-mutual-information").extra["blocks"][0];
    near(number(&block["null"]["value"]), 0.770_634_920_6, 1e-9);
    for (found, what) in
        [(number(&block["null"]["z_score"]), "block"), (number(&estimate(&report, "total-correlation").extra["null"]["z_score"]), "all")]
    {
        assert!(found.abs() < 4.0, "{what}: {found}");
    }
    let correlation = &estimate(&report, "total-correlation").extra;
    let total = number(&correlation["null"]["value"]);
    for (shuffled, expected) in [(&block["permutation_null"], 0.770_634_920_6), (&correlation["permutation_null"], total)] {
        assert!((number(&shuffled["value"]) - expected).abs() < 4.0 * number(&shuffled["standard_error"]), "{shuffled} {expected}");
    }
    // E cos² of a pair is 1/D, and Σ cos² of the principal angles of two subspaces pq/D.
    near(number(&pairs.extra["mean_cos2"][0][3]), 1.0 / 12.0, 4.0 * 0.11 / 3000_f64.sqrt());
    near(number(&block["overlap"]["value"]), 3.0 * 4.0 / 12.0 / 3.0, 4.0 * number(&block["overlap"]["standard_error"]));
    let core = estimate(&report, "core-detail");
    let (value, error) = of(&report, "core-detail");
    for c in 1..7 {
        assert!((value[c] - number(&core.extra["null"][c])).abs() < 4.0 * error[c]);
    }
    assert_eq!(of(&report, "block-boundaries").0, [0.0]);
}

/// Ten pairs of polar coordinates in 20 dimensions, turned by a product of reflections.
fn polar_pairs() -> Explicit {
    let decay = |k: usize| (-1.5 * k as f64 / 9.0).exp();
    let (angle, radius) = (move |k: usize| 2.0 * std::f64::consts::PI * 0.07 * decay(k), move |k: usize| 0.05 * decay(k));
    let turn = |mut x: Array2<f64>| {
        for m in 0..3_u32 {
            let v = Array1::from_shape_fn(20, |i| (f64::from(m + 2) * (i as f64 + 1.0) * 0.7).sin());
            let scale = 2.0 / v.dot(&v);
            let along = v.dot(&x) * scale;
            for (i, mut row) in x.outer_iter_mut().enumerate() {
                row.scaled_add(-v[i], &along);
            }
        }
        x
    };
    let point = move |z: &[f64]| {
        let mut x = Array2::zeros((20, 1));
        for k in 0..10 {
            let (r, theta) = (1.0 + radius(k) * z[2 * k + 1], std::f64::consts::FRAC_PI_2 + angle(k) * z[2 * k]);
            x[[2 * k, 0]] = r * theta.cos();
            x[[2 * k + 1, 0]] = r * theta.sin();
        }
        turn(x).into_raw_vec_and_offset().0
    };
    let jacobian = move |z: &[f64]| {
        let mut j = Array2::zeros((20, 20));
        for k in 0..10 {
            let (r, theta) = (1.0 + radius(k) * z[2 * k + 1], std::f64::consts::FRAC_PI_2 + angle(k) * z[2 * k]);
            j[[2 * k, 2 * k]] = -r * angle(k) * theta.sin();
            j[[2 * k + 1, 2 * k]] = r * angle(k) * theta.cos();
            j[[2 * k, 2 * k + 1]] = radius(k) * theta.cos();
            j[[2 * k + 1, 2 * k + 1]] = radius(k) * theta.sin();
        }
        turn(j).into_iter().collect()
    };
    Explicit::new(20, 20, point, jacobian)
}

#[test]
fn ten_polar_pairs() {
    let report = with(&inputs(polar_pairs()), &settings(4000));
    let (total, error) = of(&report, "total-entropy");
    assert!((total[0] + 24.796_644).abs() < 4.0 * error[0] + 1e-6, "{total:?} ± {error:?}");
    let (entropies, error) = of(&report, "manifold-entropy");
    for (i, expected) in [(0, 0.596_301), (18, -0.902_507), (1, -1.576_794), (19, -3.076_794)] {
        assert!((entropies[i] - expected).abs() < 4.0 * error[i] + 1e-6, "{i}: {}", entropies[i]);
    }
    assert!(of(&report, "pairwise-mutual-information").0.iter().all(|x| x.is_nan() || x.abs() < 1e-20));
    assert!(of(&report, "total-correlation").0[0].abs() < 1e-11);
    let by_angle: Vec<f64> = estimate(&report, "core-detail").extra["latent_order"].as_array().unwrap().iter().map(number).collect();
    assert_eq!(by_angle[..3], [0.0, 2.0, 4.0]);
    assert!(report.invariants.iter().all(|law| law.holds), "{:?}", report.invariants);
}

/// Nothing simple: three latents in five dimensions, with a map after the decoder and scales before it.
fn tangle(after: Array2<f64>, mixing: Array2<f64>) -> Inputs {
    let base = |z: &[f64]| -> Array2<f64> {
        Array2::from_shape_fn((5, 3), |(k, i)| ((k as f64 + 1.0) * 0.4 * z[i] + i as f64).cos() + 0.2 * z[(i + 1) % 3] * (k as f64 - 2.0))
    };
    let j = move |z: &[f64]| after.dot(&base(z)).dot(&mixing).into_iter().collect();
    inputs(Explicit::new(3, 5, |_| vec![0.0; 5], j))
}

#[test]
fn what_changes_nothing_changes_nothing() {
    let settings = Settings { partition: Some("0-1|2".into()), order: OrderSource::Native, ..settings(50) };
    let (eye, same) = (Array2::eye(5), Array2::eye(3));
    let find = |after: &Array2<f64>, mixing: &Array2<f64>| with(&tangle(after.clone(), mixing.clone()), &settings);
    let reference = find(&eye, &same);
    let all = ["total-correlation", "pairwise-mutual-information", "block-mutual-information", "core-detail"];
    let equal = |report: &Report, ids: &[&str]| {
        for id in ids {
            for (a, b) in of(report, id).0.iter().zip(&of(&reference, id).0) {
                assert!((a - b).abs() < 1e-11 || a.is_nan() && b.is_nan(), "{id}: {a} {b}");
            }
        }
    };
    let entropy = |report: &Report, i: usize| of(report, "manifold-entropy").0[i];
    let total = |report: &Report| of(report, "total-entropy").0[0];

    let mut scaled = same.clone();
    scaled[[1, 1]] = -3.0;
    let report = find(&eye, &scaled);
    equal(&report, &all);
    near(entropy(&report, 1) - entropy(&reference, 1), 3.0_f64.ln(), 1e-12);
    near(total(&report) - total(&reference), 3.0_f64.ln(), 1e-12);

    let v = Array1::from(vec![1., -2., 0.5, 0.3, 1.]);
    let reflection = Array2::from_shape_fn((5, 5), |(i, j)| f64::from(u8::from(i == j)) - 2.0 * v[i] * v[j] / v.dot(&v));
    let report = find(&reflection, &same);
    equal(&report, &all);
    equal(&report, &["manifold-entropy", "total-entropy", "metric-off-diagonal-share", "jacobian-spectrum"]);

    let report = find(&(&eye * 7.0), &same);
    equal(&report, &all);
    for i in 0..3 {
        near(entropy(&report, i) - entropy(&reference, i), 7.0_f64.ln(), 1e-12);
    }

    let mut swapped = Array2::zeros((3, 3));
    swapped[[0, 1]] = 1.0;
    swapped[[1, 0]] = 1.0;
    swapped[[2, 2]] = 1.0;
    let report = find(&eye, &swapped);
    equal(&report, &["total-correlation", "block-mutual-information"]);
    near(pair(&report, 0, 2), pair(&reference, 1, 2), 1e-12);

    // Mixing within a block leaves what the blocks share.
    let mixed = Array2::from_shape_vec((3, 3), vec![1., 4., 0., -2., 0.5, 0., 0., 0., 1.]).unwrap();
    let report = find(&eye, &mixed);
    near(of(&report, "block-mutual-information").0[1], of(&reference, "block-mutual-information").0[1], 1e-11);
    assert!((pair(&report, 0, 1) - pair(&reference, 0, 1)).abs() > 0.01);
}

#[test]
fn companions_of_one_jacobian() {
    let report = linear(2, vec![2., 1., 0., 1.], "0|1");
    // G = [[4, 2], [2, 2]].
    near(of(&report, "metric-off-diagonal-share").0[0], 4.0 / 6.0, 1e-12);
    near(of(&report, "orthogonal-jacobian-penalty").0[0], 4.0, 1e-12);
    let (s1, s2) = (2.288_245_61_f64.powi(2) / 6.0, 0.874_032_05_f64.powi(2) / 6.0);
    near(of(&report, "local-intrinsic-dimension").0[0], (-s1 * s1.ln() - s2 * s2.ln()).exp(), 1e-7);
    let (likelihood, error) = of(&report, "on-manifold-log-likelihood");
    assert!((likelihood[0] + of(&report, "total-entropy").0[0]).abs() < 4.0 * error[0]);
    let by_alias = run(&["ima-contrast".into()], &inputs(Explicit::linear(2, vec![2., 1., 0., 1.])), &settings(10), &|_, _| {}).unwrap();
    assert_eq!(by_alias.estimates[0].id, "total-correlation");
}

#[test]
fn latents_in_use_are_counted() {
    let diagonal = |scales: [f64; 4]| {
        let j = (0..16).map(|k| if k / 4 == k % 4 { scales[k / 4] } else { 0.0 }).collect();
        inputs(Explicit::linear(4, j))
    };
    let count = |inputs: &Inputs, settings: &Settings| {
        let report = with(inputs, settings);
        let found = report.estimate("active-dimensions").unwrap().clone();
        let (low, high) = found.interval.as_ref().map(|(low, high)| (vector(low)[0], vector(high)[0])).unwrap();
        (vector(&found.value)[0], found.extra["rule"].as_str().unwrap().to_string(), low, high)
    };
    let said = |n: f64, rule: &str| (n, rule.to_string(), n, n);
    assert_eq!(count(&diagonal([0.01, 5.0, 0.012, 4.0]), &settings(50)), said(2.0, "gap"));
    assert_eq!(count(&diagonal([4.0, 5.0, 4.5, 3.5]), &settings(50)), said(4.0, "no-cliff"));
    assert_eq!(count(&diagonal([0.0, 5.0, 4.5, 3.5]), &settings(50)), said(3.0, "gap"));
    let tau = |tau: f64| Settings { noise_scale: Some(tau), ..settings(50) };
    assert_eq!(count(&diagonal([4.0, 5.0, 4.5, 3.5]), &tau(4.2)), said(2.0, "threshold"));
    assert_eq!(count(&diagonal([4.0, 5.0, 4.5, 3.5]), &tau(6.0)), said(0.0, "collapsed"));
    // A cliff that the samples cannot decide: the second latent's entropy has a heavy spread.
    let wild = |z: &[f64]| vec![1., 0., 0., 0., (3.0 * z[0]).exp(), 0., 0., 0., 0.4];
    let report = with(&inputs(Explicit::new(3, 3, <[f64]>::to_vec, wild)), &settings(40));
    assert_eq!(estimate(&report, "active-dimensions").extra["rule"], "no-cliff");
}

/// z = x.
struct Identity;

impl Encoder for Identity {
    fn data_dim(&self) -> usize {
        4
    }

    fn latent_dim(&self) -> usize {
        4
    }

    fn encode(&self, data: ArrayView2<'_, f64>, _: Option<ArrayView2<'_, f64>>) -> Result<Posterior> {
        Ok(Posterior { mean: data.to_owned(), logvar: None })
    }
}

#[test]
fn small_codes_with_large_effects_are_found() {
    let j = vec![1., 0., 0., 0., 0., 0.5, 0., 0., 0., 0., 300., 0., 0., 0., 0., 0.1];
    let prior = Prior::Diagonal { mean: vec![0.0; 4], std: vec![1.0, 0.9, 0.01, 0.012] };
    let given = Inputs { prior, ..inputs(Explicit::linear(4, j)) };
    let report = with(&given, &settings(60));
    let found = estimate(&report, "hidden-dimensions");
    assert_eq!(vector(&found.value), [1.0]);
    assert_eq!(found.extra["hidden"][0]["index"], 2);
    near(number(&found.extra["hidden"][0]["std"]), 0.01, 1e-12);
    near(number(&found.extra["spearman"]["value"]), -0.2, 1e-12);
    // Spreads of codes come from data and encoder, within the classes.
    let shift = |s: usize| if s.is_multiple_of(2) { 50.0 } else { 0.0 };
    let std = [1.0, 0.9, 0.01, 0.012];
    let data = Array2::from_shape_fn((200, 4), |(s, i)| shift(s) + std[i] * ((s * (i + 3)) as f64 * 0.7).sin() * 2.0_f64.sqrt());
    let labels = Some((0..200).map(|s| s % 2).collect());
    let j = vec![1., 0., 0., 0., 0., 0.5, 0., 0., 0., 0., 300., 0., 0., 0., 0., 0.1];
    let given = Inputs { data: Some(data), labels, encoder: Some(Arc::new(Identity)), ..inputs(Explicit::linear(4, j)) };
    let report = with(&given, &settings(60));
    let found = estimate(&report, "hidden-dimensions");
    assert_eq!(found.extra["hidden"][0]["index"], 2);
    for (spread, expected) in found.extra["std"].as_array().unwrap().iter().zip(std) {
        near(number(spread) / expected, 1.0, 0.05);
    }
    // Drawn from N(0, I), spreads are equal by declaration.
    let error = run(&["hidden-dimensions".into()], &inputs(Explicit::linear(2, vec![1., 0., 0., 1.])), &settings(10), &|_, _| {});
    assert!(error.unwrap_err().hint().unwrap().contains("--encoder"));
}

/// Columns that share a direction of their own with the others of their block.
fn blocks(ends: &[usize]) -> Inputs {
    let d = *ends.last().unwrap();
    let (n, big_d) = (400, 60);
    let mut j = random_jacobians(n, big_d, d);
    let common = Prior::Normal.draw(23, 0..n as u64, big_d * ends.len());
    for s in 0..n {
        for i in 0..d {
            let block = ends.iter().position(|end| i < *end).unwrap();
            for row in 0..big_d {
                j[[s, row, i]] += 1.5 * common[[s, block * big_d + row]];
            }
        }
    }
    Inputs { jacobians: Some(j.into()), ..Inputs::default() }
}

#[test]
fn boundaries_of_blocks_are_found() {
    let report = with(&blocks(&[5, 12, 20]), &settings(0));
    let found = estimate(&report, "block-boundaries");
    let cuts: Vec<f64> = found.extra["boundaries"].as_array().unwrap().iter().map(|b| number(&b["cut"])).collect();
    assert_eq!(cuts, [5.0, 12.0], "{:?}", found.extra["score"]);
    assert!(number(&found.extra["boundaries"][0]["mutual_information"]["value"]) > 0.0);
    assert!(found.standard_error.is_some() && found.extra["score"].as_array().unwrap().len() == 19);
}
