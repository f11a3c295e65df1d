//! Decoders whose entropies are known: exactly, or as integrals that were computed to the digits shown.

use crate::explicit::{Explicit, entropy, of};

/// A function of one number.
type Curve = fn(f64) -> f64;

const H0: f64 = 1.418_938_533_204_672_7;

fn exactly(got: &[f64], expected: &[f64]) {
    assert_eq!(got.len(), expected.len());
    assert!(got.iter().zip(expected).all(|(g, e)| (g - e).abs() < 1e-12), "{got:?}, expected {expected:?}");
}

/// Within `z` standard errors, and the errors are no excuse: they stay below `largest`.
fn within((got, error): (Vec<f64>, Vec<f64>), expected: &[f64], largest: f64) {
    assert_eq!(got.len(), expected.len());
    for ((g, s), e) in got.iter().zip(&error).zip(expected) {
        assert!((g - e).abs() <= 4.0 * s + 1e-10, "{got:?} ± {error:?}, expected {expected:?}");
        assert!(*s < largest, "standard error {s}");
    }
}

#[test]
fn linear_map_of_the_plane() {
    let report = entropy(Explicit::linear(2, vec![2., 1., 0., 1.]), 100);
    let half_log_2 = 0.5 * 2.0_f64.ln();
    exactly(&of(&report, "manifold-entropy").0, &[H0 + 2.0_f64.ln(), H0 + half_log_2]);
    exactly(&of(&report, "total-entropy").0, &[2.0 * H0 + 2.0_f64.ln()]);
    exactly(&of(&report, "total-correlation").0, &[half_log_2]);
    let (spectrum, _) = of(&report, "jacobian-spectrum");
    assert!((spectrum[0] - 2.288_245_61).abs() < 1e-8 && (spectrum[1] - 0.874_032_05).abs() < 1e-8, "{spectrum:?}");
    assert!((of(&report, "manifold-entropy").0[0] - 2.112_085_713_8).abs() < 1e-10);
    assert!(report.invariants.iter().all(|law| law.holds), "{:?}", report.invariants);
}

#[test]
fn linear_map_into_four_dimensions() {
    let report = entropy(Explicit::linear(3, vec![1., 1., 0., 0., 1., 1., 0., 0., 1., 1., 0., 1.]), 70);
    let (two, three, seven) = (0.5 * 2.0_f64.ln(), 0.5 * 3.0_f64.ln(), 0.5 * 7.0_f64.ln());
    exactly(&of(&report, "manifold-entropy").0, &[H0 + two, H0 + two, H0 + three]);
    exactly(&of(&report, "log-volume").0, &[seven]);
    exactly(&of(&report, "total-correlation").0, &[2.0 * two + three - seven]);
    exactly(&of(&report, "averaged-columns").0, &[1., 0., 0., 1., 1., 1., 0., 0., 0., 1., 1., 1.]);
    assert!((of(&report, "total-correlation").0[0] - 0.269_498_250_4).abs() < 1e-10);
    assert_eq!(report.estimate("manifold-entropy").unwrap().extra["order"], serde_json::json!([2, 0, 1]));
}

#[test]
fn elementwise_maps() {
    let sigmoid = |z: f64| 1.0 / (1.0 + (-z).exp());
    let cases: [(Curve, Curve, f64); 4] = [
        (f64::sinh, f64::cosh, 1.793_505_740_7),
        (f64::exp, f64::exp, H0),
        (|z| z + z * z * z / 3.0, |z| 1.0 + z * z, 1.952_391_713_0),
        (sigmoid, |z| (-z).exp() / (1.0 + (-z).exp()).powi(2), -0.193_179_833_5),
    ];
    for (f, slope, expected) in cases {
        let report = entropy(Explicit::elementwise(2, f, slope), 4000);
        within(of(&report, "manifold-entropy"), &[expected; 2], 0.02);
        exactly(&of(&report, "total-correlation").0, &[0.0]);
        assert!(report.invariants.iter().all(|law| law.holds), "{:?}", report.invariants);
    }
}

