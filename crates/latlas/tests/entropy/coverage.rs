//! Reported intervals mean what they say: 95 % of them cover the truth.

use crate::explicit::{Explicit, inputs, settings, vector};
use latlas::run::run;
use latlas::settings::{OrderSource, Settings};

/// The share of 1,000 repetitions whose interval covers the truth, for every entry of the value.
fn coverage(decoder: Explicit, id: &str, truth: &[f64]) -> Vec<f64> {
    coverage_with(decoder, id, truth, &settings(200))
}

fn coverage_with(decoder: Explicit, id: &str, truth: &[f64], settings: &Settings) -> Vec<f64> {
    let inputs = inputs(decoder);
    let mut covered = vec![0.0; truth.len()];
    for seed in 0..1000 {
        let settings = Settings { seed, ..settings.clone() };
        let report = run(&[id.into()], &inputs, &settings, &|_, _| {}).unwrap();
        let (low, high) = report.estimates[0].interval.as_ref().map(|(low, high)| (vector(low), vector(high))).unwrap();
        for (i, truth) in truth.iter().enumerate() {
            covered[i] += f64::from(u8::from(low[i] <= *truth && *truth <= high[i])) / 1000.0;
        }
    }
    covered
}

fn within_two_percent(covered: &[f64]) {
    assert!(covered.iter().all(|c| (0.93..=0.97).contains(c)), "{covered:?}");
}

#[test]
fn of_the_entropy_of_a_hyperbolic_sine() {
    within_two_percent(&coverage(Explicit::elementwise(1, f64::sinh, f64::cosh), "manifold-entropy", &[1.793_505_740_7]));
}

#[test]
fn of_the_total_correlation_of_a_banana() {
    let banana = Explicit::new(2, 2, |z| vec![z[0], z[1] + z[0] * z[0]], |z| vec![1., 0., 2.0 * z[0], 1.]);
    within_two_percent(&coverage(banana, "total-correlation", &[0.581_355_853_7]));
}

#[test]
fn of_the_total_entropy_of_a_cubic() {
    let cubic = Explicit::elementwise(2, |z| z + z * z * z / 3.0, |z| 1.0 + z * z);
    within_two_percent(&coverage(cubic, "total-entropy", &[2.0 * 1.952_391_713_0]));
}

/// x₂ = z₂ + z₁² beside a latent that has nothing to do with it.
fn banana_and_another() -> Explicit {
    Explicit::new(3, 3, |z| vec![z[0], z[1] + z[0] * z[0], 2.0 * z[2]], |z| vec![1., 0., 0., 2.0 * z[0], 1., 0., 0., 0., 2.])
}

#[test]
fn of_the_overlap_of_two_latents() {
    let truth = 0.581_355_853_7;
    let covered = coverage(banana_and_another(), "pairwise-mutual-information", &[f64::NAN, truth, 0., truth, f64::NAN]);
    within_two_percent(&[covered[1], covered[3]]);
}

#[test]
fn of_the_overlap_of_two_groups() {
    let with = Settings { partition: Some("0,2|1".into()), ..settings(200) };
    let covered = coverage_with(banana_and_another(), "block-mutual-information", &[f64::NAN, 0.581_355_853_7], &with);
    within_two_percent(&covered[1..]);
}

#[test]
fn of_the_information_between_core_and_detail() {
    let with = Settings { order: OrderSource::Given("2,0,1".into()), ..settings(200) };
    let truth = 0.581_355_853_7;
    let covered = coverage_with(banana_and_another(), "core-detail", &[0., 0., truth, 0.], &with);
    within_two_percent(&covered[2..3]);
}
