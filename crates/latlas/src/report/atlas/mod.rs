//! The atlas: a report together with everything that a page shows beside its numbers.

mod columns;
mod geodesics;
mod plane;

use ndarray::{Array2, Array3, ArrayView1, ArrayView2, Axis, Slice};

use super::extra::order;
use super::image::{Range, Shape};
use super::maps::Ranges;
use super::report::Report;
use crate::error::Result;
use crate::models::Decoder;
use crate::run::Inputs;
use crate::samples::Prior;
pub use columns::{ClassColumns, Columns};
pub use geodesics::{GeodesicStrips, Strip};
pub use plane::{Anchor, Place, Plane};

/// A report and what is drawn beside it.
#[derive(Debug, Clone)]
pub struct Atlas {
    /// The numbers.
    pub report: Report,
    /// Name of the model: the file without its folder, or `builtin:NAME`.
    pub name: String,
    /// d.
    pub latent_dim: usize,
    /// The shape of one decoded sample; D is its product.
    pub ambient_shape: Vec<usize>,
    /// How decoded vectors become pictures, where they are pictures.
    pub picture: Option<Picture>,
    /// Decoded draws from the prior `[n, D]`, where they are pictures and no map of the latent plane shows them.
    pub draws: Option<Array2<f64>>,
    /// What moving along each latent does.
    pub traversals: Option<Traversals>,
    /// Geodesics as pictures, where outputs are pictures.
    pub geodesics: Option<GeodesicStrips>,
    /// The averaged Jacobian columns of the latents that are shown.
    pub columns: Option<Columns>,
    /// The entropies that a closed form is known to have, latent by latent.
    pub truth: Option<Vec<f64>>,
    /// The plane of two latents, or one through three codes.
    pub plane: Option<Plane>,
    /// The command that made this, as one would type it.
    pub command: Option<String>,
}

/// How decoded vectors become pictures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Picture {
    /// Where the pixels are.
    pub shape: Shape,
    /// What is black and what is white.
    pub range: Range,
}

/// Decoded samples along each latent, the others at rest.
#[derive(Debug, Clone)]
pub struct Traversals {
    /// The latents shown, in order of entropy.
    pub latents: Vec<usize>,
    /// Steps in standard deviations of the prior, ascending, with 0 in the middle.
    pub steps: Vec<f64>,
    /// Where the other latents rest.
    pub base: Base,
    /// `[latents, steps, D]`.
    pub decoded: Array3<f64>,
}

/// Where latents rest while one of them moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Base {
    /// At the prior's mean.
    Mean,
    /// At a draw from the prior. With many latents draws lie far from the mean (at a distance of about √d), and a decoder
    /// may never have been trained there.
    Draw,
}

/// What a page should show.
#[derive(Debug, Clone)]
pub struct PageOptions {
    /// `HxWxC` where the shape of pictures is not to be guessed, `none` for outputs that are no pictures.
    pub image: Option<String>,
    /// Latents whose traversals are shown at most.
    pub latents: usize,
    /// Latents whose averaged columns are shown at most.
    pub columns: usize,
    /// Points along each side of the map of the latent plane, fewer where the decoder is dear.
    pub grid: usize,
    /// Rows of the data whose codes the plane goes through, with more than two latents: rows of the given latents, or draws, where there are
    /// no codes.
    pub plane: Option<[usize; 3]>,
    /// Ends of the colours of maps that are not to follow from their numbers.
    pub map_ranges: Ranges,
    /// The command line, to be shown under "how to reproduce".
    pub command: Option<String>,
}

impl Default for PageOptions {
    fn default() -> Self {
        Self { image: None, latents: 12, columns: 20, grid: 61, plane: None, map_ranges: Ranges::new(), command: None }
    }
}

impl Atlas {
    /// A report without a model to ask: numbers and what is drawn from them alone.
    pub fn of_report(report: Report, name: String, command: Option<String>) -> Self {
        let size = |key: &str| report.settings.get(key).and_then(serde_json::Value::as_u64).unwrap_or(0) as usize;
        let (latent_dim, ambient_shape) = (size("latent_dim"), vec![size("ambient_dim")]);
        Self {
            report,
            name,
            latent_dim,
            ambient_shape,
            picture: None,
            draws: None,
            traversals: None,
            geodesics: None,
            columns: None,
            truth: None,
            plane: None,
            command,
        }
    }
}

