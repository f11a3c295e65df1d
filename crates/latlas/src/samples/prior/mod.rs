//! Priors: the distribution of the latents, its draws and its densities.

mod file;
mod fit;

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::random::{Purpose, Stream};
use crate::special_functions::{HALF_LOG_TAU, NORMAL_ENTROPY};

/// The distribution of the latents z ∈ ℝᵈ.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub enum Prior {
    /// N(0, I).
    #[default]
    Normal,
    /// Every latent uniform on [low, high].
    Uniform {
        /// The lower end.
        low: f64,
        /// The upper end.
        high: f64,
    },
    /// Independent normal latents.
    Diagonal {
        /// `[d]`.
        mean: Vec<f64>,
        /// Standard deviations `[d]`, positive.
        std: Vec<f64>,
    },
    /// A mixture of K diagonal Gaussians (class means are one with equal weights).
    Mixture {
        /// `[K]`, sum 1.
        weights: Vec<f64>,
        /// `[K, d]`.
        means: Vec<Vec<f64>>,
        /// Standard deviations `[K, d]`, positive.
        stds: Vec<Vec<f64>>,
    },
    /// Rows to draw from, with replacement; its density is not known.
    Empirical {
        /// d.
        dim: usize,
        /// `[m, d]`, row by row.
        values: Vec<f64>,
    },
}

impl Prior {
    /// Draws with replacement from the rows of `latents [m, d]`.
    pub fn empirical(latents: &Array2<f64>) -> Result<Self> {
        Self::Empirical { dim: latents.ncols(), values: latents.iter().copied().collect() }.checked("prior")
    }

    /// The same prior if its parameters are sound.
    pub fn checked(self, name: &str) -> Result<Self> {
        let finite = |v: &[f64]| v.iter().all(|x| x.is_finite());
        let positive = |v: &[f64]| v.iter().all(|x| x.is_finite() && *x > 0.0);
        let problem = match &self {
            Self::Normal => None,
            Self::Uniform { low, high } => (!(finite(&[*low, *high]) && low < high)).then(|| format!("low {low} is not below high {high}")),
            Self::Diagonal { mean, std } if mean.len() != std.len() || mean.is_empty() => {
                Some(format!("mean has {} entries, std has {}", mean.len(), std.len()))
            }
            Self::Diagonal { mean, std } => (!finite(mean) || !positive(std)).then(|| "std must be positive, mean finite".into()),
            Self::Mixture { weights, means, stds } => {
                let d = means.first().map_or(0, Vec::len);
                let k = means.len();
                if d == 0 || weights.len() != k || stds.len() != k || means.iter().chain(stds).any(|m| m.len() != d) {
                    Some(format!("{} weights, {k} means, {} stds, or their lengths differ", weights.len(), stds.len()))
                } else {
                    let sound = weights.iter().all(|w| *w >= 0.0 && w.is_finite()) && means.iter().all(|m| finite(m));
                    (!sound || !stds.iter().all(|s| positive(s))).then(|| "weights must be ≥ 0, stds positive, means finite".into())
                }
            }
            Self::Empirical { dim, values } => {
                (*dim == 0 || values.is_empty() || !finite(values)).then(|| "no rows, or values that are not finite".into())
            }
        };
        match problem {
            None => Ok(self),
            Some(what) => Err(Error::Input { what: format!("{name}: not a prior: {what}"), hint: None }),
        }
    }

    /// d, where the prior fixes it.
    pub fn dim(&self) -> Option<usize> {
        match self {
            Self::Normal | Self::Uniform { .. } => None,
            Self::Diagonal { mean, .. } => Some(mean.len()),
            Self::Mixture { means, .. } => means.first().map(Vec::len),
            Self::Empirical { dim, .. } => Some(*dim),
        }
    }

