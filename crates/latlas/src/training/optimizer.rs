//! Optimisers: what gradients do to parameters.

use serde::{Deserialize, Serialize};

/// An optimiser and its constants.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", deny_unknown_fields)]
pub enum Optimizer {
    /// Adam (Kingma and Ba 2015), with decoupled weight decay: AdamW (Loshchilov and Hutter 2019) where that is not 0.
    Adam {
        /// Decay of the first moment.
        #[serde(default = "beta1")]
        beta1: f64,
        /// Decay of the second moment.
        #[serde(default = "beta2")]
        beta2: f64,
        /// Added to the root of the second moment.
        #[serde(default = "epsilon")]
        epsilon: f64,
        /// Share of the learning rate by which parameters shrink in each step.
        #[serde(default)]
        weight_decay: f64,
    },
    /// Gradient descent with momentum.
    Sgd {
        /// Decay of the velocity.
        #[serde(default)]
        momentum: f64,
        /// Added to the gradient, times the parameters.
        #[serde(default)]
        weight_decay: f64,
    },
}

fn beta1() -> f64 {
    0.9
}
fn beta2() -> f64 {
    0.999
}
fn epsilon() -> f64 {
    1e-8
}

impl Default for Optimizer {
    fn default() -> Self {
        Self::Adam { beta1: beta1(), beta2: beta2(), epsilon: epsilon(), weight_decay: 0.0 }
    }
}

/// What an optimiser remembers of one parameter.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    /// First moment, or velocity.
    pub first: Vec<f32>,
    /// Second moment; empty for gradient descent.
    pub second: Vec<f32>,
}

impl Optimizer {
    /// Changes a parameter by its gradient times `scale`; `step` counts from 1.
    pub fn update(&self, step: u64, rate: f64, scale: f64, parameter: &mut [f32], gradient: &[f32], state: &mut State) {
        state.first.resize(parameter.len(), 0.0);
        let (rate32, scale) = (rate as f32, scale as f32);
        match *self {
            Self::Adam { beta1, beta2, epsilon, weight_decay } => {
                state.second.resize(parameter.len(), 0.0);
                let correction = |beta: f64| 1.0 - beta.powi(step.min(i32::MAX as u64) as i32);
                let size = (rate / correction(beta1)) as f32;
                let root = (1.0 / correction(beta2).sqrt()) as f32;
                let (b1, b2, epsilon, shrink) = (beta1 as f32, beta2 as f32, epsilon as f32, (1.0 - rate * weight_decay) as f32);
                let moments = state.first.iter_mut().zip(&mut state.second);
                for ((x, g), (m, v)) in parameter.iter_mut().zip(gradient).zip(moments) {
                    let g = g * scale;
                    *m = b1 * *m + (1.0 - b1) * g;
                    *v = b2 * *v + (1.0 - b2) * g * g;
                    *x = *x * shrink - size * *m / (v.sqrt() * root + epsilon);
                }
            }
            Self::Sgd { momentum, weight_decay } => {
                let (momentum, decay) = (momentum as f32, weight_decay as f32);
                for ((x, g), v) in parameter.iter_mut().zip(gradient).zip(&mut state.first) {
                    *v = momentum * *v + g * scale + decay * *x;
                    *x -= rate32 * *v;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first steps of Adam by hand: with a constant gradient every step has the size of the rate.
    #[test]
    fn adam_walks_at_its_rate() {
        let adam = Optimizer::default();
        let (mut x, mut state) = ([1.0_f32, -1.0], State::default());
        for step in 1..=10 {
            adam.update(step, 0.01, 1.0, &mut x, &[3.0, -0.2], &mut state);
        }
        assert!((x[0] - 0.9).abs() < 1e-5 && (x[1] + 0.9).abs() < 1e-5, "{x:?}");
    }

    #[test]
    fn momentum_adds_up() {
        let sgd = Optimizer::Sgd { momentum: 0.5, weight_decay: 0.0 };
        let (mut x, mut state) = ([0.0_f32], State::default());
        for step in 1..=3 {
            sgd.update(step, 1.0, 1.0, &mut x, &[1.0], &mut state);
        }
        assert_eq!(x[0], -(1.0 + 1.5 + 1.75));
    }

    #[test]
    fn decay_is_decoupled() {
        let adam = Optimizer::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.1 };
        let (mut x, mut state) = ([2.0_f32], State::default());
        adam.update(1, 0.5, 1.0, &mut x, &[0.0], &mut state);
        assert!((x[0] - 1.9).abs() < 1e-6);
    }
}
