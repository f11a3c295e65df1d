//! Scores of codes: whether each code holds one factor, each factor sits in one code, and can be read out of them.

mod aggregate_total_correlation;
mod beta_vae_score;
mod boosted_efficiency;
mod boosted_ladder;
mod dci_completeness;
mod dci_disentanglement;
mod dci_informativeness;
mod elbo_decomposition;
mod explicitness;
mod factor_vae_score;
mod gaussian_total_correlation;
mod gaussian_wasserstein;
mod irs;
mod logistic_efficiency;
mod logistic_ladder;
mod mean_mutual_information;
mod mig;
mod mig_sup;
mod modularity;
mod rotation_attack;
mod sap_r2;
mod sap_svm;

use aggregate_total_correlation::AggregateTotalCorrelation;
use beta_vae_score::BetaVaeScore;
use boosted_efficiency::BoostedEfficiency;
use boosted_ladder::BoostedLadder;
use dci_completeness::DciCompleteness;
use dci_disentanglement::DciDisentanglement;
use dci_informativeness::DciInformativeness;
use elbo_decomposition::ElboDecomposition;
use explicitness::Explicitness;
use factor_vae_score::FactorVaeScore;
use gaussian_total_correlation::GaussianTotalCorrelation;
use gaussian_wasserstein::GaussianWasserstein;
use irs::Irs;
use logistic_efficiency::LogisticEfficiency;
use logistic_ladder::LogisticLadder;
use mean_mutual_information::MeanMutualInformation;
use mig::Mig;
use mig_sup::MigSup;
use modularity::Modularity;
use rotation_attack::RotationAttack;
use sap_r2::SapR2;
use sap_svm::SapSvm;

use super::erased::{Entry, entry};
use super::of_codes::OfCodes;
use crate::caveat::Caveat;
use crate::codes::{CodeSet, Factor, JointCounts, MISSING, Scored, batches};
use crate::special_functions::chi_square_tail;

/// All of them.
pub const TABLE: &[Entry] = &[
    entry::<OfCodes<BetaVaeScore>>(),
    entry::<OfCodes<FactorVaeScore>>(),
    entry::<OfCodes<Mig>>(),
    entry::<OfCodes<MigSup>>(),
    entry::<OfCodes<DciDisentanglement>>(),
    entry::<OfCodes<DciCompleteness>>(),
    entry::<OfCodes<DciInformativeness>>(),
    entry::<OfCodes<Modularity>>(),
    entry::<OfCodes<Explicitness>>(),
    entry::<OfCodes<SapR2>>(),
    entry::<OfCodes<SapSvm>>(),
    entry::<OfCodes<Irs>>(),
    entry::<OfCodes<LogisticLadder>>(),
    entry::<OfCodes<BoostedLadder>>(),
    entry::<OfCodes<LogisticEfficiency>>(),
    entry::<OfCodes<BoostedEfficiency>>(),
    entry::<OfCodes<GaussianTotalCorrelation>>(),
    entry::<OfCodes<GaussianWasserstein>>(),
    entry::<OfCodes<MeanMutualInformation>>(),
    entry::<OfCodes<AggregateTotalCorrelation>>(),
    entry::<OfCodes<ElboDecomposition>>(),
    entry::<RotationAttack>(),
];

/// The study whose constants the preset `study-2019` has.
const STUDY: &str = "Locatello, Bauer, Lucic and others: Challenging Common Assumptions in the Unsupervised Learning of Disentangled Representations (2019)";
const KUMAR: &str =
    "Kumar, Sattigeri, Balakrishnan: Variational Inference of Disentangled Latent Concepts from Unlabeled Observations (2018)";

const CHEN: &str = "Chen, Li, Grosse, Duvenaud: Isolating Sources of Disentanglement in Variational Autoencoders (2018)";
const EASTWOOD: &str = "Eastwood, Williams: A Framework for the Quantitative Evaluation of Disentangled Representations (2018)";

/// Importances of codes for the factors that vary: a row for each code.
fn importances(set: &CodeSet) -> Vec<Vec<f64>> {
    let fits: Vec<_> = set.boosted().iter().flatten().collect();
    (0..set.n_codes()).map(|l| fits.iter().map(|fit| fit.importances[l]).collect()).collect()
}

/// A matrix over the factors that vary as one over all factors, the others undefined.
fn over_all_factors(set: &CodeSet, rows: &[Vec<f64>]) -> Vec<Vec<f64>> {
    rows.iter().map(|row| spread_factors(set, row)).collect()
}

