//! The grouped jackknife (Quenouille 1949, Tukey 1958): means of fixed groups of samples, and what a function of the means
//! becomes with each group left out.

use serde::{Deserialize, Serialize};

use super::Means;
use crate::special_functions::student_quantile;

/// Means of rows in [`Groups::COUNT`] groups; sample i belongs to group i mod 20.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Groups(Vec<Means>);

/// Some values from all samples and their standard errors.
#[derive(Debug, Clone, PartialEq)]
pub struct Jackknife {
    /// From all samples.
    pub values: Vec<f64>,
    /// NaN where fewer than two groups have samples.
    pub errors: Vec<f64>,
    /// Groups with samples.
    pub groups: usize,
}

impl Groups {
    /// How many groups there are.
    pub const COUNT: usize = 20;

    /// One more sample; NaN entries of its row are missing.
    pub fn push(&mut self, index: u64, row: &[f64]) {
        self.0.resize(Self::COUNT, Means::default());
        self.0[(index % Self::COUNT as u64) as usize].push(row);
    }

    /// All samples of another.
    pub fn merge(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), Means::default());
        }
        self.0.iter_mut().zip(&other.0).for_each(|(a, b)| a.merge(b));
    }

    /// `of` takes the means of all entries of the rows and gives some values.
    pub fn jackknife(&self, of: impl Fn(&[f64]) -> Vec<f64>) -> Jackknife {
        let width = self.0.iter().map(Means::len).max().unwrap_or(0);
        let mut all = Means::default();
        self.0.iter().for_each(|group| all.merge(group));
        let mean = |left_out: Option<&Means>| -> Vec<f64> {
            let of = |i: usize| {
                let (n, m) = (all.count(i) as f64, left_out.map_or(0, |group| group.count(i)) as f64);
                match left_out {
                    Some(group) if m > 0.0 => (n * all.get(i) - m * group.get(i)) / (n - m),
                    _ => all.get(i),
                }
            };
            (0..width).map(of).collect()
        };
        let values = of(&mean(None));
        let parts: Vec<Vec<f64>> = self.0.iter().filter(|group| !group.is_empty()).map(|group| of(&mean(Some(group)))).collect();
        let groups = parts.len();
        let error = |k: usize| {
            let g = groups as f64;
            let entries = || parts.iter().map(|part| part.get(k).copied().unwrap_or(f64::NAN));
            let centre = entries().sum::<f64>() / g;
            if groups < 2 { f64::NAN } else { ((g - 1.0) / g * entries().map(|x| (x - centre).powi(2)).sum::<f64>()).sqrt() }
        };
        Jackknife { errors: (0..values.len()).map(error).collect(), values, groups }
    }
}

impl Jackknife {
    /// Student's interval of value k.
    pub fn interval(&self, k: usize, level: f64) -> (f64, f64) {
        if self.groups < 2 {
            return (f64::NAN, f64::NAN);
        }
        let half = self.errors[k] * student_quantile(0.5 + 0.5 * level, (self.groups - 1) as f64);
        (self.values[k] - half, self.values[k] + half)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Moments;
    use super::*;

    #[test]
    fn the_mean_has_its_standard_error() {
        let (mut groups, mut moments) = (Groups::default(), Moments::default());
        for i in 0..2000_u64 {
            let row = [(i as f64 * 1.7).sin(), 3.0];
            groups.push(i, &row);
            moments.push(&row);
        }
        let found = groups.jackknife(<[f64]>::to_vec);
        let plain = moments.get(0).standard_error().unwrap_or(f64::NAN);
        assert!((found.values[0] - moments.get(0).mean()).abs() < 1e-14 && found.groups == 20);
        assert!(found.errors[0] < 2.0 * plain && found.errors[1] < 1e-14);
        // The variance of a square, by the delta method.
        let square = groups.jackknife(|means| vec![means[1] * means[1]]);
        assert!((square.values[0] - 9.0).abs() < 1e-12);
    }

    #[test]
    fn few_groups_have_no_error() {
        let mut groups = Groups::default();
        groups.push(7, &[1.0]);
        let found = groups.jackknife(<[f64]>::to_vec);
        assert!(found.values == [1.0] && found.errors[0].is_nan() && found.interval(0, 0.95).0.is_nan());
        assert!(Groups::default().jackknife(<[f64]>::to_vec).values.is_empty());
    }
}
