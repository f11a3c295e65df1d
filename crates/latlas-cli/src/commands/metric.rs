//! `latlas metric`: the pullback metric G(z) = Df(z)ᵀ Df(z).

use clap::Args;

use crate::arrays::{self, Kind};
use crate::failure::Outcome;

/// The metric that the decoder induces at latents: G = DfᵀDf, [n, d, d]
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    arrays: arrays::Arguments,
}

/// The verb.
pub fn run(arguments: &Arguments) -> Outcome {
    let kind = Kind {
        name: "metric",
        shape: |decoder| vec![decoder.latent_dim(); 2],
        compute: |linearization| Ok(linearization.gram()?.into_dyn()),
    };
    arrays::write(&arguments.arrays, &kind)
}