    /// In one word, for reports.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Normal => "standard-normal",
            Self::Uniform { .. } => "uniform",
            Self::Diagonal { .. } => "diagonal-normal",
            Self::Mixture { .. } => "mixture",
            Self::Empirical { .. } => "empirical",
        }
    }

    /// Samples `indices` of this prior in d dimensions: `[n, d]`. Sample i depends on the seed and i only.
    pub fn draw(&self, seed: u64, indices: impl IntoIterator<Item = u64>, d: usize) -> Array2<f64> {
        let indices: Vec<u64> = indices.into_iter().collect();
        let mut latents = Array2::zeros((indices.len(), d));
        for (index, mut z) in indices.into_iter().zip(latents.rows_mut()) {
            // One uniform chooses a component or row; one makes each latent.
            let mut stream = Stream::new(seed, Purpose::Prior, index, d + 1);
            let choice = stream.uniform();
            match self {
                Self::Normal => z.map_inplace(|z| *z = stream.normal()),
                Self::Uniform { low, high } => z.map_inplace(|z| *z = low + (high - low) * stream.uniform()),
                Self::Diagonal { mean, std } => {
                    z.iter_mut().zip(mean).zip(std).for_each(|((z, m), s)| *z = m + s * stream.normal());
                }
                Self::Mixture { weights, means, stds } => {
                    let k = choose(weights, choice);
                    z.iter_mut().zip(&means[k]).zip(&stds[k]).for_each(|((z, m), s)| *z = m + s * stream.normal());
                }
                Self::Empirical { dim, values } => {
                    let rows = values.len() / dim;
                    let row = ((choice * rows as f64) as usize).min(rows - 1);
                    z.iter_mut().zip(&values[row * dim..]).for_each(|(z, v)| *z = *v);
                }
            }
        }
        latents
    }

    /// Whether p(z) = Πᵢ pᵢ(zᵢ).
    pub fn is_factorised(&self) -> bool {
        match self {
            Self::Mixture { means, .. } => means.len() == 1,
            Self::Empirical { .. } => false,
            _ => true,
        }
    }

    /// E[−log pᵢ(zᵢ)] in closed form; `None` where there is none.
    pub fn marginal_entropy(&self, i: usize) -> Option<f64> {
        match self {
            Self::Normal => Some(NORMAL_ENTROPY),
            Self::Uniform { low, high } => Some((high - low).ln()),
            Self::Diagonal { std, .. } => Some(NORMAL_ENTROPY + std.get(i)?.ln()),
            Self::Mixture { stds, .. } if stds.len() == 1 => Some(NORMAL_ENTROPY + stds[0].get(i)?.ln()),
            Self::Mixture { .. } | Self::Empirical { .. } => None,
        }
    }

    /// −log p of the latents in `subset`, the others integrated out; `None` where the density is not known.
    pub fn surprisal(&self, z: &[f64], subset: impl Iterator<Item = usize> + Clone) -> Option<f64> {
        match self {
            Self::Normal => Some(subset.map(|i| normal(z[i], 0.0, 1.0)).sum()),
            Self::Uniform { low, high } => {
                Some(subset.map(|i| if (*low..=*high).contains(&z[i]) { (high - low).ln() } else { f64::INFINITY }).sum())
            }
            Self::Diagonal { mean, std } => Some(subset.map(|i| normal(z[i], mean[i], std[i])).sum()),
            Self::Mixture { weights, means, stds } => {
                let log_terms: Vec<f64> = (0..weights.len())
                    .map(|k| weights[k].ln() - subset.clone().map(|i| normal(z[i], means[k][i], stds[k][i])).sum::<f64>())
                    .collect();
                let largest = log_terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                Some(-largest - log_terms.iter().map(|t| (t - largest).exp()).sum::<f64>().ln())
            }
            Self::Empirical { .. } => None,
        }
    }

    /// Mean and standard deviation of latent i, for comparing given latents to the prior.
    pub fn mean_and_std(&self, i: usize) -> (f64, f64) {
        match self {
            Self::Normal => (0.0, 1.0),
            Self::Uniform { low, high } => (0.5 * (low + high), (high - low) / 12.0_f64.sqrt()),
            Self::Diagonal { mean, std } => (mean[i], std[i]),
            Self::Mixture { weights, means, stds } => {
                let mean: f64 = weights.iter().zip(means).map(|(w, m)| w * m[i]).sum();
                let second: f64 = (0..weights.len()).map(|k| weights[k] * (stds[k][i].powi(2) + (means[k][i] - mean).powi(2))).sum();
                (mean, second.sqrt())
            }
            Self::Empirical { dim, values } => {
                let column = || values.iter().skip(i).step_by(*dim);
                let n = column().count() as f64;
                let mean = column().sum::<f64>() / n;
                (mean, (column().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt())
            }
        }
    }

    /// The prior without the rows of an empirical one: what is left to say once latents are drawn.
    #[must_use]
    pub fn without_rows(&self) -> Self {
        match self {
            Self::Empirical { dim, .. } => Self::Empirical { dim: *dim, values: Vec::new() },
            other => other.clone(),
        }
    }
}

