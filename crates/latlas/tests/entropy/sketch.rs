//! Sketches give what the whole Jacobian gives, within the errors that they report.

use std::f64::consts::LN_2;

use crate::explicit::{Explicit, bits, inputs, of, settings};
use latlas::report::Report;
use latlas::run::{Inputs, Settings, run};
use latlas::sketch::volume_bias;

const H0: f64 = 1.418_938_533_204_672_7;

fn sketched(decoder: Explicit, m: usize, samples: usize) -> Report {
    let settings = Settings { sketch: Some(m), ..settings(samples) };
    run(&["entropy".into()], &inputs(decoder), &settings, &|_, _| {}).unwrap()
}

/// A 9 × 4 matrix, row by row.
fn nine_by_four() -> Vec<f64> {
    (0..36).map(|k| (f64::from(k) * 1.618).sin() * 1.5 + (f64::from(k * k) * 0.37).cos()).collect()
}

fn decoders() -> [(usize, Vec<f64>); 3] {
    [(2, vec![2., 1., 0., 1.]), (3, vec![1., 1., 0., 0., 1., 1., 0., 0., 1., 1., 0., 1.]), (4, nine_by_four())]
}

/// Exact values from the same program without a sketch; they are tested on their own.
fn exact(d: usize, j: &[f64]) -> Report {
    run(&["entropy".into()], &inputs(Explicit::linear(d, j.to_vec())), &settings(2), &|_, _| {}).unwrap()
}

/// All estimates that both have, within 4 standard errors; their number.
fn agree(sketch: &Report, exact: &Report) -> usize {
    let mut agreed = 0;
    for id in ["manifold-entropy", "total-entropy", "total-correlation", "pairwise-mutual-information"] {
        if sketch.estimate(id).is_none() || exact.estimate(id).is_none() {
            continue;
        }
        let ((got, error), (truth, _)) = (of(sketch, id), of(exact, id));
        for ((g, e), t) in got.iter().zip(&error).zip(&truth).filter(|((g, _), _)| !g.is_nan()) {
            assert!((g - t).abs() < 4.0 * e, "{id}: {g} ± {e}, exact {t}");
            assert!(*e < 0.03 && *e > 0.0, "{id}: {e}");
        }
        agreed += 1;
    }
    agreed
}

#[test]
fn corrected_values_are_exact_within_their_errors() {
    for (d, j) in decoders() {
        let truth = exact(d, &j);
        for m in [2, 4, 8, 16] {
            let report = sketched(Explicit::linear(d, j.clone()), m, 40_000);
            assert!(agree(&report, &truth) >= if m >= d { 3 } else { 1 });
            assert_eq!(report.estimate("total-entropy").is_some(), m >= d);
            assert!(report.invariants.iter().all(|law| law.holds), "{:?}", report.invariants);
            assert!(report.invariants.iter().any(|law| law.id == "sketch"));
            // Without the correction they would be off by what is tabulated.
            let (got, error) = of(&report, "manifold-entropy");
            let bias = volume_bias(1, m) - 0.5 * (m as f64).ln();
            assert!((got[0] + bias - of(&truth, "manifold-entropy").0[0]).abs() > 4.0 * error[0]);
        }
    }
}

#[test]
fn one_probe_is_enough_for_entropies() {
    let report = sketched(Explicit::linear(2, vec![2., 1., 0., 1.]), 1, 40_000);
    let (got, error) = of(&report, "manifold-entropy");
    assert!((got[0] - H0 - LN_2).abs() < 4.0 * error[0] && (got[1] - H0 - 0.5 * LN_2).abs() < 4.0 * error[1], "{got:?} ± {error:?}");
    assert!((error[0] - 1.111 / 200.0).abs() < 2e-4, "{error:?}");
    let method = &report.estimate("manifold-entropy").unwrap().extra["method"];
    assert_eq!((method["jacobian"].as_str(), method["sketch_m"].as_u64()), (Some("vjp-sketch"), Some(1)));
}

/// Blocks of 2 and 2 columns by 6 probes and more; what is not corrected misses by c(2, m) + c(2, m) − c(4, m).
#[test]
fn groups_are_corrected_too() {
    let with = |sketch, samples| {
        let settings = Settings { sketch, partition: Some("0-1|2-3".into()), ..settings(samples) };
        run(&["block-mutual-information".into()], &inputs(Explicit::linear(4, nine_by_four())), &settings, &|_, _| {}).unwrap()
    };
    let block = |report: &Report, key: &str| report.estimates[0].extra["blocks"][0]["geometric"][key].as_f64().unwrap();
    let truth = block(&with(None, 2), "value");
    for m in [6, 8, 16] {
        let report = with(Some(m), 40_000);
        let (got, error) = (block(&report, "value"), block(&report, "standard_error"));
        assert!((got - truth).abs() < 4.0 * error && error < 0.01, "{m}: {got} ± {error}, exact {truth}");
        let bias = 2.0 * volume_bias(2, m) - volume_bias(4, m);
        assert!((got + bias - truth).abs() > 4.0 * error, "{m}: {bias}");
        assert!((of(&report, "block-mutual-information").0[1] - got).abs() < 1e-12);
    }
    // Four columns need four probes.
    let few = Settings { sketch: Some(3), partition: Some("0-1|2-3".into()), ..settings(10) };
    let error = run(&["block-mutual-information".into()], &inputs(Explicit::linear(4, nine_by_four())), &few, &|_, _| {}).unwrap_err();
    assert!(error.to_string().contains("groups of latents"), "{error}");
}

