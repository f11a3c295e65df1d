//! Resizing along item axes: nearest neighbours as an index map, interpolation as one small matrix an axis.

use super::mismatch;
use super::rules::{checked_len, index_map};
use super::scans::along_axis;
use crate::ops::contiguous;
use crate::{Builder, NodeId, Result, Tensor};

/// How a place in the output is found in the input. n and m are the two lengths, s their ratio m / n as given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coordinates {
    /// (i + ½) / s − ½.
    HalfPixel,
    /// As `HalfPixel`, but centred when s · n is not the whole number m.
    HalfPixelSymmetric,
    /// As `HalfPixel`, but 0 when m = 1.
    PytorchHalfPixel,
    /// i (n − 1) / (s n − 1).
    AlignCorners,
    /// i / s.
    Asymmetric,
    /// (i + ½) / s.
    TfHalfPixel,
    /// From `roi` start to end; places outside the input take the extrapolation value.
    CropAndResize,
}

/// Which neighbour is nearest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nearest {
    /// The closer one, the lower of two.
    RoundPreferFloor,
    /// The closer one, the upper of two.
    RoundPreferCeil,
    /// The lower one.
    Floor,
    /// The upper one.
    Ceil,
}

/// What is put between neighbours.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Interpolation {
    /// Nothing: the nearest is taken.
    Nearest(Nearest),
    /// A line between two.
    Linear,
    /// A cubic through four, with this coefficient (−0.75 or −0.5).
    Cubic(f64),
}

/// The resizing of one axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AxisResize {
    /// New length.
    pub length: usize,
    /// Ratio of new to old length as given; the lengths' own ratio if the length was given.
    pub scale: f64,
    /// Start and end of the region, as shares of the input ([`Coordinates::CropAndResize`] only).
    pub region: (f64, f64),
}

/// All that [`resize`] is told beside the axes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Resize {
    /// How places are found.
    pub coordinates: Coordinates,
    /// What is put between neighbours.
    pub interpolation: Interpolation,
    /// Whether weights of neighbours outside the input are dropped (and the others scaled up) instead of given to the edge.
    pub exclude_outside: bool,
    /// Whether an axis that shrinks is smoothed against aliasing.
    pub antialias: bool,
    /// The value outside the input ([`Coordinates::CropAndResize`] only).
    pub extrapolation: f64,
}

/// x resized along the axes that are given (one entry an axis of x).
pub fn resize(b: &mut Builder, x: NodeId, axes: &[Option<AxisResize>], settings: &Resize) -> Result<NodeId> {
    let shape = b.shape(x).to_vec();
    if axes.len() != shape.len() || shape.contains(&0) {
        return Err(mismatch("item to be resized", format!("{} axes of positive length", axes.len()), &shape));
    }
    let mut new = shape.clone();
    let mut places: Vec<Option<Vec<f64>>> = vec![None; shape.len()];
    for (i, axis) in axes.iter().enumerate() {
        let Some(axis) = axis else { continue };
        checked_len(&[axis.length])?;
        new[i] = axis.length;
        let same = axis.length == shape[i] && (axis.scale - 1.0).abs() < 1e-12 && settings.coordinates != Coordinates::CropAndResize;
        if !same {
            places[i] = Some((0..axis.length).map(|at| settings.coordinates.place(at, shape[i], axis)).collect());
        }
    }
    checked_len(&new)?;
    let y = match settings.interpolation {
        Interpolation::Nearest(rule) => nearest(b, x, &new, &places, rule)?,
        Interpolation::Linear | Interpolation::Cubic(_) => {
            let mut y = x;
            for (axis, places) in places.iter().enumerate() {
                if let (Some(places), Some(resized)) = (places, axes[axis]) {
                    let matrix = weights(places, shape[axis], resized.scale, settings)?;
                    let matrix = b.constant(matrix);
                    y = along_axis(b, y, axis, matrix);
                }
            }
            y
        }
    };
    if settings.coordinates == Coordinates::CropAndResize { extrapolate(b, y, &shape, &places, settings.extrapolation) } else { Ok(y) }
}

