//! Whole trainings in folders.

use std::path::Path;

use latlas::models::zoo::{Autoencoder, CodePrior, Flow, Likelihood, Penalty, Spec, Vae};
use latlas::samples::Prior;
use latlas::training::{Options, Settings, train};

use super::{data, models, networks, short};

fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), std::fs::read(entry.path()).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn every_model_trains_and_learns_something() {
    for (name, spec) in models() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings { epochs: 8, ..short(spec) };
        let outcome = train(folder.path(), &settings, &data(80, &[4]), Options::default(), &|_, _, _| ()).unwrap();
        let files = if name == "autoencoder with a prior" { 3 } else { 2 };
        assert_eq!((outcome.steps, outcome.files.len(), outcome.stopped_early), (32, files, false), "{name}");
        let log = std::fs::read_to_string(folder.path().join("log.jsonl")).unwrap();
        let lines: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 8);
        // Weights that rise with the steps change what the loss means.
        let rises = ["β", "capacity"].contains(&name);
        let loss = |line: usize| lines[line]["training"]["loss"].as_f64().unwrap();
        assert!(rises || loss(7) < loss(0), "{name}: the loss went from {} to {}", loss(0), loss(7));
    }
}

/// Stops a training by a panic at a step, as a kill would, and goes on; again and again.
#[test]
fn an_interrupted_training_ends_with_the_same_bits() {
    let vae = Spec::Vae(Vae { networks: networks(), warm_up: 5, ..Vae::default() });
    let factor = Spec::Vae(Vae { networks: networks(), penalty: Penalty::Factor, discriminator: vec![5], ..Vae::default() });
    let flow = Spec::Flow(Flow { blocks: 2, hidden: vec![4], total_correlation: 0.1, act_norm: true, ..Flow::default() });
    for model in [vae, factor, flow] {
        let settings = Settings { average: 0.9, clip: 1.0, ..short(model) };
        let settings = Settings { early_stopping: latlas::training::EarlyStopping { patience: 2 }, ..settings };
        let rows = data(80, &[4]);
        let whole = tempfile::tempdir().unwrap();
        train(whole.path(), &settings, &rows, Options { checkpoint_every: 1, ..Options::default() }, &|_, _, _| ()).unwrap();
        let broken = tempfile::tempdir().unwrap();
        let options = Options { checkpoint_every: 2, ..Options::default() };
        for stop in [1, 3, 4, 5, 7, 9, 12] {
            let tell = |step: u64, _: u64, _: f64| assert!(step < stop, "interrupted");
            let run = || train(broken.path(), &settings, &rows, options, &tell);
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).unwrap_err();
        }
        train(broken.path(), &settings, &rows, options, &|_, _, _| ()).unwrap();
        assert_eq!(files(whole.path()), files(broken.path()));
    }
}

#[test]
fn threads_change_no_bit() {
    let train_on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let settings = short(Spec::Vae(Vae { networks: networks(), ..Vae::default() }));
        pool.install(|| train(folder.path(), &settings, &data(80, &[4]), Options::default(), &|_, _, _| ()).unwrap());
        files(folder.path())
    };
    assert_eq!(train_on(1), train_on(3));
}

#[test]
fn a_training_that_diverges_says_where() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { learning_rate: 1e12, ..short(Spec::Vae(Vae { networks: networks(), ..Vae::default() })) };
    let error = train(folder.path(), &settings, &data(80, &[4]), Options::default(), &|_, _, _| ()).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("diverged in step") && (text.contains("term") || text.contains("gradient")), "{text}");
    assert!(error.hint().unwrap().contains("--learning-rate"));
}

#[test]
fn another_training_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let settings = short(Spec::Vae(Vae { networks: networks(), ..Vae::default() }));
    let rows = data(80, &[4]);
    let run =
        |settings: &Settings, restart| train(folder.path(), settings, &rows, Options { restart, ..Options::default() }, &|_, _, _| ());
    run(&settings, false).unwrap();
    let other = Settings { seed: 1, ..settings };
    let error = run(&other, false).unwrap_err();
    assert!(error.to_string().contains("other settings"), "{error}");
    run(&other, true).unwrap();
}

