//! BetaVAE score: whether the fixed factor of two batches can be told from which codes agree.
//!
//! ```text
//! 10,000 + 5,000 times: draw k; 64 pairs of rows, each pair sharing its own value of factor k
//! feature = mean over pairs of |z − z'|;   value = test accuracy of a logistic regression from feature to k
//! ```
//!
//! - Pairs come from the codes of a whole grid, or from rows that share a value (caveat `not-full-grid`).
//! - Shape: scalar; `train`; `matrix` [L, K] is the mean of |z_l − z'_l| given a shared factor k, to which features shrink.
//!   Unit: accuracy. Range: 1/K (chance, `chance`) to 1.
//! - Invariances: order of codes. Not scaling: features are not standardised.
//! - Cost: 15,000 × 128 codes and one fit.
//! - Bias: seldom below 1. With 64 pairs the features come close to K points, so the score tells apart little (`saturated`).
//! - Standard error: binomial, over the test batches.
//!
//! References: Higgins, Matthey, Pal and others, beta-VAE: Learning Basic Visual Concepts with a Constrained Variational
//! Framework (2017). Locatello and others, Challenging Common Assumptions in the Unsupervised Learning of Disentangled
//! Representations (2019).

use ndarray::Array2;
use rayon::prelude::*;
use serde_json::json;

use super::{STUDY, batches};
use crate::codes::{CodeSet, Effort, Heat, Interventions, Score, Scored};
use crate::error::Result;
use crate::estimators::{Better, Card, Need};
use crate::learners::Logistic;
use crate::learners::logistic::Effort as FitEffort;
use crate::random::{Purpose, Stream};

/// Which factor two batches share.
pub struct BetaVaeScore;

/// Pairs of a batch.
const PAIRS: usize = 64;

impl Score for BetaVaeScore {
    const CARD: Card = Card {
        id: "beta-vae-score",
        group: "representation",
        title: "BetaVAE score",
        unit: "accuracy",
        range: "1/K (chance) to 1",
        better: Better::Higher,
        needs: &[Need::Codes, Need::Factors],
        invariances: &["order of codes"],
        references: &[
            "Higgins, Matthey, Pal and others: beta-VAE: Learning Basic Visual Concepts with a Constrained Variational Framework (2017)",
            STUDY,
        ],
        source: include_str!("beta_vae_score.rs"),
    };
    const EFFORT: Effort = Effort::Batches;
    const BEST: Option<f64> = Some(1.0);

    fn score(set: &CodeSet) -> Result<Scored> {
        let factors = batches::factors(set);
        if set.varying_factors().is_empty() {
            return Ok(Scored::undefined("no-usable-factor"));
        }
        let source = Interventions::of(set);
        let [train, test] = batches::counts(set);
        let batch = |index: usize| -> (usize, Vec<f64>) {
            let mut stream = Stream::new(set.options.seed, Purpose::Interventions, index as u64, 1 << 12);
            let place = stream.below(factors.len());
            let mut feature = vec![0.0; set.n_codes()];
            let (mut a, mut b) = (feature.clone(), feature.clone());
            for _ in 0..PAIRS {
                let row = source.draw(factors[place], &mut stream);
                source.code(row, &mut a);
                source.code(source.draw_sharing(factors[place], row, &mut stream), &mut b);
                feature.iter_mut().zip(a.iter().zip(&b)).for_each(|(f, (a, b))| *f += (a - b).abs() / PAIRS as f64);
            }
            (place, feature)
        };
        let all: Vec<(usize, Vec<f64>)> = (0..train + test).into_par_iter().map(batch).collect();
        let features = Array2::from_shape_fn((all.len(), set.n_codes()), |(i, l)| all[i].1[l]);
        let labels: Vec<u32> = all.iter().map(|(place, _)| *place as u32).collect();
        let (x, x_test) = features.view().split_at(ndarray::Axis(0), train);
        let fit = Logistic::fit(x, &labels[..train], 1.0, FitEffort::FULL, None);
        let value = fit.accuracy(x_test, &labels[train..]);
        let mut scored = Scored::value(value);
        scored.standard_error = Some((value * (1.0 - value) / test as f64).sqrt());
        if set.is_replicate {
            return Ok(scored);
        }
        if !fit.converged {
            scored = scored.with_caveat("not-converged", "the logistic regression stopped before its gradient fell below 1e-6");
        }
        let mut sums = vec![(vec![0.0; set.n_codes()], 0.0); set.n_factors()];
        for (place, feature) in &all {
            let (sum, count) = &mut sums[factors[*place]];
            sum.iter_mut().zip(feature).for_each(|(sum, f)| *sum += f);
            *count += 1.0;
        }
        let matrix: Vec<Vec<f64>> = (0..set.n_codes()).map(|l| sums.iter().map(|(sum, count)| sum[l] / count).collect()).collect();
        let scored = batches::noted(scored, set, &source);
        let scored = scored.matrix(set, &Heat { name: "difference at a shared factor", unit: "units of the codes", values: &matrix });
        Ok(scored.with("train", json!(fit.accuracy(x, &labels[..train]))).with("chance", json!(1.0 / factors.len() as f64)))
    }
}