/// What the overlaps of pairs and the lengths would be off by without the correction, as tabulated, and what one sample
/// of them varies by.
#[test]
fn corrections_and_deviations_are_as_tabulated() {
    let table =
        [(1, -0.6352, 1.111), (2, -0.2886, 0.641), (4, -0.1352, 0.402), (8, -0.0651, 0.266), (16, -0.0319, 0.182), (64, -0.00785, 0.089)];
    for (m, bias, _) in table {
        assert!((volume_bias(1, m) - 0.5 * (m as f64).ln() - bias).abs() < 6e-5, "{m}");
    }
    for (m, bias) in [(2, LN_2), (4, 0.1931), (8, 0.0765), (16, 0.0344), (64, 0.0080)] {
        assert!((2.0 * volume_bias(1, m) - volume_bias(2, m) - bias).abs() < 6e-5, "{m}");
    }
    let orthogonal = || Explicit::linear(2, vec![3., 0., 0., 0.5, 0., 0.]);
    for ((m, _, of_length), of_pair) in table.into_iter().skip(1).zip([0.907, 0.269, 0.108, 0.049, 0.011]) {
        let report = sketched(orthogonal(), m, 20_000);
        for (id, place, expected) in [("manifold-entropy", 0, of_length), ("pairwise-mutual-information", 1, of_pair)] {
            let deviation = of(&report, id).1[place] * 20_000_f64.sqrt();
            assert!((deviation / expected - 1.0).abs() < 0.06, "{id} {m}: {deviation}, expected {expected}");
        }
    }
}

#[test]
fn nonlinear_decoders_are_averaged_over_both_samples_and_probes() {
    let report = sketched(Explicit::elementwise(2, f64::sinh, f64::cosh), 3, 40_000);
    let (got, error) = of(&report, "manifold-entropy");
    assert!(got.iter().zip(&error).all(|(g, e)| (g - 1.793_505_740_7).abs() < 4.0 * e), "{got:?} ± {error:?}");
    let (total, error) = of(&report, "total-correlation");
    assert!(total[0].abs() < 4.0 * error[0], "{total:?} ± {error:?}");
}

#[test]
fn what_needs_the_whole_jacobian_says_so() {
    let refused = |id: &str, m: usize| {
        let settings = Settings { sketch: Some(m), ..settings(10) };
        run(&[id.into()], &inputs(Explicit::linear(2, vec![2., 1., 0., 1.])), &settings, &|_, _| {}).unwrap_err().to_string()
    };
    assert!(refused("jacobian-spectrum", 4).contains("whole Jacobian"));
    assert!(refused("total-entropy", 1).contains("2 columns"));
    assert!(refused("manifold-entropy", 0).contains("0 probes"));
}

#[test]
fn dead_columns_stay_dead() {
    let report = sketched(Explicit::linear(2, vec![2., 0., 1., 0.]), 4, 400);
    let entropies = of(&report, "manifold-entropy").0;
    assert_eq!(entropies[1], f64::NEG_INFINITY);
    assert!((entropies[0] - H0 - 0.5 * 5.0_f64.ln()).abs() < 0.1);
    assert!(of(&report, "total-correlation").0[0].abs() < 1e-12);
}

#[test]
fn chunks_change_nothing_but_the_order_of_sums() {
    let with = |chunk| {
        let settings = Settings { sketch: Some(3), chunk: Some(chunk), ..settings(200) };
        run(&["entropy".into()], &inputs(Explicit::linear(2, vec![2., 1., 0., 1.])), &settings, &|_, _| {}).unwrap()
    };
    let (one, other) = (of(&with(7), "manifold-entropy").0, of(&with(64), "manifold-entropy").0);
    assert!(one.iter().zip(&other).all(|(a, b)| (a - b).abs() < 1e-12));
    assert_eq!(bits(&with(7)), bits(&with(7)));
}

#[test]
fn intervals_cover() {
    let banana = || Explicit::new(2, 2, |z| vec![z[0], z[1] + z[0] * z[0]], |z| vec![1., 0., 2.0 * z[0], 1.]);
    let inputs: Inputs = inputs(banana());
    let truth = 0.581_355_853_7;
    let mut covered = 0;
    for seed in 0..1000 {
        let settings = Settings { seed, sketch: Some(4), ..settings(200) };
        let report = run(&["total-correlation".into()], &inputs, &settings, &|_, _| {}).unwrap();
        let (low, high) =
            report.estimates[0].interval.as_ref().map(|(l, h)| (crate::explicit::vector(l)[0], crate::explicit::vector(h)[0])).unwrap();
        covered += usize::from(low <= truth && truth <= high);
    }
    assert!((930..=970).contains(&covered), "{covered}");
}
