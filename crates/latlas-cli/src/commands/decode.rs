//! `latlas decode`: x = f(z).

use clap::Args;

use crate::arrays::{self, Kind};
use crate::failure::Outcome;

/// Decode latents: x = f(z), [n, D…]
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    arrays: arrays::ArrayArguments,
}

/// The verb.
pub fn run(arguments: &Arguments) -> Outcome {
    let kind = Kind {
        name: "decoded",
        prepare: &Ok,
        shape: |decoder| decoder.ambient_shape().to_vec(),
        compute: |linearization| Ok(linearization.decoded()?.clone().into_dyn()),
    };
    arrays::write(&arguments.arrays, &kind)
}
