//! `cargo dev generate`: the pages and tables in `docs/` that are made from the code.
//!
//! Each is written by the test that checks its freshness, so there is one piece of code for both: run plainly the test
//! compares, run with `LATLAS_GENERATE` set it writes.

use anyhow::Result;

use crate::process::{cargo, run as run_process};

/// Every test with `generated` in its name, told to write.
pub fn run(arguments: &[String]) -> Result<()> {
    crate::flags(arguments, [])?;
    let mut tests = cargo(&["test", "--quiet", "--workspace", "generated"]);
    tests.env("LATLAS_GENERATE", "1");
    run_process(tests)
}
