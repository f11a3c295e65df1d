//! `cargo dev bench training`: trainings of the same models by Latlas and by PyTorch, eager, in turn.
//!
//! Both sides are resident processes bound to the same processors. Architecture, starts, batches and epochs are equal; the losses at the end say
//! whether both learned the same.

use std::path::Path;

use anyhow::{Result, ensure};

use super::jacobian::bench_target;
use super::table::{Table, median, three_digits};
use super::worker::Worker;
use super::{Settings, host};
use crate::peers;
use crate::process::{program, root};

/// Trainings of each case and side.
const SEEDS: u64 = 5;

/// A case: its name, what it is, and passes over its rows.
const CASES: [(&str, &str, u64); 4] = [
    ("mlp", "VAE 784-256-2 on MNIST, batch 128", 4),
    ("conv", "convolutional VAE on 64×64 sprites, batch 64", 4),
    ("flow", "spline flow on two moons, batch 1024", 15),
    ("flow-tc", "the same with total correlation", 15),
];

/// The benchmark.
pub fn run(settings: &Settings) -> Result<String> {
    let host = host::description();
    let mnist = root().join("data/mnist/images.npy");
    ensure!(mnist.is_file(), "there is no data/mnist/images.npy; `cargo dev data` fetches it");
    let python = peers::python_with("peers/requirements-bench.txt")?;
    let folder = peers::cache().join("bench").join("training");
    std::fs::create_dir_all(&folder)?;
    let ours = bench_target("latlas", "training_worker")?;
    let mut sections = Vec::new();
    let mut about = String::new();
    for threads in [1, 2] {
        let (count, words) = (threads.to_string(), if threads == 1 { "One thread" } else { "Two threads" });
        let mut command = program(&ours.to_string_lossy(), &[&count]);
        command.arg(&mnist);
        let mut latlas = Worker::start("Latlas", &command, threads, &folder.join("latlas.log"))?;
        let mut command = program(&python.to_string_lossy(), &["-W", "ignore", "peers/bench/training.py", &count]);
        command.env("OMP_NUM_THREADS", &count);
        let mut torch = Worker::start("PyTorch", &command, threads, &folder.join("torch.log"))?;
        about = format!("{}, {}", latlas.ask("about")?.join(" "), torch.ask("about")?.join(" "));
        let heading = ["", "Latlas, ms a step", "PyTorch, ms a step", "×", "loss of Latlas", "of PyTorch", "apart, s.e."];
        let mut table = Table::new(&heading);
        for (case, title, epochs) in CASES.into_iter().filter(|(case, ..)| settings.wants(case)) {
            table.row(contest(settings, &mut latlas, &mut torch, (case, title, epochs), &folder)?);
        }
        sections.push(format!("**{words}.**\n\n{}", table.markdown()));
    }
    Ok(format!(
        "{host}; {about}, eager. Each case is trained for {} seeds on each side, in turn; times are medians over the seeds of all steps of a training, \
         losses means ± standard errors over the seeds of the mean over the last epoch, and the last column is their difference in standard \
         errors.\n\n{}",
        seeds(settings),
        sections.join("\n")
    ))
}

fn seeds(settings: &Settings) -> u64 {
    if settings.quick { 2 } else { SEEDS }
}

/// One row: a case on both sides.
fn contest(settings: &Settings, ours: &mut Worker, peer: &mut Worker, case: (&str, &str, u64), folder: &Path) -> Result<Vec<String>> {
    let (name, title, epochs) = case;
    let epochs = if settings.quick { 1 } else { epochs };
    let file = folder.join(format!("{name}.f32"));
    let rows = ours.ask(&format!("data {name} {}", file.display()))?.join(" ");
    peer.ask(&format!("data {name} {rows} {}", file.display()))?;
    let mut times = [Vec::new(), Vec::new()];
    let mut losses = [Vec::new(), Vec::new()];
    for seed in 0..seeds(settings) {
        for (side, worker) in [&mut *ours, &mut *peer].into_iter().enumerate() {
            let answer = worker.ask_numbers(&format!("train {name} {seed} {epochs}"))?;
            let [seconds, steps, loss] = answer[..] else { anyhow::bail!("{} answered {answer:?}", worker.name) };
            eprintln!("{name}, seed {seed}, {}: {:.2} ms a step, loss {loss:.4}", worker.name, 1e3 * seconds / steps);
            times[side].push(1e3 * seconds / steps);
            losses[side].push(loss);
        }
    }
    let [taken, theirs] = times.map(|all| median(&all));
    let [(a, a_error), (b, b_error)] = losses.map(|all| mean_and_error(&all));
    let apart = (a - b).abs() / a_error.hypot(b_error);
    Ok(vec![
        title.into(),
        three_digits(taken),
        three_digits(theirs),
        format!("{:.2}", theirs / taken),
        format!("{a:.4} ± {a_error:.4}"),
        format!("{b:.4} ± {b_error:.4}"),
        format!("{apart:.1}"),
    ])
}

/// The mean of some numbers and its standard error.
fn mean_and_error(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
    (mean, (variance / n).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_a_mean() {
        let (mean, error) = mean_and_error(&[1.0, 2.0, 3.0, 4.0]);
        assert!((mean - 2.5).abs() < 1e-12 && (error - (5.0_f64 / 12.0).sqrt()).abs() < 1e-12);
    }
}
