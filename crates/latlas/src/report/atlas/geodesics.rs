//! Geodesics between latents beside the straight lines between them, decoded.

use std::sync::Arc;

use ndarray::{Array2, Axis};

use super::Source;
use crate::error::Result;
use crate::geometry::{Confirmation, Curves, GeodesicOptions, Manifold, Status, geodesics};
use crate::models::Decoder;
use crate::run::Inputs;

/// Geodesics and straight lines as pictures.
#[derive(Debug, Clone)]
pub struct GeodesicStrips {
    /// The embedding that lengths are measured in.
    pub embedding: String,
    /// Those shown.
    pub pairs: Vec<Strip>,
    /// How many pairs were joined.
    pub among: usize,
    /// Whether the ends are codes of data, or draws from the prior.
    pub of_data: bool,
}

/// One pair of latents.
#[derive(Debug, Clone)]
pub struct Strip {
    /// Numbers of its ends among the draws or codes.
    pub ends: [usize; 2],
    /// Along the geodesic at equal times `[STEPS, D]`.
    pub geodesic: Array2<f64>,
    /// Along the straight line at equal times.
    pub straight: Array2<f64>,
    /// Of the geodesic, and how far it may be off.
    pub length: (f64, f64),
    /// Of the straight line.
    pub straight_length: f64,
    /// How the search ended.
    pub status: Status,
}

/// Pictures along a curve.
pub const STEPS: usize = 9;
/// Pairs that are joined, where decodes are cheap …
const PAIRS: usize = 4;
/// … and how many of them are shown.
const SHOWN: usize = 3;
/// The relative error of lengths: more than a picture shows.
const TOLERANCE: f64 = 1e-6;
/// Operations that a search may take; about 10⁴ decodes a pair.
const BUDGET: f64 = 4e11;
/// Decodes of a search.
const DECODES: f64 = 1e4;

impl Source<'_> {
    /// Joins codes of the data, or draws from the prior: of a few pairs those whose straight line is longest beside the geodesic. `None` where
    /// there is no metric with second derivatives, or decoding takes too long.
    pub fn geodesics(&self, inputs: &Inputs, seed: u64) -> Result<Option<GeodesicStrips>> {
        let affordable = (BUDGET / (DECODES * self.decoder.cost().decode.max(1.0))) as usize;
        let can = |manifold: &Arc<dyn Manifold>| manifold.embedding().is_none_or(Decoder::has_second_derivatives);
        let (Some(manifold), 1..) = (inputs.manifold().filter(can), affordable) else { return Ok(None) };
        let pairs = affordable.min(PAIRS);
        let d = manifold.dim();
        let of_data = inputs.encoder.is_some() && inputs.data.as_ref().is_some_and(|data| data.nrows() >= 2 * pairs);
        let ends = match (&inputs.encoder, &inputs.data) {
            (Some(encoder), Some(data)) if of_data => {
                let rows: Vec<usize> = (0..2 * pairs).map(|k| k * data.nrows() / (2 * pairs)).collect();
                encoder.encode(data.select(Axis(0), &rows).view(), None)?.mean
            }
            _ => inputs.prior.draw(seed, 0..2 * pairs as u64, d),
        };
        let side = |first: usize| Array2::from_shape_fn((pairs, d), |(i, j)| ends[[2 * i + first, j]]);
        let (from, to) = (side(0), side(1));
        let options = GeodesicOptions { confirmation: Confirmation::to(TOLERANCE), ..GeodesicOptions::default() };
        let found = geodesics(&*manifold, from.view(), to.view(), &options)?;
        let straight = Curves::straight(from.view(), to.view(), 16)?;
        let lengths: Vec<f64> = straight.measure(&*manifold)?.into_iter().map(|measured| measured.length).collect();
        let mut order: Vec<usize> = (0..pairs).filter(|i| found[*i].length.is_finite()).collect();
        order.sort_by(|i, j| (lengths[*j] / found[*j].length).total_cmp(&(lengths[*i] / found[*i].length)));
        let mut strips = Vec::new();
        for i in order.into_iter().take(SHOWN) {
            let along = |curves: &Curves, i: usize| {
                let points: Vec<_> = (0..STEPS).map(|k| curves.at(k as f64 / (STEPS - 1) as f64).0).collect();
                self.decode(Array2::from_shape_fn((STEPS, d), |(k, j)| points[k][[i, j]]).view())
            };
            let curve = Curves::through(found[i].nodes.view().insert_axis(Axis(0)))?;
            strips.push(Strip {
                ends: [2 * i, 2 * i + 1],
                geodesic: along(&curve, 0)?,
                straight: along(&straight, i)?,
                length: (found[i].length, found[i].length_error),
                straight_length: lengths[i],
                status: found[i].status,
            });
        }
        Ok(Some(GeodesicStrips { embedding: manifold.name().into(), pairs: strips, among: pairs, of_data }))
    }
}
