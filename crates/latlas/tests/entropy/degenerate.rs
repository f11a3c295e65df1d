//! Input that is poor or broken has a defined answer.

use std::sync::Arc;

use crate::explicit::{Explicit, entropy, inputs, of, settings};
use latlas::Error;
use latlas::run::{Inputs, Settings, run};
use latlas::samples::Prior;
use ndarray::{Array2, Array3};

const H0: f64 = 1.418_938_533_204_672_7;

fn one(id: &str, inputs: &Inputs, settings: &Settings) -> Result<latlas::report::Report, Error> {
    run(&[id.into()], inputs, settings, &|_, _| {})
}

#[test]
fn dead_columns_are_minus_infinity_with_their_share() {
    // The second latent moves nothing where it is negative.
    let relu = Explicit::new(2, 2, |z| vec![2.0 * z[0], z[1].max(0.0)], |z| vec![2., 0., 0., f64::from(u8::from(z[1] > 0.0))]);
    let report = entropy(relu, 2000);
    let estimate = report.estimate("manifold-entropy").unwrap();
    let (value, _) = of(&report, "manifold-entropy");
    assert!((value[0] - H0 - 2.0_f64.ln()).abs() < 1e-12 && value[1] == f64::NEG_INFINITY);
    assert!(estimate.caveats.iter().any(|c| c.id == "dead-column"));
    let share = estimate.extra["dead_share"][1].as_f64().unwrap();
    assert!((share - 0.5).abs() < 0.05);
    assert!((estimate.extra["live_mean"][1].as_f64().unwrap() - H0).abs() < 1e-12);
    assert_eq!(estimate.n_used, 2000);
    // Volumes run over the live columns.
    let volume = of(&report, "log-volume").0[0];
    assert!((volume - 2.0_f64.ln()).abs() < 1e-12);
    assert!(report.estimate("total-entropy").unwrap().extra["live_columns"].as_f64().unwrap() < 1.6);
}

#[test]
fn a_latent_that_is_dead_everywhere() {
    let report = entropy(Explicit::linear(2, vec![1., 0., 2., 0.]), 50);
    let estimate = report.estimate("manifold-entropy").unwrap();
    assert_eq!(of(&report, "manifold-entropy").0[1], f64::NEG_INFINITY);
    assert_eq!(estimate.extra["order"], serde_json::json!([0, 1]));
    assert_eq!(estimate.extra["dead_share"][1], 1.0);
    assert!((of(&report, "total-entropy").0[0] - H0 - 0.5 * 5.0_f64.ln()).abs() < 1e-12);
    assert!(of(&report, "total-correlation").0[0].abs() < 1e-12);
}

#[test]
fn parallel_columns_spoil_volumes_but_not_lengths() {
    let parallel = || inputs(Explicit::linear(2, vec![1., 2., 3., 6., -1., -2.]));
    let lengths = one("manifold-entropy", &parallel(), &settings(50)).unwrap();
    assert!((of(&lengths, "manifold-entropy").0[0] - H0 - 0.5 * 11.0_f64.ln()).abs() < 1e-12);
    match one("total-entropy", &parallel(), &settings(50)) {
        Err(Error::TooManyBadSamples { bad: 50, seen: 50, reasons, .. }) => assert!(reasons.contains("rank-deficient")),
        other => panic!("{other:?}"),
    }
    let spectrum = one("jacobian-spectrum", &parallel(), &settings(50)).unwrap();
    assert!(of(&spectrum, "jacobian-spectrum").0[1] < 1e-14);
}

#[test]
fn rare_bad_samples_are_counted_and_frequent_ones_fail_the_run() {
    let broken = |threshold: f64| {
        let j = move |z: &[f64]| vec![if z[0] > threshold { f64::INFINITY } else { 1.0 }];
        inputs(Explicit::new(1, 1, <[f64]>::to_vec, j))
    };
    let report = one("entropy", &broken(2.0), &settings(1000)).unwrap();
    let estimate = report.estimate("total-entropy").unwrap();
    assert_eq!(estimate.n_seen, 1000);
    assert_eq!(estimate.n_seen - estimate.n_used, estimate.dropped["non-finite"]);
    assert!(estimate.dropped["non-finite"] > 5);
    assert!(estimate.caveats.iter().any(|c| c.id == "dropped-samples"));
    assert!(matches!(one("entropy", &broken(1.0), &settings(1000)), Err(Error::TooManyBadSamples { .. })));
    let lenient = Settings { max_bad: 0.5, ..settings(1000) };
    assert!(one("entropy", &broken(1.0), &lenient).is_ok());
}