/// Values held at once while decoding for the page.
const LARGEST_BATCH: usize = 1 << 22;
/// Steps of a traversal to each side.
const STEPS: usize = 5;
/// Reach of a traversal in standard deviations.
const REACH: f64 = 2.5;
/// Up to this many latents the mean of the prior is a typical point.
const FEW_LATENTS: usize = 8;
/// Pictures of draws.
const DRAWS: usize = 24;

/// Decodes and linearises what the page shows beside the numbers of the report.
///
/// Work beyond the run: decoding at most `latents` × 11 points and 24 draws; with two latents or more at most `grid`² Jacobians on a plane,
/// 225 decodes of pictures, the codes of at most 2,000 rows of data; for decoders of pictures the geodesics of at most 8 pairs.
///
/// # Errors
/// Those of the models; an image shape that does not fit the decoder.
pub fn compose(inputs: &Inputs, report: Report, options: &PageOptions) -> Result<Atlas> {
    let (latent_dim, ambient_shape) = match (&inputs.decoder, &inputs.jacobians) {
        (Some(decoder), _) => (decoder.latent_dim(), decoder.ambient_shape().to_vec()),
        (None, Some(jacobians)) => (jacobians.values.dim().2, vec![jacobians.values.dim().1]),
        (None, None) => (0, Vec::new()),
    };
    let shape = match options.image.as_deref() {
        Some("none") => None,
        Some(text) => Some(Shape::parse(text, &ambient_shape)?),
        None => Shape::guess(&ambient_shape),
    };
    let shown: Vec<usize> = match report.estimate("manifold-entropy") {
        Some(estimate) => order(estimate),
        None => (0..latent_dim).collect(),
    };
    let ranked: Vec<usize> = shown.into_iter().filter(|i| *i < latent_dim).collect();
    let shown: Vec<usize> = ranked.iter().copied().take(options.latents).collect();
    let source = inputs.decoder.as_deref().map(|decoder| Source { decoder, condition: inputs.condition.as_ref().map(|c| c.row(0)) });
    let seed = report.settings.get("seed").and_then(serde_json::Value::as_u64).unwrap_or(0);
    let traversals = source.as_ref().map(|source| source.traverse(&inputs.prior, seed, &shown)).transpose()?;
    let wants_draws = shape.is_some() && latent_dim != 2;
    let draws = source.as_ref().filter(|_| wants_draws).map(|s| s.decode(inputs.prior.draw(seed, 0..DRAWS as u64, latent_dim).view()));
    let draws = draws.transpose()?;
    let joined = source.as_ref().filter(|_| shape.is_some()).map(|source| source.geodesics(inputs, seed)).transpose()?;
    let plane = source.as_ref().map(|source| source.plane(inputs, shape.is_some(), options, seed)).transpose()?.flatten();
    let picture = shape.map(|shape| {
        let values = traversals.iter().flat_map(|t| t.decoded.iter()).chain(draws.iter().flatten());
        Picture { shape, range: Range::of(values) }
    });
    let shown: Vec<usize> = ranked.into_iter().take(options.columns).collect();
    let columns = columns::columns(&report, &shown);
    let truth = inputs.decoder.as_ref().and_then(|decoder| decoder.truth()).map(|truth| truth.manifold_entropy());
    // What is known holds on average over standard normal latents.
    let truth = truth.filter(|_| inputs.prior == Prior::Normal && report.settings.get("sampling").is_some_and(|from| from == "prior"));
    let of_role = |role: &str| report.inputs.iter().find(|input| input.role == role);
    let name = ["model", "decoder", "jacobians", "codes", "code-table", "encoder"].into_iter().find_map(of_role);
    let name = name.map_or_else(|| "decoder".into(), |input| input.path.clone());
    let command = options.command.clone();
    Ok(Atlas {
        report,
        name,
        latent_dim,
        ambient_shape,
        picture,
        draws,
        traversals,
        geodesics: joined.flatten(),
        columns,
        truth,
        plane,
        command,
    })
}

