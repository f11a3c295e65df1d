//! The competitors: how each is started, and the forms that it is timed in.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::bench::worker::Worker;
use crate::process::{cargo, program, words};

/// A package with its running worker.
pub struct Package {
    pub worker: Worker,
    /// The forms of one computation that it offers.
    pub variants: &'static [&'static str],
}

impl Package {
    /// Ours first, then the peers, each on the first `threads` processors.
    pub fn all(ours: &Path, python: &Path, folder: &Path, threads: usize) -> Result<Vec<Self>> {
        let mut latlas = program(&ours.to_string_lossy(), &[]);
        latlas.arg(folder).arg(threads.to_string());
        let start = |name: &str, command: Command, variants| {
            let log = folder.join(format!("{name}.log"));
            Ok::<_, anyhow::Error>(Self { worker: Worker::start(name, &command, threads, &log)?, variants })
        };
        let cached = |script: &str| {
            let mut command = program(&python.to_string_lossy(), &[script]);
            command.arg(folder).arg(threads.to_string());
            command.env("OMP_NUM_THREADS", threads.to_string()).env("MKL_NUM_THREADS", threads.to_string());
            command.env("TORCHINDUCTOR_CACHE_DIR", folder.join("inductor")).env("TORCHINDUCTOR_COMPILE_THREADS", "1");
            command.env("JAX_COMPILATION_CACHE_DIR", folder.join("jax")).env("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0");
            if threads == 1 {
                command.env("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1");
            }
            command
        };
        Ok(vec![
            start("Latlas", latlas, &["jacobian"])?,
            start(
                "PyTorch",
                cached("peers/bench/torch_worker.py"),
                &["stacked", "stacked-channels-last", "jacfwd", "compiled", "compiled-frozen", "compiled-channels-last"],
            )?,
            start("JAX", cached("peers/bench/jax_worker.py"), &["jacfwd", "jacfwd-by-parity", "stacked", "stacked-by-parity"])?,
        ])
    }
}

/// Builds our worker and tells where it is.
pub fn our_worker() -> Result<PathBuf> {
    bench_target("latlas-graph", "jacobian_worker")
}

/// The executable of a bench target, built in release.
pub fn bench_target(package: &str, name: &str) -> Result<PathBuf> {
    let mut build = cargo(&["bench", "--quiet", "--no-run", "--message-format=json", "--package", package, "--bench", name]);
    let output = build.stderr(Stdio::inherit()).output().with_context(|| format!("cannot start `{}`", words(&build)))?;
    ensure!(output.status.success(), "`{}` failed ({})", words(&build), output.status);
    let messages = String::from_utf8_lossy(&output.stdout);
    let artifacts = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let executable = |message: Value| {
        let path = message["executable"].as_str().filter(|_| message["target"]["name"] == name)?;
        Some(PathBuf::from(path))
    };
    artifacts.filter_map(executable).next_back().with_context(|| format!("cargo built no executable {name}"))
}
