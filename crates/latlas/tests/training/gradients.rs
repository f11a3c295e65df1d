//! Gradients of every loss at fixed weights against central differences, in double precision by the interpreter.

use latlas::models::zoo::{Feed, Parameters};
use latlas::training::Objective;
use latlas_graph::evaluate::evaluate;

use super::{data, models, stir};

/// The loss from the terms that a graph gives, at a step.
fn loss(objective: &Objective, outputs: &[Vec<f64>], step: u64) -> f64 {
    objective.weights(step).zip(outputs).map(|(weight, value)| weight * value[0]).sum()
}

#[test]
fn gradients_agree_with_differences() {
    let (n, step) = (8, 3);
    for (name, spec) in models() {
        let rows = data(n, &[4]);
        let mut parameters = Parameters::new(5);
        let objective = Objective::new(spec.model(), &mut parameters, &[4], n, 8, true).unwrap();
        stir(&mut parameters);
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
                    Feed::Uniform => (0..n * one).map(noise).collect(),
                    Feed::Scheduled(ramp) => vec![ramp.at(step)],
                    Feed::Parameter(i) => {
                        parameters.list()[*i].values.iter().enumerate().map(|(k, &x)| f64::from(x) + shift(*i, k)).collect()
                    }
                })
                .collect()
        };
        let at = |t: f64| {
            let shift = |i: usize, k: usize| t * (1.7 * i as f64 + 0.9 * k as f64).cos();
            loss(&objective, &evaluate(objective.graph(), n, &inputs(&shift)).unwrap(), step)
        };
        let outputs = evaluate(objective.graph(), n, &inputs(&|_, _| 0.0)).unwrap();
        let gradients = objective.gradient_outputs();
        let along: f64 = gradients
            .map(|(i, output)| outputs[output].iter().enumerate().map(|(k, g)| g * (1.7 * i as f64 + 0.9 * k as f64).cos()).sum::<f64>())
            .sum();
        let best = [1e-4, 1e-5, 1e-6].map(|h| ((at(h) - at(-h)) / (2.0 * h) - along).abs() / along.abs().max(1.0));
        let best = best.into_iter().fold(f64::INFINITY, f64::min);
        assert!(best < 1e-7, "{name}: relative difference {best:e} of {along}");
        assert!(along != 0.0, "{name}: no gradient");
    }
}
