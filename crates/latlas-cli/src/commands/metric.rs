//! `latlas metric`: the pullback metric G(z) = Df(z)ᵀ Df(z), in the geometry of p(x|z).

use clap::{Args, ValueEnum};
use latlas::models::onnx::Embedding;

use crate::arrays::{self, Kind};
use crate::failure::Outcome;

/// The metric that the decoder induces at latents: G = DfᵀDf, [n, d, d]
#[derive(Debug, Args)]
pub struct Arguments {
    /// The geometry of the output space: mean alone, or mean and standard deviation; auto takes the spread where there is one
    #[arg(long, value_enum, default_value_t = Geometry::Auto, help_heading = "Model", conflicts_with = "output")]
    embedding: Geometry,
    #[command(flatten)]
    arrays: arrays::ArrayArguments,
}

/// What the decoder's outputs are taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Geometry {
    Auto,
    Mean,
    Gaussian,
}

/// The verb.
pub fn run(arguments: &Arguments) -> Outcome {
    let kind = Kind {
        name: "metric",
        prepare: match arguments.embedding {
            Geometry::Auto => |decoder| decoder.with_embedding(Embedding::Auto),
            Geometry::Mean => |decoder| decoder.with_embedding(Embedding::Mean),
            Geometry::Gaussian => |decoder| decoder.with_embedding(Embedding::Gaussian),
        },
        shape: |decoder| vec![decoder.latent_dim(); 2],
        compute: |linearization| Ok(linearization.gram()?.into_dyn()),
    };
    arrays::write(&arguments.arrays, &kind)
}
