//! What other derivatives cost, in passes of the decoder itself.

use anyhow::{Context, Result};

use super::{Case, Made};
use crate::bench::table::median;
use crate::bench::worker::Worker;

/// A direction (`jvp`), a cotangent (`vjp`), and a direction to second order (`taylor`), each with the value itself.
pub const VARIANTS: [&str; 3] = ["jvp", "vjp", "taylor"];

/// Seconds on one thread in f32.
pub struct Cost {
    pub case: &'static Case,
    pub n: usize,
    pub forward: f64,
    /// In the order of [`VARIANTS`].
    pub derivatives: [f64; 3],
}

/// Times every case, the variants in turn.
pub fn measure(worker: &mut Worker, made: &[Made]) -> Result<Vec<Cost>> {
    made.iter().map(|made| cost(worker, made)).collect()
}

fn cost(worker: &mut Worker, made: &Made) -> Result<Cost> {
    const ROUNDS: usize = 5;
    let name = made.case.name;
    let all = ["forward"].into_iter().chain(VARIANTS);
    for variant in all.clone() {
        worker.ask(&format!("prepare {variant} {name} {variant} f32")).with_context(|| format!("{variant} of {name}"))?;
    }
    let mut medians = [const { vec![] }; 4];
    for _ in 0..ROUNDS {
        for (variant, medians) in all.clone().zip(&mut medians) {
            medians.push(median(&worker.ask_numbers(&format!("time {variant} 0.05"))?));
        }
    }
    for variant in all {
        worker.ask(&format!("drop {variant}"))?;
    }
    let [forward, derivatives @ ..] = medians.map(|m: Vec<f64>| median(&m));
    Ok(Cost { case: made.case, n: made.facts.n, forward, derivatives })
}