/// −log of the normal density.
fn normal(z: f64, mean: f64, std: f64) -> f64 {
    HALF_LOG_TAU + std.ln() + 0.5 * ((z - mean) / std).powi(2)
}

fn choose(weights: &[f64], uniform: f64) -> usize {
    let mut sum = 0.0;
    for (k, w) in weights.iter().enumerate() {
        sum += w;
        if uniform < sum {
            return k;
        }
    }
    weights.len() - 1
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn mixture() -> Prior {
        Prior::from_json(br#"{"weights": [1, 3], "means": [[-2, 0], [2, 1]], "std": [0.5, 1.5]}"#, "p.json").unwrap()
    }

    #[test]
    fn draws_have_the_moments_of_the_prior() {
        let diagonal = Prior::Diagonal { mean: vec![1.0, -1.0], std: vec![0.5, 2.0] };
        for prior in [Prior::Normal, Prior::Uniform { low: -1.0, high: 3.0 }, diagonal, mixture()] {
            let z = prior.draw(3, 0..40_000, 2);
            for i in 0..2 {
                let (mean, std) = prior.mean_and_std(i);
                let got = z.column(i).mean().unwrap();
                assert!((got - mean).abs() < 4.0 * std / 200.0, "{prior:?} {i}: {got} {mean}");
                assert!((z.column(i).std(0.0) / std - 1.0).abs() < 0.03, "{prior:?} {i}");
            }
        }
    }

    #[test]
    fn a_written_prior_is_read_again() {
        let diagonal = Prior::Diagonal { mean: vec![1.0, -1.0], std: vec![0.1, 2.0] };
        for prior in [Prior::Uniform { low: -1.0, high: 3.0 }, diagonal, mixture()] {
            assert_eq!(Prior::from_json(prior.to_json().unwrap().as_bytes(), "p.json").unwrap(), prior);
        }
        assert_eq!(Prior::Normal.to_json(), None);
    }

    #[test]
    fn draws_do_not_depend_on_the_range() {
        let all = mixture().draw(5, 0..50, 2);
        assert_eq!(mixture().draw(5, 20..30, 2), all.slice_axis(ndarray::Axis(0), ndarray::Slice::from(20..30)));
    }

    #[test]
    fn surprisal_averages_to_the_entropy() {
        let prior = Prior::Diagonal { mean: vec![1.0], std: vec![0.3] };
        let z = prior.draw(1, 0..20_000, 1);
        let mean = z.rows().into_iter().map(|z| prior.surprisal(&[z[0]], 0..1).unwrap()).sum::<f64>() / 20_000.0;
        assert!((mean - prior.marginal_entropy(0).unwrap()).abs() < 4.0 * 0.5_f64.sqrt() / 20_000.0_f64.sqrt());
    }

    #[test]
    fn mixture_density_sums_to_one() {
        let (prior, h) = (mixture(), 0.01);
        let total: f64 = (-1000..1000).map(|i| h * (-prior.surprisal(&[f64::from(i) * h, 0.0], 0..1).unwrap()).exp()).sum();
        assert!((total - 1.0).abs() < 1e-6);
    }

    #[test]
    fn wrong_priors_are_refused_with_help() {
        for text in ["uniform:1", "uniform:2,1", "gauss", "missing.json"] {
            assert!(Prior::parse(text).is_err(), "{text}");
        }
        assert!(Prior::parse("gauss").unwrap_err().hint().is_some());
        for json in [r#"{"mean": [0], "std": [-1]}"#, r#"{"mean": [0, 1], "std": [1]}"#, "[]", r#"{"means": [[0], [1, 2]]}"#, "{}"] {
            assert!(Prior::from_json(json.as_bytes(), "p.json").is_err(), "{json}");
        }
        assert_eq!(Prior::parse("uniform:-1,1").unwrap(), Prior::Uniform { low: -1.0, high: 1.0 });
    }
}
