//! `cargo dev check`: what a change must pass, verb for verb.

use anyhow::Result;

use crate::machine;
use crate::process::{self, cargo, part, program};

/// Runs every check and stops at the first that fails.
fn every(seconds: &mut Vec<(String, f64)>) -> Result<()> {
    part("format", seconds, || {
        machine::component("rustfmt", &["fmt", "--version"])?;
        process::run(cargo(&["fmt", "--all", "--check"]))
    })?;
    part("lints", seconds, || {
        machine::component("clippy", &["clippy", "--version"])?;
        process::run(cargo(&["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"]))
    })?;
    part("tests and doctests", seconds, || process::run(cargo(&["test", "--quiet", "--workspace"])))?;
    part("documentation", seconds, || {
        let mut doc = cargo(&["doc", "--quiet", "--workspace", "--no-deps", "--document-private-items"]);
        doc.env("RUSTDOCFLAGS", "-D warnings");
        process::run(doc)
    })?;
    part("licences and advisories", seconds, || {
        machine::cargo_tool(&["deny", "--version"], "cargo-deny")?;
        process::run(cargo(&["deny", "--log-level", "error", "check", "bans", "licenses", "sources"]))
    })?;
    part("spelling", seconds, || {
        if !process::works(program("typos", &["--version"])) {
            println!("installing typos-cli (minutes, once)");
            process::run(cargo(&["install", "--locked", "--quiet", "typos-cli"]))?;
        }
        process::run(program("typos", &[]))
    })?;
    part("packages", seconds, || {
        process::run(cargo(&[
            "package",
            "--quiet",
            "--workspace",
            "--exclude",
            "latlas-dev",
            "--exclude",
            "latlas-python",
            "--no-verify",
            "--allow-dirty",
        ]))
    })
}

/// The verb.
pub fn run(arguments: &[String]) -> Result<()> {
    crate::flags(arguments, [])?;
    let mut seconds = Vec::new();
    let outcome = every(&mut seconds);
    for (name, took) in &seconds {
        println!("{took:>7.1} s  {name}");
    }
    outcome?;
    println!("all checks passed");
    Ok(())
}
