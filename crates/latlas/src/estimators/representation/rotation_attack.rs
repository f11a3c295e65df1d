//! Rotation attack: how the scores of codes change while their law, or at least what can be read from them, does not.
//!
//! ```text
//! z' = U(θ) z on standardised codes, U turning codes 0 and 1, 2 and 3, … by θ = 0°, 5°, …, 45°
//! ```
//!
//! For more than one latent and any product density there are infinitely many maps that mix all latents and keep their
//! law. A model composed with the inverse of such a map yields the same data, so no label-free fit can tell one from the
//! other: what a score says of the axes is due to inductive bias in model and data.
//!
//! - Shape: [scores, angles]; `scores` and `angles` (degrees) name both. Scores fall with the angle, the linear probe
//!   (explicitness) stays flat. `energy_distance` with `p_value` (200 permutations) tests whether the cloud itself has
//!   changed: silent for Gaussian clouds, firing for others. `log_likelihood` is the mean log p(x) of the turned model, where
//!   a decoder, an encoder and a standard normal prior are there, and `likelihood_change` its largest change.
//! - Unit: that of each score. Range: that of each score.
//! - Invariances: order of rows. Cost: each score at each angle; trees and the probe at every third, on 1,000 rows.
//! - Bias: scores here belong to standardised codes and, for learners, to a sample, so they may differ from their own entry.
//! - Standard errors: turned sets of resampled rows for sums; the error of learners is beside their own entry.
//!
//! References: Locatello and others, Challenging Common Assumptions in the Unsupervised Learning of Disentangled
//! Representations (2019). Székely and Rizzo, Testing for Equal Distributions in High Dimension (2004).

use rayon::prelude::*;
use serde_json::json;

use super::STUDY;
use super::dci_disentanglement::DciDisentanglement;
use super::explicitness::Explicitness;
use super::gaussian_total_correlation::GaussianTotalCorrelation;
use super::irs::Irs;
use super::mig::Mig;
use super::modularity::Modularity;
use super::sap_r2::SapR2;
use crate::caveat::Caveat;
use crate::codes::energy::energy_test;
use crate::codes::{ATTACK_ANGLES, CodeSet, Effort, FITS_ROWS, Score, Scored};
use crate::context::Context;
use crate::error::Result;
use crate::estimate::{Estimate, Value};
use crate::estimators::of_codes::{Nothing, codes, frame, with_errors};
use crate::estimators::{Better, Card, Estimator, Need, number};
use crate::probe::Probe;

/// Scores against the angle.
pub struct RotationAttack;

