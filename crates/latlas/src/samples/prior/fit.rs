//! Priors that are fitted to codes: a normal one by its moments, a mixture by expectation maximisation.
//!
//! ```text
//! r_ik ∝ w_k N(z_i; m_k, s_k²),   w_k = mean r_ik,   m_k, s_k² = moments of the codes weighted by r_ik
//! ```
//!
//! (Dempster, Laird and Rubin 1977), from centres that are drawn with a chance in proportion to the squared distance from those before
//! (k-means++, Arthur and Vassilvitskii 2007), the best of several starts by likelihood. A standard deviation is kept above [`LEAST`] of that
//! of all codes, or a component could shrink onto one code and the likelihood grow without bound.

use ndarray::{Array2, ArrayView2};

use super::{Prior, normal};
use crate::error::{Error, Result};
use crate::random::{Purpose, Stream};

/// Least standard deviation of a component, as a share of that of all codes.
const LEAST: f64 = 1e-3;
/// Starts of a mixture.
const STARTS: u64 = 4;
/// Most rounds of a start.
const ROUNDS: usize = 500;
/// A round that adds less to the mean log-density than this is the last.
const ENOUGH: f64 = 1e-7;

impl Prior {
    /// Independent normal latents with the moments of `codes [n, d]`.
    ///
    /// # Errors
    /// Fewer than two codes, a latent that does not vary, values that are not finite.
    pub fn fitted_normal(codes: ArrayView2<'_, f64>) -> Result<Self> {
        let (mean, std) = moments(codes)?;
        Self::Diagonal { mean, std }.checked("codes")
    }

    /// A mixture of `components` diagonal Gaussians of greatest likelihood for `codes [n, d]`, as far as the starts that `seed` keys find it.
    ///
    /// # Errors
    /// Those of [`Prior::fitted_normal`], no component, fewer codes than components.
    pub fn fitted_mixture(codes: ArrayView2<'_, f64>, components: usize, seed: u64) -> Result<Self> {
        let (_, std) = moments(codes)?;
        if components == 0 || components > codes.nrows() {
            let what = format!("{components} components cannot be fitted to {} codes", codes.nrows());
            return Err(Error::Input { what, hint: Some("take at least one component and fewer than there are codes".into()) });
        }
        let fits = (0..STARTS).map(|start| Mixture::start(codes, components, &std, seed, start).fit(codes, &std));
        let best = fits.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, mixture)| mixture);
        let Mixture { weights, means, stds } = best.unwrap_or_default();
        Self::Mixture { weights, means, stds }.checked("codes")
    }
}

/// Means and standard deviations of codes.
fn moments(codes: ArrayView2<'_, f64>) -> Result<(Vec<f64>, Vec<f64>)> {
    let refuse = |what: String| Err(Error::Input { what, hint: Some("train longer, or leave the prior normal".into()) });
    if codes.nrows() < 2 {
        return refuse(format!("a prior cannot be fitted to {} codes", codes.nrows()));
    }
    let n = codes.nrows() as f64;
    let mean: Vec<f64> = codes.columns().into_iter().map(|column| column.sum() / n).collect();
    let variances = codes.columns().into_iter().zip(&mean).map(|(column, m)| column.iter().map(|z| (z - m).powi(2)).sum::<f64>() / n);
    let std: Vec<f64> = variances.map(f64::sqrt).collect();
    match std.iter().position(|s| !(*s > 0.0 && s.is_finite())) {
        Some(i) => refuse(format!("latent {i} of the codes has the standard deviation {}, expected a positive number", std[i])),
        None => Ok((mean, std)),
    }
}

#[derive(Debug, Default)]
struct Mixture {
    weights: Vec<f64>,
    means: Vec<Vec<f64>>,
    stds: Vec<Vec<f64>>,
}

impl Mixture {
    /// Equal components around centres by k-means++; distances in units of the standard deviations.
    fn start(codes: ArrayView2<'_, f64>, components: usize, std: &[f64], seed: u64, start: u64) -> Self {
        let mut stream = Stream::new(seed, Purpose::Centres, start, components);
        let row = |i: usize| codes.row(i).to_vec();
        let mut means = vec![row(stream.below(codes.nrows()))];
        let mut nearest = vec![f64::INFINITY; codes.nrows()];
        while means.len() < components {
            let newest = &means[means.len() - 1];
            for (z, least) in codes.rows().into_iter().zip(&mut nearest) {
                let distance = z.iter().zip(newest).zip(std).map(|((z, m), s)| ((z - m) / s).powi(2)).sum::<f64>();
                *least = least.min(distance);
            }
            let mut left = stream.uniform() * nearest.iter().sum::<f64>();
            let drawn = nearest.iter().position(|distance| {
                left -= distance;
                left < 0.0
            });
            means.push(row(drawn.unwrap_or(codes.nrows() - 1)));
        }
        let share = (components as f64).powf(-1.0 / std.len() as f64);
        let spread: Vec<f64> = std.iter().map(|s| s * share).collect();
        Self { weights: vec![1.0 / components as f64; components], means, stds: vec![spread; components] }
    }

