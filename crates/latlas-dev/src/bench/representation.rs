//! `cargo dev bench representation`: scores of codes beside scikit-learn's boosted trees.
//!
//! 10,000 rows of ten codes, five factors of 3, 6, 40, 32 and 32 values, 5,000 test rows. Our side is the command itself on
//! two threads, from start to end.

use std::process::{Command, Stdio};

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
    options: &'static [&'static str],
    /// Training rows.
    rows: usize,
}

const DCI: &[&str] = &["dci-disentanglement", "dci-completeness", "dci-informativeness"];
const ALL: &[&str] = &["representation"];
const ROWS: usize = 10_000;
/// The case that is not ours.
const PEER: &str = "scikit-learn";
/// Rounds of boosting, and of them those that are timed unless the peer alone is asked for.
const ALL_ROUNDS: usize = 100;
const ROUNDS: usize = 10;

const CASES: &[Case] = &[
    Case {
        name: "dci-histogram",
        title: "DCI, histogram splits",
        ids: DCI,
        options: &["--preset", "study-2019", "--builder", "histogram"],
        rows: ROWS,
    },
    Case { name: "dci-exact", title: "DCI, exact splits", ids: DCI, options: &["--preset", "study-2019"], rows: ROWS },
    Case {
        name: "histogram",
        title: "whole preset, histogram splits",
        ids: ALL,
        options: &["--preset", "study-2019", "--builder", "histogram"],
        rows: ROWS,
    },
    Case { name: "exact", title: "whole preset, exact splits", ids: ALL, options: &["--preset", "study-2019"], rows: ROWS },
    Case { name: "latlas", title: "whole preset `latlas`", ids: ALL, options: &[], rows: ROWS },
    Case { name: "million", title: "whole preset `latlas`, 1,000,000 rows", ids: ALL, options: &[], rows: 1_000_000 },
];

/// The benchmark.
pub fn run(settings: &Settings) -> Result<String> {
    let python = peers::python_with("peers/requirements-representation.txt")?;
    let folder = peers::cache().join("bench").join("representation");
    let script = |words: &[&str]| {
        let mut script = program(&python.to_string_lossy(), &["peers/bench/representation.py"]);
        script.args(words).stderr(Stdio::inherit());
        script
    };
    let made = |rows: usize| {
        let inputs = folder.join(rows.to_string());
        let made = script(&["make", &inputs.to_string_lossy(), &rows.to_string()]).status()?;
        ensure!(made.success(), "the codes were not made");
        Ok(inputs)
    };
    let latlas = peers::latlas()?;
    let mut table = Table::new(&["", "seconds", "peak MB", "D", "C", "I"]);
    for case in CASES.iter().filter(|case| settings.wants(case.name) && !(settings.quick && case.rows > ROWS)) {
        let inputs = made(case.rows)?;
        let out = folder.join(case.name);
        let mut command = script(&["measure"]);
        command.arg(&latlas).arg("run").args(case.ids).args(case.options).args(["--threads", "2", "--quiet", "--save"]).arg(&out);
        for role in ["codes", "factors", "test-codes", "test-factors"] {
            command.arg(format!("--{role}")).arg(inputs.join(format!("{}.npy", role.replace('-', "_"))));
        }
        let (seconds, megabytes) = measured(&mut command)?;
        eprintln!("{:<40} {seconds:.2} s, {megabytes:.0} MB", case.title);
        let report: Value = serde_json::from_slice(&std::fs::read(out.join("report.json"))?)?;
        let score = |id: &str| {
            let estimates = report["estimates"].as_array().into_iter().flatten();
            let value = estimates.filter(|e| e["id"] == id).find_map(|e| e["value"].as_f64());
            value.map_or_else(|| "–".to_string(), |x| format!("{x:.4}"))
        };
        let scores = DCI.iter().map(|id| score(id));
        table.row([vec![case.title.into(), three_digits(seconds), format!("{megabytes:.0}")], scores.collect()].concat());
    }
    let mut version = String::new();
    if !settings.quick && settings.wants(PEER) {
        let rounds = if settings.case.is_some() { ALL_ROUNDS } else { ROUNDS };
        let output = script(&["dci", &made(ROWS)?.to_string_lossy(), &rounds.to_string()]).output()?;
        ensure!(output.status.success(), "scikit-learn failed");
        let peer: Value = serde_json::from_slice(&output.stdout)?;
        let seconds = peer["seconds"].as_f64().context("scikit-learn says no seconds")?;
        version = format!(
            "scikit-learn {} runs on one thread, as it does; its seconds are those of {rounds} of {ALL_ROUNDS} rounds, which cost the \
             same each, and of all test rows.",
            peer["sklearn"].as_str().unwrap_or("?")
        );
        let scores = ["d", "c", "i"].map(|key| peer[key].as_f64().map_or_else(|| "–".to_string(), |x| format!("{x:.4}")));
        let title = "DCI, scikit-learn's GradientBoostingClassifier".to_string();
        table.row([vec![title, three_digits(seconds), "–".into()], scores.to_vec()].concat());
    }
    Ok(format!(
        "10,000 rows of ten codes, factors of 3, 6, 40, 32 and 32 values, 5,000 test rows; intervals and nulls included. {}. Ours is \
         `latlas run` from start to end on two threads. {version}\n\n{}",
        host::description(),
        table.markdown()
    ))
}

/// Seconds and peak in megabytes.
fn measured(command: &mut Command) -> Result<(f64, f64)> {
    let output = command.output()?;
    ensure!(output.status.success(), "`{}` failed ({})", words(command), output.status);
    let text = String::from_utf8_lossy(&output.stdout);
    let numbers: Vec<f64> = text.split_whitespace().map_while(|word| word.parse().ok()).collect();
    let [seconds, kibibytes] = numbers[..] else { anyhow::bail!("expected seconds and KiB, got {text:?}") };
    Ok((seconds, kibibytes * 1024.0 / 1e6))
}
