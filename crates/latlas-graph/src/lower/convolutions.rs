//! Convolution and transposed convolution of items `[lead, channels, spatial..]`.
//!
//! The leading axis is a stack of independent images inside one item. It becomes one more spatial axis over which the
//! kernel has length one, so that no second implementation is needed; a stack of one image is not seen at all.

use std::sync::Arc;

use super::arithmetic::broadcast_binary;
use super::mismatch;
use super::sliding::Sliding;
use crate::ops::{Binary, Convolution, Face};
use crate::{Builder, NodeId, Result, Rows};

/// Convolution: x `[lead, C, input..]`, w `[O, C / groups, kernel..]`, bias `[O]` → `[lead, O, output..]`.
pub fn conv(b: &mut Builder, x: NodeId, w: NodeId, bias: Option<NodeId>, sliding: &Sliding, groups: usize) -> Result<NodeId> {
    let (xs, ws) = (b.shape(x).to_vec(), b.shape(w).to_vec());
    check(&xs, &ws, groups, xs.get(1).copied() == ws.get(1).and_then(|c| c.checked_mul(groups)), sliding)?;
    let form = Convolution {
        in_channels: xs[1],
        out_channels: ws[0],
        groups,
        output: sliding.output(&xs[2..])?,
        input: xs[2..].to_vec(),
        kernel: ws[2..].to_vec(),
        strides: sliding.strides.clone(),
        dilations: sliding.dilations.clone(),
        pads: sliding.before.clone(),
    };
    apply(b, x, w, bias, form, Face::Value)
}

/// Transposed convolution: x `[lead, C, input..]`, w `[C, O / groups, kernel..]`, bias `[O]` → `[lead, O, output..]`.
///
/// `sliding` is that of the convolution whose adjoint this is, so its input is our output; see [`transposed_output`].
pub fn conv_transpose(
    b: &mut Builder,
    x: NodeId,
    w: NodeId,
    bias: Option<NodeId>,
    sliding: &Sliding,
    groups: usize,
    output: &[usize],
) -> Result<NodeId> {
    let (xs, ws) = (b.shape(x).to_vec(), b.shape(w).to_vec());
    check(&xs, &ws, groups, xs.get(1) == ws.first(), sliding)?;
    super::rules::checked_len(output)?;
    let form = Convolution {
        in_channels: ws[1] * groups,
        out_channels: xs[1],
        groups,
        output: xs[2..].to_vec(),
        input: output.to_vec(),
        kernel: ws[2..].to_vec(),
        strides: sliding.strides.clone(),
        dilations: sliding.dilations.clone(),
        pads: sliding.before.clone(),
    };
    apply(b, x, w, bias, form, Face::Data)
}

/// The natural size of a transposed convolution: stride · (input − 1) + extent + extra − padding, along each axis.
pub fn transposed_output(sliding: &Sliding, input: &[usize], extra: &[usize]) -> Result<Vec<usize>> {
    let size = |i: usize| {
        let whole = input[i].checked_sub(1)?.checked_mul(sliding.strides[i])?.checked_add(sliding.extent(i))?.checked_add(extra[i])?;
        whole.checked_sub(sliding.before[i])?.checked_sub(sliding.after[i]).filter(|&n| n > 0)
    };
    let sizes: Option<Vec<usize>> = (0..input.len()).map(size).collect();
    sizes.ok_or_else(|| mismatch("transposed convolution", format!("an output of positive size from the input {input:?}"), sliding))
}

fn check(x: &[usize], w: &[usize], groups: usize, channels_fit: bool, sliding: &Sliding) -> Result<()> {
    let rank = sliding.kernel.len() + 2;
    let fits = x.len() == rank && w.len() == rank && w[2..] == sliding.kernel[..] && channels_fit;
    if fits && groups > 0 && w[0].is_multiple_of(groups) && x[1].is_multiple_of(groups) {
        return Ok(());
    }
    let expected = format!("channels that agree in {groups} groups, over {} spatial axes", sliding.kernel.len());
    Err(mismatch("image and weight of a convolution", expected, (x, w)))
}

