//! compare: models on the same latents, reports side by side, and what does not go together.

use std::path::Path;

use latlas_graph::ops::Contraction;
use latlas_graph::{Builder, Port, Rows, Tensor, onnx};
use serde_json::{Value as Json, json};

use super::{Ran, fixture, latlas_in, scratch};

/// Writes the model x = J z, J row by row; weights are stored in single precision.
fn linear(path: &Path, d: usize, rows: &[f64]) {
    let mut b = Builder::new();
    let z = b.input("z", Rows::SAMPLE, &[d], &[d]);
    let matrix = b.constant(Tensor::new([rows.len() / d, d], rows.to_vec()));
    let x = b.contract(matrix, z, Contraction { a: vec![0, 1], b: vec![1], out: vec![0], sum_rows: Rows::NONE });
    let port = Port { name: "x".into(), node: x, shape: vec![rows.len() / d], default: None };
    std::fs::write(path, onnx::save(&b.finish(vec![port])).unwrap()).unwrap();
}

/// Three models of the plane: b has the columns of a in another order and at other lengths, c turns one of them.
fn models(folder: &Path) {
    linear(&folder.join("a.onnx"), 2, &[2., 1., 0., 1.]);
    linear(&folder.join("b.onnx"), 2, &[3., 4., 3., 0.]);
    linear(&folder.join("c.onnx"), 2, &[2., 0., 0., 1.]);
    linear(&folder.join("wide.onnx"), 2, &[1., 0., 0., 1., 0., 0.]);
}

fn parsed(ran: &Ran) -> Json {
    assert_eq!(ran.code, 0, "{}", ran.err);
    serde_json::from_str(&ran.out).unwrap()
}

fn estimate<'a>(report: &'a Json, id: &str) -> &'a Json {
    let found = report["estimates"].as_array().unwrap().iter().find(|estimate| estimate["id"] == id);
    found.unwrap_or_else(|| panic!("{id} is missing"))
}

fn near(got: &Json, expected: f64) {
    let got = got.as_f64().unwrap();
    assert!((got - expected).abs() < 1e-9, "{got}, expected {expected}");
}

#[test]
fn two_models_at_the_same_latents() {
    let folder = scratch();
    models(folder.path());
    let run = ["compare", "a.onnx", "b.onnx", "--dtype", "f64", "--samples", "200", "--json", "-o", "out"];
    let ran = latlas_in(folder.path(), &run);
    let report = parsed(&ran);
    let (two, root) = (2.0_f64.ln(), 0.5 * 2.0_f64.ln());
    let entropies = estimate(&report, "manifold-entropy-difference");
    near(&entropies["value"][0], 0.5 * 18.0_f64.ln() - two);
    near(&entropies["value"][1], 4.0_f64.ln() - root);
    assert_eq!((&entropies["extra"]["paired"], &entropies["extra"]["models"]), (&json!(true), &json!(["a.onnx", "b.onnx"])));
    near(&estimate(&report, "total-entropy-difference")["value"], 6.0_f64.ln());
    let overlap = estimate(&report, "total-correlation-difference");
    near(&overlap["value"], 0.0);
    near(&overlap["standard_error"], 0.0);
    near(&overlap["extra"]["sides"][0]["value"], root);
    // The first latent of one does what the second of the other does.
    let cosines = &estimate(&report, "cross-mutual-information")["extra"]["mean_cos2"]["value"];
    for (i, row) in [[0.5, 1.0], [1.0, 0.5]].iter().enumerate() {
        row.iter().enumerate().for_each(|(j, cosine)| near(&cosines[i][j], *cosine));
    }
    assert_eq!(estimate(&report, "dimension-matching")["extra"]["pairs"][0]["permutation"], json!([1, 0]));
    let page = std::fs::read_to_string(folder.path().join("out/report.html")).unwrap();
    assert!(page.contains("figure-cross-cosines") && page.contains("figure-total-correlation-over-models") && page.contains("b.onnx"));
    assert_eq!(parsed(&Ran { out: std::fs::read_to_string(folder.path().join("out/report.json")).unwrap(), ..ran }), report);

    let gated = |condition: &str| latlas_in(folder.path(), &[&run[..], &["--gate", condition]].concat()).code;
    assert_eq!(gated("total-correlation-difference < 0.1"), 0);
    assert_eq!(gated("total-entropy-difference < 1"), 4);
}