/// Numbers of the factors that vary as numbers of all factors, the others undefined.
fn spread_factors(set: &CodeSet, values: &[f64]) -> Vec<f64> {
    let mut all = vec![f64::NAN; set.n_factors()];
    set.varying_factors().iter().zip(values).for_each(|(k, x)| all[*k] = *x);
    all
}

/// Where codes repeat each other: says so, and adds the value with the importances of repeats put together.
fn with_repeats(scored: Scored, set: &CodeSet, rows: &[Vec<f64>], of: impl Fn(&[Vec<f64>]) -> f64) -> Scored {
    if set.repeated.is_empty() {
        return scored;
    }
    let mut merged = rows.to_vec();
    for (first, later) in &set.repeated {
        let moved = std::mem::replace(&mut merged[*later], vec![0.0; rows[*later].len()]);
        merged[*first].iter_mut().zip(moved).for_each(|(a, b)| *a += b);
    }
    let kept: Vec<Vec<f64>> = set.distinct_codes().into_iter().map(|l| merged[l].clone()).collect();
    let message = format!("{} codes repeat an earlier one", set.n_codes() - kept.len());
    scored.with_caveat("importance-not-unique", message).with("merged_repeats", serde_json::json!(of(&kept)))
}

/// What finitely many test rows add to the error of a mean accuracy over the factors that vary.
fn binomial_error(set: &CodeSet, accuracies: &[f64]) -> f64 {
    let rows = set.varying_factors().into_iter().map(|k| set.test.factors[k].labelled().len() as f64);
    let variance: f64 = accuracies.iter().zip(rows).map(|(p, n)| p * (1.0 - p) / n).sum();
    variance.sqrt() / accuracies.len() as f64
}

/// Why a score of codes and factors has no value, if it has none.
fn usable(set: &CodeSet) -> Option<&'static str> {
    if set.varying_factors().is_empty() {
        Some("no-usable-factor")
    } else if set.varying_codes().is_empty() {
        Some("no-active-code")
    } else {
        None
    }
}

/// Why a score that needs test rows has no value, if it has none.
fn testable(set: &CodeSet) -> Option<&'static str> {
    let is_tested = |k: &usize| !set.test.factors[*k].labelled().is_empty();
    usable(set).or_else(|| (!set.varying_factors().iter().all(is_tested)).then_some("no-test-row"))
}

/// Values that only the training rows have, or only the test rows.
fn missing_classes(set: &CodeSet) -> Vec<Caveat> {
    let seen = |factor: &Factor| {
        let mut seen = vec![false; factor.classes];
        factor.index.iter().filter(|y| **y != MISSING).for_each(|y| seen[*y as usize] = true);
        seen
    };
    let (mut untested, mut unlearned) = (0, 0);
    for (train, test) in set.train.factors.iter().zip(set.test.factors.iter()) {
        for (train, test) in seen(train).into_iter().zip(seen(test)) {
            untested += usize::from(train && !test);
            unlearned += usize::from(test && !train);
        }
    }
    let mut caveats = Vec::new();
    if untested > 0 {
        caveats.push(Caveat::new("class-missing-in-test", format!("{untested} values of factors")));
    }
    if unlearned > 0 {
        caveats.push(Caveat::new("class-missing-in-train", format!("{unlearned} values of factors")));
    }
    caveats
}

/// Whether some pair of factors shares more than chance (G-test, p < 0.01 over all pairs).
fn dependence(set: &CodeSet) -> Option<Caveat> {
    let k = set.n_factors();
    let pairs: Vec<(usize, usize)> = (0..k).flat_map(|a| (a + 1..k).map(move |b| (a, b))).collect();
    let is_dependent = |(a, b): &&(usize, usize)| {
        let (x, y) = (&set.train.factors[*a], &set.train.factors[*b]);
        let both = x.index.iter().zip(&y.index).filter(|(x, y)| **x != MISSING && **y != MISSING);
        let table = JointCounts::new(both.map(|(x, y)| (*x as usize, *y as usize)), (x.classes, y.classes));
        // With few rows a cell, 2n I is no χ²: what bias explains is no sign of dependence.
        let excess = table.information() - 2.0 * table.bias().max(0.0);
        excess > 0.0 && chi_square_tail(2.0 * table.n() * table.information(), table.freedom()) < 0.01 / pairs.len() as f64
    };
    let found: Vec<&(usize, usize)> = pairs.iter().filter(is_dependent).collect();
    let (a, b) = found.first()?;
    let message = format!("{} of {} pairs, such as factors {} and {}", found.len(), pairs.len(), set.factor_ids[*a], set.factor_ids[*b]);
    Some(Caveat::new("factors-dependent", message))
}
