//! Gradients of every loss at fixed weights against central differences, in double precision by the interpreter.

use latlas::models::zoo::{Feed, Parameters};
use latlas::training::Objective;
use latlas_graph::evaluate::evaluate;

use super::{data, models, stir};

/// The loss from the terms that a graph gives, at a step.
fn loss(objective: &Objective, outputs: &[Vec<f64>], step: u64) -> f64 {
    objective.weights(step).zip(outputs).map(|(weight, value)| weight * value[0]).sum()
}

/// The gradient of an objective along one direction in the space of its parameters, and the least relative difference to central
/// differences over some steps.
fn along_and_difference(objective: &Objective, parameters: &Parameters, n: usize, step: u64) -> (f64, f64) {
    let rows = data(n, &[4]);
    // Inputs in double precision; noise is any fixed numbers of the right kind.
    let inputs = |shift: &dyn Fn(usize, usize) -> f64| -> Vec<Vec<f64>> {
        let noise = |k: usize| (0.37 * k as f64 + 0.2).fract();
        let one_hot = |k: usize| f64::from(u8::from(k % 3 == (k / 3) % 3));
        objective
            .feeds()
            .map(|(feed, one)| match feed {
                Feed::Data => rows.values.iter().map(|&x| f64::from(x)).collect(),
                Feed::Labels => (0..n * one).map(one_hot).collect(),
                Feed::Normal => (0..n * one).map(|k| 2.0 * noise(k) - 1.0).collect(),
                Feed::Zeros => vec![0.0; n * one],
                Feed::Uniform => (0..n * one).map(noise).collect(),
                // Column j is moved on by j + 1 rows.
                Feed::Shuffle => (0..n * one).map(|k| ((k / one + k % one + 1) % n * one + k % one) as f64).collect(),
                Feed::Scheduled(ramp) => vec![ramp.at(step)],
                Feed::Parameter(i) => parameters.list()[*i].values.iter().enumerate().map(|(k, &x)| f64::from(x) + shift(*i, k)).collect(),
            })
            .collect()
    };
    // Only parameters that follow the objective move.
    let following: Vec<usize> = objective.gradient_outputs().map(|(i, _)| i).collect();
    let direction = |i: usize, k: usize| (1.7 * i as f64 + 0.9 * k as f64).cos();
    let at = |t: f64| {
        let shift = |i: usize, k: usize| if following.contains(&i) { t * direction(i, k) } else { 0.0 };
        loss(objective, &evaluate(objective.graph(), n, &inputs(&shift)).unwrap(), step)
    };
    let outputs = evaluate(objective.graph(), n, &inputs(&|_, _| 0.0)).unwrap();
    let along: f64 = objective
        .gradient_outputs()
        .map(|(i, output)| outputs[output].iter().enumerate().map(|(k, g)| g * direction(i, k)).sum::<f64>())
        .sum();
    let best = [1e-4, 1e-5, 1e-6].map(|h| ((at(h) - at(-h)) / (2.0 * h) - along).abs() / along.abs().max(1.0));
    (along, best.into_iter().fold(f64::INFINITY, f64::min))
}

#[test]
fn gradients_agree_with_differences() {
    let (n, step) = (8, 3);
    for (name, spec) in models() {
        let mut parameters = Parameters::new(5);
        let objective = Objective::new(spec.model(), &mut parameters, &[4], n, 8, true).unwrap();
        let adversary = Objective::adversary(spec.model(), &mut parameters, &[4], n, 8).unwrap();
        assert_eq!(adversary.is_some(), name == "factor", "{name}");
        stir(&mut parameters);
        for objective in std::iter::once(&objective).chain(&adversary) {
            let (along, difference) = along_and_difference(objective, &parameters, n, step);
            assert!(difference < 1e-7, "{name}: relative difference {difference:e} of {along}");
            assert!(along != 0.0, "{name}: no gradient");
        }
    }
}

/// The model follows its own loss and the adversary its own: no parameter follows both, and none is left out.
#[test]
fn every_parameter_follows_one_loss() {
    for (name, spec) in models() {
        let mut parameters = Parameters::new(5);
        let objective = Objective::new(spec.model(), &mut parameters, &[4], 8, 8, true).unwrap();
        let adversary = Objective::adversary(spec.model(), &mut parameters, &[4], 8, 8).unwrap();
        let of = |objective: &Objective| objective.gradient_outputs().map(|(i, _)| i).collect::<Vec<_>>();
        let mut all = [of(&objective), adversary.as_ref().map(of).unwrap_or_default()].concat();
        all.sort_unstable();
        assert_eq!(all, (0..parameters.list().len()).collect::<Vec<_>>(), "{name}");
    }
}
