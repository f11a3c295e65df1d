//! A flow's own log-determinant is the log-volume of its Jacobian by QR. A wrong sign, or the head of the other direction,
//! fails here.

use super::{Law, by_dtype};

pub(super) const LAW: Law = Law {
    id: "flow-log-det",
    of_jacobians: true,
    // Files in single precision store the head's own constants (a sum of log scales) rounded.
    tolerance: |context| by_dtype(context, 2e-2, 1e-6),
    check: |place| {
        let context = place.probe.context();
        if context.latent_dim != context.ambient_dim {
            return Ok(None);
        }
        let Some(heads) = place.whole.linearization().log_det()? else { return Ok(None) };
        let gaps = place.whole.factors()?.iter().zip(heads).map(|(factor, head)| (head - factor.log_volume).abs());
        Ok(gaps.reduce(|a, b| if b.is_nan() { b } else { a.max(b) }))
    },
};
