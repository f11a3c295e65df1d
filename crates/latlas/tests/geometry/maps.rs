//! Point-wise maps and changes along paths at known values, as functions and as estimators of a run.

use std::f64::consts::{FRAC_PI_3, LN_2};
use std::sync::Arc;

use latlas::geometry::{Manifold, gaussian_curvature, roughness};
use latlas::models::closed_form::ClosedForm;
use latlas::report::Report;
use latlas::run::{Inputs, Settings, run};
use ndarray::{Array2, array};

use crate::spaces::{half_plane, points, surface};

fn measure(name: &str, latents: Array2<f64>) -> Report {
    let inputs = Inputs { decoder: Some(Arc::new(ClosedForm::named(name).unwrap())), latents: Some(latents), ..Inputs::default() };
    run(&["geometry".into()], &inputs, &Settings { max_bad: 1.0, ..Settings::default() }, &|_, _| {}).unwrap()
}

fn value(report: &Report, id: &str) -> f64 {
    match &report.estimate(id).unwrap().value {
        latlas::estimate::Value::Scalar(x) => *x,
        other => panic!("{id}: {other:?}"),
    }
}

#[test]
fn a_point_of_a_sphere_has_its_known_values() {
    let report = measure("sphere", array![[FRAC_PI_3, 0.4], [FRAC_PI_3, -1.0]]);
    let expected = [
        ("jacobian-condition", 2.0),
        ("metric-condition", 4.0),
        ("isometry-defect", 0.36),
        ("participation-ratio", 1.470_588_235),
        ("metric-effective-rank", 1.649_384_888),
        ("jacobian-energy", 5.0),
        ("tensor-magnitude", 4.0_f64.ln()),
        ("gaussian-curvature", 0.25),
    ];
    for (id, expected) in expected {
        assert!((value(&report, id) - expected).abs() < 1e-9, "{id}: {}", value(&report, id));
        assert_eq!(report.estimate(id).unwrap().n_used, 2);
    }
}

#[test]
fn curvatures_are_those_of_the_surfaces() {
    let z = points(9, [-1.5, -1.5], [1.5, 1.5]);
    let at = |name: &str| gaussian_curvature(&surface(name), z.view()).unwrap();
    for flat in ["linear:a=2,0/1,1/0,3", "cylinder"] {
        assert!(at(flat).iter().all(|k| k.abs() < 1e-14), "{flat}");
    }
    assert!(at("complex-exponential").iter().all(|k| k.abs() < 1e-12));
    assert!(at("stereographic:r=2").iter().all(|k| (k - 0.25).abs() < 1e-11));
    for (z, k) in z.outer_iter().zip(at("paraboloid:a=1.5")) {
        assert!((k - 2.25 / (1.0 + 2.25 * z.dot(&z)).powi(2)).abs() < 1e-13);
    }
    let bump = gaussian_curvature(&surface("two-bumps"), array![[0.6, 0.1]].view()).unwrap();
    assert!((bump[0] + 0.005_230_870).abs() < 1e-9, "{bump:?}");
    assert!(gaussian_curvature(&half_plane(), z.view()).is_err(), "a form has no surface");
}

#[test]
fn changes_along_paths_are_known() {
    // Up the half-plane from y = 1 to 2: length log 2, Δ log √det = −2 log 2, log M turns by −2 log y in both directions.
    let up = |points: usize| roughness(&half_plane(), array![[0.0, 1.0]].view(), array![[0.0, 2.0]].view(), points).unwrap()[0].unwrap();
    let path = up(257);
    assert!((path.length - LN_2).abs() < 1e-5);
    assert!((path.variation - 2.0).abs() < 1e-4, "{path:?}");
    assert!((path.affine * path.length - 2.0_f64.sqrt() * 4.0_f64.ln()).abs() < 1e-9, "{path:?}");
    // |d log M/dy|_F = √2 · 2/y is steepest at y = 1.
    assert!((path.lipschitz - 8.0_f64.sqrt()).abs() < 0.02, "{path:?}");
    assert!(up(65).error > path.error);
    let flat = roughness(&surface("cylinder"), array![[0.0, 0.0]].view(), array![[1.0, 2.0]].view(), 65).unwrap()[0].unwrap();
    assert!(flat.variation < 1e-12 && flat.affine < 1e-12 && flat.lipschitz < 1e-10, "{flat:?}");
    let nowhere = roughness(&surface("cylinder"), array![[1.0, 2.0]].view(), array![[1.0, 2.0]].view(), 65).unwrap();
    assert_eq!(nowhere, [None], "a path without length has no rate");
}

#[test]
fn lost_ranks_are_counted_and_never_averaged() {
    // A pole of the sphere: the longitude moves nothing.
    let report = measure("sphere", array![[std::f64::consts::FRAC_PI_2, 0.0], [0.0, 0.0], [0.0, 1.0]]);
    let condition = report.estimate("jacobian-condition").unwrap();
    assert_eq!((condition.n_used, condition.n_seen), (2, 3));
    assert_eq!(condition.dropped.get("rank-deficient"), Some(&1));
    assert_eq!(value(&report, "jacobian-condition"), 1.0);
    assert_eq!(report.estimate("metric-effective-rank").unwrap().n_used, 3, "an effective rank exists everywhere");
}

/// A 256 × 256 map goes through in bounded pieces and gives what its points give alone.
#[test]
fn maps_are_their_points() {
    let sphere = surface("sphere");
    let z = points(5000, [-1.0, -1.0], [1.0, 1.0]);
    let all = sphere.log_volume(z.view()).unwrap();
    for i in [0, 2500, 4999] {
        assert_eq!(sphere.log_volume(z.select(ndarray::Axis(0), &[i]).view()).unwrap()[0], all[i]);
    }
}