#[test]
fn shear_and_banana() {
    for (c, expected) in [(0.5, 0.111_571_775_7), (1.0, 0.346_573_590_3), (2.0, 0.804_718_956_2)] {
        let report = entropy(Explicit::linear(2, vec![1., 0., c, 1.]), 50);
        assert!((of(&report, "total-correlation").0[0] - expected).abs() < 1e-10);
    }
    for (c, expected) in [(0.5, 0.266_726_589_9), (1.0, 0.581_355_853_7), (2.0, 1.036_157_887_4)] {
        let banana = Explicit::new(2, 2, move |z| vec![z[0], z[1] + c * z[0] * z[0]], move |z| vec![1., 0., 2.0 * c * z[0], 1.]);
        let report = entropy(banana, 4000);
        within(of(&report, "total-correlation"), &[expected], 0.02);
        exactly(&of(&report, "total-entropy").0, &[2.0 * H0]);
    }
}

#[test]
fn polar_map() {
    for (s, log_radius) in [(0.05, -0.001_254_727_1), (0.1, -0.005_077_641_7), (0.2, -0.021_410_694_5)] {
        let a: f64 = 0.7;
        let f = move |z: &[f64]| vec![(1.0 + s * z[0]) * (a * z[1]).cos(), (1.0 + s * z[0]) * (a * z[1]).sin()];
        let j = move |z: &[f64]| {
            let (sin, cos) = (a * z[1]).sin_cos();
            let r = 1.0 + s * z[0];
            vec![s * cos, -r * a * sin, s * sin, r * a * cos]
        };
        let report = entropy(Explicit::new(2, 2, f, j), 4000);
        within(of(&report, "manifold-entropy"), &[H0 + s.ln(), H0 + a.ln() + log_radius], 0.01);
        exactly(&of(&report, "total-correlation").0, &[0.0]);
    }
}

#[test]
fn inversion_is_conformal() {
    for (d, expected) in [(2, 1.303_007_017_5), (3, 0.689_301_378_7), (4, 0.303_007_017_5), (10, -0.780_326_315_8)] {
        let square = |z: &[f64]| z.iter().map(|z| z * z).sum::<f64>();
        let f = move |z: &[f64]| z.iter().map(|x| x / square(z)).collect();
        let j = move |z: &[f64]| {
            let r2 = square(z);
            (0..d * d).map(|k| (f64::from(u8::from(k / d == k % d)) - 2.0 * z[k / d] * z[k % d] / r2) / r2).collect()
        };
        let report = entropy(Explicit::new(d, d, f, j), 4000);
        within(of(&report, "manifold-entropy"), &vec![expected; d], 0.03);
        assert!(of(&report, "total-correlation").0[0].abs() < 1e-11);
    }
}

/// log 2 + Σₖ Poisson(k; 4.5) ψ(D/2 + k) is E log |z + 3e₁|².
#[test]
fn shifted_inversion() {
    for (d, expected) in [(2, 2.199_297_978_1), (4, 2.419_051_534_4)] {
        let square = |z: &[f64]| z.iter().enumerate().map(|(i, z)| (z + if i == 0 { 3.0 } else { 0.0 }).powi(2)).sum::<f64>();
        // Any map with this Jacobian will do: only its columns' lengths are asked for.
        let j = move |z: &[f64]| (0..d * d).map(|k| if k / d == k % d { 1.0 / square(z) } else { 0.0 }).collect();
        let report = entropy(Explicit::new(d, d, <[f64]>::to_vec, j), 4000);
        within(of(&report, "manifold-entropy"), &vec![H0 - expected; d], 0.03);
        // The formula above is not the derivative of the map above, and the run says so.
        assert!(report.invariants.iter().any(|law| law.id == "finite-differences" && !law.holds));
    }
}
