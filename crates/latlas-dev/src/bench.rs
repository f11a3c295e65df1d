//! `cargo dev bench`: benchmarks beside other programs, and their sections of `docs/performance.md`.

mod entropy;
mod geometry;
mod host;
pub mod instructions;
mod jacobian;
mod memory;
mod page;
mod representation;
mod table;
mod training;
mod worker;

use anyhow::{Result, bail};

/// A benchmark: one file below `bench/` and one line of [`BENCHMARKS`].
struct Benchmark {
    name: &'static str,
    summary: &'static str,
    /// Measures, tells its progress on standard error, and gives its section of `docs/performance.md` in Markdown, without
    /// a heading.
    run: fn(&Settings) -> Result<String>,
}

const BENCHMARKS: &[Benchmark] = &[
    Benchmark {
        name: "jacobian",
        summary: "full Jacobians beside PyTorch and JAX: the same graphs, weights and points for all",
        run: jacobian::run,
    },
    Benchmark {
        name: "entropy",
        summary: "entropies of a flow of 784 dimensions, by sketches and exact, beside the published recipe",
        run: entropy::run,
    },
    Benchmark { name: "geometry", summary: "geodesics and exponential maps beside stochman", run: geometry::run },
    Benchmark { name: "representation", summary: "scores of codes beside scikit-learn's boosted trees", run: representation::run },
    Benchmark { name: "training", summary: "VAEs and flows trained beside PyTorch", run: training::run },
    Benchmark { name: "memory", summary: "peak memory of whole runs of the command", run: memory::run },
    Benchmark { name: "instructions", summary: "instructions of three small cases, by callgrind", run: instructions::run },
];

/// What the command line asks of a benchmark.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// Fewer repetitions, for a look while working; such numbers are not written.
    quick: bool,
    /// Only the case of this name.
    case: Option<String>,
    /// Write the section of `docs/performance.md` anew.
    write: bool,
}

impl Settings {
    fn read(arguments: &[String]) -> Result<Self> {
        let mut settings = Self::default();
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--quick" => settings.quick = true,
                "--write" => settings.write = true,
                "--case" => match words.next() {
                    Some(name) => settings.case = Some(name.clone()),
                    None => bail!("--case needs a name"),
                },
                _ => bail!("unknown argument {word:?}; there are --quick, --case NAME, --write"),
            }
        }
        if settings.write && (settings.quick || settings.case.is_some()) {
            bail!("--write keeps the numbers of a whole run, so it goes with neither --quick nor --case");
        }
        Ok(settings)
    }

    /// Whether a case is to be measured.
    fn wants(&self, case: &str) -> bool {
        self.case.as_ref().is_none_or(|name| name == case)
    }
}

/// The verb: `bench NAME [--quick] [--case NAME] [--write]`; without a name it lists the benchmarks.
pub fn run(arguments: &[String]) -> Result<()> {
    let Some((name, rest)) = arguments.split_first() else {
        println!("cargo dev bench NAME [--quick] [--case NAME] [--write]\n");
        for benchmark in BENCHMARKS {
            println!("  {:<13} {}", benchmark.name, benchmark.summary);
        }
        return Ok(());
    };
    let Some(benchmark) = BENCHMARKS.iter().find(|benchmark| benchmark.name == name) else {
        bail!("no benchmark {name:?}; there are {}", BENCHMARKS.iter().map(|b| b.name).collect::<Vec<_>>().join(", "));
    };
    let settings = Settings::read(rest)?;
    let section = (benchmark.run)(&settings)?;
    println!("{section}");
    if settings.write {
        page::write(benchmark.name, &section)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Result<Settings> {
        Settings::read(&words.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn arguments_are_understood_or_refused() {
        let quick = read(&["--quick", "--case", "mlp"]).ok();
        assert_eq!(quick, Some(Settings { quick: true, case: Some("mlp".into()), write: false }));
        assert!(quick.is_some_and(|settings| settings.wants("mlp") && !settings.wants("conv")));
        for wrong in [&["--quik"][..], &["--case"], &["--write", "--quick"], &["--write", "--case", "mlp"]] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn every_benchmark_has_its_place_on_the_page() {
        let page = page::read().unwrap_or_default();
        for benchmark in BENCHMARKS {
            assert!(page::section(&page, benchmark.name).is_ok(), "docs/performance.md has no place for {}", benchmark.name);
        }
    }
}
