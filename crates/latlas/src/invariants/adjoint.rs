//! Forward and reverse mode are adjoint: ⟨u, Jv⟩ = ⟨Jᵀu, v⟩ for random u and v, relative to ‖u‖‖Jv‖.

use ndarray::Array3;

use super::{Law, by_dtype};
use crate::random::{Purpose, Stream};

pub(super) const LAW: Law = Law {
    id: "adjoint",
    of_jacobians: false,
    tolerance: |context| by_dtype(context, 1e-4, 1e-10),
    check: |place| {
        let Some((decoder, latents, _)) = place.points() else { return Ok(None) };
        let (n, d, big_d) = (latents.nrows(), decoder.latent_dim(), decoder.ambient_dim());
        let mut stream = Stream::new(place.context.settings.seed, Purpose::Directions, place.probe.batch().start, d + big_d);
        let v = Array3::from_shape_simple_fn((n, 1, d), || stream.normal());
        let u = Array3::from_shape_simple_fn((n, 1, big_d), || stream.normal());
        let linearization = place.probe.linearization();
        let (jv, ju) = (linearization.jvp(v.view())?, linearization.vjp(u.view())?);
        let sum =
            |a: &Array3<f64>, b: &Array3<f64>, s: usize| a.outer_iter().zip(b.outer_iter()).nth(s).map_or(0.0, |(a, b)| (&a * &b).sum());
        let gap = |s: usize| {
            let scale = (sum(&u, &u, s) * sum(&jv, &jv, s)).sqrt();
            let gap = (sum(&u, &jv, s) - sum(&ju, &v, s)).abs();
            if gap == 0.0 { 0.0 } else { gap / scale }
        };
        Ok((0..n).map(gap).reduce(|a, b| if b.is_nan() { b } else { a.max(b) }))
    },
};
