//! Other sets made from one: shuffled, turned, drawn anew, thinned.

use std::sync::{Arc, OnceLock};

use ndarray::Array2;

use super::ladder::SIZES;
use super::{CodeSet, Part, standardised};
use crate::random::{Purpose, Stream};

/// How dear a score is, which decides how many other sets its null and its interval may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// Counts and sums: 100 sets of up to 10,000 rows.
    Sums,
    /// Fits: a few sets of up to 1,000 rows.
    Fits,
    /// Batches with a factor held fixed: a few sets, an error of its own.
    Batches,
}

/// Sets for scores made of sums.
const SUMS: usize = 100;
/// Codes that such a set holds: 10,000 rows of ten.
const SUMS_SIZE: usize = 100_000;
/// Sets for the null of a learner.
const FITS: usize = 3;
/// Training rows of these, and test rows.
const NULL_ROWS: usize = 500;
/// Thinned sets from which the error of a learner follows.
pub const THINNED: usize = 5;
/// Draws of small training sets.
pub const DRAWS: usize = 10;
/// Rows that a thinned set holds.
pub const FITS_ROWS: usize = 1000;

/// The key of the rows that a family of sets is made from.
const ALL: u64 = 1 << 20;

/// Sets that were made.
#[derive(Debug, Default)]
pub struct Replicates {
    shuffled: [OnceLock<Vec<CodeSet>>; 2],
    turned: [OnceLock<Vec<CodeSet>>; 2],
    scattered: [OnceLock<Vec<CodeSet>>; 2],
    resampled: OnceLock<Vec<CodeSet>>,
    thinned: OnceLock<Vec<CodeSet>>,
    draws: [OnceLock<Vec<CodeSet>>; 3],
}

impl CodeSet {
    /// Sets whose factors are shuffled, each by itself: what chance gives.
    pub fn shuffled(&self, effort: Effort) -> &[CodeSet] {
        self.family(&self.cells.replicates.shuffled, effort, |base, r| {
            let shuffled = |part: &Part, side: u64| {
                let factors = part.factors.iter().zip(0_u64..).map(|(factor, k)| {
                    let index = (r * 2 + side) << 20 | k;
                    factor.select(&Stream::new(self.options.seed, Purpose::Shuffle, index, 1 << 24).order(part.rows()))
                });
                Part { codes: Arc::clone(&part.codes), factors: Arc::new(factors.collect()) }
            };
            let grid = base.grid.as_ref().map(|grid| grid.shuffled(r));
            CodeSet { grid, ..base.with(shuffled(&base.train, 0), shuffled(&base.test, 1)) }
        })
    }

    /// Sets whose codes are shuffled, each by itself: what chance gives of codes alone.
    pub fn scattered(&self) -> &[CodeSet] {
        self.family(&self.cells.replicates.scattered, Effort::Sums, |base, r| {
            let mut codes = (*base.train.codes).clone();
            for (mut column, l) in codes.columns_mut().into_iter().zip(0_u64..) {
                let order = Stream::new(self.options.seed, Purpose::Shuffle, (1 << 30) + (r << 16) + l, 1 << 24).order(column.len());
                let old = column.to_vec();
                column.iter_mut().zip(order).for_each(|(z, i)| *z = old[i]);
            }
            base.with(Part { codes: Arc::new(codes), factors: Arc::clone(&base.train.factors) }, base.test.clone())
        })
    }

    /// Sets whose standardised codes are turned at random: what the basis is worth.
    pub fn turned(&self, effort: Effort) -> &[CodeSet] {
        self.family(&self.cells.replicates.turned, effort, |base, r| base.turned_by(&orthogonal(self.options.seed, r, self.n_codes())))
    }

    /// Sets of rows drawn with replacement.
    pub fn resampled(&self) -> &[CodeSet] {
        self.cells.replicates.resampled.get_or_init(|| {
            let base = self.thinned_for_sums();
            let draw = |part: &Part, index: u64| {
                let mut stream = Stream::new(self.options.seed, Purpose::Rows, index, 1 << 24);
                part.select(&(0..part.rows()).map(|_| stream.below(part.rows())).collect::<Vec<_>>())
            };
            (0..SUMS as u64).map(|r| base.with(draw(&base.train, 2 * r), draw(&base.test, 2 * r + 1))).collect()
        })
    }

    /// Sets of fewer training rows, drawn without replacement, and the same test rows.
    pub fn thinned(&self) -> &[CodeSet] {
        self.cells.replicates.thinned.get_or_init(|| {
            let rows = FITS_ROWS.min(self.train.rows() / 2).max(1);
            (0..THINNED as u64).map(|r| self.thinned_to(rows, r)).collect()
        })
    }

    /// Ten sets of so many training rows, drawn without replacement. Those that the errors of learners need serve again,
    /// though they are five.
    pub fn draws(&self, size: usize) -> &[CodeSet] {
        if size == FITS_ROWS && self.train.rows() >= 2 * FITS_ROWS {
            return self.thinned();
        }
        let cell = &self.cells.replicates.draws[SIZES.iter().position(|s| *s == size).unwrap_or(0).min(2)];
        cell.get_or_init(|| (0..DRAWS as u64).map(|r| self.thinned_to(size, (size as u64) << 24 | r)).collect())
    }

    /// Standardised codes, pair by pair (0 and 1, 2 and 3, …) turned by an angle.
    #[must_use]
    pub fn turned_by_pairs(&self, angle: f64) -> CodeSet {
        self.turned_by(&pair_turn(self.n_codes(), angle))
    }

