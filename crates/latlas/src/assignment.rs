//! The linear assignment problem: which row goes with which column so that the total is largest.

use ndarray::ArrayView2;

/// For each row the column that it is matched with, so that the sum of matched entries is largest; every column is used at
/// most once, and min(rows, columns) rows are matched. Entries that are not finite count as 0.
///
/// The Hungarian method with potentials and shortest augmenting paths (Kuhn 1955, Munkres 1957, Jonker and Volgenant 1987),
/// O(rows² · columns).
pub fn largest_matching(weights: ArrayView2<'_, f64>) -> Vec<Option<usize>> {
    let (rows, columns) = weights.dim();
    if rows > columns {
        let by_column = largest_matching(weights.t());
        let mut by_row = vec![None; rows];
        for (column, row) in by_column.into_iter().enumerate() {
            if let Some(row) = row {
                by_row[row] = Some(column);
            }
        }
        return by_row;
    }
    let cost = |i: usize, j: usize| if weights[[i, j]].is_finite() { -weights[[i, j]] } else { 0.0 };
    // Row and column 0 are the start of every path; real ones count from 1.
    let (mut of_row, mut of_column) = (vec![0.0; rows + 1], vec![0.0; columns + 1]);
    let mut matched = vec![0; columns + 1];
    for row in 1..=rows {
        matched[0] = row;
        let mut column = 0;
        let mut slack = vec![f64::INFINITY; columns + 1];
        let mut before = vec![0; columns + 1];
        let mut done = vec![false; columns + 1];
        while matched[column] != 0 {
            done[column] = true;
            let (from, mut least, mut next) = (matched[column], f64::INFINITY, 0);
            for j in (1..=columns).filter(|j| !done[*j]) {
                let reduced = cost(from - 1, j - 1) - of_row[from] - of_column[j];
                if reduced < slack[j] {
                    slack[j] = reduced;
                    before[j] = column;
                }
                if slack[j] < least {
                    least = slack[j];
                    next = j;
                }
            }
            for j in 0..=columns {
                if done[j] {
                    of_row[matched[j]] += least;
                    of_column[j] -= least;
                } else {
                    slack[j] -= least;
                }
            }
            column = next;
        }
        while column != 0 {
            matched[column] = matched[before[column]];
            column = before[column];
        }
    }
    let mut by_row = vec![None; rows];
    for (column, row) in matched.iter().enumerate().skip(1).filter(|(_, row)| **row > 0) {
        by_row[row - 1] = Some(column - 1);
    }
    by_row
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Stream};
    use ndarray::Array2;

    fn total(weights: &Array2<f64>, matching: &[Option<usize>]) -> f64 {
        matching.iter().enumerate().filter_map(|(i, j)| j.map(|j| weights[[i, j]])).sum()
    }

    /// By trying everything.
    fn best(weights: &Array2<f64>, row: usize, used: &mut Vec<bool>) -> f64 {
        if row == weights.nrows() {
            return 0.0;
        }
        let mut largest = f64::NEG_INFINITY;
        for j in 0..weights.ncols() {
            if !used[j] {
                used[j] = true;
                largest = largest.max(weights[[row, j]] + best(weights, row + 1, used));
                used[j] = false;
            }
        }
        largest
    }

    #[test]
    fn no_other_matching_is_larger() {
        let mut stream = Stream::new(1, Purpose::Directions, 0, 1);
        for (rows, columns) in [(1, 1), (3, 3), (5, 5), (4, 7), (6, 6)] {
            for _ in 0..20 {
                let weights = Array2::from_shape_simple_fn((rows, columns), || stream.uniform());
                let matching = largest_matching(weights.view());
                let expected = best(&weights, 0, &mut vec![false; columns]);
                assert!((total(&weights, &matching) - expected).abs() < 1e-12);
                let transposed = weights.t().to_owned();
                let other_way = largest_matching(transposed.view());
                assert_eq!(other_way.iter().flatten().count(), rows);
                assert!((total(&transposed, &other_way) - expected).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn a_permutation_is_found() {
        let mut weights = Array2::from_elem((40, 40), 0.1);
        (0..40).for_each(|i| weights[[i, (7 * i + 3) % 40]] = 0.9);
        weights[[0, 0]] = f64::NAN;
        assert!(largest_matching(weights.view()).iter().enumerate().all(|(i, j)| *j == Some((7 * i + 3) % 40)));
        assert_eq!(largest_matching(Array2::zeros((0, 3)).view()), vec![]);
        assert_eq!(largest_matching(Array2::zeros((2, 0)).view()), vec![None, None]);
    }
}
