//! Pools: the mean, maximum or norm of windows over the last axes of an item `[lead.., spatial..]`.

use super::arithmetic::times;
use super::mismatch;
use super::powers::power;
use super::reductions::sum;
use super::sliding::Sliding;
use crate::ops::{Binary, IndexMap, Unary};
use crate::{Builder, NodeId, Result, Tensor};

/// The mean of each window; `with_padding` counts the padding's zeros as elements.
pub fn average_pool(b: &mut Builder, x: NodeId, sliding: &Sliding, with_padding: bool) -> Result<NodeId> {
    let shape = b.shape(x).to_vec();
    let windows = sliding.windows(&shape)?;
    let counts: Vec<usize> = if with_padding {
        let inside = sliding.taps_inside(&shape[shape.len() - sliding.kernel.len()..])?;
        let places = windows.len() / taps(&windows);
        inside.iter().copied().cycle().take(places).collect()
    } else {
        windows.sources().chunks(taps(&windows)).map(|w| w.iter().filter(|&&i| i != IndexMap::NOWHERE).count()).collect()
    };
    let sums = window_sums(b, x, &windows);
    let places = b.shape(sums).to_vec();
    let shares: Vec<f64> = counts.into_iter().map(|n| if n == 0 { 0.0 } else { 1.0 / n as f64 }).collect();
    let shares = b.constant(Tensor::new(places, shares));
    Ok(b.binary(Binary::Mul, sums, shares))
}

/// The p-norm of each window: (Σ |x|ᵖ)^(1/p).
pub fn lp_pool(b: &mut Builder, x: NodeId, sliding: &Sliding, p: f64) -> Result<NodeId> {
    let windows = sliding.windows(b.shape(x))?;
    let powers = absolute_power(b, x, p);
    let sums = window_sums(b, powers, &windows);
    Ok(power(b, sums, 1.0 / p))
}

/// The p-norm over `axes`, which stay with length one: (Σ |x|ᵖ)^(1/p).
pub fn lp_norm(b: &mut Builder, x: NodeId, axes: &[usize], p: f64) -> Result<NodeId> {
    let powers = absolute_power(b, x, p);
    let sums = sum(b, powers, axes);
    Ok(power(b, sums, 1.0 / p))
}

/// The largest element of each window, and its flat position in x. Padding is never the largest.
pub fn max_pool(b: &mut Builder, x: NodeId, sliding: &Sliding) -> Result<(NodeId, NodeId)> {
    let windows = sliding.windows(b.shape(x))?;
    if windows.sources().chunks(taps(&windows)).any(|w| w.iter().all(|&i| i == IndexMap::NOWHERE)) {
        return Err(mismatch("windows of a maximum", "at least one element each", sliding));
    }
    let position = b.arg_extreme(x, windows, true);
    Ok((b.take(x, position), position))
}

/// |x|ᵖ.
pub(super) fn absolute_power(b: &mut Builder, x: NodeId, p: f64) -> NodeId {
    let even = p.rem_euclid(2.0) == 0.0;
    let size = if even { x } else { b.unary(Unary::Abs, x) };
    power(b, size, p)
}

/// Σ over each window. Windows that share nothing are added where they stand; others are copied out first.
fn window_sums(b: &mut Builder, x: NodeId, windows: &IndexMap) -> NodeId {
    let places = windows.shape()[..windows.shape().len() - 1].to_vec();
    if windows.is_injective(b.shape(x).iter().product()) {
        let mut place_of = vec![IndexMap::NOWHERE; b.shape(x).iter().product()];
        for (at, &source) in windows.sources().iter().enumerate() {
            if source != IndexMap::NOWHERE {
                place_of[source as usize] = (at / taps(windows)) as u32;
            }
        }
        let map = IndexMap::table(b.shape(x), place_of);
        return b.scatter(x, map, &places);
    }
    let seen = b.map(x, windows.clone());
    let sums = sum(b, seen, &[places.len()]);
    b.reshape(sums, &places)
}

fn taps(windows: &IndexMap) -> usize {
    windows.shape().last().copied().unwrap_or(1).max(1)
}

