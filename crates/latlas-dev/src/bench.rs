//! `cargo dev bench`: the benchmarks of all crates.

use anyhow::Result;

use crate::process::{cargo, run as run_process};

/// Runs every bench target, or with names only those whose ids contain one of them.
pub fn run(names: &[String]) -> Result<()> {
    let mut words = vec!["bench", "--workspace", "--benches"];
    if !names.is_empty() {
        words.push("--");
        words.extend(names.iter().map(String::as_str));
    }
    run_process(cargo(&words))
}
