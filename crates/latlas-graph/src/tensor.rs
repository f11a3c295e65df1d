//! Constant arrays: weights, seeds and folded values, kept in the type they were stored in.

use std::sync::Arc;

/// A dense row-major array of constants, shared and immutable.
///
/// Elements stay in their stored type (a memory-mapped `f32` weight is not copied) and are widened when they are read.
#[derive(Clone)]
pub struct Tensor {
    dims: Vec<usize>,
    data: Data,
}

/// The storage behind a [`Tensor`].
#[derive(Clone)]
pub enum Data {
    /// Double precision values: folded results, widened integers, masks (0 and 1).
    F64(Arc<[f64]>),
    /// Single precision values.
    F32(Arc<[f32]>),
    /// Little-endian `f32` bytes that live elsewhere, such as in a mapped file.
    Mapped(Arc<dyn AsRef<[u8]> + Send + Sync>, std::ops::Range<usize>),
    /// One value, so many times.
    Uniform(f64, usize),
}

impl Tensor {
    /// A tensor of double precision values; `dims` multiply to `values.len()`.
    pub fn new(dims: impl Into<Vec<usize>>, values: impl Into<Arc<[f64]>>) -> Self {
        let (dims, values) = (dims.into(), values.into());
        debug_assert_eq!(dims.iter().product::<usize>(), values.len());
        Self { dims, data: Data::F64(values) }
    }

    /// A tensor over given storage; `dims` multiply to the number of stored elements.
    pub fn from_data(dims: impl Into<Vec<usize>>, data: Data) -> Self {
        let dims = dims.into();
        debug_assert_eq!(dims.iter().product::<usize>(), data.len());
        Self { dims, data }
    }

    /// A single number.
    pub fn scalar(value: f64) -> Self {
        Self::new([], [value])
    }

    /// `dims` filled with one value.
    pub fn filled(dims: &[usize], value: f64) -> Self {
        Self::from_data(dims, Data::Uniform(value, dims.iter().product()))
    }

    /// The size along each axis.
    pub fn dims(&self) -> &[usize] {
        &self.dims
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        self.data.len()
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The storage.
    pub fn data(&self) -> &Data {
        &self.data
    }

    /// The same elements under other dimensions (with the same product).
    #[must_use]
    pub fn reshaped(&self, dims: impl Into<Vec<usize>>) -> Self {
        Self::from_data(dims, self.data.clone())
    }

    /// Element `i` in row-major order, widened.
    pub fn at(&self, i: usize) -> f64 {
        match &self.data {
            Data::F64(v) => v[i],
            Data::F32(v) => f64::from(v[i]),
            Data::Mapped(bytes, range) => f64::from(read_f32(&(**bytes).as_ref()[range.clone()], i)),
            Data::Uniform(value, _) => *value,
        }
    }

    /// All elements, widened.
    pub fn to_f64(&self) -> Vec<f64> {
        self.map(|x| x)
    }

    /// A function of every element, widened.
    pub fn map<V>(&self, of: impl Fn(f64) -> V) -> Vec<V> {
        match &self.data {
            Data::F64(v) => v.iter().map(|x| of(*x)).collect(),
            Data::F32(v) => v.iter().map(|x| of(f64::from(*x))).collect(),
            Data::Mapped(bytes, range) => {
                let words = (**bytes).as_ref()[range.clone()].as_chunks::<4>().0;
                words.iter().map(|word| of(f64::from(f32::from_le_bytes(*word)))).collect()
            }
            Data::Uniform(value, n) => (0..*n).map(|_| of(*value)).collect(),
        }
    }

    /// The value that all elements have, if they all have the same bits.
    pub fn uniform(&self) -> Option<f64> {
        let first = if self.is_empty() { return None } else { self.at(0) };
        let all = matches!(self.data, Data::Uniform(..)) || (1..self.len()).all(|i| self.at(i).to_bits() == first.to_bits());
        all.then_some(first)
    }
}

impl Data {
    /// Whether both are the same elements at the same place.
    fn is_same_memory(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::F64(a), Self::F64(b)) => Arc::ptr_eq(a, b),
            (Self::F32(a), Self::F32(b)) => Arc::ptr_eq(a, b),
            (Self::Mapped(a, range), Self::Mapped(b, other)) => Arc::as_ptr(a).addr() == Arc::as_ptr(b).addr() && range == other,
            _ => false,
        }
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        match self {
            Self::F64(v) => v.len(),
            Self::F32(v) => v.len(),
            Self::Mapped(_, range) => range.len() / 4,
            Self::Uniform(_, n) => *n,
        }
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn read_f32(bytes: &[u8], i: usize) -> f32 {
    let mut word = [0; 4];
    word.copy_from_slice(&bytes[4 * i..4 * i + 4]);
    f32::from_le_bytes(word)
}

impl std::fmt::Debug for Tensor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tensor{:?}", self.dims)?;
        if self.len() <= 8 { write!(f, "{:?}", self.to_f64()) } else { Ok(()) }
    }
}

/// Equal dimensions and equal values, NaN equal to itself: two constants that may be merged.
impl PartialEq for Tensor {
    fn eq(&self, other: &Self) -> bool {
        if self.dims != other.dims || self.data.is_same_memory(&other.data) {
            return self.dims == other.dims;
        }
        match (&self.data, &other.data) {
            (Data::F64(a), Data::F64(b)) => a.iter().zip(b.iter()).all(|(a, b)| a.to_bits() == b.to_bits()),
            (Data::Uniform(a, _), Data::Uniform(b, _)) => self.is_empty() || a.to_bits() == b.to_bits(),
            _ => (0..self.len()).all(|i| self.at(i).to_bits() == other.at(i).to_bits()),
        }
    }
}
