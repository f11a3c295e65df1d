//! Real model files: what exporters write, and trained models with known values.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use latlas_graph::evaluate::evaluate;
use latlas_graph::onnx::{LoadOptions, load};
use latlas_graph::{Error, Graph};

type Arrays = BTreeMap<String, Vec<f64>>;

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// All arrays of a file, widened.
fn read_npz(path: &Path) -> Arrays {
    let mut archive = zip::ZipArchive::new(File::open(path).unwrap()).unwrap();
    let mut arrays = Arrays::new();
    for i in 0..archive.len() {
        let mut entry = archive.by_index(i).unwrap();
        let name = entry.name().unwrap().trim_end_matches(".npy").to_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        let array = npyz::NpyFile::new(&bytes[..]).unwrap();
        let values: Vec<f64> = match array.dtype().descr().as_str() {
            "'<f4'" => array.into_vec::<f32>().unwrap().into_iter().map(f64::from).collect(),
            "'<f8'" => array.into_vec::<f64>().unwrap(),
            _ => continue,
        };
        arrays.insert(name, values);
    }
    arrays
}

/// Runs a graph with one input on `n` samples; outputs by name, repeated where they do not vary over samples.
fn run(graph: &Graph, n: usize, input: &[f64]) -> Arrays {
    assert_eq!(graph.inputs.len(), 1);
    let outputs = evaluate(graph, n, &[input.to_vec()]).unwrap();
    let named = graph.outputs.iter().zip(outputs).map(|(port, values)| {
        let constant = graph.node(port.node).rows.is_empty();
        (port.name.clone(), if constant { values.repeat(n) } else { values })
    });
    named.collect()
}

fn largest_difference(got: &[f64], wanted: &[f64]) -> f64 {
    assert_eq!(got.len(), wanted.len());
    got.iter().zip(wanted).map(|(a, b)| (a - b).abs()).fold(0.0, |m, d| if d.is_nan() || d > m { d } else { m })
}

/// Every export of a model gives what the exporter's own library computes.
fn check_exports(name: &str, outputs: &[(&str, &[usize])], tolerance: f64) {
    let arrays = read_npz(&here("tests/models/exports.npz"));
    let input = &arrays[&format!("{name}.z")];
    for exporter in ["dynamo", "script"] {
        for batch in ["many", "one"] {
            let file = format!("{name}.{exporter}.{batch}.onnx");
            let graph = load(&here("tests/models").join(&file), &LoadOptions::default()).unwrap_or_else(|e| panic!("{file}: {e}"));
            let got = run(&graph, 3, input);
            for (port, (output, shape)) in graph.outputs.iter().zip(outputs) {
                // A 1 that is not in front is not known to be a batch.
                let seen: Vec<usize> = port.shape.iter().copied().filter(|_| name != "sequence" || batch == "many").collect();
                assert_eq!(port.name, *output, "{file}");
                assert!(seen.is_empty() || seen == *shape, "{file}: {seen:?}");
                let difference = largest_difference(&got[*output], &arrays[&format!("{name}.{output}")]);
                println!("{file}: {output} differs by {difference:.1e}, {} nodes", graph.nodes().len());
                assert!(difference <= tolerance, "{file}: {output} differs by {difference:.1e}");
            }
        }
    }
}

#[test]
fn residual_decoders() {
    check_exports("residual", &[("x", &[1, 8, 8])], 1e-12);
}

#[test]
fn attention_decoders() {
    // The scale 1 / sqrt(d) is written into the files in single precision.
    check_exports("attention", &[("x", &[5, 3])], 1e-7);
}

#[test]
fn spline_couplings_that_index_with_masks() {
    check_exports("spline", &[("x", &[4]), ("log_det", &[])], 1e-6);
}

#[test]
fn convolutional_decoders() {
    check_exports("convolutional", &[("x", &[2, 3, 3])], 1e-6);
}

