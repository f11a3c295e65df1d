//! `latlas train`: a model that other verbs read, the same bits whatever interrupts it, and wrong use met with help.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::{latlas_in, scratch};

/// A short training of the digits.
const SHORT: &[&str] =
    &["train", "vae", "--epochs", "4", "--hidden", "16", "--learning-rate", "0.01", "--checkpoint-every", "1", "-o", "out"];

fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let names = ["decoder.onnx", "encoder.onnx", "log.jsonl", "settings.toml", "checkpoint.safetensors"];
    names.iter().map(|name| (name.to_string(), std::fs::read(folder.join("out").join(name)).unwrap())).collect()
}

#[test]
fn a_trained_model_is_measured_like_any_other() {
    let folder = scratch();
    let ran = latlas_in(folder.path(), SHORT);
    assert_eq!((ran.code, ran.out.as_str()), (0, "out/decoder.onnx\nout/encoder.onnx\n"), "{}", ran.err);
    assert!(ran.err.contains("held-out loss"), "{}", ran.err);
    let entropy =
        latlas_in(folder.path(), &["run", "entropy", "out/decoder.onnx", "--encoder", "out/encoder.onnx", "--samples", "50", "--json"]);
    assert_eq!(entropy.code, 0, "{}", entropy.err);
    // The settings beside the model make it again.
    let again = latlas_in(folder.path(), &["train", "--settings", "out/settings.toml", "-o", "again", "--quiet"]);
    assert_eq!((again.code, again.err.as_str()), (0, ""));
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    assert_eq!(read("out/decoder.onnx"), read("again/decoder.onnx"));
}

#[test]
fn killed_at_any_moment_it_ends_with_the_same_bits() {
    let whole = scratch();
    assert_eq!(latlas_in(whole.path(), SHORT).code, 0);
    let broken = scratch();
    let program = assert_cmd::cargo::cargo_bin("latlas");
    for round in 0..30 {
        let mut command = Command::new(&program);
        let mut child = command.args(SHORT).current_dir(broken.path()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(5 + 7 * round));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert_eq!(latlas_in(broken.path(), SHORT).code, 0);
    assert_eq!(files(whole.path()), files(broken.path()));
}

#[test]
fn wrong_use_is_met_with_help() {
    let folder = scratch();
    let refused = |arguments: &[&str]| {
        let ran = latlas_in(folder.path(), &[&["train"], arguments].concat());
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{}", ran.err);
        ran.err
    };
    assert!(refused(&[]).contains("autoencoder"));
    assert!(refused(&["gan"]).contains("vae"));
    assert!(refused(&["vae", "--latent", "many"]).contains("many"));
    assert!(refused(&["vae", "--set", "beta"]).contains("KEY=VALUE"));
    assert!(refused(&["vae", "--set", "model.betta=3"]).contains("betta"));
    assert!(refused(&["flow", "--beta", "3"]).contains("beta"));
    assert!(refused(&["vae", "--channels", "8,16"]).contains("--shape"));
    assert!(refused(&["vae", "--shape", "1x9x9"]).contains("81 values"));
    assert!(refused(&["vae", "--batch", "100000"]).contains("--batch"));
    assert!(refused(&["vae", "--settings", "missing.toml"]).contains("missing.toml"));
    assert!(refused(&["vae", "--data", "builtin:digit"]).contains("builtin:digits"));
    assert!(!folder.path().join("latlas-model/decoder.onnx").exists());
}

#[test]
fn a_folder_with_another_training_is_kept() {
    let folder = scratch();
    assert_eq!(latlas_in(folder.path(), SHORT).code, 0);
    let before = files(folder.path());
    let other = latlas_in(folder.path(), &[SHORT, &["--seed", "1"]].concat());
    assert_eq!(other.code, 2, "{}", other.err);
    assert!(other.err.contains("other settings") && other.err.contains("--restart"), "{}", other.err);
    assert_eq!(files(folder.path()), before);
    assert_eq!(latlas_in(folder.path(), &[SHORT, &["--seed", "1", "--restart"]].concat()).code, 0);
}

#[test]
fn convolutions_take_pictures() {
    let folder = scratch();
    let arguments = ["train", "vae", "--epochs", "1", "--shape", "1x8x8", "--channels", "4,8", "--hidden", "16", "-o", "out"];
    let ran = latlas_in(folder.path(), &arguments);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let inspected = latlas_in(folder.path(), &["inspect", "out/decoder.onnx"]);
    assert!(inspected.out.contains("[1, 8, 8]"), "{}", inspected.out);
}

#[test]
fn a_fitted_prior_is_used_where_none_is_named() {
    let folder = scratch();
    let arguments = ["train", "autoencoder", "--epochs", "4", "--hidden", "16", "--set", "model.prior={mixture = 3}", "-o", "out"];
    let ran = latlas_in(folder.path(), &arguments);
    assert_eq!((ran.code, ran.out.as_str()), (0, "out/decoder.onnx\nout/encoder.onnx\nout/prior.json\n"), "{}", ran.err);
    let measured = |options: &[&str]| {
        let ran = latlas_in(folder.path(), &[&["run", "total-entropy", "out/decoder.onnx", "--samples", "50", "--json"], options].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
        (ran.out, ran.err)
    };
    let (found, notes) = measured(&[]);
    assert!(notes.contains("prior: out/prior.json"), "{notes}");
    let value = |json: &str| serde_json::from_str::<serde_json::Value>(json).unwrap()["estimates"][0]["value"].clone();
    assert_eq!(value(&found), value(&measured(&["--prior", "out/prior.json"]).0));
    assert_ne!(value(&found), value(&measured(&["--prior", "normal"]).0));
}

#[test]
fn estimators_of_a_gradient_are_shown_side_by_side() {
    let folder = scratch();
    let model = ["train", "vae", "--hidden", "4", "--epochs", "1", "-o", "out"];
    let ran = latlas_in(folder.path(), &[&model[..], &["--compare-gradients", "40"]].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("at step 0, 40 draws"), "{}", ran.err);
    for word in ["variance, score", "encoder.mean.weight", "decoder.logits.bias"] {
        assert!(ran.out.contains(word), "{word}: {}", ran.out);
    }
    assert!(!folder.path().join("out/decoder.onnx").exists());
    assert_eq!(latlas_in(folder.path(), &model).code, 0);
    let trained = latlas_in(folder.path(), &[&model[..], &["--compare-gradients", "40"]].concat());
    assert!(trained.err.contains("at step 12,"), "{}", trained.err);
}
