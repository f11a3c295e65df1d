//! `cargo dev test`: on a fresh machine, everything that the tests need, then all of them, counted. Words after it run only the parts
//! whose titles hold one of them.

use anyhow::{Result, bail};

use crate::peers::{self, Suite};
use crate::process::{Counts, cargo, count, part};
use crate::{bench, data, flags, memory, python};

/// The verb. `--peers` adds comparisons with live programs from PyPI and Debian.
pub fn run(arguments: &[String]) -> Result<()> {
    let (words, options): (Vec<String>, Vec<String>) = arguments.iter().cloned().partition(|argument| !argument.starts_with("--"));
    let [with_peers] = flags(&options, ["--peers"])?;
    let wanted = |title: &str| words.is_empty() || words.iter().any(|word| title.contains(word.as_str()));
    let mut seconds = Vec::new();
    let mut total = Counts::default();

    part("data", &mut seconds, data::data)?;
    let local = [
        Suite { title: "tests and doctests", run: || count(cargo(&["test", "--workspace", "--no-fail-fast"])) },
        Suite { title: "instructions by callgrind", run: bench::instructions::check },
        Suite { title: "kernels under valgrind", run: memory::check },
        Suite { title: "the Python package with NumPy alone", run: python::check },
    ];
    let live = peers::SUITES.iter().filter(|_| with_peers);
    for suite in local.iter().chain(live).filter(|suite| wanted(suite.title)) {
        let ran = part(suite.title, &mut seconds, || (suite.run)());
        total += ran.unwrap_or_else(|error| {
            eprintln!("error: {error:#}");
            Counts { passed: 0, failed: 1 }
        });
    }

    println!();
    for (name, took) in &seconds {
        println!("{took:>7.1} s  {name}");
    }
    println!("{} passed, {} failed", total.passed, total.failed);
    if total.failed > 0 {
        bail!("{} failed", total.failed);
    }
    Ok(())
}
