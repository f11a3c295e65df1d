//! `cargo dev bench geometry`: geodesics and exponential maps of the built-in VAE beside stochman, and what larger decoders take.
//!
//! Both sides are resident processes bound to one processor. Lengths of the peer's curves are taken in double precision from 4,000 chords, so
//! that its error is that of its curve; they are compared with our lengths, whose relative error is a millionth at most.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::jacobian::bench_target;
use super::table::{Table, median, three_digits};
use super::worker::Worker;
use super::{Settings, host};
use crate::process::{program, root, run as run_process};
use crate::{data, peers};

/// How often ours is timed; the peer takes seconds and is timed once or twice.
const ROUNDS: usize = 7;
/// Nodes, steps and grid of the peer's curves: its defaults, then finer ones until the lengths are right to [`RIGHT`].
const SETTINGS: [(usize, usize, usize); 4] = [(5, 150, 20), (8, 500, 50), (10, 1500, 100), (15, 4000, 200)];
/// A relative error of a length that counts as right.
const RIGHT: f64 = 1e-3;
const PAIRS: usize = 8;

/// The benchmark.
pub fn run(settings: &Settings) -> Result<String> {
    let host = host::description();
    let python = peers::python_with("peers/requirements-geometry.txt")?;
    let folder = peers::cache().join("bench").join("geometry");
    let mut made = program(&python.to_string_lossy(), &["peers/bench/geometry.py", "make"]);
    made.arg(&folder);
    run_process(made)?;
    let mut latlas = program(&bench_target("latlas", "geometry_worker")?.to_string_lossy(), &[]);
    latlas.arg("1");
    let mut ours = Worker::start("Latlas", &latlas, 1, &folder.join("latlas.log"))?;
    for (name, count) in [("from", 8), ("to", 8), ("start", 16), ("velocity", 16), ("many_from", 1000), ("many_to", 1000)] {
        ours.ask(&format!("points {name} {count} {}", folder.join(format!("{name}.f64")).display()))?;
    }
    let mut sections = Vec::new();
    if settings.wants("digits") {
        sections.push(beside(settings, &mut ours, &mut peer(&python, &folder)?)?);
    }
    if settings.wants("alone") && !settings.quick {
        sections.push(alone(&mut ours, &latlas, &folder)?);
    }
    ensure!(!sections.is_empty(), "no such case; there are digits, alone");
    Ok(format!("{host}. All on one thread but where it says so, in double precision.\n\n{}", sections.join("\n")))
}

fn peer(python: &Path, folder: &Path) -> Result<Worker> {
    let mut command = program(&python.to_string_lossy(), &["-W", "ignore", "peers/bench/geometry.py", "serve"]);
    command.arg(root().join("crates/latlas/assets/digits_vae.onnx")).arg(folder).env("OMP_NUM_THREADS", "1");
    Worker::start("stochman", &command, 1, &folder.join("stochman.log"))
}

/// Numbers of an answer that ends with counts of outcomes, and those counts.
fn parted(words: Vec<String>) -> (Vec<f64>, String) {
    let (counts, numbers): (Vec<_>, Vec<_>) = words.into_iter().partition(|word| word.contains(':'));
    (numbers.iter().filter_map(|word| word.parse().ok()).collect(), counts.join(", ").replace("/:", ": ").replace(':', ": "))
}

/// The largest share by which lengths exceed those that they should have.
fn excess(lengths: &[f64], right: &[f64]) -> f64 {
    lengths.iter().zip(right).map(|(length, right)| (length / right - 1.0).abs()).fold(0.0, f64::max)
}

