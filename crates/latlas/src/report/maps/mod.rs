//! Maps of the metric over a plane of latents: volume, conditioning and curvature, and where there is no data to speak for them.

mod files;

use std::collections::BTreeMap;

use ndarray::{Array2, ArrayView2};

use crate::error::{Error, Result};
use crate::geometry::{Factor, Manifold, gaussian_curvature};
use crate::models::Decoder;
use crate::report::colour::{Map, Rgb};
use crate::report::image::Raster;
pub use files::{NAME, files, ranges_of};

/// Maps of one metric over the same grid.
#[derive(Debug, Clone)]
pub struct Maps {
    /// The embedding whose metric it is.
    pub embedding: String,
    /// Whether there are codes near a cell, `[rows, columns]`; `None` without codes.
    pub known: Option<Array2<bool>>,
    /// The maps.
    pub layers: Vec<Layer>,
}

/// One of them.
#[derive(Debug, Clone)]
pub struct Layer {
    /// Stable name.
    pub id: &'static str,
    /// What it shows, with its unit.
    pub title: &'static str,
    /// Row j at the j-th value of the second coordinate: `[rows, columns]`; NaN where there is no value.
    pub values: Array2<f64>,
    /// How its numbers become colours.
    pub scale: LayerScale,
    /// The numbers at both ends of the colours; `None` where nothing is to be shown.
    pub range: Option<(f64, f64)>,
}

/// How the numbers of a map become colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LayerScale {
    /// Evenly.
    Linear,
    /// By their logarithms.
    Logarithmic,
    /// Evenly to both sides of zero.
    Signed,
}

impl LayerScale {
    /// The colours of such a map.
    pub(crate) fn colours(self) -> Map {
        if self == Self::Signed { Map::Signed } else { Map::Cividis }
    }
}

/// Ends of the colours by a layer's id, so that the maps of two models can be compared by eye.
pub type Ranges = BTreeMap<String, (f64, f64)>;

/// Cells without data near them.
const UNKNOWN: Rgb = [226, 228, 232];

impl Layer {
    /// With the ends that are given for it, or from the 1st to the 99th percentile of the finite values that are `known`.
    pub fn new(
        id: &'static str,
        title: &'static str,
        values: Array2<f64>,
        scale: LayerScale,
        known: Option<&Array2<bool>>,
        ranges: &Ranges,
    ) -> Self {
        let range = ranges.get(id).copied().or_else(|| range(&values, scale, known));
        Self { id, title, values, scale, range }
    }

    /// A pixel a cell, the last row on top; cells that are not `known` are grey.
    pub(crate) fn picture(&self, is_known: impl Fn((usize, usize)) -> bool) -> Raster {
        let (rows, columns) = self.values.dim();
        Raster::draw(columns, rows, |column, row| {
            let at = (rows - 1 - row, column);
            if is_known(at) { self.scale.colours().at(self.share(self.values[at])) } else { UNKNOWN }
        })
    }

    /// Where a number stands between the ends: 0 to 1 inside.
    pub fn share(&self, value: f64) -> f64 {
        let (low, high) = self.range.unwrap_or((0.0, 1.0));
        match self.scale {
            LayerScale::Logarithmic => (value / low).ln() / (high / low).ln(),
            LayerScale::Linear | LayerScale::Signed => (value - low) / (high - low),
        }
    }
}

fn range(values: &Array2<f64>, scale: LayerScale, known: Option<&Array2<bool>>) -> Option<(f64, f64)> {
    let is_known = |at: (usize, usize)| known.is_none_or(|known| known[at]);
    let mut values: Vec<f64> = values.indexed_iter().filter(|(at, v)| v.is_finite() && is_known(*at)).map(|(_, v)| *v).collect();
    values.sort_by(f64::total_cmp);
    let at = |p: f64| values.get(((values.len().max(1) - 1) as f64 * p).round() as usize).copied();
    let (low, high) = (at(0.01)?, at(0.99)?);
    Some(match scale {
        LayerScale::Signed => {
            let most = low.abs().max(high.abs()).max(1e-12);
            (-most, most)
        }
        LayerScale::Logarithmic => (low.max(1e-300), if high > low * 1.01 { high } else { low * 1.01 }),
        LayerScale::Linear if high > low => (low, high),
        LayerScale::Linear => (low - 0.5, high + 0.5),
    })
}

/// The maps at the points of a square grid, row by row; `known` says where there is data, `with_curvature` whether its price may be paid.
///
/// # Errors
/// Those of the manifold.
pub fn maps(
    manifold: &dyn Manifold,
    points: ArrayView2<'_, f64>,
    known: Option<Vec<bool>>,
    with_curvature: bool,
    ranges: &Ranges,
) -> Result<Maps> {
    let side = (points.nrows() as f64).sqrt().round() as usize;
    let known = known.map(|known| grid(side, known)).transpose()?;
    let layer = |id, title, values: Vec<f64>, scale| {
        let finite = values.into_iter().map(|x| if x.is_finite() { x } else { f64::NAN }).collect();
        Ok::<_, Error>(Layer::new(id, title, grid(side, finite)?, scale, known.as_ref(), ranges))
    };
    let factors = manifold.factors(points)?;
    let mut layers = vec![
        layer("log-volume", "log √det M (nats)", factors.iter().map(Factor::log_volume).collect(), LayerScale::Linear)?,
        layer("jacobian-condition", "condition κ(J)", factors.iter().map(Factor::condition).collect(), LayerScale::Logarithmic)?,
    ];
    if with_curvature && manifold.embedding().is_some_and(Decoder::has_second_derivatives) {
        layers.push(layer("gaussian-curvature", "Gaussian curvature K", gaussian_curvature(manifold, points)?, LayerScale::Signed)?);
    }
    Ok(Maps { embedding: manifold.name().into(), known, layers })
}

/// Values row by row as a square.
fn grid<T>(side: usize, values: Vec<T>) -> Result<Array2<T>> {
    Array2::from_shape_vec((side, side), values).map_err(|error| Error::Shape { what: format!("a map: {error}"), hint: None })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn ranges_are_those_of_what_is_known_or_given() {
        let values = array![[1.0, 2.0], [f64::NAN, 50.0]];
        let known = array![[true, true], [true, false]];
        let of = |scale, ranges: &Ranges| Layer::new("x", "x", values.clone(), scale, Some(&known), ranges).range;
        assert_eq!(of(LayerScale::Linear, &Ranges::new()), Some((1.0, 2.0)));
        assert_eq!(of(LayerScale::Signed, &Ranges::new()), Some((-2.0, 2.0)));
        assert_eq!(of(LayerScale::Linear, &Ranges::from([("x".into(), (-3.0, 9.0))])), Some((-3.0, 9.0)));
        let nothing = Layer::new("x", "x", array![[f64::NAN]], LayerScale::Linear, None, &Ranges::new());
        assert_eq!(nothing.range, None);
        let log = Layer::new("x", "x", array![[1.0, 10.0, 100.0]], LayerScale::Logarithmic, None, &Ranges::new());
        assert!((log.share(10.0) - 0.5).abs() < 1e-12);
    }
}
