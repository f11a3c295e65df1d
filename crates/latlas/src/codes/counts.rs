//! Joint counts of two discrete variables, and the information that they share.
//!
//! ```text
//! I = Σ (c/n) ln(c n/(r s)),   H = −Σ (s/n) ln(s/n)
//! ```
//!
//! Plug-in information is too large by about (occupied cells − rows − columns + 1)/2n, which the correction of Miller and
//! Madow takes off; entropies are too small by (occupied − 1)/2n.

/// Information below this is none.
const NOTHING: f64 = 1e-12;

/// How often a bin and a value came together. Counts of parts of the rows add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JointCounts {
    columns: usize,
    cells: Vec<u32>,
    rows: Vec<u32>,
    values: Vec<u32>,
    n: u32,
}

impl JointCounts {
    /// Of pairs (bin, value) below these sizes.
    pub fn new(pairs: impl Iterator<Item = (usize, usize)>, (rows, columns): (usize, usize)) -> Self {
        let mut counts = Self { columns, cells: vec![0; rows * columns], rows: vec![0; rows], values: vec![0; columns], n: 0 };
        for (row, column) in pairs {
            counts.cells[row * columns + column] += 1;
        }
        for (cell, count) in counts.cells.iter().enumerate() {
            counts.rows[cell / columns] += count;
            counts.values[cell % columns] += count;
            counts.n += count;
        }
        counts
    }

    /// Takes in the counts of further rows of the same shape.
    pub fn merge(&mut self, other: &Self) {
        let add = |a: &mut [u32], b: &[u32]| a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
        add(&mut self.cells, &other.cells);
        add(&mut self.rows, &other.rows);
        add(&mut self.values, &other.values);
        self.n += other.n;
    }

    /// n.
    pub fn n(&self) -> f64 {
        f64::from(self.n)
    }

    /// Plug-in information in nats.
    pub fn information(&self) -> f64 {
        let mut sum = 0.0;
        for (cell, count) in self.cells.iter().enumerate().filter(|(_, count)| **count > 0) {
            let (row, value) = (self.rows[cell / self.columns], self.values[cell % self.columns]);
            let count = f64::from(*count);
            sum += count * (count * self.n() / (f64::from(row) * f64::from(value))).ln();
        }
        let information = if self.n == 0 { 0.0 } else { sum / self.n() };
        if information < NOTHING { 0.0 } else { information }
    }

    /// What plug-in information is expected to be too large by.
    pub fn bias(&self) -> f64 {
        let occupied = |counts: &[u32]| counts.iter().filter(|c| **c > 0).count() as f64;
        (occupied(&self.cells) - occupied(&self.rows) - occupied(&self.values) + 1.0) / (2.0 * self.n())
    }

    /// Information without its expected bias, not below 0.
    pub fn corrected(&self) -> f64 {
        let information = self.information() - self.bias();
        if information < NOTHING { 0.0 } else { information }
    }

    /// Degrees of freedom (bins − 1)(values − 1) of those that occur.
    pub fn freedom(&self) -> f64 {
        let occupied = |counts: &[u32]| counts.iter().filter(|c| **c > 0).count() as f64;
        ((occupied(&self.rows) - 1.0) * (occupied(&self.values) - 1.0)).max(0.0)
    }

    /// Entropy of the bins.
    pub fn row_entropy(&self) -> f64 {
        entropy(&self.rows, self.n())
    }

    /// Entropy of the values.
    pub fn value_entropy(&self) -> f64 {
        entropy(&self.values, self.n())
    }

    /// Values that occur.
    pub fn occupied_values(&self) -> usize {
        self.values.iter().filter(|c| **c > 0).count()
    }

    /// How often a value comes.
    pub fn value_count(&self, value: usize) -> f64 {
        f64::from(self.values[value])
    }

    /// ln(p(row, value)/(p(row) p(value))): what one such pair adds to the information.
    pub fn pointwise(&self, row: usize, value: usize) -> f64 {
        let [c, r, s] = [self.cells[row * self.columns + value], self.rows[row], self.values[value]].map(f64::from);
        (c * self.n() / (r * s)).ln()
    }

    /// The delta-method standard error of plug-in information (n in the denominator).
    pub fn information_error(&self) -> f64 {
        let information = self.information();
        let mut squares = 0.0;
        for (cell, count) in self.cells.iter().enumerate().filter(|(_, count)| **count > 0) {
            let influence = self.pointwise(cell / self.columns, cell % self.columns) - information;
            squares += f64::from(*count) * influence * influence;
        }
        squares.sqrt() / self.n()
    }
}

/// −Σ (c/n) ln(c/n).
fn entropy(counts: &[u32], n: f64) -> f64 {
    let sum: f64 = counts.iter().filter(|c| **c > 0).map(|c| f64::from(*c) * (f64::from(*c) / n).ln()).sum();
    if sum == 0.0 || n == 0.0 { 0.0 } else { -sum / n }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> JointCounts {
        let pairs = [(0, 0), (0, 0), (0, 0), (0, 1), (1, 0), (1, 1), (1, 1), (1, 1)];
        JointCounts::new(pairs.into_iter(), (2, 2))
    }

    #[test]
    fn four_cells() {
        let counts = table();
        assert!((counts.information() - 0.130_812).abs() < 1e-6);
        assert!((counts.corrected() - 0.068_312).abs() < 1e-6);
        assert!((counts.information_error() - 0.168_190).abs() < 1e-6);
        assert!((counts.value_entropy() - 2.0_f64.ln()).abs() < 1e-15);
    }

    #[test]
    fn parts_add_up() {
        let mut first = JointCounts::new([(0, 0), (0, 0), (0, 0), (0, 1)].into_iter(), (2, 2));
        first.merge(&JointCounts::new([(1, 0), (1, 1), (1, 1), (1, 1)].into_iter(), (2, 2)));
        assert_eq!(first, table());
    }

    #[test]
    fn independence_is_exactly_nothing() {
        let counts = JointCounts::new((0..60).map(|i| (i % 3, i % 4)), (3, 4));
        assert_eq!((counts.information(), counts.corrected()), (0.0, 0.0));
        assert_eq!(JointCounts::new(std::iter::empty(), (1, 1)).information(), 0.0);
    }
}
