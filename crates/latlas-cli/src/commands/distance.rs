//! `latlas distance`: bounds of the distances between all latents.

use std::path::PathBuf;

use clap::Args;
use latlas::data::{self, Float};
use latlas::geometry::{LatentGraph, Weights};

use crate::failure::Outcome;
use crate::geometry::SpaceOptions;

/// Bound the distances between all latents by a graph over them: [n, n]
#[derive(Debug, Args)]
pub struct Arguments {
    /// ONNX file of the decoder, or builtin:NAME
    #[arg(value_name = "MODEL.onnx")]
    decoder: String,
    /// Latents, one a row: FILE.npy, FILE.npz:KEY, FILE.safetensors:KEY, FILE.csv, IDX(.gz) or builtin:NAME
    #[arg(long, value_name = "FILE")]
    latents: String,
    /// The decoder's second input, one row
    #[arg(long, value_name = "FILE")]
    condition: Option<String>,
    /// File to write: .npz with lower (chords) and upper (lengths of paths, inf where there is none), or .npy for upper alone
    #[arg(long, short = 'o', value_name = "FILE")]
    out: PathBuf,
    /// Neighbours that each point is joined to
    #[arg(long, short = 'k', default_value_t = 15, value_name = "K", help_heading = "Geometry")]
    neighbours: usize,
    #[command(flatten)]
    space: SpaceOptions,
}

/// The verb.
pub fn run(arguments: &Arguments) -> Outcome {
    let console = arguments.space.console();
    let manifold = arguments.space.open(&arguments.decoder, arguments.condition.as_deref())?;
    let latents = data::finite_rows(&data::read(&arguments.latents)?, "the decoder takes latents", Some(manifold.dim()))?;
    let graph = LatentGraph::new(&*manifold, latents.view(), arguments.neighbours, Weights::Lengths)?;
    let [lower, upper] = graph.bracket();
    if arguments.out.extension().is_some_and(|end| end == "npz") {
        let arrays = [("lower", lower.view().into_dyn()), ("upper", upper.view().into_dyn())];
        data::write_npz(&arguments.out, &arrays, &[], Float::F64)?;
    } else {
        data::write_npy(&arguments.out, &upper, Float::F64)?;
    }
    let apart = upper.iter().filter(|x| !x.is_finite()).count() / 2;
    let name = manifold.name();
    console.note(&format!(
        "{} edges under the embedding {name}, {} of them links between components; {apart} pairs without a path",
        graph.edges(),
        graph.links()
    ));
    console.note(&format!("bounds of {:?} distances are in {}", upper.dim(), arguments.out.display()));
    Ok(())
}
