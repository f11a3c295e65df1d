//! Convolution as one trilinear form: T(x, w, y) = Σ y[o, p] · w[o, c, k] · x[c, stride·p + dilation·k − pad].
//!
//! Its value is Conv, its adjoint for the data is ConvTranspose, its adjoint for the weight is the weight gradient; the
//! derivative of each face is made of the other two.

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
