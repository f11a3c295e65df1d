//! Saved models mean what they were: read back in single precision here, and left with our numbers for other runtimes to check.

use std::path::Path;

use latlas::data::{Float, write_npz};
use latlas::models::zoo::{Networks, Parameters, Spec, Vae};
use latlas::training::{Objective, file_graph};
use latlas_graph::evaluate::evaluate;
use latlas_graph::execute::{Options, Program};
use latlas_graph::onnx::{LoadOptions, load_bytes, save};
use ndarray::ArrayD;

use super::{models, stir};

const SAMPLES: usize = 7;

/// Every family, and convolutions, with the shape of a datum of each.
fn cases() -> Vec<(&'static str, Spec, Vec<usize>)> {
    let networks = Networks { hidden: vec![6], channels: vec![3, 4], ..super::networks() };
    let convolutional = Spec::Vae(Vae { networks, ..Vae::default() });
    let flat = models().into_iter().map(|(name, spec)| (name, spec, vec![4]));
    flat.chain([("convolutional", convolutional, vec![1, 8, 8])]).collect()
}

/// Encoder, decoder, inverse and log-determinant of every model: `peers/check_export.py` runs these files in onnxruntime.
#[test]
fn saved_models_give_the_same_numbers() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("zoo");
    // What an earlier run left is no longer ours; there may be none.
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    for (name, spec, shape) in cases() {
        let mut parameters = Parameters::new(3);
        Objective::new(spec.model(), &mut parameters, &shape, SAMPLES, 8, false).unwrap();
        stir(&mut parameters);
        for file in spec.model().files() {
            let bytes = save(&file_graph(spec.model(), file, &mut parameters, &shape).unwrap()).unwrap();
            let graph = load_bytes(bytes.clone(), None, &LoadOptions::default()).unwrap();
            // Single precision holds them exactly.
            let value = |port: usize, k: usize| {
                if port == 0 { f64::from((1.1 * k as f32 + 0.4).sin()) } else { f64::from(u8::from(k % 3 == k / 3 % 3)) }
            };
            let len = |port: usize| SAMPLES * graph.inputs[port].shape.iter().product::<usize>();
            let inputs: Vec<Vec<f64>> = (0..graph.inputs.len()).map(|port| (0..len(port)).map(|k| value(port, k)).collect()).collect();
            let expected = evaluate(&graph, SAMPLES, &inputs).unwrap();
            let program = Program::<f32>::compile(&graph, &Options::default()).unwrap();
            let single: Vec<Vec<f32>> = inputs.iter().map(|values| values.iter().map(|&x| x as f32).collect()).collect();
            let mut found = vec![];
            program.run(SAMPLES, &single.iter().map(Vec::as_slice).collect::<Vec<_>>(), &mut found).unwrap();
            for ((port, found), expected) in graph.outputs.iter().zip(&found).zip(&expected) {
                let scale = expected.iter().fold(1e-3_f64, |most, x| most.max(x.abs()));
                let worst = found.iter().zip(expected).map(|(a, b)| (f64::from(*a) - b).abs()).fold(0.0, f64::max);
                assert!(worst <= 1e-5 * scale, "{name}, {file}: {} differs by {worst:e} of {scale}", port.name);
            }
            let title: String = format!("{name}_{file}").chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
            std::fs::write(folder.join(format!("{title}.onnx")), &bytes).unwrap();
            let array = |shape: &[usize], values: &[f64]| ArrayD::from_shape_vec([&[SAMPLES], shape].concat(), values.to_vec()).unwrap();
            let named = |kind: &str, ports: &[latlas_graph::Port], values: &[Vec<f64>]| {
                let of = |(port, values): (&latlas_graph::Port, &Vec<f64>)| (format!("{kind}:{}", port.name), array(&port.shape, values));
                ports.iter().zip(values).map(of).collect::<Vec<_>>()
            };
            // A number that is the same for all samples is written for each.
            let each: Vec<Vec<f64>> = graph
                .outputs
                .iter()
                .zip(&expected)
                .map(|(port, values)| {
                    let all = SAMPLES * port.shape.iter().product::<usize>();
                    values.repeat(all / values.len())
                })
                .collect();
            let arrays = [named("input", &graph.inputs, &inputs), named("output", &graph.outputs, &each)].concat();
            let views: Vec<_> = arrays.iter().map(|(name, array)| (name.as_str(), array.view())).collect();
            write_npz(folder.join(format!("{title}.npz")), &views, &[], Float::F64).unwrap();
        }
    }
}
