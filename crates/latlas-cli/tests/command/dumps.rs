//! Jacobians from files, other units, and values of single samples.

use ndarray::{Array1, Array2, Array3, ArrayD, Axis};
use serde_json::Value;

use super::{latlas_in, read, scratch};

/// J(s) = diag(1 + s, 2) over three values, with what goes with it.
fn jacobians(n: usize) -> Array3<f64> {
    Array3::from_shape_fn((n, 3, 2), |(s, j, i)| match (j, i) {
        (0, 0) => 1.0 + s as f64,
        (2, 1) => 2.0,
        _ => 0.0,
    })
}

fn write_npz(path: &std::path::Path, arrays: &[(&str, ArrayD<f64>)]) {
    let views: Vec<_> = arrays.iter().map(|(name, values)| (*name, values.view())).collect();
    latlas::data::write_npz(path, &views, &[], latlas::data::Float::F64).unwrap();
}

fn value(folder: &std::path::Path, words: &[&str], id: &str) -> Vec<f64> {
    let ran = latlas_in(folder, &[&["run"], words, &["--json", "--quiet"]].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    let estimate = report["estimates"].as_array().unwrap().iter().find(|e| e["id"] == id).unwrap();
    match &estimate["value"] {
        Value::Array(values) => values.iter().map(|v| v.as_f64().unwrap()).collect(),
        one => vec![one.as_f64().unwrap()],
    }
}

const H0: f64 = 1.418_938_533_204_672_7;

#[test]
fn a_dump_tells_prior_values_and_classes() {
    let folder = scratch();
    let n = 6;
    let class = Array2::from_shape_fn((n, 1), |(s, _)| (s % 2) as f64);
    let x = Array2::from_shape_fn((n, 3), |(s, j)| (s + j) as f64);
    let arrays = [
        ("jac", jacobians(n).into_dyn()),
        ("z", Array2::from_shape_fn((n, 2), |(s, i)| (s as f64 - 2.0) * (i as f64 + 0.5)).into_dyn()),
        ("x", x.into_dyn()),
        ("condition", class.into_dyn()),
        ("prior_std", Array1::from(vec![1.0, 4.0]).into_dyn()),
    ];
    write_npz(&folder.path().join("j.npz"), &arrays);
    let entropies = value(folder.path(), &["manifold-entropy", "--jacobians", "j.npz"], "manifold-entropy");
    let first = (1..=n).map(|s| (s as f64).ln()).sum::<f64>() / n as f64;
    assert!((entropies[0] - H0 - first).abs() < 1e-12 && (entropies[1] - H0 - 8.0_f64.ln()).abs() < 1e-12, "{entropies:?}");
    // The classes are the odd and the even samples: equal weights, the same mean here; and their rows stay apart.
    let words = ["averaged-columns", "--jacobians", "j.npz", "--conditioning", "per-class", "--json", "--quiet"];
    let ran = latlas_in(folder.path(), &[&["run"], &words[..]].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    let text = report["estimates"][0].to_string();
    assert!(text.contains("\"class\"") || text.contains("classes"), "{text}");
    // Entropies without the prior's term.
    let bare = value(folder.path(), &["manifold-entropy", "--drop-h0", "--jacobians", "j.npz"], "manifold-entropy");
    assert!((bare[0] - first).abs() < 1e-12 && (bare[1] - 2.0_f64.ln()).abs() < 1e-12, "{bare:?}");
}

#[test]
fn axes_are_declared() {
    let folder = scratch();
    let swapped = jacobians(4).permuted_axes([0, 2, 1]).as_standard_layout().into_owned();
    super::write(&folder.path().join("j.npy"), &swapped.into_dyn());
    let right = value(folder.path(), &["total-entropy", "--jacobians", "j.npy", "--axes", "latent-data"], "total-entropy");
    let expected = 2.0 * H0 + 2.0_f64.ln() + 24.0_f64.ln() / 4.0;
    assert!((right[0] - expected).abs() < 1e-12);
    let wrong = latlas_in(folder.path(), &["run", "total-entropy", "--jacobians", "j.npy"]);
    assert!(wrong.code == 2 && wrong.err.contains("--axes latent-data"), "{}", wrong.err);
}

#[test]
fn a_wrong_log_determinant_of_a_dump_breaks_its_law() {
    let folder = scratch();
    let square = jacobians(5).select(Axis(1), &[0, 2]);
    let log_det = |sign: f64| Array1::from_shape_fn(5, |s| sign * (2.0 * (1.0 + s as f64)).ln()).into_dyn();
    for (sign, code) in [(1.0, 0), (-1.0, 4)] {
        write_npz(&folder.path().join("j.npz"), &[("jac", square.clone().into_dyn()), ("log_det", log_det(sign))]);
        let ran = latlas_in(folder.path(), &["run", "total-entropy", "--jacobians", "j.npz", "--gate", "invariants"]);
        assert_eq!(ran.code, code, "{}{}", ran.out, ran.err);
    }
}

#[test]
fn a_damaged_dump_is_told() {
    let folder = scratch();
    let npz = folder.path().join("j.npz");
    let tell = |arrays: &[(&str, ArrayD<f64>)], needle: &str| {
        write_npz(&npz, arrays);
        let ran = latlas_in(folder.path(), &["run", "total-entropy", "--jacobians", "j.npz"]);
        assert!(ran.code == 2 && ran.err.contains(needle), "{needle}: {}", ran.err);
    };
    let jac = || ("jac", jacobians(4).into_dyn());
    tell(&[jac(), ("weights", Array1::<f64>::zeros(4).into_dyn())], "weights");
    tell(&[jac(), ("z", Array2::<f64>::zeros((3, 2)).into_dyn())], "3 rows of latents");
    tell(&[jac(), ("x", Array2::<f64>::zeros((4, 2)).into_dyn())], "3");
    tell(&[jac(), ("log_det", Array1::<f64>::zeros(3).into_dyn())], "3 log-determinants");
    tell(&[jac(), ("prior_std", Array1::from(vec![1.0, -1.0]).into_dyn())], "prior_std");
}

#[test]
fn another_unit_scales_rows_of_the_jacobian() {
    let folder = scratch();
    let words = ["manifold-entropy", "builtin:digits-vae", "--samples", "20", "--dtype", "f64"];
    let plain = value(folder.path(), &words, "manifold-entropy");
    let scaled = value(folder.path(), &[&words[..], &["--data-scale", "16"]].concat(), "manifold-entropy");
    assert!(plain.iter().zip(&scaled).all(|(a, b)| (b - a - 16.0_f64.ln()).abs() < 1e-9), "{plain:?} {scaled:?}");
    for (scale, needle) in [("0", "not zero"), ("scale.npy", "64")] {
        super::write(&folder.path().join("scale.npy"), &ArrayD::ones(vec![3]));
        let ran = latlas_in(folder.path(), &[&["run"], &words[..], &["--data-scale", scale]].concat());
        assert!(ran.code == 2 && ran.err.contains(needle), "{}", ran.err);
    }
}

#[test]
fn rows_of_samples_average_to_the_estimate() {
    let folder = scratch();
    let words = ["log-volume", "manifold-entropy", "builtin:digits-vae", "--samples", "40", "--dtype", "f64"];
    let mean = value(folder.path(), &[&words[..], &["--rows", "rows.npz"]].concat(), "log-volume");
    let npz = folder.path().join("rows.npz");
    let rows = read(format!("{}:log-volume", npz.display()).as_ref());
    assert_eq!((rows.shape(), read(format!("{}:z", npz.display()).as_ref()).shape()), (&[40, 1][..], &[40, 2][..]));
    assert!((rows.mean().unwrap() - mean[0]).abs() < 1e-12);
    assert_eq!(read(format!("{}:column-norms", npz.display()).as_ref()).shape(), [40, 2]);
    let ran = latlas_in(folder.path(), &["run", "total-correlation", "builtin:digits-vae", "--samples", "4", "--rows", "r.npz"]);
    assert!(ran.code == 2 && ran.err.contains("log-volume"), "{}", ran.err);
}
