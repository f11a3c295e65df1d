//! The atlas: a report together with everything that a page shows beside its numbers.

use ndarray::{Array2, Array3, ArrayView1, ArrayView2, Axis, Slice};

use super::extra::order;
use super::image::{Range, Shape};
use super::maps::{self, Maps};
use super::report::Report;
use crate::error::Result;
use crate::estimate::Value;
use crate::models::Decoder;
use crate::run::Inputs;
use crate::samples::Prior;

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
    /// The averaged Jacobian columns of the latents that are shown.
    pub columns: Option<Columns>,
    /// The latent plane, of decoders with two latents.
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

/// Averaged Jacobian columns.
#[derive(Debug, Clone)]
pub struct Columns {
    /// The latents shown, in order of entropy.
    pub latents: Vec<usize>,
    /// E Jᵢ: `[latents, D]`.
    pub mean: Array2<f64>,
    /// ‖E Jᵢ‖² / E ‖Jᵢ‖² for each latent shown, where the estimate has it.
    pub coherence: Option<Vec<f64>>,
}

/// The plane of two latents.
#[derive(Debug, Clone)]
pub struct Plane {
    /// Lower and upper end in each latent.
    pub extent: [(f64, f64); 2],
    /// Mean and standard deviation of the prior in each latent.
    pub prior: [(f64, f64); 2],
    /// log |J| at the centres of an even grid, row j at the j-th value of latent 1: `[rows, columns]`.
    pub log_volume: Array2<f64>,
    /// Maps of the metric over the same grid, where the latents have one.
    pub maps: Option<Maps>,
    /// Decoded samples at the centres of a coarser grid, laid out alike: `[rows, columns, D]`.
    pub decoded: Option<Array3<f64>>,
    /// Codes of the data `[m, 2]`.
    pub codes: Array2<f64>,
    /// A class for each code, an index into `classes`; empty without labels.
    pub labels: Vec<usize>,
    /// Names of the classes.
    pub classes: Vec<String>,
    /// Rows of data from which the codes were taken evenly.
    pub rows: usize,
}

/// What a page should show.
#[derive(Debug, Clone)]
pub struct PageOptions {
    /// `HxWxC` where the shape of pictures is not to be guessed, `none` for outputs that are no pictures.
    pub image: Option<String>,
    /// Latents shown at most.
    pub latents: usize,
    /// Points along each side of the map of the latent plane.
    pub grid: usize,
    /// The command line, to be shown under "how to reproduce".
    pub command: Option<String>,
}

impl Default for PageOptions {
    fn default() -> Self {
        Self { image: None, latents: 12, grid: 61, command: None }
    }
}

