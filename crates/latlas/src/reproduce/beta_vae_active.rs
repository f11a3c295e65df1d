//! How many latents a VAE uses, against the weight of its rate (Galperin and Köthe 2024).

use super::{Axis, Experiment, Finding, Reproduction, Series, Setup, measured, train_all};
use crate::error::{Error, Result};
use crate::models::zoo::{Likelihood, Networks, Spec, Vae};
use crate::run::Settings as RunSettings;
use crate::training::{Data, Settings};

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "beta-vae-active",
    title: "Latents in use against β",
    source: "Galperin and Köthe, Analyzing generative models by manifold entropic metrics, 2024",
    about: "VAEs of 100 latents with a Bernoulli likelihood, trained with different weights β of the rate; a latent is in use where its entropy \
            stands above the widest gap of the spectrum. Published: EMNIST digits, a convolutional network, 50 epochs. Here: the rows that \
            are given (10,000 of MNIST in the numbers shown), a perceptron with one hidden layer of 128, 40 epochs. Counts depend on data \
            and network, so only their fall with β can be reproduced, not the counts. At β = 20, where the publication has 2, such a \
            perceptron learns nothing, and there is no gap.",
    needs_data: true,
    run,
};

/// β, and how many latents were in use as read from the published figure.
const CASES: [(f64, f64); 7] = [(0.1, 62.0), (0.2, 48.0), (0.5, 34.0), (1.0, 26.0), (2.0, 17.0), (5.0, 10.0), (10.0, 6.0)];
const LATENTS: usize = 100;
/// Large enough that latents which are not in use fall behind in so few steps: at a third of it no gap opens.
const LEARNING_RATE: f64 = 3e-3;
/// A step up of the mean counts if it is more than this share of the first one.
const TOLERATED: f64 = 0.05;

fn run(setup: &Setup, tell: &dyn Fn(usize, usize)) -> Result<Reproduction> {
    let started = std::time::Instant::now();
    let rows = setup.data.as_ref().ok_or_else(|| Error::Input {
        what: "this experiment learns from rows, and none were given".into(),
        hint: Some("give pixels in [0, 1] with --data, such as those of MNIST or builtin:digits".into()),
    })?;
    if let Some(bad) = rows.iter().find(|x| !(0.0..=1.0).contains(*x)) {
        return Err(Error::Input {
            what: format!("pixels must lie in [0, 1], got {bad}"),
            hint: Some("divide them by their largest value".into()),
        });
    }
    let values: Vec<f32> = rows.iter().map(|x| *x as f32).collect();
    let cases: Vec<(f64, f64)> = if setup.quick { vec![CASES[1], CASES[5]] } else { CASES.to_vec() };
    let latent = if setup.quick { 10 } else { LATENTS }.min(rows.ncols());
    let case = |c: usize, seed: u64| {
        let vae = Vae {
            latent,
            likelihood: Likelihood::Bernoulli,
            beta: cases[c].0,
            networks: Networks { hidden: vec![128], ..Networks::default() },
            ..Vae::default()
        };
        let epochs = if setup.quick { 2 } else { 40 };
        let settings = Settings { seed, epochs, learning_rate: LEARNING_RATE, held_out: 0.0, ..Settings::new(Spec::Vae(vae)) };
        Ok((settings, Data { values: values.clone(), shape: vec![rows.ncols()], labels: None }))
    };
    let measure = |decoder| {
        let samples = if setup.quick { 100 } else { 300 };
        Ok(measured(decoder, &["active-dimensions"], &RunSettings { samples, ..RunSettings::default() })?.concat())
    };
    let (values, settings) = train_all(setup, cases.len(), 1, case, measure, tell)?;
    let published = cases.iter().map(|(_, count)| Some(*count)).collect();
    let values = values.into_iter().next().unwrap_or_default();
    let series = Series { name: "latents in use", published, truth: None, values };
    Ok(Reproduction {
        id: EXPERIMENT.id,
        axis: Axis::Numbers("β".into(), cases.iter().map(|(beta, _)| *beta).collect()),
        vertical: "latents in use",
        findings: findings(&series, latent),
        series: vec![series],
        settings,
        quick: setup.quick,
        seconds: started.elapsed().as_secs_f64(),
    })
}

fn findings(series: &Series, latent: usize) -> Vec<Finding> {
    let means: Vec<f64> = (0..series.values.len()).map(|case| series.mean(case).0).collect();
    let listed = means.iter().map(|mean| format!("{mean:.1}")).collect::<Vec<_>>().join(", ");
    let last = means.len() - 1;
    vec![
        Finding {
            claim: "The number of latents in use falls with β",
            holds: means.windows(2).all(|pair| pair[1] <= pair[0] + TOLERATED * means[0]) && means[last] < means[0],
            because: format!("means from small β to large: {listed}"),
        },
        Finding {
            claim: "A large β leaves a few latents, a small one many",
            holds: series.ends(last).1 < 0.5 * series.ends(0).0,
            because: format!("{:.1} at the largest β, {:.1} at the smallest, of {latent}", means[last], means[0]),
        },
    ]
}
