//! Element types of array files, and their bytes as an array of `f64`.

use ndarray::{ArrayD, IxDyn, ShapeBuilder};

use super::{Fault, Raw};

/// The most values an array may hold: 16 GiB as `f64`.
const MOST_VALUES: usize = 1 << 31;

/// The most axes an array may have.
const MOST_AXES: usize = 32;

/// Integers of this size and beyond are not all exact as `f64`.
const INEXACT: f64 = (1u64 << 53) as f64;

/// Element types that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
    Bool,
    U8,
    U16,
    U32,
    U64,
    I8,
    I16,
    I32,
    I64,
    F16,
    Bf16,
    F32,
    F64,
}

/// Byte order of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Little,
    Big,
}

/// Which index of an array runs fastest in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// The last one (C).
    Last,
    /// The first one (Fortran).
    First,
}

/// What a header says of the bytes that follow it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) shape: Vec<usize>,
    pub(super) element: Element,
    pub(super) order: Order,
    pub(super) layout: Layout,
}

impl Element {
    /// Bytes of one element.
    pub(super) fn size(self) -> usize {
        match self {
            Self::Bool | Self::U8 | Self::I8 => 1,
            Self::U16 | Self::I16 | Self::F16 | Self::Bf16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
        }
    }

    fn is_integer(self) -> bool {
        !matches!(self, Self::F16 | Self::Bf16 | Self::F32 | Self::F64)
    }

    fn decode(self, bytes: &[u8], order: Order) -> Vec<f64> {
        match self {
            Self::Bool => elements(bytes, order, |[b]: [u8; 1]| f64::from(u8::from(b != 0))),
            Self::U8 => elements(bytes, order, |[b]: [u8; 1]| f64::from(b)),
            Self::I8 => elements(bytes, order, |b| f64::from(i8::from_le_bytes(b))),
            Self::U16 => elements(bytes, order, |b| f64::from(u16::from_le_bytes(b))),
            Self::I16 => elements(bytes, order, |b| f64::from(i16::from_le_bytes(b))),
            Self::U32 => elements(bytes, order, |b| f64::from(u32::from_le_bytes(b))),
            Self::I32 => elements(bytes, order, |b| f64::from(i32::from_le_bytes(b))),
            Self::U64 => elements(bytes, order, |b| u64::from_le_bytes(b) as f64),
            Self::I64 => elements(bytes, order, |b| i64::from_le_bytes(b) as f64),
            Self::F16 => elements(bytes, order, |b| f64::from(half::f16::from_le_bytes(b))),
            Self::Bf16 => elements(bytes, order, |b| f64::from(half::bf16::from_le_bytes(b))),
            Self::F32 => elements(bytes, order, |b| f64::from(f32::from_le_bytes(b))),
            Self::F64 => elements(bytes, order, f64::from_le_bytes),
        }
    }
}

/// Each group of `N` bytes, little-endian, through `value`.
fn elements<const N: usize>(bytes: &[u8], order: Order, value: impl Fn([u8; N]) -> f64) -> Vec<f64> {
    let (groups, _) = bytes.as_chunks::<N>();
    let little = |mut group: [u8; N]| {
        if order == Order::Big {
            group.reverse();
        }
        group
    };
    groups.iter().map(|group| value(little(*group))).collect()
}

impl Stored {
    /// Bytes that the header promises.
    pub(super) fn bytes(&self) -> Result<usize, Fault> {
        if self.shape.len() > MOST_AXES {
            return Err(Fault::new(format!("the array has {} axes, at most {MOST_AXES} are read", self.shape.len())));
        }
        let too_large = || Fault::new(format!("shape {:?} has more than {MOST_VALUES} values", self.shape));
        // An axis of length 0 does not excuse the others: a product over them must stay representable.
        let extent = self.shape.iter().try_fold(1usize, |product, &axis| product.checked_mul(axis.max(1))).ok_or_else(too_large)?;
        if extent > MOST_VALUES {
            return Err(too_large());
        }
        let count: usize = self.shape.iter().product();
        count.checked_mul(self.element.size()).ok_or_else(too_large)
    }

    /// The array, if `bytes` are just what the header promises.
    pub(super) fn array(&self, bytes: &[u8]) -> Result<Raw, Fault> {
        let promised = self.bytes()?;
        if bytes.len() != promised {
            let (shape, got) = (&self.shape, bytes.len());
            let state = if got < promised { "it is truncated" } else { "something follows the array" };
            return Err(Fault::new(format!("shape {shape:?} takes {promised} bytes, the file holds {got}: {state}")));
        }
        let values = self.element.decode(bytes, self.order);
        if matches!(self.element, Element::U64 | Element::I64)
            && let Some(at) = values.iter().position(|x| x.abs() >= INEXACT)
        {
            return Err(Fault::new(format!("element {at} is an integer of 2^53 or more, which a 64-bit float cannot hold exactly")));
        }
        let shape = IxDyn(&self.shape);
        let array = match self.layout {
            Layout::Last => ArrayD::from_shape_vec(shape, values),
            Layout::First => ArrayD::from_shape_vec(shape.f(), values).map(|a| a.as_standard_layout().into_owned()),
        };
        let values = array.map_err(|e| Fault::new(format!("shape {:?}: {e}", self.shape)))?;
        Ok(Raw { values, integer: self.element.is_integer() })
    }
}
