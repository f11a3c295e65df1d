//! `latlas log`: the logarithmic map.

use std::path::PathBuf;

use clap::Args;
use latlas::data::{self, Float};
use latlas::geometry::Confirmation;
use ndarray::Array2;

use crate::commands::geodesic::{Search, archive};
use crate::failure::Outcome;

/// Find the velocities with which geodesics leave for other latents: Log_a(b), [n, d], so that Exp_a(Log_a(b)) = b
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    search: Search,
    /// File to write: .npy for the velocities, NaN where none is confirmed, or .npz with what `latlas geodesic` gives beside the curves
    #[arg(long, short = 'o', value_name = "FILE")]
    out: PathBuf,
}

/// The verb.
pub fn run(arguments: &Arguments) -> Outcome {
    let found = arguments.search.run(Confirmation::Shooting)?;
    if arguments.out.extension().is_some_and(|end| end == "npz") {
        archive(&arguments.out, &found, None)?;
    } else {
        let d = found.first().map_or(0, |geodesic| geodesic.velocity.len());
        let entry = |(i, j): (usize, usize)| if found[i].status.is_converged() { found[i].velocity[j] } else { f64::NAN };
        data::write_npy(&arguments.out, &Array2::from_shape_fn((found.len(), d), entry), Float::F64)?;
    }
    arguments.search.space.console().note(&format!("log of {} pairs is in {}", found.len(), arguments.out.display()));
    Ok(())
}
