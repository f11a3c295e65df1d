//! Coupling layers: one part of the values is changed by an invertible map whose parameters a network makes of the other.

use latlas_graph::ops::{Binary, Unary};
use latlas_graph::{NodeId, lower};
use serde::{Deserialize, Serialize};

use super::spline::Spline;
use super::{Flow, columns};
use crate::error::Result;
use crate::models::zoo::Parts;
use crate::models::zoo::layers::{perceptron_from_zero, total};

/// The map of a coupling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Coupling {
    /// y = x · exp(s) + t (RealNVP, Dinh, Sohl-Dickstein and Bengio 2017), with s between ±2.
    #[default]
    Affine,
    /// The same with Σ s = 0, so that the volume is kept (GIN, Sorrenson, Rother and Köthe 2020).
    VolumePreserving,
    /// Monotone rational-quadratic splines.
    Spline,
}

/// Which way a flow runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Data to latents.
    Encode,
    /// Latents to data.
    Decode,
}

/// Largest |s|.
const LARGEST: f64 = 2.0;

/// One coupling of values `[d]`: the first half stays, the second changes. Gives the values and log |det| `[]`.
pub fn couple(
    p: &mut Parts<'_>,
    flow: &Flow,
    name: &str,
    x: NodeId,
    condition: Option<NodeId>,
    way: Direction,
) -> Result<(NodeId, NodeId)> {
    let d = p.b.shape(x)[0];
    let (stays, changes) = (d.div_ceil(2), d / 2);
    let kept = columns(p, x, 0, stays)?;
    let part = columns(p, x, stays, changes)?;
    let seen = condition.map_or(kept, |c| p.b.concat(&[kept, c], 0));
    let each = match flow.coupling {
        Coupling::Affine | Coupling::VolumePreserving => 2,
        Coupling::Spline => Spline::parameters(flow.bins),
    };
    let widths: Vec<usize> = flow.hidden.iter().copied().chain([each * changes]).collect();
    let raw = perceptron_from_zero(p, name, seen, &widths, flow.activation);
    let (new, each_log) = match flow.coupling {
        Coupling::Spline => {
            let spline = Spline::new(&mut p.b, raw, changes, flow.bins, flow.bound)?;
            match way {
                Direction::Encode => spline.forward(&mut p.b, part)?,
                Direction::Decode => spline.inverse(&mut p.b, part)?,
            }
        }
        kind => {
            let (s, t) = (columns(p, raw, 0, changes)?, columns(p, raw, changes, changes)?);
            let small = lower::times(&mut p.b, s, 1.0 / LARGEST);
            let bent = p.b.unary(Unary::Tanh, small);
            let mut s = lower::times(&mut p.b, bent, LARGEST);
            if kind == Coupling::VolumePreserving {
                let mean = lower::mean(&mut p.b, s, &[0]);
                let mean = p.b.expand(mean, &[changes]);
                s = p.b.binary(Binary::Sub, s, mean);
            }
            let b = &mut p.b;
            match way {
                Direction::Encode => {
                    let scale = b.unary(Unary::Exp, s);
                    let scaled = b.binary(Binary::Mul, part, scale);
                    (b.binary(Binary::Add, scaled, t), s)
                }
                Direction::Decode => {
                    let moved = b.binary(Binary::Sub, part, t);
                    let minus = b.unary(Unary::Neg, s);
                    let scale = b.unary(Unary::Exp, minus);
                    (b.binary(Binary::Mul, moved, scale), minus)
                }
            }
        }
    };
    let log_det = total(p, each_log);
    Ok((p.b.concat(&[kept, new], 0), log_det))
}
