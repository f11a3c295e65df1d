//! Arrays of decoded points, Jacobians and metrics: computed and written chunk by chunk, so that memory does not grow
//! with their number.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use latlas::data::{self, Float, NpyWriter};
use latlas::error::{Error, Result};
use latlas::models::{Decoder, Linearization, OnnxDecoder};
use latlas::run::Dtype;
use ndarray::{Array2, ArrayD, Axis, Slice};

use crate::args::{ModelOptions, Precision, Talk, Threads};
use crate::console::Console;
use crate::failure::Outcome;
use crate::geometry::LatentSpace;
use crate::models;
use crate::progress::Progress;
use crate::shelf::Shelf;

/// What the verbs that write arrays take.
#[derive(Debug, Args)]
pub struct ArrayArguments {
    /// ONNX file of the decoder, or builtin:NAME
    #[arg(value_name = "MODEL.onnx")]
    pub decoder: String,
    /// Latents, one a row: FILE.npy, FILE.npz:KEY, FILE.safetensors:KEY, FILE.csv, IDX(.gz) or builtin:NAME
    #[arg(long, value_name = "FILE")]
    pub latents: String,
    /// The decoder's second input: one row a sample, or one row for all
    #[arg(long, value_name = "FILE")]
    pub condition: Option<String>,
    /// File to write, .npy
    #[arg(long, short = 'o', value_name = "FILE")]
    pub out: PathBuf,
    /// Type in which the decoder runs, and of the array
    #[arg(long, value_enum, default_value_t = Precision::F32)]
    pub dtype: Precision,
    #[command(flatten)]
    pub threads: Threads,
    #[command(flatten)]
    pub model: ModelOptions,
    #[command(flatten)]
    pub talk: Talk,
}

/// One array for each sample of a chunk.
pub struct Kind<'a> {
    /// What the bar says.
    pub name: &'static str,
    /// Chooses what is decoded, where no output was named.
    pub prepare: &'a dyn Fn(Arc<OnnxDecoder>) -> Result<Arc<OnnxDecoder>>,
    /// The shape of one sample's array.
    pub shape: fn(&dyn Decoder) -> Vec<usize>,
    /// The arrays of a chunk, `[n, …]` in row-major order of the shape.
    pub compute: fn(&dyn Linearization) -> Result<ArrayD<f64>>,
}

/// Bytes of f64 that one chunk may take, with the columns that its Jacobian passes through.
const CHUNK_BYTES: usize = 32 << 20;

/// Computes the array for all latents and writes it.
pub fn write(arguments: &ArrayArguments, kind: &Kind<'_>) -> Outcome {
    let console = Console::new(&arguments.talk);
    arguments.threads.start()?;
    let dtype = Dtype::from(arguments.dtype);
    let model = models::decoder(&arguments.decoder, &arguments.model, dtype, &Shelf::default(), kind.prepare)?;
    console.notes(&model.notes);
    let decoder = model.decoder;
    let latents = rows(&arguments.latents, "the decoder takes latents", Some(decoder.latent_dim()))?;
    let condition = arguments.condition.as_deref().map(|spec| rows(spec, "the decoder takes a condition", decoder.condition_dim()));
    let condition = condition.transpose()?.map(|given| one_each(given, latents.nrows())).transpose()?;

    let each = decoder.ambient_dim().saturating_mul(decoder.latent_dim());
    stream(arguments, kind.name, latents.nrows(), &(kind.shape)(&*decoder), each, console, |rows| {
        let part = condition.as_ref().map(|c| c.slice_axis(Axis(0), rows));
        (kind.compute)(&*decoder.linearize(latents.slice_axis(Axis(0), rows), part)?)
    })
}

/// The metric of a latent space at all latents.
pub fn write_metric(arguments: &ArrayArguments, space: &LatentSpace) -> Outcome {
    let console = Console::new(&arguments.talk);
    arguments.threads.start()?;
    console.notes(&space.notes);
    let (manifold, d) = (&space.manifold, space.manifold.dim());
    let latents = rows(&arguments.latents, "the decoder takes latents", Some(d))?;
    stream(arguments, "metric", latents.nrows(), &[d, d], d * manifold.frame_dim(), console, |rows| {
        Ok(manifold.metric_at(latents.slice_axis(Axis(0), rows))?.into_dyn())
    })
}

/// Arrays of a shape for n samples, chunk by chunk; `each` is how many numbers one of them passes through.
fn stream(
    arguments: &ArrayArguments,
    name: &'static str,
    n: usize,
    shape: &[usize],
    each: usize,
    console: Console,
    compute: impl Fn(Slice) -> Result<ArrayD<f64>>,
) -> Outcome {
    let shape = [&[n], shape].concat();
    let float = if Dtype::from(arguments.dtype) == Dtype::F64 { Float::F64 } else { Float::F32 };
    let mut file = NpyWriter::create(&arguments.out, &shape, float)?;
    let progress = Progress::new(console, name);
    let mut missing = 0;
    let chunk = (CHUNK_BYTES / each.saturating_mul(size_of::<f64>()).max(1)).clamp(1, 1024);
    for start in (0..n).step_by(chunk) {
        let values = compute(Slice::from(start..n.min(start + chunk)))?;
        missing += values.outer_iter().filter(|one| one.iter().any(|x| !x.is_finite())).count();
        file.write(values.as_standard_layout().iter())?;
        progress.at(n.min(start + chunk), n);
    }
    file.finish()?;
    drop(progress);
    if missing > 0 {
        console.note(&format!("{missing} of {n} have values that are not finite"));
    }
    console.note(&format!("{name} {shape:?} is in {}", arguments.out.display()));
    Ok(())
}

fn rows(spec: &str, what: &str, width: Option<usize>) -> Result<Array2<f64>> {
    data::finite_rows(&data::read(spec)?, what, width)
}

/// A condition for every sample: one row stands for all.
fn one_each(condition: Array2<f64>, n: usize) -> Result<Array2<f64>> {
    match condition.nrows() {
        rows if rows == n => Ok(condition),
        1 => Ok(condition.select(Axis(0), &vec![0; n])),
        rows => Err(Error::Shape { what: format!("there are {n} latents and {rows} rows of the condition"), hint: None }),
    }
}