    /// Rounds of expectation and maximisation until they add nothing: the mean log-density of the codes, and the mixture.
    fn fit(mut self, codes: ArrayView2<'_, f64>, std: &[f64]) -> (f64, Self) {
        let (n, mut before) = (codes.nrows() as f64, f64::NEG_INFINITY);
        for _ in 0..ROUNDS {
            let (log_density, shares) = self.shares(codes);
            if log_density - before < ENOUGH {
                break;
            }
            before = log_density;
            for (k, share) in shares.columns().into_iter().enumerate() {
                let total = share.sum();
                // A component that no code belongs to stays where it is, with no weight.
                self.weights[k] = total / n;
                if total <= f64::MIN_POSITIVE {
                    continue;
                }
                for (i, z) in codes.columns().into_iter().enumerate() {
                    let mean = z.dot(&share) / total;
                    let variance = z.iter().zip(share).map(|(z, r)| r * (z - mean).powi(2)).sum::<f64>() / total;
                    self.means[k][i] = mean;
                    self.stds[k][i] = variance.sqrt().max(LEAST * std[i]);
                }
            }
        }
        (before, self)
    }

    /// The mean log-density of the codes, and the share `[n, K]` of every component in each.
    fn shares(&self, codes: ArrayView2<'_, f64>) -> (f64, Array2<f64>) {
        let mut shares = Array2::zeros((codes.nrows(), self.weights.len()));
        let mut sum = 0.0;
        for (z, mut shares) in codes.rows().into_iter().zip(shares.rows_mut()) {
            for (k, share) in shares.iter_mut().enumerate() {
                let of = |((z, m), s): ((&f64, &f64), &f64)| normal(*z, *m, *s);
                *share = self.weights[k].ln() - z.iter().zip(&self.means[k]).zip(&self.stds[k]).map(of).sum::<f64>();
            }
            let largest = shares.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            shares.mapv_inplace(|log| (log - largest).exp());
            let total = shares.sum();
            sum += largest + total.ln();
            shares /= total;
        }
        (sum / codes.nrows() as f64, shares)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn truth() -> Prior {
        let json = br#"{"weights": [0.2, 0.5, 0.3], "means": [[-4, 0], [0, 3], [5, -2]], "stds": [[0.5, 1], [1, 0.5], [0.8, 0.8]]}"#;
        Prior::from_json(json, "p.json").unwrap()
    }

    #[test]
    fn a_mixture_is_found_again_from_its_draws() {
        let codes = truth().draw(7, 0..20_000, 2);
        let Prior::Mixture { weights, means, stds } = Prior::fitted_mixture(codes.view(), 3, 1).unwrap() else { panic!("no mixture") };
        let Prior::Mixture { weights: w, means: m, stds: s } = truth() else { panic!("no mixture") };
        let mut order = [0, 1, 2];
        order.sort_by(|a, b| means[*a][0].total_cmp(&means[*b][0]));
        for (k, found) in order.into_iter().enumerate() {
            // About four standard errors each.
            assert!((weights[found] - w[k]).abs() < 0.015, "{weights:?}");
            for i in 0..2 {
                assert!((means[found][i] - m[k][i]).abs() < 0.07, "{means:?}");
                assert!((stds[found][i] - s[k][i]).abs() < 0.05, "{stds:?}");
            }
        }
    }

    #[test]
    fn one_component_is_the_normal_fit() {
        let codes = truth().draw(3, 0..500, 2);
        let Prior::Diagonal { mean, std } = Prior::fitted_normal(codes.view()).unwrap() else { panic!("not normal") };
        let Prior::Mixture { means, stds, weights } = Prior::fitted_mixture(codes.view(), 1, 0).unwrap() else { panic!("no mixture") };
        assert!((weights[0] - 1.0).abs() < 1e-12);
        for i in 0..2 {
            assert!((means[0][i] - mean[i]).abs() < 1e-12 && (stds[0][i] - std[i]).abs() < 1e-12);
        }
    }

    #[test]
    fn what_cannot_be_fitted_is_refused() {
        let flat = Array2::from_elem((10, 2), 0.5);
        let error = Prior::fitted_normal(flat.view()).unwrap_err();
        assert!(error.to_string().contains("latent 0"), "{error}");
        let codes = truth().draw(3, 0..5, 2);
        assert!(Prior::fitted_mixture(codes.view(), 6, 0).is_err() && Prior::fitted_mixture(codes.view(), 0, 0).is_err());
    }
}
