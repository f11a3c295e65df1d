//! The Python package: its wheel, installed without Rust in an environment of its own outside the tree, and its tests there.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::peers;
use crate::process::{self, Counts, program, root};

/// Where its crate is.
const CRATE: &str = "crates/latlas-python";
/// Bytes that a wheel for users may have.
const LARGEST_WHEEL: u64 = 15 << 20;

/// The tests that need NumPy alone, on a wheel that is quick to build.
pub fn check() -> Result<Counts> {
    let wheel = wheel("dev")?;
    tested(&wheel, "crates/latlas-python/requirements-tests.txt", &["tests", "--ignore=tests/peers"])
}

/// All tests, on the wheel that users get, with the packages that it can work with.
pub fn check_with_peers() -> Result<Counts> {
    let wheel = wheel("release")?;
    let bytes = std::fs::metadata(&wheel)?.len();
    println!("{}: {:.1} MB", wheel.file_name().unwrap_or_default().to_string_lossy(), bytes as f64 / 1e6);
    ensure!(bytes < LARGEST_WHEEL, "the wheel has {bytes} bytes, more than {LARGEST_WHEEL}");
    tested(&wheel, "peers/requirements-python.txt", &["tests"])
}

/// Builds the wheel in a profile of cargo's.
fn wheel(profile: &str) -> Result<PathBuf> {
    let python = peers::python_with("crates/latlas-python/requirements-build.txt")?;
    let folder = root().join("target/wheels").join(profile);
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    let mut build = program(&python.to_string_lossy(), &["-m", "maturin", "build", "--quiet", "--profile", profile, "--out"]);
    build.arg(&folder).current_dir(root().join(CRATE));
    // Maturin looks for the interpreter of an active environment, and one is enough for the stable interface.
    build.env_remove("CONDA_PREFIX").env_remove("VIRTUAL_ENV");
    process::run(build)?;
    let built =
        std::fs::read_dir(&folder)?.filter_map(|entry| Some(entry.ok()?.path())).find(|path| path.extension().is_some_and(|e| e == "whl"));
    built.context("maturin left no wheel")
}

/// Installs the wheel beside what the requirements name, and runs tests of the crate.
fn tested(wheel: &Path, requirements: &str, tests: &[&str]) -> Result<Counts> {
    let python = peers::environment(requirements, &root().to_string_lossy())?;
    let python = python.to_string_lossy();
    let mut install =
        program(&python, &["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--force-reinstall", "--no-deps"]);
    install.arg(wheel);
    process::run(install)?;
    let mut pytest = program(&python, &["-m", "pytest", "--quiet", "-p", "no:cacheprovider"]);
    pytest.args(tests).current_dir(root().join(CRATE)).env("PYTHONDONTWRITEBYTECODE", "1").env_remove("PYTHONPATH");
    process::count(pytest)
}