fn beside(settings: &Settings, ours: &mut Worker, peer: &mut Worker) -> Result<String> {
    ours.ask("model builtin:digits-vae")?;
    let rounds = if settings.quick { 1 } else { ROUNDS };
    let (first, outcomes) = parted(ours.ask("geodesics from to")?);
    let right = first.get(1..=PAIRS).context("no lengths")?.to_vec();
    let error = *first.last().context("no error")?;
    let seconds = ours.ask_numbers(&format!("times {rounds} geodesics from to"))?[0];
    let mut table = Table::new(&["", "seconds", "ratio", "called converged", "largest error of a length"]);
    table.row(vec!["Latlas, defaults".into(), three_digits(seconds), "1".into(), outcomes, format!("{error:.0e}")]);
    for (i, (nodes, steps, grid)) in SETTINGS.into_iter().enumerate() {
        let mut worst = f64::NAN;
        for how in ["alone", "together"] {
            let answer = peer.ask_numbers(&format!("geodesics {nodes} {steps} {grid} {how}"))?;
            let (taken, good, lengths) = (answer[0], answer[1], &answer[2..]);
            worst = excess(lengths, &right);
            let title = match (i, how) {
                (0, "alone") => "stochman, defaults, pair by pair".to_string(),
                (0, _) => "stochman, defaults, batched".to_string(),
                _ => format!(
                    "stochman, {nodes} nodes, {steps} steps, {grid} points, {}",
                    if how == "alone" { "pair by pair" } else { "batched" }
                ),
            };
            eprintln!("{title}: {taken:.2} s, error {worst:.1e}");
            let ratio = format!("{} ×", three_digits(taken / seconds));
            table.row(vec![title, three_digits(taken), ratio, format!("{good} of {PAIRS}"), format!("{worst:.0e}")]);
        }
        if worst <= RIGHT || settings.quick {
            break;
        }
    }
    let mut shots = Table::new(&["", "seconds", "ratio", "largest error of a latent"]);
    let (ends, outcomes) = parted(ours.ask("exp start velocity")?);
    let taken = ours.ask_numbers(&format!("times {rounds} exp start velocity"))?[0];
    let estimated = *ends.last().context("no error")?;
    let (ends, title) = (&ends[1..ends.len() - 1], format!("Latlas, defaults ({outcomes})"));
    shots.row(vec![title, three_digits(taken), "1".into(), format!("{estimated:.0e} (estimated)")]);
    for points in [50, 200] {
        if settings.quick && points > 50 {
            break;
        }
        let title = format!("stochman, {points} times{}", if points == 50 { ", its default" } else { "" });
        match peer.ask_numbers(&format!("exp {points}")) {
            Ok(answer) => {
                let off = answer[1..].iter().zip(ends).map(|(got, right)| (got - right).abs()).fold(0.0, f64::max);
                let ratio = format!("{} ×", three_digits(answer[0] / taken));
                eprintln!("{title}: {:.2} s, error {off:.1e}", answer[0]);
                shots.row(vec![title, three_digits(answer[0]), ratio, format!("{off:.0e}")]);
            }
            Err(error) => shots.row(vec![title, "–".into(), "–".into(), error.to_string()]),
        }
    }
    let about = peer.ask("about")?.join(" ");
    Ok(format!(
        "**8 geodesics** between normal latents of the built-in digits VAE, embedding `gaussian` (2 latents, 128 outputs), beside {about} in single \
         precision as its defaults are. Ours search from all starts and ask for a millionth of the length; median of {rounds}.\n\n{}\n\
         **16 exponential maps** of normal velocities.\n\n{}",
        table.markdown(),
        shots.markdown()
    ))
}

/// What has no peer here.
fn alone(ours: &mut Worker, latlas: &Command, folder: &Path) -> Result<String> {
    data::fetch("dcgan_faces.onnx")?;
    let mut table = Table::new(&["", "seconds", "what came of it"]);
    ours.ask("model builtin:digits-vae")?;
    let (answer, outcomes) = parted(ours.ask("geodesics many_from many_to")?);
    eprintln!("1,000 pairs: {:.1} s", answer[0]);
    table.row(vec!["digits VAE: geodesics of 1,000 random pairs".into(), three_digits(answer[0]), outcomes]);
    let mut seconds = Vec::new();
    let mut gap = f64::NAN;
    for _ in 0..3 {
        let answer = ours.ask_numbers("distances many_from")?;
        seconds.push(answer[0]);
        gap = answer[1];
    }
    let what = format!("bracket {:.1} % wide on average", 100.0 * gap);
    table.row(vec!["digits VAE: bounds of 1,000 × 1,000 distances".into(), three_digits(median(&seconds)), what]);
    ours.ask(&format!("model {}", folder.join("wide.onnx").display()))?;
    ours.ask(&format!("points wide 2 {}", folder.join("wide.f64").display()))?;
    ours.ask("metrics wide")?;
    let seconds = 0.5 * ours.ask_numbers("times 3 metrics wide")?[0];
    table.row(vec!["transposed convolutions 256 → 3×32×32: a metric".into(), three_digits(seconds), "256 × 256".into()]);
    let mut two = Command::new(latlas.get_program());
    two.current_dir(root()).arg("2");
    let mut two = Worker::start("Latlas", &two, 2, &folder.join("latlas-2.log"))?;
    two.ask(&format!("model {}", root().join("data/dcgan_faces.onnx").display()))?;
    for name in ["faces_from", "faces_to"] {
        two.ask(&format!("points {name} 1 {}", folder.join(format!("{name}.f64")).display()))?;
    }
    let (answer, outcomes) = parted(two.ask("geodesics faces_from faces_to")?);
    eprintln!("DCGAN: {:.1} s, {outcomes}", answer[0]);
    let what = format!("{outcomes}, length {} ± {:.0e}", three_digits(answer[1]), answer[1] * answer[2]);
    table.row(vec!["DCGAN 100 → 3×64×64: a geodesic, two threads".into(), three_digits(answer[0]), what]);
    Ok(format!("**Larger questions.**\n\n{}", table.markdown()))
}
