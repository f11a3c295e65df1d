//! The operations of the intermediate representation: few, and each of one kind.

mod binary;
mod contraction;
mod convolution;
mod index_map;
mod unary;

pub use binary::{Binary, BinaryFunction, BinaryRule};
pub use contraction::Contraction;
pub use convolution::{Convolution, Face};
pub(crate) use index_map::next;
pub use index_map::{Form, IndexMap, contiguous};
pub use unary::{Unary, UnaryFunction, UnaryRule};

use std::sync::Arc;

use crate::{Axis, Rows, Tensor};

/// What an operation is, which fixes all its derivatives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// No operands: inputs, constants, counts.
    Source,
    /// Linear in its data operands; a side operand (mask, index) carries no tangent.
    Linear,
    /// Element by element; the derivative is a graph of other operations.
    Pointwise,
    /// Linear in each of two operands: the product rule.
    Bilinear,
    /// Makes masks and indices, carries no tangent.
    Discrete,
}

/// One operation on one sample. Operands are listed in brackets, side operands after a bar.
///
/// Every operation broadcasts over row axes by name; item shapes must agree exactly (broadcasting inside an item is an
/// explicit [`Op::Map`]). Masks and indices are ordinary numbers: 0 and 1, and exact integers.
#[derive(Debug, Clone, PartialEq)]
pub enum Op {
    /// An input of the graph, by position in [`crate::Graph::inputs`].
    Input(usize),
    /// A constant; its dimensions are the sizes of its row axes, then the item shape.
    Constant(Arc<Tensor>),
    /// The size of a row axis as a number.
    Count(Axis),

    /// `[x]` → y with y(i) = x(map(i)), or 0 where the map has no source: reshape, transpose, slice, pad, expand …
    Map(Arc<IndexMap>),
    /// `[x]` → y, the transpose of [`Op::Map`]: every x(i) is added to y(map(i)): sums over item axes and more.
    Scatter(Arc<IndexMap>),
    /// `[x, …]` joined along an item axis.
    Concat(usize),
    /// `[a, b | mask]`: a where the mask is not 0, else b. Operands are `[a, b, mask]`.
    Select,
    /// `[x | index]`: y(i) = x(index(i)) by flat position, NaN where the index is out of range.
    Take,
    /// `[y | index]`: the transpose of [`Op::Take`]: adds y(i) to x(index(i)) in an item of the node's shape.
    Put,
    /// `[x]` summed over a row axis that it has.
    RowSum(Axis),
    /// `[x]` with one row axis under another name; a view.
    Rename {
        /// The axis that x has.
        from: Axis,
        /// The name it gets (x must not have it).
        to: Axis,
    },
    /// `[x]` with a row axis that it has as the first axis of its item; a view where that is the last of its row axes.
    Stack(Axis),
    /// `[x]` with the first axis of its item as a row axis (x must not have it): the inverse and the transpose of
    /// [`Op::Stack`].
    Unstack(Axis),

    /// `[x]` through a scalar function.
    Unary(Unary),
    /// `[a, b]` through a scalar function.
    Binary(Binary),

    /// `[a, b]` contracted by item labels.
    Contract(Contraction),
    /// One of the three faces of a convolution's trilinear form.
    Convolve(Arc<Convolution>, Face, Rows),

    /// `[x]` → the flat position in x of the largest (or smallest) element among those that each window lists.
    ///
    /// The map has shape `[out.., window]`; windows skip missing sources; ties go to the first. The node's shape is
    /// the map's without the last axis.
    ArgExtreme {
        /// Window entries, `window` fastest.
        windows: Arc<IndexMap>,
        /// Entries a window.
        window: usize,
        /// Largest, or smallest.
        largest: bool,
    },
    /// `[x]` itself, but its tangent is dropped: a shift that cancels.
    Detach,
}

impl Op {
    /// What the operation is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Input(_) | Self::Constant(_) | Self::Count(_) => Kind::Source,
            Self::Map(_)
            | Self::Scatter(_)
            | Self::Concat(_)
            | Self::Select
            | Self::Take
            | Self::Put
            | Self::RowSum(_)
            | Self::Rename { .. }
            | Self::Stack(_)
            | Self::Unstack(_) => Kind::Linear,
            Self::Unary(f) => f.kind(),
            Self::Binary(f) => f.kind(),
            Self::Contract(_) | Self::Convolve(..) => Kind::Bilinear,
            Self::ArgExtreme { .. } | Self::Detach => Kind::Discrete,
        }
    }

    /// How many of `operands` operands carry a tangent; they come first. Side operands (mask, index) follow, and nothing
    /// carries a tangent through a discrete operation.
    pub fn data_operands(&self, operands: usize) -> usize {
        match self {
            Self::Select => 2,
            Self::Take | Self::Put => 1,
            _ if self.kind() == Kind::Discrete => 0,
            _ => operands,
        }
    }

    /// The row axes that it sums over beside its items.
    pub fn sum_rows(&self) -> Rows {
        match self {
            Self::RowSum(axis) => Rows::of(*axis),
            Self::Contract(contraction) => contraction.sum_rows,
            Self::Convolve(_, _, sum_rows) => *sum_rows,
            _ => Rows::NONE,
        }
    }
}