/// A decoder under one condition.
struct Source<'a> {
    decoder: &'a dyn Decoder,
    condition: Option<ArrayView1<'a, f64>>,
}

impl Source<'_> {
    /// Calls `use_batch` with batches of latents and condition that keep memory bounded.
    fn in_batches(
        &self,
        latents: ArrayView2<'_, f64>,
        values_each: usize,
        mut use_batch: impl FnMut(usize, ArrayView2<'_, f64>, Option<ArrayView2<'_, f64>>) -> Result<()>,
    ) -> Result<()> {
        let size = (LARGEST_BATCH / values_each.max(1)).clamp(1, 1024);
        for (number, batch) in latents.axis_chunks_iter(Axis(0), size).enumerate() {
            let condition = self.condition.map(|row| row.insert_axis(Axis(0)));
            let condition = condition.as_ref().and_then(|row| row.broadcast((batch.nrows(), row.ncols())));
            use_batch(number * size, batch, condition)?;
        }
        Ok(())
    }

    fn decode(&self, latents: ArrayView2<'_, f64>) -> Result<Array2<f64>> {
        let mut decoded = Array2::zeros((latents.nrows(), self.decoder.ambient_dim()));
        self.in_batches(latents, self.decoder.ambient_dim(), |start, batch, condition| {
            decoded.slice_axis_mut(Axis(0), Slice::from(start..start + batch.nrows())).assign(&self.decoder.decode(batch, condition)?);
            Ok(())
        })?;
        Ok(decoded)
    }

    fn traverse(&self, prior: &Prior, seed: u64, latents: &[usize]) -> Result<Traversals> {
        let d = self.decoder.latent_dim();
        let moments: Vec<(f64, f64)> = (0..d).map(|i| prior.mean_and_std(i)).collect();
        let reach = reach_of(prior);
        let steps: Vec<f64> = (0..=2 * STEPS).map(|k| reach * (k as f64 - STEPS as f64) / STEPS as f64).collect();
        let base = if d <= FEW_LATENTS { Base::Mean } else { Base::Draw };
        let rest = match base {
            Base::Mean => moments.iter().map(|(mean, _)| *mean).collect(),
            Base::Draw => prior.draw(seed, 0..1, d).row(0).to_vec(),
        };
        let mut points = Array2::from_shape_fn((latents.len() * steps.len(), d), |(_, i)| rest[i]);
        for (row, (latent, step)) in latents.iter().flat_map(|i| steps.iter().map(move |s| (*i, *s))).enumerate() {
            points[[row, latent]] = moments[latent].0 + step * moments[latent].1;
        }
        let decoded = self.decode(points.view())?;
        let decoded = into_grid(decoded, latents.len(), steps.len());
        Ok(Traversals { latents: latents.to_vec(), steps, base, decoded })
    }
}

/// How far traversals go: nearly to the ends of a bounded prior, where decoders may run away.
fn reach_of(prior: &Prior) -> f64 {
    match prior {
        Prior::Uniform { .. } => 1.5,
        _ => REACH,
    }
}

fn into_grid(decoded: Array2<f64>, rows: usize, columns: usize) -> Array3<f64> {
    let width = decoded.ncols();
    let values = decoded.into_iter().collect();
    Array3::from_shape_vec((rows, columns, width), values).unwrap_or_default()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::estimate::Estimate;

    /// An atlas with these estimates and nothing else.
    pub fn atlas_of(latent_dim: usize, ambient_shape: Vec<usize>, estimates: Vec<Estimate>) -> Atlas {
        Atlas {
            report: Report { estimates, ..Report::default() },
            name: "decoder.onnx".into(),
            latent_dim,
            ambient_shape,
            picture: None,
            draws: None,
            traversals: None,
            geodesics: None,
            columns: None,
            truth: None,
            plane: None,
            command: None,
        }
    }
}
