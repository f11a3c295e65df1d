//! Manifold entropic estimators: how much each latent direction matters, and how entangled directions are.

mod averaged_columns;
mod jacobian_spectrum;
mod manifold_entropy;
mod total_correlation;
mod total_entropy;

use serde_json::{Value as Json, json};

pub use averaged_columns::AveragedColumns;
pub use jacobian_spectrum::JacobianSpectrum;
pub use manifold_entropy::ManifoldEntropy;
pub use total_correlation::TotalCorrelation;
pub use total_entropy::TotalEntropy;

use super::erased::{Entry, entry};
use super::of_quantity::OfQuantity;
use crate::context::{Context, PriorTerm};
use crate::estimate::Estimate;
use crate::quantities::LogVolume;
use crate::settings::Sampling;

/// All of them.
pub const TABLE: &[Entry] = &[
    entry::<ManifoldEntropy>(),
    entry::<TotalEntropy>(),
    entry::<TotalCorrelation>(),
    entry::<OfQuantity<LogVolume>>(),
    entry::<JacobianSpectrum>(),
    entry::<AveragedColumns>(),
];

/// Says by which convention entropies are meant, and what follows from it.
fn declare_convention(estimate: &mut Estimate, context: &Context) {
    let term = context.prior_term();
    let convention = json!({
        "log_base": "nats",
        "includes_h0": term != PriorTerm::None,
        "per_dim": false,
        "data_units": true,
        "prior_term": term.name(),
        "conditioning": if context.conditional { "given" } else { "none" },
        "cross_entropy": context.sampling == Sampling::Data,
    });
    estimate.extra.insert("convention".into(), convention);
    estimate.extra.insert("method".into(), context.method());
    if term == PriorTerm::None {
        let message = "the prior's density is not known: values are E log of lengths or volumes, without the prior's entropy";
        estimate.caveats.push(crate::caveat::Caveat::new("no-prior-density", message));
    }
}

fn insert(estimate: &mut Estimate, name: &str, value: Json) {
    estimate.extra.insert(name.into(), value);
}
