//! A sample is decoded alike alone and in company. Batch normalisation left in training mode fails here.

use ndarray::{Axis, Slice};

use super::{Law, by_dtype, relative_difference};

pub(super) const LAW: Law = Law {
    id: "batch-independence",
    of_jacobians: false,
    // Products of other sizes may add in another order.
    tolerance: |context| by_dtype(context, 1e-4, 1e-10),
    check: |place| {
        let Some((decoder, latents, condition)) = place.points() else { return Ok(None) };
        let together = place.probe.decoded()?;
        let mut worst = 0.0_f64;
        for s in 0..latents.nrows() {
            let row = Slice::from(s..=s);
            let condition = condition.map(|c| c.slice_axis_move(Axis(0), row));
            let alone = decoder.decode(latents.slice_axis(Axis(0), row), condition)?;
            let difference = relative_difference(together.row(s), alone.row(0));
            worst = if difference.is_nan() { f64::INFINITY } else { worst.max(difference) };
        }
        Ok(Some(worst))
    },
};