#[test]
fn one_sample_has_no_standard_error() {
    let report = entropy(Explicit::elementwise(2, f64::sinh, f64::cosh), 1);
    let estimate = report.estimate("total-entropy").unwrap();
    assert!(estimate.standard_error.is_none() && estimate.interval.is_none());
    assert!(estimate.caveats.iter().any(|c| c.id == "too-few-samples"));
    assert!(matches!(one("entropy", &inputs(Explicit::linear(1, vec![1.0])), &settings(0)), Err(Error::TooFewSamples { .. })));
}

#[test]
fn more_latents_than_data_values() {
    let wide = || inputs(Explicit::linear(3, vec![3., 4., 0., 0., 0., 2.]));
    let error = one("total-entropy", &wide(), &settings(50)).unwrap_err();
    assert!(matches!(error, Error::Shape { .. }) && error.to_string().contains("3 latents to 2 values"), "{error}");
    // The group runs what applies.
    let report = one("entropy", &wide(), &settings(50)).unwrap();
    assert!(report.estimate("total-entropy").is_none());
    assert!((of(&report, "manifold-entropy").0[1] - H0 - 4.0_f64.ln()).abs() < 1e-12);
    assert!((of(&report, "jacobian-spectrum").0[0] - 5.0).abs() < 1e-12);
}

#[test]
fn given_jacobians_need_no_decoder() {
    let mut jacobians = Array3::zeros((40, 4, 2));
    jacobians.outer_iter_mut().for_each(|mut j| {
        j[[0, 0]] = 2.0;
        j[[3, 1]] = 3.0;
    });
    let given = Inputs { jacobians: Some(jacobians.into()), ..Inputs::default() };
    let report = one("entropy", &given, &settings(0)).unwrap();
    assert!((of(&report, "total-entropy").0[0] - 2.0 * H0 - 6.0_f64.ln()).abs() < 1e-12);
    assert_eq!(report.settings["jacobian"], "given");
}

#[test]
fn priors_enter_once() {
    let linear = || Explicit::linear(2, vec![2., 1., 0., 1.]);
    let with = |prior: Prior, samples| one("entropy", &Inputs { prior, ..inputs(linear()) }, &settings(samples)).unwrap();
    let geometric = [2.0_f64.ln(), 0.5 * 2.0_f64.ln()];
    let diagonal = with(Prior::Diagonal { mean: vec![5.0, 0.0], std: vec![0.5, 4.0] }, 50);
    let expected = [H0 + 0.5_f64.ln() + geometric[0], H0 + 4.0_f64.ln() + geometric[1]];
    assert!(of(&diagonal, "manifold-entropy").0.iter().zip(expected).all(|(g, e)| (g - e).abs() < 1e-12));
    let uniform = with(Prior::Uniform { low: -1.0, high: 1.0 }, 50);
    assert!((of(&uniform, "total-entropy").0[0] - 2.0 * 2.0_f64.ln() - 2.0_f64.ln()).abs() < 1e-12);
    // Two far components that share an axis: the latents know log 2 of each other.
    let mixture = Prior::Mixture { weights: vec![0.5; 2], means: vec![vec![-50.0; 2], vec![50.0; 2]], stds: vec![vec![1.0; 2]; 2] };
    let mixture = with(mixture, 2000);
    let correlation = mixture.estimate("total-correlation").unwrap();
    assert!((correlation.extra["prior_part"].as_f64().unwrap() - 2.0_f64.ln()).abs() < 1e-9);
    assert!((correlation.extra["geometric"].as_f64().unwrap() - 0.5 * 2.0_f64.ln()).abs() < 1e-12);
    let (entropy, error) = of(&mixture, "total-entropy");
    assert!((entropy[0] - 2.0 * H0 - 2.0 * 2.0_f64.ln()).abs() < 4.0 * error[0]);
    let rows = Prior::empirical(&Array2::from_shape_fn((10, 2), |(i, j)| (i + j) as f64)).unwrap();
    let empirical = with(rows, 50);
    assert!((of(&empirical, "manifold-entropy").0[0] - geometric[0]).abs() < 1e-12);
    assert!(empirical.estimates[0].caveats.iter().any(|c| c.id == "no-prior-density"));
}

