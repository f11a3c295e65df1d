//! `cargo dev bench entropy`: entropies of a flow with 784 latents beside the recipe of published notebooks.
//!
//! Our side is the command itself, from start to end, on all processors, with the laws that it checks on the way. The
//! recipe runs in PyTorch on all processors as well (see `peers/bench/entropy.py`).

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::table::{Table, three_digits};
use super::{Settings, host};
use crate::peers;
use crate::process::{program, words};

/// What is asked for, and how.
struct Case {
    name: &'static str,
    title: &'static str,
    ids: &'static [&'static str],
    sketch: Option<usize>,
}

const ENTROPIES: &[&str] = &["manifold-entropy", "total-entropy", "total-correlation"];
const PAIRS: &str = "pairwise-mutual-information";

const CASES: &[Case] = &[
    Case { name: "a", title: "(a) sketch m = 1: all Hᵢ, H, total correlation", ids: ENTROPIES, sketch: Some(1) },
    Case { name: "b", title: "(b) sketch m = 16: all pairs", ids: &[PAIRS], sketch: Some(16) },
    Case {
        name: "c",
        title: "(c) exact: all of these",
        ids: &["manifold-entropy", "total-entropy", "total-correlation", PAIRS],
        sketch: None,
    },
];

/// Latents, and values of a sample.
const D: f64 = 784.0;

/// One run of ours.
struct Ran {
    case: &'static Case,
    seconds: f64,
    megabytes: f64,
    report: Value,
    folder: std::path::PathBuf,
}

/// The recipe's times in seconds, scaled to the whole.
struct Recipe {
    entropies: f64,
    pairs: f64,
    all: f64,
    megabytes: f64,
    how: String,
}

/// The benchmark.
pub fn run(settings: &Settings) -> Result<String> {
    let python = peers::python_with("peers/requirements-bench.txt")?;
    let folder = peers::cache().join("bench").join("entropy");
    let script = |words: &[&str]| {
        let mut script = program(&python.to_string_lossy(), &["peers/bench/entropy.py"]);
        script.args(words).stderr(Stdio::inherit());
        script
    };
    let model = folder.to_string_lossy();
    ensure!(script(&["make", &model]).status()?.success(), "the flow was not made");
    let latlas = peers::latlas()?;
    let samples = if settings.quick { 100 } else { 1000 };
    let mut runs = Vec::new();
    for case in CASES.iter().filter(|case| settings.wants(case.name) || case.name == "c") {
        let out = folder.join(case.name);
        let mut command = script(&["measure"]);
        command.arg(&latlas).arg("run").args(case.ids).arg(folder.join("flow.onnx"));
        command.args(["--samples", &samples.to_string(), "--quiet", "--save"]).arg(&out);
        if let Some(m) = case.sketch {
            command.args(["--sketch", &m.to_string()]);
        }
        let output = command.output()?;
        ensure!(output.status.success(), "`{}` failed ({})", words(&command), output.status);
        let [seconds, kibibytes] = numbers(&output.stdout)?[..] else { anyhow::bail!("expected seconds and KiB") };
        eprintln!("{:<52} {seconds:.2} s, {:.0} MB", case.title, kibibytes * 1024.0 / 1e6);
        let report = serde_json::from_slice(&std::fs::read(out.join("report.json"))?)?;
        runs.push(Ran { case, seconds, megabytes: kibibytes * 1024.0 / 1e6, report, folder: out });
    }
    let (rows, pairs) = if settings.quick { (4, 100) } else { (40, 3070) };
    let asked = ["recipe".to_string(), model.to_string(), samples.to_string(), rows.to_string(), pairs.to_string()];
    let output = script(&asked.each_ref().map(String::as_str)).output()?;
    ensure!(output.status.success(), "the recipe failed");
    let recipe = Recipe::read(&serde_json::from_slice(&output.stdout)?)?;
    eprintln!("the recipe: {:.0} s for entropies, {:.0} s for pairs, {:.0} MB", recipe.entropies, recipe.pairs, recipe.megabytes);
    section(&runs, &recipe, samples)
}

