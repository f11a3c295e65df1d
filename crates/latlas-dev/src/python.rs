//! The Python package: its wheel, installed without Rust in an environment of its own outside the tree, and its tests there.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::process::{self, Counts, program, root};
use crate::{flags, peers};

/// Where its crate is.
const CRATE: &str = "crates/latlas-python";
/// Bytes that a wheel for users may have.
const LARGEST_WHEEL: u64 = 15 << 20;

/// The tests that need NumPy alone, on a wheel that is quick to build.
pub fn check() -> Result<Counts> {
    alone(&wheel("dev", &root().join("target/wheels"))?)
}

/// The tests beside the packages that it can work with.
pub fn check_with_peers() -> Result<Counts> {
    tested(&wheel("dev", &root().join("target/wheels"))?, "peers/requirements-python.txt", &["tests/peers", "tests/test_examples.py"])
}

/// `cargo dev wheel`: the wheel that users get, in `dist`, tested without Rust and with NumPy alone.
pub fn run(arguments: &[String]) -> Result<()> {
    let [] = flags(arguments, [])?;
    let wheel = wheel("release", &root().join("dist"))?;
    let bytes = std::fs::metadata(&wheel)?.len();
    println!("{}: {:.1} MB", wheel.display(), bytes as f64 / 1e6);
    ensure!(bytes < LARGEST_WHEEL, "the wheel has {bytes} bytes, more than {LARGEST_WHEEL}");
    let counts = alone(&wheel)?;
    ensure!(counts.failed == 0, "{} tests failed", counts.failed);
    Ok(())
}

fn alone(wheel: &Path) -> Result<Counts> {
    tested(wheel, "crates/latlas-python/requirements-tests.txt", &["tests", "--ignore=tests/peers"])
}

/// Builds the wheel in a profile of cargo's.
fn wheel(profile: &str, folder: &Path) -> Result<PathBuf> {
    let python = peers::python_with("crates/latlas-python/requirements-build.txt")?;
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    let mut build = program(&python.to_string_lossy(), &["-m", "maturin", "build", "--quiet", "--profile", profile, "--out"]);
    build.arg(folder).current_dir(root().join(CRATE));
    // Maturin looks for the interpreter of an active environment, and one is enough for the stable interface.
    build.env_remove("CONDA_PREFIX").env_remove("VIRTUAL_ENV");
    process::run(build)?;
    let built =
        std::fs::read_dir(folder)?.filter_map(|entry| Some(entry.ok()?.path())).find(|path| path.extension().is_some_and(|e| e == "whl"));
    built.context("maturin left no wheel")
}

/// Installs the wheel beside what the requirements name, and runs tests of the crate.
fn tested(wheel: &Path, requirements: &str, tests: &[&str]) -> Result<Counts> {
    let python = peers::python_with_wheel(requirements, wheel)?;
    let mut pytest = program(&python.to_string_lossy(), &["-m", "pytest", "--quiet", "-p", "no:cacheprovider"]);
    pytest.args(tests).current_dir(root().join(CRATE)).env("PYTHONDONTWRITEBYTECODE", "1").env_remove("PYTHONPATH");
    process::count(pytest)
}
