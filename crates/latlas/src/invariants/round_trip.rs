//! A flow and its inverse: f(g(z)) = z, relative to 1 + ‖z‖. Only for d = D; the encoder of an autoencoder is no inverse.

use ndarray::ArrayView2;

use super::{Law, by_dtype};

pub(super) const LAW: Law = Law {
    id: "round-trip",
    of_jacobians: false,
    tolerance: |context| by_dtype(context, 2e-2, 1e-6),
    check: |place| {
        let (Some((decoder, latents, condition)), Some(encoder)) = (place.points(), place.encoder) else { return Ok(None) };
        let square = decoder.latent_dim() == decoder.ambient_dim() && encoder.latent_dim() == encoder.data_dim();
        if !square || encoder.data_dim() != decoder.ambient_dim() {
            return Ok(None);
        }
        let data = decoder.decode(latents, condition)?;
        let back = encoder.encode(data.view(), condition)?.mean;
        let norm = |x: ArrayView2<'_, f64>, s: usize| x.row(s).iter().map(|x| x * x).sum::<f64>().sqrt();
        let gap = &back - &latents;
        let gaps = (0..latents.nrows()).map(|s| norm(gap.view(), s) / (1.0 + norm(latents, s)));
        Ok(gaps.reduce(|a, b| if b.is_nan() { b } else { a.max(b) }))
    },
};