impl Recipe {
    fn read(json: &Value) -> Result<Self> {
        let of = |key: &str| json[key].as_f64().with_context(|| format!("the recipe says no {key}"));
        let jacobians = of("forward")? + D * of("row")? + of("stack")?;
        let entropies = jacobians + of("norms")? + of("volumes")?;
        let loops = 0.5 * D * (D - 1.0) * of("pair")?;
        let how = format!(
            "PyTorch {}, {} threads: {} of 784 rows timed at all samples ({} s a row) and {} of 306,936 pairs ({} ms a pair), scaled; \
             log-determinants timed on 40 samples",
            json["torch"].as_str().unwrap_or("?"),
            of("threads")?,
            of("rows")?,
            three_digits(of("row")?),
            of("pairs")?,
            three_digits(1e3 * of("pair")?)
        );
        let megabytes = of("peak_kib")? * 1024.0 / 1e6;
        Ok(Self { entropies, pairs: jacobians + of("norms")? + loops, all: entropies + loops, megabytes, how })
    }

    fn seconds(&self, case: &Case) -> f64 {
        match case.name {
            "a" => self.entropies,
            "b" => self.pairs,
            _ => self.all,
        }
    }
}

fn section(runs: &[Ran], recipe: &Recipe, samples: usize) -> Result<String> {
    let mut table = Table::new(&["", "passes a sample", "seconds", "peak MB", "largest deviation", "recipe, seconds", "ratio"]);
    let exact = runs.iter().find(|ran| ran.case.name == "c").context("no exact run")?;
    for ran in runs {
        let deviation = if ran.case.sketch.is_some() { format!("{} s.e.", three_digits(deviation(ran, exact)?)) } else { "0".into() };
        let passes = ran.case.sketch.map_or_else(|| "784 forward".to_string(), |m| format!("{m} reverse"));
        let theirs = recipe.seconds(ran.case);
        table.row(vec![
            ran.case.title.into(),
            passes,
            three_digits(ran.seconds),
            format!("{:.0}", ran.megabytes),
            deviation,
            format!("{theirs:.0}"),
            format!("{} ×", three_digits(theirs / ran.seconds)),
        ]);
    }
    Ok(format!(
        "A coupling flow of 784 dimensions (12 affine couplings 392-512-784, random weights), {samples} samples, f32 decoder, f64 sums. \
         {}. Ours is `latlas run` from start to end on all cores, loading and checks included; the recipe is row-by-row reverse mode over \
         the batch with `torch.autograd`, all Jacobians kept (peak {:.0} MB), determinants of Gram matrices, a loop over pairs \
         ({}). Deviations are the largest over all entries, in the standard errors that the sketch reports.\n\n{}",
        host::description(),
        recipe.megabytes,
        recipe.how,
        table.markdown()
    ))
}

/// The largest |sketch − exact| over its standard error, over all entries of all estimates that both have.
fn deviation(sketch: &Ran, exact: &Ran) -> Result<f64> {
    let mut largest: f64 = 0.0;
    for id in sketch.case.ids {
        let (ours, errors) = (entries(sketch, id, "value")?, entries(sketch, id, "standard_error")?);
        let truth = entries(exact, id, "value")?;
        ensure!(ours.len() == truth.len() && errors.len() == truth.len(), "{id}: {} and {} entries", ours.len(), truth.len());
        let gaps = ours.iter().zip(&truth).zip(&errors).map(|((a, b), error)| (a - b).abs() / error);
        // The diagonal of pairs is not defined.
        largest = gaps.filter(|gap| gap.is_finite()).fold(largest, f64::max);
    }
    Ok(largest)
}

/// The numbers of an estimate, in the report or in a file beside it.
fn entries(ran: &Ran, id: &str, key: &str) -> Result<Vec<f64>> {
    let estimates = ran.report["estimates"].as_array().context("no estimates")?;
    let estimate = estimates.iter().find(|e| e["id"] == id).with_context(|| format!("no {id}"))?;
    let json = &estimate[key];
    if let Some(file) = json["file"].as_str() {
        return array(&ran.folder.join(file));
    }
    let mut found = Vec::new();
    let mut rest = vec![json];
    while let Some(json) = rest.pop() {
        match json {
            Value::Array(items) => rest.extend(items.iter().rev()),
            other => found.push(other.as_f64().unwrap_or(f64::NAN)),
        }
    }
    Ok(found)
}

/// The entries of a `.npy` file of f64.
fn array(path: &Path) -> Result<Vec<f64>> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    ensure!(bytes.len() > 10 && bytes.starts_with(b"\x93NUMPY"), "{} is no .npy file", path.display());
    let start = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let values = bytes.get(start..).context("a header without values")?;
    Ok(values.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b)).collect())
}

fn numbers(text: &[u8]) -> Result<Vec<f64>> {
    let text = String::from_utf8_lossy(text);
    text.split_whitespace().map(|word| word.parse().with_context(|| format!("{word:?} is no number"))).collect()
}