#[test]
fn decoders_with_two_heads() {
    check_exports("heads", &[("mean", &[6]), ("logvar", &[6])], 1e-6);
}

#[test]
fn decoders_with_the_batch_on_axis_1() {
    check_exports("sequence", &[("x", &[3, 2])], 1e-6);
}

#[test]
fn models_that_mix_samples_are_refused() {
    for (name, op) in [("mean", "ReduceMean"), ("reshape", "Reshape"), ("flip", "Slice")] {
        let error = load(&here(&format!("tests/models/refused.{name}.onnx")), &LoadOptions::default()).unwrap_err();
        let Error::MixesSamples { op: got, .. } = &error else { panic!("{name}: {error}") };
        assert_eq!(got, op, "{name}");
        assert!(error.hint().is_some());
    }
    let error = load(&here("tests/models/refused.training.onnx"), &LoadOptions::default()).unwrap_err();
    assert!(error.to_string().contains("BatchNormalization") && error.to_string().contains("training"), "{error}");
}

#[test]
fn digits() {
    let arrays = read_npz(&here("../latlas/tests/fixtures/digits_vae.check.npz"));
    let decoder = load(&here("../latlas/assets/digits_vae.onnx"), &LoadOptions::default()).unwrap();
    let got = run(&decoder, 8, &arrays["z"]);
    assert!(largest_difference(&got["mean"], &arrays["mean"]) <= 1e-12);
    assert!(largest_difference(&got["logvar"], &arrays["logvar"]) <= 1e-12);
    let encoder = load(&here("../latlas/assets/digits_encoder.onnx"), &LoadOptions::default()).unwrap();
    let got = run(&encoder, 10, &arrays["x"]);
    assert!(largest_difference(&got["z_mean"], &arrays["z_mean"]) <= 1e-12);
    assert!(largest_difference(&got["z_logvar"], &arrays["z_logvar"]) <= 1e-12);
}

#[test]
fn galaxy_flow_both_ways() {
    let arrays = read_npz(&here("../latlas/tests/fixtures/galaxy_flow.check.npz"));
    let flow = load(&here("../latlas/tests/fixtures/galaxy_flow.onnx"), &LoadOptions::default()).unwrap();
    let got = run(&flow, 16, &arrays["sample_z"]);
    let difference = (largest_difference(&got["x"], &arrays["sample_x"]), largest_difference(&got["log_det"], &arrays["sample_log_det"]));
    println!("galaxy_flow: {difference:?}, {} nodes", flow.nodes().len());
    assert!(difference.0 <= 1e-11 && difference.1 <= 1e-11);
    let inverse = load(&here("../latlas/tests/fixtures/galaxy_flow_inverse.onnx"), &LoadOptions::default()).unwrap();
    let got = run(&inverse, 16, &arrays["x"]);
    let difference = (largest_difference(&got["z"], &arrays["z"]), largest_difference(&got["log_det"], &arrays["log_det"]));
    println!("galaxy_flow_inverse: {difference:?}, {} nodes", inverse.nodes().len());
    assert!(difference.0 <= 1e-11 && difference.1 <= 1e-11);
}

#[test]
fn dcgan_faces() {
    let path = here("../../data/dcgan_faces.onnx");
    if !path.exists() {
        println!("skipped: {} is not there; `cargo dev data` makes it", path.display());
        return;
    }
    let arrays = read_npz(&here("../latlas/tests/fixtures/dcgan_faces.check.npz"));
    let graph = load(&path, &LoadOptions::default()).unwrap();
    assert_eq!((&graph.inputs[0].shape[..], &graph.outputs[0].shape[..]), (&[100][..], &[3, 64, 64][..]));
    let got = run(&graph, 1, &arrays["z"][..100]);
    let difference = largest_difference(&got["x"], &arrays["x"][..12288]);
    println!("dcgan_faces: {difference:.1e}, {} nodes", graph.nodes().len());
    // The reference is stored in single precision.
    assert!(difference <= 6e-8);
}
