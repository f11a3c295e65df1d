//! What is made of a matrix of importances, a row for each code and a column for each factor.
//!
//! ```text
//! D = Σ_l w_l (1 − H_K(row l)),   C = Σ_k w_k (1 − H_L(column k))
//! ```
//!
//! Entropies of the normalised rows and columns (each entry raised by 1e-11) in base K and L; weights are the shares of the
//! total, equal where all entries are 0. With one factor or one code there is nothing to be told apart from: the value is 1
//! where anything is important, else 0.

/// What is added to every entry.
const FLOOR: f64 = 1e-11;

/// A weighted mean and what it is the mean of.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregate {
    /// The mean.
    pub value: f64,
    /// One for each row.
    pub parts: Vec<f64>,
    /// Shares of the total.
    pub weights: Vec<f64>,
}

/// Disentanglement: whether every row has one large entry.
pub fn disentanglement(rows: &[Vec<f64>]) -> Aggregate {
    let totals: Vec<f64> = rows.iter().map(|row| row.iter().sum()).collect();
    let all: f64 = totals.iter().sum();
    let weight = |total: &f64| if all == 0.0 { 1.0 / rows.len() as f64 } else { total / all };
    let weights: Vec<f64> = totals.iter().map(weight).collect();
    let parts: Vec<f64> = rows.iter().map(|row| 1.0 - relative_entropy(row)).collect();
    let value = parts.iter().zip(&weights).map(|(p, w)| p * w).sum();
    Aggregate { value, parts, weights }
}

/// Completeness: whether every column has one large entry.
pub fn completeness(rows: &[Vec<f64>]) -> Aggregate {
    disentanglement(&transposed(rows))
}

/// Columns as rows.
pub fn transposed(rows: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let width = rows.first().map_or(0, Vec::len);
    (0..width).map(|k| rows.iter().map(|row| row[k]).collect()).collect()
}

/// Entropy of the shares in base of their number; of a lone one 0 where it is important, else 1.
fn relative_entropy(row: &[f64]) -> f64 {
    if row.len() < 2 {
        return if row.iter().any(|x| *x > 0.0) { 0.0 } else { 1.0 };
    }
    let total: f64 = row.iter().map(|x| x + FLOOR).sum();
    let shares = row.iter().map(|x| (x + FLOOR) / total);
    -shares.map(|p| p * p.ln()).sum::<f64>() / (row.len() as f64).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(rows: &[&[f64]]) -> (f64, f64) {
        let rows: Vec<Vec<f64>> = rows.iter().map(|row| row.to_vec()).collect();
        (disentanglement(&rows).value, completeness(&rows).value)
    }

    fn close(found: (f64, f64), expected: (f64, f64)) {
        assert!((found.0 - expected.0).abs() < 1e-6 && (found.1 - expected.1).abs() < 1e-6, "{found:?} {expected:?}");
    }

    #[test]
    fn small_matrices() {
        close(both(&[&[1.0, 0.0], &[0.0, 0.0], &[0.0, 1.0]]), (1.0, 1.0));
        close(both(&[&[0.5, 0.0], &[0.5, 0.0], &[0.0, 1.0]]), (1.0, 0.684_535));
        close(both(&[&[0.75, 0.0], &[0.0, 0.0], &[0.25, 1.0]]), (0.548_795, 0.744_070));
        close(both(&[&[0.75, 0.0], &[0.25, 1.0]]), (0.548_795, 0.594_361));
        // Joint counts of z = (2a + b, 4a + c): information as it is, and with columns scaled to the sum 1.
        close(both(&[&[1.0, 1.0, 0.0], &[1.0, 0.0, 2.0]]), (0.4, 0.6));
        close(both(&[&[0.5, 1.0, 0.0], &[0.5, 0.0, 1.0]]), (0.420_620, 0.666_667));
    }

    #[test]
    fn nothing_and_one() {
        assert!(both(&[&[0.0, 0.0], &[0.0, 0.0]]).0.abs() < 1e-12);
        close(both(&[&[1.0], &[0.0]]), (1.0, 1.0));
        close(both(&[&[0.3, 0.7]]), (1.0 - 0.610_864 / 2.0_f64.ln(), 1.0));
    }
}
