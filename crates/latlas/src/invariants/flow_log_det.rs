//! A flow's own log-determinant is the log-volume of its Jacobian by QR. A wrong sign, or the head of the other direction,
//! fails here.

use super::{Law, by_dtype};
use crate::linalg::{log_volume, r_factor};

pub(super) const LAW: Law = Law {
    id: "flow-log-det",
    // Files in single precision store the head's own constants (a sum of log scales) rounded.
    tolerance: |context| by_dtype(context, 2e-2, 1e-6),
    check: |place| {
        let Some((decoder, latents, condition)) = place.points() else { return Ok(None) };
        if decoder.latent_dim() != decoder.ambient_dim() {
            return Ok(None);
        }
        let Some(heads) = decoder.log_det(latents.view(), condition.as_ref().map(|rows| rows.view()))? else { return Ok(None) };
        let volumes: Vec<f64> = if place.probe.context().settings.sketch.is_none() {
            let factors = place.probe.factors()?;
            place.spots.iter().map(|s| factors[*s].log_volume).collect()
        } else {
            let columns = place.spot_columns()?;
            columns.outer_iter().map(|columns| log_volume(r_factor(columns).view())).collect()
        };
        let gaps = volumes.iter().zip(heads).map(|(volume, head)| (head - volume).abs());
        Ok(gaps.reduce(|a, b| if b.is_nan() { b } else { a.max(b) }))
    },
};