#[test]
fn a_model_does_not_differ_from_itself() {
    let folder = scratch();
    let [flow, inverse, data] =
        ["galaxy_flow.onnx", "galaxy_flow_inverse.onnx", "galaxies.npy"].map(|name| fixture(name).display().to_string());
    let few = latlas::data::read(&data).unwrap().values;
    let few = few.slice_axis(ndarray::Axis(0), (0..60).into()).to_owned();
    super::write(&folder.path().join("few.npy"), &few);
    let encoders = ["--encoder", &inverse, "--other-encoder", &inverse];
    let ran = latlas_in(folder.path(), &[&["compare", &flow, &flow, "--data", "few.npy", "--json"], &encoders[..]].concat());
    let report = parsed(&ran);
    assert_eq!(report["settings"]["sampling"], "data");
    for id in ["manifold-entropy-difference", "total-entropy-difference", "pairwise-mutual-information-difference"] {
        let flat = |json: &Json| -> Vec<f64> {
            let entries = |json: &Json| json.as_array().cloned().unwrap_or_else(|| vec![json.clone()]);
            entries(json).iter().flat_map(entries).filter_map(|x| x.as_f64()).collect()
        };
        let values = flat(&estimate(&report, id)["value"]);
        assert!(!values.is_empty() && values.iter().all(|x| *x == 0.0), "{id}: {values:?}");
    }
    let cross = &estimate(&report, "cross-mutual-information")["extra"]["mean_cos2"]["value"];
    (0..7).for_each(|i| near(&cross[i][i], 1.0));
    near(&estimate(&report, "dimension-matching")["value"], 1.0);
}

#[test]
fn several_models_along_a_number() {
    let folder = scratch();
    models(folder.path());
    let run = ["compare", "a.onnx", "b.onnx", "c.onnx", "--dtype", "f64", "--samples", "40", "--json"];
    let report = parsed(&latlas_in(folder.path(), &[&run[..], &["--along", "beta=0.1,1,10"]].concat()));
    let total = estimate(&report, "total-entropy-difference");
    assert_eq!(total["axes"], json!(["model"]));
    near(&total["value"][0], 6.0_f64.ln());
    near(&total["value"][1], 0.0);
    near(&estimate(&report, "manifold-entropy-difference")["value"][1][1], -0.5 * 2.0_f64.ln());
    assert_eq!(report["settings"]["along"], json!({ "name": "beta", "values": [0.1, 1.0, 10.0] }));
    assert_eq!(estimate(&report, "dimension-matching")["extra"]["pairs"].as_array().map(Vec::len), Some(3));
    let saved = latlas_in(folder.path(), &[&run[..], &["--along", "beta=0.1,1,10", "-o", "out"]].concat());
    assert_eq!(saved.code, 0, "{}", saved.err);
    let page = std::fs::read_to_string(folder.path().join("out/report.html")).unwrap();
    assert!(page.contains("figure-active-over-models") && page.contains(">beta</text>"));

    let wrong = |along: &str| latlas_in(folder.path(), &[&run[..], &["--along", along]].concat());
    for (along, what) in
        [("beta=1,2", "beta has 2 numbers for 3 models"), ("beta", "no name and numbers"), ("beta=1,x,3", "no name and numbers")]
    {
        let ran = wrong(along);
        assert!(ran.code == 2 && ran.err.contains(what), "{}", ran.err);
    }
}

/// Two directions keep their length whatever the noise, the third has that of the noise.
#[test]
fn noises_tell_the_dimension() {
    let folder = scratch();
    for (name, noise) in [("a.onnx", 0.01), ("b.onnx", 0.03), ("c.onnx", 0.1)] {
        linear(&folder.path().join(name), 3, &[3., 0., 0., 1., 1., 0., 0., 0., noise]);
    }
    let run = ["compare", "a.onnx", "b.onnx", "c.onnx", "--dtype", "f64", "--samples", "40", "--json"];
    let report = parsed(&latlas_in(folder.path(), &[&run[..], &["--noise", "0.01,0.03,0.1"]].concat()));
    let dimension = estimate(&report, "local-dimension-by-noise");
    near(&dimension["value"], 2.0);
    for (slope, expected) in dimension["extra"]["slopes"].as_array().unwrap().iter().zip([0.0, 0.0, 1.0]) {
        assert!((slope.as_f64().unwrap() - expected).abs() < 1e-7, "{slope}");
    }
    assert_eq!(report["settings"]["along"]["name"], "noise");
    let ran = latlas_in(folder.path(), &[&run[..], &["--noise", "0.01,0.03"]].concat());
    assert!(ran.code == 2 && ran.err.contains("noise has 2 numbers for 3 models"), "{}", ran.err);
}

