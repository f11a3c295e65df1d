//! One case after the other: every form of every package is prepared and checked, then the best are timed in turn.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::packages::Package;
use super::{Case, Facts, Made};
use crate::bench::table::median;
use crate::bench::worker::Worker;

/// The best form of a package on a case.
#[derive(Debug, Clone)]
pub struct Best {
    pub variant: String,
    /// Seconds of a call: the median over rounds of the median in each round.
    pub seconds: f64,
    /// The largest difference from the reference, relative to its largest entry.
    pub difference: f64,
}

/// A form that was not timed to the end, and why.
#[derive(Debug, Clone)]
pub struct Refused {
    pub package: String,
    pub variant: String,
    pub why: String,
}

/// A case measured in one number type.
pub struct Outcome {
    pub case: &'static Case,
    pub facts: Facts,
    /// In the order of the packages; none where no form of a package gives the right result.
    pub best: Vec<Option<Best>>,
    pub refused: Vec<Refused>,
}

impl Outcome {
    /// The seconds of a package's best form.
    pub fn seconds(&self, package: usize) -> Option<f64> {
        self.best.get(package)?.as_ref().map(|best| best.seconds)
    }
}

/// Packages that compete under the same conditions.
pub struct Contest {
    pub packages: Vec<Package>,
    pub folder: PathBuf,
    pub rounds: usize,
    /// How long each form is called in a round.
    pub seconds: f64,
}

/// A form that stays in the contest.
struct Entrant {
    package: usize,
    key: String,
    variant: String,
    difference: f64,
    first: f64,
    medians: Vec<f64>,
}

/// Forms slower than this times the best of their package are not timed any further.
const HOPELESS: f64 = 1.25;
/// Calls longer than this are repeated in fewer rounds.
const LONG: f64 = 1.0;

/// The largest difference that rounding explains, relative to the largest entry.
fn tolerance(dtype: &str) -> f64 {
    if dtype == "f32" { 5e-5 } else { 1e-10 }
}

impl Contest {
    /// Our own worker.
    pub fn ours(&mut self) -> Result<&mut Worker> {
        Ok(&mut self.packages.first_mut().context("no packages")?.worker)
    }

    /// Operations a second of fused multiply-adds, on all threads at once.
    pub fn peak(&mut self, dtype: &str) -> Result<f64> {
        let peak = self.ours()?.ask_numbers(&format!("peak {dtype}"))?;
        peak.first().copied().context("the worker gave no peak")
    }

    /// All cases in one number type. With the outcomes of an earlier contest, each package enters only with the form that
    /// was its best there, or with the first other one that works.
    pub fn run(&mut self, made: &[Made], dtype: &str, earlier: Option<&[Outcome]>) -> Result<Vec<Outcome>> {
        let one = |(i, made)| self.case(made, dtype, earlier.and_then(|outcomes| outcomes.get(i)));
        made.iter().enumerate().map(one).collect()
    }

    fn case(&mut self, made: &Made, dtype: &str, earlier: Option<&Outcome>) -> Result<Outcome> {
        let name = made.case.name;
        eprint!("{name:<12} {dtype}");
        let mut refused = vec![];
        let mut entrants: Vec<Entrant> = vec![];
        for package in 0..self.packages.len() {
            let known = earlier.and_then(|outcome| outcome.best.get(package)?.as_ref());
            let best = known.map(|best| best.variant.as_str());
            let others = self.packages[package].variants.iter().copied().filter(|&variant| Some(variant) != best);
            for variant in best.into_iter().chain(others).collect::<Vec<_>>() {
                if known.is_some() && entrants.iter().any(|entrant| entrant.package == package) {
                    break;
                }
                match self.enter(package, name, variant, dtype) {
                    Ok(entrant) => entrants.push(entrant),
                    Err(error) => {
                        let why = error.to_string();
                        let package = self.packages[package].worker.name.clone();
                        if !why.contains("no such form") {
                            refused.push(Refused { package, variant: variant.into(), why });
                        }
                    }
                }
            }
            self.keep_hopeful(&mut entrants, package)?;
        }
        let long = entrants.iter().any(|entrant| entrant.first > LONG);
        let rounds = if long { self.rounds.div_ceil(2) } else { self.rounds };
        for _ in 0..rounds {
            for entrant in &mut entrants {
                let command = format!("time {} {}", entrant.key, self.seconds);
                entrant.medians.push(median(&self.packages[entrant.package].worker.ask_numbers(&command)?));
            }
        }
        let mut best: Vec<Option<Best>> = vec![None; self.packages.len()];
        for entrant in entrants {
            let seconds = median(&entrant.medians);
            self.packages[entrant.package].worker.ask(&format!("drop {}", entrant.key))?;
            if best[entrant.package].as_ref().is_none_or(|b| seconds < b.seconds) {
                best[entrant.package] = Some(Best { variant: entrant.variant, seconds, difference: entrant.difference });
            }
        }
        for (package, best) in self.packages.iter().zip(&best) {
            match best {
                Some(b) => eprint!("   {} {:.3} ms ({})", package.worker.name, b.seconds * 1e3, b.variant),
                None => eprint!("   {} has no right result", package.worker.name),
            }
        }
        eprintln!();
        ensure!(best[0].is_some(), "{}", refused.first().map_or_else(String::new, |r| format!("{name} {dtype}: {}", r.why)));
        Ok(Outcome { case: made.case, facts: made.facts, best, refused })
    }

