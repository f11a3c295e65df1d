//! Splits between 255 quantile bins. Of two siblings the smaller one is counted, the other is what remains of their parent.

use super::tree::{DEPTH, Grown, Leaf, Node, Split, Tree, midway};

/// Bins at most.
const BINS: usize = 255;

/// Features cut into bins.
pub struct Binned {
    features: usize,
    /// Row after row.
    bins: Vec<u8>,
    /// The threshold above each bin but the last, feature after feature.
    thresholds: Vec<Vec<f64>>,
    /// 1/n for every number of rows: a look-up costs less than a division.
    inverses: Vec<f64>,
}

impl Binned {
    pub fn new(columns: &[Vec<f32>], sorted: &[Vec<u32>]) -> Self {
        let (features, n) = (columns.len(), columns.first().map_or(0, Vec::len));
        let mut bins = vec![0; features * n];
        let mut thresholds = Vec::new();
        for (f, (column, order)) in columns.iter().zip(sorted).enumerate() {
            // Runs of equal values: the value and how many rows have it.
            let mut runs: Vec<(f32, usize)> = Vec::new();
            for row in order {
                let x = column[*row as usize];
                match runs.last_mut() {
                    // Counted from the first of a run, as the exact builder does from neighbour to neighbour.
                    Some((last, count)) if x <= *last + 1e-7 => (*last, *count) = (x, *count + 1),
                    _ => runs.push((x, 1)),
                }
            }
            let mut cuts: Vec<f64> = Vec::new();
            let mut below = 0;
            for pair in runs.windows(2) {
                below += pair[0].1;
                let is_due = runs.len() <= BINS || below * BINS >= (cuts.len() + 1) * n;
                if is_due && cuts.len() < BINS - 1 {
                    cuts.push(midway(pair[0].0, pair[1].0));
                }
            }
            for (i, x) in column.iter().enumerate() {
                bins[i * features + f] = cuts.partition_point(|cut| f64::from(*x) > *cut) as u8;
            }
            thresholds.push(cuts);
        }
        Self { features, bins, thresholds, inverses: (0..=n).map(|n| 1.0 / n as f64).collect() }
    }

    fn row(&self, i: u32) -> &[u8] {
        &self.bins[i as usize * self.features..][..self.features]
    }
}

/// Sum of residuals and number of rows in each bin of each feature.
type Histogram = Vec<[[f64; 2]; 256]>;

/// A node that may split.
struct Open {
    node: usize,
    rows: Vec<u32>,
    histogram: Histogram,
}

pub fn grow(binned: &Binned, residuals: &[f64], leaf: Leaf) -> Grown {
    let n = residuals.len();
    let mut tree = Tree::new();
    let mut leaf_of = vec![0_u8; n];
    let mut gains = Vec::new();
    let rows: Vec<u32> = (0..n as u32).collect();
    let mut open = vec![Open { node: 0, histogram: count(binned, residuals, &rows), rows }];
    for level in 0..DEPTH {
        let mut next = Vec::new();
        for parent in open {
            let mut sums = Node::default();
            parent.rows.iter().for_each(|i| sums.push(residuals[*i as usize]));
            let split = if sums.is_impure() { search(binned, &parent.histogram, &sums) } else { Split::NONE };
            if !split.is_some() {
                continue;
            }
            tree.split(parent.node, &split);
            gains.push((split.feature, (split.score - sums.sum * sums.sum / sums.n) / n as f64));
            let (left, right) = divided(binned, &parent.rows, &split);
            let children = (2 * parent.node + 1, 2 * parent.node + 2);
            left.iter().for_each(|i| leaf_of[*i as usize] = children.0 as u8);
            right.iter().for_each(|i| leaf_of[*i as usize] = children.1 as u8);
            if level + 1 == DEPTH {
                continue;
            }
            let is_left_smaller = left.len() <= right.len();
            let small = count(binned, residuals, if is_left_smaller { &left } else { &right });
            let mut large = parent.histogram;
            for (large, small) in large.iter_mut().flatten().zip(small.iter().flatten()) {
                *large = [large[0] - small[0], large[1] - small[1]];
            }
            let (a, b) = if is_left_smaller { (small, large) } else { (large, small) };
            next.push(Open { node: children.0, rows: left, histogram: a });
            next.push(Open { node: children.1, rows: right, histogram: b });
        }
        open = next;
    }
    tree.set_leaves(&leaf_of, residuals, leaf);
    Grown { tree, leaf_of, gains }
}

/// The rows to both sides of a split, in their own order.
fn divided(binned: &Binned, rows: &[u32], split: &Split) -> (Vec<u32>, Vec<u32>) {
    let (mut left, mut right) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
    for i in rows {
        let side = if usize::from(binned.row(*i)[split.feature]) <= split.bin { &mut left } else { &mut right };
        side.push(*i);
    }
    (left, right)
}

fn count(binned: &Binned, residuals: &[f64], rows: &[u32]) -> Histogram {
    let mut histogram = vec![[[0.0; 2]; 256]; binned.features];
    for i in rows {
        let r = residuals[*i as usize];
        for (feature, bin) in histogram.iter_mut().zip(binned.row(*i)) {
            let entry = &mut feature[usize::from(*bin)];
            entry[0] += r;
            entry[1] += 1.0;
        }
    }
    histogram
}

fn search(binned: &Binned, histogram: &Histogram, node: &Node) -> Split {
    let mut best = Split::NONE;
    for (feature, (counts, thresholds)) in histogram.iter().zip(&binned.thresholds).enumerate() {
        let (mut n, mut sum) = (0.0, 0.0);
        for (bin, (threshold, [part, rows])) in thresholds.iter().zip(counts).enumerate() {
            // A bin without rows of this node does not move the split.
            if *rows == 0.0 {
                continue;
            }
            sum += part;
            n += rows;
            if n >= node.n {
                break;
            }
            let rest = node.sum - sum;
            let score = sum * sum * binned.inverses[n as usize] + rest * rest * binned.inverses[(node.n - n) as usize];
            if score > best.score {
                best = Split { feature, threshold: *threshold, bin, score };
            }
        }
    }
    best
}