#[test]
fn latents_off_the_prior_are_noticed() {
    let shifted = |shift: f64| {
        let latents = Prior::Normal.draw(1, 0..500, 2) + shift;
        Inputs { latents: Some(latents), ..inputs(Explicit::linear(2, vec![2., 1., 0., 1.])) }
    };
    let fair = one("manifold-entropy", &shifted(0.0), &settings(0)).unwrap();
    assert!(fair.invariants.iter().any(|law| law.id == "latents-match-prior" && law.holds));
    let off = one("manifold-entropy", &shifted(1.0), &settings(0)).unwrap();
    assert!(off.invariants.iter().any(|law| law.id == "latents-match-prior" && !law.holds));
    assert!(off.estimates[0].caveats.iter().any(|c| c.id == "off-prior-latents"));
}

#[test]
fn wrong_input_is_met_with_help() {
    let linear = || inputs(Explicit::linear(2, vec![2., 1., 0., 1.]));
    let error = one("manifold-entropi", &linear(), &settings(10)).unwrap_err();
    assert_eq!(error.hint().unwrap(), "did you mean \"manifold-entropy\"?");
    let wrong_width = Inputs { latents: Some(Array2::zeros((4, 3))), ..linear() };
    assert!(one("entropy", &wrong_width, &settings(10)).unwrap_err().to_string().contains("takes 2 latents a sample, the latents have 3"));
    let mut latents = Array2::zeros((4, 2));
    latents[[2, 1]] = f64::NAN;
    let error = one("entropy", &Inputs { latents: Some(latents), ..linear() }, &settings(10)).unwrap_err();
    assert!(error.to_string().contains("row 2, column 1"), "{error}");
    let data = Inputs { data: Some(Array2::zeros((4, 5))), ..linear() };
    assert!(one("entropy", &data, &settings(10)).unwrap_err().to_string().contains("gives 2 values a sample, the data has 5"));
    assert!(one("entropy", &Inputs::default(), &settings(10)).is_err());
    assert!(run(&[], &linear(), &settings(10), &|_, _| {}).is_err());
    let shared = Arc::new(Explicit::linear(1, vec![1.0]));
    let both = Inputs { decoder: Some(shared), jacobians: Some(Array3::zeros((3, 1, 1)).into()), ..Inputs::default() };
    assert!(one("entropy", &both, &settings(10)).is_err());
}

#[test]
fn dead_columns_never_poison_the_rest() {
    // The second latent moves nothing where it is negative, the third never.
    let j = |z: &[f64]| {
        let live = f64::from(u8::from(z[1] > 0.0));
        vec![2., 0., 0., 1., 0., live, 0., 0., 0., 0., 0., 1., 0., 0., 0., 3.]
    };
    let decoder = Explicit::new(4, 4, <[f64]>::to_vec, j);
    let with = Settings { partition: Some("0-1|2-3".into()), ..settings(500) };
    let report = one("entropy", &inputs(decoder), &with).unwrap();
    let (pairs, _) = of(&report, "pairwise-mutual-information");
    assert!((pairs[3] - 0.5 * 1.1_f64.ln()).abs() < 1e-12 && pairs[1].abs() < 1e-14);
    assert!(pairs[2].is_nan() && pairs[4 * 2 + 3].is_nan());
    for id in ["pairwise-mutual-information", "core-detail", "active-dimensions", "total-entropy"] {
        assert!(report.estimate(id).unwrap().caveats.iter().any(|c| c.id == "dead-column"), "{id}");
    }
    let (shared, error) = of(&report, "core-detail");
    assert!(shared.iter().chain(&error).all(|x| x.is_finite()), "{shared:?} {error:?}");
    let (blocks, _) = of(&report, "block-mutual-information");
    assert!(blocks[1].is_finite() && blocks[1] > 0.0);
    let active = report.estimate("active-dimensions").unwrap();
    assert_eq!((of(&report, "active-dimensions").0[0], &active.extra["rule"]), (3.0, &serde_json::json!("gap")));
    assert!(of(&report, "metric-off-diagonal-share").0[0].is_finite());
}

