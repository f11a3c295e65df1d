//! Constant index maps: most of what is linear is a matter of where a number comes from.

use std::sync::Arc;

/// Where each element of an array of `shape` comes from: a flat source position, or nowhere (0).
///
/// Maps with constant strides (reshape, transpose, slice, expand, flip) are held as strides, others as a table. The form is
/// canonical, so equal maps compare equal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IndexMap {
    shape: Vec<usize>,
    form: Form,
}

/// How an [`IndexMap`] is stored.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Form {
    /// source = offset + Σ position · stride, one stride for each axis of the shape.
    Strided {
        /// Source of the first element.
        offset: usize,
        /// Step of the source along each axis.
        strides: Vec<isize>,
    },
    /// One source an element, [`IndexMap::NOWHERE`] for none.
    Table(Arc<[u32]>),
}

impl IndexMap {
    /// The table entry of an element that has no source.
    pub const NOWHERE: u32 = u32::MAX;
    /// The most elements a map may have; larger ones come from hostile files.
    pub const MAX_ELEMENTS: usize = 1 << 28;

    /// A map with constant strides.
    pub fn strided(shape: &[usize], offset: usize, strides: &[isize]) -> Self {
        debug_assert_eq!(shape.len(), strides.len());
        // The stride of an axis of length one never matters; zero is its canonical value.
        let strides = shape.iter().zip(strides).map(|(&n, &s)| if n <= 1 { 0 } else { s }).collect();
        Self { shape: shape.to_vec(), form: Form::Strided { offset, strides } }
    }

    /// The identity on arrays of `shape`, whatever the source's own shape: a reshape.
    pub fn reshape(shape: &[usize]) -> Self {
        Self::strided(shape, 0, &contiguous(shape))
    }

    /// A map from a table; recognised as strided where it is.
    pub fn table(shape: &[usize], sources: Vec<u32>) -> Self {
        debug_assert_eq!(shape.iter().product::<usize>(), sources.len());
        match recognise(shape, &sources) {
            Some((offset, strides)) => Self::strided(shape, offset, &strides),
            None => Self { shape: shape.to_vec(), form: Form::Table(sources.into()) },
        }
    }

    /// The shape of the array that the map fills.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The number of elements of that array.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether that array is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How the map is stored.
    pub fn form(&self) -> &Form {
        &self.form
    }

    /// Whether this is the identity on `elements` elements: only the shape changes.
    pub fn is_identity(&self, elements: usize) -> bool {
        self.len() == elements
            && matches!(&self.form, Form::Strided { offset: 0, strides } if {
                let wanted = contiguous(&self.shape);
                (0..strides.len()).all(|i| self.shape[i] <= 1 || strides[i] == wanted[i])
            })
    }

    /// All sources in row-major order.
    pub fn sources(&self) -> Vec<u32> {
        match &self.form {
            Form::Table(t) => t.to_vec(),
            Form::Strided { offset, strides } => {
                let mut all = Vec::with_capacity(self.len());
                walk(&self.shape, strides, *offset as isize, &mut all);
                all
            }
        }
    }

    /// First `inner`, then `self`: the source of each element is looked up through both.
    #[must_use]
    pub fn after(&self, inner: &Self) -> Self {
        if self.is_identity(inner.len())
            && let Form::Table(t) = &inner.form
            && recognise(&self.shape, t).is_none()
        {
            return Self { shape: self.shape.clone(), form: Form::Table(t.clone()) };
        }
        let through = inner.sources();
        let sources = self.sources().into_iter();
        Self::table(&self.shape, sources.map(|i| if i == Self::NOWHERE { i } else { through[i as usize] }).collect())
    }

    /// Whether some element has no source.
    pub fn has_nowhere(&self) -> bool {
        matches!(&self.form, Form::Table(table) if table.contains(&Self::NOWHERE))
    }

    /// Whether no source, of `elements` that there are, is used twice.
    pub fn is_injective(&self, elements: usize) -> bool {
        if let Form::Strided { strides, .. } = &self.form
            && self.shape.iter().zip(strides).any(|(&n, &stride)| n > 1 && stride == 0)
        {
            return false;
        }
        let mut seen = vec![false; elements];
        self.sources().into_iter().filter(|&i| i != Self::NOWHERE).all(|i| !std::mem::replace(&mut seen[i as usize], true))
    }

    /// For an injective map from a source of `shape`: the map back, so that scattering through `self` is gathering
    /// through the result.
    #[must_use]
    pub fn inverse(&self, shape: &[usize]) -> Self {
        let mut back = vec![Self::NOWHERE; shape.iter().product()];
        for (element, source) in self.sources().into_iter().enumerate() {
            if source != Self::NOWHERE {
                back[source as usize] = element as u32;
            }
        }
        Self::table(shape, back)
    }
}

/// Row-major strides of a shape.
pub fn contiguous(shape: &[usize]) -> Vec<isize> {
    let mut strides = vec![0; shape.len()];
    let mut step = 1;
    for (stride, &n) in strides.iter_mut().zip(shape).rev() {
        *stride = step;
        step *= n.max(1) as isize;
    }
    strides
}

/// Counts a position up in row-major order.
pub(crate) fn next(at: &mut [usize], sizes: &[usize]) {
    for (i, &n) in at.iter_mut().zip(sizes).rev() {
        *i += 1;
        if *i < n {
            return;
        }
        *i = 0;
    }
}

fn walk(shape: &[usize], strides: &[isize], base: isize, all: &mut Vec<u32>) {
    match (shape, strides) {
        ([], _) => all.push(base as u32),
        ([n, shape @ ..], [s, strides @ ..]) => (0..*n as isize).for_each(|i| walk(shape, strides, base + i * s, all)),
        _ => {}
    }
}

/// The offset and strides that reproduce a table, if there are any.
fn recognise(shape: &[usize], sources: &[u32]) -> Option<(usize, Vec<isize>)> {
    let (&first, steps) = (sources.first()?, contiguous(shape));
    let step = |(&n, &at): (&usize, &isize)| if n <= 1 { 0 } else { sources[at as usize] as isize - first as isize };
    let strides: Vec<isize> = shape.iter().zip(&steps).map(step).collect();
    let mut rebuilt = Vec::with_capacity(sources.len());
    if sources.contains(&IndexMap::NOWHERE) {
        return None;
    }
    walk(shape, &strides, first as isize, &mut rebuilt);
    (rebuilt == sources).then_some((first as usize, strides))
}
