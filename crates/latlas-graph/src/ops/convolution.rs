//! Convolution as one trilinear form: T(x, w, y) = Σ y[o, p] · w[o, c, k] · x[c, stride·p + dilation·k − pad].
//!
//! Its value is Conv, its adjoint for the data is ConvTranspose, its adjoint for the weight is the weight gradient; the
//! derivative of each face is made of the other two.

use super::{Contraction, IndexMap, next};
use crate::{Builder, NodeId, Rows};

/// The geometry of a convolution. Items: x `[in_channels, input..]`, w `[out_channels, in_channels / groups, kernel..]`,
/// y `[out_channels, output..]`; any number of spatial axes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Convolution {
    /// Channels of x.
    pub in_channels: usize,
    /// Channels of y.
    pub out_channels: usize,
    /// Groups that do not see each other.
    pub groups: usize,
    /// Spatial size of x.
    pub input: Vec<usize>,
    /// Spatial size of y.
    pub output: Vec<usize>,
    /// Spatial size of w.
    pub kernel: Vec<usize>,
    /// Step along each axis.
    pub strides: Vec<usize>,
    /// Spacing of the kernel's taps.
    pub dilations: Vec<usize>,
    /// Zeros before the input along each axis (those after it follow from the sizes).
    pub pads: Vec<usize>,
}

/// Which argument of the trilinear form the operation computes, from the other two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Face {
    /// `[x, w]` → y: convolution.
    Value,
    /// `[y, w]` → x: transposed convolution.
    Data,
    /// `[x, y]` → w: weight gradient; the only face that sums over row axes.
    Weight,
}

impl Convolution {
    /// The flat input position that tap `k` of output position `p` reads, unless it lies in the padding.
    pub fn pixel(&self, p: &[usize], k: &[usize]) -> Option<usize> {
        (0..p.len()).try_fold(0, |at, axis| {
            let i = (self.strides[axis] * p[axis] + self.dilations[axis] * k[axis]).checked_sub(self.pads[axis])?;
            (i < self.input[axis]).then_some(at * self.input[axis] + i)
        })
    }

    /// Where each entry of the patches `[groups, channels of a group · taps, output positions]` comes from in x.
    pub fn patches(&self) -> IndexMap {
        let (taps, positions): (usize, usize) = (self.kernel.iter().product(), self.output.iter().product());
        let pixels: usize = self.input.iter().product();
        let mut of_channel = Vec::with_capacity(taps * positions);
        let mut k = vec![0; self.kernel.len()];
        for _ in 0..taps {
            let mut p = vec![0; self.output.len()];
            for _ in 0..positions {
                of_channel.push(self.pixel(&p, &k));
                next(&mut p, &self.output);
            }
            next(&mut k, &self.kernel);
        }
        let source = |channel: usize, pixel: &Option<usize>| pixel.map_or(IndexMap::NOWHERE, |i| (channel * pixels + i) as u32);
        let sources = (0..self.in_channels).flat_map(|channel| of_channel.iter().map(move |pixel| source(channel, pixel)));
        IndexMap::table(&[self.groups, self.in_channels / self.groups * taps, positions], sources.collect())
    }

    /// A face written as patches and one contraction: slower than a kernel of its own, and what such a kernel must equal.
    pub fn decompose(&self, b: &mut Builder, face: Face, first: NodeId, second: NodeId, sum_rows: Rows) -> NodeId {
        const GROUP: u8 = 0;
        const OUT: u8 = 1;
        const TAP: u8 = 2;
        const POSITION: u8 = 3;
        let (taps, positions): (usize, usize) = (self.kernel.iter().product(), self.output.iter().product());
        let (group_in, group_out) = (self.in_channels / self.groups, self.out_channels / self.groups);
        let (patches, weight, value) = (vec![GROUP, TAP, POSITION], vec![GROUP, OUT, TAP], vec![GROUP, OUT, POSITION]);
        let weight_shape = [self.groups, group_out, group_in * taps];
        let value_shape = [self.groups, group_out, positions];
        match face {
            Face::Value => {
                let (x, w) = (b.map(first, self.patches()), b.reshape(second, &weight_shape));
                let y = b.contract(x, w, Contraction { a: patches, b: weight, out: value, sum_rows });
                b.reshape(y, &[&[self.out_channels], &self.output[..]].concat())
            }
            Face::Data => {
                let (y, w) = (b.reshape(first, &value_shape), b.reshape(second, &weight_shape));
                let x = b.contract(y, w, Contraction { a: value, b: weight, out: patches, sum_rows });
                b.scatter(x, self.patches(), &[&[self.in_channels], &self.input[..]].concat())
            }
            Face::Weight => {
                let (x, y) = (b.map(first, self.patches()), b.reshape(second, &value_shape));
                let w = b.contract(x, y, Contraction { a: patches, b: value, out: weight, sum_rows });
                b.reshape(w, &[&[self.out_channels, group_in], &self.kernel[..]].concat())
            }
        }
    }
}
