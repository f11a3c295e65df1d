//! Running other programs from the root of the repository, with their output seen and their tests counted.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

/// The root of the repository.
pub fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.ancestors().nth(2).unwrap_or(manifest).to_path_buf()
}

/// A program that is run from the root of the repository.
pub fn program(name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(name);
    command.args(arguments).current_dir(root());
    command
}

/// The cargo that started us.
pub fn cargo(arguments: &[&str]) -> Command {
    program(&std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()), arguments)
}

/// The command as one would type it.
pub fn words(command: &Command) -> String {
    let name = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words = std::iter::once(name).chain(command.get_args()).map(|w| w.to_string_lossy());
    words.collect::<Vec<_>>().join(" ")
}

/// Runs to the end and fails where the program does.
pub fn run(mut command: Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start `{}`", words(&command)))?;
    if !status.success() {
        bail!("`{}` failed ({status})", words(&command));
    }
    Ok(())
}

/// Whether the program starts and ends well; its output is not shown.
pub fn works(mut command: Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|s| s.success())
}

/// What a suite of tests counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Tests that passed.
    pub passed: usize,
    /// Tests that failed.
    pub failed: usize,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// Runs a suite, shows what it says except for tests that passed, and counts them all.
///
/// Understood are libtest's `test result: … N passed; M failed` and the last line of our own scripts, `N passed, M
/// failed`. A suite that ends badly without a failed test (it does not compile, it crashed) counts as one failure.
pub fn count(mut command: Command) -> Result<Counts> {
    let mut child = command.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot start `{}`", words(&command)))?;
    let mut counts = Counts::default();
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).lines() {
            let line = line?;
            counts += counted(&line);
            if !is_noise(&line) {
                println!("{line}");
            }
        }
    }
    let status = child.wait()?;
    if !status.success() && counts.failed == 0 {
        eprintln!("`{}` ended with {status}", words(&command));
        counts.failed = 1;
    }
    Ok(counts)
}

/// The numbers before `passed` and `failed` in a line that sums up.
fn counted(line: &str) -> Counts {
    let sums_up = line.starts_with("test result:") || (line.contains(" passed, ") && line.ends_with(" failed"));
    let before = |what: &str| {
        let head = line.split(what).next().filter(|_| sums_up && line.contains(what))?;
        head.split_whitespace().last()?.parse().ok()
    };
    Counts { passed: before(" passed").unwrap_or(0), failed: before(" failed").unwrap_or(0) }
}

fn is_noise(line: &str) -> bool {
    line.trim().is_empty()
        || (line.starts_with("test ") && (line.ends_with("... ok") || line.ends_with("- compile ... ok")))
        || (line.starts_with("running ") && (line.ends_with(" tests") || line.ends_with(" test")))
        || line.starts_with("test result: ok.")
}

/// Runs a part of a verb and prints its name and seconds.
pub fn part<T>(name: &str, seconds: &mut Vec<(String, f64)>, work: impl FnOnce() -> Result<T>) -> Result<T> {
    println!("── {name}");
    let start = Instant::now();
    let outcome = work();
    let took = start.elapsed().as_secs_f64();
    println!("── {name}: {took:.1} s");
    seconds.push((name.into(), took));
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_read_from_both_kinds_of_lines() {
        let libtest = "test result: FAILED. 12 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s";
        assert_eq!(counted(libtest), Counts { passed: 12, failed: 3 });
        assert_eq!(counted("7 passed, 1 failed"), Counts { passed: 7, failed: 1 });
        assert_eq!(counted("page check: 31 passed, 0 failed"), Counts { passed: 31, failed: 0 });
        assert_eq!(counted("4 passed, or so I am told"), Counts::default());
    }

    #[test]
    fn a_suite_that_cannot_run_is_a_failure() {
        assert_eq!(count(program("false", &[])).ok(), Some(Counts { passed: 0, failed: 1 }));
    }
}
