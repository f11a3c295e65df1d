//! Spread, scale and repetition of codes.

use ndarray::{Array2, Axis};

use super::range;

/// How far the values of a code reach.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// Mean.
    pub mean: f64,
    /// Standard deviation, n in the denominator.
    pub deviation: f64,
    /// Smallest value.
    pub low: f64,
    /// Largest value.
    pub high: f64,
}

impl Spread {
    /// Of some values.
    pub fn of(x: &[f64]) -> Self {
        let n = x.len().max(1) as f64;
        let mean = x.iter().sum::<f64>() / n;
        let (low, high) = range(x);
        let deviation = if low < high { (x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt() } else { 0.0 };
        Self { mean, deviation, low, high }
    }

    /// Whether there are two values.
    pub fn varies(&self) -> bool {
        self.low < self.high
    }

    /// Largest minus smallest value.
    pub fn range(&self) -> f64 {
        if self.varies() { self.high - self.low } else { 0.0 }
    }
}

/// A mean over rows with its standard error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mean {
    /// The mean.
    pub value: f64,
    /// Its standard error; NaN for a lone row.
    pub standard_error: f64,
    /// Rows.
    pub count: usize,
}

impl Mean {
    /// Of some numbers.
    pub fn of(x: &[f64]) -> Self {
        let n = x.len() as f64;
        let value = x.iter().sum::<f64>() / n;
        let variance = x.iter().map(|x| (x - value).powi(2)).sum::<f64>() / (n - 1.0);
        Self { value, standard_error: (variance / n).sqrt(), count: x.len() }
    }
}

/// Codes with mean 0 and deviation 1, by the moments of others of the same width; a constant becomes 0.
pub fn standardised(codes: &Array2<f64>, by: &Array2<f64>) -> Array2<f64> {
    let mut scaled = codes.clone();
    for (mut column, by) in scaled.columns_mut().into_iter().zip(by.columns()) {
        let spread = Spread::of(&by.to_vec());
        let scale = if spread.deviation > 0.0 { spread.deviation.recip() } else { 0.0 };
        column.mapv_inplace(|z| (z - spread.mean) * scale);
    }
    scaled
}

/// Pairs of codes with a correlation of one, up to 1e-10.
pub fn repeated(codes: &Array2<f64>, spreads: &[Spread]) -> Vec<(usize, usize)> {
    let scaled = standardised(codes, codes);
    let gram = scaled.t().dot(&scaled) / scaled.len_of(Axis(0)).max(1) as f64;
    let l = spreads.len();
    let pairs = (0..l).flat_map(|a| (a + 1..l).map(move |b| (a, b)));
    pairs.filter(|(a, b)| spreads[*a].varies() && spreads[*b].varies() && gram[[*a, *b]].abs() > 1.0 - 1e-10).collect()
}