/// x / (bias + α / size · Σ x²)^β over `size` neighbouring channels (axis 1) of `[lead, C, spatial..]`.
pub fn local_response_norm(b: &mut Builder, x: NodeId, size: usize, alpha: f64, beta: f64, bias: f64) -> Result<NodeId> {
    let shape = b.shape(x).to_vec();
    if shape.len() < 2 || size == 0 {
        return Err(mismatch("item of a local response normalisation", "channels on axis 1 and a positive size", &shape));
    }
    let squares = b.binary(Binary::Mul, x, x);
    // Channels slide; what stands after them comes along as windows of one.
    let rest = shape.len() - 2;
    let mut sliding = Sliding::unit(&[&[size][..], &vec![1; rest]].concat());
    (sliding.before[0], sliding.after[0]) = ((size - 1) / 2, size / 2);
    let sums = window_sums(b, squares, &sliding.windows(&shape)?);
    let scaled = times(b, sums, alpha / size as f64);
    let scaled = super::arithmetic::plus(b, scaled, bias);
    let scale = power(b, scaled, beta);
    Ok(b.binary(Binary::Div, x, scale))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::trial::{assert_close, run};
    use super::*;

    // Two images of 3 × 4.
    fn image() -> Vec<f64> {
        (0..24).map(|i| f64::from(i * 7 % 11) - 4.0).collect()
    }

    fn sliding() -> Sliding {
        Sliding { strides: vec![2, 1], before: vec![1, 0], after: vec![0, 1], ..Sliding::unit(&[2, 2]) }
    }

    /// The elements that each window sees, by loops.
    fn seen() -> Vec<Vec<f64>> {
        let x = image();
        let mut all = Vec::new();
        for (c, p, q) in (0..2).flat_map(|c| (0..2).flat_map(move |p| (0..4).map(move |q| (c, p, q)))) {
            let mut window = Vec::new();
            for (i, j) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                let (y, z) = (2 * p as isize + i - 1, q + j);
                if (0..3).contains(&y) && z < 4 {
                    window.push(x[(c * 3 + y as usize) * 4 + z]);
                }
            }
            all.push(window);
        }
        all
    }

    #[test]
    fn pools_are_loops() {
        let largest: Vec<f64> = seen().iter().map(|w| w.iter().copied().fold(f64::MIN, f64::max)).collect();
        assert_eq!(run(&image(), &[2, 3, 4], |b, x| Ok(max_pool(b, x, &sliding())?.0)), largest);
        let means: Vec<f64> = seen().iter().map(|w| w.iter().sum::<f64>() / w.len() as f64).collect();
        assert_close(&run(&image(), &[2, 3, 4], |b, x| average_pool(b, x, &sliding(), false)), &means, 1e-15);
        let with_zeros: Vec<f64> = seen().iter().map(|w| w.iter().sum::<f64>() / 4.0).collect();
        assert_close(&run(&image(), &[2, 3, 4], |b, x| average_pool(b, x, &sliding(), true)), &with_zeros, 1e-15);
        let norms: Vec<f64> = seen().iter().map(|w| w.iter().map(|v| v.abs().powi(3)).sum::<f64>().cbrt()).collect();
        assert_close(&run(&image(), &[2, 3, 4], |b, x| lp_pool(b, x, &sliding(), 3.0)), &norms, 1e-14);
    }

    #[test]
    fn windows_that_share_nothing_need_no_copy() {
        let s = Sliding { strides: vec![2], ..Sliding::unit(&[2]) };
        let got = run(&[1.0, 3.0, 5.0, 7.0, 9.0], &[5], |b, x| {
            let y = average_pool(b, x, &s, true)?;
            assert!(b.graph().nodes().iter().any(|n| matches!(n.op, crate::Op::Scatter(_))));
            Ok(y)
        });
        assert_eq!(got, [2.0, 6.0]);
    }

    #[test]
    fn response_norm_sums_over_channels() {
        let x = [1.0, -2.0, 3.0, 0.5];
        let expected: Vec<f64> = (0..4)
            .map(|c: usize| {
                let around: f64 = (c.saturating_sub(1)..(c + 2).min(4)).map(|k| x[k] * x[k]).sum();
                x[c] / (2.0 + 0.3 / 3.0 * around).powf(0.75)
            })
            .collect();
        assert_close(&run(&x, &[1, 4, 1], |b, x| local_response_norm(b, x, 3, 0.3, 0.75, 2.0)), &expected, 1e-14);
    }
}