fn apply(b: &mut Builder, x: NodeId, w: NodeId, bias: Option<NodeId>, mut form: Convolution, face: Face) -> Result<NodeId> {
    let (xs, ws) = (b.shape(x).to_vec(), b.shape(w).to_vec());
    let stacked = xs[0] != 1;
    let (x, w) = if stacked {
        let order: Vec<usize> = [1, 0].into_iter().chain(2..xs.len()).collect();
        let (x, w) = (b.transpose(x, &order), b.reshape(w, &[&ws[..2], &[1], &ws[2..]].concat()));
        for (list, value) in [
            (&mut form.input, xs[0]),
            (&mut form.output, xs[0]),
            (&mut form.kernel, 1),
            (&mut form.strides, 1),
            (&mut form.dilations, 1),
            (&mut form.pads, 0),
        ] {
            list.insert(0, value);
        }
        (x, w)
    } else {
        (b.reshape(x, &xs[1..]), w)
    };
    let mut y = b.convolve(x, w, &Arc::new(form), face, Rows::NONE);
    if let Some(bias) = bias {
        let channels = b.shape(y)[0];
        if b.shape(bias).iter().product::<usize>() != channels {
            return Err(mismatch("bias of a convolution", format!("one number for each of {channels} channels"), b.shape(bias)));
        }
        let column: Vec<usize> = std::iter::once(channels).chain(b.shape(y)[1..].iter().map(|_| 1)).collect();
        let bias = b.reshape(bias, &column);
        y = broadcast_binary(b, Binary::Add, y, bias)?;
    }
    if stacked {
        let order: Vec<usize> = [1, 0].into_iter().chain(2..xs.len()).collect();
        return Ok(b.transpose(y, &order));
    }
    let shape: Vec<usize> = std::iter::once(1).chain(b.shape(y).iter().copied()).collect();
    Ok(b.reshape(y, &shape))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::trial::{assert_close, run};
    use super::*;
    use crate::Tensor;

    fn numbers(n: usize) -> Vec<f64> {
        (0..n).map(|i| (i as f64 * 0.7 + 0.2).sin()).collect()
    }

    /// Σ over every (sample, group, channels, place, tap) of the trilinear form, telling who takes part.
    #[allow(clippy::too_many_arguments)]
    fn each_product(
        n: usize,
        (c, o, g): (usize, usize, usize),
        (h, w): (usize, usize),
        out: (usize, usize),
        s: &Sliding,
        mut f: impl FnMut(usize, usize, usize),
    ) {
        let (kh, kw) = (s.kernel[0], s.kernel[1]);
        for image in 0..n {
            for oc in 0..o {
                for ic in 0..c / g {
                    let channel = oc / (o / g) * (c / g) + ic;
                    for at in 0..out.0 * out.1 * kh * kw {
                        let (p, q, i, j) = (at / (kh * kw) / out.1, at / (kh * kw) % out.1, at / kw % kh, at % kw);
                        let y = (p * s.strides[0] + i * s.dilations[0]).wrapping_sub(s.before[0]);
                        let x = (q * s.strides[1] + j * s.dilations[1]).wrapping_sub(s.before[1]);
                        if y < h && x < w {
                            let image_at = ((image * c + channel) * h + y) * w + x;
                            f(((image * o + oc) * out.0 + p) * out.1 + q, ((oc * (c / g) + ic) * kh + i) * kw + j, image_at);
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn both_directions_are_loops() {
        let s = Sliding { strides: vec![2, 1], dilations: vec![1, 2], before: vec![1, 2], after: vec![0, 1], ..Sliding::unit(&[3, 2]) };
        for (n, groups) in [(1, 1), (3, 1), (1, 2), (2, 2)] {
            let (c, o, h, w) = (4, 6, 5, 4);
            let out = s.output(&[h, w]).unwrap();
            let weights = numbers(o * c / groups * 6);
            let (x, y) = (numbers(n * c * h * w), numbers(n * o * out[0] * out[1]));
            let mut forward = vec![0.0; y.len()];
            let mut back = vec![0.0; x.len()];
            each_product(n, (c, o, groups), (h, w), (out[0], out[1]), &s, |yi, wi, xi| {
                forward[yi] += x[xi] * weights[wi];
                back[xi] += y[yi] * weights[wi];
            });
            let weight = Tensor::new([o, c / groups, 3, 2], weights);
            let bias: Vec<f64> = (0..o).map(|i| i as f64).collect();
            let place = out[0] * out[1];
            forward.iter_mut().enumerate().for_each(|(i, v)| *v += bias[i / place % o]);
            let got = run(&x, &[n, c, h, w], |b, x| {
                let (w, bias) = (b.constant(weight.clone()), b.constant(Tensor::new([o], bias.clone())));
                conv(b, x, w, Some(bias), &s, groups)
            });
            assert_close(&got, &forward, 1e-13);
            let got = run(&y, &[n, o, out[0], out[1]], |b, y| {
                let weight = b.constant(weight.clone());
                conv_transpose(b, y, weight, None, &s, groups, &[h, w])
            });
            assert_close(&got, &back, 1e-13);
        }
    }

    #[test]
    fn natural_size_undoes_a_convolution() {
        let s = Sliding { strides: vec![2], before: vec![1], after: vec![1], ..Sliding::unit(&[4]) };
        assert_eq!(transposed_output(&s, &[4], &[0]).unwrap(), [8]);
        assert_eq!(s.output(&[8]).unwrap(), [4]);
        assert!(transposed_output(&s, &[0], &[0]).is_err());
    }

    #[test]
    fn misfits_are_refused() {
        let mut b = Builder::new();
        let (x, w) = (b.filled(&[1, 3, 4], 0.0), b.filled(&[2, 2, 3], 0.0));
        assert!(conv(&mut b, x, w, None, &Sliding::unit(&[3]), 1).is_err());
        let w = b.filled(&[2, 3, 3], 0.0);
        assert!(conv(&mut b, x, w, None, &Sliding::unit(&[3]), 0).is_err());
        assert!(conv(&mut b, x, w, None, &Sliding::unit(&[2]), 1).is_err());
        let bias = b.filled(&[3], 0.0);
        assert!(conv(&mut b, x, w, Some(bias), &Sliding::unit(&[3]), 1).is_err());
        assert!(conv(&mut b, x, w, None, &Sliding::unit(&[3]), 1).is_ok());
    }
}
