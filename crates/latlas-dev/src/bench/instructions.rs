//! `cargo dev bench instructions`: how many instructions three small cases take, counted by callgrind.
//!
//! Counts do not depend on the load of the machine, so they are kept in a file and compared by `cargo dev test`. They do
//! depend on compiler and instruction set: both are pinned, and without them nothing is compared.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::Settings;
use super::jacobian::bench_target;
use super::table::Table;
use crate::machine;
use crate::process::{Counts, program, root, words};

/// Callgrind knows no AVX-512.
const ISA: &str = "avx2";
const CASES: [(&str, &str); 3] = [
    ("perceptron", "Jacobian of 8-128-128-196, n = 16, f32"),
    ("convolutions", "Jacobian of two transposed convolutions, 6 → 16×16, n = 4, f32"),
    ("couplings", "cotangent through four couplings of 32, n = 16, f64"),
];
/// A count may move by this share without being noticed.
const TOLERANCE: f64 = 0.03;

/// Instructions of one run of each case, and the compiler that they are true for.
#[derive(Debug, Clone, PartialEq, Default)]
struct Kept {
    rustc: String,
    instructions: BTreeMap<String, f64>,
}

fn file() -> PathBuf {
    root().join("crates/latlas-graph/benches/instructions.toml")
}

impl Kept {
    fn read() -> Result<Self> {
        let text = std::fs::read_to_string(file()).with_context(|| format!("cannot read {}", file().display()))?;
        let table: toml::Table = text.parse()?;
        let counts = table.get("instructions").and_then(toml::Value::as_table).context("no table of instructions")?;
        let instructions = counts.iter().filter_map(|(case, n)| Some((case.clone(), n.as_integer()? as f64))).collect();
        let rustc = table.get("rustc").and_then(toml::Value::as_str).unwrap_or_default().to_string();
        Ok(Self { rustc, instructions })
    }

    fn write(&self) -> Result<()> {
        let counts: String = self.instructions.iter().map(|(case, n)| format!("{case} = {n:.0}\n")).collect();
        let text = format!(
            "# Instructions of one run, {ISA}; written by `cargo dev bench instructions --write`.\nrustc = {:?}\n\n[instructions]\n{counts}",
            self.rustc
        );
        std::fs::write(file(), text).with_context(|| format!("cannot write {}", file().display()))
    }
}

/// The benchmark.
pub fn run(settings: &Settings) -> Result<String> {
    let counted = count(|case| settings.wants(case))?;
    let kept = Kept::read().unwrap_or_default();
    if settings.write {
        counted.write()?;
    }
    let mut table = Table::new(&["case", "instructions", "kept"]);
    for (case, title) in CASES {
        let Some(n) = counted.instructions.get(case) else { continue };
        let kept = kept.instructions.get(case).map_or("–".into(), |kept| format!("{:+.1} %", 100.0 * (n / kept - 1.0)));
        table.row(vec![format!("{case}: {title}"), format!("{n:.0}"), kept]);
    }
    Ok(format!(
        "Instructions of one run by callgrind, {ISA}, {}; the last column is the change from the counts kept before.\n\n{}",
        counted.rustc,
        table.markdown()
    ))
}

/// The comparison that `cargo dev test` makes: a case fails where it takes more instructions than were kept, or so many
/// fewer that the kept count would no longer notice a loss.
pub fn check() -> Result<Counts> {
    let kept = Kept::read()?;
    let mut counts = Counts::default();
    if !machine_has_isa() || kept.rustc != rustc()? {
        println!("not compared: the kept counts are those of {} with {ISA}", kept.rustc);
        return Ok(counts);
    }
    let counted = count(|_| true)?;
    for (case, _) in CASES {
        let (got, kept) = (counted.instructions.get(case), kept.instructions.get(case));
        let (Some(got), Some(kept)) = (got, kept) else { anyhow::bail!("no count of {case}") };
        if (got / kept - 1.0).abs() <= TOLERANCE {
            counts.passed += 1;
        } else {
            counts.failed += 1;
            println!("{case}: {got:.0} instructions, {kept:.0} were kept; if that is meant: cargo dev bench instructions --write");
        }
    }
    Ok(counts)
}

fn count(wanted: impl Fn(&str) -> bool) -> Result<Kept> {
    machine::debian("valgrind", &["--version"], "valgrind")?;
    let executable = bench_target("latlas-graph", "instructions")?;
    let mut kept = Kept { rustc: rustc()?, ..Kept::default() };
    for (case, _) in CASES.into_iter().filter(|(case, _)| wanted(case)) {
        // Compiling and the first run, which is the slower one, are in both.
        let (few, many) = (under_callgrind(&executable, case, 2)?, under_callgrind(&executable, case, 6)?);
        kept.instructions.insert(case.into(), ((many - few) / 4.0).round());
    }
    Ok(kept)
}

/// The instructions of a whole process.
fn under_callgrind(executable: &Path, case: &str, runs: usize) -> Result<f64> {
    let mut valgrind = program("valgrind", &["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    valgrind.arg(executable).args([case, &runs.to_string()]).env("LATLAS_ISA", ISA).env("RAYON_NUM_THREADS", "1");
    let output = valgrind.output().context("cannot start valgrind")?;
    let text = String::from_utf8_lossy(&output.stderr);
    let collected = text.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok());
    collected.with_context(|| format!("`{}` counted nothing:\n{text}", words(&valgrind)))
}

fn rustc() -> Result<String> {
    let output = program("rustc", &["--version"]).output().context("cannot start rustc")?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_string())
}

fn machine_has_isa() -> bool {
    std::fs::read_to_string("/proc/cpuinfo").is_ok_and(|text| text.split_whitespace().any(|flag| flag == ISA))
}