    /// Prepares a form and compares what it computes with the reference.
    fn enter(&mut self, package: usize, case: &str, variant: &str, dtype: &str) -> Result<Entrant> {
        let worker = &mut self.packages[package].worker;
        let key = format!("{case}/{variant}/{dtype}");
        let seconds = worker.ask_numbers(&format!("prepare {key} {case} {variant} {dtype}"))?;
        let first = seconds.get(1).copied().context("the worker gave no time")?;
        let (file, reference) = (self.folder.join("result.f64"), self.folder.join(case).join("reference.f64"));
        worker.ask(&format!("save {key} {}", file.display()))?;
        let difference = difference(&file, &reference)?;
        if difference > tolerance(dtype) || difference.is_nan() {
            worker.ask(&format!("drop {key}"))?;
            anyhow::bail!("differs from the reference by {difference:.1e} of its largest entry");
        }
        Ok(Entrant { package, key, variant: variant.into(), difference, first, medians: vec![] })
    }

    /// Drops the forms of a package that will not be its best.
    fn keep_hopeful(&mut self, entrants: &mut Vec<Entrant>, package: usize) -> Result<()> {
        let fastest = entrants.iter().filter(|e| e.package == package).map(|e| e.first).fold(f64::INFINITY, f64::min);
        let (keep, drop): (Vec<_>, Vec<_>) = entrants.drain(..).partition(|e| e.package != package || e.first <= HOPELESS * fastest);
        *entrants = keep;
        drop.iter().try_for_each(|entrant| self.packages[package].worker.ask(&format!("drop {}", entrant.key)).map(|_| ()))
    }
}

/// The largest difference between two files of numbers, relative to the largest number of the second.
fn difference(file: &Path, reference: &Path) -> Result<f64> {
    let read = |path: &Path| {
        let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok::<_, anyhow::Error>(bytes.as_chunks().0.iter().map(|&x| f64::from_le_bytes(x)).collect::<Vec<f64>>())
    };
    let (got, expected) = (read(file)?, read(reference)?);
    ensure!(got.len() == expected.len(), "gives {} numbers, not {}", got.len(), expected.len());
    let largest = |values: &mut dyn Iterator<Item = f64>| values.fold(0.0, |m: f64, x| if x.is_nan() || x > m { x } else { m });
    let scale = largest(&mut expected.iter().map(|x| x.abs()));
    Ok(largest(&mut got.iter().zip(&expected).map(|(a, b)| (a - b).abs())) / scale)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn files_are_compared_by_their_largest_difference() {
        let folder = std::env::temp_dir().join(format!("latlas-difference-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let write = |name: &str, values: &[f64]| {
            let path = folder.join(name);
            std::fs::write(&path, values.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>()).unwrap();
            path
        };
        let reference = write("reference", &[1.0, -4.0, 2.0]);
        assert_eq!(difference(&write("same", &[1.0, -4.0, 2.0]), &reference).unwrap(), 0.0);
        assert_eq!(difference(&write("other", &[1.0, -3.0, 2.5]), &reference).unwrap(), 0.25);
        assert!(difference(&write("nan", &[1.0, f64::NAN, 2.0]), &reference).unwrap().is_nan());
        assert!(difference(&write("short", &[1.0]), &reference).is_err());
        std::fs::remove_dir_all(folder).unwrap();
    }
}
