//! `cargo dev test`: on a fresh machine, everything that the tests need, then all of them, counted.

use anyhow::{Result, bail};

use crate::peers::{self, Suite};
use crate::process::{Counts, cargo, count, part};
use crate::{bench, data, flags, memory, python};

/// The verb. `--peers` adds comparisons with live programs from PyPI and Debian.
pub fn run(arguments: &[String]) -> Result<()> {
    let [with_peers] = flags(arguments, ["--peers"])?;
    let mut seconds = Vec::new();
    let mut total = Counts::default();

    part("data", &mut seconds, data::data)?;
    total += part("tests and doctests", &mut seconds, || count(cargo(&["test", "--workspace", "--no-fail-fast"])))?;
    let local = [
        Suite { title: "instructions by callgrind", run: bench::instructions::check },
        Suite { title: "kernels under valgrind", run: memory::check },
        Suite { title: "the Python package with NumPy alone", run: python::check },
    ];
    for suite in local.iter().chain(peers::SUITES.iter().filter(|_| with_peers)) {
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
