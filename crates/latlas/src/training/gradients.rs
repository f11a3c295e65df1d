//! How far the gradient of a step scatters: estimators of it side by side, at fixed parameters and on one batch.
//!
//! Over M draws of the noise, for each block of parameters: the length of the mean gradient, and the variance of its entries, averaged over the
//! block. The draws are cut into [`GROUPS`] groups, whose variances give the standard error. Both estimators have the same expectation, so a
//! larger variance is all that is lost.

use super::data::fill;
use super::{Batches, Data, Objective, Settings};
use crate::error::{Error, Result};
use crate::models::zoo::{Estimator, Model, Parameters, Spec, Vae};
use crate::random::{Purpose, hash};

/// Groups of draws.
pub const GROUPS: usize = 10;

/// The gradient of one block of parameters under one estimator.
#[derive(Debug, Clone, PartialEq)]
pub struct Scatter {
    /// Mean over the draws, as many numbers as the block has.
    pub mean: Vec<f64>,
    /// Variance of an entry over the draws, averaged over the block.
    pub variance: f64,
    /// Its standard error.
    pub error: f64,
}

impl Scatter {
    /// Length of the mean gradient.
    pub fn norm(&self) -> f64 {
        self.mean.iter().map(|g| g * g).sum::<f64>().sqrt()
    }
}

/// A block under both estimators.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// Name of the parameters.
    pub block: String,
    /// Through the draw.
    pub reparametrised: Scatter,
    /// By the score.
    pub score: Scatter,
}

/// Compares the estimators of a VAE's gradient at these parameters, on the first rows of the data that make up a batch.
///
/// # Errors
/// A model that is no VAE of one layer without penalties, fewer draws than two a group, and those of the graph.
pub fn compare_estimators(settings: &Settings, data: &Data, parameters: &mut Parameters, draws: usize) -> Result<Vec<Comparison>> {
    let Spec::Vae(vae) = &settings.model else {
        let what = "only a VAE has two estimators of its gradient".into();
        return Err(Error::Input { what, hint: Some("such as latlas train vae --compare-gradients 1000".into()) });
    };
    if draws < 2 * GROUPS {
        let what = format!("{draws} draws are too few for a variance with an error");
        return Err(Error::Input { what, hint: Some(format!("take at least {}", 2 * GROUPS)) });
    }
    let mut scatters = |estimator| scatters(&Vae { estimator, ..vae.clone() }, settings, data, parameters, draws);
    let both = (scatters(Estimator::Reparametrised)?, scatters(Estimator::Score)?);
    let blocks = both.0.into_iter().zip(both.1);
    Ok(blocks.map(|((block, reparametrised), (_, score))| Comparison { block, reparametrised, score }).collect())
}

/// Sums over the draws of a group: of the entries of a gradient and of their squares.
type Sums = (Vec<f64>, Vec<f64>);

/// The scatter of every block's gradient, by name.
fn scatters(vae: &Vae, settings: &Settings, data: &Data, parameters: &mut Parameters, draws: usize) -> Result<Vec<(String, Scatter)>> {
    vae.check(&data.shape)?;
    let mut objective = Objective::new(vae, parameters, &data.shape, settings.batch, settings.tile, true)?;
    let all: Vec<usize> = (0..data.rows()).collect();
    if all.len() < settings.batch {
        let what = format!("{} rows do not fill one batch of {}", all.len(), settings.batch);
        return Err(Error::Input { what, hint: Some("lower --batch".into()) });
    }
    let rows = Batches::new(settings.seed, settings.batch, &all, None).rows_at(0).to_vec();
    let blocks: Vec<usize> = objective.gradient_outputs().map(|(i, _)| i).collect();
    let lengths: Vec<usize> = blocks.iter().map(|&i| parameters.list()[i].values.len()).collect();
    let mut groups: Vec<Vec<Sums>> = vec![lengths.iter().map(|&n| (vec![0.0; n], vec![0.0; n])).collect(); GROUPS];
    let each = draws / GROUPS;
    let mut given = vec![];
    for (g, group) in groups.iter_mut().enumerate() {
        for draw in 0..each {
            let key = hash(settings.seed, Purpose::Gradients, (g * each + draw) as u64);
            fill(&objective, data, &rows, key, &mut given);
            objective.run(rows.len(), u64::MAX, &given, parameters)?;
            for ((_, gradient), (sums, squares)) in objective.gradients().zip(group.iter_mut()) {
                for ((&x, sum), square) in gradient.iter().zip(sums).zip(squares) {
                    *sum += f64::from(x);
                    *square += f64::from(x) * f64::from(x);
                }
            }
        }
    }
    let scatter = |block: usize| {
        let n = lengths[block];
        let m = each as f64;
        let variance = |group: &Vec<Sums>| {
            let (sums, squares) = &group[block];
            sums.iter().zip(squares).map(|(sum, square)| (square - sum * sum / m).max(0.0) / (m - 1.0)).sum::<f64>() / n as f64
        };
        let variances: Vec<f64> = groups.iter().map(variance).collect();
        let k = GROUPS as f64;
        let mean = variances.iter().sum::<f64>() / k;
        let spread = variances.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (k - 1.0);
        let entry = |i: usize| groups.iter().map(|group| group[block].0[i]).sum::<f64>() / (m * k);
        Scatter { mean: (0..n).map(entry).collect(), variance: mean, error: (spread / k).sqrt() }
    };
    Ok(blocks.iter().enumerate().map(|(block, &i)| (parameters.list()[i].name.clone(), scatter(block))).collect())
}