    /// Standardised codes z as U z.
    #[must_use]
    pub fn turned_by(&self, turn: &Array2<f64>) -> CodeSet {
        let rows = |part: &Part| {
            let codes = standardised(&part.codes, &self.train.codes).dot(&turn.t());
            Part { codes: Arc::new(codes), factors: Arc::clone(&part.factors) }
        };
        let grid = self.grid.as_ref().map(|grid| grid.turned(turn, &self.train.codes));
        CodeSet { grid, ..self.with(rows(&self.train), rows(&self.test)) }
    }

    /// A keyed sample of the training rows, in their own order; the test rows stay.
    #[must_use]
    pub fn thinned_to(&self, rows: usize, key: u64) -> CodeSet {
        let sampled = |part: &Part, rows: usize, key: u64| {
            if rows >= part.rows() {
                return part.clone();
            }
            let order = Stream::new(self.options.seed, Purpose::Rows, key | 1 << 40, 1 << 24).order(part.rows());
            let mut chosen = order[..rows].to_vec();
            chosen.sort_unstable();
            part.select(&chosen)
        };
        self.with(sampled(&self.train, rows, key), self.test.clone())
    }

    /// The same with at most so many test rows, a keyed sample.
    #[must_use]
    pub fn tests_thinned_to(&self, rows: usize) -> CodeSet {
        let swapped = self.with(self.test.clone(), self.train.clone()).thinned_to(rows, 1 << 22);
        self.with(self.train.clone(), swapped.train)
    }

    /// No more training rows than the sets for sums hold.
    #[must_use]
    pub fn thinned_for_sums(&self) -> CodeSet {
        self.thinned_to(self.most_rows(Effort::Sums), ALL)
    }

    fn most_rows(&self, effort: Effort) -> usize {
        match effort {
            Effort::Sums => SUMS_SIZE / self.n_codes().max(10),
            _ => NULL_ROWS,
        }
    }

    fn family<'a>(&self, cells: &'a [OnceLock<Vec<CodeSet>>; 2], effort: Effort, make: impl Fn(&CodeSet, u64) -> CodeSet) -> &'a [CodeSet] {
        let (cell, count) = match effort {
            Effort::Sums => (&cells[0], SUMS),
            _ => (&cells[1], FITS),
        };
        cell.get_or_init(|| {
            let rows = self.most_rows(effort);
            let base = self.thinned_to(rows, ALL).tests_thinned_to(rows);
            (0..count as u64).map(|r| make(&base, r)).collect()
        })
    }
}

/// The angles of an attack: 0°, 5°, …, 45° in radians.
pub const ATTACK_ANGLES: [f64; 10] = {
    let mut angles = [0.0; 10];
    let mut i = 0;
    while i < angles.len() {
        angles[i] = i as f64 * std::f64::consts::PI / 36.0;
        i += 1;
    }
    angles
};

/// Turns coordinates 0 and 1, 2 and 3, … by an angle.
pub fn pair_turn(l: usize, angle: f64) -> Array2<f64> {
    let (sin, cos) = angle.sin_cos();
    let mut turn = Array2::eye(l);
    for a in (0..l.saturating_sub(1)).step_by(2) {
        (turn[[a, a]], turn[[a, a + 1]], turn[[a + 1, a]], turn[[a + 1, a + 1]]) = (cos, -sin, sin, cos);
    }
    turn
}

/// A random orthogonal matrix, uniform over all of them: a matrix of normals made orthogonal row by row (Stewart 1980).
pub fn orthogonal(seed: u64, index: u64, l: usize) -> Array2<f64> {
    let mut stream = Stream::new(seed, Purpose::Turn, index, 1 << 24);
    let mut turn = Array2::from_shape_simple_fn((l, l), || stream.normal());
    for a in 0..l {
        // Twice is enough for rounding.
        for _ in 0..2 {
            for b in 0..a {
                let share = turn.row(a).dot(&turn.row(b));
                let other = turn.row(b).to_owned();
                turn.row_mut(a).scaled_add(-share, &other);
            }
        }
        let length = turn.row(a).dot(&turn.row(a)).sqrt();
        turn.row_mut(a).mapv_inplace(|x| x / length);
    }
    turn
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes::tests::set;
    use crate::settings::Preset;

    #[test]
    fn random_turns_are_orthogonal() {
        let turn = orthogonal(1, 2, 7);
        let gram = turn.dot(&turn.t());
        assert!(gram.indexed_iter().all(|((a, b), x)| (x - f64::from(u8::from(a == b))).abs() < 1e-14));
    }

    #[test]
    fn other_sets_keep_what_they_should() {
        let codes = Array2::from_shape_fn((300, 2), |(i, l)| ((i * (3 + l)) % 17) as f64);
        let factors = Array2::from_shape_fn((300, 1), |(i, _)| (i % 5) as f64);
        let set = set(codes, factors, Preset::Latlas);
        let shuffled = &set.shuffled(Effort::Sums)[0];
        assert_eq!(shuffled.train.codes, set.train.codes);
        let sorted = |part: &Part| {
            let mut labels = part.factors[0].index.clone();
            labels.sort_unstable();
            labels
        };
        assert!(shuffled.train.factors[0] != set.train.factors[0] && sorted(&shuffled.train) == sorted(&set.train));
        assert_eq!(set.shuffled(Effort::Sums).len(), SUMS);
        assert_eq!(set.thinned()[3].train.rows(), 150);
        let turned = set.turned_by_pairs(0.3);
        let length = |codes: &Array2<f64>, i: usize| codes.row(i).dot(&codes.row(i));
        let scaled = standardised(&set.train.codes, &set.train.codes);
        assert!((0..300).all(|i| (length(&turned.train.codes, i) - length(&scaled, i)).abs() < 1e-12));
    }
}
