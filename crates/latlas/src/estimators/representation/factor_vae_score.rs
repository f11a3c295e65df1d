//! FactorVAE score: whether the factor that a batch shares can be told from the code that varies least.
//!
//! ```text
//! 10,000 + 5,000 times: draw k and 64 rows that share a value of factor k
//! vote: the code with the smallest variance in the batch relative to its variance over all rows, for factor k
//! value = share of test votes whose factor is the one that most training votes gave to their code
//! ```
//!
//! - Only codes with a standard deviation of at least 0.05 vote (`active_codes`); with none the score is 0. Rows come from
//!   the codes of a whole grid, or from rows that share a value (caveat `not-full-grid`).
//! - Shape: scalar; `matrix` [L, K] of test votes under the codes' own numbers. Unit: accuracy. Range: 0 to 1, 1/K by chance.
//! - Invariances: order of codes, scaling of a code that stays active.
//! - Cost: 15,000 × 64 codes.
//! - Bias: blind to small turns: two codes turned by 20° still score 1. Codes that repeat each other: the first votes.
//! - Standard error: binomial, over the test batches.
//!
//! References: Kim and Mnih, Disentangling by Factorising (2018). Locatello and others, Challenging Common Assumptions in the
//! Unsupervised Learning of Disentangled Representations (2019).

use rayon::prelude::*;
use serde_json::json;

use super::{STUDY, batches};
use crate::codes::{CodeSet, Effort, Heat, Interventions, Score, Scored};
use crate::error::Result;
use crate::estimators::{Better, Card, Need};
use crate::random::{Purpose, Stream};

/// The code that varies least.
pub struct FactorVaeScore;

/// Rows of a batch.
const ROWS: usize = 64;
/// Rows from which variances over all rows are found.
const GLOBAL: usize = 10_000;
/// Codes that deviate less do not vote.
const SMALLEST_DEVIATION: f64 = 0.05;

impl Score for FactorVaeScore {
    const CARD: Card = Card {
        id: "factor-vae-score",
        group: "representation",
        title: "FactorVAE score",
        unit: "accuracy",
        range: "0 to 1, 1/K by chance",
        better: Better::Higher,
        needs: &[Need::Codes, Need::Factors],
        invariances: &["order of codes"],
        references: &["Kim, Mnih: Disentangling by Factorising (2018)", STUDY],
        source: include_str!("factor_vae_score.rs"),
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
        let variances = global(set, &source);
        let active: Vec<usize> = (0..set.n_codes()).filter(|l| variances[*l] > 0.0 && variances[*l].sqrt() >= SMALLEST_DEVIATION).collect();
        let ids: Vec<usize> = active.iter().map(|l| set.code_ids[*l]).collect();
        let mut scored = Scored::value(0.0).with("active_codes", json!(ids)).with("chance", json!(1.0 / factors.len() as f64));
        if active.is_empty() {
            scored.standard_error = Some(0.0);
            return Ok(scored);
        }
        let vote = |index: usize| {
            let mut stream = Stream::new(set.options.seed, Purpose::Interventions, (1 << 32) + index as u64, 1 << 12);
            let k = factors[stream.below(factors.len())];
            let first = source.draw(k, &mut stream);
            let rows = std::iter::once(first).chain((1..ROWS).map(|_| source.draw_sharing(k, first, &mut stream)));
            let variance = variances_of(&source, rows, set.n_codes());
            let ratio = |l: &usize| variance[*l] / variances[*l];
            let quietest = active.iter().copied().reduce(|a, b| if ratio(&b) < ratio(&a) { b } else { a });
            (quietest.unwrap_or(0), k)
        };
        let votes: Vec<(usize, usize)> = (0..train + test).into_par_iter().map(vote).collect();
        let table = |votes: &[(usize, usize)]| {
            let mut table = vec![vec![0.0; set.n_factors()]; set.n_codes()];
            votes.iter().for_each(|(l, k)| table[*l][*k] += 1.0);
            table
        };
        let (learned, tested) = (table(&votes[..train]), table(&votes[train..]));
        let right: f64 = learned.iter().zip(&tested).map(|(row, tested)| tested[crate::learners::largest(row.iter().copied())]).sum();
        let value = right / test as f64;
        scored.value = value;
        scored.standard_error = Some((value * (1.0 - value) / test as f64).sqrt());
        if set.is_replicate {
            return Ok(scored);
        }
        Ok(batches::noted(scored, set, &source).matrix(set, &Heat { name: "votes", unit: "batches", values: &tested }))
    }
}

/// The variance of each code over random rows.
fn global(set: &CodeSet, source: &Interventions<'_>) -> Vec<f64> {
    let mut stream = Stream::new(set.options.seed, Purpose::Interventions, 1 << 34, 1 << 12);
    let rows: Vec<usize> = (0..GLOBAL).map(|_| stream.below(source.rows())).collect();
    variances_of(source, rows.into_iter(), set.n_codes())
}

/// Variances with n − 1 in the denominator; exactly 0 where nothing varies.
fn variances_of(source: &Interventions<'_>, rows: impl Iterator<Item = usize>, l: usize) -> Vec<f64> {
    let (mut mean, mut squares, mut code, mut n) = (vec![0.0; l], vec![0.0; l], vec![0.0; l], 0.0);
    for row in rows {
        source.code(row, &mut code);
        n += 1.0;
        for ((mean, square), z) in mean.iter_mut().zip(&mut squares).zip(&code) {
            let delta = z - *mean;
            *mean += delta / n;
            *square += delta * (z - *mean);
        }
    }
    squares.iter().map(|s| s / (n - 1.0)).collect()
}
