//! `cargo dev bench jacobian`: full Jacobians beside PyTorch and JAX.
//!
//! All sides read the same ONNX files and points, run in turn as resident processes bound to the same processors, and are
//! compared element by element with a Jacobian that PyTorch's `vmap(jacfwd)` computed in f64. A package is timed in every
//! form that it has to offer, and its fastest right one is what we compare to.

mod contest;
mod derivatives;
mod packages;
mod report;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{Settings, host};
use crate::process::{program, root, run as run_process};
use crate::{data, peers};
use contest::{Contest, Outcome};
use packages::Package;
pub use packages::bench_target;

/// A decoder and how many points it is differentiated at; `peers/bench/models.py` makes it.
pub struct Case {
    /// Its folder, and what `--case` takes.
    pub name: &'static str,
    /// As tables call it.
    pub title: &'static str,
}

/// A flow whose latents are as many as its data.
pub const FLOW: Case = Case { name: "flow", title: "coupling flow, 784 → 784" };
/// A trained decoder of images.
pub const DCGAN: Case = Case { name: "dcgan", title: "DCGAN, 100 → 3×64×64" };

const CASES: &[Case] = &[
    Case { name: "mlp", title: "MLP 8-256-256-784" },
    Case { name: "conv", title: "transposed convolutions, 10 → 64×64" },
    FLOW,
    DCGAN,
    Case { name: "resnet", title: "ResNet with GroupNorm, 64 → 3×32×32" },
    Case { name: "transformer", title: "transformer, 16 → 16×48" },
    Case { name: "digits-1", title: "digits VAE, 2 → 2×64" },
    Case { name: "digits-16", title: "digits VAE, 2 → 2×64" },
];

/// What `models.py` writes about a case.
#[derive(Debug, Clone, Copy)]
struct Facts {
    /// Points.
    n: usize,
    /// Floating point operations of plain forward mode at all points.
    operations: f64,
}

/// A case on the disk.
struct Made {
    case: &'static Case,
    facts: Facts,
}

/// What a whole run found.
struct Findings {
    host: String,
    versions: Vec<String>,
    /// Rounds that each figure is the median of.
    rounds: usize,
    /// The measured peak in operations a second: f32 and f64 on one thread, f32 on two.
    peaks: [f64; 3],
    f32: Vec<Outcome>,
    f64: Vec<Outcome>,
    two_threads: Vec<Outcome>,
    derivatives: Vec<derivatives::Cost>,
}

/// The benchmark.
pub fn run(settings: &Settings) -> Result<String> {
    // The state of the tree that is measured, not of what it becomes meanwhile.
    let host = host::description();
    let python = peers::python_with("peers/requirements-bench.txt")?;
    let folder = peers::cache().join("bench");
    let made = make(&python, &folder, settings)?;
    let worker = packages::our_worker()?;
    let rounds = if settings.quick { 1 } else { 5 };
    let start = |threads| {
        let packages = Package::all(&worker, &python, &folder, threads)?;
        Ok::<_, anyhow::Error>(Contest { packages, folder: folder.clone(), rounds, seconds: 0.25 })
    };

    let mut contest = start(1)?;
    let mut peaks = [contest.peak("f32")?, contest.peak("f64")?, f64::NAN];
    let versions = contest.packages.iter_mut().map(|p| p.worker.ask("about").map(|w| w.join(" "))).collect::<Result<_>>()?;
    let f32 = contest.run(&made, "f32", None)?;
    let f64 = if settings.quick { vec![] } else { contest.run(&made, "f64", Some(&f32))? };
    let derivatives = derivatives::measure(contest.ours()?, &made)?;
    drop(contest);

    let mut two_threads = vec![];
    if !settings.quick && std::thread::available_parallelism().is_ok_and(|cores| cores.get() > 1) {
        let mut contest = start(2)?;
        peaks[2] = contest.peak("f32")?;
        two_threads = contest.run(&made, "f32", Some(&f32))?;
    }
    Ok(report::markdown(&Findings { host, versions, rounds, peaks, f32, f64, two_threads, derivatives }))
}

/// Makes the cases that are asked for, unless they are there from an earlier run of the same scripts.
fn make(python: &Path, folder: &Path, settings: &Settings) -> Result<Vec<Made>> {
    let cases: Vec<&Case> = CASES.iter().filter(|case| settings.wants(case.name)).collect();
    let names = || CASES.iter().map(|case| case.name).collect::<Vec<_>>().join(", ");
    ensure!(!cases.is_empty(), "no such case; there are {}", names());
    cases.iter().try_for_each(|case| make_case(python, folder, case.name))?;
    cases.into_iter().map(|case| Ok(Made { case, facts: facts(&folder.join(case.name).join("case.json"))? })).collect()
}

/// Makes one case.
pub fn make_case(python: &Path, folder: &Path, name: &str) -> Result<()> {
    if name == DCGAN.name {
        data::fetch("dcgan_faces.onnx")?;
    }
    let recipe = std::fs::read_to_string(root().join("peers/bench/models.py"))?;
    let (target, stamp) = (folder.join(name), folder.join(name).join("recipe.py"));
    if std::fs::read_to_string(&stamp).is_ok_and(|old| old == recipe) {
        return Ok(());
    }
    eprintln!("making {}", target.display());
    let mut script = program(&python.to_string_lossy(), &["-W", "ignore", "peers/bench/models.py"]);
    script.args([folder, &root()]).arg(name);
    run_process(script)?;
    std::fs::write(stamp, &recipe)?;
    Ok(())
}

fn facts(path: &PathBuf) -> Result<Facts> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let facts: Value = serde_json::from_str(&text)?;
    let number = |key: &str| facts[key].as_f64().with_context(|| format!("{} has no number {key:?}", path.display()));
    Ok(Facts { n: number("n")? as usize, operations: number("operations")? })
}
