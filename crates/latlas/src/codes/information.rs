//! What codes and factors share, from one pass of joint counts.

use rayon::prelude::*;

use super::{BINS, JointCounts, MISSING, Part, equal_width};

/// Values closer than this share count as equal.
const EQUAL: f64 = 1e-9;

/// Joint counts of all codes and factors, and what follows from them.
#[derive(Debug)]
pub struct Information {
    /// The bin of each row for each code.
    pub bins: Vec<Vec<u16>>,
    /// Counts of code l and factor k at `[l][k]`.
    pub tables: Vec<Vec<JointCounts>>,
    /// Plug-in information in nats, `[l][k]`.
    pub plug_in: Vec<Vec<f64>>,
    /// Information without its expected bias, `[l][k]`.
    pub corrected: Vec<Vec<f64>>,
    /// Entropy of each factor by its shares.
    pub entropies: Vec<f64>,
    /// Entropy of each factor without its expected bias.
    pub corrected_entropies: Vec<f64>,
    is_plug_in: bool,
}

/// The largest entry and the second largest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BestTwo {
    /// Place of the largest; the first of equal ones.
    pub best: usize,
    /// Its value.
    pub largest: f64,
    /// Place of the second, where there is one.
    pub runner_up: Option<usize>,
    /// Its value, or 0.
    pub second: f64,
}

impl BestTwo {
    /// Of some values; entries that are equal up to 1e-9 of their size are tied, and the first of them wins.
    pub fn of(values: &[f64]) -> Self {
        let first = |without: Option<usize>| {
            let mut best: Option<usize> = None;
            for i in (0..values.len()).filter(|i| Some(*i) != without) {
                if best.is_none_or(|b| values[i] - values[b] > EQUAL * values[i].abs().max(values[b].abs())) {
                    best = Some(i);
                }
            }
            best
        };
        let best = first(None);
        let runner_up = first(best);
        let value = |i: Option<usize>| i.map_or(0.0, |i| values[i]);
        let (largest, second) = (value(best), value(runner_up));
        // Tied values differ by rounding alone.
        let second = if (largest - second).abs() <= EQUAL * largest.abs().max(second.abs()) { largest } else { second };
        Self { best: best.unwrap_or(0), largest, runner_up, second }
    }

    /// Largest minus second.
    pub fn gap(&self) -> f64 {
        self.largest - self.second
    }
}

impl Information {
    /// Of the rows of a part; plug-in values are used as they are, or corrected ones.
    pub fn new(part: &Part, is_plug_in: bool) -> Self {
        let l = part.codes.ncols();
        let bins: Vec<Vec<u16>> = (0..l).into_par_iter().map(|l| equal_width(&part.code(l), BINS)).collect();
        let table = |bins: &Vec<u16>, k: usize| {
            let factor = &part.factors[k];
            let pairs = bins.iter().zip(&factor.index).filter(|(_, y)| **y != MISSING);
            JointCounts::new(pairs.map(|(b, y)| (usize::from(*b), *y as usize)), (BINS, factor.classes))
        };
        let tables: Vec<Vec<JointCounts>> = bins.par_iter().map(|bins| (0..part.factors.len()).map(|k| table(bins, k)).collect()).collect();
        let each = |of: fn(&JointCounts) -> f64| tables.iter().map(|row| row.iter().map(of).collect()).collect::<Vec<Vec<f64>>>();
        let of_factor = |of: fn(&JointCounts) -> f64| tables.first().map_or_else(Vec::new, |row| row.iter().map(of).collect());
        let miller_madow = |t: &JointCounts| t.value_entropy() + (t.occupied_values().max(1) - 1) as f64 / (2.0 * t.n());
        Self {
            plug_in: each(JointCounts::information),
            corrected: each(JointCounts::corrected),
            entropies: of_factor(JointCounts::value_entropy),
            corrected_entropies: of_factor(miller_madow),
            bins,
            tables,
            is_plug_in,
        }
    }

    /// Information `[l][k]` as the preset means it.
    pub fn matrix(&self) -> &[Vec<f64>] {
        if self.is_plug_in { &self.plug_in } else { &self.corrected }
    }

    /// Entropy of factor k as the preset means it.
    pub fn entropy(&self, k: usize) -> f64 {
        if self.is_plug_in { self.entropies[k] } else { self.corrected_entropies[k] }
    }

    /// What all codes know of factor k.
    pub fn of_factor(&self, k: usize) -> Vec<f64> {
        self.matrix().iter().map(|row| row[k]).collect()
    }

    /// Where the expected bias of a pair exceeds a hundredth of the factor's entropy, or counts are few for the cells: how
    /// many such pairs there are.
    pub fn biased_pairs(&self) -> usize {
        let is_biased = |t: &JointCounts, k: usize| {
            let (rows, values) = (BINS as f64, t.occupied_values() as f64);
            let bias = if self.is_plug_in { t.bias() } else { 0.0 };
            bias > 0.01 * self.entropies[k] || t.n() < 5.0 * rows * values
        };
        self.tables.iter().flat_map(|row| row.iter().enumerate()).filter(|(k, t)| self.entropies[*k] > 0.0 && is_biased(t, *k)).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_go_to_the_first() {
        let best = BestTwo::of(&[0.1, 0.5, 0.5 + 1e-12]);
        assert_eq!((best.best, best.runner_up, best.gap()), (1, Some(2), 0.0));
        assert_eq!(BestTwo::of(&[0.3]), BestTwo { best: 0, largest: 0.3, runner_up: None, second: 0.0 });
        assert_eq!(BestTwo::of(&[0.0, 0.0, 0.2]).second, 0.0);
    }
}
