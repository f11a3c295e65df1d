//! A tree of depth three as a heap: the children of node i are 2i + 1 and 2i + 2.

/// Levels of splits.
pub const DEPTH: usize = 3;
/// Nodes of a full tree.
pub const NODES: usize = (1 << (DEPTH + 1)) - 1;
/// Nodes that may split.
pub const INNER: usize = (1 << DEPTH) - 1;
/// A node that does not split.
const END: u32 = u32::MAX;

/// A tree.
#[derive(Debug, Clone)]
pub struct Tree {
    feature: [u32; INNER],
    threshold: [f64; INNER],
    values: [f64; NODES],
}

/// A tree with what is known of it right after growing.
pub struct Grown {
    pub tree: Tree,
    /// The leaf of each training row.
    pub leaf_of: Vec<u8>,
    /// Feature and gain of each split.
    pub gains: Vec<(usize, f64)>,
}

/// How the value of a leaf follows from its rows.
#[derive(Debug, Clone, Copy)]
pub struct Leaf {
    /// (v − 1)/v, or 1 for two classes.
    pub factor: f64,
}

/// The best split of a node so far.
#[derive(Debug, Clone, Copy)]
pub struct Split {
    pub feature: usize,
    /// Where: a threshold, or a bin.
    pub threshold: f64,
    pub bin: usize,
    /// Σ_left²/n_left + Σ_right²/n_right.
    pub score: f64,
}

impl Split {
    pub const NONE: Self = Self { feature: usize::MAX, threshold: 0.0, bin: 0, score: f64::NEG_INFINITY };

    pub fn is_some(&self) -> bool {
        self.feature != usize::MAX
    }
}

/// Rows and sums of residuals of a node.
#[derive(Debug, Clone, Copy, Default)]
pub struct Node {
    pub n: f64,
    pub sum: f64,
    pub squares: f64,
}

impl Node {
    pub fn push(&mut self, r: f64) {
        self.n += 1.0;
        self.sum += r;
        self.squares += r * r;
    }

    /// Whether there is anything to explain.
    pub fn is_impure(&self) -> bool {
        self.n >= 2.0 && self.squares / self.n - (self.sum / self.n).powi(2) > f64::EPSILON
    }
}

impl Tree {
    pub(super) fn new() -> Self {
        Self { feature: [END; INNER], threshold: [0.0; INNER], values: [0.0; NODES] }
    }

    pub(super) fn split(&mut self, node: usize, split: &Split) {
        self.feature[node] = split.feature as u32;
        self.threshold[node] = split.threshold;
    }

    /// Sets the value of each leaf: factor · Σr / Σ|r|(1 − |r|).
    pub(super) fn set_leaves(&mut self, leaf_of: &[u8], residuals: &[f64], leaf: Leaf) {
        let mut sums = [(0.0, 0.0); NODES];
        for (node, r) in leaf_of.iter().zip(residuals) {
            let (sum, weight) = &mut sums[usize::from(*node)];
            *sum += r;
            *weight += r.abs() * (1.0 - r.abs());
        }
        for (value, (sum, weight)) in self.values.iter_mut().zip(sums) {
            *value = if weight.abs() < 1e-150 { 0.0 } else { leaf.factor * sum / weight };
        }
    }

    pub(super) fn value(&self, leaf: u8) -> f64 {
        self.values[usize::from(leaf)]
    }

    /// Adds the rate times the value of every row's leaf.
    pub(super) fn add_to(&self, columns: &[Vec<f32>], rate: f64, scores: &mut [f64]) {
        for (i, score) in scores.iter_mut().enumerate() {
            let mut node = 0;
            while node < INNER && self.feature[node] != END {
                let x = f64::from(columns[self.feature[node] as usize][i]);
                node = 2 * node + 1 + usize::from(x > self.threshold[node]);
            }
            *score += rate * self.values[node];
        }
    }
}

/// Midway between two neighbouring values, or the lower one where rounding leaves no room.
pub fn midway(low: f32, high: f32) -> f64 {
    let middle = f64::from(low) / 2.0 + f64::from(high) / 2.0;
    if middle >= f64::from(high) || !middle.is_finite() { f64::from(low) } else { middle }
}