impl Coordinates {
    fn place(self, at: usize, old: usize, axis: &AxisResize) -> f64 {
        let (i, n, m, s) = (at as f64, old as f64, axis.length as f64, axis.scale);
        match self {
            Self::HalfPixel => (i + 0.5) / s - 0.5,
            Self::HalfPixelSymmetric => {
                let adjustment = m / (s * n);
                n / 2.0 * (1.0 - adjustment) + (i + 0.5) / s - 0.5
            }
            Self::PytorchHalfPixel => {
                if axis.length > 1 {
                    (i + 0.5) / s - 0.5
                } else {
                    0.0
                }
            }
            Self::AlignCorners => {
                if axis.length > 1 {
                    i * (n - 1.0) / (s * n - 1.0)
                } else {
                    0.0
                }
            }
            Self::Asymmetric => i / s,
            Self::TfHalfPixel => (i + 0.5) / s,
            Self::CropAndResize => {
                let (start, end) = axis.region;
                if axis.length > 1 {
                    start * (n - 1.0) + i * (end - start) * (n - 1.0) / (m - 1.0)
                } else {
                    0.5 * (start + end) * (n - 1.0)
                }
            }
        }
    }
}

fn nearest(b: &mut Builder, x: NodeId, new: &[usize], places: &[Option<Vec<f64>>], rule: Nearest) -> Result<NodeId> {
    let (shape, steps) = (b.shape(x).to_vec(), contiguous(b.shape(x)));
    let neighbour = |place: f64| match rule {
        Nearest::RoundPreferFloor => (place - 0.5).ceil(),
        Nearest::RoundPreferCeil => (place + 0.5).floor(),
        Nearest::Floor => place.floor(),
        Nearest::Ceil => place.ceil(),
    };
    let chosen: Vec<Option<Vec<usize>>> = (0..shape.len())
        .map(|axis| {
            let last = shape[axis] as f64 - 1.0;
            places[axis].as_ref().map(|all| all.iter().map(|&p| neighbour(p).clamp(0.0, last) as usize).collect())
        })
        .collect();
    let source = |axis: usize, at: usize| chosen[axis].as_ref().map_or(at, |all| all[at]);
    let map = index_map(new, |at| Some(at.iter().enumerate().map(|(axis, &i)| source(axis, i) * steps[axis] as usize).sum()))?;
    Ok(b.map(x, map))
}

/// The matrix `[new, old]` of interpolation weights: a kernel around each place, its values scaled to sum to one. Against
/// aliasing the kernel is stretched by the factor by which the axis shrinks.
fn weights(places: &[f64], old: usize, scale: f64, settings: &Resize) -> Result<Tensor> {
    let mut matrix = vec![0.0; checked_len(&[places.len(), old])?];
    let squeeze = if settings.antialias { scale.min(1.0) } else { 1.0 };
    let (radius, kernel): (f64, &dyn Fn(f64) -> f64) = match settings.interpolation {
        Interpolation::Cubic(a) => (2.0, &move |d| cubic(d, a)),
        _ => (1.0, &|d| (1.0 - d).max(0.0)),
    };
    for (row, &place) in places.iter().enumerate() {
        let taps = (place - radius / squeeze).floor() as i64..=(place + radius / squeeze).ceil() as i64;
        let counted: Vec<(i64, f64)> = taps
            .filter(|&at| !settings.exclude_outside || (at >= 0 && at < old as i64))
            .map(|at| (at, kernel((at as f64 - place).abs() * squeeze)))
            .collect();
        let total: f64 = counted.iter().map(|tap| tap.1).sum();
        for (at, weight) in counted {
            matrix[row * old + at.clamp(0, old as i64 - 1) as usize] += weight / total;
        }
    }
    Ok(Tensor::new([places.len(), old], matrix))
}

/// The cubic convolution kernel with coefficient a at a distance (Keys 1981).
fn cubic(d: f64, a: f64) -> f64 {
    if d <= 1.0 {
        ((a + 2.0) * d - (a + 3.0)) * d * d + 1.0
    } else if d < 2.0 {
        (((d - 5.0) * d + 8.0) * d - 4.0) * a
    } else {
        0.0
    }
}

