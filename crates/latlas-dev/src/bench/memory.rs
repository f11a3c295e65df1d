//! `cargo dev bench memory`: the memory that a whole run of the command needs.

use std::process::Stdio;

use anyhow::{Result, bail, ensure};

use super::jacobian::{self, Case};
use super::table::{Table, three_digits};
use super::{Settings, host};
use crate::peers;
use crate::process::{program, words};

const CASES: [Case; 2] = [jacobian::FLOW, jacobian::DCGAN];
const SAMPLES: usize = 1000;

/// Prints seconds, and the peak in KiB: the operating system keeps the latter for ended children only.
const PEAK_OF: &str = "import resource, subprocess, sys, time
start = time.perf_counter()
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)";

/// The benchmark.
pub fn run(settings: &Settings) -> Result<String> {
    let python = peers::python_with("peers/requirements-bench.txt")?;
    let folder = peers::cache().join("bench");
    let cases: Vec<&Case> = CASES.iter().filter(|case| settings.wants(case.name)).collect();
    ensure!(!cases.is_empty(), "no such case; there are {}", CASES.map(|case| case.name).join(", "));
    let latlas = peers::latlas()?;
    let host = host::description();
    let mut table = Table::new(&["case", "samples", "peak resident, MB", "seconds"]);
    for case in cases {
        jacobian::make_case(&python, &folder, case.name)?;
        let mut script = program(&python.to_string_lossy(), &["-c", PEAK_OF]);
        script.arg(&latlas).args(["run", "entropy"]).arg(folder.join(case.name).join("model.onnx"));
        let samples = if settings.quick { SAMPLES / 20 } else { SAMPLES };
        script.args(["--samples", &samples.to_string(), "--quiet"]);
        let output = script.stderr(Stdio::inherit()).output()?;
        ensure!(output.status.success(), "`{}` failed ({})", words(&script), output.status);
        let text = String::from_utf8_lossy(&output.stdout);
        let numbers: Vec<f64> = text.split_whitespace().map_while(|word| word.parse().ok()).collect();
        let [seconds, kibibytes] = numbers[..] else { bail!("expected seconds and KiB, got {text:?}") };
        let megabytes = kibibytes * 1024.0 / 1e6;
        eprintln!("{:<12} {samples} samples: {megabytes:.0} MB, {seconds:.1} s", case.name);
        table.row(vec![case.title.into(), samples.to_string(), format!("{megabytes:.0}"), three_digits(seconds)]);
    }
    Ok(format!("{host}\n\nA whole `latlas run entropy`, on all processors.\n\n{}", table.markdown()))
}
