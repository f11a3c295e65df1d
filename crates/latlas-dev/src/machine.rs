//! What the machine must have: each thing is installed only where it is missing.

use anyhow::{Context, Result, bail};

use crate::process::{cargo, program, run, works};

/// A component of the Rust toolchain.
pub fn component(name: &str, probe: &[&str]) -> Result<()> {
    if works(cargo(probe)) {
        return Ok(());
    }
    run(program("rustup", &["component", "add", name])).with_context(|| format!("the toolchain lacks {name}"))
}

/// A program that Debian packages.
pub fn debian(name: &str, probe: &[&str], package: &str) -> Result<()> {
    if works(program(name, probe)) {
        return Ok(());
    }
    println!("installing {package}");
    apt(&["update", "--quiet"])?;
    apt(&["install", "--yes", "--quiet", "--no-install-recommends", package])?;
    if works(program(name, probe)) { Ok(()) } else { bail!("{package} is installed, but `{name}` does not start") }
}

/// Runs apt-get with the rights that it needs.
pub fn apt(arguments: &[&str]) -> Result<()> {
    let is_root = std::env::var_os("USER").is_none_or(|user| user == "root") && works(program("test", &["-w", "/usr"]));
    let mut words: Vec<&str> = if is_root { vec![] } else { vec!["sudo", "-n"] };
    words.push("apt-get");
    words.extend(arguments);
    let mut command = program(words[0], &words[1..]);
    command.env("DEBIAN_FRONTEND", "noninteractive");
    run(command)
}

/// A cargo subcommand that is not part of the toolchain.
pub fn cargo_tool(probe: &[&str], package: &str) -> Result<()> {
    if works(cargo(probe)) {
        return Ok(());
    }
    println!("installing {package} (minutes, once)");
    run(cargo(&["install", "--locked", "--quiet", package]))
}
