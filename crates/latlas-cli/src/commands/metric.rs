//! `latlas metric`: the metric M(z) of the latent space, in the geometry of p(x|z).

use std::sync::Arc;

use clap::Args;

use crate::arrays::{self, Kind};
use crate::failure::Outcome;
use crate::geometry::{self, GeometryOptions, Space};
use crate::shelf::Shelf;

/// The metric that the decoder induces at latents: M = DFᵀDF of an embedding F of its outputs, [n, d, d]
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    geometry: GeometryOptions,
    #[command(flatten)]
    arrays: arrays::ArrayArguments,
}

/// The verb.
pub fn run(arguments: &Arguments) -> Outcome {
    let (geometry, given) = (&arguments.geometry, &arguments.arrays);
    if geometry.embedding == Space::GaussianFisher {
        let space = geometry::manifold(&given.decoder, &given.model, geometry, given.condition.as_deref(), given.dtype.into())?;
        return arrays::write_metric(given, &space);
    }
    // A map: conditions may differ from row to row.
    let embedding = geometry.embedding(given.dtype.into(), &Shelf::default())?;
    let kind = Kind {
        name: "metric",
        prepare: &|decoder| Ok(Arc::new(embedding.clone().of(&decoder)?)),
        shape: |decoder| vec![decoder.latent_dim(); 2],
        compute: |linearization| Ok(linearization.gram()?.into_dyn()),
    };
    arrays::write(given, &kind)
}
