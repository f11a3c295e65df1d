//! Where among the latents a plane is laid.

use ndarray::Axis;

use super::codes::Codes;
use crate::error::{Error, Result};
use crate::models::section::AffineSubspace;
use crate::run::Inputs;

/// A plane in the latent space.
#[derive(Debug, Clone)]
pub struct Place {
    /// Points of it.
    pub subspace: AffineSubspace,
    /// The three points that it was laid through; none where it is the whole latent space.
    pub anchors: Vec<Anchor>,
}

/// A point that the plane was laid through.
#[derive(Debug, Clone, PartialEq)]
pub struct Anchor {
    /// Which one: `row 3 of the data, label 7`.
    pub name: String,
    /// On the plane.
    pub at: [f64; 2],
}

impl Place {
    /// The whole of two latents, otherwise the plane through the codes of three rows of data, through three given latents, or through three
    /// draws from the prior. `None` where nothing was `chosen` and the three that were taken for it lie on a line.
    pub(super) fn of(inputs: &Inputs, latent_dim: usize, codes: &Codes, chosen: Option<[usize; 3]>, seed: u64) -> Result<Option<Self>> {
        if latent_dim == 2 {
            return Ok(Some(Self { subspace: AffineSubspace::whole(2), anchors: Vec::new() }));
        }
        let (points, names) = match (codes.points.is_empty(), &inputs.latents) {
            (false, _) => codes.three(inputs, chosen)?,
            (true, Some(latents)) => {
                let rows = chosen.unwrap_or_else(|| spread(latents.nrows()));
                check(rows, latents.nrows(), "latents")?;
                (latents.select(Axis(0), &rows), rows.map(|row| format!("row {row} of the latents")))
            }
            (true, None) => {
                let draws = chosen.unwrap_or([0, 1, 2]);
                (inputs.prior.draw(seed, draws.map(|k| k as u64), latent_dim), draws.map(|k| format!("draw {k} from the prior")))
            }
        };
        let subspace = match AffineSubspace::through(points.view()) {
            Ok(subspace) => subspace,
            Err(_) if chosen.is_none() => return Ok(None),
            Err(error) => return Err(error),
        };
        let at = subspace.coordinates(points.view());
        let anchors = names.into_iter().zip(at.outer_iter()).map(|(name, at)| Anchor { name, at: [at[0], at[1]] }).collect();
        Ok(Some(Self { subspace, anchors }))
    }

    /// The square that shows the three points with a margin.
    pub(super) fn extent(&self) -> [(f64, f64); 2] {
        let ends = [0, 1].map(|i| {
            let along = self.anchors.iter().map(|anchor| anchor.at[i]);
            (along.clone().fold(f64::INFINITY, f64::min), along.fold(f64::NEG_INFINITY, f64::max))
        });
        let reach = MARGIN * ends.iter().map(|(low, high)| high - low).fold(0.0, f64::max);
        ends.map(|(low, high)| (f64::midpoint(low, high) - reach, f64::midpoint(low, high) + reach))
    }
}

/// Half the side of the square, in longest sides of the box around the three points.
const MARGIN: f64 = 0.8;

/// Three rows of n, far apart.
pub(super) fn spread(n: usize) -> [usize; 3] {
    [1, 3, 5].map(|k| k * n / 6)
}

/// Whether there are such rows.
pub(super) fn check(rows: [usize; 3], n: usize, what: &str) -> Result<()> {
    match rows.into_iter().find(|row| *row >= n) {
        None => Ok(()),
        Some(row) => Err(Error::Input {
            what: format!("a plane through row {row} of the {what}, which have {n} rows"),
            hint: Some("rows count from 0".into()),
        }),
    }
}
