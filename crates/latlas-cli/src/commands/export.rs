//! `latlas export`: a derivative as an ONNX file.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use latlas::error::Error;
use latlas::geometry::embed;
use latlas::run::Dtype;
use latlas_graph::Graph;
use latlas_graph::onnx::{self, Layout};

use crate::args::{ModelOptions, Talk};
use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::geometry::{GeometryOptions, Space};
use crate::models;
use crate::shelf::Shelf;

/// Write the derivative of a decoder as an ONNX file that any runtime runs
#[derive(Debug, Args)]
pub struct Arguments {
    /// ONNX file of the decoder, or builtin:NAME
    #[arg(value_name = "MODEL.onnx")]
    file: String,
    #[command(flatten)]
    what: What,
    #[command(flatten)]
    geometry: GeometryOptions,
    /// File to write, .onnx
    #[arg(long, short = 'o', value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    model: ModelOptions,
    #[command(flatten)]
    talk: Talk,
}

/// Which derivative.
#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = false)]
struct What {
    /// The Jacobian [N, D.., d]: output NAME.jacobian
    #[arg(long)]
    jacobian: bool,
    /// The metric, in the geometry that --embedding names: output NAME.gram
    #[arg(long)]
    metric: bool,
    /// Df v for K tangents: a further input `tangents`, output NAME.jvp
    #[arg(long, value_name = "K", num_args = 0..=1, default_missing_value = "1")]
    jvp: Option<usize>,
    /// Dfᵀ u for K cotangents: a further input `cotangents`, output INPUT.cotangent
    #[arg(long, value_name = "K", num_args = 0..=1, default_missing_value = "1")]
    vjp: Option<usize>,
}

/// The verb.
pub fn run(arguments: &Arguments) -> Outcome {
    let console = Console::new(&arguments.talk);
    if !arguments.what.metric && arguments.geometry.embedding != Space::Auto {
        return Err(Failure::usage("--embedding has an effect with --metric only", "leave it out"));
    }
    let file = models::model_file(&arguments.file)?;
    let graph = file.graph(&arguments.model.read(Dtype::F64))?;
    let (heads, output) = arguments.model.ports(&graph)?;
    // A metric belongs to the geometry of the output space, as that of `latlas metric` does.
    let (graph, output) = if arguments.what.metric && arguments.model.output.is_none() {
        embed(&graph, &heads, arguments.geometry.embedding(Dtype::F64, &Shelf::default())?)?
    } else {
        (Arc::new(graph), output)
    };
    let derived = arguments.what.derive(&graph, heads.latent, output).map_err(|error| file.blame(error))?;
    // Axes in the order of the mathematics: J is [N, D.., d].
    let layouts = derived.outputs.iter().map(|port| if port.name.ends_with(".jacobian") { Layout::ShapeFirst } else { Layout::RowsFirst });
    let bytes = onnx::save_with(&derived, &layouts.collect::<Vec<_>>()).map_err(|error| file.blame(error))?;
    std::fs::write(&arguments.out, bytes).map_err(|source| Error::Io { action: "write", path: arguments.out.clone(), source })?;
    let outputs = derived.outputs.iter().map(|port| format!("{} {:?}", port.name, port.shape)).collect::<Vec<_>>().join(", ");
    console.note(&format!("{}: outputs {outputs} of one sample", arguments.out.display()));
    Ok(())
}

impl What {
    fn derive(&self, graph: &Graph, input: usize, output: usize) -> latlas_graph::Result<Graph> {
        match (self.jvp, self.vjp) {
            (Some(k), _) => graph.jvp_graph(input, &[output], k),
            (_, Some(k)) => graph.vjp_graph(input, output, k),
            _ if self.metric => graph.gram(input, &[output]),
            _ => graph.jacobian(input, &[output]),
        }
    }
}
