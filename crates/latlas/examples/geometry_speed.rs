//! Times of the geometry on this machine: decodes, second derivatives, exponential maps and maps of the metric, one thread unless
//! `RAYON_NUM_THREADS` says otherwise. `cargo run --release --example geometry_speed -p latlas`

use std::time::Instant;

use latlas::geometry::{Embedding, ExpOptions, Manifold, exp};
use latlas::models::onnx::Options;
use latlas::models::{Decoder, OnnxDecoder};
use latlas::settings::Dtype;
use latlas_graph::ops::{Contraction, Unary};
use latlas_graph::{Builder, Port, Rows, Tensor};
use ndarray::{Array2, Axis};

/// A net of tanh layers 2-96-96-288 with weights N(0, 1.8²/fan-in), by a small generator of its own.
fn tanh_net() -> Result<OnnxDecoder, Box<dyn std::error::Error>> {
    let mut state = 1_u64;
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    };
    let mut normal = move || (-2.0 * uniform().ln()).sqrt() * (std::f64::consts::TAU * uniform()).cos();
    let mut b = Builder::new();
    let mut x = b.input("z", Rows::SAMPLE, &[2], &[2]);
    for (from, to) in [(2, 96), (96, 96), (96, 288)] {
        let weights: Vec<f64> = (0..from * to).map(|_| normal() * 1.8 / (from as f64).sqrt()).collect();
        let w = b.constant(Tensor::new([to, from], weights));
        let sum = b.contract(w, x, Contraction { a: vec![0, 1], b: vec![1], out: vec![0], sum_rows: Rows::NONE });
        x = b.unary(Unary::Tanh, sum);
    }
    let graph = b.finish(vec![Port { name: "x".into(), node: x, shape: vec![288], default: None }]);
    Ok(OnnxDecoder::from_graph("tanh 2-96-96-288", graph, &Options::with_dtype(Dtype::F64))?)
}

/// Seconds of the fastest of some runs, after one that compiles.
fn fastest<T>(mut run: impl FnMut() -> T) -> f64 {
    run();
    let time = |run: &mut dyn FnMut() -> T| {
        let start = Instant::now();
        run();
        start.elapsed().as_secs_f64()
    };
    (0..5).map(|_| time(&mut run)).fold(f64::INFINITY, f64::min)
}

fn scattered(n: usize, shift: f64) -> Array2<f64> {
    Array2::from_shape_fn((n, 2), |(i, j)| ((i * 2 + j + 1) as f64 * 0.618_033_988_749_895 + shift).fract() * 3.0 - 1.5)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let digits = latlas::data::builtin_model("digits-vae").ok_or("not built in")?;
    let digits = OnnxDecoder::from_bytes("digits-vae", digits, &Options::with_dtype(Dtype::F64))?;
    for decoder in [digits, tanh_net()?] {
        let manifold = Embedding::Auto.manifold(&decoder)?;
        println!("{} ({}, {} to {})", decoder.path().display(), manifold.name(), manifold.dim(), manifold.frame_dim());
        let (many, along) = (scattered(4096, 0.0), scattered(4096, 0.3));
        let per_point = 1e6 / 4096.0;
        let map = manifold.embedding().ok_or("no embedding")?;
        let decode = fastest(|| map.decode(many.view(), None)) * per_point;
        let second = fastest(|| map.linearize(many.view(), None).and_then(|at| at.second(along.view().insert_axis(Axis(1))))) * per_point;
        let motion = fastest(|| manifold.motion(many.view(), along.view())) * per_point;
        let acceleration = fastest(|| manifold.acceleration(many.view(), along.view())) * per_point;
        println!(
            "  a point: decode {decode:.2} µs, Jv and H[v, v] {second:.2} µs ({:.1} decodes), J and H[v, v] {motion:.2} µs, acceleration {acceleration:.2} µs",
            second / decode
        );
        let (z, v) = (scattered(16, 0.0), scattered(16, 0.4));
        let options = ExpOptions::default();
        let start = Instant::now();
        let shots = exp(&*manifold, z.view(), v.view(), &options)?;
        let first = start.elapsed().as_secs_f64();
        let time = fastest(|| exp(&*manifold, z.view(), v.view(), &options));
        let exact = exp(&*manifold, z.view(), v.view(), &ExpOptions { tolerance: 1e-10, ..options.clone() })?;
        let error = shots.iter().zip(&exact).flat_map(|(a, b)| (&a.end - &b.end).to_vec()).fold(0.0, |m: f64, e| m.max(e.abs()));
        let steps: Vec<usize> = shots.iter().map(|shot| shot.steps).collect();
        let converged = shots.iter().filter(|shot| shot.status.is_converged()).count();
        println!(
            "  16 Exp: {time:.4} s ({first:.4} s the first time), {converged} converged, steps {steps:?}, change at 1e-10: {error:.1e}"
        );
        let grid = Array2::from_shape_fn((65536, 2), |(k, i)| (if i == 0 { k % 256 } else { k / 256 }) as f64 / 128.0 - 1.0);
        println!("  256 × 256 map of the log-volume: {:.3} s", fastest(|| manifold.log_volume(grid.view())));
    }
    Ok(())
}
