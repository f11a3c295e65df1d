//! A tree of depth three as a heap: the children of node i are 2i + 1 and 2i + 2.

/// Levels of splits.
pub const DEPTH: usize = 3;
/// Nodes that may split.
pub const INNER: usize = (1 << DEPTH) - 1;
/// Leaves of a full tree.
const LEAVES: usize = 1 << DEPTH;
/// Rows that are looked up at once.
const BLOCK: usize = 256;

/// A tree. A node that does not split sends every row to its left.
#[derive(Debug, Clone)]
pub struct Tree {
    feature: [u32; INNER],
    threshold: [f32; INNER],
    leaves: [f64; LEAVES],
}

impl Tree {
    pub(super) fn new() -> Self {
        Self { feature: [0; INNER], threshold: [f32::INFINITY; INNER], leaves: [0.0; LEAVES] }
    }

    /// Rows whose feature is above the threshold go right. Gives the threshold among the feature's own numbers.
    pub(super) fn split(&mut self, node: usize, feature: usize, threshold: f64) -> f32 {
        let rounded = threshold as f32;
        let below = if f64::from(rounded) > threshold { rounded.next_down() } else { rounded };
        self.feature[node] = feature as u32;
        self.threshold[node] = below;
        below
    }

    /// Sets what the rows of a node without further splits get.
    pub(super) fn set(&mut self, node: usize, value: f64) {
        let mut node = node;
        while node < INNER {
            node = 2 * node + 1;
        }
        self.leaves[node - INNER] = value;
    }

    /// Adds the value of every row's leaf.
    pub(super) fn add_to(&self, columns: &[Vec<f32>], scores: &mut [f64]) {
        let x: [&[f32]; INNER] = std::array::from_fn(|node| &columns[self.feature[node] as usize][..scores.len()]);
        let mut place = [0_u32; BLOCK];
        for (block, scores) in scores.chunks_mut(BLOCK).enumerate() {
            let rows = block * BLOCK..block * BLOCK + scores.len();
            let x: [&[f32]; INNER] = std::array::from_fn(|node| &x[node][rows.clone()]);
            let t = &self.threshold;
            for (i, place) in place[..scores.len()].iter_mut().enumerate() {
                let right = |node: usize| u32::from(x[node][i] > t[node]);
                let either = |which: u32, left: u32, right: u32| left ^ (which & (left ^ right));
                let (top, left, right_side) = (right(0), right(1), right(2));
                let low = either(top, either(left, right(3), right(4)), either(right_side, right(5), right(6)));
                *place = 4 * top + 2 * either(top, left, right_side) + low;
            }
            for (score, place) in scores.iter_mut().zip(&place) {
                *score += self.leaves[*place as usize % LEAVES];
            }
        }
    }
}

/// Midway between two neighbouring values, or the lower one where rounding leaves no room.
pub fn midway(low: f32, high: f32) -> f64 {
    let middle = f64::from(low) / 2.0 + f64::from(high) / 2.0;
    if middle >= f64::from(high) || !middle.is_finite() { f64::from(low) } else { middle }
}
