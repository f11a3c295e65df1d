//! The kernels under valgrind: no read or write outside its buffer, none of what was never written.

use anyhow::{Context, Result};

use crate::machine;
use crate::process::{Counts, cargo, count, program, words};

/// Shapes for each instruction set and number type: an interpreted instruction takes some fifty times as long.
const SHAPES: &str = "60";

/// Runs the tests of the matrix product. Valgrind knows no AVX-512, so these are its AVX2 and its portable form.
pub fn check() -> Result<Counts> {
    machine::debian("valgrind", &["--version"], "valgrind")?;
    let mut valgrind = program("valgrind", &["--quiet", "--error-exitcode=9", "--undef-value-errors=yes"]);
    valgrind.arg(tests()?).args(["kernels::product", "--test-threads=1"]).env("LATLAS_SHAPES", SHAPES);
    count(valgrind)
}

/// The unit tests of the graph crate as a program.
fn tests() -> Result<String> {
    let mut build = cargo(&["test", "--package", "latlas-graph", "--lib", "--no-run", "--quiet", "--message-format=json"]);
    let output = build.output().with_context(|| format!("cannot start `{}`", words(&build)))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let executable = text.lines().filter_map(|line| line.split_once("\"executable\":\"")?.1.split('"').next()).next_back();
    executable.map(str::to_string).with_context(|| format!("`{}` made no program", words(&build)))
}
