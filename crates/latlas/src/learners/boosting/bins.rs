//! Features cut into 255 quantile bins, and the rows of each bin in their order.

use rayon::prelude::*;

use super::tree::midway;

/// Bins at most.
const BINS: usize = 255;
/// Values closer than this are not told apart.
pub const APART: f32 = 1e-7;

/// A feature cut into bins.
pub struct Feature {
    /// The threshold above each bin but the last.
    pub cuts: Vec<f64>,
    /// Rows in ascending order, equal ones in their own.
    pub order: Vec<u32>,
    /// Where in the order each bin begins, and the end.
    pub starts: Vec<u32>,
}

/// Features cut into bins.
pub struct Bins {
    pub features: Vec<Feature>,
    /// Row after row.
    of_rows: Vec<u8>,
}

impl Bins {
    pub fn new(columns: &[Vec<f32>]) -> Self {
        let features: Vec<Feature> = columns.par_iter().map(|column| Feature::new(column)).collect();
        let mut of_rows = vec![0; columns.first().map_or(0, Vec::len) * columns.len()];
        for (f, feature) in features.iter().enumerate() {
            for (bin, ends) in feature.starts.windows(2).enumerate() {
                for row in &feature.order[ends[0] as usize..ends[1] as usize] {
                    of_rows[*row as usize * columns.len() + f] = bin as u8;
                }
            }
        }
        Self { features, of_rows }
    }

    /// The bin of each feature.
    pub fn row(&self, row: u32) -> &[u8] {
        let width = self.features.len();
        &self.of_rows[row as usize * width..][..width]
    }
}

impl Feature {
    fn new(column: &[f32]) -> Self {
        let n = column.len();
        let mut order: Vec<u32> = (0..n as u32).collect();
        order.sort_unstable_by(|a, b| column[*a as usize].total_cmp(&column[*b as usize]).then(a.cmp(b)));
        let value = |place: usize| column[order[place] as usize];
        // Where a value begins that is apart from the one before.
        let steps: Vec<usize> = (1..n).filter(|i| value(*i) > value(i - 1) + APART).collect();
        let fit = steps.len() < BINS;
        let (mut cuts, mut starts) = (Vec::new(), vec![0]);
        for step in steps {
            let is_due = fit || step * BINS >= (cuts.len() + 1) * n;
            if is_due && cuts.len() < BINS - 1 {
                cuts.push(midway(value(step - 1), value(step)));
                starts.push(step as u32);
            }
        }
        starts.push(n as u32);
        Self { cuts, order, starts }
    }
}
