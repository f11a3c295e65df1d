//! What the rate of an encoder consists of.
//!
//! ```text
//! E KL(q(z|x) ‖ p) = I(x; z) + TC(q) + Σ_l KL(q(z_l) ‖ p(z_l)),   q(z) = (1/n) Σ_j q(z|x_j)
//! ```
//!
//! with p the standard normal. Each part is the mean over rows of a difference of logarithms at one draw of z; the mixture
//! takes all rows, or a sample of them.

use ndarray::{Array2, ArrayView1};
use rayon::prelude::*;

use super::{CodeSet, Mean, Posterior, Spread};
use crate::random::{Purpose, Stream};
use crate::special_functions::HALF_LOG_TAU;

/// Rows at which the mixture is evaluated at most.
const POINTS: usize = 2000;
/// Terms of all mixtures together.
const TERMS: usize = 20_000_000;

/// The parts of the rate with what they are means of.
#[derive(Debug, Clone)]
pub struct Decomposition {
    /// Closed-form KL of every row.
    pub rate: Mean,
    /// I(x; z).
    pub information: Mean,
    /// I(x; z) with each row's own component left out of the mixture.
    pub information_without_own: Mean,
    /// TC(q).
    pub total_correlation: Mean,
    /// Σ_l KL(q(z_l) ‖ p(z_l)).
    pub dimension_wise: Mean,
    /// Their sum at the same draws.
    pub sum: Mean,
    /// Closed-form KL of each code.
    pub rate_of_code: Vec<Mean>,
    /// Variance of the means of each code.
    pub mean_variance: Vec<f64>,
    /// Components of the mixture.
    pub components: usize,
}

/// One row: the six quantities in the order of the fields.
type Row = [f64; 6];

impl Decomposition {
    /// Of the posterior of a set; `None` where it has none.
    pub fn of(set: &CodeSet) -> Option<Self> {
        let posterior = set.posterior.as_deref()?;
        let n = posterior.mean.nrows();
        let points = n.min(POINTS);
        let components = n.min((TERMS / points / posterior.mean.ncols()).max(points));
        let order = Stream::new(set.options.seed, Purpose::Posterior, 1 << 40, 1 << 24).order(n);
        let mixture = &order[..components];
        let inner = Mixture::new(posterior, mixture);
        let rows: Vec<Row> = (0..points).into_par_iter().map(|place| inner.row(set.options.seed, posterior, order[place], place)).collect();
        let mean = |place: usize| Mean::of(&rows.iter().map(|row| row[place]).collect::<Vec<f64>>());
        let codes = 0..posterior.mean.ncols();
        let rates =
            |l: usize| posterior.mean.column(l).iter().zip(posterior.log_variance.column(l)).map(|(m, v)| kl(*m, *v)).collect::<Vec<f64>>();
        let rate_of_code = codes.clone().map(|l| Mean::of(&rates(l)));
        let mean_variance = codes.map(|l| Spread::of(&posterior.mean.column(l).to_vec()).deviation.powi(2));
        Some(Self {
            rate: mean(0),
            information: mean(1),
            information_without_own: mean(2),
            total_correlation: mean(3),
            dimension_wise: mean(4),
            sum: mean(5),
            rate_of_code: rate_of_code.collect(),
            mean_variance: mean_variance.collect(),
            components,
        })
    }
}

/// KL(N(m, e^v) ‖ N(0, 1)) = ½(m² + e^v − 1 − v).
pub fn kl(mean: f64, log_variance: f64) -> f64 {
    0.5 * (mean * mean + log_variance.exp() - 1.0 - log_variance)
}

/// Components code after code: mean, precision, and log of the density's height.
struct Mixture {
    means: Array2<f64>,
    precisions: Array2<f64>,
    heights: Array2<f64>,
}

impl Mixture {
    fn new(posterior: &Posterior, rows: &[usize]) -> Self {
        let take = |array: &Array2<f64>| array.select(ndarray::Axis(0), rows).reversed_axes().as_standard_layout().into_owned();
        let log_variance = take(&posterior.log_variance);
        Self {
            means: take(&posterior.mean),
            precisions: log_variance.mapv(|v| (-v).exp()),
            heights: log_variance.mapv(|v| -HALF_LOG_TAU - 0.5 * v),
        }
    }

    /// `place` is the row's own component.
    fn row(&self, seed: u64, posterior: &Posterior, row: usize, place: usize) -> Row {
        let l = posterior.mean.ncols();
        let mut stream = Stream::new(seed, Purpose::Posterior, row as u64, l.max(1));
        let (mean, log_variance) = (posterior.mean.row(row), posterior.log_variance.row(row));
        let draws: Vec<f64> = (0..l).map(|_| stream.normal()).collect();
        let z: Vec<f64> = (0..l).map(|i| mean[i] + (0.5 * log_variance[i]).exp() * draws[i]).collect();
        let own: f64 = (0..l).map(|i| -HALF_LOG_TAU - 0.5 * log_variance[i] - 0.5 * draws[i] * draws[i]).sum();
        let n = self.means.ncols();
        let mut joint = vec![0.0; n];
        let mut marginals = 0.0;
        let mut terms = vec![0.0; n];
        for (i, z) in z.iter().enumerate() {
            let parts = [&self.means, &self.precisions, &self.heights].map(|a| a.row(i));
            log_densities(*z, parts, &mut terms);
            joint.iter_mut().zip(&terms).for_each(|(sum, term)| *sum += term);
            marginals += log_mean_exp(&terms);
        }
        let aggregate = log_mean_exp(&joint);
        let others = if n > 1 {
            joint[place] = f64::NEG_INFINITY;
            log_mean_exp(&joint) + (n as f64 / (n - 1) as f64).ln()
        } else {
            f64::NAN
        };
        let prior: f64 = z.iter().map(|z| -HALF_LOG_TAU - 0.5 * z * z).sum();
        let rate: f64 = (0..l).map(|i| kl(mean[i], log_variance[i])).sum();
        [rate, own - aggregate, own - others, aggregate - marginals, marginals - prior, own - prior]
    }
}

fn log_densities(z: f64, [means, precisions, heights]: [ArrayView1<'_, f64>; 3], out: &mut [f64]) {
    for (((out, m), p), h) in out.iter_mut().zip(means).zip(precisions).zip(heights) {
        let d = z - m;
        *out = h - 0.5 * p * d * d;
    }
}

fn log_mean_exp(x: &[f64]) -> f64 {
    let top = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    top + (x.iter().map(|x| (x - top).exp()).sum::<f64>() / x.len() as f64).ln()
}