/// What is asked at each angle.
type Asked = (&'static str, Effort, fn(&CodeSet) -> Result<Scored>);

const SCORES: &[Asked] = &[
    ("mig", Mig::EFFORT, Mig::score),
    ("modularity", Modularity::EFFORT, Modularity::score),
    ("sap-r2", SapR2::EFFORT, SapR2::score),
    ("irs", Irs::EFFORT, Irs::score),
    ("dci-disentanglement", DciDisentanglement::EFFORT, DciDisentanglement::score),
    ("explicitness", Explicitness::EFFORT, Explicitness::score),
    ("gaussian-total-correlation", GaussianTotalCorrelation::EFFORT, GaussianTotalCorrelation::score),
];
/// Learners are asked at every so manieth angle.
const EVERY: usize = 3;
/// Resampled sets for the error of sums.
const RESAMPLED: usize = 10;

impl Estimator for RotationAttack {
    const CARD: Card = Card {
        id: "rotation-attack",
        group: "representation",
        title: "Scores under a turn of the codes",
        unit: "1",
        range: "that of each score",
        better: Better::Neither,
        needs: &[Need::Codes, Need::Factors],
        invariances: &["order of rows"],
        references: &[STUDY, "Székely, Rizzo: Testing for Equal Distributions in High Dimension (2004)"],
        source: include_str!("rotation_attack.rs"),
    };
    type State = Nothing;

    fn new(context: &Context) -> Result<Self> {
        context.require(&Self::CARD)?;
        Ok(Self)
    }

    fn observe(&self, _: &Probe<'_>, _: &mut Nothing) -> Result<()> {
        Ok(())
    }

    fn finish(&self, context: &Context, _: &Nothing) -> Result<Estimate> {
        let set = codes(context, Self::CARD.id)?;
        let mut estimate = frame(&Self::CARD, context, set, set);
        let rows = set.train.rows();
        estimate.axes = vec!["score".into(), "angle".into()];
        let degrees: Vec<f64> = ATTACK_ANGLES.iter().map(|angle| angle.to_degrees().round()).collect();
        let names: Vec<&str> = SCORES.iter().map(|(id, ..)| *id).collect();
        estimate.extra.insert("angles".into(), json!(degrees));
        estimate.extra.insert("scores".into(), json!(names));
        if set.n_codes() < 2 {
            estimate.value = Value::Matrix(vec![vec![f64::NAN; degrees.len()]; SCORES.len()]);
            estimate.extra.insert("undefined".into(), json!("single-code"));
            return Ok(estimate);
        }
        let small = set.learners().thinned_to(FITS_ROWS, 1 << 23).tests_thinned_to(FITS_ROWS);
        let turned = |set: &CodeSet| ATTACK_ANGLES.iter().map(|angle| set.turned_by_pairs(*angle)).collect::<Vec<CodeSet>>();
        let base = set.thinned_for_sums();
        let (whole, small) = (turned(&base), turned(&small));
        let value = |(_, effort, score): &Asked, place: usize| -> Result<f64> {
            match effort {
                Effort::Fits if place.is_multiple_of(EVERY) => Ok(score(&small[place])?.value),
                Effort::Fits => Ok(f64::NAN),
                _ => Ok(score(&whole[place])?.value),
            }
        };
        let row = |asked: &Asked| (0..whole.len()).into_par_iter().map(|place| value(asked, place)).collect::<Result<Vec<f64>>>();
        estimate.value = Value::Matrix(SCORES.par_iter().map(row).collect::<Result<_>>()?);
        let resampled: Vec<Vec<CodeSet>> = set.resampled()[..RESAMPLED].iter().map(turned).collect();
        let share = resampled[0][0].train.rows() as f64 / base.train.rows() as f64;
        let error = |(_, effort, score): &Asked, place: usize| -> Result<f64> {
            if *effort == Effort::Fits {
                return Ok(f64::NAN);
            }
            let values = resampled.iter().map(|sets| Ok(score(&sets[place])?.value)).collect::<Result<Vec<f64>>>()?;
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (values.len() - 1) as f64;
            Ok((variance * share).sqrt())
        };
        let row = |asked: &Asked| (0..whole.len()).into_par_iter().map(|place| error(asked, place)).collect::<Result<Vec<f64>>>();
        with_errors(&mut estimate, Value::Matrix(SCORES.par_iter().map(row).collect::<Result<_>>()?));
        let tests: Vec<(f64, f64)> = whole.par_iter().map(|turned| energy_test(&whole[0], turned)).collect();
        estimate.extra.insert("energy_distance".into(), tests.iter().map(|(distance, _)| number(*distance)).collect());
        estimate.extra.insert("p_value".into(), tests.iter().map(|(_, p)| number(*p)).collect());
        if let Some(likelihood) = set.likelihood.as_deref() {
            let change = likelihood.iter().map(|x| (x - likelihood[0]).abs()).fold(0.0, f64::max);
            estimate.extra.insert("log_likelihood".into(), json!(likelihood));
            estimate.extra.insert("likelihood_change".into(), json!(change));
        }
        let message =
            format!("of {rows} rows to learn from, sums saw {}, trees and the probe {}", base.train.rows(), small[0].train.rows());
        if small[0].train.rows() < rows {
            estimate.caveats.push(Caveat::new("subsampled-rows", message));
        }
        Ok(estimate)
    }
}
