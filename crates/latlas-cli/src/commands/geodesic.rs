//! `latlas geodesic`: shortest curves between latents.

use std::path::PathBuf;

use clap::Args;
use latlas::data::{self, Float};
use latlas::error::Result;
use latlas::geometry::{Confirmation, Curves, Geodesic, GeodesicOptions, geodesics};
use ndarray::{Array1, Array3, ArrayD, Axis};

use crate::commands::exp::parse_box;
use crate::failure::{Failure, Outcome};
use crate::geometry::{self, SpaceOptions};

/// Find the geodesics between latents, with a bracket of each distance: [m, points, d]
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    search: Search,
    /// File to write: .npz with curves, velocity, length, length_error, lower, upper, energy, residual, index, competing, converged, status
    /// (converged, energy-only, saddle, failed) and reason (none, rank-loss, left-domain, step-too-small, max-iter, unresolved,
    /// shooting-diverged, non-smooth, disconnected, dimension, non-finite)
    #[arg(long, short = 'o', value_name = "FILE.npz")]
    out: PathBuf,
    /// Relative error of a length that is asked for: two levels that agree to it confirm a curve; below 1e-8 shooting does
    #[arg(long, default_value = "1e-6", value_name = "SHARE", help_heading = "Geometry")]
    tolerance: f64,
    /// Points of each curve, ends included
    #[arg(long, default_value_t = 65, value_name = "N", help_heading = "Output")]
    points: usize,
}

/// What a search for geodesics takes.
#[derive(Debug, Args)]
pub struct Search {
    /// ONNX file of the decoder, or builtin:NAME
    #[arg(value_name = "MODEL.onnx")]
    decoder: String,
    /// Latents where geodesics begin, one a row: FILE.npy, FILE.npz:KEY, FILE.safetensors:KEY, FILE.csv, IDX(.gz) or builtin:NAME
    #[arg(long, value_name = "FILE")]
    from: String,
    /// Latents where they end, one a row
    #[arg(long, value_name = "FILE")]
    to: String,
    /// Codes of data, over which a graph is laid that gives further starts
    #[arg(long, value_name = "FILE", help_heading = "Geometry")]
    codes: Option<String>,
    /// The decoder's second input, one row
    #[arg(long, value_name = "FILE")]
    condition: Option<String>,
    /// Segments of the curves, level by level
    #[arg(long, default_value = "16,64,128", value_delimiter = ',', value_name = "N,N", help_heading = "Geometry")]
    levels: Vec<usize>,
    /// The most Newton steps of a curve at a level
    #[arg(long, default_value_t = 100, value_name = "N", help_heading = "Geometry")]
    max_steps: usize,
    /// Shooting gives up where a latent leaves this box
    #[arg(long, value_name = "LOW,HIGH", value_parser = parse_box, allow_hyphen_values = true, help_heading = "Geometry")]
    domain: Option<(f64, f64)>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub space: SpaceOptions,
}

impl Search {
    /// The geodesics, with what is told of them.
    pub fn run(&self, confirmation: Confirmation) -> Outcome<Vec<Geodesic>> {
        if self.levels.iter().any(|n| *n < 4) {
            return Err(Failure::usage(format!("--levels {:?} make no curve", self.levels), "take four segments or more"));
        }
        let manifold = self.space.open(&self.decoder, self.condition.as_deref())?;
        let read = |spec: &str, what: &str| Ok::<_, Failure>(data::finite_rows(&data::read(spec)?, what, Some(manifold.dim()))?);
        let (from, to) = (read(&self.from, "the decoder takes latents")?, read(&self.to, "the decoder takes latents")?);
        let mut options = GeodesicOptions { levels: self.levels.clone(), confirmation, ..GeodesicOptions::default() };
        options.energy.max_steps = self.max_steps;
        options.exp.domain = self.domain;
        options.codes = self.codes.as_ref().map(|spec| read(spec, "codes are latents")).transpose()?;
        let found = geodesics(&*manifold, from.view(), to.view(), &options)?;
        geometry::tell(self.space.console(), manifold.name(), found.iter().map(|geodesic| geodesic.status));
        Ok(found)
    }
}

/// The verb.
pub fn run(arguments: &Arguments) -> Outcome {
    if arguments.points < 2 || arguments.out.extension().is_none_or(|end| end != "npz") {
        let what = format!("--points {} --out {} keep no curves", arguments.points, arguments.out.display());
        return Err(Failure::usage(what, "take two points or more, and a file that ends in .npz"));
    }
    let tolerance = arguments.tolerance;
    if !(tolerance > 0.0 && tolerance < 1.0) {
        return Err(Failure::usage(
            format!("--tolerance {tolerance} is no share of a length"),
            "take a number between 0 and 1, such as 1e-6",
        ));
    }
    let found = arguments.search.run(Confirmation::to(tolerance))?;
    archive(&arguments.out, &found, Some(arguments.points))?;
    arguments.search.space.console().note(&format!("{} geodesics are in {}", found.len(), arguments.out.display()));
    Ok(())
}

/// Writes all that is known of geodesics.
pub fn archive(path: &std::path::Path, found: &[Geodesic], points: Option<usize>) -> Outcome {
    let arrays = geodesic_arrays(found, points)?;
    let views: Vec<_> = arrays.iter().map(|(name, values)| (*name, values.view())).collect();
    Ok(data::write_npz(path, &views, &geometry::words(found.iter().map(|g| g.status)), Float::F64)?)
}

/// All that is known of geodesics as named arrays, with so many points of each where they are wanted (two or more).
///
/// # Errors
/// Curves without a spline.
pub fn geodesic_arrays(found: &[Geodesic], points: Option<usize>) -> Result<Vec<(&'static str, ArrayD<f64>)>> {
    let column = |of: &dyn Fn(&Geodesic) -> f64| found.iter().map(of).collect::<Array1<f64>>().into_dyn();
    let views: Vec<_> = found.iter().map(|geodesic| geodesic.velocity.view()).collect();
    let velocities = ndarray::stack(Axis(0), &views).unwrap_or_default().into_dyn();
    let mut arrays = vec![
        ("velocity", velocities),
        ("length", column(&|g| g.length)),
        ("length_error", column(&|g| g.length_error)),
        ("lower", column(&|g| g.lower)),
        ("upper", column(&|g| g.upper)),
        ("energy", column(&|g| g.energy)),
        ("residual", column(&|g| g.residual)),
        ("index", column(&|g| g.index as f64)),
        ("competing", column(&|g| g.competing.len() as f64)),
        ("converged", column(&|g| f64::from(u8::from(g.status.is_converged())))),
    ];
    if let Some(points) = points {
        let d = found.first().map_or(0, |geodesic| geodesic.nodes.ncols());
        let mut curves = Array3::zeros((found.len(), points, d));
        for (geodesic, mut curve) in found.iter().zip(curves.outer_iter_mut()) {
            let spline = Curves::through(geodesic.nodes.view().insert_axis(Axis(0)))?;
            for (k, mut point) in curve.outer_iter_mut().enumerate() {
                point.assign(&spline.at(k as f64 / (points - 1) as f64).0.row(0));
            }
        }
        arrays.insert(0, ("curves", curves.into_dyn()));
    }
    Ok(arrays)
}
