//! The table of manifolds that the contracts run over.

use std::sync::Arc;

use latlas::geometry::{FormManifold, Manifold, PullbackManifold};
use latlas::models::closed_form::ClosedForm;
use latlas::models::{OnnxDecoder, onnx::Options};
use latlas::settings::Dtype;
use ndarray::Array2;

/// A closed form by its name on the command line.
pub fn surface(name: &str) -> PullbackManifold {
    PullbackManifold::new(name, Arc::new(ClosedForm::named(name).unwrap().into_written().unwrap())).unwrap()
}

pub fn half_plane() -> FormManifold {
    FormManifold::half_plane().unwrap()
}

/// The built-in VAE of handwritten digits in double precision.
pub fn digits() -> OnnxDecoder {
    let file = latlas::data::builtin_model("digits-vae").unwrap();
    OnnxDecoder::from_bytes("digits-vae", file, &Options::with_dtype(Dtype::F64)).unwrap()
}

/// Every manifold with points that lie well inside.
pub fn all() -> Vec<(Arc<dyn Manifold>, Array2<f64>)> {
    let surfaces = ["linear:a=2,0/1,1/0,3", "complex-exponential", "cylinder", "sphere", "stereographic", "paraboloid", "two-bumps"];
    let mut table: Vec<(Arc<dyn Manifold>, Array2<f64>)> =
        surfaces.iter().map(|name| (Arc::new(surface(name)) as Arc<dyn Manifold>, points(8, [-0.8, -0.8], [0.8, 0.8]))).collect();
    table.push((Arc::new(half_plane()), points(8, [-1.0, 0.5], [1.0, 2.0])));
    table
}

/// n points in a box without a pattern that a map could share.
pub fn points(n: usize, low: [f64; 2], high: [f64; 2]) -> Array2<f64> {
    Array2::from_shape_fn((n, 2), |(i, j)| {
        let u = ((i * 2 + j + 1) as f64 * if j == 0 { 0.618_033_988_749_895 } else { 0.754_877_666_246_693 }).fract();
        low[j] + (high[j] - low[j]) * u
    })
}