#[test]
fn two_reports() {
    let folder = scratch();
    models(folder.path());
    for (model, seed, out) in [("a.onnx", "0", "a"), ("b.onnx", "1", "b")] {
        let ran = latlas_in(folder.path(), &["run", "entropy", model, "--dtype", "f64", "--samples", "50", "--seed", seed, "--save", out]);
        assert_eq!(ran.code, 0, "{}", ran.err);
    }
    let run = ["compare", "a/report.json", "b/report.json", "--json"];
    let report = parsed(&latlas_in(folder.path(), &run));
    near(&estimate(&report, "total-entropy-difference")["value"], 6.0_f64.ln());
    let likelihood = estimate(&report, "on-manifold-log-likelihood-difference");
    assert_eq!(likelihood["extra"]["paired"], false);
    // Errors of independent runs add up as squares.
    let error = |folder_of: &str| {
        let text = std::fs::read_to_string(folder.path().join(folder_of).join("report.json")).unwrap();
        estimate(&serde_json::from_str(&text).unwrap(), "on-manifold-log-likelihood")["standard_error"].as_f64().unwrap()
    };
    near(&likelihood["standard_error"], error("a").hypot(error("b")));
    let z = likelihood["value"].as_f64().unwrap() / likelihood["standard_error"].as_f64().unwrap();
    near(&likelihood["extra"]["in_standard_errors"][0], z);
    let table = latlas_in(folder.path(), &run[..3]);
    assert!(table.code == 0 && table.out.contains("Δ Manifold entropy"), "{}", table.out);
    assert_eq!(latlas_in(folder.path(), &[&run[..3], &["--gate", "total-entropy-difference < 1"]].concat()).code, 4);
}

/// Arrays that are too large for the JSON are read from the files beside it.
#[test]
fn reports_with_files_beside_them() {
    let folder = scratch();
    let matrix = |scale: f64| (0..20 * 600).map(|k| scale * (f64::from(k) * 0.71).sin()).collect::<Vec<_>>();
    for (name, scale) in [("a", 1.0), ("b", 2.0)] {
        linear(&folder.path().join(format!("{name}.onnx")), 20, &matrix(scale));
        let model = format!("{name}.onnx");
        let ran = latlas_in(folder.path(), &["run", "averaged-columns", &model, "--dtype", "f64", "--samples", "30", "--save", name]);
        assert_eq!(ran.code, 0, "{}", ran.err);
    }
    let run = ["compare", "a/report.json", "b/report.json", "--save", "difference"];
    let ran = latlas_in(folder.path(), &run);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let difference = super::read(&folder.path().join("difference/averaged-columns-difference.value.npy"));
    assert_eq!(difference.shape(), [20, 600]);
    assert!((difference[[3, 5]] - (f64::from(5 * 20 + 3) * 0.71).sin()).abs() < 1e-6);
    std::fs::remove_file(folder.path().join("b/averaged-columns.value.npy")).unwrap();
    let ran = latlas_in(folder.path(), &run);
    assert!(ran.code == 2 && ran.err.contains("averaged-columns.value.npy"), "{}", ran.err);
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let folder = scratch();
    models(folder.path());
    let ran = latlas_in(folder.path(), &["run", "total-entropy", "a.onnx", "--samples", "20", "--save", "a"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let ran = latlas_in(folder.path(), &["run", "manifold-entropy", "a.onnx", "--samples", "20", "--save", "other"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    std::fs::write(folder.path().join("broken.json"), "{\"schema\": \"latlas/1\", ").unwrap();
    std::fs::write(folder.path().join("foreign.json"), "{\"schema\": \"latlas/9\"}").unwrap();
    std::fs::write(folder.path().join("text.onnx"), "no model").unwrap();
    let refused: [(&[&str], &str); 8] = [
        (&["a.onnx"], "2 values required"),
        (&["a.onnx", "a/report.json"], "a model and a report cannot be compared"),
        (&["a/report.json", "missing.json"], "missing.json"),
        (&["a/report.json", "broken.json"], "broken.json"),
        (&["a/report.json", "foreign.json"], "latlas/9"),
        (&["a/report.json", "other/report.json"], "no estimate of the same shape in common"),
        (&["a.onnx", "missing.onnx"], "missing.onnx"),
        (&["a.onnx", "wide.onnx"], "the decoder gives 2 values a sample, further model 1 gives 3"),
    ];
    for (sides, what) in refused {
        let ran = latlas_in(folder.path(), &[&["compare"], sides].concat());
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{sides:?}: {}", ran.err);
        assert!(ran.err.contains(what), "{sides:?}: {}", ran.err);
    }
    let ran = latlas_in(folder.path(), &["compare", "a.onnx", "text.onnx"]);
    assert!(ran.code == 3 && ran.out.is_empty() && ran.err.contains("text.onnx"), "{}", ran.err);
    let ran = latlas_in(folder.path(), &["compare", "a.onnx", "b.onnx", "--estimator", "beauty"]);
    assert!(ran.code == 2 && ran.err.contains("beauty"), "{}", ran.err);
    let ran = latlas_in(folder.path(), &["compare", "a.onnx", "b.onnx", "--other-encoder", "a.onnx", "--other-encoder", "b.onnx"]);
    assert!(ran.code == 2 && ran.err.contains("2 encoders were given for 1 further models"), "{}", ran.err);
}
