//! The same latents give the same bits twice: nothing random is left in the decoder.

use super::Law;

pub(super) const LAW: Law = Law {
    id: "repeatability",
    of_jacobians: false,
    tolerance: |_| 0.0,
    check: |place| {
        let Some((decoder, latents, condition)) = place.points() else { return Ok(None) };
        let decode = || decoder.decode(latents, condition);
        let (first, second) = (decode()?, decode()?);
        let differ = |(a, b): (&f64, &f64)| if a.to_bits() == b.to_bits() { 0.0 } else { (a - b).abs() };
        Ok(first.iter().zip(&second).map(differ).reduce(|a, b| if b.is_nan() { b } else { a.max(b) }))
    },
};
