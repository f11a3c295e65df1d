//! A plane of latents: the latent space of a decoder with two, a plane through three codes of a decoder with more.

mod codes;
mod place;

use ndarray::{Array2, Array3, ArrayView1};

use super::{PageOptions, Source, into_grid};
use crate::error::Result;
use crate::geometry::SectionManifold;
use crate::models::section::Section;
use crate::models::{Cost, Decoder};
use crate::report::maps::{self, Layer, LayerScale, Maps};
use crate::run::Inputs;
use crate::samples::Prior;
use codes::Codes;
pub use place::{Anchor, Place};

/// A plane of latents and what was found on it.
#[derive(Debug, Clone)]
pub struct Plane {
    /// Where it lies.
    pub place: Place,
    /// Lower and upper end of each coordinate.
    pub extent: [(f64, f64); 2],
    /// Mean and standard deviation of the prior in each coordinate, where the plane is the whole latent space.
    pub prior: Option<[(f64, f64); 2]>,
    /// log |J| at the centres of an even grid, row j at the j-th value of the second coordinate: `[rows, columns]`.
    pub log_volume: Layer,
    /// Maps of the metric over the same grid, where the latents have one.
    pub maps: Option<Maps>,
    /// Decoded samples at the centres of a coarser grid, laid out alike: `[rows, columns, D]`.
    pub decoded: Option<Array3<f64>>,
    /// Codes of the data on the plane, or their feet: `[m, 2]`.
    pub codes: Array2<f64>,
    /// A class for each code, an index into `classes`; empty without labels.
    pub labels: Vec<usize>,
    /// Names of the classes.
    pub classes: Vec<String>,
    /// Rows of data from which the codes were taken evenly.
    pub rows: usize,
}

/// Pictures along each side of the plane.
const PICTURES: usize = 15;
/// Operations that the maps may take.
const BUDGET: f64 = 5e11;
/// However dear a decode is, the grid has as many cells along each side.
const COARSEST: usize = 15;
/// Where the grid would be coarser the curvature, which costs most of all maps, is left out.
const COARSEST_CURVATURE: usize = 31;
/// What second derivatives along three directions cost, in decodes.
const CURVATURE_DECODES: f64 = 18.0;

impl Plane {
    /// What the axes mean.
    pub fn axes(&self) -> [&'static str; 2] {
        if self.place.anchors.is_empty() {
            ["latent 0", "latent 1"]
        } else {
            ["latent distance from A towards B", "and from that line towards C"]
        }
    }
}

impl Source<'_> {
    /// Maps it, with pictures where the output is one; `None` for one latent, or where no three points for a plane were found.
    pub fn plane(&self, inputs: &Inputs, pictures: bool, options: &PageOptions, seed: u64) -> Result<Option<Plane>> {
        let d = self.decoder.latent_dim();
        if d < 2 {
            return Ok(None);
        }
        let codes = Codes::of(inputs, d)?;
        let Some(place) = Place::of(inputs, d, &codes, options.plane, seed)? else { return Ok(None) };
        let feet = place.subspace.coordinates(codes.points.view());
        let prior = (d == 2).then(|| [inputs.prior.mean_and_std(0), inputs.prior.mean_and_std(1)]);
        let extent = match prior {
            Some(prior) => [0, 1].map(|i| extent(&inputs.prior, prior[i], feet.column(i))),
            None => place.extent(),
        };
        let section = Section::new(self.decoder, &place.subspace);
        let (grid, with_curvature) = affordable(section.cost(), options.grid);
        let s = lattice(extent, grid);
        let whole = inputs.manifold();
        let maps = match &whole {
            Some(whole) => {
                let near = codes::are_near(place.subspace.points(s.view()).view(), codes.points.view());
                let here = SectionManifold::new(&**whole, &place.subspace);
                Some(maps::maps(&here, s.view(), near, with_curvature, &options.map_ranges)?)
            }
            None => None,
        };
        let mut volumes = Vec::with_capacity(s.nrows());
        let source = Source { decoder: &section, condition: self.condition };
        source.in_batches(s.view(), 2 * self.decoder.ambient_dim(), |_, batch, condition| {
            let columns = section.linearize(batch, condition)?.columns()?;
            volumes.extend(columns.outer_iter().map(|c| log_area(c.row(0), c.row(1))));
            Ok(())
        })?;
        let volumes = Array2::from_shape_vec((grid, grid), volumes).unwrap_or_default();
        let log_volume = Layer::new("decoder-log-volume", "log |J| (nats)", volumes, LayerScale::Linear, None, &options.map_ranges);
        let decoded = pictures.then(|| source.decode(lattice(extent, PICTURES).view())).transpose()?;
        let decoded = decoded.map(|decoded| into_grid(decoded, PICTURES, PICTURES));
        let Codes { labels, classes, rows, .. } = codes;
        Ok(Some(Plane { place, extent, prior, log_volume, maps, decoded, codes: feet, labels, classes, rows }))
    }
}

/// Cells along each side of the grid, `wished` or fewer where they would cost more than the budget, and whether there are means for the
/// curvature. It follows from the model alone, never from a clock.
fn affordable(cost: Cost, wished: usize) -> (usize, bool) {
    // The volume in single precision, the metric in double precision at twice the price.
    let side = |each: f64| ((BUDGET / each.max(1.0)).sqrt() as usize).min(wished);
    let all = side(3.0 * cost.jacobian + 2.0 * CURVATURE_DECODES * cost.decode);
    if all >= COARSEST_CURVATURE.min(wished) { (all, true) } else { (side(3.0 * cost.jacobian).max(COARSEST), false) }
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

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

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
    fn dear_decoders_get_coarser_maps() {
        let of = |decode: f64| affordable(Cost { decode, jacobian: 5.0 * decode }, 61);
        assert_eq!(of(1e5), (61, true));
        assert_eq!(of(1e7), (31, true));
        assert_eq!(of(1.2e7), (52, false));
        assert_eq!(of(1e10), (15, false));
        assert_eq!(affordable(Cost::default(), 21), (21, true));
    }
}
