//! The memory that a whole run of the command needs.

use std::path::Path;

use anyhow::{Result, ensure};

use super::Case;
use crate::bench::Settings;
use crate::peers;
use crate::process::{program, words};

/// The most memory that was resident at a time.
pub struct Peak {
    pub case: &'static Case,
    pub samples: usize,
    pub bytes: f64,
    /// Of the whole run, on all processors.
    pub seconds: f64,
}

const CASES: [&str; 2] = ["flow", "dcgan"];
const SAMPLES: usize = 1000;

/// Prints seconds, and the peak in KiB: the operating system keeps the latter for ended children only.
const PEAK_OF: &str = "import resource, subprocess, sys, time
start = time.perf_counter()
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)";

/// Runs `latlas run entropy` on the cases that are asked for.
pub fn measure(python: &Path, folder: &Path, settings: &Settings) -> Result<Vec<Peak>> {
    let cases: Vec<&Case> = super::CASES.iter().filter(|case| CASES.contains(&case.name) && settings.wants(case.name)).collect();
    if cases.is_empty() {
        return Ok(vec![]);
    }
    let latlas = peers::latlas()?;
    let mut peaks = vec![];
    for case in cases {
        let mut script = program(&python.to_string_lossy(), &["-c", PEAK_OF]);
        script.arg(&latlas).args(["run", "entropy"]).arg(folder.join(case.name).join("model.onnx"));
        script.args(["--samples", &SAMPLES.to_string(), "--quiet"]);
        let output = script.stderr(std::process::Stdio::inherit()).output()?;
        ensure!(output.status.success(), "`{}` failed ({})", words(&script), output.status);
        let text = String::from_utf8_lossy(&output.stdout);
        let numbers: Vec<f64> = text.split_whitespace().map_while(|word| word.parse().ok()).collect();
        let [seconds, kibibytes] = numbers[..] else { anyhow::bail!("expected seconds and KiB, got {text:?}") };
        eprintln!("{:<12} {SAMPLES} samples: {:.0} MB, {seconds:.1} s", case.name, kibibytes * 1024.0 / 1e6);
        peaks.push(Peak { case, samples: SAMPLES, bytes: kibibytes * 1024.0, seconds });
    }
    Ok(peaks)
}
