//! `latlas jacobian`: Df(z).

use clap::Args;

use crate::arrays::{self, Kind};
use crate::failure::Outcome;

/// Differentiate a decoder at latents: Df(z), [n, D…, d]
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    arrays: arrays::ArrayArguments,
}

/// The verb.
pub fn run(arguments: &Arguments) -> Outcome {
    let kind = Kind {
        name: "jacobian",
        prepare: &Ok,
        shape: |decoder| [decoder.ambient_shape(), &[decoder.latent_dim()]].concat(),
        compute: |linearization| Ok(linearization.jacobian()?.into_dyn()),
    };
    arrays::write(&arguments.arrays, &kind)
}