#[test]
fn settings_out_of_range_are_refused() {
    let vae = || Spec::Vae(Vae { networks: networks(), ..Vae::default() });
    let rows = data(80, &[4]);
    let refused = |settings: Settings| {
        let folder = tempfile::tempdir().unwrap();
        train(folder.path(), &settings, &rows, Options::default(), &|_, _, _| ()).unwrap_err().to_string()
    };
    assert!(refused(Settings { batch: 0, ..short(vae()) }).contains("batch is 0"));
    assert!(refused(Settings { batch: 1000, ..short(vae()) }).contains("do not fill one batch"));
    assert!(refused(Settings { held_out: 1.0, ..short(vae()) }).contains("held-out"));
    assert!(refused(Settings { learning_rate: f64::NAN, ..short(vae()) }).contains("learning-rate"));
    assert!(refused(short(Spec::Flow(Flow { blocks: 0, ..Flow::default() }))).contains("at least one block"));
    let convolutions = latlas::models::zoo::Networks { channels: vec![4], ..networks() };
    assert!(refused(short(Spec::Vae(Vae { networks: convolutions, ..Vae::default() }))).contains("halve a picture"));
}

#[test]
fn the_discriminator_learns_and_is_logged() {
    let folder = tempfile::tempdir().unwrap();
    // Without a rate both latents follow the one number that all values of a row are.
    let vae = Vae { networks: networks(), likelihood: Likelihood::Gaussian, std: 0.1, beta: 0.0, ..Vae::default() };
    let vae = Vae { penalty: Penalty::Factor, gamma: 0.0, discriminator: vec![16, 16], ..vae };
    let settings = Settings { epochs: 100, ..short(Spec::Vae(vae)) };
    let mut rows = data(80, &[4]);
    rows.values.iter_mut().enumerate().for_each(|(k, x)| *x = (k / 4) as f32 / 20.0 - 2.0);
    train(folder.path(), &settings, &rows, Options::default(), &|_, _, _| ()).unwrap();
    let log = std::fs::read_to_string(folder.path().join("log.jsonl")).unwrap();
    let loss = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["training"]["adversary"].as_f64().unwrap();
    let losses: Vec<f64> = log.lines().map(loss).collect();
    // Who cannot tell has the loss log 2.
    assert!((losses[0] - std::f64::consts::LN_2).abs() < 0.1, "{losses:?}");
    assert!(losses[99] < 0.9 * losses[0], "{losses:?}");
}

#[test]
fn a_prior_is_fitted_to_the_codes_of_training_rows() {
    let folder = tempfile::tempdir().unwrap();
    let with = |prior| short(Spec::Autoencoder(Autoencoder { latent: 2, networks: networks(), prior, ..Autoencoder::default() }));
    let rows = data(80, &[4]);
    let options = Options { restart: true, ..Options::default() };
    let mixed = Settings { held_out: 0.0, ..with(CodePrior::Normal) };
    let outcome = train(folder.path(), &mixed, &rows, options, &|_, _, _| ()).unwrap();
    let text = std::fs::read(outcome.files.last().unwrap()).unwrap();
    let Prior::Diagonal { mean, std } = Prior::from_json(&text, "prior.json").unwrap() else { panic!("not normal") };
    let encoder =
        latlas::models::OnnxEncoder::load(&folder.path().join("encoder.onnx"), &latlas::models::onnx::Options::default()).unwrap();
    let values: Vec<f64> = rows.values.iter().map(|&x| f64::from(x)).collect();
    let values = ndarray::Array2::from_shape_vec((80, 4), values).unwrap();
    let codes = latlas::models::Encoder::encode(&encoder, values.view(), None).unwrap().mean;
    for i in 0..2 {
        assert!((codes.column(i).mean().unwrap() - mean[i]).abs() < 1e-5, "{mean:?}");
        assert!((codes.column(i).std(0.0) - std[i]).abs() < 1e-5, "{std:?}");
    }
    // A training without one leaves none behind.
    train(folder.path(), &with(CodePrior::None), &rows, options, &|_, _, _| ()).unwrap();
    assert!(!folder.path().join("prior.json").exists());
}
