//! Resize and its forerunner Upsample.

use super::super::call::Call;
use super::super::value::Value;
use super::Entry;
use crate::lower::{self, AxisResize, Coordinates, Interpolation, Nearest};
use crate::{Kind, Result};

/// The operators of this file.
pub const TABLE: &[Entry] = &[Entry::new("Resize", Some(Kind::Linear), resize), Entry::new("Upsample", Some(Kind::Linear), upsample)];

fn resize(call: &mut Call<'_>) -> Result<Vec<Value>> {
    if call.opset < 11 {
        return upsample(call);
    }
    let shape = call.shape(0)?;
    let all: Vec<i64> = (0..shape.len() as i64).collect();
    let axes = call.wrap_axes(&call.ints_attribute("axes")?.unwrap_or(all), shape.len())?;
    let coordinates = coordinates(call)?;
    let settings = lower::Resize {
        coordinates,
        interpolation: interpolation(call)?,
        exclude_outside: call.flag("exclude_outside", false)?,
        antialias: call.flag("antialias", false)?,
        extrapolation: call.float("extrapolation_value", 0.0)?,
    };
    let region = if coordinates == Coordinates::CropAndResize { call.constant(1)?.to_f64() } else { vec![] };
    let region = |i: usize| match (region.get(i), region.get(i + axes.len())) {
        (Some(&start), Some(&end)) => (start, end),
        _ => (0.0, 1.0),
    };
    let given = |i: usize| Ok::<_, crate::Error>(call.has(i) && call.shape(i)? != [0]);
    let mut resized = vec![None; shape.len()];
    if given(3)? {
        let (sizes, witness) = call.ints_at_both(3)?;
        let sizes = sizes.iter().map(|&v| usize::try_from(v).ok().filter(|&n| n > 0)).collect::<Option<Vec<_>>>();
        let sizes = sizes.filter(|s| s.len() == axes.len()).ok_or_else(|| call.refuse("its sizes do not fit its axes".into(), None))?;
        let batch = call.batch(0)?.map(|b| b.axis);
        if (0..axes.len()).any(|i| witness[i] != sizes[i] as i64 && Some(axes[i]) != batch) {
            call.mixes("a size depends on the number of samples");
        }
        let policy = call.string("keep_aspect_ratio_policy", "stretch")?.into_owned();
        let ratios = axes.iter().zip(&sizes).map(|(&a, &n)| n as f64 / shape[a].max(1) as f64);
        let common = match policy.as_str() {
            "stretch" => None,
            "not_larger" => ratios.reduce(f64::min),
            "not_smaller" => ratios.reduce(f64::max),
            other => return Err(call.refuse(format!("keep_aspect_ratio_policy {other:?} is not known"), None)),
        };
        for (i, &axis) in axes.iter().enumerate() {
            let old = shape[axis].max(1) as f64;
            let length = common.map_or(sizes[i], |s| (s * old).round() as usize);
            resized[axis] = Some(AxisResize { length, scale: common.unwrap_or(length as f64 / old), region: region(i) });
        }
    } else {
        let scales = call.constant(2)?.to_f64();
        scaled(call, &scales, &axes, &shape, &mut resized, region)?;
    }
    apply(call, &shape, &resized, &settings)
}

/// Upsample, and Resize in operator set 10: scales as an input, places by division alone.
fn upsample(call: &mut Call<'_>) -> Result<Vec<Value>> {
    let shape = call.shape(0)?;
    let scales = match call.floats_attribute("scales")? {
        Some(scales) => scales,
        None => call.constant(1)?.to_f64(),
    };
    let interpolation = match &*call.string("mode", "nearest")? {
        "nearest" => Interpolation::Nearest(Nearest::Floor),
        "linear" | "bilinear" => Interpolation::Linear,
        other => return Err(call.refuse(format!("mode {other:?} is not known"), None)),
    };
    let settings =
        lower::Resize { coordinates: Coordinates::Asymmetric, interpolation, exclude_outside: false, antialias: false, extrapolation: 0.0 };
    let (axes, mut resized) = ((0..shape.len()).collect::<Vec<_>>(), vec![None; shape.len()]);
    scaled(call, &scales, &axes, &shape, &mut resized, |_| (0.0, 1.0))?;
    apply(call, &shape, &resized, &settings)
}

/// Lengths from scales: ⌊length · scale⌋.
fn scaled(
    call: &Call<'_>,
    scales: &[f64],
    axes: &[usize],
    shape: &[usize],
    resized: &mut [Option<AxisResize>],
    region: impl Fn(usize) -> (f64, f64),
) -> Result<()> {
    if scales.len() != axes.len() || !scales.iter().all(|s| s.is_finite() && *s > 0.0) {
        return Err(call.refuse(format!("scales {scales:?} do not fit an input of shape {shape:?}"), None));
    }
    for (i, (&axis, &scale)) in axes.iter().zip(scales).enumerate() {
        // Scales are stored in single precision: 2/3 of 3 is meant to be 2.
        let length = (shape[axis] as f64 * scale * (1.0 + 1e-7)).floor() as usize;
        resized[axis] = Some(AxisResize { length, scale, region: region(i) });
    }
    Ok(())
}

fn apply(call: &mut Call<'_>, shape: &[usize], resized: &[Option<AxisResize>], settings: &lower::Resize) -> Result<Vec<Value>> {
    let new: Vec<usize> = shape.iter().zip(resized).map(|(&n, r)| r.map_or(n, |r| r.length)).collect();
    call.elements(&new)?;
    // An axis that keeps its length and scale is not touched.
    let touched = |i: usize| resized[i].is_some_and(|r| r.length != shape[i] || (r.scale - 1.0).abs() > 1e-12 || r.region != (0.0, 1.0));
    let axes: Vec<usize> = (0..shape.len()).filter(|&i| touched(i)).collect();
    let batch = call.beside(0, &axes)?;
    let x = call.node(0)?;
    let y = lower::resize(call.b, x, resized, settings)?;
    call.result(y, call.dtype(0)?, batch)
}

fn coordinates(call: &Call<'_>) -> Result<Coordinates> {
    Ok(match &*call.string("coordinate_transformation_mode", "half_pixel")? {
        "half_pixel" => Coordinates::HalfPixel,
        "half_pixel_symmetric" => Coordinates::HalfPixelSymmetric,
        "pytorch_half_pixel" => Coordinates::PytorchHalfPixel,
        "align_corners" => Coordinates::AlignCorners,
        "asymmetric" => Coordinates::Asymmetric,
        "tf_half_pixel_for_nn" => Coordinates::TfHalfPixel,
        "tf_crop_and_resize" => Coordinates::CropAndResize,
        other => return Err(call.refuse(format!("coordinate_transformation_mode {other:?} is not known"), None)),
    })
}

fn interpolation(call: &Call<'_>) -> Result<Interpolation> {
    Ok(match &*call.string("mode", "nearest")? {
        "nearest" => Interpolation::Nearest(match &*call.string("nearest_mode", "round_prefer_floor")? {
            "round_prefer_floor" => Nearest::RoundPreferFloor,
            "round_prefer_ceil" => Nearest::RoundPreferCeil,
            "floor" => Nearest::Floor,
            "ceil" => Nearest::Ceil,
            other => return Err(call.refuse(format!("nearest_mode {other:?} is not known"), None)),
        }),
        "linear" => Interpolation::Linear,
        "cubic" => Interpolation::Cubic(call.float("cubic_coeff_a", -0.75)?),
        other => return Err(call.refuse(format!("mode {other:?} is not known"), None)),
    })
}