#[test]
fn parallel_columns_are_counted_pair_by_pair() {
    // The first two latents are parallel where the third is positive.
    let j = |z: &[f64]| vec![1., 2., 0., 0., if z[2] > 0.0 { 0.0 } else { 1.0 }, 0., 0., 0., 1.];
    let lenient = Settings { max_bad: 1.0, partition: Some("0|1|2".into()), ..settings(400) };
    let report = one("entropy", &inputs(Explicit::new(3, 3, <[f64]>::to_vec, j)), &lenient).unwrap();
    let pairs = report.estimate("pairwise-mutual-information").unwrap();
    let (value, _) = of(&report, "pairwise-mutual-information");
    assert!((value[1] + (1.0 / 5.0_f64.sqrt()).ln()).abs() < 1e-12 && value[2].abs() < 1e-14, "{value:?}");
    let count = pairs.extra["unresolved"]["count"].as_u64().unwrap();
    assert!((150..250).contains(&count) && pairs.extra["unresolved"]["pairs"] == 1);
    let share = count as f64 / 400.0;
    assert!((pairs.extra["mean_cos2"][0][1].as_f64().unwrap() - (share + 0.8 * (1.0 - share))).abs() < 1e-12);
    assert!(pairs.caveats.iter().any(|c| c.id == "unresolved-parallel"));
    assert_eq!(report.estimate("block-mutual-information").unwrap().extra["blocks"][0]["unresolved"], count);
    assert_eq!(report.estimate("total-entropy").unwrap().dropped["rank-deficient"] as u64, count);
    // Parallel everywhere: no mean, and everything else.
    let always = Explicit::linear(2, vec![1., 2., 3., 6., -1., -2.]);
    let report = one("pairwise-mutual-information", &inputs(always), &settings(20)).unwrap();
    assert!(of(&report, "pairwise-mutual-information").0[1].is_nan());
    let extra = &report.estimates[0].extra;
    assert!((extra["mean_cos2"][0][1].as_f64().unwrap() - 1.0).abs() < 1e-14);
    assert_eq!((&extra["median"][0][1], &extra["unresolved"]["count"]), (&serde_json::json!("inf"), &serde_json::json!(20)));
}

#[test]
fn one_latent_and_few_samples() {
    let report = entropy(Explicit::elementwise(1, f64::sinh, f64::cosh), 20);
    assert!(report.estimate("pairwise-mutual-information").is_none() && report.estimate("core-detail").is_none());
    assert_eq!(of(&report, "active-dimensions").0, [1.0]);
    assert!(of(&report, "total-correlation").0[0].abs() < 1e-15);
    let error = one("core-detail", &inputs(Explicit::linear(1, vec![1.0])), &settings(5)).unwrap_err();
    assert!(error.to_string().contains("needs two latents"), "{error}");
    for samples in [1, 2, 3] {
        let report = entropy(Explicit::elementwise(5, f64::sinh, f64::cosh), samples);
        for estimate in &report.estimates {
            assert!(estimate.caveats.iter().any(|c| c.id == "too-few-samples"), "{}", estimate.id);
            assert_eq!(estimate.standard_error.is_some(), samples > 1, "{} {samples}", estimate.id);
        }
        assert!(report.estimate("pairwise-mutual-information").is_some());
    }
}

#[test]
fn broken_rows_of_a_dump_are_counted() {
    let mut jacobians = Array3::from_shape_fn((100, 6, 3), |(s, j, i)| (((s * 18 + j * 3 + i) as f64).powi(2) * 0.7).sin());
    jacobians[[7, 2, 1]] = f64::NAN;
    jacobians[[8, 0, 0]] = f64::INFINITY;
    let given = Inputs { jacobians: Some(jacobians.into()), ..Inputs::default() };
    let with = Settings { partition: Some("0|rest".into()), max_bad: 0.03, ..settings(0) };
    let report = one("entropy", &given, &with).unwrap();
    for estimate in &report.estimates {
        assert_eq!((estimate.n_seen, estimate.n_used, estimate.dropped["non-finite"]), (100, 98, 2), "{}", estimate.id);
    }
    let (pairs, error) = of(&report, "pairwise-mutual-information");
    assert!(pairs.iter().zip(&error).filter(|(x, _)| !x.is_nan()).all(|(x, e)| x.is_finite() && e.is_finite()));
    assert!(matches!(one("entropy", &given, &Settings { max_bad: 0.01, ..with }), Err(Error::TooManyBadSamples { bad: 2, .. })));
}

#[test]
fn more_latents_than_values_have_pairs_but_no_volumes() {
    let wide = inputs(Explicit::linear(3, vec![3., 4., 0., 0., 0., 2.]));
    let with = Settings { partition: Some("0|1-2".into()), ..settings(50) };
    let report = one("entropy", &wide, &with).unwrap();
    let (pairs, _) = of(&report, "pairwise-mutual-information");
    assert!(pairs[1].is_nan() && pairs[2].abs() < 1e-14, "parallel, orthogonal: {pairs:?}");
    for id in ["core-detail", "block-mutual-information", "total-correlation", "on-manifold-log-likelihood"] {
        assert!(report.estimate(id).is_none(), "{id}");
    }
    assert_eq!(of(&report, "active-dimensions").0[0], 3.0);
}