impl Atlas {
    /// A report without a model to ask: numbers and what is drawn from them alone.
    pub fn of_report(report: Report, name: String, command: Option<String>) -> Self {
        let size = |key: &str| report.settings.get(key).and_then(serde_json::Value::as_u64).unwrap_or(0) as usize;
        let (latent_dim, ambient_shape) = (size("latent_dim"), vec![size("ambient_dim")]);
        Self { report, name, latent_dim, ambient_shape, picture: None, draws: None, traversals: None, columns: None, plane: None, command }
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
/// Codes drawn on the plane at most.
const MOST_CODES: usize = 2000;
/// Pictures along each side of the plane.
const PICTURES: usize = 15;

/// Decodes and linearises what the page shows beside the numbers of the report.
///
/// Work beyond the run: decoding at most `latents` × 11 points and 24 draws; with d = 2 also `grid`² Jacobians, 225 decodes of pictures,
/// and the codes of at most 2,000 rows of data.
///
/// # Errors
/// Those of the models; an image shape that does not fit the decoder.
pub fn compose(inputs: &Inputs, report: Report, options: &PageOptions) -> Result<Atlas> {
    let (latent_dim, ambient_shape) = match (&inputs.decoder, &inputs.jacobians) {
        (Some(decoder), _) => (decoder.latent_dim(), decoder.ambient_shape().to_vec()),
        (None, Some(jacobians)) => (jacobians.dim().2, vec![jacobians.dim().1]),
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
    let shown: Vec<usize> = shown.into_iter().filter(|i| *i < latent_dim).take(options.latents).collect();
    let source = inputs.decoder.as_deref().map(|decoder| Source { decoder, condition: inputs.condition.as_ref().map(|c| c.row(0)) });
    let seed = report.settings.get("seed").and_then(serde_json::Value::as_u64).unwrap_or(0);
    let traversals = source.as_ref().map(|source| source.traverse(&inputs.prior, seed, &shown)).transpose()?;
    let wants_draws = shape.is_some() && latent_dim != 2;
    let draws = source.as_ref().filter(|_| wants_draws).map(|s| s.decode(inputs.prior.draw(seed, 0..DRAWS as u64, latent_dim).view()));
    let draws = draws.transpose()?;
    let plane = source.as_ref().filter(|_| latent_dim == 2).map(|s| s.plane(inputs, shape.is_some(), options.grid)).transpose()?;
    let picture = shape.map(|shape| {
        let values = traversals.iter().flat_map(|t| t.decoded.iter()).chain(draws.iter().flatten());
        Picture { shape, range: Range::of(values) }
    });
    let columns = columns(&report, &shown);
    let of_role = |role: &str| report.inputs.iter().find(|input| input.role == role);
    let name = ["model", "decoder", "jacobians", "codes", "code-table", "encoder"].into_iter().find_map(of_role);
    let name = name.map_or_else(|| "decoder".into(), |input| input.path.clone());
    Ok(Atlas { report, name, latent_dim, ambient_shape, picture, draws, traversals, columns, plane, command: options.command.clone() })
}

/// The averaged columns of the latents that are shown.
fn columns(report: &Report, shown: &[usize]) -> Option<Columns> {
    let estimate = report.estimate("averaged-columns")?;
    let Value::Matrix(rows) = &estimate.value else { return None };
    let latents: Vec<usize> = shown.iter().copied().filter(|i| *i < rows.len()).collect();
    let width = rows.first()?.len();
    let values: Vec<f64> = latents.iter().flat_map(|i| rows[*i].iter().copied()).collect();
    let mean = Array2::from_shape_vec((latents.len(), width), values).ok()?;
    let all = super::extra::numbers(estimate.extra.get("coherence"));
    let coherence = all.filter(|c| c.len() == rows.len()).map(|c| latents.iter().map(|i| c[*i]).collect());
    Some(Columns { latents, mean, coherence })
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

    fn plane(&self, inputs: &Inputs, pictures: bool, grid: usize) -> Result<Plane> {
        let prior = [inputs.prior.mean_and_std(0), inputs.prior.mean_and_std(1)];
        let (codes, kept, rows) = codes(inputs)?;
        let extent = [0, 1].map(|i| extent(&inputs.prior, prior[i], codes.column(i)));
        let (labels, classes) = classes(inputs.labels.as_deref(), &kept, rows);
        let points = lattice(extent, grid);
        let mut volumes = Vec::with_capacity(points.nrows());
        self.in_batches(points.view(), 2 * self.decoder.ambient_dim(), |_, batch, condition| {
            let columns = self.decoder.linearize(batch, condition)?.columns()?;
            volumes.extend(columns.outer_iter().map(|c| log_area(c.row(0), c.row(1))));
            Ok(())
        })?;
        let log_volume = Array2::from_shape_vec((grid, grid), volumes).unwrap_or_default();
        let decoded = if pictures {
            let decoded = self.decode(lattice(extent, PICTURES).view())?;
            Some(into_grid(decoded, PICTURES, PICTURES))
        } else {
            None
        };
        let maps = inputs.manifold().map(|manifold| maps::maps(&*manifold, points.view(), codes.view())).transpose()?;
        Ok(Plane { extent, prior, log_volume, maps, decoded, codes, labels, classes, rows })
    }
}

/// How far traversals go: nearly to the ends of a bounded prior, where decoders may run away.
fn reach_of(prior: &Prior) -> f64 {
    match prior {
        Prior::Uniform { .. } => 1.5,
        _ => REACH,
    }
}

/// The interval of a latent that a map should show: 3 standard deviations of the prior, wider where codes lie outside, but
/// never beyond 6, so that single outliers do not shrink the rest; the support of a bounded prior.
fn extent(prior: &Prior, (mean, deviation): (f64, f64), codes: ArrayView1<'_, f64>) -> (f64, f64) {
    if let Prior::Uniform { low, high } = prior {
        return (*low, *high);
    }
    let deviation = if deviation > 0.0 { deviation } else { 1.0 };
    let far = codes.iter().filter(|z| z.is_finite()).map(|z| (z - mean).abs() / deviation).fold(3.0, f64::max);
    let reach = (1.03 * far).min(6.0) * deviation;
    (mean - reach, mean + reach)
}

/// Codes of evenly spaced rows of the data, their row numbers, and the number of rows.
fn codes(inputs: &Inputs) -> Result<(Array2<f64>, Vec<usize>, usize)> {
    let (Some(encoder), Some(data)) = (&inputs.encoder, &inputs.data) else { return Ok((Array2::zeros((0, 2)), Vec::new(), 0)) };
    let rows = data.nrows();
    let kept: Vec<usize> = if rows <= MOST_CODES { (0..rows).collect() } else { (0..MOST_CODES).map(|k| k * rows / MOST_CODES).collect() };
    let selected = data.select(Axis(0), &kept);
    let condition = inputs.condition.as_ref().and_then(|c| match c.nrows() {
        1 => Some(c.select(Axis(0), &vec![0; kept.len()])),
        n if n == rows => Some(c.select(Axis(0), &kept)),
        _ => None,
    });
    let codes = encoder.encode(selected.view(), condition.as_ref().map(|c| c.view()))?.mean;
    Ok(if codes.ncols() == 2 { (codes, kept, rows) } else { (Array2::zeros((0, 2)), Vec::new(), 0) })
}

/// Labels of the kept rows as indices into sorted class names.
fn classes(labels: Option<&[i64]>, kept: &[usize], rows: usize) -> (Vec<usize>, Vec<String>) {
    let Some(labels) = labels.filter(|l| l.len() == rows && !kept.is_empty()) else { return (Vec::new(), Vec::new()) };
    let mut names: Vec<i64> = kept.iter().map(|row| labels[*row]).collect();
    names.sort_unstable();
    names.dedup();
    let index = kept.iter().map(|row| names.binary_search(&labels[*row]).unwrap_or(0)).collect();
    (index, names.iter().map(i64::to_string).collect())
}

/// The centres of the cells of an even grid over the plane, latent 0 fastest: `[cells², 2]`.
fn lattice(extent: [(f64, f64); 2], cells: usize) -> Array2<f64> {
    let centre = |(low, high): (f64, f64), k: usize| low + (high - low) * (k as f64 + 0.5) / cells as f64;
    Array2::from_shape_fn((cells * cells, 2), |(point, i)| centre(extent[i], if i == 0 { point % cells } else { point / cells }))
}

/// ½ log det of the Gram matrix of two vectors, from the part of one that is orthogonal to the other.
fn log_area(a: ArrayView1<'_, f64>, b: ArrayView1<'_, f64>) -> f64 {
    let (a, b) = if a.dot(&a) >= b.dot(&b) { (a, b) } else { (b, a) };
    let length = a.dot(&a).sqrt();
    if length == 0.0 {
        return f64::NEG_INFINITY;
    }
    let direction = &a / length;
    let mut rest = b.to_owned();
    // Twice: the first pass leaves a rounding error along `a` that matters for nearly parallel columns.
    for _ in 0..2 {
        let along = direction.dot(&rest);
        rest.scaled_add(-along, &direction);
    }
    length.ln() + 0.5 * rest.dot(&rest).ln()
}

fn into_grid(decoded: Array2<f64>, rows: usize, columns: usize) -> Array3<f64> {
    let width = decoded.ncols();
    let values = decoded.into_iter().collect();
    Array3::from_shape_vec((rows, columns, width), values).unwrap_or_default()
}

#[cfg(test)]
pub(super) mod tests {
    use ndarray::array;

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
            columns: None,
            plane: None,
            command: None,
        }
    }

    #[test]
    fn areas_of_parallelograms() {
        let area = |a: [f64; 3], b: [f64; 3]| log_area(array![a[0], a[1], a[2]].view(), array![b[0], b[1], b[2]].view());
        assert!((area([2.0, 0.0, 0.0], [5.0, 3.0, 0.0]) - 6f64.ln()).abs() < 1e-14);
        let tiny = 1e-9;
        assert!((area([1.0, 0.0, 0.0], [1.0, tiny, 0.0]) - tiny.ln()).abs() < 1e-9);
        assert_eq!(area([0.0; 3], [1.0, 0.0, 0.0]), f64::NEG_INFINITY);
    }

    #[test]
    fn lattices_are_centred_and_row_by_row() {
        let points = lattice([(-1.0, 1.0), (0.0, 4.0)], 2);
        assert_eq!(points, array![[-0.5, 1.0], [0.5, 1.0], [-0.5, 3.0], [0.5, 3.0]]);
    }

    #[test]
    fn maps_reach_to_the_codes_but_not_to_outliers() {
        let reach = |codes: &[f64]| extent(&Prior::Normal, (0.0, 1.0), ArrayView1::from(codes)).1;
        assert!((reach(&[0.5]) - 3.09).abs() < 1e-9);
        assert!((reach(&[-4.0]) - 4.12).abs() < 1e-9);
        assert!((reach(&[100.0]) - 6.0).abs() < 1e-9);
        assert_eq!(extent(&Prior::Uniform { low: 0.0, high: 2.0 }, (1.0, 0.5), array![9.0].view()), (0.0, 2.0));
    }

    #[test]
    fn classes_are_sorted_names() {
        assert_eq!(classes(Some(&[7, -1, 7, 3]), &[0, 1, 3], 4), (vec![2, 0, 1], vec!["-1".into(), "3".into(), "7".into()]));
        assert_eq!(classes(Some(&[7]), &[0, 1], 2), (vec![], vec![]));
    }
}
