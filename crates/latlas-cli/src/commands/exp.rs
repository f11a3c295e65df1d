//! `latlas exp`: the exponential map.

use std::path::PathBuf;

use clap::Args;
use latlas::data::{self, Float};
use latlas::geometry::{ExpOptions, Shot, exp_along};
use ndarray::{Array1, Array2, Array3};

use crate::failure::{Failure, Outcome};
use crate::geometry::{self, SpaceOptions};

/// Follow the geodesics that leave latents with given velocities: Exp_z(v), [n, d]
#[derive(Debug, Args)]
pub struct Arguments {
    /// ONNX file of the decoder, or builtin:NAME
    #[arg(value_name = "MODEL.onnx")]
    decoder: String,
    /// Latents to start from, one a row: FILE.npy, FILE.npz:KEY, FILE.safetensors:KEY, FILE.csv, IDX(.gz) or builtin:NAME
    #[arg(long, value_name = "FILE")]
    latents: String,
    /// Velocities, one a row: a geodesic is followed for its velocity's length
    #[arg(long, value_name = "FILE")]
    vectors: String,
    /// The decoder's second input, one row
    #[arg(long, value_name = "FILE")]
    condition: Option<String>,
    /// File to write: .npy for the end points, NaN where there is none, or .npz for points, velocity, length, error, drift, t,
    /// converged, status and reason
    #[arg(long, short = 'o', value_name = "FILE")]
    out: PathBuf,
    /// Of the end points, relative and absolute in the latents
    #[arg(long, default_value_t = 1e-8, value_name = "SIZE", help_heading = "Geometry")]
    tolerance: f64,
    /// The most steps of one geodesic
    #[arg(long, default_value_t = 10_000, value_name = "N", help_heading = "Geometry")]
    max_steps: usize,
    /// Geodesics end where a latent leaves this box
    #[arg(long, value_name = "LOW,HIGH", value_parser = parse_box, allow_hyphen_values = true, help_heading = "Geometry")]
    domain: Option<(f64, f64)>,
    /// Points of each geodesic in a .npz, ends included
    #[arg(long, default_value_t = 2, value_name = "N", help_heading = "Output")]
    points: usize,
    #[command(flatten)]
    space: SpaceOptions,
}

/// The verb.
pub fn run(arguments: &Arguments) -> Outcome {
    let console = arguments.space.console();
    if arguments.points < 2 || !(arguments.tolerance > 0.0 && arguments.tolerance < 1.0) {
        let what = format!("--points {} --tolerance {} make no geodesic", arguments.points, arguments.tolerance);
        return Err(Failure::usage(what, "take two points or more, and a tolerance between 0 and 1"));
    }
    let manifold = arguments.space.open(&arguments.decoder, arguments.condition.as_deref())?;
    let d = Some(manifold.dim());
    let latents = data::finite_rows(&data::read(&arguments.latents)?, "the decoder takes latents", d)?;
    let vectors = data::finite_rows(&data::read(&arguments.vectors)?, "velocities have the width of the latents", d)?;
    let options =
        ExpOptions { tolerance: arguments.tolerance, max_steps: arguments.max_steps, domain: arguments.domain, ..ExpOptions::default() };
    let (shots, [points, _]) = exp_along(&*manifold, latents.view(), vectors.view(), &options, arguments.points - 1)?;
    if arguments.out.extension().is_some_and(|end| end == "npz") {
        archive(arguments, &shots, &points)?;
    } else {
        // What did not converge has no end point.
        let end = |(i, j): (usize, usize)| if shots[i].status.is_converged() { shots[i].end[j] } else { f64::NAN };
        data::write_npy(&arguments.out, &Array2::from_shape_fn(latents.dim(), end), Float::F64)?;
    }
    geometry::tell(console, manifold.name(), shots.iter().map(|shot| shot.status));
    console.note(&format!("exp {:?} is in {}", latents.dim(), arguments.out.display()));
    Ok(())
}

fn archive(arguments: &Arguments, shots: &[Shot], points: &Array3<f64>) -> Outcome {
    let column = |of: fn(&Shot) -> f64| shots.iter().map(of).collect::<Array1<f64>>().into_dyn();
    let (n, d) = (points.dim().0, points.dim().2);
    let velocity = Array2::from_shape_fn((n, d), |(i, j)| shots[i].velocity[j]);
    let columns = [
        ("length", column(|shot| shot.length)),
        ("error", column(|shot| shot.error)),
        ("drift", column(|shot| shot.drift)),
        ("t", column(|shot| shot.t)),
        ("converged", column(|shot| f64::from(u8::from(shot.status.is_converged())))),
    ];
    let mut arrays = vec![("points", points.view().into_dyn()), ("velocity", velocity.view().into_dyn())];
    arrays.extend(columns.iter().map(|(name, values)| (*name, values.view())));
    Ok(data::write_npz(&arguments.out, &arrays, &geometry::words(shots.iter().map(|shot| shot.status)), Float::F64)?)
}

/// LOW,HIGH.
pub fn parse_box(text: &str) -> Result<(f64, f64), String> {
    let parts = text.split_once(',').and_then(|(low, high)| Some((low.trim().parse().ok()?, high.trim().parse().ok()?)));
    parts.filter(|(low, high): &(f64, f64)| low < high).ok_or_else(|| "write LOW,HIGH with LOW < HIGH, such as -4,4".into())
}
