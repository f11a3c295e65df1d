//! The command as its users meet it: what it prints, what it writes, and the code it ends with.

#![allow(clippy::unwrap_used)]

mod arrays;
mod codes;
mod compare;
mod determinism;
mod dumps;
mod gates;
mod generated;
mod geometry;
mod help;
mod inspect;
mod python;
mod report;
mod reproduce;
mod train;
mod wrong_use;

use std::path::{Path, PathBuf};

use ndarray::ArrayD;

/// What a run of the command left behind.
struct Ran {
    code: i32,
    out: String,
    err: String,
}

/// Runs the command in a folder.
fn latlas_in(folder: &Path, arguments: &[&str]) -> Ran {
    let output = assert_cmd::Command::cargo_bin("latlas").unwrap().current_dir(folder).args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
}

/// Runs the command where it has nothing to find.
fn latlas(arguments: &[&str]) -> Ran {
    latlas_in(scratch().path(), arguments)
}

/// An empty folder that goes away.
fn scratch() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// A file of the library's tests.
fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../latlas/tests/fixtures").join(name)
}

/// Writes an array of f64.
fn write(path: &Path, values: &ArrayD<f64>) {
    latlas::data::write_npy(path, values, latlas::data::Float::F64).unwrap();
}

/// Reads an array.
fn read(path: &Path) -> ArrayD<f64> {
    latlas::data::read(path.to_str().unwrap()).unwrap().values
}

/// Some latents that differ from each other in every entry.
fn latents(n: usize, d: usize) -> ArrayD<f64> {
    ArrayD::from_shape_fn(vec![n, d], |index| ((3 * index[0] + 7 * index[1]) as f64 * 0.37).sin())
}
