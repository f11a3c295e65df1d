//! Row axes: what a value varies over beside its own item.

/// The name of a row axis within one graph.
///
/// [`Axis::SAMPLE`] is the batch of points; every other axis is made fresh by the graph that needs it (a bundle of
/// tangents, of probes) and has a fixed size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Axis(pub(crate) u8);

impl Axis {
    /// The samples: the only axis whose size is known at run time only.
    pub const SAMPLE: Self = Self(0);

    /// Position in [`crate::Graph::axes`], and in the order in which rows are laid out in memory.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A set of row axes. In memory a value is `[rows in axis order.., item..]`, so `sample` is outermost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Rows(u64);

impl Rows {
    /// Varies over nothing: a weight.
    pub const NONE: Self = Self(0);
    /// Varies over samples.
    pub const SAMPLE: Self = Self(1);

    /// Varies over one axis.
    pub fn of(axis: Axis) -> Self {
        Self(1 << axis.0)
    }

    /// Whether `axis` is in the set.
    pub fn contains(self, axis: Axis) -> bool {
        self.0 >> axis.0 & 1 == 1
    }

    /// Whether the set is empty.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many axes there are.
    pub fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// The axes in memory order.
    pub fn iter(self) -> impl Iterator<Item = Axis> {
        (0..64).filter(move |i| self.0 >> i & 1 == 1).map(Axis)
    }

    /// Axes in either set.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Axes in this set that are not in `other`.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Axes in both sets.
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}
