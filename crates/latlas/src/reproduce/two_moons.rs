//! Two moons, three losses (Galperin and Köthe 2024): which of them makes the latents of a flow mean something.

use super::{Axis, Experiment, Finding, Reproduction, Series, Setup, measured, train_all};
use crate::data::two_moons;
use crate::error::Result;
use crate::models::zoo::flow::{Coupling, Flow};
use crate::models::zoo::{Activation, Spec};
use crate::run::Settings as RunSettings;
use crate::training::{Data, EarlyStopping, Optimizer, Schedule, Settings};

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "two-moons",
    title: "Two moons under three losses",
    source: "Galperin and Köthe, Analyzing generative models by manifold entropic metrics, 2024",
    about: "A spline flow learns two moons by maximum likelihood (ML), with the total correlation of its decoder added (ML + TC), or with the \
            reconstruction from its first latent added (ML + rec). Entropies are without the prior's term, the core is the latent of larger \
            entropy. Published: 4 blocks of rational-quadratic splines of 4 bins that change both halves at once, networks 128 wide, 1,000 \
            steps at 1e-3 and 1,000 at 1e-4. Here: 8 blocks that change one half each, networks 64 wide, 800 and 800 steps of 512 points.",
    needs_data: false,
    run,
};

/// Σ over moons of 2 h₀ less: the entropy of the data without the prior's term.
const TRUTH: f64 = -1.830_292_231_6;
/// log of the width of the noise: the entropy across a moon.
const ACROSS: f64 = -std::f64::consts::LN_10;
/// The rest: the entropy along the moons, where nothing is shared.
const ALONG: f64 = TRUTH - ACROSS;

const CASES: [&str; 3] = ["ML", "ML + TC", "ML + rec"];
/// Core, detail, shared, total; as read from the published bars.
const PUBLISHED: [[f64; 3]; 4] = [[-0.27, -0.56, 0.48], [-0.36, -1.22, -2.20], [1.17, 0.00, 0.06], [-1.80, -1.78, -1.78]];
const NAMES: [&str; 4] = ["core entropy", "detail entropy", "total correlation", "total entropy"];

fn settings(case: usize, seed: u64, quick: bool) -> Settings {
    let flow = Flow {
        blocks: if quick { 2 } else { 8 },
        coupling: Coupling::Spline,
        hidden: if quick { vec![16] } else { vec![64, 64] },
        activation: Activation::Silu,
        bins: 4,
        bound: 4.0,
        total_correlation: if case == 1 { 1.0 } else { 0.0 },
        reconstruction: if case == 2 { 1.0 } else { 0.0 },
        core: 1,
        ..Flow::default()
    };
    let steps = if quick { PER_EPOCH } else { 800 };
    Settings {
        seed,
        batch: batch(quick),
        epochs: 2 * steps / PER_EPOCH,
        schedule: Schedule::Step { every: steps, gamma: 0.1 },
        optimizer: Optimizer::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 1e-5 },
        held_out: 0.0,
        early_stopping: EarlyStopping::default(),
        ..Settings::new(Spec::Flow(flow))
    }
}

fn batch(quick: bool) -> usize {
    if quick { 64 } else { 512 }
}

/// Steps over the points before they come again.
const PER_EPOCH: u64 = 40;

fn run(setup: &Setup, tell: &dyn Fn(usize, usize)) -> Result<Reproduction> {
    let started = std::time::Instant::now();
    let case = |case: usize, seed: u64| {
        // Every seed has points of its own.
        let points = two_moons(batch(setup.quick) * PER_EPOCH as usize, seed);
        let values = points.into_iter().flatten().map(|x| x as f32).collect();
        Ok((settings(case, seed, setup.quick), Data { values, shape: vec![2], labels: None }))
    };
    let samples = if setup.quick { 200 } else { 4000 };
    let measure = |decoder| {
        let settings = RunSettings { samples, drop_h0: true, ..RunSettings::default() };
        let mut found = measured(decoder, &["manifold-entropy", "total-correlation", "total-entropy"], &settings)?;
        found[0].sort_by(|a, b| b.total_cmp(a));
        Ok(found.concat())
    };
    let (values, settings) = train_all(setup, CASES.len(), NAMES.len(), case, measure, tell)?;
    let truth = [Some(ALONG), Some(ACROSS), Some(0.0), Some(TRUTH)];
    let series: Vec<Series> = values
        .into_iter()
        .enumerate()
        .map(|(q, values)| Series { name: NAMES[q], published: PUBLISHED[q].map(Some).to_vec(), truth: truth[q], values })
        .collect();
    Ok(Reproduction {
        id: EXPERIMENT.id,
        axis: Axis::Words(CASES.map(String::from).to_vec()),
        vertical: "nats, without the prior's term",
        findings: findings(&series),
        series,
        settings,
        quick: setup.quick,
        seconds: started.elapsed().as_secs_f64(),
    })
}

fn findings(series: &[Series]) -> Vec<Finding> {
    let said = |q: usize, case: usize| {
        let ((mean, _), (low, high)) = (series[q].mean(case), series[q].ends(case));
        format!("{} of {}: {mean:.3} [{low:.3}, {high:.3}]", NAMES[q], CASES[case])
    };
    let near = |q: usize, case: usize, to: f64, by: f64| (series[q].mean(case).0 - to).abs() <= by;
    let finding = |claim, holds, which: &[(usize, usize)]| Finding {
        claim,
        holds,
        because: which.iter().map(|(q, case)| said(*q, *case)).collect::<Vec<_>>().join("; "),
    };
    vec![
        finding("Maximum likelihood alone leaves the latents entangled", series[2].ends(0).0 > 0.1, &[(2, 0)]),
        finding("With the total correlation in the loss nothing is shared", series[2].ends(1).1 < 0.1, &[(2, 1)]),
        finding(
            "With the reconstruction in the loss one latent runs along the moons and one across them, and they share little",
            near(0, 2, ALONG, 0.15) && near(1, 2, ACROSS, 0.15) && series[2].ends(2).1 < 0.2,
            &[(0, 2), (1, 2), (2, 2)],
        ),
        finding(
            "Without it the core does not run along the moons",
            series[0].ends(0).1 < ALONG - 0.15 && series[0].ends(1).1 < ALONG - 0.15,
            &[(0, 0), (0, 1)],
        ),
        finding("All three have the entropy of the data, −1.8303", (0..3).all(|case| near(3, case, TRUTH, 0.1)), &[(3, 0), (3, 1), (3, 2)]),
    ]
}
