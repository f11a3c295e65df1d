//! geodesic, log, exp and distance: values, and what they say where there is none.

use std::path::Path;

use ndarray::ArrayD;

use super::{latlas_in, read, scratch, write};

fn points(values: &[[f64; 2]]) -> ArrayD<f64> {
    ArrayD::from_shape_fn(vec![values.len(), 2], |index| values[index[0]][index[1]])
}

fn member(folder: &Path, name: &str) -> ArrayD<f64> {
    read(&folder.join(format!("out.npz:{name}")))
}

/// Whether an archive holds a word as NumPy writes it.
fn holds(folder: &Path, word: &str) -> bool {
    let wanted: Vec<u8> = word.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
    std::fs::read(folder.join("out.npz")).unwrap().windows(wanted.len()).any(|window| window == wanted)
}

/// Latitude and longitude on a sphere of radius 2: along the parallel of 45° the shortest way is an arc of 60°, and on the equator the parallel.
#[test]
fn geodesics_of_a_sphere() {
    let folder = scratch();
    let quarter = std::f64::consts::FRAC_PI_4;
    write(&folder.path().join("a.npy"), &points(&[[quarter, 0.0], [0.0, 0.0]]));
    write(&folder.path().join("b.npy"), &points(&[[quarter, 2.0 * quarter], [0.0, 0.5]]));
    let asked = ["geodesic", "builtin:sphere", "--from", "a.npy", "--to", "b.npy", "-o", "out.npz", "--points", "9"];
    let truth = [2.0 * std::f64::consts::PI / 3.0, 1.0];
    let ran = latlas_in(folder.path(), &asked);
    assert!(ran.err.contains("2 converged"), "{}", ran.err);
    assert!(member(folder.path(), "length").iter().zip(truth).all(|(length, truth)| (length / truth - 1.0).abs() < 1e-6));
    let ran = latlas_in(folder.path(), &[&asked[..], &["--tolerance", "1e-9"]].concat());
    assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{}", ran.err);
    assert!(ran.err.contains("2 converged"), "{}", ran.err);
    let (length, lower, upper) = (member(folder.path(), "length"), member(folder.path(), "lower"), member(folder.path(), "upper"));
    for (i, truth) in truth.into_iter().enumerate() {
        assert!((length[[i]] - truth).abs() < 1e-9 && lower[[i]] <= truth && truth <= upper[[i]] + 1e-12, "{length} {lower} {upper}");
    }
    let curves = member(folder.path(), "curves");
    assert_eq!(curves.shape(), [2, 9, 2]);
    assert!((curves[[1, 4, 1]] - 0.25).abs() < 1e-9, "half the way at half the time");
    assert!(holds(folder.path(), "converged") && holds(folder.path(), "none"));

    // Log and Exp are inverse to each other.
    let log = latlas_in(folder.path(), &["log", "builtin:sphere", "--from", "a.npy", "--to", "b.npy", "-o", "v.npy"]);
    assert_eq!(log.code, 0, "{}", log.err);
    let exp = latlas_in(folder.path(), &["exp", "builtin:sphere", "--latents", "a.npy", "--vectors", "v.npy", "-o", "end.npy"]);
    assert_eq!(exp.code, 0, "{}", exp.err);
    let (end, goal) = (read(&folder.path().join("end.npy")), read(&folder.path().join("b.npy")));
    assert!(end.iter().zip(&goal).all(|(x, y)| (x - y).abs() < 1e-7), "{end}");
    assert_eq!(read(&folder.path().join("v.npy")), member(folder.path(), "velocity"));
}