/// y with `value` where a place lies outside the input.
fn extrapolate(b: &mut Builder, y: NodeId, old: &[usize], places: &[Option<Vec<f64>>], value: f64) -> Result<NodeId> {
    let new = b.shape(y).to_vec();
    let outside = |axis: usize, at: usize| places[axis].as_ref().is_some_and(|all| !(0.0..=old[axis] as f64 - 1.0).contains(&all[at]));
    let mut mask = Vec::with_capacity(checked_len(&new)?);
    index_map(&new, |at| {
        mask.push(f64::from(u8::from(at.iter().enumerate().any(|(axis, &i)| outside(axis, i)))));
        None
    })?;
    let (mask, value) = (b.constant(Tensor::new(new.clone(), mask)), b.filled(&new, value));
    Ok(b.select(mask, value, y))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::trial::{assert_close, run};
    use super::*;

    const LINEAR: Resize = Resize {
        coordinates: Coordinates::HalfPixel,
        interpolation: Interpolation::Linear,
        exclude_outside: false,
        antialias: false,
        extrapolation: 0.0,
    };

    #[allow(clippy::unnecessary_wraps)]
    fn to(length: usize, old: usize) -> Option<AxisResize> {
        Some(AxisResize { length, scale: length as f64 / old as f64, region: (0.0, 1.0) })
    }

    fn line(x: &[f64], length: usize, settings: Resize) -> Vec<f64> {
        run(x, &[x.len()], |b, node| resize(b, node, &[to(length, x.len())], &settings))
    }

    #[test]
    fn nearest_doubles_and_halves() {
        let settings = Resize { interpolation: Interpolation::Nearest(Nearest::RoundPreferFloor), ..LINEAR };
        assert_eq!(line(&[1.0, 2.0, 3.0], 6, settings), [1.0, 1.0, 2.0, 2.0, 3.0, 3.0]);
        assert_eq!(line(&[1.0, 2.0, 3.0, 4.0], 2, settings), [1.0, 3.0]);
        let settings = Resize { interpolation: Interpolation::Nearest(Nearest::RoundPreferCeil), ..LINEAR };
        assert_eq!(line(&[1.0, 2.0, 3.0, 4.0], 2, settings), [2.0, 4.0]);
        let settings = Resize { coordinates: Coordinates::Asymmetric, interpolation: Interpolation::Nearest(Nearest::Floor), ..LINEAR };
        assert_eq!(line(&[1.0, 2.0], 5, settings), [1.0, 1.0, 1.0, 2.0, 2.0]);
        let doubled = run(&[1.0, 2.0, 3.0, 4.0], &[1, 2, 2], |b, x| resize(b, x, &[None, to(4, 2), to(2, 2)], &settings));
        assert_eq!(doubled, [1.0, 2.0, 1.0, 2.0, 3.0, 4.0, 3.0, 4.0]);
    }

    #[test]
    fn interpolations_reproduce_lines_inside() {
        let x: Vec<f64> = (0..6).map(|i| 2.0 * f64::from(i) + 1.0).collect();
        // A place p of the input holds 2 p + 1, clamped to the edges by linear interpolation.
        let expected: Vec<f64> = (0..15).map(|i| 2.0 * ((f64::from(i) + 0.5) / 2.5 - 0.5).clamp(0.0, 5.0) + 1.0).collect();
        assert_close(&line(&x, 15, LINEAR), &expected, 1e-14);
        let corners = Resize { coordinates: Coordinates::AlignCorners, ..LINEAR };
        let expected: Vec<f64> = (0..11).map(|i| f64::from(i) + 1.0).collect();
        assert_close(&line(&x, 11, corners), &expected, 1e-14);
        // Away from the edges a cubic does so too; its weights sum to one everywhere.
        let cubic = Resize { coordinates: Coordinates::AlignCorners, interpolation: Interpolation::Cubic(-0.5), ..LINEAR };
        assert_close(&line(&x, 11, cubic)[2..9], &expected[2..9], 1e-13);
        let excluded = Resize { exclude_outside: true, interpolation: Interpolation::Cubic(-0.75), ..LINEAR };
        assert_close(&line(&[3.0; 4], 7, excluded), &[3.0; 7], 1e-14);
    }

    #[test]
    fn antialiasing_averages_what_it_skips() {
        // Halving with a triangle of twice the width: weights 1, 3, 3, 1 over 8, the edge repeated.
        let settings = Resize { antialias: true, ..LINEAR };
        let x = [1.0, 2.0, 4.0, 8.0];
        assert_close(&line(&x, 2, settings), &[(1.0 + 3.0 + 6.0 + 4.0) / 8.0, (2.0 + 12.0 + 24.0 + 8.0) / 8.0], 1e-14);
        assert_close(&line(&x, 8, settings), &line(&x, 8, LINEAR), 1e-15);
    }

    #[test]
    fn crops_extrapolate() {
        let settings = Resize { coordinates: Coordinates::CropAndResize, extrapolation: -7.0, ..LINEAR };
        let axis = AxisResize { length: 3, scale: 0.75, region: (0.0, 2.0) };
        let got = run(&[1.0, 2.0, 3.0, 4.0], &[4], |b, x| resize(b, x, &[Some(axis)], &settings));
        assert_eq!(got, [1.0, 4.0, -7.0]);
    }
}