/// A matrix of bounds that holds the true distances.
#[test]
fn distances_between_all() {
    let folder = scratch();
    let z: Vec<[f64; 2]> = (0..60).map(|i| [0.9 * (f64::from(i) * 0.7).sin(), 1.1 * (f64::from(i) * 1.3).cos()]).collect();
    write(&folder.path().join("z.npy"), &points(&z));
    let ran = latlas_in(folder.path(), &["distance", "builtin:sphere", "--latents", "z.npy", "-o", "out.npz", "-k", "6"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{}", ran.err);
    let (lower, upper) = (member(folder.path(), "lower"), member(folder.path(), "upper"));
    assert_eq!(upper.shape(), [60, 60]);
    for (i, [b, l]) in z.iter().enumerate() {
        for (j, [c, m]) in z.iter().enumerate() {
            let cosine = b.sin() * c.sin() + b.cos() * c.cos() * (l - m).cos();
            let truth = 2.0 * cosine.clamp(-1.0, 1.0).acos();
            let (low, high) = (lower[[i, j]], upper[[i, j]]);
            assert!(low <= truth + 1e-7 && truth <= high + 1e-7, "{i} {j}: {truth} in [{low}, {high}]");
            assert_eq!(upper[[i, j]], upper[[j, i]]);
        }
    }
}

/// A latent that moves nothing: the curve is there, no equation confirms it, and `log` gives no number.
#[test]
fn what_is_not_confirmed_is_flagged() {
    let folder = scratch();
    let three = |values: [f64; 3]| ArrayD::from_shape_fn(vec![1, 3], |index| values[index[1]]);
    write(&folder.path().join("a.npy"), &three([0.0, 0.0, 0.0]));
    write(&folder.path().join("b.npy"), &three([1.0, 0.0, 2.0]));
    let of = |verb: &str, out: &str| {
        latlas_in(folder.path(), &[verb, "builtin:linear:a=1,0,0/0,1,0/1,1,0", "-o", out, "--from", "a.npy", "--to", "b.npy"])
    };
    let ran = of("geodesic", "out.npz");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("1 energy-only (rank-loss)"), "{}", ran.err);
    assert!(holds(folder.path(), "energy-only") && holds(folder.path(), "rank-loss"));
    assert_eq!(member(folder.path(), "converged")[[0]], 0.0);
    assert!((member(folder.path(), "length")[[0]] - 2.0_f64.sqrt()).abs() < 1e-9);
    assert_eq!(of("log", "v.npy").code, 0);
    assert!(read(&folder.path().join("v.npy")).iter().all(|x| x.is_nan()));
}

#[test]
fn wrong_use_is_refused() {
    let folder = scratch();
    write(&folder.path().join("a.npy"), &points(&[[0.1, 0.2], [0.3, 0.4]]));
    write(&folder.path().join("one.npy"), &points(&[[0.1, 0.2]]));
    write(&folder.path().join("wide.npy"), &super::latents(2, 3));
    let refused = |arguments: &[&str], what: &str| {
        let ran = latlas_in(folder.path(), arguments);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{arguments:?}: {}", ran.err);
        assert!(ran.err.contains(what), "{arguments:?}: {}", ran.err);
    };
    let model = "builtin:digits-vae";
    refused(&["geodesic", model, "--from", "a.npy", "--to", "one.npy", "-o", "x.npz"], "one end for each beginning");
    refused(&["geodesic", model, "--from", "a.npy", "--to", "wide.npy", "-o", "x.npz"], "latents");
    refused(&["geodesic", model, "--from", "a.npy", "--to", "a.npy", "-o", "x.npy"], "ends in .npz");
    refused(&["geodesic", model, "--from", "a.npy", "--to", "a.npy", "-o", "x.npz", "--points", "1"], "two points or more");
    refused(&["log", model, "--from", "a.npy", "--to", "a.npy", "-o", "x.npy", "--levels", "3"], "four segments");
    refused(&["geodesic", model, "--from", "a.npy", "--to", "a.npy", "-o", "x.npz", "--tolerance", "0"], "no share of a length");
    refused(&["log", model, "--from", "a.npy", "--to", "a.npy", "-o", "x.npy", "--domain", "2,1"], "LOW < HIGH");
    refused(&["distance", model, "--latents", "one.npy", "-o", "x.npy"], "two points");
    refused(&["distance", model, "--latents", "wide.npy", "-o", "x.npy"], "latents");
    refused(&["distance", "builtin:sphere", "--latents", "a.npy", "-o", "x.npy", "--embedding", "poisson"], "mean");
    refused(&["export", model, "--jacobian", "--embedding", "mean", "-o", "x.onnx"], "--metric only");
    assert!(!folder.path().join("x.npz").exists() && !folder.path().join("x.npy").exists());
}

/// The metric of another embedding as a file: of `mean` it is the Gram matrix of the mean alone.
#[test]
fn metrics_are_exported_under_an_embedding() {
    let folder = scratch();
    write(&folder.path().join("z.npy"), &super::latents(4, 2));
    for embedding in ["mean", "gaussian"] {
        let out = format!("{embedding}.onnx");
        let ran = latlas_in(folder.path(), &["export", "builtin:digits-vae", "--metric", "--embedding", embedding, "-o", &out]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        let name = if embedding == "mean" { "mean.gram" } else { "embedding.gram" };
        let decoded = ["decode", &out, "--latents", "z.npy", "--output", name, "-o", "gram.npy", "--dtype", "f64"];
        let ran = latlas_in(folder.path(), &decoded);
        assert_eq!(ran.code, 0, "{}", ran.err);
        let metric = ["metric", "builtin:digits-vae", "--latents", "z.npy", "--embedding", embedding, "-o", "m.npy"];
        assert_eq!(latlas_in(folder.path(), &metric).code, 0);
        let (got, expected) = (read(&folder.path().join("gram.npy")), read(&folder.path().join("m.npy")));
        assert_eq!(got.len(), expected.len());
        assert!(got.iter().zip(&expected).all(|(x, y)| (x - y).abs() < 1e-5 * (1.0 + y.abs())), "{embedding}: {got} {expected}");
    }
}

/// Pairs that a chunk divides are paths like all others.
#[test]
fn roughness_does_not_depend_on_the_chunk() {
    let folder = scratch();
    let of = |chunk: &str| {
        let asked = ["run", "tensor-roughness", "builtin:digits-vae", "--samples", "40", "--chunk", chunk, "--json", "--quiet"];
        let ran = latlas_in(folder.path(), &asked);
        assert_eq!(ran.code, 0, "{}", ran.err);
        let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        let estimate = report["estimates"][0].clone();
        let values: Vec<f64> = estimate["value"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect();
        (estimate["n_used"].as_u64().unwrap(), values)
    };
    let (whole, cut) = (of("64"), of("7"));
    assert_eq!((whole.0, cut.0), (20, 20));
    assert!(whole.1.iter().zip(&cut.1).all(|(x, y)| (x - y).abs() < 1e-9 * x.abs()), "{whole:?} {cut:?}");
}
